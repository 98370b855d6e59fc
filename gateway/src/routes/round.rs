//! Drawn rounds: the draw, receipts; extending and calling off.

use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use chrono::{DateTime, Utc};
use http::{HeaderValue, header};
use proto::enrollment::v1 as pb;
use proto::enrollment::v1::round_service_client::RoundServiceClient;
use serde::{Deserialize, Serialize};
use shared::client::Link;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use super::enrollment::Round;
use super::{ANSWER_BYTES, Answer, IdempotencyHeader};
use crate::Edge;
use crate::convert::{moment, number, timestamp, word};
use crate::problem::{Problem, Refusal};
use crate::read::{Asked, At, IdempotencyKey, Json};
use crate::session::Session;

pub(super) fn routes() -> OpenApiRouter<Edge> {
    OpenApiRouter::new()
        .routes(routes!(enter_draw_values))
        .routes(routes!(get_draw, draw_round))
        .routes(routes!(get_draw_bundle))
        .routes(routes!(get_draw_receipt))
        .routes(routes!(repeat_draw))
        .routes(routes!(rehearse_round))
        .routes(routes!(extend_round))
        .routes(routes!(cancel_round))
}

type Client = RoundServiceClient<Link>;

pub(super) fn client(edge: &Edge, session: &Session) -> Client {
    Client::new(session.link(&edge.links.enrollment)).max_decoding_message_size(ANSWER_BYTES)
}

/// Where a part of the seed comes from: named before the lists are closed, known only afterwards. One of `decimal_digit_count`,
/// `hex_digit_count` and `contribution_seal`.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SeedSource {
    /// Its name, distinct within the act.
    name: String,
    /// What will be announced, where and when.
    what: String,
    /// Bits of entropy it is taken to have.
    bits: i32,
    /// How many decimal digits are announced.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    decimal_digit_count: Option<i32>,
    /// How many hexadecimal digits are announced.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    hex_digit_count: Option<i32>,
    /// The seal of 32 bytes somebody chose.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    contribution_seal: Option<String>,
}

impl SeedSource {
    /// As the contracts carry it, with no kind where there is not exactly one.
    pub(super) fn into_message(self) -> pb::SeedSource {
        use pb::seed_source::Kind;
        let kinds = [
            self.decimal_digit_count.map(Kind::DecimalDigitCount),
            self.hex_digit_count.map(Kind::HexDigitCount),
            self.contribution_seal.map(Kind::ContributionSeal),
        ];
        let mut kinds: Vec<_> = kinds.into_iter().flatten().collect();
        let kind = if kinds.len() == 1 { kinds.pop() } else { None };
        pb::SeedSource { name: self.name, what: self.what, bits: self.bits, kind }
    }
}

impl From<pb::SeedSource> for SeedSource {
    fn from(source: pb::SeedSource) -> Self {
        use pb::seed_source::Kind;
        let (mut decimal_digit_count, mut hex_digit_count, mut contribution_seal) = (None, None, None);
        match source.kind {
            Some(Kind::DecimalDigitCount(count)) => decimal_digit_count = Some(count),
            Some(Kind::HexDigitCount(count)) => hex_digit_count = Some(count),
            Some(Kind::ContributionSeal(seal)) => contribution_seal = Some(seal),
            None => {}
        }
        Self {
            name: source.name,
            what: source.what,
            bits: source.bits,
            decimal_digit_count,
            hex_digit_count,
            contribution_seal,
        }
    }
}

/// Seats that go first to a group; those it leaves are open to all.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SeatReserve {
    /// The key of the priority group.
    group: String,
    /// How many seats.
    seat_count: i32,
}

/// Groups that stand alike in a section's order.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Tier {
    /// Keys of priority groups.
    groups: Vec<String>,
}

/// How the seats of a section are drawn.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SectionRule {
    /// The section.
    section_id: String,
    /// Who comes first.
    #[serde(default)]
    tiers: Vec<Tier>,
    /// Seats kept for groups, in this order.
    #[serde(default)]
    reserves: Vec<SeatReserve>,
}

impl SectionRule {
    pub(super) fn into_message(self) -> pb::SectionRule {
        let reserve = |one: SeatReserve| pb::SeatReserve { group: one.group, seat_count: one.seat_count };
        pb::SectionRule {
            section_id: self.section_id,
            tiers: self.tiers.into_iter().map(|tier| pb::Tier { groups: tier.groups }).collect(),
            reserves: self.reserves.into_iter().map(reserve).collect(),
        }
    }
}

impl From<pb::SectionRule> for SectionRule {
    fn from(rule: pb::SectionRule) -> Self {
        let reserve = |one: pb::SeatReserve| SeatReserve { group: one.group, seat_count: one.seat_count };
        Self {
            section_id: rule.section_id,
            tiers: rule.tiers.into_iter().map(|tier| Tier { groups: tier.groups }).collect(),
            reserves: rule.reserves.into_iter().map(reserve).collect(),
        }
    }
}

/// Sections a pupil gets at most one of.
#[derive(Serialize, ToSchema)]
pub(super) struct DrawSlot {
    /// Its times.
    code: String,
    /// Its sections.
    section_ids: Vec<String>,
}

/// What a round is drawn by.
#[derive(Serialize, ToSchema)]
pub(super) struct DrawSettings {
    /// `apart` or `together`.
    siblings: String,
    /// Where the seed comes from.
    sources: Vec<SeedSource>,
    /// The draw slots.
    slots: Vec<DrawSlot>,
    /// Every section of the round.
    sections: Vec<SectionRule>,
}

impl From<pb::DrawSettings> for DrawSettings {
    fn from(settings: pb::DrawSettings) -> Self {
        let slot = |slot: pb::DrawSlot| DrawSlot { code: slot.code, section_ids: slot.section_ids };
        Self {
            siblings: word(settings.siblings().as_str_name(), "SIBLINGS_"),
            sources: settings.sources.into_iter().map(Into::into).collect(),
            slots: settings.slots.into_iter().map(slot).collect(),
            sections: settings.sections.into_iter().map(Into::into).collect(),
        }
    }
}

/// A change of a round that was opened.
#[derive(Serialize, ToSchema)]
pub(super) struct RoundChange {
    /// `extended`, `cancelled` or `repeated`.
    kind: String,
    /// Why.
    reason: String,
    /// When.
    change_time: Option<DateTime<Utc>>,
    /// When the round closes since then.
    close_time: Option<DateTime<Utc>>,
}

impl From<pb::RoundChange> for RoundChange {
    fn from(change: pb::RoundChange) -> Self {
        Self {
            kind: word(change.kind().as_str_name(), "KIND_"),
            change_time: moment(change.change_time),
            close_time: moment(change.close_time),
            reason: change.reason,
        }
    }
}

/// Values of the sources as they were entered once.
#[derive(Serialize, ToSchema)]
struct EnteredValues {
    /// One for each source, in their order.
    values: Vec<String>,
    /// When.
    enter_time: Option<DateTime<Utc>>,
}

/// The last number admitted in one line of a section.
#[derive(Serialize, ToSchema)]
struct DrawCutoff {
    /// The group the seats are kept for; empty for the open seats.
    reserve_group: String,
    /// The tier, from 0.
    tier: i32,
    /// How many were admitted.
    admitted_count: i32,
    /// The largest number among them.
    last_number: i32,
}

/// What a draw came to in one section.
#[derive(Serialize, ToSchema)]
struct SectionDraw {
    /// The section.
    section_id: String,
    /// The draw slot.
    slot_code: String,
    /// Its seats, those confirmed before the draw included.
    capacity_count: i32,
    /// Seats that were drawn.
    seat_count: i32,
    /// Pupils admitted.
    admitted_count: i32,
    /// Wishes refused.
    refused_count: i32,
    /// The last number of each line.
    cutoffs: Vec<DrawCutoff>,
}

/// One act of a round's draw. It names nobody.
#[derive(Serialize, ToSchema)]
struct Draw {
    /// The round.
    round_id: String,
    /// The number of the act, from 1.
    act: i32,
    /// `opened`, `committed`, `drawn` or `abandoned`.
    state: String,
    /// Why there is this act; empty for the first.
    reason: String,
    /// What it is drawn by.
    settings: Option<DrawSettings>,
    /// The root of the closed lists; empty while they are open.
    root: String,
    /// The root of the act before.
    previous_root: String,
    /// When the lists were committed.
    commit_time: Option<DateTime<Utc>>,
    /// How many pupils are on the lists.
    pupil_count: i32,
    /// The values of the sources, every time they were entered; the last ones count.
    values: Vec<EnteredValues>,
    /// When it was drawn.
    draw_time: Option<DateTime<Utc>>,
    /// The seed.
    seed: String,
    /// The digest of the outcome.
    outcome_digest: String,
    /// What each section came to.
    sections: Vec<SectionDraw>,
}

impl From<pb::Draw> for Draw {
    fn from(draw: pb::Draw) -> Self {
        let entered =
            |one: pb::EnteredValues| EnteredValues { enter_time: moment(one.enter_time), values: one.values };
        let cutoff = |line: pb::DrawCutoff| DrawCutoff {
            reserve_group: line.reserve_group,
            tier: line.tier,
            admitted_count: line.admitted_count,
            last_number: line.last_number,
        };
        let section = |one: pb::SectionDraw| SectionDraw {
            section_id: one.section_id,
            slot_code: one.slot_code,
            capacity_count: one.capacity_count,
            seat_count: one.seat_count,
            admitted_count: one.admitted_count,
            refused_count: one.refused_count,
            cutoffs: one.cutoffs.into_iter().map(cutoff).collect(),
        };
        Self {
            state: word(draw.state().as_str_name(), "STATE_"),
            commit_time: moment(draw.commit_time),
            draw_time: moment(draw.draw_time),
            round_id: draw.round_id,
            act: draw.act,
            reason: draw.reason,
            settings: draw.settings.map(Into::into),
            root: draw.root,
            previous_root: draw.previous_root,
            pupil_count: draw.pupil_count,
            values: draw.values.into_iter().map(entered).collect(),
            seed: draw.seed,
            outcome_digest: draw.outcome_digest,
            sections: draw.sections.into_iter().map(section).collect(),
        }
    }
}

/// Values of the sources.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewValues {
    /// One for each source of the last act, in their order.
    values: Vec<String>,
}

/// Enters the values of the sources once they are known.
#[utoipa::path(post, path = "/v1/rounds/{round_id}/values", tag = "enrollment", security(("session" = [])),
    params(("round_id" = Uuid, Path), IdempotencyHeader), request_body = NewValues,
    responses((status = 200, body = Draw), (status = "default", body = Problem)))]
async fn enter_draw_values(
    State(edge): State<Edge>,
    session: Session,
    key: IdempotencyKey,
    At(round_id): At<Uuid>,
    Json(body): Json<NewValues>,
) -> Answer<Draw> {
    let request = pb::EnterValuesRequest {
        request_id: key.text(),
        round_id: round_id.to_string(),
        values: body.values,
    };
    let answer = client(&edge, &session).enter_values(request).await?.into_inner();
    Ok(axum::Json(answer.draw.unwrap_or_default().into()))
}

/// Draws, and gives the seats.
#[utoipa::path(post, path = "/v1/rounds/{round_id}/draw", tag = "enrollment", security(("session" = [])),
    params(("round_id" = Uuid, Path), IdempotencyHeader),
    responses((status = 200, body = Draw), (status = "default", body = Problem)))]
async fn draw_round(
    State(edge): State<Edge>,
    session: Session,
    key: IdempotencyKey,
    At(round_id): At<Uuid>,
) -> Answer<Draw> {
    let request = pb::DrawRoundRequest { request_id: key.text(), round_id: round_id.to_string() };
    let answer = client(&edge, &session).draw_round(request).await?.into_inner();
    Ok(axum::Json(answer.draw.unwrap_or_default().into()))
}

/// Which act is wanted.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ActAsked {
    /// The number of the act, from 1; the last when absent.
    #[serde(default)]
    act: i32,
}

/// Gives an act of a round's draw. For everybody.
#[utoipa::path(get, path = "/v1/rounds/{round_id}/draw", tag = "enrollment",
    params(("round_id" = Uuid, Path), ActAsked),
    responses((status = 200, body = Draw), (status = "default", body = Problem)))]
async fn get_draw(
    State(edge): State<Edge>,
    At(round_id): At<Uuid>,
    Asked(asked): Asked<ActAsked>,
) -> Answer<Draw> {
    let request = pb::GetDrawRequest { round_id: round_id.to_string(), act: asked.act };
    let answer = Client::new(edge.public.enrollment.clone()).get_draw(request).await?.into_inner();
    Ok(axum::Json(answer.draw.unwrap_or_default().into()))
}

/// Gives all that is published of an act: the document from which anybody can repeat the draw.
#[utoipa::path(get, path = "/v1/rounds/{round_id}/draw/bundle", tag = "enrollment", security(("session" = [])),
    params(("round_id" = Uuid, Path), ActAsked),
    responses((status = 200, content_type = "application/octet-stream"), (status = "default", body = Problem)))]
async fn get_draw_bundle(
    State(edge): State<Edge>,
    session: Session,
    At(round_id): At<Uuid>,
    Asked(asked): Asked<ActAsked>,
) -> Result<Response, Refusal> {
    let request = pb::GetDrawBundleRequest { round_id: round_id.to_string(), act: asked.act };
    let answer = client(&edge, &session).get_draw_bundle(request).await?.into_inner();
    let mut response = answer.content.into_response();
    let headers = response.headers_mut();
    // A file to be kept: a verifier reads its bytes as they are.
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
    headers.insert(
        header::CONTENT_DISPOSITION,
        HeaderValue::from_static("attachment; filename=\"bundle.json\""),
    );
    Ok(response)
}

/// What became of one wish.
#[derive(Serialize, ToSchema)]
struct WishResult {
    /// The section.
    section_id: String,
    /// The section's title.
    section_title: String,
    /// The draw slot; empty when it took no part.
    slot_code: String,
    /// `admitted`, `refused`, `not_needed`, `left_out`, `unseated` or `pending`.
    outcome: String,
    /// The pupil's number in the slot; 0 before the draw.
    number: i32,
    /// Why it was refused, in Chinese.
    sentence_zh: String,
    /// Why it was refused, in English.
    sentence_en: String,
}

/// What a family keeps of an act.
#[derive(Serialize, ToSchema)]
struct DrawReceipt {
    /// The number of the act.
    act: i32,
    /// The receipt, a JSON document as text: root, key, entry, proof.
    receipt_json: String,
    /// What became of each wish, in the order of the lists handed in.
    results: Vec<WishResult>,
}

/// Gives what a family keeps of an act, and what became of each wish.
#[utoipa::path(get, path = "/v1/rounds/{round_id}/draw/receipt/{pupil_id}", tag = "enrollment",
    security(("session" = [])), params(("round_id" = Uuid, Path), ("pupil_id" = Uuid, Path), ActAsked),
    responses((status = 200, body = DrawReceipt), (status = "default", body = Problem)))]
async fn get_draw_receipt(
    State(edge): State<Edge>,
    session: Session,
    At((round_id, pupil_id)): At<(Uuid, Uuid)>,
    Asked(asked): Asked<ActAsked>,
) -> Answer<DrawReceipt> {
    let request = pb::GetDrawReceiptRequest {
        round_id: round_id.to_string(),
        act: asked.act,
        pupil_id: pupil_id.to_string(),
    };
    let answer = client(&edge, &session).get_draw_receipt(request).await?.into_inner();
    let result = |one: pb::WishResult| WishResult {
        outcome: word(one.outcome().as_str_name(), "OUTCOME_"),
        section_id: one.section_id,
        section_title: one.section_title,
        slot_code: one.slot_code,
        number: one.number,
        sentence_zh: one.sentence_zh,
        sentence_en: one.sentence_en,
    };
    Ok(axum::Json(DrawReceipt {
        act: answer.act,
        receipt_json: answer.receipt_json,
        results: answer.results.into_iter().map(result).collect(),
    }))
}

/// Another act of a draw.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewAct {
    /// Why, for the families.
    reason: String,
    /// Where its seed comes from.
    sources: Vec<SeedSource>,
}

/// Begins another act of the draw with other sources. Nobody who has a seat is moved.
#[utoipa::path(post, path = "/v1/rounds/{round_id}/repeat", tag = "enrollment", security(("session" = [])),
    params(("round_id" = Uuid, Path), IdempotencyHeader), request_body = NewAct,
    responses((status = 200, body = Draw), (status = "default", body = Problem)))]
async fn repeat_draw(
    State(edge): State<Edge>,
    session: Session,
    key: IdempotencyKey,
    At(round_id): At<Uuid>,
    Json(body): Json<NewAct>,
) -> Answer<Draw> {
    let request = pb::RepeatDrawRequest {
        request_id: key.text(),
        round_id: round_id.to_string(),
        reason: body.reason,
        sources: body.sources.into_iter().map(SeedSource::into_message).collect(),
    };
    let answer = client(&edge, &session).repeat_draw(request).await?.into_inner();
    Ok(axum::Json(answer.draw.unwrap_or_default().into()))
}

/// What a rehearsal is tried on.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct BasisAsked {
    /// `wishes`: those handed in so far; `last_term`: who was in courses of the same titles.
    basis: String,
}

/// What may be expected of a section.
#[derive(Serialize, ToSchema)]
struct SectionForecast {
    /// The section.
    section_id: String,
    /// The section's title.
    section_title: String,
    /// Seats that would be drawn.
    seat_count: i32,
    /// Pupils who wish for it at all.
    wished_count: i32,
    /// Pupils who wish for it first.
    first_count: i32,
    /// Of a thousand pupils who wish for it first, how many would get it.
    chance_permille: i32,
}

/// A rehearsal: no seat follows from it.
#[derive(Serialize, ToSchema)]
struct Rehearsal {
    /// How many pupils were on the lists.
    pupil_count: i32,
    /// How often the draw was tried.
    run_count: i32,
    /// Every section of the round.
    sections: Vec<SectionForecast>,
}

/// Tries the draw out on lists at hand. Nothing follows from it.
#[utoipa::path(get, path = "/v1/rounds/{round_id}/rehearsal", tag = "enrollment", security(("session" = [])),
    params(("round_id" = Uuid, Path), BasisAsked),
    responses((status = 200, body = Rehearsal), (status = "default", body = Problem)))]
async fn rehearse_round(
    State(edge): State<Edge>,
    session: Session,
    At(round_id): At<Uuid>,
    Asked(asked): Asked<BasisAsked>,
) -> Answer<Rehearsal> {
    let basis = number("basis", &asked.basis, "BASIS_", |name| {
        pb::rehearse_round_request::Basis::from_str_name(name).map(Into::into)
    })?;
    let request = pb::RehearseRoundRequest { round_id: round_id.to_string(), basis };
    let answer = client(&edge, &session).rehearse_round(request).await?.into_inner();
    let section = |one: pb::SectionForecast| SectionForecast {
        section_id: one.section_id,
        section_title: one.section_title,
        seat_count: one.seat_count,
        wished_count: one.wished_count,
        first_count: one.first_count,
        chance_permille: one.chance_permille,
    };
    Ok(axum::Json(Rehearsal {
        pupil_count: answer.pupil_count,
        run_count: answer.run_count,
        sections: answer.sections.into_iter().map(section).collect(),
    }))
}

/// A later end of a round.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Extension {
    /// When it closes from now on.
    close_time: DateTime<Utc>,
    /// Why, for the families.
    reason: String,
}

/// Lets a round close later.
#[utoipa::path(post, path = "/v1/rounds/{round_id}/extend", tag = "enrollment", security(("session" = [])),
    params(("round_id" = Uuid, Path), IdempotencyHeader), request_body = Extension,
    responses((status = 200, body = Round), (status = "default", body = Problem)))]
async fn extend_round(
    State(edge): State<Edge>,
    session: Session,
    key: IdempotencyKey,
    At(round_id): At<Uuid>,
    Json(body): Json<Extension>,
) -> Answer<Round> {
    let request = pb::ExtendRoundRequest {
        request_id: key.text(),
        round_id: round_id.to_string(),
        close_time: Some(timestamp(body.close_time)),
        reason: body.reason,
    };
    let answer = client(&edge, &session).extend_round(request).await?.into_inner();
    Ok(axum::Json(answer.round.unwrap_or_default().into()))
}

/// The end of a round before its time.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Cancellation {
    /// Why, for the families.
    reason: String,
}

/// Calls a round off.
#[utoipa::path(post, path = "/v1/rounds/{round_id}/cancel", tag = "enrollment", security(("session" = [])),
    params(("round_id" = Uuid, Path), IdempotencyHeader), request_body = Cancellation,
    responses((status = 200, body = Round), (status = "default", body = Problem)))]
async fn cancel_round(
    State(edge): State<Edge>,
    session: Session,
    key: IdempotencyKey,
    At(round_id): At<Uuid>,
    Json(body): Json<Cancellation>,
) -> Answer<Round> {
    let request = pb::CancelRoundRequest {
        request_id: key.text(),
        round_id: round_id.to_string(),
        reason: body.reason,
    };
    let answer = client(&edge, &session).cancel_round(request).await?.into_inner();
    Ok(axum::Json(answer.round.unwrap_or_default().into()))
}
