//! The generated trait of agreements: one line per method.

use proto::enrollment::v1::agreement_service_server::AgreementService;
use proto::enrollment::v1::{
    GetAgreementRequest, GetAgreementResponse, ListSignaturesRequest, ListSignaturesResponse,
    PublishAgreementRequest, PublishAgreementResponse, SignAgreementRequest, SignAgreementResponse,
};
use shared::caller;
use tonic::{Request, Response, Status};

use super::{EnrollmentRpc, agreements, publish_agreement, sign_agreement};

#[tonic::async_trait]
impl AgreementService for EnrollmentRpc {
    async fn publish_agreement(
        &self,
        request: Request<PublishAgreementRequest>,
    ) -> Result<Response<PublishAgreementResponse>, Status> {
        let caller = caller::of(&request);
        publish_agreement::publish_agreement(self, &caller, request.into_inner()).await.map(Response::new)
    }

    async fn get_agreement(
        &self,
        request: Request<GetAgreementRequest>,
    ) -> Result<Response<GetAgreementResponse>, Status> {
        agreements::get_agreement(self, &request.into_inner()).await.map(Response::new)
    }

    async fn sign_agreement(
        &self,
        request: Request<SignAgreementRequest>,
    ) -> Result<Response<SignAgreementResponse>, Status> {
        let caller = caller::of(&request);
        sign_agreement::sign_agreement(self, &caller, request.into_inner()).await.map(Response::new)
    }

    async fn list_signatures(
        &self,
        request: Request<ListSignaturesRequest>,
    ) -> Result<Response<ListSignaturesResponse>, Status> {
        let caller = caller::of(&request);
        agreements::list_signatures(self, &caller, &request.into_inner()).await.map(Response::new)
    }
}
