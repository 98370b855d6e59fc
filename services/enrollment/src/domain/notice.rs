//! Notices to guardians: to whom, what they make public, and how many they have reached. A notice never changes: what was wrong in
//! it is put right by another.

use std::collections::{BTreeMap, BTreeSet};

use policy::vocabulary::{Item, Target};
use policy::{Clause, Policy, Silent, supervise};
use shared::value::{District, Id, Moment, Notice as NoticeKind, School, Staff, Term};
use uuid::Uuid;

use super::pupil::Pupil;

/// The target that says how many parents are told (家长知晓).
const TARGET: &str = "parents_informed";

/// A notice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// The notice.
    pub id: Id<NoticeKind>,
    /// The district.
    pub district_id: Id<District>,
    /// The school.
    pub school_id: Id<School>,
    /// District, town, school.
    pub path: Vec<Uuid>,
    /// The school's term it was sent in.
    pub term_id: Id<Term>,
    /// The title, 1 to 60 characters.
    pub title: String,
    /// The text, 1 to 4,000 characters.
    pub body: String,
    /// To whom.
    pub audience: Audience,
    /// What it makes public; empty when it is no disclosure.
    pub disclosure_keys: Vec<String>,
    /// The notice it puts right.
    pub corrects: Option<Id<NoticeKind>>,
    /// Who sent it; nobody where a change of a round did, on which the round's own record says who made it.
    pub sender_id: Option<Id<Staff>>,
    /// When.
    pub sent_at: Moment,
}

/// Whose guardians are addressed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Audience {
    /// Everybody's.
    School,
    /// Those of grades, 1 to 9; never empty.
    Grades(BTreeSet<i32>),
    /// Those of classes; never empty.
    Classes(BTreeSet<Uuid>),
}

impl Audience {
    /// Whether a pupil of the school belongs to it.
    #[must_use]
    pub fn has(&self, pupil: &Pupil) -> bool {
        match self {
            Self::School => true,
            Self::Grades(grades) => grades.contains(&pupil.grade),
            Self::Classes(classes) => pupil.path.get(3).is_some_and(|class| classes.contains(class)),
        }
    }
}

/// Why a notice is not sent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Nobody would be addressed.
    #[error("nobody belongs to the audience")]
    AudienceEmpty,
    /// It makes public what the policy does not know.
    #[error("no such disclosure")]
    DisclosureUnknown {
        /// The keys.
        keys: Vec<String>,
    },
    /// It makes something public, and not all the policy asks for.
    #[error("the disclosure is not whole")]
    DisclosureIncomplete {
        /// What is missing, in the policy's order.
        missing: Vec<Item>,
        /// What asks for it.
        clause: Box<Clause>,
    },
    /// It makes something public where no document says what must be.
    #[error(transparent)]
    Silent(#[from] Silent),
}

/// Checks what a notice makes public: nothing, or all the policy asks for.
///
/// # Errors
/// [`Error::Silent`], [`Error::DisclosureUnknown`], [`Error::DisclosureIncomplete`].
pub fn check_disclosure(policy: &Policy, keys: &[String]) -> Result<(), Error> {
    if keys.is_empty() {
        return Ok(());
    }
    let asked = policy.supervise.disclosure_fields.require()?;
    let unknown: Vec<_> =
        keys.iter().filter(|key| !asked.iter().any(|item| item.key == **key)).cloned().collect();
    if !unknown.is_empty() {
        return Err(Error::DisclosureUnknown { keys: unknown });
    }
    let keys: Vec<_> = keys.iter().map(String::as_str).collect();
    match supervise::missing_disclosure(policy, &keys) {
        Some(missing) => {
            Err(Error::DisclosureIncomplete { missing: missing.items, clause: Box::new(missing.clause) })
        }
        None => Ok(()),
    }
}

/// The clause by which a school owes a notice; nothing once one of the term was sent to the whole school.
#[must_use]
pub fn owed(policy: &Policy, has_told_school: bool) -> Option<Clause> {
    let (required, clause) = policy.enroll.parent_notice_required.known()?;
    (*required && !has_told_school).then_some(clause)
}

/// How many of how many.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Share {
    /// Pupils addressed who are still of the school.
    pub expected_count: i32,
    /// Those of them for whom a guardian has acknowledged.
    pub acknowledged_count: i32,
}

/// How many a notice has reached.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reach {
    /// Over all classes.
    pub all: Share,
    /// By class.
    pub classes: BTreeMap<Uuid, Share>,
}

impl Reach {
    /// Counts pupils still of the school, each with the class and whether the notice was acknowledged.
    pub fn of(pupils: impl IntoIterator<Item = (Uuid, bool)>) -> Self {
        let mut reach = Self::default();
        for (class_id, is_acknowledged) in pupils {
            for share in [&mut reach.all, reach.classes.entry(class_id).or_default()] {
                share.expected_count += 1;
                share.acknowledged_count += i32::from(is_acknowledged);
            }
        }
        reach
    }

    /// The policy's target of parents told, and whether this reaches it. Nothing where the policy has none or nobody is expected.
    #[must_use]
    pub fn target<'a>(&self, policy: &'a Policy) -> Option<(&'a Target, bool)> {
        let target = policy.supervise.targets.get()?.iter().find(|target| target.key == TARGET)?;
        let count = |count: i32| u64::try_from(count).unwrap_or_default();
        let is_met = supervise::target_met(
            target,
            count(self.all.acknowledged_count),
            count(self.all.expected_count),
        )?;
        Some((target, is_met))
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::sync::Arc;

    use super::*;

    fn policy(pack: &str) -> Arc<Policy> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../policies");
        policy::Live::open(&folder).unwrap().policy(pack, None).unwrap()
    }

    fn reach(acknowledged: usize, expected: usize) -> Reach {
        Reach::of((0..expected).map(|at| (Uuid::from_u128(at as u128 % 7), at < acknowledged)))
    }

    #[test]
    fn c37_499_of_500_misses_a_target_of_all_and_500_of_500_meets_it() {
        let (all, none) = (policy("shanghai_jingan"), policy("hebei_shahe"));

        let short = reach(499, 500);

        assert_eq!(short.all, Share { expected_count: 500, acknowledged_count: 499 });
        assert_eq!(short.classes.values().map(|share| share.expected_count).sum::<i32>(), 500);
        assert_eq!(
            short.target(&all).map(|(target, met)| (target.at_least_bp.get(), met)),
            Some((10_000, false))
        );
        assert_eq!(reach(500, 500).target(&all).map(|(_, met)| met), Some(true));
        assert!(reach(0, 0).target(&all).is_none(), "nobody is expected");
        assert!(reach(1, 2).target(&none).is_none(), "no document sets a target");
    }

    #[test]
    fn a_disclosure_names_all_the_policy_asks_for_and_nothing_else() {
        let keys = |keys: &[&str]| keys.iter().map(|key| (*key).to_owned()).collect::<Vec<_>>();
        let asked = policy("zhejiang_jinhua");
        let all = keys(&["items", "objects", "times", "content", "fee_standard"]);

        assert_eq!(check_disclosure(&asked, &all), Ok(()));
        assert_eq!(check_disclosure(&asked, &[]), Ok(()), "a notice need not be a disclosure");
        let Err(Error::DisclosureIncomplete { missing, clause }) = check_disclosure(&asked, &all[..4]) else {
            panic!("the fee is missing");
        };
        assert_eq!((missing[0].key.as_str(), clause.key), ("fee_standard", "disclosure_fields"));
        let unknown = check_disclosure(&asked, &keys(&["waived_pupils"]));
        assert_eq!(unknown, Err(Error::DisclosureUnknown { keys: keys(&["waived_pupils"]) }));
        assert!(matches!(check_disclosure(&policy("hebei_shahe"), &all), Err(Error::Silent(_))));
    }

    #[test]
    fn a_letter_is_owed_where_the_policy_says_so_until_the_whole_school_is_told() {
        let (asks, silent) = (policy("hebei_shahe"), policy("hunan_zhuzhou"));
        assert_eq!(owed(&asks, false).map(|clause| clause.key), Some("parent_notice_required"));
        assert_eq!(owed(&asks, true), None);
        assert_eq!(owed(&silent, false), None);
    }
}
