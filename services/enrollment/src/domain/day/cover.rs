//! Periods in which a school's service is insured.

use chrono::NaiveDate;
use shared::value::{Cover as CoverKind, District, Id, School};

/// A period of insurance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cover {
    /// The cover.
    pub id: Id<CoverKind>,
    /// The district.
    pub district_id: Id<District>,
    /// The school.
    pub school_id: Id<School>,
    /// What kind of insurance.
    pub kind: Kind,
    /// The insurer.
    pub insurer: String,
    /// The policy's number.
    pub policy_number: String,
    /// The first day, inclusive.
    pub first_day: NaiveDate,
    /// The last day, inclusive.
    pub last_day: NaiveDate,
}

/// What kind of insurance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The school's liability.
    SchoolLiability,
    /// The pupils' accidents, the time of the service included.
    PupilAccident,
}

/// Says whether any of `covers` includes `day`.
#[must_use]
pub fn is_insured(covers: &[Cover], day: NaiveDate) -> bool {
    covers.iter().any(|cover| cover.first_day <= day && day <= cover.last_day)
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::domain::day::lesson::tests::on;

    #[test]
    fn a_day_is_insured_within_a_period_its_ends_included() {
        let cover = Cover {
            id: Id::new(Uuid::from_u128(1)),
            district_id: Id::new(Uuid::from_u128(2)),
            school_id: Id::new(Uuid::from_u128(3)),
            kind: Kind::SchoolLiability,
            insurer: "人保".to_owned(),
            policy_number: "P-1".to_owned(),
            first_day: on("2026-09-01"),
            last_day: on("2026-09-07"),
        };
        for (day, insured) in
            [("2026-08-31", false), ("2026-09-01", true), ("2026-09-07", true), ("2026-09-08", false)]
        {
            assert_eq!(is_insured(std::slice::from_ref(&cover), on(day)), insured, "{day}");
        }
        assert!(!is_insured(&[], on("2026-09-01")), "nothing recorded is not insured");
    }
}
