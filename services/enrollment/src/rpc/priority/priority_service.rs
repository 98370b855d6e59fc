//! The generated trait: one line per method.

use proto::enrollment::v1::priority_service_server::PriorityService;
use proto::enrollment::v1::{
    AppealPriorityRequest, AppealPriorityResponse, ClaimPriorityRequest, ClaimPriorityResponse,
    DecidePriorityRequest, DecidePriorityResponse, EndPriorityRequest, EndPriorityResponse,
    GetEvidenceRequest, GetEvidenceResponse, ListPrioritiesRequest, ListPrioritiesResponse,
    ListPupilPrioritiesRequest, ListPupilPrioritiesResponse, RecordPriorityRequest, RecordPriorityResponse,
    UploadEvidenceRequest, UploadEvidenceResponse,
};
use shared::caller;
use tonic::{Request, Response, Status};

use super::{
    PriorityRpc, appeal_priority, claim_priority, decide_priority, end_priority, get_evidence, read,
    record_priority, upload_evidence,
};

#[tonic::async_trait]
impl PriorityService for PriorityRpc {
    async fn upload_evidence(
        &self,
        request: Request<UploadEvidenceRequest>,
    ) -> Result<Response<UploadEvidenceResponse>, Status> {
        let caller = caller::of(&request);
        upload_evidence::upload_evidence(self, &caller, request.into_inner()).await.map(Response::new)
    }

    async fn get_evidence(
        &self,
        request: Request<GetEvidenceRequest>,
    ) -> Result<Response<GetEvidenceResponse>, Status> {
        let caller = caller::of(&request);
        get_evidence::get_evidence(self, &caller, &request.into_inner()).await.map(Response::new)
    }

    async fn claim_priority(
        &self,
        request: Request<ClaimPriorityRequest>,
    ) -> Result<Response<ClaimPriorityResponse>, Status> {
        let caller = caller::of(&request);
        claim_priority::claim_priority(self, &caller, request.into_inner()).await.map(Response::new)
    }

    async fn decide_priority(
        &self,
        request: Request<DecidePriorityRequest>,
    ) -> Result<Response<DecidePriorityResponse>, Status> {
        let caller = caller::of(&request);
        decide_priority::decide_priority(self, &caller, request.into_inner()).await.map(Response::new)
    }

    async fn appeal_priority(
        &self,
        request: Request<AppealPriorityRequest>,
    ) -> Result<Response<AppealPriorityResponse>, Status> {
        let caller = caller::of(&request);
        appeal_priority::appeal_priority(self, &caller, request.into_inner()).await.map(Response::new)
    }

    async fn record_priority(
        &self,
        request: Request<RecordPriorityRequest>,
    ) -> Result<Response<RecordPriorityResponse>, Status> {
        let caller = caller::of(&request);
        record_priority::record_priority(self, &caller, request.into_inner()).await.map(Response::new)
    }

    async fn end_priority(
        &self,
        request: Request<EndPriorityRequest>,
    ) -> Result<Response<EndPriorityResponse>, Status> {
        let caller = caller::of(&request);
        end_priority::end_priority(self, &caller, request.into_inner()).await.map(Response::new)
    }

    async fn list_pupil_priorities(
        &self,
        request: Request<ListPupilPrioritiesRequest>,
    ) -> Result<Response<ListPupilPrioritiesResponse>, Status> {
        let caller = caller::of(&request);
        read::list_pupil_priorities(self, &caller, &request.into_inner()).await.map(Response::new)
    }

    async fn list_priorities(
        &self,
        request: Request<ListPrioritiesRequest>,
    ) -> Result<Response<ListPrioritiesResponse>, Status> {
        let caller = caller::of(&request);
        read::list_priorities(self, &caller, &request.into_inner()).await.map(Response::new)
    }
}
