//! A pupil's place in a priority group (优先保障): who is served first where seats are scarce. It waives nothing.
//!
//! | from ↓ command → | approve    | refuse               | appeal       | end         |
//! |------------------|------------|----------------------|--------------|-------------|
//! | Submitted        | Approved   | Refused              | NotRefused   | NotApproved |
//! | Approved         | Decided ¹  | Decided              | NotRefused   | Ended       |
//! | Refused          | Decided    | Decided ¹            | Appealed     | NotApproved |
//! | Appealed         | Approved ² | RefusedOnAppeal ²    | no change    | NotApproved |
//! | RefusedOnAppeal  | Decided    | Decided ¹            | NotRefused   | NotApproved |
//! | Ended            | Decided    | Decided              | NotRefused   | no change   |
//!
//! ¹ no change when the same person decides the same way again.  ² by another person than the one who refused, else
//! `SecondPerson`.
//!
//! An approval ends by itself after its last day: nothing needs to run for it.

use std::collections::{BTreeSet, HashMap};

use chrono::NaiveDate;
use policy::{Clause, Policy, Silent};
use shared::value::{
    District, Evidence as EvidenceKind, Guardian, Id, Moment, Priority as PriorityKind, Pupil, School, Staff,
};
use uuid::Uuid;

/// The key of a group that is not on the policy's list and was named by the school.
pub const OTHER: &str = "other";

/// The most documents of one pupil that no claim uses yet.
pub const MAX_UNUSED_COUNT: u64 = 10;

/// A pupil's place in a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Priority {
    /// The priority.
    pub id: Id<PriorityKind>,
    /// The district.
    pub district_id: Id<District>,
    /// The school that decides: it holds at no other.
    pub school_id: Id<School>,
    /// The pupil.
    pub pupil_id: Id<Pupil>,
    /// District, town, school, class, as they were when it was claimed or recorded.
    pub path: Vec<Uuid>,
    /// The group.
    pub group: Group,
    /// Whose word it rests on.
    pub origin: Origin,
    /// Where it stands.
    pub state: State,
    /// When it was claimed or recorded.
    pub created_at: Moment,
}

/// A group, as the policy or the school names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// The policy's key, or [`OTHER`].
    pub key: String,
    /// What people call it.
    pub name_zh: String,
}

/// Whose word it rests on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A guardian's.
    Claim {
        /// Who claimed it.
        guardian_id: Id<Guardian>,
        /// The documents, in the order they were brought.
        evidence_ids: Vec<Id<EvidenceKind>>,
    },
    /// The school's rolls.
    School {
        /// What it rests on.
        reason: String,
    },
}

/// From the first to the last day, both inclusive; the last is never before the first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Period {
    /// The first day.
    pub first: NaiveDate,
    /// The last day.
    pub last: NaiveDate,
}

impl Period {
    /// Says whether `day` lies within.
    #[must_use]
    pub fn holds(self, day: NaiveDate) -> bool {
        self.first <= day && day <= self.last
    }
}

/// A refusal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Who refused.
    pub by: Id<Staff>,
    /// Why, in words.
    pub reason: String,
}

/// Where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// Waits for the school.
    Submitted,
    /// Holds during the period.
    Approved {
        /// Who approved.
        by: Id<Staff>,
        /// When it holds.
        period: Period,
    },
    /// Refused.
    Refused(Refusal),
    /// The family has appealed.
    Appealed {
        /// What it appeals against.
        refusal: Refusal,
        /// Why.
        appeal: String,
    },
    /// Refused by a second person, too.
    RefusedOnAppeal {
        /// The second refusal.
        refusal: Refusal,
        /// What the family had said.
        appeal: String,
    },
    /// Ended by the school.
    Ended {
        /// Who ended it.
        by: Id<Staff>,
        /// When it would have held.
        period: Period,
        /// Why, in words.
        reason: String,
    },
}

impl State {
    /// Whether it waits for a decision.
    #[must_use]
    pub const fn is_pending(&self) -> bool {
        matches!(self, Self::Submitted | Self::Appealed { .. })
    }
}

/// What the school decides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// It holds.
    Approve(Period),
    /// It does not, with the reason in words.
    Refuse(String),
}

/// Why nothing is changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// It was decided otherwise.
    #[error("it is decided already")]
    Decided,
    /// Who refused does not decide the appeal.
    #[error("a second person has to decide")]
    SecondPerson,
    /// There is no refusal to appeal against, or the appeal is decided.
    #[error("it is not refused")]
    NotRefused,
    /// It does not hold.
    #[error("it is not approved")]
    NotApproved,
}

/// Why a group cannot be claimed or recorded.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GroupError {
    /// No document names any group, or whether the list is open.
    #[error(transparent)]
    Silent(#[from] Silent),
    /// The list does not name it, and nobody may add to the list in this way.
    #[error("the policy's list does not name it")]
    NotListed {
        /// The groups of the list, in its order.
        groups: Vec<Group>,
        /// What says so.
        clause: Box<Clause>,
    },
}

/// The groups of the policy's list, in its order, with the clause.
///
/// # Errors
/// [`Silent`] when no document names any.
pub fn groups(policy: &Policy) -> Result<(Vec<Group>, Clause), Silent> {
    let (items, clause) = policy.enroll.priority_groups.demand()?;
    let group =
        |item: &policy::vocabulary::Item| Group { key: item.key.clone(), name_zh: item.name_zh.clone() };
    Ok((items.iter().map(group).collect(), clause))
}

/// Finds a listed group.
///
/// # Errors
/// [`GroupError::NotListed`] when the list does not name it; [`GroupError::Silent`] when there is no list.
pub fn listed(policy: &Policy, key: &str) -> Result<Group, GroupError> {
    let (groups, clause) = groups(policy)?;
    match groups.iter().find(|group| group.key == key) {
        Some(group) => Ok(group.clone()),
        None => Err(GroupError::NotListed { groups, clause: Box::new(clause) }),
    }
}

/// Names a group the list does not have, where the list is open (等).
///
/// # Errors
/// [`GroupError::NotListed`] when the list is closed; [`GroupError::Silent`] when no document says.
pub fn other(policy: &Policy, name_zh: &str) -> Result<Group, GroupError> {
    let (groups, _) = groups(policy)?;
    let (open, clause) = policy.enroll.priority_list_open.demand()?;
    if *open {
        return Ok(Group { key: OTHER.to_owned(), name_zh: name_zh.to_owned() });
    }
    Err(GroupError::NotListed { groups, clause: Box::new(clause) })
}

/// Decides a claim or an appeal; gives the next state, or nothing when it is so already.
///
/// # Errors
/// [`Error::Decided`], [`Error::SecondPerson`].
pub fn decide(state: &State, decision: &Decision, by: Id<Staff>) -> Result<Option<State>, Error> {
    match (state, decision) {
        (State::Submitted, Decision::Approve(period)) => Ok(Some(State::Approved { by, period: *period })),
        (State::Submitted, Decision::Refuse(reason)) => {
            Ok(Some(State::Refused(Refusal { by, reason: reason.clone() })))
        }
        (State::Appealed { refusal, .. }, _) if refusal.by == by => Err(Error::SecondPerson),
        (State::Appealed { .. }, Decision::Approve(period)) => {
            Ok(Some(State::Approved { by, period: *period }))
        }
        (State::Appealed { appeal, .. }, Decision::Refuse(reason)) => Ok(Some(State::RefusedOnAppeal {
            refusal: Refusal { by, reason: reason.clone() },
            appeal: appeal.clone(),
        })),
        (State::Approved { by: who, period }, Decision::Approve(again)) if *who == by && period == again => {
            Ok(None)
        }
        (State::Refused(was) | State::RefusedOnAppeal { refusal: was, .. }, Decision::Refuse(again))
            if was.by == by && was.reason == *again =>
        {
            Ok(None)
        }
        (
            State::Approved { .. } | State::Refused(_) | State::RefusedOnAppeal { .. } | State::Ended { .. },
            Decision::Approve(_) | Decision::Refuse(_),
        ) => Err(Error::Decided),
    }
}

/// Appeals against a refusal; gives the next state, or nothing when it is so already.
///
/// # Errors
/// [`Error::NotRefused`].
pub fn appeal(state: &State, why: &str) -> Result<Option<State>, Error> {
    match state {
        State::Refused(refusal) => {
            Ok(Some(State::Appealed { refusal: refusal.clone(), appeal: why.to_owned() }))
        }
        State::Appealed { .. } => Ok(None),
        State::Submitted | State::Approved { .. } | State::RefusedOnAppeal { .. } | State::Ended { .. } => {
            Err(Error::NotRefused)
        }
    }
}

/// Ends a priority; gives the next state, or nothing when it is so already.
///
/// # Errors
/// [`Error::NotApproved`].
pub fn end(state: &State, reason: &str, by: Id<Staff>) -> Result<Option<State>, Error> {
    match state {
        State::Approved { period, .. } => {
            Ok(Some(State::Ended { by, period: *period, reason: reason.to_owned() }))
        }
        State::Ended { .. } => Ok(None),
        State::Submitted | State::Refused(_) | State::Appealed { .. } | State::RefusedOnAppeal { .. } => {
            Err(Error::NotApproved)
        }
    }
}

/// A place that was approved and not ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Approved {
    /// The pupil.
    pub pupil_id: Id<Pupil>,
    /// The school that gave it.
    pub school_id: Id<School>,
    /// The group's key.
    pub group_key: String,
    /// When it holds.
    pub period: Period,
}

/// The groups pupils are in on a day, by pupil; pupils without any are left out. `schools` has each pupil's school now: what another
/// school gave does not hold there.
#[must_use]
pub fn groups_on(
    approved: impl IntoIterator<Item = Approved>,
    schools: &HashMap<Id<Pupil>, Id<School>>,
    day: NaiveDate,
) -> HashMap<Id<Pupil>, BTreeSet<String>> {
    let mut groups: HashMap<_, BTreeSet<String>> = HashMap::new();
    for one in approved {
        if one.period.holds(day) && schools.get(&one.pupil_id) == Some(&one.school_id) {
            groups.entry(one.pupil_id).or_default().insert(one.group_key);
        }
    }
    groups
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::sync::Arc;

    use super::*;

    fn id<K>(number: u128) -> Id<K> {
        Id::new(Uuid::from_u128(number))
    }

    fn on(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn period() -> Period {
        Period { first: on("2026-09-01"), last: on("2027-01-31") }
    }

    fn refusal(by: u128) -> Refusal {
        Refusal { by: id(by), reason: "材料过期".to_owned() }
    }

    fn policy(pack: &str) -> Arc<Policy> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../policies");
        policy::Live::open(&folder).unwrap().policy(pack, None).unwrap()
    }

    fn states() -> [State; 6] {
        [
            State::Submitted,
            State::Approved { by: id(1), period: period() },
            State::Refused(refusal(1)),
            State::Appealed { refusal: refusal(1), appeal: "有新材料".to_owned() },
            State::RefusedOnAppeal { refusal: refusal(2), appeal: "有新材料".to_owned() },
            State::Ended { by: id(1), period: period(), reason: "搬走".to_owned() },
        ]
    }

    #[test]
    fn the_table_of_commands() {
        let [submitted, approved, refused, appealed, again, ended] = states();
        let approve = |state: &State, by| decide(state, &Decision::Approve(period()), id(by));
        let refuse = |state: &State, by| decide(state, &Decision::Refuse("材料过期".to_owned()), id(by));
        let approved_by = |by| State::Approved { by: id(by), period: period() };

        assert_eq!(approve(&submitted, 1), Ok(Some(approved_by(1))));
        assert_eq!(refuse(&submitted, 1), Ok(Some(refused.clone())));
        assert_eq!(approve(&approved, 1), Ok(None));
        assert_eq!(approve(&approved, 2), Err(Error::Decided));
        assert_eq!(refuse(&approved, 1), Err(Error::Decided));
        assert_eq!(approve(&refused, 2), Err(Error::Decided));
        assert_eq!(refuse(&refused, 1), Ok(None));
        assert_eq!(refuse(&refused, 2), Err(Error::Decided));
        assert_eq!(approve(&appealed, 1), Err(Error::SecondPerson));
        assert_eq!(refuse(&appealed, 1), Err(Error::SecondPerson));
        assert_eq!(approve(&appealed, 2), Ok(Some(approved_by(2))));
        assert_eq!(refuse(&appealed, 2), Ok(Some(again.clone())));
        assert_eq!(approve(&again, 2), Err(Error::Decided));
        assert_eq!(refuse(&again, 2), Ok(None));
        assert_eq!(approve(&ended, 1), Err(Error::Decided));
        assert_eq!(refuse(&ended, 1), Err(Error::Decided));

        let appeals = states().map(|state| appeal(&state, "有新材料"));
        let no = || Err(Error::NotRefused);
        assert_eq!(appeals, [no(), no(), Ok(Some(appealed.clone())), Ok(None), no(), no()]);

        let ends = states().map(|state| end(&state, "搬走", id(1)));
        let no = || Err(Error::NotApproved);
        assert_eq!(ends, [no(), Ok(Some(ended)), no(), no(), no(), Ok(None)]);
    }

    #[test]
    fn trap_20_a_closed_list_has_its_groups_and_no_other() {
        let (closed, open, silent) =
            (policy("jiangsu_nanjing"), policy("hebei_shahe"), policy("hunan_zhuzhou"));
        let keys = |error: GroupError| match error {
            GroupError::NotListed { groups, clause } => {
                (groups.into_iter().map(|group| group.key).collect::<Vec<_>>(), clause.key)
            }
            GroupError::Silent(silent) => (Vec::new(), silent.key),
        };

        let four =
            ["disabled", "left_behind", "migrant", "economically_difficult"].map(str::to_owned).to_vec();
        assert_eq!(keys(listed(&closed, "dual_income").unwrap_err()), (four.clone(), "priority_groups"));
        assert_eq!(keys(other(&closed, "单亲家庭").unwrap_err()), (four, "priority_list_open"));
        assert_eq!(listed(&open, "dual_income").unwrap().name_zh, "双职工家庭子女");
        assert_eq!(
            other(&open, "单亲家庭").unwrap(),
            Group { key: OTHER.to_owned(), name_zh: "单亲家庭".to_owned() }
        );
        assert_eq!(keys(listed(&silent, "disabled").unwrap_err()), (Vec::new(), "priority_groups"));
    }

    #[test]
    fn c54_a_group_holds_from_its_first_to_its_last_day_and_at_the_school_that_gave_it() {
        let given = |pupil, school, key: &str| Approved {
            pupil_id: id(pupil),
            school_id: id(school),
            group_key: key.to_owned(),
            period: period(),
        };
        let all = || [given(50, 3, "left_behind"), given(50, 3, "disabled"), given(51, 3, "left_behind")];
        let schools = HashMap::from([(id(50), id(3)), (id(51), id(4))]);
        let both = HashMap::from([(id(50), ["disabled", "left_behind"].map(str::to_owned).into())]);

        for (day, holds) in
            [("2026-08-31", false), ("2026-09-01", true), ("2027-01-31", true), ("2027-02-01", false)]
        {
            let expected = if holds { both.clone() } else { HashMap::new() };
            assert_eq!(groups_on(all(), &schools, on(day)), expected, "{day}");
        }
    }
}
