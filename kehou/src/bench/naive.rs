//! The way most would write it: each application in a transaction of its own, with the section's row locked.
//!
//! `SELECT … FOR UPDATE` of the section, reads of pupil, enrollments, round and term, the checks, the inserts, the counter, the
//! event, commit: the same rows, the same rules and the same events as the group's, so that what is compared is the way alone.

use std::collections::{HashMap, HashSet};

use enrollment::domain::admission::{self, Application, Outcome, Prior, Snapshot, Term};
use enrollment::domain::enrollment::Event;
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
    async fn decide(&self, group: &[&Application]) -> Result<Vec<Result<Given, admission::Error>>, Error> {
        let mut given = Vec::with_capacity(group.len());
        for application in group {
            given.push(self.one(application).await?);
        }
        Ok(given)
    }
}

impl Naive {
    async fn one(&self, application: &Application) -> Result<Result<Given, admission::Error>, Error> {
        let Desk { db, clock, packs, .. } = &self.0;
        let tx = db.begin().await?;
        let sections = store::section::lock(&tx, [application.section_id]).await?;
        let pupils = store::pupil::lock(&tx, &[application.pupil_id]).await?;
        let found = store::enrollment::find_for(
            &tx,
            &HashSet::from([application.district_id]),
            &[application.pupil_id],
            &[(application.guardian_id, application.request_id)],
        )
        .await?;
        let places = store::place::of(&tx, &found, &sections).await?;
        let term_ids: Vec<_> = sections.iter().map(|section| section.term_id).collect();
        let rounds = store::round::list(&tx, &term_ids).await?;
        let terms = store::term::find_all(&tx, &term_ids).await?;
        let now = tx.now(clock.as_ref()).await?;
        let terms = terms.into_iter().map(|term| {
            let silent = || Silent { pack_id: term.policy_version.clone(), key: "policy_version" };
            let ruling = packs.pinned(&term.policy_version).ok_or_else(silent);
            (term.id, Term { rounds: rounds.clone(), ruling: ruling.and_then(|policy| Ruling::of(&policy)) })
        });
        let mut snapshot = Snapshot {
            terms: terms.collect(),
            pupils: pupils.into_iter().map(|pupil| (pupil.id, pupil)).collect(),
            sections: sections.into_iter().map(|section| (section.id, section)).collect(),
            places,
            requests: found
                .iter()
                .map(|one| ((one.guardian_id, one.request_id), Prior::of(one)))
                .collect::<HashMap<_, _>>(),
        };
        let decided = admission::decide(&mut snapshot, application, now);
        let outcome = match decided {
            Ok(outcome) => outcome,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let section = snapshot.sections.get(&application.section_id);
        let missing =
            || Error::inconsistent("section", application.section_id, "it was decided on and is missing");
        let section = section.ok_or_else(missing)?;
        let given = |enrollment, position| Given {
            enrollment,
            section_title: section.title.clone(),
            position,
            seats: section.seats,
        };
        match outcome {
            Outcome::Again(id) => {
                let known = found.into_iter().find(|enrollment| enrollment.id == id);
                let known =
                    known.ok_or_else(|| Error::inconsistent("enrollment", id, "its repeat is lost"))?;
                Ok(Ok(given(known, 0)))
            }
            Outcome::Admitted { enrollment, event, .. } => {
                store::enrollment::insert_all(&tx, std::slice::from_ref(enrollment.as_ref())).await?;
                if enrollment.state.holds_seat() {
                    let seat =
                        store::enrollment::Seat { enrollment: enrollment.as_ref(), slots: &section.slots };
                    store::enrollment::take_slots(&tx, &[seat]).await?;
                }
                store::section::save_seats(&tx, [section]).await?;
                event::tell(&tx, &[(enrollment.as_ref(), event.clone())], now).await?;
                tx.commit().await?;
                let position = if let Event::Waitlisted { position } = event { position } else { 0 };
                Ok(Ok(given(*enrollment, position)))
            }
        }
    }
}
