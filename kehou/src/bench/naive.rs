//! The way most would write it: each application in a transaction of its own, with the section's row locked.
//!
//! `SELECT … FOR UPDATE` of the section, reads of pupil, enrollments, round and term, the checks, the inserts, the counter, the
//! event, commit: the same rows, the same rules and the same events as the group's, so that what is compared is the way alone.

use std::collections::HashSet;

use enrollment::domain::admission::{Outcome, Prior, Snapshot, Term};
use enrollment::domain::basket::{self, Ask, Refusal};
use enrollment::domain::enrollment::{Enrollment, Event};
use enrollment::domain::section::Section;
use enrollment::domain::term::Ruling;
use enrollment::rpc::apply::{Decide, Desk, Given, Queue};
use enrollment::{config, event, store};
use policy::Silent;
use shared::db::Error;
use tokio::task::JoinHandle;

/// Decides one application after another, each in its own transaction; several lanes do so at once.
#[derive(Clone)]
pub struct Naive(pub Desk);

/// Starts a queue before it: groups of one, as many at once as there are lanes.
#[must_use]
pub fn start_queue(desk: Desk, config: &config::Admission) -> (Queue, JoinHandle<()>) {
    Queue::start(Naive(desk), &config::Admission { group_count: 1, ..config.clone() })
}

impl Decide for Naive {
    async fn decide(&self, group: &[&Ask]) -> Result<Vec<Result<Vec<Given>, Refusal>>, Error> {
        let mut given = Vec::with_capacity(group.len());
        for ask in group {
            given.push(self.one(ask).await?);
        }
        Ok(given)
    }
}

impl Naive {
    async fn one(&self, ask: &Ask) -> Result<Result<Vec<Given>, Refusal>, Error> {
        let Desk { db, clock, packs, .. } = &self.0;
        let tx = db.begin().await?;
        let sections = store::section::lock(&tx, ask.parts().iter().map(|part| part.section_id)).await?;
        let pupil_ids: HashSet<_> = ask.parts().iter().map(|part| part.pupil_id).collect();
        let pupil_ids: Vec<_> = pupil_ids.into_iter().collect();
        let pupils = store::pupil::lock(&tx, &pupil_ids).await?;
        let districts = ask.parts().iter().map(|part| part.district_id).collect();
        let requests: Vec<_> = ask.requests().collect();
        let found = store::enrollment::find_for(&tx, &districts, &pupil_ids, &requests).await?;
        let places = store::place::of(&tx, &found, &sections).await?;
        let term_ids: HashSet<_> = sections.iter().map(|section| section.term_id).collect();
        let term_ids: Vec<_> = term_ids.into_iter().collect();
        let rounds = store::round::list(&tx, &term_ids).await?;
        let terms = store::term::find_all(&tx, &term_ids).await?;
        let now = tx.now(clock.as_ref()).await?;
        let terms = terms.into_iter().map(|term| {
            let silent = || Silent { pack_id: term.policy_version.clone(), key: Silent::POLICY_VERSION };
            let ruling = packs.pinned(&term.policy_version).ok_or_else(silent);
            let rounds = rounds.iter().filter(|round| round.term_id == term.id).cloned().collect();
            (term.id, Term { rounds, ruling: ruling.and_then(|policy| Ruling::of(&policy)) })
        });
        let seated = places.values().flatten().map(|place| place.section_id);
        let prices =
            store::own_price::find_for(&tx, sections.iter().map(|section| section.id), seated).await?;
        let mut snapshot = Snapshot {
            terms: terms.collect(),
            pupils: pupils.into_iter().map(|pupil| (pupil.id, pupil)).collect(),
            sections: sections.into_iter().map(|section| (section.id, section)).collect(),
            places,
            prices,
            // The bench's school asks for no agreement.
            signed: HashSet::new(),
            requests: found.iter().map(|one| ((one.guardian_id, one.request_id), Prior::of(one))).collect(),
        };
        let outcomes = match basket::decide(&mut snapshot, ask, now) {
            Ok(outcomes) => outcomes,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let mut given = Vec::with_capacity(outcomes.len());
        for outcome in outcomes {
            let (enrollment, position) = match outcome {
                Outcome::Again(id) => {
                    let known = found.iter().find(|enrollment| enrollment.id == id).cloned();
                    (known.ok_or_else(|| Error::inconsistent("enrollment", id, "its repeat is lost"))?, 0)
                }
                Outcome::Admitted { enrollment, event, .. } => {
                    let section = section_of(&snapshot, &enrollment)?;
                    store::enrollment::insert_all(&tx, std::slice::from_ref(enrollment.as_ref())).await?;
                    if enrollment.state.holds_seat() {
                        let (enrollment, slots) = (enrollment.as_ref(), &section.slots);
                        store::enrollment::take_slots(&tx, &[store::enrollment::Seat { enrollment, slots }])
                            .await?;
                    }
                    store::section::save_seats(&tx, [section]).await?;
                    event::tell(&tx, &[(enrollment.as_ref(), event.clone())], now).await?;
                    (*enrollment, if let Event::Waitlisted { position } = event { position } else { 0 })
                }
            };
            let section = section_of(&snapshot, &enrollment)?;
            given.push(Given {
                section_title: section.title.clone(),
                seats: section.seats,
                enrollment,
                position,
            });
        }
        tx.commit().await?;
        Ok(Ok(given))
    }
}

fn section_of<'snapshot>(
    snapshot: &'snapshot Snapshot,
    enrollment: &Enrollment,
) -> Result<&'snapshot Section, Error> {
    let section = snapshot.sections.get(&enrollment.section_id);
    section.ok_or_else(|| Error::inconsistent("enrollment", enrollment.id, "its section is missing"))
}
