//! The books: reconciliation with WeChat's bills, the ledger's chain, closed months, corrections, statements.

use axum::extract::State;
use axum::response::Response;
use chrono::{DateTime, NaiveDate, Utc};
use proto::billing::v1 as pb;
use proto::billing::v1::ledger_service_client::LedgerServiceClient;
use proto::billing::v1::reconciliation_service_client::ReconciliationServiceClient;
use serde::{Deserialize, Serialize};
use shared::client::Link;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use super::{ANSWER_BYTES, Answer, IdempotencyHeader, LONG_DEADLINE, PageAsked, evidence};
use crate::Edge;
use crate::convert::{moment, number, word};
use crate::problem::{Problem, Refusal};
use crate::read::{Asked, At, IdempotencyKey, Json};
use crate::session::Session;

pub(super) fn routes() -> OpenApiRouter<Edge> {
    OpenApiRouter::new()
        .routes(routes!(reconcile_day))
        .routes(routes!(list_reconciliations))
        .routes(routes!(list_cases))
        .routes(routes!(take_case))
        .routes(routes!(resolve_case))
        .routes(routes!(verify_ledger))
        .routes(routes!(close_period))
        .routes(routes!(list_periods))
        .routes(routes!(propose_correction))
        .routes(routes!(decide_correction))
        .routes(routes!(list_corrections))
        .routes(routes!(get_school_statement))
        .routes(routes!(export_school_statement))
        .routes(routes!(get_family_statement))
}

fn bills(edge: &Edge, session: &Session) -> ReconciliationServiceClient<Link> {
    ReconciliationServiceClient::new(session.link(&edge.links.billing))
}

/// What reads bills from WeChat, or a whole chain, takes longer than other calls.
fn patient_bills(edge: &Edge, session: &Session) -> ReconciliationServiceClient<Link> {
    ReconciliationServiceClient::new(session.link(&edge.links.billing).with_deadline(LONG_DEADLINE))
}

fn books(edge: &Edge, session: &Session) -> LedgerServiceClient<Link> {
    let link = session.link(&edge.links.billing).with_deadline(LONG_DEADLINE);
    LedgerServiceClient::new(link).max_decoding_message_size(ANSWER_BYTES)
}

/// A day compared.
#[derive(Serialize, ToSchema)]
struct Reconciliation {
    /// The merchant whose bills they are.
    payee_mchid: String,
    /// The Beijing day.
    day: String,
    /// Lines of the day's trade bill.
    line_count: i32,
    /// Those that agree with payment or refund and ledger.
    matched_count: i32,
    /// When it was compared last.
    update_time: Option<DateTime<Utc>>,
}

impl From<pb::Reconciliation> for Reconciliation {
    fn from(one: pb::Reconciliation) -> Self {
        Self {
            payee_mchid: one.payee_mchid,
            day: one.day,
            line_count: one.line_count,
            matched_count: one.matched_count,
            update_time: moment(one.update_time),
        }
    }
}

/// A day compared now.
#[derive(Serialize, ToSchema)]
struct DayReconciled {
    /// The day, once for each merchant.
    reconciliations: Vec<Reconciliation>,
    /// How many differences wait for a person, of this and earlier days.
    waiting_count: i32,
}

/// Compares the bills of a day now. Sent again, it changes nothing: the same bills give the same.
#[utoipa::path(post, path = "/v1/districts/{district_id}/reconciliations/{day}", tag = "billing",
    security(("session" = [])), params(("district_id" = Uuid, Path), ("day" = NaiveDate, Path)),
    responses((status = 200, body = DayReconciled), (status = "default", body = Problem)))]
async fn reconcile_day(
    State(edge): State<Edge>,
    session: Session,
    At((district_id, day)): At<(Uuid, NaiveDate)>,
) -> Answer<DayReconciled> {
    let request = pb::ReconcileDayRequest { district_id: district_id.to_string(), day: day.to_string() };
    let answer = patient_bills(&edge, &session).reconcile_day(request).await?.into_inner();
    Ok(axum::Json(DayReconciled {
        reconciliations: answer.reconciliations.into_iter().map(Into::into).collect(),
        waiting_count: answer.waiting_count,
    }))
}

/// A page of days compared.
#[derive(Serialize, ToSchema)]
struct Reconciliations {
    /// The days, newest first.
    reconciliations: Vec<Reconciliation>,
    /// For the next page; empty when this is the last.
    next_page_token: String,
}

/// Lists the days compared.
#[utoipa::path(get, path = "/v1/districts/{district_id}/reconciliations", tag = "billing",
    security(("session" = [])), params(("district_id" = Uuid, Path), PageAsked),
    responses((status = 200, body = Reconciliations), (status = "default", body = Problem)))]
async fn list_reconciliations(
    State(edge): State<Edge>,
    session: Session,
    At(district_id): At<Uuid>,
    Asked(page): Asked<PageAsked>,
) -> Answer<Reconciliations> {
    let request = pb::ListReconciliationsRequest {
        district_id: district_id.to_string(),
        page_size: page.page_size,
        page_token: page.page_token,
    };
    let answer = bills(&edge, &session).list_reconciliations(request).await?.into_inner();
    Ok(axum::Json(Reconciliations {
        reconciliations: answer.reconciliations.into_iter().map(Into::into).collect(),
        next_page_token: answer.next_page_token,
    }))
}

/// A difference between a bill and the books.
#[derive(Serialize, ToSchema)]
struct Case {
    /// The case's id.
    id: String,
    /// The merchant whose bill it was.
    payee_mchid: String,
    /// The bill's Beijing day.
    day: String,
    /// `missing_here`, `missing_there`, `amount`, `status`, `duplicate_line`, `foreign_merchant`, `refund_later`, `fee_rounding`,
    /// `midnight_edge` or `ledger`.
    kind: String,
    /// Our number of the order or refund; WeChat's where there is none of ours.
    subject: String,
    /// What we have, in fen; null when nothing.
    ours_fen: Option<i64>,
    /// What the bill has, in fen; null when nothing.
    theirs_fen: Option<i64>,
    /// `explained`, `repaired`, `open`, `taken` or `resolved`.
    state: String,
    /// Who has taken it; empty before.
    taken_by: String,
    /// What it was; empty until resolved.
    note: String,
    /// When it was found.
    create_time: Option<DateTime<Utc>>,
}

impl From<pb::Case> for Case {
    fn from(one: pb::Case) -> Self {
        Self {
            kind: word(one.kind().as_str_name(), "KIND_"),
            state: word(one.state().as_str_name(), "STATE_"),
            id: one.id,
            payee_mchid: one.payee_mchid,
            day: one.day,
            subject: one.subject,
            ours_fen: one.ours_fen,
            theirs_fen: one.theirs_fen,
            taken_by: one.taken_by,
            note: one.note,
            create_time: moment(one.create_time),
        }
    }
}

/// Which differences are wanted.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct CasesAsked {
    /// Only those that wait for a person; false when absent.
    #[serde(default)]
    waiting_only: bool,
    /// At most this many; 50 when absent, never more than 200.
    #[serde(default)]
    page_size: i32,
    /// The previous page's `next_page_token`.
    #[serde(default)]
    page_token: String,
}

/// A page of differences.
#[derive(Serialize, ToSchema)]
struct Cases {
    /// The cases, newest first.
    cases: Vec<Case>,
    /// For the next page; empty when this is the last.
    next_page_token: String,
}

/// Lists the differences between bills and books.
#[utoipa::path(get, path = "/v1/districts/{district_id}/reconciliation-cases", tag = "billing",
    security(("session" = [])), params(("district_id" = Uuid, Path), CasesAsked),
    responses((status = 200, body = Cases), (status = "default", body = Problem)))]
async fn list_cases(
    State(edge): State<Edge>,
    session: Session,
    At(district_id): At<Uuid>,
    Asked(asked): Asked<CasesAsked>,
) -> Answer<Cases> {
    let request = pb::ListCasesRequest {
        district_id: district_id.to_string(),
        waiting_only: asked.waiting_only,
        page_size: asked.page_size,
        page_token: asked.page_token,
    };
    let answer = bills(&edge, &session).list_cases(request).await?.into_inner();
    Ok(axum::Json(Cases {
        cases: answer.cases.into_iter().map(Into::into).collect(),
        next_page_token: answer.next_page_token,
    }))
}

/// Takes a difference in hand.
#[utoipa::path(post, path = "/v1/reconciliation-cases/{case_id}/take", tag = "billing", security(("session" = [])),
    params(("case_id" = Uuid, Path), IdempotencyHeader),
    responses((status = 200, body = Case), (status = "default", body = Problem)))]
async fn take_case(
    State(edge): State<Edge>,
    session: Session,
    key: IdempotencyKey,
    At(case_id): At<Uuid>,
) -> Answer<Case> {
    let request = pb::TakeCaseRequest { request_id: key.text(), case_id: case_id.to_string() };
    let answer = bills(&edge, &session).take_case(request).await?.into_inner();
    Ok(axum::Json(answer.case.unwrap_or_default().into()))
}

/// What a difference was.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct CaseResolution {
    /// In words, 1 to 400 characters.
    note: String,
}

/// Says what a difference was, when no money moves.
#[utoipa::path(post, path = "/v1/reconciliation-cases/{case_id}/resolve", tag = "billing", security(("session" = [])),
    params(("case_id" = Uuid, Path), IdempotencyHeader), request_body = CaseResolution,
    responses((status = 200, body = Case), (status = "default", body = Problem)))]
async fn resolve_case(
    State(edge): State<Edge>,
    session: Session,
    key: IdempotencyKey,
    At(case_id): At<Uuid>,
    Json(body): Json<CaseResolution>,
) -> Answer<Case> {
    let request =
        pb::ResolveCaseRequest { request_id: key.text(), case_id: case_id.to_string(), note: body.note };
    let answer = bills(&edge, &session).resolve_case(request).await?.into_inner();
    Ok(axum::Json(answer.case.unwrap_or_default().into()))
}

/// What a ledger is.
#[derive(Serialize, ToSchema)]
struct Verification {
    /// Whether chain, rows and anchors agree throughout.
    is_true: bool,
    /// Entries in the chain.
    sealed_count: i64,
    /// Entries on their way into it.
    unsealed_count: i64,
    /// The hash of the last entry.
    head_hash: String,
    /// Anchors it was held against.
    anchor_count: i64,
    /// The first place that does not agree; 0 when all agree, or when it is about entries outside the chain.
    first_position: i64,
    /// The entry there; empty when there is none.
    first_journal_id: String,
    /// What does not agree there; empty when all agree.
    first_difference: String,
}

/// Computes the chain of a district's ledger again.
#[utoipa::path(get, path = "/v1/districts/{district_id}/ledger", tag = "billing", security(("session" = [])),
    params(("district_id" = Uuid, Path)),
    responses((status = 200, body = Verification), (status = "default", body = Problem)))]
async fn verify_ledger(
    State(edge): State<Edge>,
    session: Session,
    At(district_id): At<Uuid>,
) -> Answer<Verification> {
    let request = pb::VerifyLedgerRequest { district_id: district_id.to_string() };
    let found = books(&edge, &session).verify_ledger(request).await?.into_inner();
    Ok(axum::Json(Verification {
        is_true: found.is_true,
        sealed_count: found.sealed_count,
        unsealed_count: found.unsealed_count,
        head_hash: found.head_hash,
        anchor_count: found.anchor_count,
        first_position: found.first_position,
        first_journal_id: found.first_journal_id,
        first_difference: found.first_difference,
    }))
}

/// A month of the books.
#[derive(Serialize, ToSchema)]
struct Period {
    /// The month, `YYYY-MM`.
    month: String,
    /// `proposed` or `closed`.
    state: String,
    /// Who wanted it closed.
    proposed_by: String,
    /// Who closed it; empty until then.
    closed_by: String,
    /// Since when it is closed.
    close_time: Option<DateTime<Utc>>,
    /// Entries dated up to its end when it was closed.
    journal_count: i64,
    /// What they debit together, in fen.
    total_fen: i64,
}

impl From<pb::Period> for Period {
    fn from(one: pb::Period) -> Self {
        Self {
            state: word(one.state().as_str_name(), "STATE_"),
            month: one.month,
            proposed_by: one.proposed_by,
            closed_by: one.closed_by,
            close_time: moment(one.close_time),
            journal_count: one.journal_count,
            total_fen: one.total_fen,
        }
    }
}

/// Closes a month of a district's books: one person wants it, a second one does it.
#[utoipa::path(post, path = "/v1/districts/{district_id}/periods/{month}/close", tag = "billing",
    security(("session" = [])), params(("district_id" = Uuid, Path), ("month" = String, Path), IdempotencyHeader),
    responses((status = 200, body = Period), (status = "default", body = Problem)))]
async fn close_period(
    State(edge): State<Edge>,
    session: Session,
    key: IdempotencyKey,
    At((district_id, month)): At<(Uuid, String)>,
) -> Answer<Period> {
    let request =
        pb::ClosePeriodRequest { request_id: key.text(), district_id: district_id.to_string(), month };
    let answer = books(&edge, &session).close_period(request).await?.into_inner();
    Ok(axum::Json(answer.period.unwrap_or_default().into()))
}

/// Months of the books.
#[derive(Serialize, ToSchema)]
struct Periods {
    /// The months that are closed or wanted closed, newest first; all before the last closed one are closed with it.
    periods: Vec<Period>,
}

/// Lists the months that are closed or wanted closed.
#[utoipa::path(get, path = "/v1/districts/{district_id}/periods", tag = "billing", security(("session" = [])),
    params(("district_id" = Uuid, Path)),
    responses((status = 200, body = Periods), (status = "default", body = Problem)))]
async fn list_periods(
    State(edge): State<Edge>,
    session: Session,
    At(district_id): At<Uuid>,
) -> Answer<Periods> {
    let request = pb::ListPeriodsRequest { district_id: district_id.to_string() };
    let answer = books(&edge, &session).list_periods(request).await?.into_inner();
    Ok(axum::Json(Periods { periods: answer.periods.into_iter().map(Into::into).collect() }))
}

/// A correction that is wanted: an entry to reverse, or two accounts and an amount.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewCorrection {
    /// The entry to reverse; absent to move an amount.
    journal_id: Option<Uuid>,
    /// The account to debit; absent for a reversal.
    #[serde(default)]
    debit_account: String,
    /// The account to credit; absent for a reversal.
    #[serde(default)]
    credit_account: String,
    /// The amount in fen; absent for a reversal.
    #[serde(default)]
    amount_fen: i64,
    /// Why, 1 to 400 characters.
    reason: String,
    /// The difference it resolves, if any.
    case_id: Option<Uuid>,
}

/// A correction of the ledger.
#[derive(Serialize, ToSchema)]
struct Correction {
    /// The correction's id.
    id: String,
    /// The school whose books it is in.
    school_id: String,
    /// The entry it reverses; empty when it moves an amount.
    journal_id: String,
    /// The account debited; empty for a reversal.
    debit_account: String,
    /// The account credited; empty for a reversal.
    credit_account: String,
    /// The amount in fen; 0 for a reversal.
    amount_fen: i64,
    /// Why.
    reason: String,
    /// The difference it resolves; empty when none.
    case_id: String,
    /// Who wants it.
    proposed_by: String,
    /// Who decided; empty until then.
    decided_by: String,
    /// `proposed`, `booked` or `rejected`.
    state: String,
    /// When it was wanted.
    create_time: Option<DateTime<Utc>>,
}

impl From<pb::Correction> for Correction {
    fn from(one: pb::Correction) -> Self {
        Self {
            state: word(one.state().as_str_name(), "STATE_"),
            id: one.id,
            school_id: one.school_id,
            journal_id: one.journal_id,
            debit_account: one.debit_account,
            credit_account: one.credit_account,
            amount_fen: one.amount_fen,
            reason: one.reason,
            case_id: one.case_id,
            proposed_by: one.proposed_by,
            decided_by: one.decided_by,
            create_time: moment(one.create_time),
        }
    }
}

/// Wants a school's books corrected.
#[utoipa::path(post, path = "/v1/schools/{school_id}/corrections", tag = "billing", security(("session" = [])),
    params(("school_id" = Uuid, Path), IdempotencyHeader), request_body = NewCorrection,
    responses((status = 200, body = Correction), (status = "default", body = Problem)))]
async fn propose_correction(
    State(edge): State<Edge>,
    session: Session,
    key: IdempotencyKey,
    At(school_id): At<Uuid>,
    Json(body): Json<NewCorrection>,
) -> Answer<Correction> {
    let request = pb::ProposeCorrectionRequest {
        request_id: key.text(),
        school_id: school_id.to_string(),
        journal_id: body.journal_id.map(|id| id.to_string()).unwrap_or_default(),
        debit_account: body.debit_account,
        credit_account: body.credit_account,
        amount_fen: body.amount_fen,
        reason: body.reason,
        case_id: body.case_id.map(|id| id.to_string()).unwrap_or_default(),
    };
    let answer = books(&edge, &session).propose_correction(request).await?.into_inner();
    Ok(axum::Json(answer.correction.unwrap_or_default().into()))
}

/// A decision on a correction.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct CorrectionDecision {
    /// Whether it is booked; false rejects.
    approved: bool,
}

/// Decides a correction, as a second person.
#[utoipa::path(post, path = "/v1/corrections/{correction_id}/decide", tag = "billing", security(("session" = [])),
    params(("correction_id" = Uuid, Path), IdempotencyHeader), request_body = CorrectionDecision,
    responses((status = 200, body = Correction), (status = "default", body = Problem)))]
async fn decide_correction(
    State(edge): State<Edge>,
    session: Session,
    key: IdempotencyKey,
    At(correction_id): At<Uuid>,
    Json(body): Json<CorrectionDecision>,
) -> Answer<Correction> {
    let request = pb::DecideCorrectionRequest {
        request_id: key.text(),
        correction_id: correction_id.to_string(),
        approved: body.approved,
    };
    let answer = books(&edge, &session).decide_correction(request).await?.into_inner();
    Ok(axum::Json(answer.correction.unwrap_or_default().into()))
}

/// A page of corrections.
#[derive(Serialize, ToSchema)]
struct Corrections {
    /// The corrections, newest first.
    corrections: Vec<Correction>,
    /// For the next page; empty when this is the last.
    next_page_token: String,
}

/// Lists corrections of a district's books.
#[utoipa::path(get, path = "/v1/districts/{district_id}/corrections", tag = "billing", security(("session" = [])),
    params(("district_id" = Uuid, Path), PageAsked),
    responses((status = 200, body = Corrections), (status = "default", body = Problem)))]
async fn list_corrections(
    State(edge): State<Edge>,
    session: Session,
    At(district_id): At<Uuid>,
    Asked(page): Asked<PageAsked>,
) -> Answer<Corrections> {
    let request = pb::ListCorrectionsRequest {
        district_id: district_id.to_string(),
        page_size: page.page_size,
        page_token: page.page_token,
    };
    let answer = books(&edge, &session).list_corrections(request).await?.into_inner();
    Ok(axum::Json(Corrections {
        corrections: answer.corrections.into_iter().map(Into::into).collect(),
        next_page_token: answer.next_page_token,
    }))
}

/// Which months are wanted.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct MonthsAsked {
    /// The first month, `YYYY-MM`.
    from_month: String,
    /// The last month, `YYYY-MM`; at most 24 months.
    to_month: String,
}

/// A month of a school's books, in fen: charged is waived and paid and owed, less refunded and returning.
#[derive(Serialize, ToSchema)]
struct SchoolMonth {
    /// The month, `YYYY-MM`.
    month: String,
    /// Charged for the service, less what was given back.
    charged_fen: i64,
    /// Let off, for somebody else to bear.
    waived_fen: i64,
    /// Came in.
    paid_fen: i64,
    /// Arrived back at families.
    refunded_fen: i64,
    /// What families owe more than at the beginning.
    owed_fen: i64,
    /// What is on its way back more than at the beginning.
    returning_fen: i64,
    /// What corrections moved to accounts of public money and spending.
    elsewhere_fen: i64,
    /// What is held at the end.
    held_fen: i64,
    /// Whether the books of the month are closed.
    is_closed: bool,
}

/// A school's statement.
#[derive(Serialize, ToSchema)]
struct SchoolStatement {
    /// The months, oldest first.
    months: Vec<SchoolMonth>,
}

/// Says what a school's books say, month by month. No family is named.
#[utoipa::path(get, path = "/v1/schools/{school_id}/statement", tag = "billing", security(("session" = [])),
    params(("school_id" = Uuid, Path), MonthsAsked),
    responses((status = 200, body = SchoolStatement), (status = "default", body = Problem)))]
async fn get_school_statement(
    State(edge): State<Edge>,
    session: Session,
    At(school_id): At<Uuid>,
    Asked(asked): Asked<MonthsAsked>,
) -> Answer<SchoolStatement> {
    let request = pb::GetSchoolStatementRequest {
        school_id: school_id.to_string(),
        from_month: asked.from_month,
        to_month: asked.to_month,
    };
    let answer = books(&edge, &session).get_school_statement(request).await?.into_inner();
    let month = |one: pb::SchoolMonth| SchoolMonth {
        month: one.month,
        charged_fen: one.charged_fen,
        waived_fen: one.waived_fen,
        paid_fen: one.paid_fen,
        refunded_fen: one.refunded_fen,
        owed_fen: one.owed_fen,
        returning_fen: one.returning_fen,
        elsewhere_fen: one.elsewhere_fen,
        held_fen: one.held_fen,
        is_closed: one.is_closed,
    };
    Ok(axum::Json(SchoolStatement { months: answer.months.into_iter().map(month).collect() }))
}

/// Which months are wanted, and as which file.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ExportAsked {
    /// The first month, `YYYY-MM`.
    from_month: String,
    /// The last month, `YYYY-MM`; at most 24 months.
    to_month: String,
    /// `xlsx` or `csv`.
    format: String,
}

/// Gives a school's statement as a file.
#[utoipa::path(get, path = "/v1/schools/{school_id}/statement/export", tag = "billing", security(("session" = [])),
    params(("school_id" = Uuid, Path), ExportAsked),
    responses((status = 200, content_type = "application/octet-stream"), (status = "default", body = Problem)))]
async fn export_school_statement(
    State(edge): State<Edge>,
    session: Session,
    At(school_id): At<Uuid>,
    Asked(asked): Asked<ExportAsked>,
) -> Result<Response, Refusal> {
    use pb::export_school_statement_request::Format;
    let format =
        number("format", &asked.format, "FORMAT_", |name| Format::from_str_name(name).map(Into::into))?;
    let request = pb::ExportSchoolStatementRequest {
        school_id: school_id.to_string(),
        from_month: asked.from_month,
        to_month: asked.to_month,
        format,
    };
    let answer = books(&edge, &session).export_school_statement(request).await?.into_inner();
    Ok(evidence(answer.content, &answer.content_type))
}

/// One movement of a family's statement.
#[derive(Serialize, ToSchema)]
struct FamilyLine {
    /// When.
    line_time: Option<DateTime<Utc>>,
    /// `billed`, `paid`, `refunded` or `returning`.
    kind: String,
    /// What it is for.
    title: String,
    /// How much, in fen.
    amount_fen: i64,
}

/// What a family was charged, paid and got back for a pupil, in fen.
#[derive(Serialize, ToSchema)]
struct FamilyStatement {
    /// The movements, oldest first.
    lines: Vec<FamilyLine>,
    /// All bills together.
    billed_fen: i64,
    /// All payments together.
    paid_fen: i64,
    /// All refunds that arrived together.
    refunded_fen: i64,
}

/// Says what a family was charged, paid and got back for a pupil.
#[utoipa::path(get, path = "/v1/pupils/{pupil_id}/statement", tag = "billing", security(("session" = [])),
    params(("pupil_id" = Uuid, Path)),
    responses((status = 200, body = FamilyStatement), (status = "default", body = Problem)))]
async fn get_family_statement(
    State(edge): State<Edge>,
    session: Session,
    At(pupil_id): At<Uuid>,
) -> Answer<FamilyStatement> {
    let request = pb::GetFamilyStatementRequest { pupil_id: pupil_id.to_string() };
    let answer = books(&edge, &session).get_family_statement(request).await?.into_inner();
    let line = |one: pb::get_family_statement_response::Line| FamilyLine {
        line_time: moment(one.line_time),
        kind: word(one.kind().as_str_name(), "KIND_"),
        title: one.title,
        amount_fen: one.amount_fen,
    };
    Ok(axum::Json(FamilyStatement {
        lines: answer.lines.into_iter().map(line).collect(),
        billed_fen: answer.billed_fen,
        paid_fen: answer.paid_fen,
        refunded_fen: answer.refunded_fen,
    }))
}
