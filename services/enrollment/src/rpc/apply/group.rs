//! One group of applications: lock, decide, save, tell, commit.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use policy::{Live, Silent};
use shared::clock::SharedClock;
use shared::db::{Db, Error, Tx};
use shared::value::{Enrollment as EnrollmentKind, Id, Moment, Term as TermKind};

use super::{Decide, Given};
use crate::domain::admission::{self, Outcome, Prior, Snapshot, Term};
use crate::domain::basket::{self, Ask, Refusal};
use crate::domain::enrollment::{Enrollment, Event};
use crate::domain::round;
use crate::domain::section::Section;
use crate::domain::term::Ruling;
use crate::hint::Hints;
use crate::{change, event, store};

/// Where groups are decided.
#[derive(Clone)]
pub struct Desk {
    /// The service's database.
    pub db: Db,
    /// The time of day.
    pub clock: SharedClock,
    /// Every region's policy, as its files have it now.
    pub packs: Arc<Live>,
    /// Which sections are known to be full.
    pub hints: Arc<Hints>,
}

/// What was decided, in the order given, part by part.
type Decided = Vec<Result<Vec<Outcome>, Refusal>>;

/// What each got, in the order given, part by part.
type AllGiven = Vec<Result<Vec<Given>, Refusal>>;

impl Decide for Desk {
    async fn decide(&self, group: &[&Ask]) -> Result<AllGiven, Error> {
        let reading = self.hints.reading();
        let tx = self.db.begin().await?;
        let (mut snapshot, found) = self.lock(&tx, group).await?;
        // The round is open or not by the clock that all replicas share, once everything is locked.
        let now = tx.now(self.clock.as_ref()).await?;
        let before: HashMap<_, _> =
            snapshot.sections.values().map(|section| (section.id, section.seats)).collect();
        let decided: Decided = group.iter().map(|ask| basket::decide(&mut snapshot, ask, now)).collect();
        save(&tx, &snapshot, &before, &decided, now).await?;
        let given = give(&tx, &snapshot, found, decided).await?;
        tx.commit().await?;
        self.remember_full(&snapshot, &given, now, reading).await;
        Ok(given)
    }
}

impl Desk {
    /// Locks the group's sections, then its pupils; reads what they have.
    async fn lock(&self, tx: &Tx, group: &[&Ask]) -> Result<(Snapshot, Vec<Enrollment>), Error> {
        store::enrollment::plan_for_growth(tx).await?;
        let parts = || group.iter().flat_map(|ask| ask.parts());
        let section_ids: BTreeSet<_> = parts().map(|part| part.section_id).collect();
        let pupil_ids: BTreeSet<_> = parts().map(|part| part.pupil_id).collect();
        let pupil_ids: Vec<_> = pupil_ids.into_iter().collect();
        let districts: HashSet<_> = parts().map(|part| part.district_id).collect();
        let requests: Vec<_> = group.iter().flat_map(|ask| ask.requests()).collect();

        let mut sections = store::section::lock(tx, section_ids).await?;
        self.serve_lines(tx, &mut sections).await?;
        let pupils = store::pupil::lock(tx, &pupil_ids).await?;
        // Read by statements of their own, after the locks: they see all that those we waited for have committed.
        let found = store::enrollment::find_for(tx, &districts, &pupil_ids, &requests).await?;
        let places = store::place::of(tx, &found, &sections).await?;
        let terms = self.terms(tx, &sections).await?;
        let asks = |term: &Term| term.ruling.as_ref().is_ok_and(|ruling| ruling.asks_agreement);
        let asking: Vec<_> = terms.iter().filter(|(_, term)| asks(term)).map(|(id, _)| *id).collect();
        let signed = store::agreement::signed(tx, &asking, &pupil_ids).await?;
        let seated = places.values().flatten().map(|place| place.section_id);
        let wanted = sections.iter().map(|section| section.id);
        let prices = store::own_price::find_for(tx, wanted, seated).await?;
        let snapshot = Snapshot {
            pupils: pupils.into_iter().map(|pupil| (pupil.id, pupil)).collect(),
            sections: sections.into_iter().map(|section| (section.id, section)).collect(),
            terms,
            places,
            signed,
            prices,
            requests: found
                .iter()
                .map(|enrollment| ((enrollment.guardian_id, enrollment.request_id), Prior::of(enrollment)))
                .collect(),
        };
        Ok((snapshot, found))
    }

    /// Gives seats that stayed free to those in line who can sit by now: they stood there before whoever comes now.
    async fn serve_lines(&self, tx: &Tx, sections: &mut [Section]) -> Result<(), Error> {
        let waited_for =
            |section: &&mut Section| section.seats.free_count() > 0 && section.seats.waitlisted_count > 0;
        for section in sections.iter_mut().filter(waited_for) {
            let now = tx.now(self.clock.as_ref()).await?;
            if change::promote(tx, section, now).await? > 0 {
                store::section::save_seats(tx, [&*section]).await?;
            }
        }
        Ok(())
    }

    async fn terms(&self, tx: &Tx, sections: &[Section]) -> Result<HashMap<Id<TermKind>, Term>, Error> {
        let ids: HashSet<_> = sections.iter().map(|section| section.term_id).collect();
        let ids: Vec<_> = ids.into_iter().collect();
        let rounds = store::round::list(tx, &ids).await?;
        let terms = store::term::find_all(tx, &ids).await?;
        let term = |term: crate::domain::term::Term| {
            let ruling = match self.packs.pinned(&term.policy_version) {
                Some(policy) => Ruling::of(&policy),
                None => {
                    tracing::error!(term.id = %term.id, "policy {} of term {} is not here", term.policy_version, term.id);
                    Err(Silent { pack_id: term.policy_version, key: Silent::POLICY_VERSION })
                }
            };
            let rounds = rounds.iter().filter(|round| round.term_id == term.id).cloned().collect();
            (term.id, Term { rounds, ruling })
        };
        Ok(terms.into_iter().map(term).collect())
    }

    /// After the commit: remembers which sections turned somebody away for being full, and which were remembered and are not full.
    async fn remember_full(
        &self,
        snapshot: &Snapshot,
        given: &AllGiven,
        now: Moment,
        reading: crate::hint::Reading,
    ) {
        let turned_away =
            given.iter().any(|given| matches!(given, Err(Refusal::One(admission::Error::Full { .. }))));
        for section in snapshot.sections.values() {
            if section.seats.has_free() {
                self.hints.end(section.id);
                continue;
            }
            // Whoever was let through to look again may have been refused for something else.
            let is_due =
                self.hints.is_missing(section.id) && (turned_away || self.hints.is_known(section.id));
            if !is_due {
                continue;
            }
            let rounds =
                snapshot.terms.get(&section.term_id).map(|term| term.rounds.as_slice()).unwrap_or_default();
            let Ok(round) = round::current(rounds, section.course(), now) else {
                continue;
            };
            match store::enrollment::pupils_ever_in(self.db.read(), section.district_id, section.id).await {
                Ok(pupils) => self.hints.keep(section, pupils, round.close_at - now, reading),
                // Only a shortcut is lost.
                Err(error) => tracing::debug!(%error, "a full section is not remembered: {error}"),
            }
        }
    }
}

/// Keeps what was admitted, and tells it.
async fn save(
    tx: &Tx,
    snapshot: &Snapshot,
    before: &HashMap<Id<shared::value::Section>, crate::domain::section::Seats>,
    decided: &Decided,
    now: Moment,
) -> Result<(), Error> {
    let admitted = decided.iter().flatten().flatten().filter_map(|outcome| match outcome {
        Outcome::Admitted { enrollment, event, .. } => Some((enrollment.as_ref(), event.clone())),
        Outcome::Again(_) => None,
    });
    let events: Vec<(&Enrollment, Event)> = admitted.collect();
    if events.is_empty() {
        return Ok(());
    }
    let mut enrollments: Vec<_> = events.iter().map(|(enrollment, _)| (*enrollment).clone()).collect();
    // One order of keys for all writers, so that two that insert at once cannot wait for each other in a ring.
    enrollments.sort_by_key(|enrollment| (enrollment.pupil_id, enrollment.section_id));
    let slots =
        |enrollment: &Enrollment| snapshot.sections.get(&enrollment.section_id).map(|section| &section.slots);
    let seats: Vec<_> = enrollments
        .iter()
        .filter(|enrollment| enrollment.state.holds_seat())
        .filter_map(|enrollment| Some(store::enrollment::Seat { enrollment, slots: slots(enrollment)? }))
        .collect();
    store::enrollment::insert_all(tx, &enrollments).await?;
    store::enrollment::take_slots(tx, &seats).await?;
    let changed =
        snapshot.sections.values().filter(|section| before.get(&section.id) != Some(&section.seats));
    store::section::save_seats(tx, changed).await?;
    event::tell(tx, &events, now).await
}

/// What each application got, as readers want it.
async fn give(
    tx: &Tx,
    snapshot: &Snapshot,
    found: Vec<Enrollment>,
    decided: Decided,
) -> Result<AllGiven, Error> {
    let mut known: HashMap<Id<EnrollmentKind>, (Enrollment, i32)> = HashMap::new();
    let again: HashSet<_> = decided
        .iter()
        .flatten()
        .flatten()
        .filter_map(|outcome| match outcome {
            Outcome::Again(id) => Some(*id),
            Outcome::Admitted { .. } => None,
        })
        .collect();
    let repeated: Vec<_> = found.into_iter().filter(|enrollment| again.contains(&enrollment.id)).collect();
    let positions = store::enrollment::positions(tx, &repeated).await?;
    for enrollment in repeated {
        let position = positions.get(&enrollment.id).copied().unwrap_or(0);
        known.insert(enrollment.id, (enrollment, position));
    }
    let mut all = Vec::with_capacity(decided.len());
    for outcomes in decided {
        let outcomes = match outcomes {
            Ok(outcomes) => outcomes,
            Err(refusal) => {
                all.push(Err(refusal));
                continue;
            }
        };
        let mut given = Vec::with_capacity(outcomes.len());
        for outcome in outcomes {
            let (enrollment, position, seats) = match outcome {
                Outcome::Admitted { enrollment, event, seats } => {
                    let position = if let Event::Waitlisted { position } = event { position } else { 0 };
                    known.insert(enrollment.id, ((*enrollment).clone(), position));
                    (*enrollment, position, seats)
                }
                Outcome::Again(id) => {
                    let (enrollment, position) = known
                        .get(&id)
                        .cloned()
                        .ok_or_else(|| Error::inconsistent("enrollment", id, "its repeat is lost"))?;
                    let seats = snapshot.sections.get(&enrollment.section_id).map(|section| section.seats);
                    let seats = seats
                        .ok_or_else(|| Error::inconsistent("enrollment", id, "its section is missing"))?;
                    (enrollment, position, seats)
                }
            };
            let title = snapshot.sections.get(&enrollment.section_id).map(|section| section.title.clone());
            given.push(Given { section_title: title.unwrap_or_default(), enrollment, position, seats });
        }
        all.push(Ok(given));
    }
    Ok(all)
}
