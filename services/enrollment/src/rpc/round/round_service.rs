//! The generated trait: one line per method.

use proto::enrollment::v1::round_service_server::RoundService;
use proto::enrollment::v1::{
    CancelRoundRequest, CancelRoundResponse, ClearWishesRequest, ClearWishesResponse, DrawRoundRequest,
    DrawRoundResponse, EnterValuesRequest, EnterValuesResponse, ExtendRoundRequest, ExtendRoundResponse,
    GetDrawBundleRequest, GetDrawBundleResponse, GetDrawReceiptRequest, GetDrawReceiptResponse,
    GetDrawRequest, GetDrawResponse, GetWishesRequest, GetWishesResponse, RehearseRoundRequest,
    RehearseRoundResponse, RepeatDrawRequest, RepeatDrawResponse, SetWishesRequest, SetWishesResponse,
};
use shared::caller;
use tonic::{Request, Response, Status};

use super::{
    RoundRpc, cancel_round, clear_wishes, draw_round, enter_values, extend_round, read, rehearse_round,
    repeat_draw, set_wishes,
};

#[tonic::async_trait]
impl RoundService for RoundRpc {
    async fn set_wishes(
        &self,
        request: Request<SetWishesRequest>,
    ) -> Result<Response<SetWishesResponse>, Status> {
        let caller = caller::of(&request);
        set_wishes::set_wishes(self, &caller, request.into_inner()).await.map(Response::new)
    }

    async fn clear_wishes(
        &self,
        request: Request<ClearWishesRequest>,
    ) -> Result<Response<ClearWishesResponse>, Status> {
        let caller = caller::of(&request);
        clear_wishes::clear_wishes(self, &caller, request.into_inner()).await.map(Response::new)
    }

    async fn get_wishes(
        &self,
        request: Request<GetWishesRequest>,
    ) -> Result<Response<GetWishesResponse>, Status> {
        let caller = caller::of(&request);
        read::get_wishes(self, &caller, &request.into_inner()).await.map(Response::new)
    }

    async fn enter_values(
        &self,
        request: Request<EnterValuesRequest>,
    ) -> Result<Response<EnterValuesResponse>, Status> {
        let caller = caller::of(&request);
        enter_values::enter_values(self, &caller, request.into_inner()).await.map(Response::new)
    }

    async fn draw_round(
        &self,
        request: Request<DrawRoundRequest>,
    ) -> Result<Response<DrawRoundResponse>, Status> {
        let caller = caller::of(&request);
        draw_round::draw_round(self, &caller, request.into_inner()).await.map(Response::new)
    }

    async fn get_draw(&self, request: Request<GetDrawRequest>) -> Result<Response<GetDrawResponse>, Status> {
        read::get_draw(self, &request.into_inner()).await.map(Response::new)
    }

    async fn get_draw_bundle(
        &self,
        request: Request<GetDrawBundleRequest>,
    ) -> Result<Response<GetDrawBundleResponse>, Status> {
        let caller = caller::of(&request);
        read::get_draw_bundle(self, &caller, &request.into_inner()).await.map(Response::new)
    }

    async fn get_draw_receipt(
        &self,
        request: Request<GetDrawReceiptRequest>,
    ) -> Result<Response<GetDrawReceiptResponse>, Status> {
        let caller = caller::of(&request);
        read::get_draw_receipt(self, &caller, &request.into_inner()).await.map(Response::new)
    }

    async fn repeat_draw(
        &self,
        request: Request<RepeatDrawRequest>,
    ) -> Result<Response<RepeatDrawResponse>, Status> {
        let caller = caller::of(&request);
        repeat_draw::repeat_draw(self, &caller, request.into_inner()).await.map(Response::new)
    }

    async fn rehearse_round(
        &self,
        request: Request<RehearseRoundRequest>,
    ) -> Result<Response<RehearseRoundResponse>, Status> {
        let caller = caller::of(&request);
        rehearse_round::rehearse_round(self, &caller, &request.into_inner()).await.map(Response::new)
    }

    async fn extend_round(
        &self,
        request: Request<ExtendRoundRequest>,
    ) -> Result<Response<ExtendRoundResponse>, Status> {
        let caller = caller::of(&request);
        extend_round::extend_round(self, &caller, request.into_inner()).await.map(Response::new)
    }

    async fn cancel_round(
        &self,
        request: Request<CancelRoundRequest>,
    ) -> Result<Response<CancelRoundResponse>, Status> {
        let caller = caller::of(&request);
        cancel_round::cancel_round(self, &caller, request.into_inner()).await.map(Response::new)
    }
}
