//! The books: one line a method.

use proto::billing::v1::ledger_service_server::LedgerService;
use proto::billing::v1::*;
use shared::caller;
use tonic::{Request, Response, Status};

use super::{
    close_period, decide_correction, family_statement, propose_correction, school_statement, verify_ledger,
};
use crate::anchor;
use crate::till::Till;

/// `kehou.billing.v1.LedgerService`.
pub struct Ledger {
    /// What the methods work with.
    pub till: Till,
    /// Where the heads of the chains were written down; none for nowhere.
    pub anchor_file: Option<std::path::PathBuf>,
}

/// Hands a request to its method with who calls.
macro_rules! answer {
    ($self:ident, $request:ident => $method:path) => {{
        let caller = caller::of(&$request);
        $method(&$self.till, &caller, $request.into_inner()).await.map(Response::new)
    }};
}

#[tonic::async_trait]
impl LedgerService for Ledger {
    async fn verify_ledger(
        &self,
        r: Request<VerifyLedgerRequest>,
    ) -> Result<Response<VerifyLedgerResponse>, Status> {
        let caller = caller::of(&r);
        let anchors = match self.anchor_file.as_deref() {
            Some(file) => anchor::read(file).await.map_err(|error| shared::status::internal(&error))?,
            None => Vec::new(),
        };
        verify_ledger::verify_ledger(&self.till, &caller, r.into_inner(), &anchors).await.map(Response::new)
    }
    async fn close_period(
        &self,
        r: Request<ClosePeriodRequest>,
    ) -> Result<Response<ClosePeriodResponse>, Status> {
        answer!(self, r => close_period::close_period)
    }
    async fn list_periods(
        &self,
        r: Request<ListPeriodsRequest>,
    ) -> Result<Response<ListPeriodsResponse>, Status> {
        answer!(self, r => close_period::list_periods)
    }
    async fn propose_correction(
        &self,
        r: Request<ProposeCorrectionRequest>,
    ) -> Result<Response<ProposeCorrectionResponse>, Status> {
        answer!(self, r => propose_correction::propose_correction)
    }
    async fn decide_correction(
        &self,
        r: Request<DecideCorrectionRequest>,
    ) -> Result<Response<DecideCorrectionResponse>, Status> {
        answer!(self, r => decide_correction::decide_correction)
    }
    async fn list_corrections(
        &self,
        r: Request<ListCorrectionsRequest>,
    ) -> Result<Response<ListCorrectionsResponse>, Status> {
        answer!(self, r => propose_correction::list_corrections)
    }
    async fn get_school_statement(
        &self,
        r: Request<GetSchoolStatementRequest>,
    ) -> Result<Response<GetSchoolStatementResponse>, Status> {
        answer!(self, r => school_statement::get_school_statement)
    }
    async fn export_school_statement(
        &self,
        r: Request<ExportSchoolStatementRequest>,
    ) -> Result<Response<ExportSchoolStatementResponse>, Status> {
        answer!(self, r => school_statement::export_school_statement)
    }
    async fn get_family_statement(
        &self,
        r: Request<GetFamilyStatementRequest>,
    ) -> Result<Response<GetFamilyStatementResponse>, Status> {
        answer!(self, r => family_statement::get_family_statement)
    }
}
