//! Opens a round for a term.

use std::sync::Arc;

use chrono::DateTime;
use policy::{Policy, Silent};
use proto::billing::v1::GetTariffRequest;
use proto::enrollment::v1::{self as message, OpenRoundRequest, OpenRoundResponse};
use shared::caller::{Caller, NodePath, Role};
use shared::request::{self, Claimed, RequestKey};
use shared::value::{Id, Moment, Term as TermKind, Violations};
use shared::{db, random, status};
use tonic::{Code, Status};
use uuid::Uuid;

use super::{EnrollmentRpc, convert, error};
use crate::domain::agreement;
use crate::domain::enrollment::Fee;
use crate::domain::offer;
use crate::domain::round::{self, Mode, Round, Waits};
use crate::domain::term::{Ruling, Term};
use crate::store;

/// Who opens rounds.
const ROLES: &[Role] = &[Role::TeachingOffice, Role::Principal];

/// Opens a round.
pub async fn open_round(
    rpc: &EnrollmentRpc,
    caller: &Caller,
    request: OpenRoundRequest,
) -> Result<OpenRoundResponse, Status> {
    let permit = caller.staff(ROLES)?;
    let parsed = parse(&request)?;
    let term = store::term::find(rpc.db.read(), parsed.term_id).await?;
    let term = term.ok_or_else(|| status::not_found("term", parsed.term_id))?;
    permit.reach(&NodePath::new(term.path.clone()), "term", term.id)?;

    let key = RequestKey::new(
        &caller.key(),
        "OpenRound",
        parsed.request_id,
        &OpenRoundRequest { request_id: String::new(), ..request },
    );
    // Asked before the transaction: a transaction does not wait on a network.
    let (policy, ruling) = check_tariff(rpc, &term).await?;
    db::retry(|| open(rpc, &key, &parsed, &policy, &ruling)).await
}

struct Parsed {
    request_id: Uuid,
    term_id: Id<TermKind>,
    open_at: Moment,
    close_at: Moment,
    waits: Waits,
}

fn parse(request: &OpenRoundRequest) -> Result<Parsed, Status> {
    let mut violations = Violations::default();
    let request_id = violations.field("request_id", request.request_id.parse());
    let term_id = violations.field("term_id", request.term_id.parse());
    let is_first_come = request.mode == i32::from(message::round::Mode::FirstCome);
    violations.check("mode", is_first_come, "must be MODE_FIRST_COME");
    let open_at = violations.field("open_time", moment(request.open_time.as_ref()));
    let close_at = violations.field("close_time", moment(request.close_time.as_ref()));
    if let (Some(open_at), Some(close_at)) = (open_at, close_at) {
        violations.check("close_time", open_at < close_at, "must be after open_time");
    }
    let review_seconds =
        seconds(&mut violations, "review_seconds", request.review_seconds, 604_800, 2_592_000);
    let payment_seconds =
        seconds(&mut violations, "payment_seconds", request.payment_seconds, 1_800, 604_800);
    match (request_id, term_id, open_at, close_at) {
        (Some(request_id), Some(term_id), Some(open_at), Some(close_at)) if violations.is_empty() => {
            Ok(Parsed {
                request_id,
                term_id,
                open_at,
                close_at,
                waits: Waits { review_seconds, payment_seconds },
            })
        }
        _ => Err(status::invalid(&violations)),
    }
}

fn moment(time: Option<&prost_types::Timestamp>) -> Result<Moment, &'static str> {
    let time = time.ok_or("is missing")?;
    let nanoseconds = u32::try_from(time.nanos).map_err(|_| "is no moment")?;
    // Both databases keep microseconds.
    DateTime::from_timestamp(time.seconds, nanoseconds / 1_000 * 1_000).ok_or("is no moment")
}

fn seconds(violations: &mut Violations, field: &str, given: i32, default: i32, longest: i32) -> i32 {
    if given == 0 {
        return default;
    }
    violations.check(field, (60..=longest).contains(&given), &format!("must be 60 to {longest}, or 0"));
    given
}

/// Where parents pay, families must be able to see what before they choose.
///
/// Gives the policy the term is pinned to, and what it says about applications.
async fn check_tariff(rpc: &EnrollmentRpc, term: &Term) -> Result<(Arc<Policy>, Ruling), Status> {
    let policy = rpc.packs.pinned(&term.policy_version).ok_or_else(|| {
        error::silent(&Silent { pack_id: term.policy_version.clone(), key: Silent::POLICY_VERSION })
    })?;
    let ruling = Ruling::of(&policy).map_err(|error| error::silent(&error))?;
    match ruling.fee {
        Fee::Free => return Ok((policy, ruling)),
        Fee::Charged => {}
    }
    let request = GetTariffRequest { term_id: term.id.to_string() };
    match rpc.billing.clone().get_tariff(request).await {
        Ok(_) => Ok((policy, ruling)),
        Err(refusal) if refusal.code() == Code::NotFound => Err(status::refused("TARIFF_NOT_PUBLISHED", &[])),
        Err(refusal) => {
            tracing::warn!(code = ?refusal.code(), "billing could not be asked for a tariff: {}", refusal.message());
            Err(status::unavailable("BILLING_UNAVAILABLE"))
        }
    }
}

async fn open(
    rpc: &EnrollmentRpc,
    key: &RequestKey,
    parsed: &Parsed,
    policy: &Policy,
    ruling: &Ruling,
) -> Result<OpenRoundResponse, Status> {
    let tx = rpc.db.begin().await?;
    let claim = match request::claim(&tx, key, rpc.clock.now()).await? {
        Claimed::First(claim) => claim,
        Claimed::Again(answer) => return Ok(answer),
    };
    let term = store::term::lock(&tx, parsed.term_id).await?;
    let term = term.ok_or_else(|| status::not_found("term", parsed.term_id))?;
    let others = store::round::list(&tx, &[term.id]).await?;
    let section_count = store::section::count_published(&tx, term.id).await?;
    let now = rpc.clock.now();
    let opened = Round {
        id: random::id(now),
        district_id: term.district_id,
        school_id: term.school_id,
        term_id: term.id,
        mode: Mode::FirstCome,
        open_at: parsed.open_at,
        close_at: parsed.close_at,
        waits: parsed.waits,
    };
    round::open(&opened, &others, section_count).map_err(|error| error::round(&error))?;
    let in_force = store::agreement::in_force(&tx, term.id).await?;
    agreement::open(ruling.asks_agreement, in_force.as_ref()).map_err(|error| error::agreement(&error))?;
    store::round::insert(&tx, &opened, now).await?;
    store::offer::save(&tx, term.district_id, term.id, &offer::Rule::of(policy)).await?;
    let response = OpenRoundResponse {
        round: Some(convert::round(&opened, &term.path)),
        silent_keys: offer::Rule::silent_keys(policy).into_iter().map(str::to_owned).collect(),
    };
    claim.answer(&tx, &response).await?;
    tx.commit().await?;
    Ok(response)
}
