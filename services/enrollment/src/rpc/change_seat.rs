//! Changes a place for another one: the old one is given up only if the new one is given, in one transaction.

use std::collections::{BTreeSet, HashMap, HashSet};

use chrono::NaiveDate;
use policy::vocabulary::ChangeRule;
use proto::enrollment::v1::{ChangeSeatRequest, ChangeSeatResponse};
use shared::caller::{Caller, GuardianPermit};
use shared::db::Tx;
use shared::request::{self, Claimed, RequestKey};
use shared::value::{Enrollment as EnrollmentKind, Id, Moment, Section as SectionKind, Violations};
use shared::{db, random, status};
use tonic::Status;
use uuid::Uuid;

use super::{EnrollmentRpc, change_later, convert, error, ruling, withdraw};
use crate::domain::admission::{self, Application, Outcome, Snapshot, Term};
use crate::domain::day::local;
use crate::domain::enrollment::{self, Enrollment, Event};
use crate::domain::seat_change;
use crate::domain::section::Section;
use crate::domain::term::{self, Ruling};
use crate::{change, event, store};

pub(super) struct Parsed {
    pub(super) request_id: Uuid,
    pub(super) enrollment_id: Id<EnrollmentKind>,
    pub(super) to_section_id: Id<SectionKind>,
    /// From which day on; at once when absent.
    from_day: Option<NaiveDate>,
}

/// Changes a place.
pub async fn change_seat(
    rpc: &EnrollmentRpc,
    caller: &Caller,
    request: ChangeSeatRequest,
) -> Result<ChangeSeatResponse, Status> {
    let permit = caller.guardian()?;
    let parsed = parse(&request)?;
    let content = ChangeSeatRequest { request_id: String::new(), ..request };
    let key = RequestKey::new(&caller.key(), "ChangeSeat", parsed.request_id, &content);
    let missing = || error::no_enrollment(parsed.enrollment_id);
    let found = store::enrollment::find(rpc.db.read(), parsed.enrollment_id).await?.ok_or_else(missing)?;
    permit.pupil(found.pupil_id).map_err(|_| missing())?;
    if let Some(from_day) = parsed.from_day {
        return db::retry(|| change_later::change_later(rpc, &permit, &key, &parsed, from_day)).await;
    }
    // Asked before the transaction: a transaction does not wait on a network.
    let may_refund = may_refund(rpc, &found).await?;
    db::retry(|| change(rpc, &permit, &key, &parsed, may_refund)).await
}

fn parse(request: &ChangeSeatRequest) -> Result<Parsed, Status> {
    let mut violations = Violations::default();
    let request_id = violations.field("request_id", request.request_id.parse());
    let enrollment_id = violations.field("enrollment_id", request.enrollment_id.parse());
    let to_section_id = violations.field("to_section_id", request.to_section_id.parse());
    let from_day = match change_later::from_day(request) {
        Some(day) => violations.field("from_day", day).map(Some),
        None => Some(None),
    };
    match (request_id, enrollment_id, to_section_id, from_day) {
        (Some(request_id), Some(enrollment_id), Some(to_section_id), Some(from_day)) => {
            Ok(Parsed { request_id, enrollment_id, to_section_id, from_day })
        }
        _ => Err(status::invalid(&violations)),
    }
}

/// Everything locked for a change.
pub(super) struct Locked {
    pub(super) from: Section,
    pub(super) to: Section,
    pub(super) enrollment: Enrollment,
    pub(super) snapshot: Snapshot,
}

async fn change(
    rpc: &EnrollmentRpc,
    permit: &GuardianPermit,
    key: &RequestKey,
    parsed: &Parsed,
    may_refund: bool,
) -> Result<ChangeSeatResponse, Status> {
    let tx = rpc.db.begin().await?;
    let claim = match request::claim(&tx, key, rpc.clock.now()).await? {
        Claimed::First(claim) => claim,
        Claimed::Again(answer) => return Ok(answer),
    };
    let Locked { from, to, enrollment, mut snapshot } = lock(rpc, &tx, permit, parsed).await?;
    // The round is open or not by the clock that all replicas share, once everything is locked.
    let now = tx.now(rpc.clock.as_ref()).await?;
    let given_up = enrollment::give_up(&enrollment, may_refund)
        .map_err(|refusal| error::enrollment(&refusal, &enrollment))?;
    let application = Application {
        enrollment_id: random::id(now),
        request_id: parsed.request_id,
        guardian_id: permit.id(),
        district_id: enrollment.district_id,
        pupil_id: enrollment.pupil_id,
        section_id: to.id,
        // In line is not given: the old place would be gone for nothing.
        join_waitlist: false,
    };
    let outcome = admission::decide(&mut snapshot, &application, now)
        .map_err(|refusal| error::admission(&refusal, &application))?;
    let Outcome::Admitted { enrollment: given, event, seats } = outcome else {
        // The claim above answers repeats; an application that used the id got another place with it.
        return Err(status::reused());
    };
    // First what is given up: its hours may be those of what is given.
    let title = from.title.clone();
    let mut sections = [from];
    let left = change::make(&tx, &mut sections, vec![(enrollment, given_up)], now).await?;
    take(&tx, &snapshot, &given, event, now).await?;
    let guardian = convert::Reader::Guardian;
    let response = ChangeSeatResponse {
        enrollment: Some(convert::enrollment(&given, &to.title, 0, guardian)),
        given_up: left.first().map(|left| convert::enrollment(left, &title, 0, guardian)),
        seats: Some(convert::seats(to.id, &seats)),
        from_day: String::new(),
    };
    claim.answer(&tx, &response).await?;
    tx.commit().await?;
    rpc.hints.forget(sections.map(|section| section.id));
    Ok(response)
}

/// Locks both sections by id, then the pupil; reads what the pupil has but for what is to be given up.
pub(super) async fn lock(
    rpc: &EnrollmentRpc,
    tx: &Tx,
    permit: &GuardianPermit,
    parsed: &Parsed,
) -> Result<Locked, Status> {
    let missing = || error::no_enrollment(parsed.enrollment_id);
    let found = store::enrollment::find(tx, parsed.enrollment_id).await?.ok_or_else(missing)?;
    permit.pupil(found.pupil_id).map_err(|_| missing())?;
    if found.section_id == parsed.to_section_id {
        return Err(error::already_enrolled(found.id));
    }
    let section_ids = BTreeSet::from([found.section_id, parsed.to_section_id]);
    let sections = store::section::lock(tx, section_ids).await?;
    let of = |id: Id<SectionKind>| sections.iter().find(|section| section.id == id).cloned();
    let to = of(parsed.to_section_id).ok_or_else(|| status::not_found("section", parsed.to_section_id))?;
    let from = of(found.section_id).ok_or_else(missing)?;
    let pupils = store::pupil::lock(tx, &[found.pupil_id]).await?;
    let enrollment = store::enrollment::lock(tx, found.id).await?.ok_or_else(missing)?;

    let live = store::enrollment::find_for(
        tx,
        &HashSet::from([found.district_id]),
        &[found.pupil_id],
        &[(permit.id(), parsed.request_id)],
    )
    .await?;
    let others: Vec<_> = live.iter().filter(|one| one.id != found.id).cloned().collect();
    let places = store::place::of(tx, &others, &sections).await?;
    let requests = live
        .iter()
        .filter(|one| (one.guardian_id, one.request_id) == (permit.id(), parsed.request_id))
        .map(|one| ((one.guardian_id, one.request_id), admission::Prior::of(one)))
        .collect();
    let seated = live.iter().map(|one| one.section_id);
    let prices = store::own_price::find_for(tx, [to.id], seated).await?;
    let (term_id, term) = term(rpc, tx, &to).await?;
    let asks = term.ruling.as_ref().is_ok_and(|ruling| ruling.asks_agreement);
    let asking: &[_] = if asks { &[term_id] } else { &[] };
    let signed = store::agreement::signed(tx, asking, &[found.pupil_id]).await?;
    let snapshot = Snapshot {
        pupils: pupils.into_iter().map(|pupil| (pupil.id, pupil)).collect(),
        sections: HashMap::from([(to.id, to.clone())]),
        terms: HashMap::from([(term_id, term)]),
        places,
        requests,
        signed,
        prices,
    };
    Ok(Locked { from, to, enrollment, snapshot })
}

async fn term(
    rpc: &EnrollmentRpc,
    tx: &Tx,
    section: &Section,
) -> Result<(Id<shared::value::Term>, Term), Status> {
    let term = store::term::find(tx, section.term_id).await?;
    let term: term::Term = term.ok_or_else(|| status::not_found("section", section.id))?;
    let policy = ruling::policy_in(&rpc.packs, &term)?;
    let rounds = store::round::list(tx, &[term.id]).await?;
    Ok((term.id, Term { rounds, ruling: Ruling::of(&policy) }))
}

/// Keeps the place that is given, and tells it.
pub(super) async fn take(
    tx: &Tx,
    snapshot: &Snapshot,
    given: &Enrollment,
    told: Event,
    now: Moment,
) -> Result<(), Status> {
    store::enrollment::insert_all(tx, std::slice::from_ref(given)).await?;
    if let Some(section) = snapshot.sections.get(&given.section_id) {
        let seat = store::enrollment::Seat { enrollment: given, slots: &section.slots };
        store::enrollment::take_slots(tx, &[seat]).await?;
        store::section::save_seats(tx, [section]).await?;
    }
    Ok(event::tell(tx, &[(given, told)], now).await?)
}

/// A paid seat is changed only where somebody has said how. Gives whether it is paid and may be given back; what goes back is
/// billing's to work out.
async fn may_refund(rpc: &EnrollmentRpc, enrollment: &Enrollment) -> Result<bool, Status> {
    if !withdraw::needs_refund(enrollment) {
        return Ok(false);
    }
    let term = store::term::find(rpc.db.read(), enrollment.term_id).await?;
    let term = term.ok_or_else(|| error::no_enrollment(enrollment.id))?;
    let policy = ruling::policy_in(&rpc.packs, &term)?;
    let (rule, clause) = policy.fee.change_rule.demand().map_err(|silent| error::silent(&silent))?;
    match rule {
        ChangeRule::FromNextMonth => {
            let today = local::day(rpc.clock.now()).max(term.first_day);
            let earliest = seat_change::next_month(today).filter(|day| *day <= term.last_day);
            return Err(change_later::day_required(earliest, &clause));
        }
        ChangeRule::AsWithdrawal => withdraw::check_refund_rule(rpc, enrollment.id).await?,
    }
    Ok(true)
}
