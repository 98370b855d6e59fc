//! Days compared, and the differences before people: one line a method, and the methods.

use chrono::NaiveDate;
use proto::billing::v1::reconciliation_service_server::ReconciliationService;
use proto::billing::v1::*;
use shared::caller::{self, Caller, NodePath, Role, StaffPermit};
use shared::request::{Claimed, RequestKey, claim};
use shared::value::{Case as CaseKind, District, Fen, Id, Violations};
use shared::{db, status};
use tonic::{Request, Response, Status};

use super::convert;
use crate::domain::case::{self, State};
use crate::domain::reconciliation::Kind;
use crate::store;
use crate::store::bill::Reconciled;
use crate::store::case::Case;
use crate::till::Till;
use crate::till::reconcile;

/// `kehou.billing.v1.ReconciliationService`.
pub struct Reconciliation {
    /// What the methods work with.
    pub till: Till,
}

#[tonic::async_trait]
impl ReconciliationService for Reconciliation {
    async fn reconcile_day(
        &self,
        r: Request<ReconcileDayRequest>,
    ) -> Result<Response<ReconcileDayResponse>, Status> {
        let caller = caller::of(&r);
        reconcile_day(&self.till, &caller, r.into_inner()).await.map(Response::new)
    }
    async fn list_reconciliations(
        &self,
        r: Request<ListReconciliationsRequest>,
    ) -> Result<Response<ListReconciliationsResponse>, Status> {
        let caller = caller::of(&r);
        list_reconciliations(&self.till, &caller, r.into_inner()).await.map(Response::new)
    }
    async fn list_cases(&self, r: Request<ListCasesRequest>) -> Result<Response<ListCasesResponse>, Status> {
        let caller = caller::of(&r);
        list_cases(&self.till, &caller, r.into_inner()).await.map(Response::new)
    }
    async fn take_case(&self, r: Request<TakeCaseRequest>) -> Result<Response<TakeCaseResponse>, Status> {
        let caller = caller::of(&r);
        take_case(&self.till, &caller, r.into_inner()).await.map(Response::new)
    }
    async fn resolve_case(
        &self,
        r: Request<ResolveCaseRequest>,
    ) -> Result<Response<ResolveCaseResponse>, Status> {
        let caller = caller::of(&r);
        resolve_case(&self.till, &caller, r.into_inner()).await.map(Response::new)
    }
}

/// Who keeps the bureau's money.
const ROLES: &[Role] = &[Role::BureauFinance];

/// Insists that a district lies within reach.
fn reach(permit: &StaffPermit, district_id: Id<District>) -> Result<(), Status> {
    permit.reach(&NodePath::new(vec![district_id.uuid()]), "district", district_id)
}

async fn reconcile_day(
    till: &Till,
    caller: &Caller,
    request: ReconcileDayRequest,
) -> Result<ReconcileDayResponse, Status> {
    let permit = caller.staff(ROLES)?;
    let mut violations = Violations::default();
    let district_id: Option<Id<District>> = convert::id(&mut violations, "district_id", &request.district_id);
    let day = violations.field("day", request.day.parse::<NaiveDate>());
    let (district_id, day) = convert::read(&violations, district_id.zip(day))?;
    reach(&permit, district_id)?;
    let payees = store::bill::payees_of(till.db.read(), district_id).await?;
    let mut reconciliations = Vec::new();
    for pay in till.merchants.all() {
        if payees.iter().any(|payee| payee == pay.merchant().payee_mchid()) {
            let report = reconcile::reconcile(till, pay, day).await?;
            reconciliations.push(reconciliation(&report.reconciled));
        }
    }
    let waiting = store::case::waiting_count(till.db.read(), Some(district_id), None).await?;
    Ok(ReconcileDayResponse { reconciliations, waiting_count: count(waiting) })
}

async fn list_reconciliations(
    till: &Till,
    caller: &Caller,
    request: ListReconciliationsRequest,
) -> Result<ListReconciliationsResponse, Status> {
    let permit = caller.staff(ROLES)?;
    let mut violations = Violations::default();
    let district_id: Option<Id<District>> = convert::id(&mut violations, "district_id", &request.district_id);
    let page = convert::page(&mut violations, request.page_size, &request.page_token);
    let (district_id, page) = convert::read(&violations, district_id.zip(page))?;
    reach(&permit, district_id)?;
    let payees = store::bill::payees_of(till.db.read(), district_id).await?;
    let mut days = store::bill::list(till.db.read(), &payees, &page).await?;
    let next_page_token =
        convert::cut(&mut days, page.size, |one: &Reconciled| (one.day, one.payee_mchid.clone()));
    Ok(ListReconciliationsResponse {
        reconciliations: days.iter().map(reconciliation).collect(),
        next_page_token,
    })
}

async fn list_cases(
    till: &Till,
    caller: &Caller,
    request: ListCasesRequest,
) -> Result<ListCasesResponse, Status> {
    let permit = caller.staff(ROLES)?;
    let mut violations = Violations::default();
    let district_id: Option<Id<District>> = convert::id(&mut violations, "district_id", &request.district_id);
    let page = convert::page(&mut violations, request.page_size, &request.page_token);
    let (district_id, page) = convert::read(&violations, district_id.zip(page))?;
    reach(&permit, district_id)?;
    let mut cases = store::case::list(till.db.read(), district_id, request.waiting_only, &page).await?;
    let next_page_token = convert::cut(&mut cases, page.size, |one: &Case| (one.created_at, one.id.uuid()));
    Ok(ListCasesResponse { cases: cases.iter().map(message).collect(), next_page_token })
}

async fn take_case(
    till: &Till,
    caller: &Caller,
    request: TakeCaseRequest,
) -> Result<TakeCaseResponse, Status> {
    let permit = caller.staff(ROLES)?;
    let mut violations = Violations::default();
    let request_id = convert::request_id(&mut violations, &request.request_id);
    let case_id: Option<Id<CaseKind>> = convert::id(&mut violations, "case_id", &request.case_id);
    let (request_id, case_id) = convert::read(&violations, request_id.zip(case_id))?;
    let content = TakeCaseRequest { request_id: String::new(), ..request };
    let key = RequestKey::new(&caller.key(), "TakeCase", request_id, &content);
    db::retry(|| async {
        let tx = till.db.begin().await?;
        let now = till.clock.now();
        let claim = match claim(&tx, &key, now).await? {
            Claimed::First(claim) => claim,
            Claimed::Again(answer) => return Ok(answer),
        };
        let mut case = lock(&tx, &permit, case_id).await?;
        case.state = case::take(case.state, permit.id())?;
        store::case::save(&tx, &case).await?;
        let answer = TakeCaseResponse { case: Some(message(&case)) };
        claim.answer(&tx, &answer).await?;
        tx.commit().await?;
        Ok(answer)
    })
    .await
}

async fn resolve_case(
    till: &Till,
    caller: &Caller,
    request: ResolveCaseRequest,
) -> Result<ResolveCaseResponse, Status> {
    let permit = caller.staff(ROLES)?;
    let mut violations = Violations::default();
    let request_id = convert::request_id(&mut violations, &request.request_id);
    let case_id: Option<Id<CaseKind>> = convert::id(&mut violations, "case_id", &request.case_id);
    let note = violations.text("note", &request.note, 1, 400);
    let values = || Some((request_id?, case_id?, note?));
    let (request_id, case_id, note) = convert::read(&violations, values())?;
    let content = ResolveCaseRequest { request_id: String::new(), ..request };
    let key = RequestKey::new(&caller.key(), "ResolveCase", request_id, &content);
    db::retry(|| async {
        let tx = till.db.begin().await?;
        let now = till.clock.now();
        let claim = match claim(&tx, &key, now).await? {
            Claimed::First(claim) => claim,
            Claimed::Again(answer) => return Ok(answer),
        };
        let mut case = lock(&tx, &permit, case_id).await?;
        case.state = case::resolve(case.state, permit.id(), note.clone(), now)?;
        store::case::save(&tx, &case).await?;
        let answer = ResolveCaseResponse { case: Some(message(&case)) };
        claim.answer(&tx, &answer).await?;
        tx.commit().await?;
        Ok(answer)
    })
    .await
}

/// Locks a case within reach.
pub async fn lock(tx: &db::Tx, permit: &StaffPermit, id: Id<CaseKind>) -> Result<Case, Status> {
    let not_found = || status::not_found("case", id);
    let case = store::case::lock(tx, id).await?.ok_or_else(not_found)?;
    permit.reach(&NodePath::new(vec![case.district_id.uuid()]), "case", id)?;
    Ok(case)
}

fn count(count: u64) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}

fn reconciliation(one: &Reconciled) -> proto::billing::v1::Reconciliation {
    proto::billing::v1::Reconciliation {
        payee_mchid: one.payee_mchid.clone(),
        day: one.day.to_string(),
        line_count: count(one.line_count),
        matched_count: count(one.matched_count),
        update_time: Some(convert::timestamp(one.updated_at)),
    }
}

/// A case as a message.
fn message(one: &Case) -> proto::billing::v1::Case {
    use proto::billing::v1::case as pb;
    let kind = match one.difference.kind {
        Kind::MissingHere => pb::Kind::MissingHere,
        Kind::MissingThere => pb::Kind::MissingThere,
        Kind::Amount => pb::Kind::Amount,
        Kind::Status => pb::Kind::Status,
        Kind::DuplicateLine => pb::Kind::DuplicateLine,
        Kind::ForeignMerchant => pb::Kind::ForeignMerchant,
        Kind::RefundLater => pb::Kind::RefundLater,
        Kind::FeeRounding => pb::Kind::FeeRounding,
        Kind::MidnightEdge => pb::Kind::MidnightEdge,
        Kind::Ledger => pb::Kind::Ledger,
    };
    let (state, taken_by, note) = match &one.state {
        State::Explained => (pb::State::Explained, None, ""),
        State::Repaired => (pb::State::Repaired, None, ""),
        State::Open => (pb::State::Open, None, ""),
        State::Taken { by } => (pb::State::Taken, Some(by), ""),
        State::Resolved { by, note, .. } => (pb::State::Resolved, Some(by), note.as_str()),
    };
    proto::billing::v1::Case {
        id: one.id.to_string(),
        payee_mchid: one.payee_mchid.clone(),
        day: one.day.to_string(),
        kind: kind.into(),
        subject: one.difference.subject.clone(),
        ours_fen: one.difference.ours.map(Fen::get),
        theirs_fen: one.difference.theirs.map(Fen::get),
        state: state.into(),
        taken_by: taken_by.map(ToString::to_string).unwrap_or_default(),
        note: note.to_owned(),
        create_time: Some(convert::timestamp(one.created_at)),
    }
}
