//! Every refusal of a rule as a status: reason and facts, as the contract names them.

use policy::{Clause, Silent};
use shared::status;
use shared::value::Id;
use tonic::Status;

use super::convert;
use crate::domain::admission::{self, Application};
use crate::domain::agreement;
use crate::domain::basket::{Ask, Failed, Refusal, Why};
use crate::domain::enrollment::{self, Enrollment};
use crate::domain::round;
use crate::domain::section::Seats;
use crate::domain::term_ceiling::{Ceiling, Reached};

/// Refuses what was asked.
pub fn ask(refusal: &Refusal, ask: &Ask) -> Status {
    match refusal {
        Refusal::One(error) => match ask.parts().first() {
            Some(part) => admission(error, part),
            None => status::internal(error),
        },
        Refusal::Basket(failed) => {
            let parts: Vec<_> =
                failed.iter().map(|failed| (failed.part.section_id.to_string(), part(failed))).collect();
            status::refused_parts("BASKET_REFUSED", &[("failed_count", failed.len().to_string())], &parts)
        }
    }
}

/// Refuses a part of a basket, as if it had been asked for alone.
fn part(failed: &Failed) -> Status {
    match &failed.why {
        Why::Alone(error) => admission(error, &failed.part),
        Why::PartsClash { section_id, section_title, weekday, start_minute } => status::refused(
            "PARTS_CLASH",
            &[
                ("other_section_id", section_id.to_string()),
                ("section_title", section_title.clone()),
                ("weekday", weekday.to_string()),
                ("start_time", format!("{:02}:{:02}", start_minute / 60, start_minute % 60)),
            ],
        ),
    }
}

/// Refuses an application.
pub fn admission(error: &admission::Error, application: &Application) -> Status {
    use admission::Error;
    match error {
        Error::RequestReused => status::reused(),
        Error::PupilUnknown => status::not_found("pupil", application.pupil_id),
        Error::SectionUnknown => status::not_found("section", application.section_id),
        Error::NotOfThisSchool => status::refused("NOT_OF_THIS_SCHOOL", &[]),
        Error::NotPublished => status::refused("SECTION_NOT_PUBLISHED", &[]),
        Error::Round(error) => round(error),
        Error::Silent(error) => silent(error),
        Error::AlreadyEnrolled { enrollment_id } => already_enrolled(*enrollment_id),
        Error::Full { seats } => full(seats),
        Error::GradeNotAdmitted { grades } => {
            let grades: Vec<_> = grades.iter().map(ToString::to_string).collect();
            status::refused("GRADE_NOT_ADMITTED", &[("grades", grades.join(","))])
        }
        Error::Ceiling(reached) => ceiling(reached),
        Error::SlotTaken { enrollment_id, section_title, weekday, start_minute } => status::refused(
            "SLOT_TAKEN",
            &[
                ("enrollment_id", enrollment_id.to_string()),
                ("section_title", section_title.clone()),
                ("weekday", weekday.to_string()),
                ("start_time", format!("{:02}:{:02}", start_minute / 60, start_minute % 60)),
            ],
        ),
    }
}

/// The courses of a term would cost more together than they may.
fn ceiling(reached: &Reached) -> Status {
    let Ceiling { limit, key, clause_zh, clause_en, source } = reached.ceiling.as_ref();
    status::refused(
        "TERM_CEILING_REACHED",
        &[
            ("sum_fen", reached.sum.get().to_string()),
            ("limit_fen", limit.get().to_string()),
            ("key", key.clone()),
            ("clause_zh", clause_zh.clone()),
            ("clause_en", clause_en.clone()),
            ("clause_source", source.clone()),
        ],
    )
}

/// The pupil has a place in the section.
pub fn already_enrolled(id: Id<shared::value::Enrollment>) -> Status {
    status::refused("ALREADY_ENROLLED", &[("enrollment_id", id.to_string())])
}

/// Every seat is taken.
pub fn full(seats: &Seats) -> Status {
    status::refused(
        "SECTION_FULL",
        &[
            ("capacity_count", seats.capacity_count.to_string()),
            ("taken_count", seats.taken_count.to_string()),
            ("waitlisted_count", seats.waitlisted_count.to_string()),
        ],
    )
}

/// Refuses for a round's sake. Moments are RFC 3339, in UTC.
pub fn round(error: &round::Error) -> Status {
    let text = |moment: &shared::value::Moment| moment.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true);
    match error {
        round::Error::Overlaps { round_id } => {
            status::refused("ROUND_OVERLAPS", &[("round_id", round_id.to_string())])
        }
        round::Error::MenuEmpty => status::refused("MENU_EMPTY", &[]),
        round::Error::NotOpen { open_at: Some(open_at) } => {
            status::refused("ROUND_NOT_OPEN", &[("open_time", text(open_at))])
        }
        round::Error::NotOpen { open_at: None } => status::refused("ROUND_NOT_OPEN", &[]),
        round::Error::Closed { close_at } => {
            status::refused("ROUND_CLOSED", &[("close_time", text(close_at))])
        }
        round::Error::WishesOnly { round_id } => {
            status::refused("WISHES_ONLY", &[("round_id", round_id.to_string())])
        }
        round::Error::LeftOverOnly { open_at: Some(open_at) } => {
            status::refused("LEFT_OVER_ONLY", &[("open_time", text(open_at))])
        }
        round::Error::LeftOverOnly { open_at: None } => status::refused("LEFT_OVER_ONLY", &[]),
        round::Error::Collecting { until } => {
            status::refused("APPLICATIONS_COLLECTED", &[("tie_end_time", text(until))])
        }
        round::Error::ApplicationsOnly => status::refused("APPLICATIONS_ONLY", &[]),
        round::Error::NotClosed { close_at } => {
            status::refused("LISTS_NOT_CLOSED", &[("close_time", text(close_at))])
        }
        round::Error::Drawn => status::refused("ROUND_DRAWN", &[]),
        round::Error::Cancelled { reason } => {
            status::refused("ROUND_CANCELLED", &[("round_reason", reason.clone())])
        }
        round::Error::NotLater { close_at } => {
            status::refused("NOT_LATER", &[("close_time", text(close_at))])
        }
    }
}

/// Refuses for want of a rule: the district must say it first. The key is named as people call it, too.
pub fn silent(error: &Silent) -> Status {
    status::refused("POLICY_SILENT", &error.facts())
}

/// A refusal with the clause it rests on, beside its own facts.
pub fn by_clause(reason: &'static str, clause: &Clause, facts: &[(&str, String)]) -> Status {
    let said = clause.say();
    let mut all = vec![
        ("pack_id", clause.pack_id.clone()),
        ("key", clause.key.to_owned()),
        ("clause_zh", said.zh),
        ("clause_en", said.en),
    ];
    all.extend(facts.iter().cloned());
    status::refused(reason, &all)
}

/// Refuses a command on an enrollment.
pub fn enrollment(error: &enrollment::Error, enrollment: &Enrollment) -> Status {
    use enrollment::Error;
    match error {
        Error::StepUnknown => status::refused("STEP_UNKNOWN", &[]),
        Error::StepOutOfOrder { next_step, name_zh } => status::refused(
            "STEP_OUT_OF_ORDER",
            &[
                ("next_step", next_step.clone()),
                ("next_step_zh", name_zh.clone()),
                // Regions name their steps in Chinese alone; the key is made of English words.
                ("next_step_en", next_step.replace('_', " ")),
            ],
        ),
        Error::NotInReview => {
            let state = convert::state(&enrollment.state).as_str_name();
            let state = state.strip_prefix("STATE_").unwrap_or(state).to_owned();
            status::refused("ENROLLMENT_NOT_IN_REVIEW", &[("state", state)])
        }
        Error::GivenBack => status::refused("ENROLLMENT_GIVEN_BACK", &[]),
        // It was settled since the rule was asked for.
        Error::Paid => status::aborted("ENROLLMENT_CHANGED"),
        // Commands no caller gives: only feeds and jobs do, and they handle it themselves.
        Error::NotInLine | Error::NotHeld => status::internal(error),
    }
}

/// Refuses for an agreement's sake.
pub fn agreement(error: &agreement::Error) -> Status {
    use agreement::Error;
    match error {
        Error::NotAsked => status::refused("AGREEMENT_NOT_REQUIRED", &[]),
        Error::NotPublished => status::refused("AGREEMENT_NOT_PUBLISHED", &[]),
        Error::Changed { version_number, digest } => status::refused(
            "AGREEMENT_CHANGED",
            &[("version_number", version_number.to_string()), ("digest", digest.clone())],
        ),
    }
}

/// There is no such enrollment, or the caller may not know of it.
pub fn no_enrollment(id: Id<shared::value::Enrollment>) -> Status {
    status::not_found("enrollment", id)
}
