//! Opens a round for a term.

use chrono::{DateTime, TimeDelta};
use draw::{Siblings, Source};
use policy::Policy;
use proto::billing::v1::GetTariffRequest;
use proto::enrollment::v1::{self as message, OpenRoundRequest, OpenRoundResponse};
use shared::caller::{Caller, NodePath, Role};
use shared::request::{self, Claimed, RequestKey};
use shared::value::{Id, Moment, Round as RoundKind, Term as TermKind, Violations};
use shared::{db, random, status};
use tonic::{Code, Status};
use uuid::Uuid;

use super::ruling::policy_in;
use super::{EnrollmentRpc, convert, error, round as drawn};
use crate::domain::agreement;
use crate::domain::draw::terms::{self, Rule};
use crate::domain::enrollment::Fee;
use crate::domain::offer;
use crate::domain::round::{self, Mode, Round, State, Ties, Waits};
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
    let policy = policy_in(&rpc.packs, &term)?;
    let violations = drawn::parse::groups_violations(&policy, &parsed.rules);
    if !violations.is_empty() {
        return Err(status::invalid(&violations));
    }
    // Asked before the transaction: a transaction does not wait on a network.
    let ruling = Ruling::of(&policy).map_err(|error| error::silent(&error))?;
    check_tariff(rpc, &ruling, &term).await?;
    db::retry(|| open(rpc, &policy, &ruling, &key, &parsed)).await
}

struct Parsed {
    request_id: Uuid,
    round_id: Option<Id<RoundKind>>,
    term_id: Id<TermKind>,
    mode: Mode,
    siblings: Siblings,
    sources: Vec<Source>,
    rules: Vec<Rule>,
    open_at: Moment,
    close_at: Moment,
    waits: Waits,
    tie_seconds: Option<i32>,
}

fn parse(request: &OpenRoundRequest) -> Result<Parsed, Status> {
    let mut violations = Violations::default();
    let request_id = violations.field("request_id", request.request_id.parse());
    let term_id = violations.field("term_id", request.term_id.parse());
    let round_id = match request.round_id.as_str() {
        "" => None,
        text => violations.field("round_id", text.parse()),
    };
    let mode = match message::round::Mode::try_from(request.mode) {
        Ok(message::round::Mode::FirstCome) => Some(Mode::FirstCome),
        Ok(message::round::Mode::Ranked) => Some(Mode::Ranked),
        Ok(message::round::Mode::Lottery) => Some(Mode::Lottery),
        Ok(message::round::Mode::Unspecified) | Err(_) => None,
    };
    let rule = "must be MODE_FIRST_COME, MODE_RANKED or MODE_LOTTERY";
    let mode = violations.field("mode", mode.ok_or(rule));
    let siblings = drawn::parse::siblings(&mut violations, request.siblings);
    let sources = drawn::parse::sources(&mut violations, &request.sources);
    let rules = drawn::parse::rules(&mut violations, &request.sections);
    if mode == Some(Mode::FirstCome) {
        for (field, is_empty) in [
            ("siblings", request.siblings == 0),
            ("sources", request.sources.is_empty()),
            ("sections", request.sections.is_empty()),
        ] {
            violations.check(field, is_empty, "is for rounds that are drawn");
        }
    }
    let open_at = violations.field("open_time", moment(request.open_time.as_ref()));
    let close_at = violations.field("close_time", moment(request.close_time.as_ref()));
    if let (Some(open_at), Some(close_at)) = (open_at, close_at) {
        violations.check("close_time", open_at < close_at, "must be after open_time");
    }
    let review_seconds =
        seconds(&mut violations, "review_seconds", request.review_seconds, 604_800, 2_592_000);
    let payment_seconds =
        seconds(&mut violations, "payment_seconds", request.payment_seconds, 1_800, 604_800);
    let tie_seconds = (request.tie_seconds != 0).then_some(request.tie_seconds);
    if let Some(tie_seconds) = tie_seconds {
        let within = |open_at: Moment, close_at| open_at + TimeDelta::seconds(tie_seconds.into()) <= close_at;
        let is_fit = (60..=86_400).contains(&tie_seconds)
            && open_at.zip(close_at).is_none_or(|(open_at, close_at)| within(open_at, close_at));
        violations.check("tie_seconds", is_fit, "must be 60 to 86400 and end with the round, or 0");
        let is_drawn = mode.is_some_and(Mode::is_drawn);
        violations.check("tie_seconds", !is_drawn, "is for rounds that are not drawn");
    }
    match (request_id, term_id, mode, open_at, close_at) {
        (Some(request_id), Some(term_id), Some(mode), Some(open_at), Some(close_at))
            if violations.is_empty() =>
        {
            Ok(Parsed {
                request_id,
                round_id,
                term_id,
                mode,
                siblings,
                sources,
                rules,
                open_at,
                close_at,
                waits: Waits { review_seconds, payment_seconds },
                tie_seconds,
            })
        }
        _ => Err(status::invalid(&violations)),
    }
}

pub(super) fn moment(time: Option<&prost_types::Timestamp>) -> Result<Moment, &'static str> {
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
async fn check_tariff(rpc: &EnrollmentRpc, ruling: &Ruling, term: &Term) -> Result<(), Status> {
    match ruling.fee {
        Fee::Free => return Ok(()),
        Fee::Charged => {}
    }
    let request = GetTariffRequest { term_id: term.id.to_string() };
    match rpc.billing.clone().get_tariff(request).await {
        Ok(_) => Ok(()),
        Err(refusal) if refusal.code() == Code::NotFound => Err(status::refused("TARIFF_NOT_PUBLISHED", &[])),
        Err(refusal) => {
            tracing::warn!(code = ?refusal.code(), "billing could not be asked for a tariff: {}", refusal.message());
            Err(status::unavailable("BILLING_UNAVAILABLE"))
        }
    }
}

async fn open(
    rpc: &EnrollmentRpc,
    policy: &Policy,
    ruling: &Ruling,
    key: &RequestKey,
    parsed: &Parsed,
) -> Result<OpenRoundResponse, Status> {
    let tx = rpc.db.begin().await?;
    let claim = match request::claim(&tx, key, rpc.clock.now()).await? {
        Claimed::First(claim) => claim,
        Claimed::Again(answer) => return Ok(answer),
    };
    let term = store::term::lock(&tx, parsed.term_id).await?;
    let term = term.ok_or_else(|| status::not_found("term", parsed.term_id))?;
    let others = store::round::list(&tx, &[term.id]).await?;
    let mut sections = store::section::list_published(&tx, term.id).await?;
    if parsed.mode.is_drawn() {
        sections.retain(|section| !section.seats.basic_care);
    }
    let now = rpc.clock.now();
    if let Some(id) = parsed.round_id
        && store::round::find(&tx, id).await?.is_some()
    {
        return Err(drawn::error::id_used(id));
    }
    let opened = Round {
        id: parsed.round_id.unwrap_or_else(|| random::id(now)),
        district_id: term.district_id,
        school_id: term.school_id,
        term_id: term.id,
        mode: parsed.mode,
        open_at: parsed.open_at,
        close_at: parsed.close_at,
        waits: parsed.waits,
        ties: parsed.tie_seconds.map(|seconds| Ties {
            seconds,
            until: parsed.open_at + TimeDelta::seconds(seconds.into()),
            is_decided: false,
        }),
        state: State::Opened,
    };
    if opened.ties.is_some() && round::draw_before(&opened, &others).is_none() {
        let mut violations = Violations::default();
        violations.check("tie_seconds", false, "is for rounds after one that is drawn");
        return Err(status::invalid(&violations));
    }
    let section_count = u64::try_from(sections.len()).unwrap_or(u64::MAX);
    round::open(&opened, &others, section_count).map_err(|error| error::round(&error))?;
    let in_force = store::agreement::in_force(&tx, term.id).await?;
    agreement::open(ruling.asks_agreement, in_force.as_ref()).map_err(|error| error::agreement(&error))?;
    store::round::insert(&tx, &opened, now).await?;
    store::offer::save(&tx, term.district_id, term.id, &offer::Rule::of(policy)).await?;
    if opened.mode.is_drawn() {
        store::section::take_into_draw(&tx, term.id).await?;
        let groups: Vec<_> =
            policy::enroll::priority_groups(policy).iter().map(|group| group.key.clone()).collect();
        let sources = parsed.sources.clone();
        let terms = terms::open(&opened, parsed.siblings, sources, &sections, &parsed.rules, &groups);
        let terms = terms.map_err(|problems| drawn::error::settings(&problems))?;
        store::draw::insert(&tx, &opened, &terms, "", now).await?;
    }
    let act = store::draw::find(&tx, &opened, None).await?;
    let round = convert::round(&opened, &term.path, act.as_ref(), &[]);
    let silent_keys = offer::Rule::silent_keys(policy).into_iter().map(str::to_owned).collect();
    let response = OpenRoundResponse { round: Some(round), silent_keys };
    claim.answer(&tx, &response).await?;
    tx.commit().await?;
    Ok(response)
}
