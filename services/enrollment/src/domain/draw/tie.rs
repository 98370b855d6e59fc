//! Ties: in which order those stand who came first for seats a draw left over.
//!
//! Where a round has ties its first applications are collected: whoever applies stands in line, whatever is free, and the lines stand
//! still. When the time is over the line of each section is put into its order, and served as any other line.
//!
//! | in the line | stands |
//! |---|---|
//! | since before the round, by the draw or by arrival | where it stood |
//! | came while applications were collected | then, by tier, then lot |
//! | came after | last, by arrival |
//!
//! Tiers are those the section was drawn by; a section that was not drawn puts the pupils of the policy's priority groups first.

use std::collections::BTreeSet;

use draw::{Hash, Terms};
use shared::value::{Enrollment as EnrollmentKind, Id, Moment};

use crate::domain::round::{Round, Ties};

/// One in the line of a section since the round opened.
#[derive(Clone, Debug)]
pub struct Arrival {
    /// The place in line.
    pub enrollment_id: Id<EnrollmentKind>,
    /// When it came.
    pub arrived_at: Moment,
    /// The number it was given when it came: the order of arrival.
    pub number: i64,
    /// The keys of the priority groups the pupil belongs to.
    pub groups: BTreeSet<String>,
    /// The pupil's lot at the section; none where no draw was held.
    pub lot: Option<Hash>,
}

/// Says whether one in line came for the seats left over, and does not stand there by the draw held at `drawn_at`.
#[must_use]
pub fn has_come(round: &Round, drawn_at: Option<Moment>, arrived_at: Moment) -> bool {
    round.open_at <= arrived_at && drawn_at.is_none_or(|drawn_at| drawn_at < arrived_at)
}

/// The tiers of a section: groups by tier, the first tier first.
#[must_use]
pub fn tiers(terms: &Terms, section_code: &str, by_policy: &[String]) -> Vec<BTreeSet<String>> {
    let drawn = terms.sections.iter().find(|section| section.code == section_code);
    let Some(drawn) = drawn else {
        return vec![by_policy.iter().cloned().collect()];
    };
    let key = |group: &draw::GroupIndex| terms.groups.get(group.at()).cloned();
    drawn.tiers.iter().map(|tier| tier.iter().filter_map(key).collect()).collect()
}

/// Gives those who came for the seats left over their numbers anew, out of the same numbers: who is first has the smallest.
#[must_use]
pub fn renumber(
    ties: &Ties,
    tiers: &[BTreeSet<String>],
    arrivals: &[Arrival],
) -> Vec<(Id<EnrollmentKind>, i64)> {
    let tier_of = |arrival: &Arrival| {
        tiers.iter().position(|tier| !tier.is_disjoint(&arrival.groups)).unwrap_or(tiers.len())
    };
    let mut numbers: Vec<_> = arrivals.iter().map(|arrival| arrival.number).collect();
    numbers.sort_unstable();
    let mut order: Vec<_> = arrivals.iter().collect();
    order.sort_by_cached_key(|arrival| {
        let is_tied = arrival.arrived_at < ties.until;
        let by_lot = is_tied.then(|| (tier_of(arrival), arrival.lot.map(|lot| *lot.bytes())));
        (!is_tied, by_lot, arrival.number)
    });
    order.into_iter().map(|arrival| arrival.enrollment_id).zip(numbers).collect()
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;
    use crate::domain::admission::tests::{id, section, slot};
    use crate::domain::draw::closing::tests::terms_of;
    use crate::domain::enrollment::tests::at;

    fn arrival(number: i64, second: i64, lot: u8, groups: &[&str]) -> Arrival {
        Arrival {
            enrollment_id: id(number.unsigned_abs().into()),
            arrived_at: at(0) + TimeDelta::seconds(second),
            number,
            groups: groups.iter().map(|group| (*group).to_owned()).collect(),
            lot: Some(Hash::new([lot; 32])),
        }
    }

    fn ties() -> Ties {
        Ties { seconds: 60, until: at(0) + TimeDelta::seconds(60), is_decided: false }
    }

    fn order(arrivals: &[Arrival], tiers: &[BTreeSet<String>]) -> Vec<u128> {
        renumber(&ties(), tiers, arrivals).into_iter().map(|(id, _)| id.uuid().as_u128()).collect()
    }

    #[test]
    fn who_came_first_stands_by_tier_then_lot_and_who_came_after_by_arrival() {
        let tiers = [BTreeSet::from(["left_behind".to_owned()])];
        let line = [
            arrival(1, 0, 9, &[]),
            arrival(2, 1, 3, &[]),
            arrival(3, 59, 8, &["left_behind", "other"]),
            arrival(4, 60, 1, &["left_behind"]),
            arrival(5, 61, 0, &[]),
        ];
        assert_eq!(order(&line, &tiers), [3, 2, 1, 4, 5]);
        let reversed: Vec<_> = line.iter().rev().cloned().collect();
        assert_eq!(order(&reversed, &tiers), [3, 2, 1, 4, 5], "in whatever order the rows are read");
        let numbers: Vec<_> =
            renumber(&ties(), &tiers, &line).into_iter().map(|(_, number)| number).collect();
        assert_eq!(numbers, [1, 2, 3, 4, 5], "the numbers of a line are given once each");
    }

    #[test]
    fn who_stands_in_line_by_a_late_draw_has_not_come_for_what_it_leaves_over() {
        let round = crate::domain::draw::terms::tests::round();
        let second = TimeDelta::seconds(1);
        let drawn_at = round.open_at + second;
        assert!(!has_come(&round, None, round.open_at - second));
        assert!(has_come(&round, None, round.open_at));
        assert!(!has_come(&round, Some(drawn_at), drawn_at));
        assert!(has_come(&round, Some(drawn_at), drawn_at + second));
    }

    #[test]
    fn where_no_draw_was_held_arrival_decides() {
        let line = [3, 1, 2].map(|number| Arrival { lot: None, ..arrival(number, number, 0, &[]) });
        assert_eq!(order(&line, &[]), [1, 2, 3]);
    }

    #[test]
    fn tiers_are_those_of_the_draw_and_else_the_policy_s() {
        let menu = [section(500, 2, &[slot(1, 960)])];
        let by_policy = ["left_behind".to_owned(), "disabled".to_owned()];
        let terms = terms_of(&menu, &["disabled"]);
        let code = menu[0].id.to_string();
        assert_eq!(tiers(&terms, &code, &by_policy), [BTreeSet::from(["disabled".to_owned()])]);
        assert_eq!(tiers(&terms, "another", &by_policy), [BTreeSet::from(by_policy)]);
    }
}
