//! The generated trait: one line per method.

use proto::enrollment::v1::day_service_server::DayService;
use proto::enrollment::v1::{
    AddBatchRequest, AddBatchResponse, AddCollectorRequest, AddCollectorResponse, AddDeviceRequest,
    AddDeviceResponse, AskExtendedCareRequest, AskExtendedCareResponse, AssignBatchRequest,
    AssignBatchResponse, AssignDutyRequest, AssignDutyResponse, CancelExtendedCareRequest,
    CancelExtendedCareResponse, CancelLeaveRequest, CancelLeaveResponse, CheckOutRequest, CheckOutResponse,
    CloseQuestionRequest, CloseQuestionResponse, CorrectMarkRequest, CorrectMarkResponse,
    DecideCollectorRequest, DecideCollectorResponse, EndDutyRequest, EndDutyResponse, GetMonthRequest,
    GetMonthResponse, GetRollRequest, GetRollResponse, HandOverRequest, HandOverResponse, LinkPersonRequest,
    LinkPersonResponse, ListAsideMarksRequest, ListAsideMarksResponse, ListBatchesRequest,
    ListBatchesResponse, ListCollectorsRequest, ListCollectorsResponse, ListCoversRequest,
    ListCoversResponse, ListDevicesRequest, ListDevicesResponse, ListDismissalsRequest,
    ListDismissalsResponse, ListDutiesRequest, ListDutiesResponse, ListExtendedCareRequest,
    ListExtendedCareResponse, ListLessonsRequest, ListLessonsResponse, ListMarksRequest, ListMarksResponse,
    ListOpenPupilsRequest, ListOpenPupilsResponse, ListPupilMomentsRequest, ListPupilMomentsResponse,
    ListPupilQuestionsRequest, ListPupilQuestionsResponse, ListQuestionsRequest, ListQuestionsResponse,
    ListRoomsRequest, ListRoomsResponse, OpenQuestionRequest, OpenQuestionResponse, OpenRoomRequest,
    OpenRoomResponse, RecordCoverRequest, RecordCoverResponse, RecordDeviceEventsRequest,
    RecordDeviceEventsResponse, RecordRollRequest, RecordRollResponse, ReportLeaveRequest,
    ReportLeaveResponse, RevokeDeviceRequest, RevokeDeviceResponse, SetDismissalRequest,
    SetDismissalResponse, SettleAsideMarkRequest, SettleAsideMarkResponse,
};
use shared::caller;
use tonic::{Request, Response, Status};

use super::{
    DayRpc, add_batch, add_collector, add_device, ask_extended_care, assign_batch, assign_duty,
    cancel_extended_care, cancel_leave, check_out, close_question, collectors, correct_mark, custody,
    decide_collector, devices, dismissals, end_duty, hand_over, link_person, moments, month, open_question,
    open_room, questions, read, record_cover, record_device_events, record_roll, report_leave, revoke_device,
    rooms, set_dismissal, settle_aside_mark,
};

#[tonic::async_trait]
impl DayService for DayRpc {
    async fn assign_duty(
        &self,
        request: Request<AssignDutyRequest>,
    ) -> Result<Response<AssignDutyResponse>, Status> {
        let caller = caller::of(&request);
        assign_duty::assign_duty(self, &caller, request.into_inner()).await.map(Response::new)
    }

    async fn end_duty(&self, request: Request<EndDutyRequest>) -> Result<Response<EndDutyResponse>, Status> {
        let caller = caller::of(&request);
        end_duty::end_duty(self, &caller, request.into_inner()).await.map(Response::new)
    }

    async fn list_duties(
        &self,
        request: Request<ListDutiesRequest>,
    ) -> Result<Response<ListDutiesResponse>, Status> {
        let caller = caller::of(&request);
        read::list_duties(self, &caller, &request.into_inner()).await.map(Response::new)
    }

    async fn list_lessons(
        &self,
        request: Request<ListLessonsRequest>,
    ) -> Result<Response<ListLessonsResponse>, Status> {
        let caller = caller::of(&request);
        read::list_lessons(self, &caller, &request.into_inner()).await.map(Response::new)
    }

    async fn get_roll(&self, request: Request<GetRollRequest>) -> Result<Response<GetRollResponse>, Status> {
        let caller = caller::of(&request);
        read::get_roll(self, &caller, &request.into_inner()).await.map(Response::new)
    }

    async fn record_roll(
        &self,
        request: Request<RecordRollRequest>,
    ) -> Result<Response<RecordRollResponse>, Status> {
        let caller = caller::of(&request);
        record_roll::record_roll(self, &caller, request.into_inner()).await.map(Response::new)
    }

    async fn correct_mark(
        &self,
        request: Request<CorrectMarkRequest>,
    ) -> Result<Response<CorrectMarkResponse>, Status> {
        let caller = caller::of(&request);
        correct_mark::correct_mark(self, &caller, request.into_inner()).await.map(Response::new)
    }

    async fn list_marks(
        &self,
        request: Request<ListMarksRequest>,
    ) -> Result<Response<ListMarksResponse>, Status> {
        let caller = caller::of(&request);
        read::list_marks(self, &caller, &request.into_inner()).await.map(Response::new)
    }

    async fn list_aside_marks(
        &self,
        request: Request<ListAsideMarksRequest>,
    ) -> Result<Response<ListAsideMarksResponse>, Status> {
        let caller = caller::of(&request);
        read::list_aside_marks(self, &caller, &request.into_inner()).await.map(Response::new)
    }

    async fn settle_aside_mark(
        &self,
        request: Request<SettleAsideMarkRequest>,
    ) -> Result<Response<SettleAsideMarkResponse>, Status> {
        let caller = caller::of(&request);
        settle_aside_mark::settle_aside_mark(self, &caller, request.into_inner()).await.map(Response::new)
    }

    async fn get_month(
        &self,
        request: Request<GetMonthRequest>,
    ) -> Result<Response<GetMonthResponse>, Status> {
        let caller = caller::of(&request);
        month::get_month(self, &caller, &request.into_inner()).await.map(Response::new)
    }

    async fn report_leave(
        &self,
        request: Request<ReportLeaveRequest>,
    ) -> Result<Response<ReportLeaveResponse>, Status> {
        let caller = caller::of(&request);
        report_leave::report_leave(self, &caller, request.into_inner()).await.map(Response::new)
    }

    async fn cancel_leave(
        &self,
        request: Request<CancelLeaveRequest>,
    ) -> Result<Response<CancelLeaveResponse>, Status> {
        let caller = caller::of(&request);
        cancel_leave::cancel_leave(self, &caller, request.into_inner()).await.map(Response::new)
    }

    async fn hand_over(
        &self,
        request: Request<HandOverRequest>,
    ) -> Result<Response<HandOverResponse>, Status> {
        let caller = caller::of(&request);
        hand_over::hand_over(self, &caller, request.into_inner()).await.map(Response::new)
    }

    async fn check_out(
        &self,
        request: Request<CheckOutRequest>,
    ) -> Result<Response<CheckOutResponse>, Status> {
        let caller = caller::of(&request);
        check_out::check_out(self, &caller, request.into_inner()).await.map(Response::new)
    }

    async fn list_open_pupils(
        &self,
        request: Request<ListOpenPupilsRequest>,
    ) -> Result<Response<ListOpenPupilsResponse>, Status> {
        let caller = caller::of(&request);
        custody::list_open_pupils(self, &caller, &request.into_inner()).await.map(Response::new)
    }

    async fn add_collector(
        &self,
        request: Request<AddCollectorRequest>,
    ) -> Result<Response<AddCollectorResponse>, Status> {
        let caller = caller::of(&request);
        add_collector::add_collector(self, &caller, request.into_inner()).await.map(Response::new)
    }

    async fn decide_collector(
        &self,
        request: Request<DecideCollectorRequest>,
    ) -> Result<Response<DecideCollectorResponse>, Status> {
        let caller = caller::of(&request);
        decide_collector::decide_collector(self, &caller, request.into_inner()).await.map(Response::new)
    }

    async fn list_collectors(
        &self,
        request: Request<ListCollectorsRequest>,
    ) -> Result<Response<ListCollectorsResponse>, Status> {
        let caller = caller::of(&request);
        collectors::list_collectors(self, &caller, &request.into_inner()).await.map(Response::new)
    }

    async fn set_dismissal(
        &self,
        request: Request<SetDismissalRequest>,
    ) -> Result<Response<SetDismissalResponse>, Status> {
        let caller = caller::of(&request);
        set_dismissal::set_dismissal(self, &caller, request.into_inner()).await.map(Response::new)
    }

    async fn add_batch(
        &self,
        request: Request<AddBatchRequest>,
    ) -> Result<Response<AddBatchResponse>, Status> {
        let caller = caller::of(&request);
        add_batch::add_batch(self, &caller, request.into_inner()).await.map(Response::new)
    }

    async fn list_batches(
        &self,
        request: Request<ListBatchesRequest>,
    ) -> Result<Response<ListBatchesResponse>, Status> {
        let caller = caller::of(&request);
        dismissals::list_batches(self, &caller, &request.into_inner()).await.map(Response::new)
    }

    async fn assign_batch(
        &self,
        request: Request<AssignBatchRequest>,
    ) -> Result<Response<AssignBatchResponse>, Status> {
        let caller = caller::of(&request);
        assign_batch::assign_batch(self, &caller, request.into_inner()).await.map(Response::new)
    }

    async fn list_dismissals(
        &self,
        request: Request<ListDismissalsRequest>,
    ) -> Result<Response<ListDismissalsResponse>, Status> {
        let caller = caller::of(&request);
        dismissals::list_dismissals(self, &caller, &request.into_inner()).await.map(Response::new)
    }

    async fn ask_extended_care(
        &self,
        request: Request<AskExtendedCareRequest>,
    ) -> Result<Response<AskExtendedCareResponse>, Status> {
        let caller = caller::of(&request);
        ask_extended_care::ask_extended_care(self, &caller, request.into_inner()).await.map(Response::new)
    }

    async fn cancel_extended_care(
        &self,
        request: Request<CancelExtendedCareRequest>,
    ) -> Result<Response<CancelExtendedCareResponse>, Status> {
        let caller = caller::of(&request);
        cancel_extended_care::cancel_extended_care(self, &caller, request.into_inner())
            .await
            .map(Response::new)
    }

    async fn list_extended_care(
        &self,
        request: Request<ListExtendedCareRequest>,
    ) -> Result<Response<ListExtendedCareResponse>, Status> {
        let caller = caller::of(&request);
        dismissals::list_extended_care(self, &caller, &request.into_inner()).await.map(Response::new)
    }

    async fn open_room(
        &self,
        request: Request<OpenRoomRequest>,
    ) -> Result<Response<OpenRoomResponse>, Status> {
        let caller = caller::of(&request);
        open_room::open_room(self, &caller, request.into_inner()).await.map(Response::new)
    }

    async fn list_rooms(
        &self,
        request: Request<ListRoomsRequest>,
    ) -> Result<Response<ListRoomsResponse>, Status> {
        let caller = caller::of(&request);
        rooms::list_rooms(self, &caller, &request.into_inner()).await.map(Response::new)
    }

    async fn list_pupil_moments(
        &self,
        request: Request<ListPupilMomentsRequest>,
    ) -> Result<Response<ListPupilMomentsResponse>, Status> {
        let caller = caller::of(&request);
        moments::list_pupil_moments(self, &caller, &request.into_inner()).await.map(Response::new)
    }

    async fn open_question(
        &self,
        request: Request<OpenQuestionRequest>,
    ) -> Result<Response<OpenQuestionResponse>, Status> {
        let caller = caller::of(&request);
        open_question::open_question(self, &caller, request.into_inner()).await.map(Response::new)
    }

    async fn close_question(
        &self,
        request: Request<CloseQuestionRequest>,
    ) -> Result<Response<CloseQuestionResponse>, Status> {
        let caller = caller::of(&request);
        close_question::close_question(self, &caller, request.into_inner()).await.map(Response::new)
    }

    async fn list_questions(
        &self,
        request: Request<ListQuestionsRequest>,
    ) -> Result<Response<ListQuestionsResponse>, Status> {
        let caller = caller::of(&request);
        questions::list_questions(self, &caller, &request.into_inner()).await.map(Response::new)
    }

    async fn list_pupil_questions(
        &self,
        request: Request<ListPupilQuestionsRequest>,
    ) -> Result<Response<ListPupilQuestionsResponse>, Status> {
        let caller = caller::of(&request);
        questions::list_pupil_questions(self, &caller, &request.into_inner()).await.map(Response::new)
    }

    async fn record_cover(
        &self,
        request: Request<RecordCoverRequest>,
    ) -> Result<Response<RecordCoverResponse>, Status> {
        let caller = caller::of(&request);
        record_cover::record_cover(self, &caller, request.into_inner()).await.map(Response::new)
    }

    async fn list_covers(
        &self,
        request: Request<ListCoversRequest>,
    ) -> Result<Response<ListCoversResponse>, Status> {
        let caller = caller::of(&request);
        devices::list_covers(self, &caller, &request.into_inner()).await.map(Response::new)
    }

    async fn add_device(
        &self,
        request: Request<AddDeviceRequest>,
    ) -> Result<Response<AddDeviceResponse>, Status> {
        let caller = caller::of(&request);
        add_device::add_device(self, &caller, request.into_inner()).await.map(Response::new)
    }

    async fn revoke_device(
        &self,
        request: Request<RevokeDeviceRequest>,
    ) -> Result<Response<RevokeDeviceResponse>, Status> {
        let caller = caller::of(&request);
        revoke_device::revoke_device(self, &caller, request.into_inner()).await.map(Response::new)
    }

    async fn list_devices(
        &self,
        request: Request<ListDevicesRequest>,
    ) -> Result<Response<ListDevicesResponse>, Status> {
        let caller = caller::of(&request);
        devices::list_devices(self, &caller, &request.into_inner()).await.map(Response::new)
    }

    async fn link_person(
        &self,
        request: Request<LinkPersonRequest>,
    ) -> Result<Response<LinkPersonResponse>, Status> {
        let caller = caller::of(&request);
        link_person::link_person(self, &caller, request.into_inner()).await.map(Response::new)
    }

    async fn record_device_events(
        &self,
        request: Request<RecordDeviceEventsRequest>,
    ) -> Result<Response<RecordDeviceEventsResponse>, Status> {
        record_device_events::record_device_events(self, request.into_inner()).await.map(Response::new)
    }
}
