//! The generated trait: one line per method.

use proto::identity::v1::identity_service_server::IdentityService;
use proto::identity::v1::*;
use shared::{caller, db};
use tonic::{Request, Response, Status};

use super::{
    IdentityServer, bind_pupil, change_password, end_session, exchange_session, import_nodes, import_pupils,
    import_staff, read, sign_in_guardian, sign_in_staff, verify_phone, withdraw_consent,
};

/// Answers with what a method gives, done again while it gives way to another transaction.
macro_rules! answer {
    ($self:ident, $request:ident, $method:path) => {{
        let caller = caller::of(&$request);
        let message = $request.into_inner();
        db::retry(|| $method(&$self.0, &caller, &message)).await.map(Response::new)
    }};
}

#[tonic::async_trait]
impl IdentityService for IdentityServer {
    async fn import_nodes(
        &self,
        request: Request<ImportNodesRequest>,
    ) -> Result<Response<ImportNodesResponse>, Status> {
        answer!(self, request, import_nodes::import_nodes)
    }

    async fn get_node(&self, request: Request<GetNodeRequest>) -> Result<Response<GetNodeResponse>, Status> {
        answer!(self, request, read::get_node)
    }

    async fn list_nodes(
        &self,
        request: Request<ListNodesRequest>,
    ) -> Result<Response<ListNodesResponse>, Status> {
        answer!(self, request, read::list_nodes)
    }

    async fn import_pupils(
        &self,
        request: Request<ImportPupilsRequest>,
    ) -> Result<Response<ImportPupilsResponse>, Status> {
        answer!(self, request, import_pupils::import_pupils)
    }

    async fn list_pupils(
        &self,
        request: Request<ListPupilsRequest>,
    ) -> Result<Response<ListPupilsResponse>, Status> {
        answer!(self, request, read::list_pupils)
    }

    async fn batch_get_pupils(
        &self,
        request: Request<BatchGetPupilsRequest>,
    ) -> Result<Response<BatchGetPupilsResponse>, Status> {
        answer!(self, request, read::batch_get_pupils)
    }

    async fn import_staff(
        &self,
        request: Request<ImportStaffRequest>,
    ) -> Result<Response<ImportStaffResponse>, Status> {
        answer!(self, request, import_staff::import_staff)
    }

    async fn sign_in_guardian(
        &self,
        request: Request<SignInGuardianRequest>,
    ) -> Result<Response<SignInGuardianResponse>, Status> {
        answer!(self, request, sign_in_guardian::sign_in_guardian)
    }

    async fn verify_phone(
        &self,
        request: Request<VerifyPhoneRequest>,
    ) -> Result<Response<VerifyPhoneResponse>, Status> {
        answer!(self, request, verify_phone::verify_phone)
    }

    async fn get_consent_terms(
        &self,
        _request: Request<GetConsentTermsRequest>,
    ) -> Result<Response<GetConsentTermsResponse>, Status> {
        Ok(Response::new(read::get_consent_terms()))
    }

    async fn bind_pupil(
        &self,
        request: Request<BindPupilRequest>,
    ) -> Result<Response<BindPupilResponse>, Status> {
        answer!(self, request, bind_pupil::bind_pupil)
    }

    async fn withdraw_consent(
        &self,
        request: Request<WithdrawConsentRequest>,
    ) -> Result<Response<WithdrawConsentResponse>, Status> {
        answer!(self, request, withdraw_consent::withdraw_consent)
    }

    async fn list_my_pupils(
        &self,
        request: Request<ListMyPupilsRequest>,
    ) -> Result<Response<ListMyPupilsResponse>, Status> {
        answer!(self, request, read::list_my_pupils)
    }

    async fn sign_in_staff(
        &self,
        request: Request<SignInStaffRequest>,
    ) -> Result<Response<SignInStaffResponse>, Status> {
        answer!(self, request, sign_in_staff::sign_in_staff)
    }

    async fn change_password(
        &self,
        request: Request<ChangePasswordRequest>,
    ) -> Result<Response<ChangePasswordResponse>, Status> {
        answer!(self, request, change_password::change_password)
    }

    async fn exchange_session(
        &self,
        request: Request<ExchangeSessionRequest>,
    ) -> Result<Response<ExchangeSessionResponse>, Status> {
        answer!(self, request, exchange_session::exchange_session)
    }

    async fn end_session(
        &self,
        request: Request<EndSessionRequest>,
    ) -> Result<Response<EndSessionResponse>, Status> {
        answer!(self, request, end_session::end_session)
    }

    async fn get_payer(
        &self,
        request: Request<GetPayerRequest>,
    ) -> Result<Response<GetPayerResponse>, Status> {
        answer!(self, request, read::get_payer)
    }
}
