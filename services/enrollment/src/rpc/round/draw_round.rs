//! Draws a round: computes the outcome, holds it against its promises, and gives the seats in one transaction.

use std::collections::{HashMap, HashSet};

use draw::{Bundle, Input};
use proto::enrollment::v1::{DrawRoundRequest, DrawRoundResponse};
use shared::caller::Caller;
use shared::db::Tx;
use shared::request::{self, Claimed, RequestKey};
use shared::value::{Id, Moment, Round as RoundKind, Section as SectionKind, Violations};
use shared::{db, random, status};
use tonic::Status;

use super::sight::{self, OFFICE};
use super::{RoundRpc, convert};
use crate::domain::draw::closing::{Listed, section_ids};
use crate::domain::draw::result;
use crate::domain::draw::seating::{self, Hall, Seated};
use crate::domain::round::{self, Round, State};
use crate::domain::section::Section;
use crate::domain::term::Ruling;
use crate::event::{self, RoundEvent};
use crate::rpc::error as refusal;
use crate::rpc::ruling::policy_in;
use crate::store::draw::{Act, Drawn, SectionSummary};
use crate::store::enrollment::Seat;
use crate::{lists, store};

/// Draws a round.
pub async fn draw_round(
    rpc: &RoundRpc,
    caller: &Caller,
    request: DrawRoundRequest,
) -> Result<DrawRoundResponse, Status> {
    let permit = caller.staff(OFFICE)?;
    let mut violations = Violations::default();
    let request_id = violations.field("request_id", request.request_id.parse());
    let round_id = violations.field("round_id", request.round_id.parse());
    let (Some(request_id), Some(round_id)) = (request_id, round_id) else {
        return Err(status::invalid(&violations));
    };
    let (round, term) = sight::reached(rpc, &permit, round_id).await?;
    let ruling = Ruling::of(&*policy_in(&rpc.packs, &term)?).map_err(|error| refusal::silent(&error))?;
    let content = DrawRoundRequest { request_id: String::new(), ..request };
    let key = RequestKey::new(&caller.key(), "DrawRound", request_id, &content);
    // What is committed does not change: the outcome is computed before the transaction, so that no row waits for it.
    let prepared = match round.state {
        State::Closed => prepare(rpc, &round).await?,
        State::Opened | State::Drawn | State::Cancelled { .. } => None,
    };
    db::retry(|| give(rpc, &key, round_id, &ruling, prepared.as_ref())).await
}

/// An outcome that keeps its promises, and what it was computed from.
struct Prepared {
    act: Act,
    input: Input,
    listed: Vec<Listed>,
    bundle: Bundle,
}

/// Computes the outcome. None when no values were entered.
async fn prepare(rpc: &RoundRpc, round: &Round) -> Result<Option<Prepared>, Status> {
    let db = rpc.db.read();
    let Some(act) = store::draw::find(db, round, None).await? else {
        return Ok(None);
    };
    let (Some(committed), Some(entered)) = (act.committed(), act.entered.last()) else {
        return Ok(None);
    };
    let inconsistent = |why: String| db::Error::inconsistent("draw", round.id, why);
    let closed = store::draw::closed(db, round, &act.terms).await?;
    let (input, listed) = closed.ok_or_else(|| inconsistent("committed without lists".to_owned()))?;
    let bundle = Bundle::draw(&input, &entered.values);
    let bundle = bundle.map_err(|error| inconsistent(error.to_string()))?;
    if *bundle.root.hash() != committed.root {
        return Err(inconsistent("its lists are not those committed to".to_owned()).into());
    }
    if let Err(breaches) = draw::audit(&input, &bundle.outcome) {
        // Nothing is kept of an outcome that breaks a promise, and somebody has to look.
        let first = breaches.first().map(ToString::to_string).unwrap_or_default();
        return Err(inconsistent(format!("its outcome breaks {} promises: {first}", breaches.len())).into());
    }
    Ok(Some(Prepared { act, input, listed, bundle }))
}

async fn give(
    rpc: &RoundRpc,
    key: &RequestKey,
    round_id: Id<RoundKind>,
    ruling: &Ruling,
    prepared: Option<&Prepared>,
) -> Result<DrawRoundResponse, Status> {
    let tx = rpc.db.begin().await?;
    let claim = match request::claim(&tx, key, rpc.clock.now()).await? {
        Claimed::First(claim) => claim,
        Claimed::Again(answer) => return Ok(answer),
    };
    let round = store::round::lock(&tx, round_id).await?;
    let round = round.ok_or_else(|| status::not_found("round", round_id))?;
    round::draw(&round).map_err(|error| refusal::round(&error))?;
    let act = store::draw::find(&tx, &round, None).await?;
    let Some(prepared) = prepared else {
        // Entered, or closed, since it was looked at.
        let is_entered = act.is_some_and(|act| !act.entered.is_empty());
        let aborted = || status::aborted("CHANGED_MEANWHILE");
        return Err(if is_entered { aborted() } else { status::refused("VALUES_NOT_ENTERED", &[]) });
    };
    if act.as_ref() != Some(&prepared.act) {
        return Err(status::aborted("CHANGED_MEANWHILE"));
    }
    let now = rpc.clock.now();
    let sections = seat(&tx, &round, ruling, prepared, now).await?;
    store::round::save(&tx, &Round { state: State::Drawn, ..round.clone() }).await?;
    for other in store::round::list(&tx, &[round.term_id]).await? {
        if let Some(other) = round::after_draw(&other, now) {
            store::tie::save(&tx, &other).await?;
        }
    }
    let drawn =
        RoundEvent::Drawn { act: prepared.act.terms.act, outcome_digest: prepared.bundle.outcome_digest };
    event::tell_round(&tx, &round, drawn, now).await?;
    let act = store::draw::find(&tx, &round, None).await?;
    let response = DrawRoundResponse { draw: act.as_ref().map(convert::draw) };
    claim.answer(&tx, &response).await?;
    tx.commit().await?;
    rpc.hints.forget(sections);
    Ok(response)
}

/// Gives the seats and places in line, and keeps what became of every wish. Gives the sections.
async fn seat(
    tx: &Tx,
    round: &Round,
    ruling: &Ruling,
    prepared: &Prepared,
    now: Moment,
) -> Result<Vec<Id<SectionKind>>, Status> {
    let Prepared { input, listed, bundle, .. } = prepared;
    let ids: Vec<_> = section_ids(input.terms()).into_iter().flatten().collect();
    let locked = store::section::lock(tx, ids.iter().copied()).await?;
    let pupils = lists::lock_pupils(tx, listed.iter().map(|listed| listed.pupil_id).collect()).await?;
    // Read after the locks: nobody else gives these pupils or sections anything until this is done.
    let live = lists::live_of_term(tx, round, &locked).await?;
    let mut places = store::place::of(tx, &live, &locked).await?;
    let waiting: HashMap<_, _> = live
        .into_iter()
        .filter(|enrollment| enrollment.state.is_waitlisted())
        .map(|enrollment| ((enrollment.pupil_id, enrollment.section_id), enrollment))
        .collect();
    let wishes = store::wish::list(tx, round).await?;
    let guardians = wishes.into_iter().map(|wishes| (wishes.pupil_id, wishes.guardian_id)).collect();
    let asking: &[_] = if ruling.asks_agreement { &[round.term_id] } else { &[] };
    let listed_ids: Vec<_> = listed.iter().map(|listed| listed.pupil_id).collect();
    let signed = store::agreement::signed(tx, asking, &listed_ids).await?;
    let signed: HashSet<_> = signed.into_iter().map(|(_, pupil_id)| pupil_id).collect();
    let mut sections: HashMap<_, _> = locked.into_iter().map(|section| (section.id, section)).collect();
    for section in sections.values_mut() {
        section.seats.promised_count = 0;
    }
    let mut hall = Hall {
        round,
        ruling,
        sections: &mut sections,
        pupils: &pupils,
        guardians: &guardians,
        places: &mut places,
        signed: &signed,
        waiting: &waiting,
    };
    let new_ids = || (random::id(now), random::uuid(now));
    let seated = seating::seat(&mut hall, input, &bundle.outcome, listed, new_ids, now);
    keep(tx, &sections, &seated, now).await?;
    let results = result::of(input, &bundle.outcome, listed, &seated.unseated);
    store::draw::save_drawn(tx, round, &summary(bundle, now), bundle, listed, &results).await?;
    Ok(ids)
}

async fn keep(
    tx: &Tx,
    sections: &HashMap<Id<SectionKind>, Section>,
    seated: &Seated,
    now: Moment,
) -> Result<(), db::Error> {
    let slots = |id: Id<SectionKind>| sections.get(&id).map(|section| section.slots.as_slice());
    let mut enrollments: Vec<_> = seated.new.iter().map(|(enrollment, _)| enrollment.clone()).collect();
    // One order of keys for all writers.
    enrollments.sort_by_key(|enrollment| (enrollment.pupil_id, enrollment.section_id));
    let seats: Vec<_> = enrollments
        .iter()
        .filter(|enrollment| enrollment.state.holds_seat())
        .chain(seated.promoted.iter().map(|(enrollment, _)| enrollment))
        .filter_map(|enrollment| Some(Seat { enrollment, slots: slots(enrollment.section_id)? }))
        .collect();
    store::enrollment::insert_all(tx, &enrollments).await?;
    for (enrollment, change) in &seated.promoted {
        store::enrollment::save(tx, enrollment, change, now).await?;
    }
    store::enrollment::take_slots(tx, &seats).await?;
    store::section::save_seats(tx, sections.values()).await?;
    let promoted =
        seated.promoted.iter().filter_map(|(enrollment, change)| Some((enrollment, change.event.clone()?)));
    let new = seated.new.iter().map(|(enrollment, event)| (enrollment, event.clone()));
    event::tell(tx, &new.chain(promoted).collect::<Vec<_>>(), now).await
}

/// What is public of the outcome.
fn summary(bundle: &Bundle, now: Moment) -> Drawn {
    let count = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
    let sections = bundle.outcome.sections.iter().map(|section| SectionSummary {
        seat_count: section.seats,
        admitted_count: count(section.admitted.len()),
        refused_count: count(section.waitlist.len()),
        cutoffs: section.cutoffs.clone(),
    });
    Drawn {
        seed: *bundle.outcome.seed.hash(),
        outcome_digest: bundle.outcome_digest,
        at: now,
        sections: sections.collect(),
    }
}
