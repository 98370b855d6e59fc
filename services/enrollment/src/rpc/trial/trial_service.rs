//! The generated trait of trials: one line per method.

use proto::enrollment::v1::trial_service_server::TrialService;
use proto::enrollment::v1::{
    BookTrialRequest, BookTrialResponse, CancelTrialRequest, CancelTrialResponse, ListBookingsRequest,
    ListBookingsResponse, ListTrialsRequest, ListTrialsResponse, OfferTrialRequest, OfferTrialResponse,
};
use shared::caller;
use tonic::{Request, Response, Status};

use super::{TrialRpc, book, cancel, offer, read};

#[tonic::async_trait]
impl TrialService for TrialRpc {
    async fn offer_trial(
        &self,
        request: Request<OfferTrialRequest>,
    ) -> Result<Response<OfferTrialResponse>, Status> {
        let caller = caller::of(&request);
        offer::offer_trial(&self.0, &caller, request.into_inner()).await.map(Response::new)
    }

    async fn list_trials(
        &self,
        request: Request<ListTrialsRequest>,
    ) -> Result<Response<ListTrialsResponse>, Status> {
        read::list_trials(&self.0, &request.into_inner()).await.map(Response::new)
    }

    async fn book_trial(
        &self,
        request: Request<BookTrialRequest>,
    ) -> Result<Response<BookTrialResponse>, Status> {
        let caller = caller::of(&request);
        book::book_trial(&self.0, &caller, request.into_inner()).await.map(Response::new)
    }

    async fn cancel_trial(
        &self,
        request: Request<CancelTrialRequest>,
    ) -> Result<Response<CancelTrialResponse>, Status> {
        let caller = caller::of(&request);
        cancel::cancel_trial(&self.0, &caller, request.into_inner()).await.map(Response::new)
    }

    async fn list_bookings(
        &self,
        request: Request<ListBookingsRequest>,
    ) -> Result<Response<ListBookingsResponse>, Status> {
        let caller = caller::of(&request);
        read::list_bookings(&self.0, &caller, &request.into_inner()).await.map(Response::new)
    }
}
