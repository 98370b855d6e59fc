//! Every refusal of a rule of drawn rounds as a status.

use draw::seed::SeedError;
use shared::status;
use shared::value::{Id, Round as RoundKind, Violations};
use tonic::Status;

use crate::domain::day::local;
use crate::domain::draw::terms::Problem;
use crate::domain::draw::wish;

/// Refuses wishes.
pub fn wish(error: &wish::Error) -> Status {
    use wish::Error;
    let of = |id: &Id<shared::value::Section>| ("section_id", id.to_string());
    match error {
        Error::Fields(fields) => {
            let mut violations = Violations::default();
            for (field, rule) in fields {
                violations.note(field, *rule);
            }
            status::invalid(&violations)
        }
        Error::NotOfThisSchool => status::refused("NOT_OF_THIS_SCHOOL", &[]),
        Error::SectionUnknown(id) => status::not_found("section", id),
        Error::BasicCare(id) => status::refused("BASIC_CARE_NOT_DRAWN", &[of(id)]),
        Error::NotInRound(id) => status::refused("SECTION_NOT_IN_ROUND", &[of(id)]),
        Error::NotPublished(id) => status::refused("SECTION_NOT_PUBLISHED", &[of(id)]),
        Error::GradeNotAdmitted { section_id, grades } => {
            let grades: Vec<_> = grades.iter().map(ToString::to_string).collect();
            status::refused("GRADE_NOT_ADMITTED", &[of(section_id), ("grades", grades.join(","))])
        }
        Error::SlotTaken { section_id, enrollment_id, section_title, weekday, start_minute } => {
            status::refused(
                "SLOT_TAKEN",
                &[
                    of(section_id),
                    ("enrollment_id", enrollment_id.to_string()),
                    ("section_title", section_title.clone()),
                    ("weekday", weekday.to_string()),
                    ("start_time", local::time_text(*start_minute)),
                ],
            )
        }
    }
}

/// Refuses settings of a draw, field by field.
pub fn settings(problems: &[Problem]) -> Status {
    let mut violations = Violations::default();
    for problem in problems {
        violations.note(&problem.field, &problem.rule);
    }
    status::invalid(&violations)
}

/// Refuses a value that does not belong to its source. `names` are the sources' names, in their order.
pub fn seed(error: &SeedError, names: &[String]) -> Status {
    let field = |name: &String| match names.iter().position(|known| known == name) {
        Some(at) => format!("values[{at}]"),
        None => "values".to_owned(),
    };
    let field = match error {
        SeedError::Count { .. } => "values".to_owned(),
        SeedError::NotADigit { source_name, .. }
        | SeedError::DigitCount { source_name, .. }
        | SeedError::OtherThanSealed { source_name } => field(source_name),
    };
    let mut violations = Violations::default();
    violations.note(field, error.to_string());
    status::invalid(&violations)
}

/// There is a round of the id that was chosen.
pub fn id_used(id: Id<RoundKind>) -> Status {
    status::refused("ROUND_ID_USED", &[("round_id", id.to_string())])
}
