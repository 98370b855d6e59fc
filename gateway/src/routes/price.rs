//! Prices of single courses, end slots, sharing plans, cost sheets.

use axum::extract::State;
use chrono::{DateTime, Utc};
use proto::billing::v1 as pb;
use proto::billing::v1::price_service_client::PriceServiceClient;
use serde::{Deserialize, Serialize};
use shared::client::Link;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use super::billing::{Clause, clauses};
use super::{ANSWER_BYTES, Answer, IdempotencyHeader, PageAsked};
use crate::Edge;
use crate::convert::{moment, word};
use crate::problem::Problem;
use crate::read::{Asked, At, IdempotencyKey, Json};
use crate::session::Session;

pub(super) fn routes() -> OpenApiRouter<Edge> {
    OpenApiRouter::new()
        .routes(routes!(publish_section_price))
        .routes(routes!(submit_cost_sheet, list_cost_sheets))
        .routes(routes!(decide_cost_sheet))
}

type Client = PriceServiceClient<Link>;

fn client(edge: &Edge, session: &Session) -> Client {
    Client::new(session.link(&edge.links.billing)).max_decoding_message_size(ANSWER_BYTES)
}

/// An end slot of a school and what a month costs for those who stay to it.
#[derive(Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct EndSlot {
    /// When it ends at the latest, `HH:MM`.
    end_time: String,
    /// What a month costs in fen, all earlier slots included.
    amount_fen: i64,
}

impl From<pb::EndSlot> for EndSlot {
    fn from(slot: pb::EndSlot) -> Self {
        Self { end_time: slot.end_time, amount_fen: slot.amount_fen }
    }
}

impl From<EndSlot> for pb::EndSlot {
    fn from(slot: EndSlot) -> Self {
        Self { end_time: slot.end_time, amount_fen: slot.amount_fen }
    }
}

/// How government, school and parents share one unit of the price.
#[derive(Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SharingPlan {
    /// The government's part in fen.
    government_fen: i64,
    /// The school's part in fen.
    school_fen: i64,
    /// The parents' part in fen: the price itself.
    parents_fen: i64,
}

impl From<pb::SharingPlan> for SharingPlan {
    fn from(plan: pb::SharingPlan) -> Self {
        let pb::SharingPlan { government_fen, school_fen, parents_fen } = plan;
        Self { government_fen, school_fen, parents_fen }
    }
}

impl From<SharingPlan> for pb::SharingPlan {
    fn from(plan: SharingPlan) -> Self {
        let SharingPlan { government_fen, school_fen, parents_fen } = plan;
        Self { government_fen, school_fen, parents_fen }
    }
}

/// The price of a section that has one of its own, for its term.
#[derive(Serialize, ToSchema)]
pub(super) struct SectionPrice {
    /// The price's id.
    id: String,
    /// The section.
    section_id: String,
    /// The section's title.
    title: String,
    /// What it costs a pupil in the term, in fen.
    amount_fen: i64,
    /// The approving document.
    approval_document: String,
    /// The account parents' money goes to.
    payee_account: String,
}

impl From<pb::SectionPrice> for SectionPrice {
    fn from(price: pb::SectionPrice) -> Self {
        Self {
            id: price.id,
            section_id: price.section_id,
            title: price.title,
            amount_fen: price.amount_fen,
            approval_document: price.approval_document,
            payee_account: price.payee_account,
        }
    }
}

/// The price of a section to be published.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewSectionPrice {
    /// What it costs a pupil in the term, in fen, 1 or more.
    amount_fen: i64,
    /// The approving document; absent where none is asked for.
    #[serde(default)]
    approval_document: String,
}

/// A section's price and what it was judged by.
#[derive(Serialize, ToSchema)]
struct SectionPriceExplained {
    /// The price.
    section_price: Option<SectionPrice>,
    /// What it was judged by.
    clauses: Vec<Clause>,
}

/// Publishes the price of a section that has one of its own.
#[utoipa::path(post, path = "/v1/sections/{section_id}/price", tag = "billing", security(("session" = [])),
    params(("section_id" = Uuid, Path), IdempotencyHeader), request_body = NewSectionPrice,
    responses((status = 200, body = SectionPriceExplained), (status = "default", body = Problem)))]
async fn publish_section_price(
    State(edge): State<Edge>,
    session: Session,
    key: IdempotencyKey,
    At(section_id): At<Uuid>,
    Json(body): Json<NewSectionPrice>,
) -> Answer<SectionPriceExplained> {
    let request = pb::PublishSectionPriceRequest {
        request_id: key.text(),
        section_id: section_id.to_string(),
        amount_fen: body.amount_fen,
        approval_document: body.approval_document,
    };
    let answer = client(&edge, &session).publish_section_price(request).await?.into_inner();
    Ok(axum::Json(SectionPriceExplained {
        section_price: answer.section_price.map(Into::into),
        clauses: clauses(answer.clauses),
    }))
}

/// One item of a cost sheet.
#[derive(Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct CostItem {
    /// What the money is for.
    name: String,
    /// How much in the term, in fen.
    amount_fen: i64,
}

/// A cost sheet to be submitted.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewCostSheet {
    /// The section it is for; absent when it is for the school's service as a whole.
    section_id: Option<Uuid>,
    /// What is spent, 1 to 40 items.
    items: Vec<CostItem>,
    /// How many pupils it was worked out for.
    pupil_count: i32,
}

/// What the service of a school, or one of its courses, costs in a term.
#[derive(Serialize, ToSchema)]
struct CostSheet {
    /// The sheet's id.
    id: String,
    /// The term.
    term_id: String,
    /// The section it is for; empty when it is for the school's service as a whole.
    section_id: String,
    /// What is spent.
    items: Vec<CostItem>,
    /// What is spent in all, in fen.
    total_fen: i64,
    /// How many pupils it was worked out for.
    pupil_count: i32,
    /// `submitted`, `approved` or `rejected`.
    state: String,
    /// Why it was rejected; empty otherwise.
    rejection_reason: String,
    /// When it was submitted.
    create_time: Option<DateTime<Utc>>,
}

impl From<pb::CostSheet> for CostSheet {
    fn from(sheet: pb::CostSheet) -> Self {
        let item = |item: pb::cost_sheet::Item| CostItem { name: item.name, amount_fen: item.amount_fen };
        Self {
            state: word(sheet.state().as_str_name(), "STATE_"),
            create_time: moment(sheet.create_time),
            id: sheet.id,
            term_id: sheet.term_id,
            section_id: sheet.section_id,
            items: sheet.items.into_iter().map(item).collect(),
            total_fen: sheet.total_fen,
            pupil_count: sheet.pupil_count,
            rejection_reason: sheet.rejection_reason,
        }
    }
}

/// One cost sheet.
#[derive(Serialize, ToSchema)]
struct CostSheetShown {
    /// The sheet.
    cost_sheet: Option<CostSheet>,
}

/// Submits what the service of a school, or one of its courses, costs in a term.
#[utoipa::path(post, path = "/v1/terms/{term_id}/cost-sheets", tag = "billing", security(("session" = [])),
    params(("term_id" = Uuid, Path), IdempotencyHeader), request_body = NewCostSheet,
    responses((status = 200, body = CostSheetShown), (status = "default", body = Problem)))]
async fn submit_cost_sheet(
    State(edge): State<Edge>,
    session: Session,
    key: IdempotencyKey,
    At(term_id): At<Uuid>,
    Json(body): Json<NewCostSheet>,
) -> Answer<CostSheetShown> {
    let item = |item: CostItem| pb::cost_sheet::Item { name: item.name, amount_fen: item.amount_fen };
    let request = pb::SubmitCostSheetRequest {
        request_id: key.text(),
        term_id: term_id.to_string(),
        section_id: body.section_id.map(|id| id.to_string()).unwrap_or_default(),
        items: body.items.into_iter().map(item).collect(),
        pupil_count: body.pupil_count,
    };
    let answer = client(&edge, &session).submit_cost_sheet(request).await?.into_inner();
    Ok(axum::Json(CostSheetShown { cost_sheet: answer.cost_sheet.map(Into::into) }))
}

/// The cost sheets of a term.
#[derive(Serialize, ToSchema)]
struct CostSheets {
    /// The sheets, newest first.
    cost_sheets: Vec<CostSheet>,
    /// For the next page; empty when this is the last.
    next_page_token: String,
}

/// Lists the cost sheets of a term, newest first.
#[utoipa::path(get, path = "/v1/terms/{term_id}/cost-sheets", tag = "billing", security(("session" = [])),
    params(("term_id" = Uuid, Path), PageAsked),
    responses((status = 200, body = CostSheets), (status = "default", body = Problem)))]
async fn list_cost_sheets(
    State(edge): State<Edge>,
    session: Session,
    At(term_id): At<Uuid>,
    Asked(page): Asked<PageAsked>,
) -> Answer<CostSheets> {
    let request = pb::ListCostSheetsRequest {
        term_id: term_id.to_string(),
        page_size: page.page_size,
        page_token: page.page_token,
    };
    let answer = client(&edge, &session).list_cost_sheets(request).await?.into_inner();
    Ok(axum::Json(CostSheets {
        cost_sheets: answer.cost_sheets.into_iter().map(Into::into).collect(),
        next_page_token: answer.next_page_token,
    }))
}

/// A decision on a cost sheet.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct CostSheetDecision {
    /// Whether prices may rest on it.
    approved: bool,
    /// Why it is rejected; required then.
    #[serde(default)]
    reason: String,
}

/// Decides a cost sheet.
#[utoipa::path(post, path = "/v1/cost-sheets/{cost_sheet_id}/decision", tag = "billing", security(("session" = [])),
    params(("cost_sheet_id" = Uuid, Path), IdempotencyHeader), request_body = CostSheetDecision,
    responses((status = 200, body = CostSheetShown), (status = "default", body = Problem)))]
async fn decide_cost_sheet(
    State(edge): State<Edge>,
    session: Session,
    key: IdempotencyKey,
    At(cost_sheet_id): At<Uuid>,
    Json(body): Json<CostSheetDecision>,
) -> Answer<CostSheetShown> {
    let request = pb::DecideCostSheetRequest {
        request_id: key.text(),
        cost_sheet_id: cost_sheet_id.to_string(),
        approved: body.approved,
        reason: body.reason,
    };
    let answer = client(&edge, &session).decide_cost_sheet(request).await?.into_inner();
    Ok(axum::Json(CostSheetShown { cost_sheet: answer.cost_sheet.map(Into::into) }))
}
