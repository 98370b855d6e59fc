//! What became of those who came too late: before and after their section was known to be full.

use std::collections::HashMap;
use std::time::Duration;

use super::load::{Answered, Outcome, Ran, at_share};
use super::profile::{Plan, Wish};

/// The reason of a refusal for want of a seat.
pub const FULL: &str = "SECTION_FULL";

/// Applications sent when somebody had already heard that their section is full, and how they were refused.
#[derive(Clone, Debug, PartialEq)]
pub struct KnownFull {
    /// Refused as full, sent before anybody had heard so: these had to be decided.
    pub before_count: usize,
    /// Sent after.
    pub after_count: usize,
    /// Of those sent after, whoever was not refused as full: repeats of what was given, which have answers of their own.
    pub repeat_count: usize,
    /// Of those sent after, the share refused without asking the database: at least and at most, since the platform counts refusals
    /// and not whose. 0 to 1.
    pub without_database: (f64, f64),
    /// Half of the refusals of those sent after came within this.
    pub p50: Duration,
    /// All but one in a hundred.
    pub p99: Duration,
}

/// Looks at a round in which `known_count` were refused without the database; none where nobody came after.
#[must_use]
pub fn of(ran: &Ran, plan: &Plan, known_count: u64) -> Option<KnownFull> {
    let section = |answered: &Answered| match plan.wishes.get(answered.index) {
        Some(Wish::Seat { section, .. }) => Some(*section),
        Some(Wish::Basket { .. } | Wish::Menu { .. } | Wish::Seats) | None => None,
    };
    let is_full = |outcome: &Outcome| matches!(outcome, Outcome::Refused(reason) if reason == FULL);
    // Section → when somebody first heard that it is full.
    let mut known_at: HashMap<usize, Duration> = HashMap::new();
    for answered in ran.answered.iter().filter(|answered| is_full(&answered.outcome)) {
        let Some(section) = section(answered) else { continue };
        let at = known_at.entry(section).or_insert(answered.answered_at);
        *at = answered.answered_at.min(*at);
    }
    let (mut before_count, mut after_count) = (0, 0);
    let mut latencies = Vec::new();
    for answered in &ran.answered {
        let Some(known_at) = section(answered).and_then(|section| known_at.get(&section)) else { continue };
        let full = is_full(&answered.outcome);
        if answered.sent_at > *known_at {
            after_count += 1;
            if full {
                latencies.push(answered.latency);
            }
        } else if full {
            before_count += 1;
        }
    }
    if after_count == 0 {
        return None;
    }
    latencies.sort_unstable();
    let refused_after = latencies.len();
    // So many were refused by the database. At worst all of them came after, at best all before.
    let known_count = usize::try_from(known_count).unwrap_or(usize::MAX);
    let decided = (before_count + refused_after).saturating_sub(known_count);
    let least = refused_after.saturating_sub(decided);
    let most = refused_after.saturating_sub(decided.saturating_sub(before_count));
    #[expect(clippy::cast_precision_loss, reason = "there are far fewer requests than 2^52")]
    let share = |count: usize| count as f64 / after_count as f64;
    Some(KnownFull {
        before_count,
        after_count,
        repeat_count: after_count - refused_after,
        without_database: (share(least), share(most)),
        p50: at_share(&latencies, 0.5),
        p99: at_share(&latencies, 0.99),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::profile::NewSection;

    fn answered(index: usize, sent_ms: u64, took_ms: u64, outcome: Outcome) -> Answered {
        let (sent_at, latency) = (Duration::from_millis(sent_ms), Duration::from_millis(took_ms));
        Answered { index, sent_at, answered_at: sent_at + latency, latency, outcome }
    }

    fn round(answered: Vec<Answered>) -> (Ran, Plan) {
        let wish = |pupil| Wish::Seat { pupil, section: 0, request: pupil };
        let plan = Plan {
            sections: vec![NewSection { capacity_count: 1, weekday: 1 }],
            pupil_count: answered.len(),
            wishes: (0..answered.len()).map(wish).collect(),
        };
        (Ran { took: Duration::from_secs(1), answered }, plan)
    }

    fn full() -> Outcome {
        Outcome::Refused(FULL.to_owned())
    }

    #[test]
    fn whoever_was_sent_before_the_first_refusal_came_is_counted_apart() {
        // Known to be full after 10 ms. Of four sent after, one is a repeat; of the others the database decided one.
        let (ran, plan) = round(vec![
            answered(0, 0, 10, Outcome::Admitted(Vec::new())),
            answered(1, 0, 10, full()),
            answered(2, 5, 9, full()),
            answered(3, 11, 1, full()),
            answered(4, 12, 2, full()),
            answered(5, 13, 3, full()),
            answered(6, 14, 1, Outcome::Admitted(Vec::new())),
        ]);

        let found = of(&ran, &plan, 2).unwrap();

        assert_eq!((found.before_count, found.after_count, found.repeat_count), (2, 4, 1));
        // Five were refused and two without the database: three by it, of which at most two came before.
        assert_eq!(found.without_database, (0.0, 0.5));
        assert_eq!((found.p50, found.p99), (Duration::from_millis(2), Duration::from_millis(3)));
    }

    #[test]
    fn where_the_database_decided_all_none_was_refused_without_it() {
        let (ran, plan) = round(vec![answered(0, 0, 1, full()), answered(1, 2, 1, full())]);
        assert_eq!(of(&ran, &plan, 0).unwrap().without_database, (0.0, 0.0));
        assert_eq!(of(&ran, &plan, 1).unwrap().without_database, (0.0, 1.0));
    }

    #[test]
    fn where_nobody_comes_after_there_is_nothing_to_say() {
        let (ran, plan) = round(vec![answered(0, 0, 5, full()), answered(1, 0, 5, full())]);
        assert_eq!(of(&ran, &plan, 0), None);
    }
}
