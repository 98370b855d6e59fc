//! The service: one line a method.

use proto::billing::v1::billing_service_server::BillingService;
use proto::billing::v1::*;
use shared::caller;
use shared::client::Link;
use tonic::{Request, Response, Status};

use super::{
    apply_for_waiver, close_invoice, decide_waiver, get_evidence, get_quote, get_refund_quote, get_tariff,
    get_trial_balance, invoices, list_refunds, list_waivers, pay, publish_tariff, receive_notification,
    sync_payment, upload_evidence,
};
use crate::till::Till;

/// `kehou.billing.v1.BillingService`.
pub struct Billing {
    /// What the methods work with.
    pub till: Till,
    /// The identity service, which knows who pays.
    pub identity: Link,
}

/// Hands a request to its method with who calls.
macro_rules! answer {
    ($request:ident, $caller:ident => $method:expr) => {{
        let $caller = &caller::of(&$request);
        let $request = $request.into_inner();
        $method.await.map(Response::new)
    }};
}

#[tonic::async_trait]
impl BillingService for Billing {
    async fn publish_tariff(
        &self,
        r: Request<PublishTariffRequest>,
    ) -> Result<Response<PublishTariffResponse>, Status> {
        answer!(r, caller => publish_tariff::publish_tariff(&self.till, caller, r))
    }
    async fn get_tariff(&self, r: Request<GetTariffRequest>) -> Result<Response<GetTariffResponse>, Status> {
        get_tariff::get_tariff(&self.till, r.into_inner()).await.map(Response::new)
    }
    async fn get_quote(&self, r: Request<GetQuoteRequest>) -> Result<Response<GetQuoteResponse>, Status> {
        answer!(r, caller => get_quote::get_quote(&self.till, caller, r))
    }
    async fn get_invoice(
        &self,
        r: Request<GetInvoiceRequest>,
    ) -> Result<Response<GetInvoiceResponse>, Status> {
        answer!(r, caller => invoices::get_invoice(&self.till, caller, r))
    }
    async fn list_invoices(
        &self,
        r: Request<ListInvoicesRequest>,
    ) -> Result<Response<ListInvoicesResponse>, Status> {
        answer!(r, caller => invoices::list_invoices(&self.till, caller, r))
    }
    async fn pay(&self, r: Request<PayRequest>) -> Result<Response<PayResponse>, Status> {
        answer!(r, caller => pay::pay(&self.till, &self.identity, caller, r))
    }
    async fn sync_payment(
        &self,
        r: Request<SyncPaymentRequest>,
    ) -> Result<Response<SyncPaymentResponse>, Status> {
        answer!(r, caller => sync_payment::sync_payment(&self.till, caller, r))
    }
    async fn close_invoice(
        &self,
        r: Request<CloseInvoiceRequest>,
    ) -> Result<Response<CloseInvoiceResponse>, Status> {
        answer!(r, caller => close_invoice::close_invoice(&self.till, caller, r))
    }
    async fn get_refund_quote(
        &self,
        r: Request<GetRefundQuoteRequest>,
    ) -> Result<Response<GetRefundQuoteResponse>, Status> {
        answer!(r, caller => get_refund_quote::get_refund_quote(&self.till, caller, r))
    }
    async fn receive_notification(
        &self,
        r: Request<ReceiveNotificationRequest>,
    ) -> Result<Response<ReceiveNotificationResponse>, Status> {
        answer!(r, caller => receive_notification::receive_notification(&self.till, caller, r))
    }
    async fn list_refunds(
        &self,
        r: Request<ListRefundsRequest>,
    ) -> Result<Response<ListRefundsResponse>, Status> {
        answer!(r, caller => list_refunds::list_refunds(&self.till, caller, r))
    }
    async fn upload_evidence(
        &self,
        r: Request<UploadEvidenceRequest>,
    ) -> Result<Response<UploadEvidenceResponse>, Status> {
        answer!(r, caller => upload_evidence::upload_evidence(&self.till, caller, r))
    }
    async fn get_evidence(
        &self,
        r: Request<GetEvidenceRequest>,
    ) -> Result<Response<GetEvidenceResponse>, Status> {
        answer!(r, caller => get_evidence::get_evidence(&self.till, caller, r))
    }
    async fn apply_for_waiver(
        &self,
        r: Request<ApplyForWaiverRequest>,
    ) -> Result<Response<ApplyForWaiverResponse>, Status> {
        answer!(r, caller => apply_for_waiver::apply_for_waiver(&self.till, caller, r))
    }
    async fn decide_waiver(
        &self,
        r: Request<DecideWaiverRequest>,
    ) -> Result<Response<DecideWaiverResponse>, Status> {
        answer!(r, caller => decide_waiver::decide_waiver(&self.till, caller, r))
    }
    async fn list_waivers(
        &self,
        r: Request<ListWaiversRequest>,
    ) -> Result<Response<ListWaiversResponse>, Status> {
        answer!(r, caller => list_waivers::list_waivers(&self.till, caller, r))
    }
    async fn get_trial_balance(
        &self,
        r: Request<GetTrialBalanceRequest>,
    ) -> Result<Response<GetTrialBalanceResponse>, Status> {
        answer!(r, caller => get_trial_balance::get_trial_balance(&self.till, caller, r))
    }
}
