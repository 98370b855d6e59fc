//! Public money, staff pay, spending.

use axum::extract::State;
use chrono::{DateTime, Utc};
use proto::billing::v1 as pb;
use proto::billing::v1::fund_service_client::FundServiceClient;
use serde::{Deserialize, Serialize};
use shared::client::Link;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use super::billing::{Clause, clauses};
use super::{Answer, IdempotencyHeader, PageAsked};
use crate::Edge;
use crate::convert::{moment, number, word};
use crate::problem::{Problem, Refusal};
use crate::read::{Asked, At, IdempotencyKey, Json};
use crate::session::Session;

pub(super) fn routes() -> OpenApiRouter<Edge> {
    OpenApiRouter::new()
        .routes(routes!(get_fund_rules))
        .routes(routes!(quote_grant))
        .routes(routes!(propose_grant))
        .routes(routes!(propose_spending))
        .routes(routes!(propose_pay_sheet))
        .routes(routes!(get_disclosure))
        .routes(routes!(list_fund_entries))
        .routes(routes!(decide_fund_entry))
        .routes(routes!(receive_grant))
        .routes(routes!(reverse_fund_entry))
}

type Client = FundServiceClient<Link>;

fn client(edge: &Edge, session: &Session) -> Client {
    Client::new(session.link(&edge.links.billing))
}

/// Something money may be spent on.
#[derive(Serialize, ToSchema)]
struct Purpose {
    /// Its key.
    key: String,
    /// What the region calls it.
    name_zh: String,
}

/// What the region says of public money, pay and purposes.
#[derive(Serialize, ToSchema)]
struct FundRules {
    /// The grants there are: `per_head`, `scoped`, `floor`, `matching`, `shortfall`, `award`.
    grant_kinds: Vec<String>,
    /// What money may be spent on; empty where nobody has said.
    purposes: Vec<Purpose>,
    /// What all of it rests on.
    clauses: Vec<Clause>,
}

/// Gives what a term's region says of public money, pay and purposes.
#[utoipa::path(get, path = "/v1/terms/{term_id}/fund-rules", tag = "billing", security(("session" = [])),
    params(("term_id" = Uuid, Path)),
    responses((status = 200, body = FundRules), (status = "default", body = Problem)))]
async fn get_fund_rules(
    State(edge): State<Edge>,
    session: Session,
    At(term_id): At<Uuid>,
) -> Answer<FundRules> {
    let request = pb::GetFundRulesRequest { term_id: term_id.to_string() };
    let answer = client(&edge, &session).get_fund_rules(request).await?.into_inner();
    let purpose = |one: pb::get_fund_rules_response::Purpose| Purpose { key: one.key, name_zh: one.name_zh };
    Ok(axum::Json(FundRules {
        grant_kinds: answer.grant_kinds().map(|kind| word(kind.as_str_name(), "KIND_")).collect(),
        purposes: answer.purposes.into_iter().map(purpose).collect(),
        clauses: clauses(answer.clauses),
    }))
}

/// Government money for a school.
#[derive(Serialize, ToSchema)]
struct Grant {
    /// `per_head`, `scoped`, `floor`, `matching`, `shortfall` or `award`.
    kind: String,
    /// The part of the region; empty where it is for all of it.
    scope: String,
    /// The year it is for; 0 where it is for the term.
    year: i32,
    /// Pupils enrolled at the school when it was worked out.
    enrolled_count: i32,
    /// Pupils with a seat of the term when it was worked out.
    participant_count: i32,
    /// What it was worked out from, in fen; 0 where heads alone count.
    base_fen: i64,
    /// The cost that was given, in fen.
    cost_fen: i64,
    /// The amount in fen.
    amount_fen: i64,
}

impl From<pb::Grant> for Grant {
    fn from(one: pb::Grant) -> Self {
        Self {
            kind: word(one.kind().as_str_name(), "KIND_"),
            scope: one.scope,
            year: one.year,
            enrolled_count: one.enrolled_count,
            participant_count: one.participant_count,
            base_fen: one.base_fen,
            cost_fen: one.cost_fen,
            amount_fen: one.amount_fen,
        }
    }
}

/// Money spent on something.
#[derive(Serialize, ToSchema)]
struct Spending {
    /// The purpose's key.
    purpose: String,
    /// What the region calls it.
    purpose_zh: String,
    /// Whom it is paid to.
    payee: String,
    /// The day, `YYYY-MM-DD`.
    day: String,
    /// The amount in fen.
    amount_fen: i64,
}

/// What staff are paid for a month.
#[derive(Serialize, ToSchema)]
struct PaySheet {
    /// The month, `YYYY-MM`.
    month: String,
    /// A line for each person.
    lines: Vec<PayLine>,
    /// Whether it is the term's last.
    is_last: bool,
    /// The whole performance pay it counts in, in fen; 0 where the region caps nothing.
    performance_total_fen: i64,
    /// The guidance line for it, in fen.
    guidance_fen: i64,
    /// The sum in fen.
    amount_fen: i64,
}

/// One person's pay.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct PayLine {
    /// Who, as the school's books name them; once a sheet.
    payee: String,
    /// `internal` or `external`.
    staffing: String,
    /// Class hours, 0 to 300.
    class_hour_count: i32,
    /// For one class hour, in fen; absent takes the stated rate.
    #[serde(default)]
    rate_fen: i64,
    /// The pay in fen; asked only where it is not by the class hour.
    #[serde(default)]
    amount_fen: i64,
}

/// A record of public money or spending.
#[derive(Serialize, ToSchema)]
struct FundEntry {
    /// Its id.
    id: String,
    /// The term.
    term_id: String,
    /// The school.
    school_id: String,
    /// `proposed`, `approved`, `received`, `rejected` or `reversed`.
    state: String,
    /// Government money, when it is that.
    grant: Option<Grant>,
    /// Money spent, when it is that.
    spending: Option<Spending>,
    /// Staff pay, when it is that.
    pay_sheet: Option<PaySheet>,
    /// The document it rests on.
    document: String,
    /// Why it was rejected or reversed.
    reason: String,
    /// The document the money arrived with.
    receipt_document: String,
    /// What the amount rests on.
    clauses: Vec<Clause>,
    /// When it was proposed.
    create_time: Option<DateTime<Utc>>,
}

impl From<pb::FundEntry> for FundEntry {
    fn from(one: pb::FundEntry) -> Self {
        let state = word(one.state().as_str_name(), "STATE_");
        let (mut grant, mut spending, mut pay_sheet) = (None, None, None);
        match one.content {
            Some(pb::fund_entry::Content::Grant(content)) => grant = Some(content.into()),
            Some(pb::fund_entry::Content::Spending(content)) => spending = Some(content.into()),
            Some(pb::fund_entry::Content::PaySheet(content)) => pay_sheet = Some(content.into()),
            None => {}
        }
        Self {
            id: one.id,
            term_id: one.term_id,
            school_id: one.school_id,
            state,
            grant,
            spending,
            pay_sheet,
            document: one.document,
            reason: one.reason,
            receipt_document: one.receipt_document,
            clauses: clauses(one.clauses),
            create_time: moment(one.create_time),
        }
    }
}

impl From<pb::Spending> for Spending {
    fn from(one: pb::Spending) -> Self {
        let pb::Spending { purpose, purpose_zh, payee, day, amount_fen } = one;
        Self { purpose, purpose_zh, payee, day, amount_fen }
    }
}

impl From<pb::PaySheet> for PaySheet {
    fn from(one: pb::PaySheet) -> Self {
        let line = |line: pb::pay_sheet::Line| PayLine {
            staffing: word(line.staffing().as_str_name(), "STAFFING_"),
            payee: line.payee,
            class_hour_count: line.class_hour_count,
            rate_fen: line.rate_fen,
            amount_fen: line.amount_fen,
        };
        Self {
            month: one.month,
            lines: one.lines.into_iter().map(line).collect(),
            is_last: one.is_last,
            performance_total_fen: one.performance_total_fen,
            guidance_fen: one.guidance_fen,
            amount_fen: one.amount_fen,
        }
    }
}

fn kind(text: &str) -> Result<i32, Refusal> {
    number("kind", text, "KIND_", |name| pb::grant::Kind::from_str_name(name).map(Into::into))
}

/// Which grant.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct GrantAsked {
    /// `per_head`, `scoped`, `floor`, `matching`, `shortfall` or `award`.
    kind: String,
    /// The part of the region, for `scoped`.
    #[serde(default)]
    scope: String,
    /// A year the term lies in, where the grant is by the year.
    #[serde(default)]
    year: i32,
    /// The cost of the term, for `shortfall`; the amount, for `award`; in fen.
    #[serde(default)]
    given_fen: i64,
}

/// What a grant comes to, and why.
#[derive(Serialize, ToSchema)]
struct GrantQuote {
    /// The grant.
    grant: Grant,
    /// What it rests on.
    clauses: Vec<Clause>,
}

/// Works a grant out.
#[utoipa::path(get, path = "/v1/terms/{term_id}/grant-quote", tag = "billing", security(("session" = [])),
    params(("term_id" = Uuid, Path), GrantAsked),
    responses((status = 200, body = GrantQuote), (status = "default", body = Problem)))]
async fn quote_grant(
    State(edge): State<Edge>,
    session: Session,
    At(term_id): At<Uuid>,
    Asked(asked): Asked<GrantAsked>,
) -> Answer<GrantQuote> {
    let request = pb::QuoteGrantRequest {
        term_id: term_id.to_string(),
        kind: kind(&asked.kind)?,
        scope: asked.scope,
        year: asked.year,
        given_fen: asked.given_fen,
    };
    let answer = client(&edge, &session).quote_grant(request).await?.into_inner();
    Ok(axum::Json(GrantQuote {
        grant: answer.grant.unwrap_or_default().into(),
        clauses: clauses(answer.clauses),
    }))
}

/// A grant to be proposed.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewGrant {
    /// `per_head`, `scoped`, `floor`, `matching`, `shortfall` or `award`.
    kind: String,
    /// The part of the region, for `scoped`.
    #[serde(default)]
    scope: String,
    /// A year the term lies in, where the grant is by the year.
    #[serde(default)]
    year: i32,
    /// The cost of the term, for `shortfall`; the amount, for `award`; in fen.
    #[serde(default)]
    given_fen: i64,
    /// The document it rests on; needed where `given_fen` is.
    #[serde(default)]
    document: String,
}

/// Proposes a grant as it is worked out now.
#[utoipa::path(post, path = "/v1/terms/{term_id}/grants", tag = "billing", security(("session" = [])),
    params(("term_id" = Uuid, Path), IdempotencyHeader), request_body = NewGrant,
    responses((status = 200, body = FundEntry), (status = "default", body = Problem)))]
async fn propose_grant(
    State(edge): State<Edge>,
    session: Session,
    key: IdempotencyKey,
    At(term_id): At<Uuid>,
    Json(body): Json<NewGrant>,
) -> Answer<FundEntry> {
    let request = pb::ProposeGrantRequest {
        request_id: key.text(),
        term_id: term_id.to_string(),
        kind: kind(&body.kind)?,
        scope: body.scope,
        year: body.year,
        given_fen: body.given_fen,
        document: body.document,
    };
    let answer = client(&edge, &session).propose_grant(request).await?.into_inner();
    Ok(axum::Json(answer.fund_entry.unwrap_or_default().into()))
}

/// Spending to be proposed.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewSpending {
    /// The purpose's key, or what the region calls it.
    purpose: String,
    /// Whom it is paid to.
    payee: String,
    /// The day, `YYYY-MM-DD`.
    day: String,
    /// The amount in fen, 1 or more.
    amount_fen: i64,
    /// The voucher.
    document: String,
}

/// Proposes to spend money.
#[utoipa::path(post, path = "/v1/terms/{term_id}/spending", tag = "billing", security(("session" = [])),
    params(("term_id" = Uuid, Path), IdempotencyHeader), request_body = NewSpending,
    responses((status = 200, body = FundEntry), (status = "default", body = Problem)))]
async fn propose_spending(
    State(edge): State<Edge>,
    session: Session,
    key: IdempotencyKey,
    At(term_id): At<Uuid>,
    Json(body): Json<NewSpending>,
) -> Answer<FundEntry> {
    let request = pb::ProposeSpendingRequest {
        request_id: key.text(),
        term_id: term_id.to_string(),
        purpose: body.purpose,
        payee: body.payee,
        day: body.day,
        amount_fen: body.amount_fen,
        document: body.document,
    };
    let answer = client(&edge, &session).propose_spending(request).await?.into_inner();
    Ok(axum::Json(answer.fund_entry.unwrap_or_default().into()))
}

/// Staff pay to be proposed.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewPaySheet {
    /// The month, `YYYY-MM`; it lies in the term.
    month: String,
    /// The lines, 1 to 300.
    lines: Vec<PayLine>,
    /// Whether it is the term's last.
    #[serde(default)]
    is_last: bool,
    /// The whole performance pay this counts in, in fen, where the region caps that.
    #[serde(default)]
    performance_total_fen: i64,
    /// The local guidance line for it, in fen.
    #[serde(default)]
    guidance_fen: i64,
}

/// Proposes staff pay for a month.
#[utoipa::path(post, path = "/v1/terms/{term_id}/pay-sheets", tag = "billing", security(("session" = [])),
    params(("term_id" = Uuid, Path), IdempotencyHeader), request_body = NewPaySheet,
    responses((status = 200, body = FundEntry), (status = "default", body = Problem)))]
async fn propose_pay_sheet(
    State(edge): State<Edge>,
    session: Session,
    key: IdempotencyKey,
    At(term_id): At<Uuid>,
    Json(body): Json<NewPaySheet>,
) -> Answer<FundEntry> {
    let mut lines = Vec::with_capacity(body.lines.len());
    for (index, line) in body.lines.into_iter().enumerate() {
        lines.push(pb::pay_sheet::Line {
            staffing: number(&format!("lines[{index}].staffing"), &line.staffing, "STAFFING_", |name| {
                pb::pay_sheet::line::Staffing::from_str_name(name).map(Into::into)
            })?,
            payee: line.payee,
            class_hour_count: line.class_hour_count,
            rate_fen: line.rate_fen,
            amount_fen: line.amount_fen,
        });
    }
    let request = pb::ProposePaySheetRequest {
        request_id: key.text(),
        term_id: term_id.to_string(),
        month: body.month,
        lines,
        is_last: body.is_last,
        performance_total_fen: body.performance_total_fen,
        guidance_fen: body.guidance_fen,
    };
    let answer = client(&edge, &session).propose_pay_sheet(request).await?.into_inner();
    Ok(axum::Json(answer.fund_entry.unwrap_or_default().into()))
}

/// What was spent on one purpose.
#[derive(Serialize, ToSchema)]
struct Spent {
    /// The purpose's key.
    purpose: String,
    /// What the region calls it.
    purpose_zh: String,
    /// How much, in fen.
    amount_fen: i64,
}

/// What government gave by one rule.
#[derive(Serialize, ToSchema)]
struct Granted {
    /// `per_head`, `scoped`, `floor`, `matching`, `shortfall` or `award`.
    kind: String,
    /// How much is approved, in fen.
    approved_fen: i64,
    /// How much of it has arrived, in fen.
    received_fen: i64,
}

/// A term's money in sums, for publication.
#[derive(Serialize, ToSchema)]
struct Disclosure {
    /// What the service was charged at before waivers, in fen; 0 when withheld.
    charged_fen: i64,
    /// What parents paid, in fen.
    paid_fen: i64,
    /// What went back to them, or is on its way, in fen.
    refunded_fen: i64,
    /// What was let off, in fen; 0 when withheld.
    waived_fen: i64,
    /// How many pupils something was let off for; 0 when withheld.
    waived_pupil_count: i32,
    /// Whether what was charged and waived is withheld because few are waived.
    waived_withheld: bool,
    /// What was spent, by purpose.
    spent: Vec<Spent>,
    /// What staff were paid, in fen.
    staff_pay_fen: i64,
    /// What government gave.
    granted: Vec<Granted>,
}

/// Sums a term's money up for publication. No family can be told from it.
#[utoipa::path(get, path = "/v1/terms/{term_id}/disclosure", tag = "billing", security(("session" = [])),
    params(("term_id" = Uuid, Path)),
    responses((status = 200, body = Disclosure), (status = "default", body = Problem)))]
async fn get_disclosure(
    State(edge): State<Edge>,
    session: Session,
    At(term_id): At<Uuid>,
) -> Answer<Disclosure> {
    let request = pb::GetDisclosureRequest { term_id: term_id.to_string() };
    let answer = client(&edge, &session).get_disclosure(request).await?.into_inner();
    let spent = |one: pb::get_disclosure_response::Spent| Spent {
        purpose: one.purpose,
        purpose_zh: one.purpose_zh,
        amount_fen: one.amount_fen,
    };
    let granted = |one: pb::get_disclosure_response::Granted| Granted {
        kind: word(one.kind().as_str_name(), "KIND_"),
        approved_fen: one.approved_fen,
        received_fen: one.received_fen,
    };
    Ok(axum::Json(Disclosure {
        charged_fen: answer.charged_fen,
        paid_fen: answer.paid_fen,
        refunded_fen: answer.refunded_fen,
        waived_fen: answer.waived_fen,
        waived_pupil_count: answer.waived_pupil_count,
        waived_withheld: answer.waived_withheld,
        spent: answer.spent.into_iter().map(spent).collect(),
        staff_pay_fen: answer.staff_pay_fen,
        granted: answer.granted.into_iter().map(granted).collect(),
    }))
}

/// A term's records.
#[derive(Serialize, ToSchema)]
struct FundEntries {
    /// The records, newest first.
    fund_entries: Vec<FundEntry>,
    /// Where this page ends; empty when it is the last.
    next_page_token: String,
}

/// Lists a term's records of public money and spending.
#[utoipa::path(get, path = "/v1/terms/{term_id}/fund-entries", tag = "billing", security(("session" = [])),
    params(("term_id" = Uuid, Path), PageAsked),
    responses((status = 200, body = FundEntries), (status = "default", body = Problem)))]
async fn list_fund_entries(
    State(edge): State<Edge>,
    session: Session,
    At(term_id): At<Uuid>,
    Asked(page): Asked<PageAsked>,
) -> Answer<FundEntries> {
    let request = pb::ListFundEntriesRequest {
        term_id: term_id.to_string(),
        page_size: page.page_size,
        page_token: page.page_token,
    };
    let answer = client(&edge, &session).list_fund_entries(request).await?.into_inner();
    Ok(axum::Json(FundEntries {
        fund_entries: answer.fund_entries.into_iter().map(Into::into).collect(),
        next_page_token: answer.next_page_token,
    }))
}

/// A decision.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct FundDecision {
    /// Whether it is approved.
    approved: bool,
    /// Why not; absent when approved.
    #[serde(default)]
    reason: String,
}

/// Decides a record of public money or spending.
#[utoipa::path(post, path = "/v1/fund-entries/{fund_entry_id}/decision", tag = "billing", security(("session" = [])),
    params(("fund_entry_id" = Uuid, Path), IdempotencyHeader), request_body = FundDecision,
    responses((status = 200, body = FundEntry), (status = "default", body = Problem)))]
async fn decide_fund_entry(
    State(edge): State<Edge>,
    session: Session,
    key: IdempotencyKey,
    At(fund_entry_id): At<Uuid>,
    Json(body): Json<FundDecision>,
) -> Answer<FundEntry> {
    let request = pb::DecideFundEntryRequest {
        request_id: key.text(),
        fund_entry_id: fund_entry_id.to_string(),
        approved: body.approved,
        reason: body.reason,
    };
    let answer = client(&edge, &session).decide_fund_entry(request).await?.into_inner();
    Ok(axum::Json(answer.fund_entry.unwrap_or_default().into()))
}

/// A grant's arrival.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Receipt {
    /// The bank's document.
    receipt_document: String,
}

/// Records that an approved grant has arrived.
#[utoipa::path(post, path = "/v1/fund-entries/{fund_entry_id}/receipt", tag = "billing", security(("session" = [])),
    params(("fund_entry_id" = Uuid, Path), IdempotencyHeader), request_body = Receipt,
    responses((status = 200, body = FundEntry), (status = "default", body = Problem)))]
async fn receive_grant(
    State(edge): State<Edge>,
    session: Session,
    key: IdempotencyKey,
    At(fund_entry_id): At<Uuid>,
    Json(body): Json<Receipt>,
) -> Answer<FundEntry> {
    let request = pb::ReceiveGrantRequest {
        request_id: key.text(),
        fund_entry_id: fund_entry_id.to_string(),
        receipt_document: body.receipt_document,
    };
    let answer = client(&edge, &session).receive_grant(request).await?.into_inner();
    Ok(axum::Json(answer.fund_entry.unwrap_or_default().into()))
}

/// Why a record is taken back.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Reversal {
    /// Why.
    reason: String,
}

/// Takes back what was approved, by an entry of the other sign.
#[utoipa::path(post, path = "/v1/fund-entries/{fund_entry_id}/reversal", tag = "billing", security(("session" = [])),
    params(("fund_entry_id" = Uuid, Path), IdempotencyHeader), request_body = Reversal,
    responses((status = 200, body = FundEntry), (status = "default", body = Problem)))]
async fn reverse_fund_entry(
    State(edge): State<Edge>,
    session: Session,
    key: IdempotencyKey,
    At(fund_entry_id): At<Uuid>,
    Json(body): Json<Reversal>,
) -> Answer<FundEntry> {
    let request = pb::ReverseFundEntryRequest {
        request_id: key.text(),
        fund_entry_id: fund_entry_id.to_string(),
        reason: body.reason,
    };
    let answer = client(&edge, &session).reverse_fund_entry(request).await?.into_inner();
    Ok(axum::Json(answer.fund_entry.unwrap_or_default().into()))
}
