//! Messages ↔ domain values.

use std::fmt::Display;

use chrono::{NaiveDate, NaiveTime, TimeDelta, Weekday};
use policy::vocabulary::{ContentKind, Stage};
use proto::catalog::v1 as message;
use proto::identity::v1 as identity;
use shared::caller::NodePath;
use shared::status;
use shared::value::{Id, Kind as IdKind, Moment, Violations};
use tonic::Status;
use uuid::Uuid;

use crate::domain::course::{self, Content, Course, Verdict};
use crate::domain::node::{ListPlace, SchoolPath};
use crate::domain::provider::{self, Listing, Provider};
use crate::domain::section::{self, Section};
use crate::domain::slot::{Kind, Period, Slot};
use crate::domain::term::Term;

/// Reads the fields of a message, noting every one that breaks a rule.
#[derive(Default)]
pub struct Fields(pub Violations);

impl Fields {
    /// An id.
    pub fn id<K: IdKind>(&mut self, field: &str, text: &str) -> Option<Id<K>> {
        self.0.field(field, text.parse())
    }

    /// A UUID that names no one kind of thing.
    pub fn uuid(&mut self, field: &str, text: &str) -> Option<Uuid> {
        self.0.field(field, text.parse::<Uuid>().map_err(|_| "must be a UUID"))
    }

    /// Text of `min` to `max` characters, trimmed.
    pub fn text(&mut self, field: &str, text: &str, min: usize, max: usize) -> Option<String> {
        self.0.text(field, text, min, max)
    }

    /// A day, `YYYY-MM-DD`.
    pub fn day(&mut self, field: &str, text: &str) -> Option<NaiveDate> {
        let is_long_enough = text.len() == "YYYY-MM-DD".len();
        let day = is_long_enough.then(|| NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()).flatten();
        self.0.field(field, day.ok_or("must be a day such as 2026-09-01"))
    }

    /// A time of the day, `HH:MM`.
    pub fn time(&mut self, field: &str, text: &str) -> Option<NaiveTime> {
        let is_long_enough = text.len() == "HH:MM".len();
        let time = is_long_enough.then(|| NaiveTime::parse_from_str(text, "%H:%M").ok()).flatten();
        self.0.field(field, time.ok_or("must be a time such as 16:30"))
    }

    /// A count from `least` to `most`.
    pub fn count(&mut self, field: &str, count: i32, least: u32, most: u32) -> Option<u32> {
        let found = u32::try_from(count).ok().filter(|count| (least..=most).contains(count));
        self.0.field(field, found.ok_or_else(|| format!("must be {least} to {most}, is {count}")))
    }

    /// What a rule already turned into a value or an error.
    pub fn rule<T, E: Display>(&mut self, field: &str, result: Result<T, E>) -> Option<T> {
        self.0.field(field, result)
    }

    /// What a course is about. A provider's course cannot be a school's own tutoring.
    pub fn content(
        &mut self,
        (title, description, category): (&str, &str, &str),
        kind: i32,
        is_providers: bool,
    ) -> Option<Content> {
        let title = self.text("title", title, 2, 40);
        let description = self.text("description", description, 0, 2_000);
        let category = self.text("category", category, 1, 20);
        let kind = self.rule("content_kind", content_kind(kind).ok_or("must be one of the kinds"));
        if is_providers && kind == Some(ContentKind::SubjectTutoring) {
            self.0.note("content_kind", "subject tutoring is a school's own");
        }
        Some(Content { title: title?, description: description?, kind: kind?, category: category? })
    }

    /// A decision.
    pub fn verdict<'a>(&mut self, decision: i32, reason: &'a str) -> Option<Verdict<'a>> {
        let reason = reason.trim();
        self.0.check("reason", reason.chars().count() <= 400, "must have at most 400 characters");
        match message::Decision::try_from(decision) {
            Ok(message::Decision::Approve) => Some(Verdict::Approve(reason)),
            Ok(message::Decision::Reject) => Some(Verdict::Reject(reason)),
            Ok(message::Decision::Unspecified) | Err(_) => {
                self.0.note("decision", "must be APPROVE or REJECT");
                None
            }
        }
    }

    /// A period of the week; `at` is its place in the message, `slots[3]`.
    pub fn period(&mut self, at: &str, slot: &message::NewSlot) -> Option<Period> {
        let weekday = self.count(&format!("{at}.weekday"), slot.weekday, 1, 7).and_then(weekday);
        let kind = self.rule(&format!("{at}.kind"), kind(slot.kind).ok_or("must be one of the kinds"));
        let starts_at = self.time(&format!("{at}.start_time"), &slot.start_time);
        let ends_at = self.time(&format!("{at}.end_time"), &slot.end_time);
        if let (Some(starts_at), Some(ends_at)) = (starts_at, ends_at) {
            self.0.check(&format!("{at}.end_time"), starts_at < ends_at, "must be after start_time");
        }
        let class_hour_count = self.count(&format!("{at}.class_hour_count"), slot.class_hour_count, 1, 8);
        Some(Period {
            weekday: weekday?,
            kind: kind?,
            starts_at: starts_at?,
            ends_at: ends_at?,
            class_hour_count: class_hour_count?,
        })
    }

    /// The value read, when nothing was noted on the way.
    ///
    /// # Errors
    /// INVALID_ARGUMENT with every violation.
    pub fn finish<T>(self, value: Option<T>) -> Result<T, Status> {
        match value {
            Some(value) if self.0.is_empty() => Ok(value),
            _ => Err(status::invalid(&self.0)),
        }
    }
}

/// The day it is where people live: Asia/Shanghai, eight hours ahead of UTC all year.
pub fn local_day(now: Moment) -> NaiveDate {
    (now + TimeDelta::hours(8)).date_naive()
}

/// A school's place in the tree.
pub fn school_path(path: &SchoolPath) -> NodePath {
    NodePath::new(vec![path.district_id.uuid(), path.town_id.uuid(), path.school_id.uuid()])
}

/// A list's place in the tree.
pub fn list_path(place: ListPlace) -> NodePath {
    match place {
        ListPlace::District(district_id) => NodePath::new(vec![district_id.uuid()]),
        ListPlace::Town(district_id, town_id) => NodePath::new(vec![district_id.uuid(), town_id.uuid()]),
    }
}

fn ids(path: &NodePath) -> Vec<String> {
    path.nodes().iter().map(ToString::to_string).collect()
}

/// A list's place, as messages have it.
pub fn place(place: ListPlace) -> Vec<String> {
    ids(&list_path(place))
}

/// A term.
pub fn term(term: &Term) -> message::Term {
    let stage = match term.stage {
        Stage::Primary => identity::Stage::Primary,
        Stage::Junior => identity::Stage::Junior,
    };
    message::Term {
        id: term.id.to_string(),
        path: ids(&school_path(&term.path)),
        name: term.name.clone(),
        first_day: term.calendar.first_day().to_string(),
        last_day: term.calendar.last_day().to_string(),
        off_days: term.calendar.off_days().iter().map(ToString::to_string).collect(),
        policy_version: term.policy_version.clone(),
        stage: stage.into(),
    }
}

/// A slot.
pub fn slot(slot: &Slot) -> message::Slot {
    let kind = match slot.period.kind {
        Kind::EarlyArrival => message::slot::Kind::EarlyArrival,
        Kind::Noon => message::slot::Kind::Noon,
        Kind::Afternoon => message::slot::Kind::Afternoon,
        Kind::Extended => message::slot::Kind::Extended,
        Kind::EveningStudy => message::slot::Kind::EveningStudy,
    };
    message::Slot {
        id: slot.id.to_string(),
        term_id: slot.term_id.to_string(),
        weekday: small(slot.period.weekday.number_from_monday()),
        kind: kind.into(),
        start_time: time(slot.period.starts_at),
        end_time: time(slot.period.ends_at),
        class_hour_count: small(slot.period.class_hour_count),
    }
}

/// A time of the day, `HH:MM`.
pub fn time(time: NaiveTime) -> String {
    time.format("%H:%M").to_string()
}

/// A course.
pub fn course(course: &Course) -> message::Course {
    let (state, rejection_reason) = match &course.state {
        course::State::Submitted => (message::course::State::Submitted, String::new()),
        course::State::Reviewed => (message::course::State::Reviewed, String::new()),
        course::State::Approved => (message::course::State::Approved, String::new()),
        course::State::Rejected { reason } => (message::course::State::Rejected, reason.clone()),
    };
    message::Course {
        id: course.id.to_string(),
        path: ids(&school_path(&course.path)),
        provider_id: provider_id(course),
        title: course.content.title.clone(),
        description: course.content.description.clone(),
        content_kind: content_kind_message(course.content.kind).into(),
        category: course.content.category.clone(),
        state: state.into(),
        flagged_words: course.flagged_words.clone(),
        rejection_reason,
    }
}

/// A section.
pub fn section(section: &Section) -> message::Section {
    let state = match section.state {
        section::State::Arranged => message::section::State::Arranged,
        section::State::Published => message::section::State::Published,
        section::State::Cancelled { .. } => message::section::State::Cancelled,
    };
    let (course, arrangement) = (&section.course, &section.arrangement);
    message::Section {
        id: section.id.to_string(),
        course_id: course.id.to_string(),
        term_id: section.term_id.to_string(),
        path: ids(&school_path(&course.path)),
        title: course.content.title.clone(),
        provider_id: provider_id(course),
        capacity_count: small(arrangement.capacity_count),
        grades: arrangement.grades.iter().map(|grade| small(*grade)).collect(),
        slots: arrangement.slots.iter().map(slot).collect(),
        room: arrangement.room.clone(),
        instructor_name: arrangement.instructor_name.clone(),
        basic_care: section.is_basic_care(),
        state: state.into(),
        category: course.content.category.clone(),
        description: course.content.description.clone(),
    }
}

/// A provider with those of its listings that the caller may see.
pub fn provider<'a>(
    provider: &Provider,
    listings: impl IntoIterator<Item = &'a Listing>,
) -> message::Provider {
    message::Provider {
        id: provider.id.to_string(),
        name: provider.name.clone(),
        credit_code: provider.credit_code.as_str().to_owned(),
        listings: listings.into_iter().map(listing).collect(),
    }
}

fn listing(listing: &Listing) -> message::Listing {
    let (state, suspension_reason) = match &listing.state {
        provider::State::Listed => (message::listing::State::Listed, String::new()),
        provider::State::Suspended { reason, .. } => (message::listing::State::Suspended, reason.clone()),
    };
    message::Listing {
        path: place(listing.place),
        first_day: listing.days.first.to_string(),
        last_day: listing.days.last.to_string(),
        state: state.into(),
        suspension_reason,
    }
}

fn provider_id(course: &Course) -> String {
    course.origin.provider_id().map(|id| id.to_string()).unwrap_or_default()
}

/// Counts of the catalog are small: hundreds at most.
fn small(count: u32) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}

/// A day of the week from its number, Monday 1.
fn weekday(number: u32) -> Option<Weekday> {
    u8::try_from(number.checked_sub(1)?).ok().and_then(|day| Weekday::try_from(day).ok())
}

fn kind(kind: i32) -> Option<Kind> {
    match message::slot::Kind::try_from(kind) {
        Ok(message::slot::Kind::EarlyArrival) => Some(Kind::EarlyArrival),
        Ok(message::slot::Kind::Noon) => Some(Kind::Noon),
        Ok(message::slot::Kind::Afternoon) => Some(Kind::Afternoon),
        Ok(message::slot::Kind::Extended) => Some(Kind::Extended),
        Ok(message::slot::Kind::EveningStudy) => Some(Kind::EveningStudy),
        Ok(message::slot::Kind::Unspecified) | Err(_) => None,
    }
}

fn content_kind(kind: i32) -> Option<ContentKind> {
    let known = ContentKind::ALL.iter().copied();
    known.into_iter().find(|known| i32::from(content_kind_message(*known)) == kind)
}

const fn content_kind_message(kind: ContentKind) -> message::ContentKind {
    match kind {
        ContentKind::BasicCare => message::ContentKind::BasicCare,
        ContentKind::Enrichment => message::ContentKind::Enrichment,
        ContentKind::SubjectTutoring => message::ContentKind::SubjectTutoring,
        ContentKind::SubjectExam => message::ContentKind::SubjectExam,
        ContentKind::NewLesson => message::ContentKind::NewLesson,
        ContentKind::CollectiveMakeUp => message::ContentKind::CollectiveMakeUp,
        ContentKind::ExamDrilling => message::ContentKind::ExamDrilling,
    }
}
