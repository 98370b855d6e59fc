//! The service of prices: one line a method.

use proto::billing::v1::price_service_server::PriceService;
use proto::billing::v1::*;
use shared::caller;
use tonic::{Request, Response, Status};

use super::{cost_sheets, decide_cost_sheet, publish_section_price, submit_cost_sheet};
use crate::till::Till;

/// `kehou.billing.v1.PriceService`.
pub struct Prices {
    /// What the methods work with.
    pub till: Till,
}

#[tonic::async_trait]
impl PriceService for Prices {
    async fn publish_section_price(
        &self,
        r: Request<PublishSectionPriceRequest>,
    ) -> Result<Response<PublishSectionPriceResponse>, Status> {
        let caller = caller::of(&r);
        let answer = publish_section_price::publish_section_price(&self.till, &caller, r.into_inner());
        answer.await.map(Response::new)
    }
    async fn submit_cost_sheet(
        &self,
        r: Request<SubmitCostSheetRequest>,
    ) -> Result<Response<SubmitCostSheetResponse>, Status> {
        let caller = caller::of(&r);
        let answer = submit_cost_sheet::submit_cost_sheet(&self.till, &caller, r.into_inner());
        answer.await.map(Response::new)
    }
    async fn decide_cost_sheet(
        &self,
        r: Request<DecideCostSheetRequest>,
    ) -> Result<Response<DecideCostSheetResponse>, Status> {
        let caller = caller::of(&r);
        let answer = decide_cost_sheet::decide_cost_sheet(&self.till, &caller, r.into_inner());
        answer.await.map(Response::new)
    }
    async fn list_cost_sheets(
        &self,
        r: Request<ListCostSheetsRequest>,
    ) -> Result<Response<ListCostSheetsResponse>, Status> {
        let caller = caller::of(&r);
        cost_sheets::list_cost_sheets(&self.till, &caller, r.into_inner()).await.map(Response::new)
    }
}
