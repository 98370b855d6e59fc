//! What every change of an enrollment has in common, whoever makes it: the locks, in their one order; and after the decision the
//! row, the slots, the section's counters, the events, and the next in line for a seat that came free, all in one transaction.

use std::collections::{HashMap, HashSet};

use shared::db::{Error, Tx};
use shared::value::{Enrollment as EnrollmentKind, Id, Moment};

use crate::domain::admission::Place;
use crate::domain::enrollment::{self, Change, Enrollment, State};
use crate::domain::pupil::Pupil;
use crate::domain::section::Section;
use crate::domain::term_ceiling;
use crate::domain::waitlist::{self, Waiter};
use crate::{event, store};

/// How many of a line are looked at together for the next who can sit.
const LINE_PAGE: u64 = 50;

/// An enrollment and its section, both locked.
#[derive(Clone, Debug)]
pub struct Locked {
    /// The section.
    pub section: Section,
    /// The enrollment.
    pub enrollment: Enrollment,
}

/// Locks an enrollment for a change: its section first.
///
/// # Errors
/// When the database refuses, or a row breaks a promise.
pub async fn lock(tx: &Tx, id: Id<EnrollmentKind>) -> Result<Option<Locked>, Error> {
    let Some(found) = store::enrollment::find(tx, id).await? else {
        return Ok(None);
    };
    let section = store::section::lock(tx, [found.section_id]).await?.pop();
    let section = section.ok_or_else(|| Error::inconsistent("enrollment", id, "its section is missing"))?;
    // What it was before the section's lock was won may have changed since; now nobody changes it but us.
    let enrollment = store::enrollment::lock(tx, id).await?;
    let enrollment = enrollment.ok_or_else(|| Error::inconsistent("enrollment", id, "it vanished"))?;
    Ok(Some(Locked { section, enrollment }))
}

/// Says whether the pupil of a released enrollment could take a seat of its section again now. Locks the pupil.
///
/// # Errors
/// When the database refuses, or a row breaks a promise.
pub async fn can_seat_again(tx: &Tx, locked: &Locked) -> Result<bool, Error> {
    let Locked { section, enrollment } = locked;
    let Some(pupil) = store::pupil::lock(tx, &[enrollment.pupil_id]).await?.pop() else {
        return Ok(false);
    };
    let places = places_of(tx, std::slice::from_ref(&pupil), section).await?;
    let places = places.get(&pupil.id);
    let is_elsewhere = places.into_iter().flatten().any(|place| place.section_id == section.id);
    let taken_slots = store::place::taken_slots(places, section);
    Ok(section.seats.has_free() && !is_elsewhere && waitlist::may_sit(section, &pupil, &taken_slots))
}

/// Makes `changes` true: keeps them, tells them, and gives every seat that came free to the next in line.
///
/// `sections` are the locked sections of all the changes; their counters move on. Gives the changed enrollments, in order, without
/// those promoted.
///
/// # Errors
/// When the database refuses.
pub async fn make(
    tx: &Tx,
    sections: &mut [Section],
    changes: Vec<(Enrollment, Change)>,
    now: Moment,
) -> Result<Vec<Enrollment>, Error> {
    let mut changed = Vec::with_capacity(changes.len());
    let mut touched: HashMap<_, i32> = HashMap::new();
    for (enrollment, change) in changes {
        if change.state == enrollment.state && change.steps == enrollment.steps {
            changed.push(enrollment);
            continue;
        }
        let is_freed = enrollment.state.holds_seat() && !change.state.holds_seat();
        *touched.entry(enrollment.section_id).or_default() += i32::from(is_freed);
        let section = section_of(sections, &enrollment)?;
        changed.push(keep(tx, section, enrollment, change, now).await?);
    }
    for section in sections.iter_mut() {
        if let Some(freed_count) = touched.get(&section.id) {
            store::line::count(tx, section, *freed_count, 0, now).await?;
            promote(tx, section, now).await?;
        }
    }
    store::section::save_seats(tx, sections.iter().filter(|section| touched.contains_key(&section.id)))
        .await?;
    Ok(changed)
}

/// Gives the free seats of a locked section to the next in line who can sit. The caller keeps the counters. While a round collects its
/// first applications the lines stand still.
///
/// # Errors
/// When the database refuses, or a row breaks a promise.
pub async fn promote(tx: &Tx, section: &mut Section, now: Moment) -> Result<u64, Error> {
    let (mut after, mut promoted) = (0, 0_i32);
    let is_moving = section.seats.free_count() > 0 && section.seats.waitlisted_count > 0;
    if is_moving {
        let rounds = store::round::list(tx, &[section.term_id]).await?;
        if rounds.iter().any(|round| round.is_collecting(now)) {
            return Ok(0);
        }
    }
    while section.seats.free_count() > 0 && section.seats.waitlisted_count > 0 {
        let line =
            store::enrollment::list_line(tx, section.district_id, section.id, after, LINE_PAGE).await?;
        let Some(State::Waitlisted { number }) = line.last().map(|last| last.state.clone()) else {
            break;
        };
        after = number;
        let line = waiters(tx, section, line).await?;
        let next: Vec<_> = waitlist::next(section, &line)
            .into_iter()
            .map(|waiter| (waiter.enrollment.clone(), waiter.is_signed))
            .collect();
        for (enrollment, is_signed) in next {
            // Whoever `waitlist::next` gives stands in line.
            let Ok(change) = enrollment::promote(&enrollment, is_signed, now) else {
                continue;
            };
            keep(tx, section, enrollment, change, now).await?;
            promoted += 1;
        }
    }
    store::line::count(tx, section, 0, promoted, now).await?;
    Ok(u64::try_from(promoted).unwrap_or_default())
}

/// Gives a wait that a seat from the line begins the end that the term's policy has for offers.
async fn offered(tx: &Tx, enrollment: &Enrollment, change: Change, now: Moment) -> Result<Change, Error> {
    let is_offer = match (&enrollment.state, &change.state) {
        (State::Waitlisted { .. }, next) => next.holds_seat(),
        (State::AwaitingAgreement { .. }, State::InReview { .. } | State::Held { .. })
        | (State::InReview { .. }, State::Held { .. }) => {
            store::offer::stood_in_line(tx, enrollment.id).await?
        }
        (
            State::AwaitingAgreement { .. }
            | State::InReview { .. }
            | State::Held { .. }
            | State::Releasing { .. }
            | State::Confirmed
            | State::Released { .. },
            _,
        ) => false,
    };
    if !is_offer {
        return Ok(change);
    }
    let rule = store::offer::find(tx, enrollment.district_id, enrollment.term_id).await?;
    Ok(rule.grant(enrollment, change, now))
}

/// Keeps one change and tells it; moves the section's counters on.
async fn keep(
    tx: &Tx,
    section: &mut Section,
    enrollment: Enrollment,
    change: Change,
    now: Moment,
) -> Result<Enrollment, Error> {
    let change = offered(tx, &enrollment, change, now).await?;
    store::enrollment::save(tx, &enrollment, &change, now).await?;
    let (had_seat, has_seat) = (enrollment.state.holds_seat(), change.state.holds_seat());
    section.seats.taken_count += i32::from(has_seat) - i32::from(had_seat);
    section.seats.waitlisted_count +=
        i32::from(change.state.is_waitlisted()) - i32::from(enrollment.state.is_waitlisted());
    let took_time = enrollment.state.takes_time();
    let next = Enrollment { steps: change.steps, state: change.state, ..enrollment };
    if has_seat && !had_seat {
        let seat = store::enrollment::Seat { enrollment: &next, slots: &section.slots };
        store::enrollment::take_slots(tx, &[seat]).await?;
    }
    if took_time && !next.state.takes_time() {
        store::enrollment::free_slots(tx, &next).await?;
    }
    if let Some(event) = change.event {
        event::tell(tx, &[(&next, event)], now).await?;
    }
    Ok(next)
}

/// Locks the pupils of a stretch of the line and reads what they have already.
async fn waiters(tx: &Tx, section: &Section, line: Vec<Enrollment>) -> Result<Vec<Waiter>, Error> {
    let ids: Vec<_> = line.iter().map(|enrollment| enrollment.pupil_id).collect();
    let pupils = store::pupil::lock(tx, &ids).await?;
    let places = places_of(tx, &pupils, section).await?;
    // After the pupils' locks: whoever signs holds them too.
    let asks = line.iter().any(|enrollment| enrollment.terms.asks_agreement);
    let terms: &[_] = if asks { &[section.term_id] } else { &[] };
    let signed = store::agreement::signed(tx, terms, &ids).await?;
    let seated = places.values().flatten().map(|place| place.section_id);
    let prices = store::own_price::find_for(tx, [section.id], seated).await?;
    let waiter = |enrollment: Enrollment| {
        let pupil = pupils.iter().find(|pupil| pupil.id == enrollment.pupil_id)?.clone();
        let taken_slots = store::place::taken_slots(places.get(&pupil.id), section);
        let is_signed = signed.contains(&(section.term_id, pupil.id));
        let of_term = places.get(&pupil.id).into_iter().flatten();
        let of_term =
            of_term.filter(|place| place.term_id == section.term_id && !place.taken_slots.is_empty());
        let seated = of_term.map(|place| place.section_id);
        let is_affordable = term_ceiling::check(&prices, section.id, seated).is_ok();
        Some(Waiter { enrollment, pupil, taken_slots, is_signed, is_affordable })
    };
    Ok(line.into_iter().filter_map(waiter).collect())
}

async fn places_of(
    tx: &Tx,
    pupils: &[Pupil],
    section: &Section,
) -> Result<HashMap<Id<shared::value::Pupil>, Vec<Place>>, Error> {
    let districts = HashSet::from([section.district_id]);
    let ids: Vec<_> = pupils.iter().map(|pupil| pupil.id).collect();
    let live = store::enrollment::find_for(tx, &districts, &ids, &[]).await?;
    store::place::of(tx, &live, std::slice::from_ref(section)).await
}

fn section_of<'a>(sections: &'a mut [Section], enrollment: &Enrollment) -> Result<&'a mut Section, Error> {
    let found = sections.iter_mut().find(|section| section.id == enrollment.section_id);
    found.ok_or_else(|| Error::inconsistent("enrollment", enrollment.id, "its section is not locked"))
}
