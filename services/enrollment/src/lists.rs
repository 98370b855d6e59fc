//! The lists of a drawn round: gathered from wishes, seats and priority groups as they stand, and closed in one transaction. What the
//! job that closes a round, another act of its draw and a rehearsal have in common.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use draw::{RoundSalt, Siblings, Terms};
use sea_orm::ConnectionTrait;
use shared::db::{Error, Tx};
use shared::random;
use shared::value::{Id, Moment, Pupil as PupilKind, Section as SectionKind};

use crate::domain::day::local;
use crate::domain::draw::closing::{self, Closed, Entrant, section_ids};
use crate::domain::draw::family;
use crate::domain::draw::wish::Wishes;
use crate::domain::enrollment::Enrollment;
use crate::domain::pupil::Pupil;
use crate::domain::round::{Round, State};
use crate::domain::section::Section;
use crate::event::{self, RoundEvent};
use crate::store;
use crate::store::vault::Vault;

/// How many pupils one statement names at most: far below what both databases bind.
const PUPILS: usize = 4_000;

/// Closes the lists of a locked round for the act of `terms`, whose row is kept already: fixes entries and capacities, commits to
/// them, promises the free seats to the draw, and tells. Locks the sections.
///
/// # Errors
/// When the database refuses, or a row breaks a promise.
pub async fn close(tx: &Tx, vault: &Vault, round: &Round, terms: Terms, now: Moment) -> Result<(), Error> {
    let act = terms.act;
    let sections = store::section::lock(tx, section_ids(&terms).into_iter().flatten()).await?;
    let wishes = store::wish::list(tx, round).await?;
    let entrants = gather(tx, round, &terms, &sections, wishes, now).await?;
    let mut sections: HashMap<_, _> = sections.into_iter().map(|section| (section.id, section)).collect();
    let bytes = random::bytes();
    let closed = closed(round, terms, &sections, &entrants, &RoundSalt::new(bytes))?;
    for (id, section) in &mut sections {
        section.seats.promised_count = closed.drawn_counts.get(id).copied().unwrap_or_default();
    }
    store::section::save_seats(tx, sections.values()).await?;
    let root = store::draw::commit(tx, vault, round, &closed, &bytes, now).await?;
    store::round::save(tx, &Round { state: State::Closed, ..round.clone() }).await?;
    event::tell_round(tx, round, RoundEvent::ListsClosed { act, root }, now).await
}

/// The lists as [`closing::close`] makes them.
///
/// # Errors
/// When they break a rule of the draw: a mistake, not of those who wished.
pub fn closed(
    round: &Round,
    terms: Terms,
    sections: &HashMap<Id<SectionKind>, Section>,
    entrants: &[Entrant],
    salt: &RoundSalt,
) -> Result<Closed, Error> {
    closing::close(terms, round.school_id, sections, entrants, salt).map_err(|problems| {
        let first = problems.first().map(ToString::to_string).unwrap_or_default();
        Error::inconsistent("wish", round.id, format!("{} problems on the lists: {first}", problems.len()))
    })
}

/// Everybody of these wishes, and whoever has a seat in `sections`, as they stand at `now`. `sections` are those of the terms.
///
/// # Errors
/// When the database refuses, or a row breaks a promise.
pub async fn gather(
    db: &impl ConnectionTrait,
    round: &Round,
    terms: &Terms,
    sections: &[Section],
    wishes: Vec<Wishes>,
    now: Moment,
) -> Result<Vec<Entrant>, Error> {
    let drawn: HashSet<_> = sections.iter().map(|section| section.id).collect();
    let live = live_of_term(db, round, sections).await?;
    let seated = live
        .iter()
        .filter(|enrollment| enrollment.state.holds_seat() && drawn.contains(&enrollment.section_id))
        .map(|enrollment| enrollment.pupil_id);
    let ids: BTreeSet<_> = wishes.iter().map(|wishes| wishes.pupil_id).chain(seated).collect();
    let pupils = find_pupils(db, &ids.into_iter().collect::<Vec<_>>()).await?;
    let mut places = store::place::of(db, &live, sections).await?;
    let families = families(db, round, terms, &wishes).await?;
    let ids: Vec<_> = pupils.iter().map(|pupil| pupil.id).collect();
    let mut groups = groups_on(db, &ids, now).await?;
    let mut wishes: HashMap<_, _> = wishes.into_iter().map(|wishes| (wishes.pupil_id, wishes)).collect();
    let entrants = pupils.into_iter().map(|pupil| Entrant {
        wishes: wishes.remove(&pupil.id),
        places: places.remove(&pupil.id).unwrap_or_default(),
        groups: groups.remove(&pupil.id).unwrap_or_default(),
        family_id: families.get(&pupil.id).copied(),
        pupil,
    });
    Ok(entrants.collect())
}

/// The live enrollments of the round's term: what takes its pupils' time, drawn or not.
///
/// # Errors
/// When the database refuses, or a row breaks a promise.
pub async fn live_of_term(
    db: &impl ConnectionTrait,
    round: &Round,
    sections: &[Section],
) -> Result<Vec<Enrollment>, Error> {
    let published = store::section::list_published(db, round.term_id).await?;
    let ids: BTreeSet<_> = published.iter().chain(sections).map(|section| section.id).collect();
    store::enrollment::list_live(db, round.district_id, &ids.into_iter().collect::<Vec<_>>()).await
}

/// The priority groups of pupils on the school's day of `now`; pupils without any are left out.
///
/// # Errors
/// When the database refuses, or a row breaks a promise.
pub async fn groups_on(
    db: &impl ConnectionTrait,
    ids: &[Id<PupilKind>],
    now: Moment,
) -> Result<HashMap<Id<PupilKind>, BTreeSet<String>>, Error> {
    let mut groups = HashMap::new();
    for ids in ids.chunks(PUPILS) {
        groups.extend(store::priority::groups_on(db, ids, local::day(now)).await?);
    }
    Ok(groups)
}

async fn find_pupils(db: &impl ConnectionTrait, ids: &[Id<PupilKind>]) -> Result<Vec<Pupil>, Error> {
    let mut pupils = Vec::with_capacity(ids.len());
    for ids in ids.chunks(PUPILS) {
        pupils.extend(store::pupil::find_all(db, ids.iter().copied()).await?);
    }
    pupils.sort_by_key(|pupil| pupil.id);
    Ok(pupils)
}

/// Locks pupils by id.
///
/// # Errors
/// When the database refuses, or a row breaks a promise.
pub async fn lock_pupils(
    tx: &Tx,
    mut ids: Vec<Id<PupilKind>>,
) -> Result<HashMap<Id<PupilKind>, Pupil>, Error> {
    ids.sort_unstable();
    let mut pupils = HashMap::with_capacity(ids.len());
    for ids in ids.chunks(PUPILS) {
        pupils.extend(store::pupil::lock(tx, ids).await?.into_iter().map(|pupil| (pupil.id, pupil)));
    }
    Ok(pupils)
}

async fn families(
    db: &impl ConnectionTrait,
    round: &Round,
    terms: &Terms,
    wishes: &[Wishes],
) -> Result<HashMap<Id<PupilKind>, uuid::Uuid>, Error> {
    match terms.siblings {
        Siblings::Apart => return Ok(HashMap::new()),
        Siblings::Together => {}
    }
    let mut guardians: BTreeMap<_, BTreeSet<_>> = wishes
        .iter()
        .filter(|wishes| wishes.together)
        .map(|wishes| (wishes.pupil_id, BTreeSet::from([wishes.guardian_id])))
        .collect();
    let pupils: HashSet<_> = guardians.keys().copied().collect();
    for (pupil_id, guardian_id) in store::wish::guardians_of(db, round, &pupils).await? {
        guardians.entry(pupil_id).or_default().insert(guardian_id);
    }
    Ok(family::families(&guardians))
}
