//! Fees, payments, refunds, waivers.

use axum::extract::State;
use axum::response::Response;
use chrono::{DateTime, NaiveDate, Utc};
use proto::billing::v1 as pb;
use proto::billing::v1::billing_service_client::BillingServiceClient;
use serde::{Deserialize, Serialize};
use shared::client::Link;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use super::price::{EndSlot, SectionPrice, SharingPlan};
use super::{ANSWER_BYTES, Answer, IdempotencyHeader, PageAsked, UploadForm, WECHAT_DEADLINE, evidence};
use crate::Edge;
use crate::convert::{moment, number, word};
use crate::problem::{Problem, Refusal};
use crate::read::{Asked, At, IdempotencyKey, Json, Upload};
use crate::session::Session;

pub(super) fn routes() -> OpenApiRouter<Edge> {
    OpenApiRouter::new()
        .routes(routes!(publish_tariff, get_tariff))
        .routes(routes!(get_quote))
        .routes(routes!(get_invoice))
        .routes(routes!(list_invoices))
        .routes(routes!(pay))
        .routes(routes!(sync_payment))
        .routes(routes!(get_refund_quote))
        .routes(routes!(list_refunds))
        .routes(routes!(upload_evidence))
        .routes(routes!(get_evidence))
        .routes(routes!(apply_for_waiver))
        .routes(routes!(list_waivers))
        .routes(routes!(decide_waiver))
        .routes(routes!(get_trial_balance))
}

type Client = BillingServiceClient<Link>;

fn client(edge: &Edge, session: &Session) -> Client {
    Client::new(session.link(&edge.links.billing)).max_decoding_message_size(ANSWER_BYTES)
}

/// A fee standard to be published.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewTariff {
    /// `term`, `class_hour`, `month`, `day` or `slot_month`.
    basis: String,
    /// The amount in fen, 1 or more; absent for `slot_month`.
    #[serde(default)]
    amount_fen: i64,
    /// The approving document; absent where none is asked for.
    #[serde(default)]
    approval_document: String,
    /// The end slots and their prices, each later than the one before; for `slot_month` only.
    #[serde(default)]
    end_slots: Vec<EndSlot>,
    /// How it is shared; required where an approval is asked for.
    sharing_plan: Option<SharingPlan>,
}

/// A school's fee standard for a term.
#[derive(Serialize, ToSchema)]
struct Tariff {
    /// The tariff's id.
    id: String,
    /// The term.
    term_id: String,
    /// `term`, `class_hour`, `month`, `day` or `slot_month`.
    basis: String,
    /// The amount in fen; by end slot, that of the last one.
    amount_fen: i64,
    /// The approving document.
    approval_document: String,
    /// The account parents' money goes to.
    payee_account: String,
    /// The end slots and their prices; empty but for `slot_month`.
    end_slots: Vec<EndSlot>,
    /// How it is shared; absent where no plan was given.
    sharing_plan: Option<SharingPlan>,
}

impl From<pb::Tariff> for Tariff {
    fn from(tariff: pb::Tariff) -> Self {
        Self {
            basis: word(tariff.basis().as_str_name(), "BASIS_"),
            id: tariff.id,
            term_id: tariff.term_id,
            amount_fen: tariff.amount_fen,
            approval_document: tariff.approval_document,
            payee_account: tariff.payee_account,
            end_slots: tariff.end_slots.into_iter().map(Into::into).collect(),
            sharing_plan: tariff.sharing_plan.map(Into::into),
        }
    }
}

/// A sentence of policy that an amount rests on.
#[derive(Serialize, ToSchema)]
pub(super) struct Clause {
    /// The policy key.
    key: String,
    /// What it says, in Chinese.
    text_zh: String,
    /// What it says, in English.
    text_en: String,
    /// Where it stands.
    source: String,
}

pub(super) fn clauses(clauses: Vec<pb::Clause>) -> Vec<Clause> {
    let clause = |clause: pb::Clause| Clause {
        key: clause.key,
        text_zh: clause.text_zh,
        text_en: clause.text_en,
        source: clause.source,
    };
    clauses.into_iter().map(clause).collect()
}

/// A term's fee standard and what it rests on.
#[derive(Serialize, ToSchema)]
struct TariffExplained {
    /// The tariff; absent where parents pay nothing.
    tariff: Option<Tariff>,
    /// Whether parents pay nothing here.
    free_of_charge: bool,
    /// What it rests on.
    clauses: Vec<Clause>,
    /// Sections that have a price of their own, by title; the tariff may then be absent.
    section_prices: Vec<SectionPrice>,
}

/// Publishes a school's fee standard for a term.
#[utoipa::path(post, path = "/v1/terms/{term_id}/tariff", tag = "billing", security(("session" = [])),
    params(("term_id" = Uuid, Path), IdempotencyHeader), request_body = NewTariff,
    responses((status = 200, body = TariffExplained), (status = "default", body = Problem)))]
async fn publish_tariff(
    State(edge): State<Edge>,
    session: Session,
    key: IdempotencyKey,
    At(term_id): At<Uuid>,
    Json(body): Json<NewTariff>,
) -> Answer<TariffExplained> {
    let request = pb::PublishTariffRequest {
        request_id: key.text(),
        term_id: term_id.to_string(),
        basis: number("basis", &body.basis, "BASIS_", |name| {
            pb::tariff::Basis::from_str_name(name).map(Into::into)
        })?,
        amount_fen: body.amount_fen,
        approval_document: body.approval_document,
        end_slots: body.end_slots.into_iter().map(Into::into).collect(),
        sharing_plan: body.sharing_plan.map(Into::into),
    };
    let answer = client(&edge, &session).publish_tariff(request).await?.into_inner();
    Ok(axum::Json(TariffExplained {
        tariff: answer.tariff.map(Into::into),
        free_of_charge: false,
        clauses: clauses(answer.clauses),
        section_prices: Vec::new(),
    }))
}

/// Gives a term's fee standard.
#[utoipa::path(get, path = "/v1/terms/{term_id}/tariff", tag = "billing", params(("term_id" = Uuid, Path)),
    responses((status = 200, body = TariffExplained), (status = "default", body = Problem)))]
async fn get_tariff(State(edge): State<Edge>, At(term_id): At<Uuid>) -> Answer<TariffExplained> {
    let request = pb::GetTariffRequest { term_id: term_id.to_string() };
    let answer = Client::new(edge.public.billing.clone()).get_tariff(request).await?.into_inner();
    Ok(axum::Json(TariffExplained {
        tariff: answer.tariff.map(Into::into),
        free_of_charge: answer.free_of_charge,
        clauses: clauses(answer.clauses),
        section_prices: answer.section_prices.into_iter().map(Into::into).collect(),
    }))
}

/// A choice to be priced.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Choice {
    /// The pupil.
    pupil_id: Uuid,
    /// The sections that would be chosen, 1 to 20, of one term.
    section_ids: Vec<Uuid>,
}

/// What a choice costs, and why.
#[derive(Serialize, ToSchema)]
struct Quote {
    /// What is to be paid for the choice, in fen.
    amount_fen: i64,
    /// What all the pupil's sections of the term cost together.
    term_total_fen: i64,
    /// Each day of the first full week with lessons; empty where the fee is for the term.
    week: Vec<Day>,
    /// What that week costs.
    week_total_fen: i64,
    /// What it rests on.
    clauses: Vec<Clause>,
    /// Whether parents pay nothing here.
    free_of_charge: bool,
    /// Why it is this price, one sentence each, in order; the numbers add up.
    explanation: Vec<Sentence>,
}

/// A sentence for people.
#[derive(Serialize, ToSchema)]
struct Sentence {
    /// In Chinese.
    text_zh: String,
    /// In English.
    text_en: String,
    /// Where it stands; empty where it only counts.
    source: String,
}

/// A day's charge.
#[derive(Serialize, ToSchema)]
struct Day {
    /// The date.
    date: String,
    /// Class hours that day over all sections.
    class_hour_count: i32,
    /// What they would cost without a ceiling.
    before_cap_fen: i64,
    /// What is charged.
    charged_fen: i64,
}

/// Prices a choice for a pupil and says why.
#[utoipa::path(post, path = "/v1/quotes", tag = "billing", security(("session" = [])), request_body = Choice,
    responses((status = 200, body = Quote), (status = "default", body = Problem)))]
async fn get_quote(State(edge): State<Edge>, session: Session, Json(body): Json<Choice>) -> Answer<Quote> {
    let request = pb::GetQuoteRequest {
        pupil_id: body.pupil_id.to_string(),
        section_ids: body.section_ids.iter().map(Uuid::to_string).collect(),
    };
    let quote = client(&edge, &session).get_quote(request).await?.into_inner().quote.unwrap_or_default();
    let day = |day: pb::quote::Day| Day {
        date: day.date,
        class_hour_count: day.class_hour_count,
        before_cap_fen: day.before_cap_fen,
        charged_fen: day.charged_fen,
    };
    let sentence = |sentence: pb::Sentence| Sentence {
        text_zh: sentence.text_zh,
        text_en: sentence.text_en,
        source: sentence.source,
    };
    Ok(axum::Json(Quote {
        amount_fen: quote.amount_fen,
        term_total_fen: quote.term_total_fen,
        week: quote.week.into_iter().map(day).collect(),
        week_total_fen: quote.week_total_fen,
        clauses: clauses(quote.clauses),
        free_of_charge: quote.free_of_charge,
        explanation: quote.explanation.into_iter().map(sentence).collect(),
    }))
}

/// What a family owes for one enrollment.
#[derive(Serialize, ToSchema)]
struct Invoice {
    /// The invoice's id.
    id: String,
    /// The enrollment.
    enrollment_id: String,
    /// The pupil.
    pupil_id: String,
    /// What is to be paid, in fen.
    amount_fen: i64,
    /// `open`, `settled` or `closed`.
    state: String,
    /// When it must be paid; absent once it is settled or closed.
    due_time: Option<DateTime<Utc>>,
    /// What has been paid.
    paid_fen: i64,
    /// What has gone back or is on its way back.
    refunded_fen: i64,
    /// What it rests on.
    clauses: Vec<Clause>,
    /// The section's title.
    title: String,
}

impl From<pb::Invoice> for Invoice {
    fn from(invoice: pb::Invoice) -> Self {
        Self {
            state: word(invoice.state().as_str_name(), "STATE_"),
            due_time: moment(invoice.due_time),
            id: invoice.id,
            enrollment_id: invoice.enrollment_id,
            pupil_id: invoice.pupil_id,
            amount_fen: invoice.amount_fen,
            paid_fen: invoice.paid_fen,
            refunded_fen: invoice.refunded_fen,
            clauses: clauses(invoice.clauses),
            title: invoice.title,
        }
    }
}

/// Gives the invoice of an enrollment.
#[utoipa::path(get, path = "/v1/enrollments/{enrollment_id}/invoice", tag = "billing", security(("session" = [])),
    params(("enrollment_id" = Uuid, Path)),
    responses((status = 200, body = Invoice), (status = "default", body = Problem)))]
async fn get_invoice(State(edge): State<Edge>, session: Session, At(id): At<Uuid>) -> Answer<Invoice> {
    let request = pb::GetInvoiceRequest { enrollment_id: id.to_string() };
    let answer = client(&edge, &session).get_invoice(request).await?.into_inner();
    Ok(axum::Json(answer.invoice.unwrap_or_default().into()))
}

/// A page of invoices.
#[derive(Serialize, ToSchema)]
struct Invoices {
    /// The invoices, newest first.
    invoices: Vec<Invoice>,
    /// For the next page; empty when this is the last.
    next_page_token: String,
}

/// Lists a pupil's invoices.
#[utoipa::path(get, path = "/v1/pupils/{pupil_id}/invoices", tag = "billing", security(("session" = [])),
    params(("pupil_id" = Uuid, Path), PageAsked),
    responses((status = 200, body = Invoices), (status = "default", body = Problem)))]
async fn list_invoices(
    State(edge): State<Edge>,
    session: Session,
    At(pupil_id): At<Uuid>,
    Asked(page): Asked<PageAsked>,
) -> Answer<Invoices> {
    let request = pb::ListInvoicesRequest {
        pupil_id: pupil_id.to_string(),
        page_size: page.page_size,
        page_token: page.page_token,
    };
    let answer = client(&edge, &session).list_invoices(request).await?.into_inner();
    Ok(axum::Json(Invoices {
        invoices: answer.invoices.into_iter().map(Into::into).collect(),
        next_page_token: answer.next_page_token,
    }))
}

/// What `wx.requestPayment` takes.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct PaySheet {
    /// Seconds since 1970, as text.
    time_stamp: String,
    /// A random text.
    nonce_str: String,
    /// `prepay_id=…`.
    package: String,
    /// `RSA`.
    sign_type: String,
    /// The signature.
    pay_sign: String,
    /// Our order number at WeChat. Not for `wx.requestPayment`.
    #[serde(rename = "out_trade_no")]
    out_trade_no: String,
}

/// Begins a payment and gives what the mini-program needs to open the pay sheet.
#[utoipa::path(post, path = "/v1/enrollments/{enrollment_id}/pay", tag = "billing", security(("session" = [])),
    params(("enrollment_id" = Uuid, Path), IdempotencyHeader),
    responses((status = 200, body = PaySheet), (status = "default", body = Problem)))]
async fn pay(
    State(edge): State<Edge>,
    session: Session,
    key: IdempotencyKey,
    At(id): At<Uuid>,
) -> Answer<PaySheet> {
    let request = pb::PayRequest { request_id: key.text(), enrollment_id: id.to_string() };
    let link = session.link(&edge.links.billing).with_deadline(WECHAT_DEADLINE);
    let answer = Client::new(link).pay(request).await?.into_inner();
    Ok(axum::Json(PaySheet {
        time_stamp: answer.time_stamp,
        nonce_str: answer.nonce_str,
        package: answer.package,
        sign_type: answer.sign_type,
        pay_sign: answer.pay_sign,
        out_trade_no: answer.out_trade_no,
    }))
}

/// Asks WeChat now what became of a payment, as after the pay sheet closed.
#[utoipa::path(post, path = "/v1/enrollments/{enrollment_id}/payment/sync", tag = "billing",
    security(("session" = [])), params(("enrollment_id" = Uuid, Path)),
    responses((status = 200, body = Invoice), (status = "default", body = Problem)))]
async fn sync_payment(State(edge): State<Edge>, session: Session, At(id): At<Uuid>) -> Answer<Invoice> {
    let request = pb::SyncPaymentRequest { enrollment_id: id.to_string() };
    let link = session.link(&edge.links.billing).with_deadline(WECHAT_DEADLINE);
    let answer = Client::new(link).sync_payment(request).await?.into_inner();
    Ok(axum::Json(answer.invoice.unwrap_or_default().into()))
}

/// What would go back.
#[derive(Serialize, ToSchema)]
struct RefundQuote {
    /// How much, in fen.
    amount_fen: i64,
    /// What it rests on.
    clauses: Vec<Clause>,
}

/// Says what would go back if a seat were given back now.
#[utoipa::path(get, path = "/v1/enrollments/{enrollment_id}/refund-quote", tag = "billing",
    security(("session" = [])), params(("enrollment_id" = Uuid, Path)),
    responses((status = 200, body = RefundQuote), (status = "default", body = Problem)))]
async fn get_refund_quote(
    State(edge): State<Edge>,
    session: Session,
    At(id): At<Uuid>,
) -> Answer<RefundQuote> {
    let request = pb::GetRefundQuoteRequest { enrollment_id: id.to_string() };
    let answer = client(&edge, &session).get_refund_quote(request).await?.into_inner();
    Ok(axum::Json(RefundQuote { amount_fen: answer.amount_fen, clauses: clauses(answer.clauses) }))
}

/// Money on its way back.
#[derive(Serialize, ToSchema)]
struct Refund {
    /// The refund's id.
    id: String,
    /// The invoice.
    invoice_id: String,
    /// How much, in fen.
    amount_fen: i64,
    /// `requested`, `submitted`, `succeeded` or `failed`.
    state: String,
    /// `released`, `late`, `surplus` or `section_cancelled`.
    reason: String,
    /// When it was decided.
    create_time: Option<DateTime<Utc>>,
}

/// A page of refunds.
#[derive(Serialize, ToSchema)]
struct Refunds {
    /// The refunds, newest first.
    refunds: Vec<Refund>,
    /// For the next page; empty when this is the last.
    next_page_token: String,
}

/// Lists refunds of a pupil's invoices.
#[utoipa::path(get, path = "/v1/pupils/{pupil_id}/refunds", tag = "billing", security(("session" = [])),
    params(("pupil_id" = Uuid, Path), PageAsked),
    responses((status = 200, body = Refunds), (status = "default", body = Problem)))]
async fn list_refunds(
    State(edge): State<Edge>,
    session: Session,
    At(pupil_id): At<Uuid>,
    Asked(page): Asked<PageAsked>,
) -> Answer<Refunds> {
    let request = pb::ListRefundsRequest {
        pupil_id: pupil_id.to_string(),
        page_size: page.page_size,
        page_token: page.page_token,
    };
    let answer = client(&edge, &session).list_refunds(request).await?.into_inner();
    let refund = |refund: pb::Refund| Refund {
        state: word(refund.state().as_str_name(), "STATE_"),
        reason: word(refund.reason().as_str_name(), "REASON_"),
        create_time: moment(refund.create_time),
        id: refund.id,
        invoice_id: refund.invoice_id,
        amount_fen: refund.amount_fen,
    };
    Ok(axum::Json(Refunds {
        refunds: answer.refunds.into_iter().map(refund).collect(),
        next_page_token: answer.next_page_token,
    }))
}

/// A document kept.
#[derive(Serialize, ToSchema)]
struct Evidence {
    /// The document's id.
    evidence_id: String,
}

/// Keeps a document that proves a hardship: JPEG, PNG or PDF, at most 5 MiB.
#[utoipa::path(post, path = "/v1/pupils/{pupil_id}/evidence", tag = "billing", security(("session" = [])),
    params(("pupil_id" = Uuid, Path), IdempotencyHeader),
    request_body(content = UploadForm, content_type = "multipart/form-data"),
    responses((status = 200, body = Evidence), (status = "default", body = Problem)))]
async fn upload_evidence(
    State(edge): State<Edge>,
    session: Session,
    key: IdempotencyKey,
    At(pupil_id): At<Uuid>,
    upload: Upload,
) -> Answer<Evidence> {
    let request = pb::UploadEvidenceRequest {
        request_id: key.text(),
        pupil_id: pupil_id.to_string(),
        content: upload.content.into(),
    };
    let answer = client(&edge, &session).upload_evidence(request).await?.into_inner();
    Ok(axum::Json(Evidence { evidence_id: answer.evidence_id }))
}

/// Gives a document back, to be saved and not to be shown in a page.
#[utoipa::path(get, path = "/v1/evidence/{evidence_id}", tag = "billing", security(("session" = [])),
    params(("evidence_id" = Uuid, Path)),
    responses((status = 200, content_type = "application/octet-stream"), (status = "default", body = Problem)))]
async fn get_evidence(
    State(edge): State<Edge>,
    session: Session,
    At(id): At<Uuid>,
) -> Result<Response, Refusal> {
    let request = pb::GetEvidenceRequest { evidence_id: id.to_string() };
    let answer = client(&edge, &session).get_evidence(request).await?.into_inner();
    Ok(evidence(answer.content, &answer.content_type))
}

/// An application for a waiver.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewWaiver {
    /// The category in the policy's words, such as `difficult_family`.
    category: String,
    /// The documents, 1 to 10.
    evidence_ids: Vec<Uuid>,
}

/// A hardship waiver of one pupil.
#[derive(Serialize, ToSchema)]
struct Waiver {
    /// The waiver's id.
    id: String,
    /// The pupil.
    pupil_id: String,
    /// The category.
    category: String,
    /// `submitted`, `endorsed`, `granted`, `rejected` or `ended`.
    state: String,
    /// The documents.
    evidence_ids: Vec<String>,
    /// Why it was rejected.
    rejection_reason: String,
    /// The last day it holds; empty until granted.
    last_day: String,
    /// When it was applied for.
    create_time: Option<DateTime<Utc>>,
}

impl From<pb::Waiver> for Waiver {
    fn from(waiver: pb::Waiver) -> Self {
        Self {
            state: word(waiver.state().as_str_name(), "STATE_"),
            create_time: moment(waiver.create_time),
            id: waiver.id,
            pupil_id: waiver.pupil_id,
            category: waiver.category,
            evidence_ids: waiver.evidence_ids,
            rejection_reason: waiver.rejection_reason,
            last_day: waiver.last_day,
        }
    }
}

/// Applies for a waiver for a pupil.
#[utoipa::path(post, path = "/v1/pupils/{pupil_id}/waivers", tag = "billing", security(("session" = [])),
    params(("pupil_id" = Uuid, Path), IdempotencyHeader), request_body = NewWaiver,
    responses((status = 200, body = Waiver), (status = "default", body = Problem)))]
async fn apply_for_waiver(
    State(edge): State<Edge>,
    session: Session,
    key: IdempotencyKey,
    At(pupil_id): At<Uuid>,
    Json(body): Json<NewWaiver>,
) -> Answer<Waiver> {
    let request = pb::ApplyForWaiverRequest {
        request_id: key.text(),
        pupil_id: pupil_id.to_string(),
        category: body.category,
        evidence_ids: body.evidence_ids.iter().map(Uuid::to_string).collect(),
    };
    let answer = client(&edge, &session).apply_for_waiver(request).await?.into_inner();
    Ok(axum::Json(answer.waiver.unwrap_or_default().into()))
}

/// Which waivers are wanted.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct WaiversAsked {
    /// Only this pupil's; required for guardians.
    pupil_id: Option<Uuid>,
    /// At most this many; 50 when absent, never more than 200.
    #[serde(default)]
    page_size: i32,
    /// The previous page's `next_page_token`.
    #[serde(default)]
    page_token: String,
}

/// A page of waivers.
#[derive(Serialize, ToSchema)]
struct Waivers {
    /// The waivers, newest first.
    waivers: Vec<Waiver>,
    /// For the next page; empty when this is the last.
    next_page_token: String,
}

/// Lists waivers: a guardian's own pupils', or those the caller may decide.
#[utoipa::path(get, path = "/v1/waivers", tag = "billing", security(("session" = [])), params(WaiversAsked),
    responses((status = 200, body = Waivers), (status = "default", body = Problem)))]
async fn list_waivers(
    State(edge): State<Edge>,
    session: Session,
    Asked(asked): Asked<WaiversAsked>,
) -> Answer<Waivers> {
    let request = pb::ListWaiversRequest {
        pupil_id: asked.pupil_id.map(|id| id.to_string()).unwrap_or_default(),
        page_size: asked.page_size,
        page_token: asked.page_token,
    };
    let answer = client(&edge, &session).list_waivers(request).await?.into_inner();
    Ok(axum::Json(Waivers {
        waivers: answer.waivers.into_iter().map(Into::into).collect(),
        next_page_token: answer.next_page_token,
    }))
}

/// A decision on a waiver.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct WaiverDecision {
    /// Whether it is approved; false rejects.
    approved: bool,
    /// Why it is rejected; required then.
    #[serde(default)]
    reason: String,
    /// The last day it is to hold; required for the bureau's approval.
    last_day: Option<NaiveDate>,
}

/// Decides a waiver: first the school, then another person at the bureau.
#[utoipa::path(post, path = "/v1/waivers/{waiver_id}/decide", tag = "billing", security(("session" = [])),
    params(("waiver_id" = Uuid, Path), IdempotencyHeader), request_body = WaiverDecision,
    responses((status = 200, body = Waiver), (status = "default", body = Problem)))]
async fn decide_waiver(
    State(edge): State<Edge>,
    session: Session,
    key: IdempotencyKey,
    At(waiver_id): At<Uuid>,
    Json(body): Json<WaiverDecision>,
) -> Answer<Waiver> {
    let request = pb::DecideWaiverRequest {
        request_id: key.text(),
        waiver_id: waiver_id.to_string(),
        approved: body.approved,
        reason: body.reason,
        last_day: body.last_day.map(|day| day.to_string()).unwrap_or_default(),
    };
    let answer = client(&edge, &session).decide_waiver(request).await?.into_inner();
    Ok(axum::Json(answer.waiver.unwrap_or_default().into()))
}

/// Whose balances are wanted.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct BalanceAsked {
    /// Only this school's; absent for the whole district.
    school_id: Option<Uuid>,
}

/// Balances of the ledger's accounts.
#[derive(Serialize, ToSchema)]
struct TrialBalance {
    /// The accounts, by code.
    accounts: Vec<Account>,
}

/// One account.
#[derive(Serialize, ToSchema)]
struct Account {
    /// Its code, such as `wechat_clearing`.
    code: String,
    /// Everything debited, in fen.
    debit_fen: i64,
    /// Everything credited, in fen.
    credit_fen: i64,
}

/// Gives the balances of the ledger's accounts of a district.
#[utoipa::path(get, path = "/v1/districts/{district_id}/trial-balance", tag = "billing", security(("session" = [])),
    params(("district_id" = Uuid, Path), BalanceAsked),
    responses((status = 200, body = TrialBalance), (status = "default", body = Problem)))]
async fn get_trial_balance(
    State(edge): State<Edge>,
    session: Session,
    At(district_id): At<Uuid>,
    Asked(asked): Asked<BalanceAsked>,
) -> Answer<TrialBalance> {
    let request = pb::GetTrialBalanceRequest {
        district_id: district_id.to_string(),
        school_id: asked.school_id.map(|id| id.to_string()).unwrap_or_default(),
    };
    let answer = client(&edge, &session).get_trial_balance(request).await?.into_inner();
    let account = |account: pb::get_trial_balance_response::Account| Account {
        code: account.code,
        debit_fen: account.debit_fen,
        credit_fen: account.credit_fen,
    };
    Ok(axum::Json(TrialBalance { accounts: answer.accounts.into_iter().map(account).collect() }))
}
