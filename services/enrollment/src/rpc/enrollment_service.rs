//! The generated trait: one line per method.

use proto::enrollment::v1::enrollment_service_server::EnrollmentService;
use proto::enrollment::v1::{
    ApplyBasketRequest, ApplyBasketResponse, ApplyRequest, ApplyResponse, ApplyStreamRequest,
    ChangeSeatRequest, ChangeSeatResponse, DecideStepRequest, DecideStepResponse, GetEnrollmentRequest,
    GetEnrollmentResponse, ListPupilEnrollmentsRequest, ListPupilEnrollmentsResponse, ListReviewsRequest,
    ListReviewsResponse, ListRosterRequest, ListRosterResponse, ListRoundsRequest, ListRoundsResponse,
    ListSeatsRequest, ListSeatsResponse, OpenRoundRequest, OpenRoundResponse, WithdrawRequest,
    WithdrawResponse,
};
use shared::caller;
use tonic::{Request, Response, Status, Streaming};

use super::{EnrollmentRpc, apply, change_seat, decide_step, open_round, read, roster, withdraw};

#[tonic::async_trait]
impl EnrollmentService for EnrollmentRpc {
    type ApplyStreamStream = apply::Answers;

    async fn open_round(
        &self,
        request: Request<OpenRoundRequest>,
    ) -> Result<Response<OpenRoundResponse>, Status> {
        let caller = caller::of(&request);
        open_round::open_round(self, &caller, request.into_inner()).await.map(Response::new)
    }

    async fn list_rounds(
        &self,
        request: Request<ListRoundsRequest>,
    ) -> Result<Response<ListRoundsResponse>, Status> {
        read::list_rounds(self, &request.into_inner()).await.map(Response::new)
    }

    async fn apply(&self, request: Request<ApplyRequest>) -> Result<Response<ApplyResponse>, Status> {
        let caller = caller::of(&request);
        apply::apply(self, &caller, &request.into_inner()).await.map(Response::new)
    }

    async fn apply_basket(
        &self,
        request: Request<ApplyBasketRequest>,
    ) -> Result<Response<ApplyBasketResponse>, Status> {
        let caller = caller::of(&request);
        apply::apply_basket(self, &caller, &request.into_inner()).await.map(Response::new)
    }

    async fn apply_stream(
        &self,
        request: Request<Streaming<ApplyStreamRequest>>,
    ) -> Result<Response<Self::ApplyStreamStream>, Status> {
        let caller = caller::of(&request);
        apply::apply_stream(self, &caller, request.into_inner()).map(Response::new)
    }

    async fn decide_step(
        &self,
        request: Request<DecideStepRequest>,
    ) -> Result<Response<DecideStepResponse>, Status> {
        let caller = caller::of(&request);
        decide_step::decide_step(self, &caller, request.into_inner()).await.map(Response::new)
    }

    async fn withdraw(
        &self,
        request: Request<WithdrawRequest>,
    ) -> Result<Response<WithdrawResponse>, Status> {
        let caller = caller::of(&request);
        withdraw::withdraw(self, &caller, request.into_inner()).await.map(Response::new)
    }

    async fn change_seat(
        &self,
        request: Request<ChangeSeatRequest>,
    ) -> Result<Response<ChangeSeatResponse>, Status> {
        let caller = caller::of(&request);
        change_seat::change_seat(self, &caller, request.into_inner()).await.map(Response::new)
    }

    async fn get_enrollment(
        &self,
        request: Request<GetEnrollmentRequest>,
    ) -> Result<Response<GetEnrollmentResponse>, Status> {
        let caller = caller::of(&request);
        read::get_enrollment(self, &caller, &request.into_inner()).await.map(Response::new)
    }

    async fn list_pupil_enrollments(
        &self,
        request: Request<ListPupilEnrollmentsRequest>,
    ) -> Result<Response<ListPupilEnrollmentsResponse>, Status> {
        let caller = caller::of(&request);
        read::list_pupil_enrollments(self, &caller, &request.into_inner()).await.map(Response::new)
    }

    async fn list_reviews(
        &self,
        request: Request<ListReviewsRequest>,
    ) -> Result<Response<ListReviewsResponse>, Status> {
        let caller = caller::of(&request);
        read::list_reviews(self, &caller, &request.into_inner()).await.map(Response::new)
    }

    async fn list_roster(
        &self,
        request: Request<ListRosterRequest>,
    ) -> Result<Response<ListRosterResponse>, Status> {
        let caller = caller::of(&request);
        roster::list_roster(self, &caller, &request.into_inner()).await.map(Response::new)
    }

    async fn list_seats(
        &self,
        request: Request<ListSeatsRequest>,
    ) -> Result<Response<ListSeatsResponse>, Status> {
        read::list_seats(self, &request.into_inner()).await.map(Response::new)
    }
}
