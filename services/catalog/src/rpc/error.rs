//! Every refusal of a rule, as gRPC carries it.
//!
//! Where a document decides, four facts say so: `pack_id`, `key`, and the clause in `clause_zh` and `clause_en`. Where none does,
//! `key_zh` and `key_en` say what people call the key.

use policy::course::CourseRefusal;
use policy::time::TimeRefusal;
use policy::{Clause, Silent};
use shared::status::{denied, invalid, refused};
use shared::value::Violations;
use tonic::Status;

use super::convert::time;
use crate::domain::provider::{NotEligible, Standing};
use crate::domain::{course, menu, provider, section, slot, term};

/// A refusal with the clause it rests on, beside its own facts.
fn by_clause(reason: &'static str, clause: &Clause, facts: &[(&str, String)]) -> Status {
    let said = clause.say();
    let mut all = vec![
        ("pack_id", clause.pack_id.clone()),
        ("key", clause.key.to_owned()),
        ("clause_zh", said.zh),
        ("clause_en", said.en),
    ];
    all.extend(facts.iter().cloned());
    refused(reason, &all)
}

/// No document and no supplement says what is needed. The key is named as people call it, too.
pub fn silent(silent: &Silent) -> Status {
    refused("POLICY_SILENT", &silent.facts())
}

/// A provider may not act for this school.
pub fn provider_denied(cause: &NotEligible) -> Status {
    denied(standing(cause.standing.clone()))
}

/// A school may take nothing from a provider.
fn provider_refused(cause: &NotEligible, facts: &[(&str, String)]) -> Status {
    let reason = standing(cause.standing.clone());
    match &cause.clause {
        Some(clause) => by_clause(reason, clause, facts),
        None => refused(reason, facts),
    }
}

const fn standing(standing: Standing) -> &'static str {
    match standing {
        Standing::NotListed => "PROVIDER_NOT_LISTED",
        Standing::ListedElsewhere => "PROVIDER_LISTED_ELSEWHERE",
        Standing::Suspended => "PROVIDER_SUSPENDED",
    }
}

impl From<term::Error> for Status {
    fn from(error: term::Error) -> Self {
        match error {
            term::Error::Overlaps { term_id, first_day, last_day } => refused(
                "TERM_OVERLAPS",
                &[
                    ("term_id", term_id.to_string()),
                    ("first_day", first_day.to_string()),
                    ("last_day", last_day.to_string()),
                ],
            ),
            term::Error::StageNotOpen { stage, first_day, clause } => by_clause(
                "STAGE_NOT_OPEN",
                &clause,
                &[("stage", stage.word().to_owned()), ("first_day", first_day.to_string())],
            ),
            term::Error::Silent(error) => silent(&error),
        }
    }
}

impl From<slot::Error> for Status {
    fn from(error: slot::Error) -> Self {
        match error {
            slot::Error::Refused { index, refusal } => {
                by_time(&refusal, &[("slot_index", index.to_string())])
            }
            slot::Error::Duplicate { index } => {
                refused("SLOT_DUPLICATE", &[("slot_index", index.to_string())])
            }
            slot::Error::CountExceeded { weekday, most, found, clause } => by_clause(
                "SLOT_COUNT_EXCEEDED",
                &clause,
                &[
                    ("weekday", weekday.number_from_monday().to_string()),
                    ("most", most.to_string()),
                    ("found", found.to_string()),
                ],
            ),
        }
    }
}

/// A slot or a day against the policy's times.
fn by_time(refusal: &TimeRefusal, facts: &[(&str, String)]) -> Status {
    let with = |reason, clause: &Clause, own: &[(&str, String)]| {
        let all: Vec<(&str, String)> = facts.iter().chain(own).cloned().collect();
        by_clause(reason, clause, &all)
    };
    match refusal {
        TimeRefusal::NotASpan => {
            let mut violations = Violations::default();
            violations.note("slots", "a slot ends after it starts");
            invalid(&violations)
        }
        TimeRefusal::OutOfScope { part, clause } => {
            with("SLOT_OUT_OF_SCOPE", clause, &[("day_part", part.word().to_owned())])
        }
        TimeRefusal::StartsTooEarly { earliest, starts_at, clause } => {
            with("SLOT_TOO_EARLY", clause, &[("earliest", time(*earliest)), ("start_time", time(*starts_at))])
        }
        TimeRefusal::EndsTooEarly { floor, ends_at, clause } => with(
            "SLOT_ENDS_TOO_EARLY",
            clause,
            &[("earliest_end", time(*floor)), ("end_time", time(*ends_at))],
        ),
        TimeRefusal::JustificationRequired { floor, ends_at, clause } => with(
            "JUSTIFICATION_REQUIRED",
            clause,
            &[("earliest_end", time(*floor)), ("end_time", time(*ends_at))],
        ),
        TimeRefusal::EndsTooLate { latest, ends_at, clause } => {
            with("SLOT_ENDS_TOO_LATE", clause, &[("latest_end", time(*latest)), ("end_time", time(*ends_at))])
        }
        TimeRefusal::TooLittle { least, found, weekday, clause } => {
            let mut own = vec![("least", least.to_string()), ("found", found.to_string())];
            own.extend(weekday.map(|weekday| ("weekday", weekday.number_from_monday().to_string())));
            with("DAY_TOO_SHORT", clause, &own)
        }
        TimeRefusal::TooMuch { most, found, weekday, clause } => with(
            "SLOT_COUNT_EXCEEDED",
            clause,
            &[
                ("most", most.to_string()),
                ("found", found.to_string()),
                ("weekday", weekday.number_from_monday().to_string()),
            ],
        ),
        TimeRefusal::Silent(error) => silent(error),
    }
}

impl From<course::Error> for Status {
    fn from(error: course::Error) -> Self {
        match error {
            course::Error::Refused(refusal) => by_content(&refusal, &[]),
            course::Error::TutoringNotAllowed { clause } => by_clause("CONTENT_BANNED", &clause, &[]),
            course::Error::NotSubmitted => refused("COURSE_NOT_SUBMITTED", &[]),
            course::Error::NotReviewed => refused("COURSE_NOT_REVIEWED", &[]),
            course::Error::NotEligible { cause } => provider_refused(&cause, &[]),
            course::Error::ReasonRequired { flagged_words } => {
                refused("REASON_REQUIRED", &[("flagged_words", flagged_words.join(" "))])
            }
        }
    }
}

/// A course against the policy's content rules.
fn by_content(refusal: &CourseRefusal, facts: &[(&str, String)]) -> Status {
    let with = |reason, clause: &Clause, own: &[(&str, String)]| {
        let all: Vec<(&str, String)> = facts.iter().chain(own).cloned().collect();
        by_clause(reason, clause, &all)
    };
    match refusal {
        CourseRefusal::ContentBanned { kind, clause } => {
            with("CONTENT_BANNED", clause, &[("content_kind", kind.word().to_owned())])
        }
        CourseRefusal::ThirdPartyBanned { kind, clause } => {
            with("THIRD_PARTY_SUBJECT_EXAM", clause, &[("content_kind", kind.word().to_owned())])
        }
        CourseRefusal::ReadsLikeExamCourse { found, clause } => {
            let words: Vec<_> = found.iter().map(|found| found.word).collect();
            with("THIRD_PARTY_SUBJECT_EXAM", clause, &[("flagged_words", words.join(" "))])
        }
        CourseRefusal::ThirdPartyExcluded { clause } => with("THIRD_PARTY_EXCLUDED", clause, &[]),
        CourseRefusal::NotInThisPhase { phase, clause } => {
            with("NOT_IN_THIS_PHASE", clause, &[("phase", phase.clone())])
        }
        CourseRefusal::Silent(error) => silent(error),
    }
}

impl From<section::Error> for Status {
    fn from(error: section::Error) -> Self {
        match error {
            section::Error::CourseNotApproved { course_id } => {
                refused("COURSE_NOT_APPROVED", &[("course_id", course_id.to_string())])
            }
            section::Error::GradeOfOtherStage { grade, stage } => refused(
                "GRADE_OF_OTHER_STAGE",
                &[("grade", grade.to_string()), ("stage", stage.word().to_owned())],
            ),
            section::Error::SlotOfOtherTerm { slot_id } => {
                refused("SLOT_OF_OTHER_TERM", &[("slot_id", slot_id.to_string())])
            }
            section::Error::SlotsOverlap { one, other } => refused(
                "SLOTS_OVERLAP",
                &[("slot_id", one.to_string()), ("other_slot_id", other.to_string())],
            ),
            section::Error::RoomTaken { section_id, slot_id } => refused(
                "ROOM_TAKEN",
                &[("section_id", section_id.to_string()), ("slot_id", slot_id.to_string())],
            ),
            section::Error::InstructorTaken { section_id, slot_id } => refused(
                "INSTRUCTOR_TAKEN",
                &[("section_id", section_id.to_string()), ("slot_id", slot_id.to_string())],
            ),
        }
    }
}

impl From<menu::Error> for Status {
    fn from(error: menu::Error) -> Self {
        match error {
            menu::Error::Cancelled { section_id } => {
                refused("SECTION_CANCELLED", &[("section_id", section_id.to_string())])
            }
            menu::Error::CourseNotApproved { course_id, section_id } => refused(
                "COURSE_NOT_APPROVED",
                &[("course_id", course_id.to_string()), ("section_id", section_id.to_string())],
            ),
            menu::Error::NotEligible { provider_id, cause } => {
                provider_refused(&cause, &[("provider_id", provider_id.to_string())])
            }
            menu::Error::RequiredItemMissing { item, clause } => {
                by_clause("REQUIRED_ITEM_MISSING", &clause, &[("item", item)])
            }
            menu::Error::ThirdPartyOnly { section_count, clause } => {
                by_clause("THIRD_PARTY_ONLY", &clause, &[("section_count", section_count.to_string())])
            }
            menu::Error::Day(refusal) => by_time(&refusal, &[]),
            menu::Error::WeekIncomplete { least, found, clause } => by_clause(
                "WEEK_INCOMPLETE",
                &clause,
                &[("least", least.to_string()), ("found", found.to_string())],
            ),
            menu::Error::NotInThisPhase { section_id, refusal } => {
                by_content(&refusal, &[("section_id", section_id.to_string())])
            }
        }
    }
}

impl From<provider::Error> for Status {
    fn from(error: provider::Error) -> Self {
        match error {
            provider::Error::OtherScope { scope, clause } => {
                by_clause("WHITELIST_SCOPE", &clause, &[("whitelist_scope", scope.word().to_owned())])
            }
            provider::Error::Suspended { on, reason } => refused(
                "PROVIDER_SUSPENDED",
                &[("suspended_on", on.to_string()), ("suspension_reason", reason)],
            ),
        }
    }
}
