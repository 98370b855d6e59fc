//! Decides the ties of rounds for seats left over, once, whatever the number of replicas: puts the lines in order, and serves them.

use std::collections::BTreeSet;

use policy::Live;
use shared::db::{self, Tx};
use shared::value::{Id, Moment, Round as RoundKind};
use tonic::Status;

use super::Bench;
use crate::domain::draw::tie::{self, Arrival};
use crate::domain::enrollment::{Enrollment, State};
use crate::domain::round::{self, Round, Ties};
use crate::domain::section::Section;
use crate::store::draw::{Act, Drawn};
use crate::store::vault::Vault;
use crate::{change, lists, store};

/// Decides what is due now, at most a batch; gives how many rounds were decided.
///
/// # Errors
/// When the database refuses.
pub async fn decide_ties(bench: &Bench, vault: &Vault, packs: &Live) -> Result<u64, Status> {
    let due = store::tie::list_due(bench.db.read(), bench.clock.now(), bench.config.batch_count).await?;
    let mut count = 0;
    for id in due {
        count += u64::from(db::retry(|| decide(bench, vault, packs, id)).await?);
    }
    Ok(count)
}

/// The draw before a round: the seed is public, the salt is not.
struct Before {
    act: Act,
    drawn: Drawn,
    salt: draw::RoundSalt,
}

async fn decide(bench: &Bench, vault: &Vault, packs: &Live, id: Id<RoundKind>) -> Result<bool, Status> {
    let tx = bench.db.begin().await?;
    let Some(found) = store::round::lock(&tx, id).await? else { return Ok(false) };
    let rounds = store::round::list(&tx, &[found.term_id]).await?;
    let now = tx.now(bench.clock.as_ref()).await?;
    let Some(ties) = found.ties.filter(|_| round::are_ties_due(&found, &rounds, now)) else {
        // Another replica was faster, the round was called off, or the draw it follows is still to come.
        return Ok(false);
    };
    let before = before(&tx, vault, &found, &rounds).await?;
    let by_policy = priority_groups(&tx, packs, &found).await?;
    let published = store::section::list_published(&tx, found.term_id).await?;
    let mut sections = store::section::lock(&tx, published.iter().map(|section| section.id)).await?;
    sections.retain(|section| section.seats.waitlisted_count > 0 && !section.seats.basic_care);
    let mut lines = Vec::with_capacity(sections.len());
    for section in &sections {
        lines.push(store::tie::list_arrivals(&tx, section, found.open_at).await?);
    }
    // All of them by id before any line is served.
    let pupil_ids: BTreeSet<_> = lines.iter().flatten().map(|enrollment| enrollment.pupil_id).collect();
    let pupil_ids: Vec<_> = pupil_ids.into_iter().collect();
    lists::lock_pupils(&tx, pupil_ids.clone()).await?;
    let groups = lists::groups_on(&tx, &pupil_ids, now).await?;

    let drawn_at = before.as_ref().map(|before| before.drawn.at);
    for (section, line) in sections.iter().zip(lines) {
        let code = section.id.to_string();
        let arrivals: Vec<_> = line
            .into_iter()
            .filter(|enrollment| tie::has_come(&found, drawn_at, enrollment.created_at))
            .filter_map(|enrollment| {
                let lot = before.as_ref().map(|before| before.lot(&code, &enrollment));
                arrival(&enrollment, groups.get(&enrollment.pupil_id).cloned().unwrap_or_default(), lot)
            })
            .collect();
        let tiers = match &before {
            Some(before) => tie::tiers(&before.act.terms, &code, &by_policy),
            None => Vec::new(),
        };
        store::tie::renumber(&tx, section, &tie::renumber(&ties, &tiers, &arrivals)).await?;
    }
    let decided = Round { ties: Some(Ties { is_decided: true, ..ties }), ..found };
    store::tie::save(&tx, &decided).await?;
    serve(&tx, &mut sections, now).await?;
    tx.commit().await?;
    bench.hints.forget(sections.iter().map(|section| section.id));
    Ok(true)
}

/// Gives the free seats to those first in line.
async fn serve(tx: &Tx, sections: &mut [Section], now: Moment) -> Result<(), db::Error> {
    for section in sections.iter_mut() {
        change::promote(tx, section, now).await?;
    }
    store::section::save_seats(tx, sections.iter()).await
}

fn arrival(enrollment: &Enrollment, groups: BTreeSet<String>, lot: Option<draw::Hash>) -> Option<Arrival> {
    let State::Waitlisted { number } = enrollment.state else { return None };
    Some(Arrival { enrollment_id: enrollment.id, arrived_at: enrollment.created_at, number, groups, lot })
}

impl Before {
    fn lot(&self, code: &str, enrollment: &Enrollment) -> draw::Hash {
        let alias = self.salt.alias(enrollment.pupil_id.uuid().as_bytes());
        draw::lot(&self.drawn.seed, code, &alias.pseudonym)
    }
}

/// The last draw before the round; none where none was held.
async fn before(
    tx: &Tx,
    vault: &Vault,
    round: &Round,
    rounds: &[Round],
) -> Result<Option<Before>, db::Error> {
    let Some(round) = round::draw_before(round, rounds) else { return Ok(None) };
    let Some(act) = store::draw::find(tx, round, None).await? else { return Ok(None) };
    let Some(drawn) = act.drawn().cloned() else { return Ok(None) };
    let salt = store::draw::salt(tx, vault, round, &act).await?;
    Ok(Some(Before { act, drawn, salt }))
}

/// The policy's priority groups: the first tier of sections that were not drawn.
async fn priority_groups(tx: &Tx, packs: &Live, round: &Round) -> Result<Vec<String>, db::Error> {
    let inconsistent = |why: String| db::Error::inconsistent("term", round.term_id, why);
    let term = store::term::find(tx, round.term_id).await?;
    let term = term.ok_or_else(|| inconsistent("it has a round and is not known".to_owned()))?;
    let policy = packs.pinned(&term.policy_version);
    let policy =
        policy.ok_or_else(|| inconsistent(format!("its policy {} is not here", term.policy_version)))?;
    Ok(policy::enroll::priority_groups(&policy).iter().map(|group| group.key.clone()).collect())
}
