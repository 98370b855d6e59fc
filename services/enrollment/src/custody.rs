//! What every change of who answers for a pupil has in common, whoever makes it: where the pupil is, when their service ends, the link,
//! and what is told of it.

use std::collections::HashMap;

use chrono::NaiveDate;
use sea_orm::ConnectionTrait;
use shared::db::{Error, Tx};
use shared::random;
use shared::value::{Id, Moment, Pupil as PupilKind};

use crate::domain::day::custody::{self, Custody, Holder, State};
use crate::domain::day::local;
use crate::domain::pupil::Pupil;
use crate::store::day::custody::Link;
use crate::{event, store};

/// Who records a link, and when.
#[derive(Clone, Debug)]
pub struct Record<'a> {
    /// `staff:<id>` or `device:<id>`.
    pub recorder: &'a str,
    /// Why the pupil was never here; empty otherwise.
    pub note: &'a str,
    /// When it happened.
    pub at: Moment,
    /// When it is recorded.
    pub now: Moment,
}

/// Gives when the service of pupils, all of one district, ends on a day: in minutes after midnight, with the last lesson of the
/// sections they have a seat in. Those without a lesson that day are left out.
///
/// # Errors
/// When the database refuses, or a row breaks a promise.
pub async fn service_ends(
    db: &impl ConnectionTrait,
    pupils: &[Pupil],
    day: NaiveDate,
) -> Result<HashMap<Id<PupilKind>, i32>, Error> {
    let weekly = weekly_ends(db, pupils, Some(day)).await?;
    let weekday = local::weekday(day);
    Ok(weekly.into_iter().filter(|((_, at), _)| *at == weekday).map(|((id, _), end)| (id, end)).collect())
}

/// Gives when the service of pupils, all of one district, ends on each weekday they have a lesson: in minutes after midnight. With a
/// day, only of terms that meet on it.
///
/// # Errors
/// When the database refuses, or a row breaks a promise.
pub async fn weekly_ends(
    db: &impl ConnectionTrait,
    pupils: &[Pupil],
    day: Option<NaiveDate>,
) -> Result<HashMap<(Id<PupilKind>, i32), i32>, Error> {
    let Some(first) = pupils.first() else {
        return Ok(HashMap::new());
    };
    let ids: Vec<_> = pupils.iter().map(|pupil| pupil.id).collect();
    let live = store::enrollment::find_for(db, &[first.district_id].into(), &ids, &[]).await?;
    let mut seated: Vec<_> = live.into_iter().filter(|live| live.state.is_counted()).collect();
    if let Some(day) = day {
        seated = store::seat_change::had_on(db, seated, day).await?;
    }
    let mut section_ids: Vec<_> = seated.iter().map(|seat| seat.section_id).collect();
    section_ids.sort_unstable();
    section_ids.dedup();
    let sections = store::section::find_all(db, section_ids).await?;
    let mut term_ids: Vec<_> = sections.iter().map(|section| section.term_id).collect();
    term_ids.sort_unstable();
    term_ids.dedup();
    let terms = store::term::find_all(db, &term_ids).await?;
    let meets = |term_id| {
        terms
            .iter()
            .find(|term| term.id == term_id)
            .is_some_and(|term| day.is_none_or(|day| term.meets_on(day)))
    };
    let sections: HashMap<_, _> = sections
        .into_iter()
        .filter(|section| meets(section.term_id))
        .map(|section| (section.id, section))
        .collect();
    let mut ends = HashMap::new();
    for seat in &seated {
        for slot in sections.get(&seat.section_id).into_iter().flat_map(|section| &section.slots) {
            let end = ends.entry((seat.pupil_id, slot.weekday)).or_insert(slot.end_minute);
            *end = slot.end_minute.max(*end);
        }
    }
    Ok(ends)
}

/// Gives until when pupils, all of one district, are cared for on a day: to the end of their service, or to the extended care asked for.
/// Those with neither are left out.
///
/// # Errors
/// When the database refuses, or a row breaks a promise.
pub async fn due(
    db: &impl ConnectionTrait,
    pupils: &[Pupil],
    day: NaiveDate,
) -> Result<HashMap<Id<PupilKind>, Moment>, Error> {
    let Some(first) = pupils.first() else {
        return Ok(HashMap::new());
    };
    let mut minutes = service_ends(db, pupils, day).await?;
    let ids = pupils.iter().map(|pupil| pupil.id);
    for care in store::day::dismissal::standing_care(db, first.district_id, ids, day).await? {
        let until = minutes.entry(care.pupil_id).or_insert(care.until_minute);
        *until = care.until_minute.max(*until);
    }
    Ok(minutes.into_iter().map(|(id, minute)| (id, local::moment(day, minute))).collect())
}

/// Pupils are seen with a holder: those who are new there, or came from somebody else, are in that holder's care from then on.
///
/// The pupils are locked, and of one district. Gives how many links were added.
///
/// # Errors
/// When the database refuses, or a row breaks a promise.
pub async fn arrive(
    tx: &Tx,
    pupils: &[Pupil],
    day: NaiveDate,
    holder: Holder,
    seen: &HashMap<Id<PupilKind>, Moment>,
    record: &Record<'_>,
) -> Result<u64, Error> {
    let Some(first) = pupils.first() else {
        return Ok(0);
    };
    let ids = pupils.iter().map(|pupil| pupil.id);
    let known = store::day::custody::find_all(tx, first.district_id, ids, day).await?;
    let known: HashMap<_, _> = known.into_iter().map(|custody| (custody.pupil_id, custody)).collect();
    let due = due(tx, pupils, day).await?;
    let mut count = 0;
    for pupil in pupils {
        let at = seen.get(&pupil.id).copied().unwrap_or(record.at);
        let before = known.get(&pupil.id);
        if let Some(next) = custody::arrive(before, holder, at) {
            let due_at = due.get(&pupil.id).copied().unwrap_or(record.now);
            step(tx, pupil, day, before, next, due_at, &Record { at, ..record.clone() }).await?;
            count += 1;
        }
    }
    Ok(count)
}

/// Adds the link that leads to `next`, and tells of it. The pupil is locked.
///
/// # Errors
/// When the database refuses.
pub async fn step(
    tx: &Tx,
    pupil: &Pupil,
    day: NaiveDate,
    before: Option<&Custody>,
    next: State,
    due_at: Moment,
    record: &Record<'_>,
) -> Result<Custody, Error> {
    let number = before.map_or(0, |before| before.link_count) + 1;
    let was_here = before.is_some_and(|before| matches!(before.state, State::Held(_)));
    let custody = Custody {
        district_id: pupil.district_id,
        school_id: pupil.school_id,
        pupil_path: pupil.path.clone(),
        pupil_id: pupil.id,
        day,
        state: next,
        since: record.at,
        link_count: number,
        due_at,
        // Who comes back is waited for anew.
        alerted_at: before.and_then(|before| before.alerted_at).filter(|_| was_here),
    };
    let link = Link {
        id: random::uuid(record.now),
        number,
        from: before.map(|before| before.state),
        to: next,
        at: record.at,
        created_at: record.now,
        recorder: record.recorder.to_owned(),
        note: record.note.to_owned(),
    };
    store::day::custody::save(tx, &custody, &link).await?;
    match next {
        // Within the school nothing is told: who holds the pupil is the school's.
        State::Held(_) if was_here => {}
        State::Held(holder) => event::tell_checked_in(tx, &custody, holder, record.now).await?,
        State::Gone(way) => event::tell_checked_out(tx, &custody, way, record.now).await?,
    }
    Ok(custody)
}
