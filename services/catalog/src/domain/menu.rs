//! What a menu as a whole must offer before it may be seen.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{NaiveDate, Weekday};
use policy::course::{CourseFacts, CourseRefusal, PhaseFlag, check_phase};
use policy::time::{SlotPlan, TimeRefusal, check_day, check_homework};
use policy::{Binding, Clause, Policy};
use shared::value::{self, Id};

use super::course::{self, Origin};
use super::provider::{Listing, NotEligible, eligible};
use super::section::{Section, State};
use super::slot::{Kind, Slot};
use super::term::Calendar;

/// Why sections may not come onto the menu.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A section that was asked for is cancelled.
    #[error("section {section_id} is cancelled")]
    Cancelled {
        /// The section.
        section_id: Id<value::Section>,
    },
    /// A section's course is not approved.
    #[error("course {course_id} is not approved")]
    CourseNotApproved {
        /// The course.
        course_id: Id<value::Course>,
        /// The section.
        section_id: Id<value::Section>,
    },
    /// The school may take nothing from a course's provider today.
    #[error("provider {provider_id}: {cause}")]
    NotEligible {
        /// The provider.
        provider_id: Id<value::Provider>,
        /// What stands against it.
        cause: NotEligible,
    },
    /// Something every menu must offer would be missing.
    #[error("{item} is missing")]
    RequiredItemMissing {
        /// What people call it.
        item: String,
        /// What says so.
        clause: Box<Clause>,
    },
    /// All of the menu would be third parties'.
    #[error("all {section_count} sections are third parties'")]
    ThirdPartyOnly {
        /// How many sections the menu would have.
        section_count: usize,
        /// What says so.
        clause: Box<Clause>,
    },
    /// A day of the menu would have too little service, or too much.
    #[error(transparent)]
    Day(TimeRefusal),
    /// The week of the menu would have too few days of service.
    #[error("{found} days of service, at least {least}")]
    WeekIncomplete {
        /// The least.
        least: u32,
        /// What there would be.
        found: u32,
        /// What says so.
        clause: Box<Clause>,
    },
    /// The stretch of the year a section begins in has no such courses.
    #[error("section {section_id}: {refusal}")]
    NotInThisPhase {
        /// The section.
        section_id: Id<value::Section>,
        /// Why.
        refusal: CourseRefusal,
    },
}

/// A section that comes onto the menu.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Coming<'a> {
    /// The section.
    pub section: &'a Section,
    /// That the stretch of the year it begins in names no such courses, where that is only to be on record.
    pub flag: Option<PhaseFlag>,
}

/// The sections of one term, the ones that are to come onto its menu, and what is known of their providers.
#[derive(Clone, Copy, Debug)]
pub struct Draft<'a> {
    /// The days of the term.
    pub calendar: &'a Calendar,
    /// Every section of the term.
    pub sections: &'a [Section],
    /// The ones asked for; empty for every arranged one.
    pub wanted: &'a BTreeSet<Id<value::Section>>,
    /// Where each provider of the term is listed.
    pub listings: &'a BTreeMap<Id<value::Provider>, Vec<Listing>>,
    /// The day it is.
    pub today: NaiveDate,
}

/// Decides which sections come onto the menu: those asked for that are not on it yet. Nothing to add is no error.
///
/// Each is judged by itself, then the menu as it would be: what is on it now, with them. Days they do not touch are as they were and
/// are not judged. The week as a whole is judged while nothing is on the menu yet: what a cancellation takes out of it later holds no
/// other section up.
///
/// # Errors
/// [`Error`], the first that applies.
pub fn publish<'a>(policy: &Policy, draft: &Draft<'a>) -> Result<Vec<Coming<'a>>, Error> {
    let is_wanted = |section: &&Section| draft.wanted.is_empty() || draft.wanted.contains(&section.id);
    let mut coming = Vec::new();
    for section in draft.sections.iter().filter(is_wanted) {
        match section.state {
            State::Arranged => coming.push(section),
            State::Published => {}
            State::Cancelled { .. } if draft.wanted.is_empty() => {}
            State::Cancelled { .. } => return Err(Error::Cancelled { section_id: section.id }),
        }
    }
    let mut judged = Vec::with_capacity(coming.len());
    for section in &coming {
        may_come(policy, draft, section)?;
        judged.push(Coming { section, flag: phase(policy, draft, section)? });
    }
    if !coming.is_empty() {
        let on_menu: Vec<&Section> =
            draft.sections.iter().filter(|section| section.state == State::Published).collect();
        let is_first = on_menu.is_empty();
        let menu: Vec<&Section> = on_menu.into_iter().chain(coming.iter().copied()).collect();
        whole(policy, &menu)?;
        for weekday in WEEK {
            let touches = |slot: &Slot| slot.period.weekday == weekday;
            if coming.iter().any(|section| section.arrangement.slots.iter().any(touches)) {
                day(policy, draft.calendar, &menu, weekday).map_err(Error::Day)?;
            }
        }
        if is_first {
            week(policy, &menu)?;
        }
    }
    Ok(judged)
}

/// Judges whether the stretch of the year in which a section's first lesson lies has such courses. One without a lesson left begins in
/// none.
fn phase(policy: &Policy, draft: &Draft<'_>, section: &Section) -> Result<Option<PhaseFlag>, Error> {
    let weekdays: Vec<Weekday> = section.arrangement.slots.iter().map(|slot| slot.period.weekday).collect();
    let Some(starts_on) = draft.calendar.first_on(&weekdays, draft.today) else { return Ok(None) };
    let content = &section.course.content;
    let facts = CourseFacts {
        third_party: section.course.origin.provider_id().is_some(),
        content_kind: content.kind,
        title: &content.title,
        description: &content.description,
    };
    check_phase(policy, &facts, starts_on)
        .map_err(|refusal| Error::NotInThisPhase { section_id: section.id, refusal })
}

/// Judges on how many days of the week a menu offers service. Extended care is none.
fn week(policy: &Policy, menu: &[&Section]) -> Result<(), Error> {
    let slots = menu.iter().flat_map(|section| &section.arrangement.slots);
    let service = slots.filter(|slot| slot.period.kind != Kind::Extended);
    let days: BTreeSet<u32> = service.map(|slot| slot.period.weekday.number_from_monday()).collect();
    let count = |days: usize| u32::try_from(days).unwrap_or(u32::MAX);
    if let Some((least, clause)) = policy.time.service_days_per_week.known()
        && count(days.len()) < *least
    {
        let found = count(days.len());
        return Err(Error::WeekIncomplete { least: *least, found, clause: Box::new(clause) });
    }
    let workdays = days.range(..=Weekday::Fri.number_from_monday()).count();
    match policy.time.all_workdays.known() {
        Some((true, clause)) if count(workdays) < Weekday::Fri.number_from_monday() => {
            let least = Weekday::Fri.number_from_monday();
            Err(Error::WeekIncomplete { least, found: count(workdays), clause: Box::new(clause) })
        }
        _ => Ok(()),
    }
}

fn may_come(policy: &Policy, draft: &Draft<'_>, section: &Section) -> Result<(), Error> {
    let course = &section.course;
    if course.state != course::State::Approved {
        return Err(Error::CourseNotApproved { course_id: course.id, section_id: section.id });
    }
    let Origin::Provider(provider_id) = course.origin else { return Ok(()) };
    let listings = draft.listings.get(&provider_id).map(Vec::as_slice).unwrap_or_default();
    eligible(policy, &course.path, listings, draft.today)
        .map_err(|cause| Error::NotEligible { provider_id, cause })
}

/// Judges what a menu offers in all.
fn whole(policy: &Policy, menu: &[&Section]) -> Result<(), Error> {
    required_items(policy, menu)?;
    let is_own = |section: &&Section| section.course.origin == Origin::School;
    match policy.provider.third_party_total_outsourcing_allowed.known() {
        Some((false, clause)) if !menu.iter().any(is_own) => {
            Err(Error::ThirdPartyOnly { section_count: menu.len(), clause: Box::new(clause) })
        }
        _ => Ok(()),
    }
}

/// An item is there when a course of the menu has it as its category. One that is only aimed at blocks nothing.
fn required_items(policy: &Policy, menu: &[&Section]) -> Result<(), Error> {
    let Some((items, clause)) = policy.course.required_items.known() else { return Ok(()) };
    if clause.binding == Binding::Target {
        return Ok(());
    }
    let categories: BTreeSet<&str> =
        menu.iter().map(|section| section.course.content.category.as_str()).collect();
    let missing = items
        .iter()
        .find(|item| !categories.contains(item.name_zh.as_str()) && !categories.contains(item.key.as_str()));
    match missing {
        Some(item) => {
            Err(Error::RequiredItemMissing { item: item.name_zh.clone(), clause: Box::new(clause) })
        }
        None => Ok(()),
    }
}

const WEEK: [Weekday; 7] =
    [Weekday::Mon, Weekday::Tue, Weekday::Wed, Weekday::Thu, Weekday::Fri, Weekday::Sat, Weekday::Sun];

/// Holds the slots a menu uses on one day against what the policy asks of a day. A day without service is not judged.
fn day(policy: &Policy, calendar: &Calendar, menu: &[&Section], weekday: Weekday) -> Result<(), TimeRefusal> {
    let used = |is_counted: &dyn Fn(&Section) -> bool| -> BTreeMap<Id<value::Slot>, Slot> {
        let sections = menu.iter().filter(|section| is_counted(section));
        let slots = sections.flat_map(|section| &section.arrangement.slots);
        slots.filter(|slot| slot.period.weekday == weekday).map(|slot| (slot.id, *slot)).collect()
    };
    let slots = used(&|_| true);
    if slots.values().all(|slot| slot.period.kind == Kind::Extended) {
        return Ok(());
    }
    let plans: Vec<SlotPlan> = slots.values().map(|slot| slot.period.plan(calendar, false)).collect();
    check_day(policy, weekday, &plans)?;
    let care = used(&Section::is_basic_care);
    let homework = care.values().filter(|slot| slot.period.kind == Kind::Afternoon);
    check_homework(policy, weekday, homework.map(|slot| slot.period.class_hour_count).sum())
}
