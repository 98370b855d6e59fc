//! The generated trait: one line per method.

use proto::enrollment::v1::notice_service_server::NoticeService;
use proto::enrollment::v1::{
    AcknowledgeNoticeRequest, AcknowledgeNoticeResponse, GetReachRequest, GetReachResponse,
    ListNoticesRequest, ListNoticesResponse, ListPupilNoticesRequest, ListPupilNoticesResponse,
    ListUnreachedRequest, ListUnreachedResponse, SendNoticeRequest, SendNoticeResponse,
};
use shared::caller;
use tonic::{Request, Response, Status};

use super::{NoticeRpc, acknowledge_notice, read, send_notice};

#[tonic::async_trait]
impl NoticeService for NoticeRpc {
    async fn send_notice(
        &self,
        request: Request<SendNoticeRequest>,
    ) -> Result<Response<SendNoticeResponse>, Status> {
        let caller = caller::of(&request);
        send_notice::send_notice(self, &caller, request.into_inner()).await.map(Response::new)
    }

    async fn acknowledge_notice(
        &self,
        request: Request<AcknowledgeNoticeRequest>,
    ) -> Result<Response<AcknowledgeNoticeResponse>, Status> {
        let caller = caller::of(&request);
        acknowledge_notice::acknowledge_notice(self, &caller, request.into_inner()).await.map(Response::new)
    }

    async fn list_pupil_notices(
        &self,
        request: Request<ListPupilNoticesRequest>,
    ) -> Result<Response<ListPupilNoticesResponse>, Status> {
        let caller = caller::of(&request);
        read::list_pupil_notices(self, &caller, &request.into_inner()).await.map(Response::new)
    }

    async fn list_notices(
        &self,
        request: Request<ListNoticesRequest>,
    ) -> Result<Response<ListNoticesResponse>, Status> {
        let caller = caller::of(&request);
        read::list_notices(self, &caller, &request.into_inner()).await.map(Response::new)
    }

    async fn get_reach(
        &self,
        request: Request<GetReachRequest>,
    ) -> Result<Response<GetReachResponse>, Status> {
        let caller = caller::of(&request);
        read::get_reach(self, &caller, &request.into_inner()).await.map(Response::new)
    }

    async fn list_unreached(
        &self,
        request: Request<ListUnreachedRequest>,
    ) -> Result<Response<ListUnreachedResponse>, Status> {
        let caller = caller::of(&request);
        read::list_unreached(self, &caller, &request.into_inner()).await.map(Response::new)
    }
}
