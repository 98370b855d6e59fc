//! The generated trait: one line per method.

use proto::enrollment::v1::survey_service_server::SurveyService;
use proto::enrollment::v1::{
    AnswerSurveyRequest, AnswerSurveyResponse, CloseSurveyRequest, CloseSurveyResponse,
    GetSurveyResultsRequest, GetSurveyResultsResponse, ListPupilSurveysRequest, ListPupilSurveysResponse,
    ListSurveyAnswersRequest, ListSurveyAnswersResponse, ListSurveysRequest, ListSurveysResponse,
    OpenSurveyRequest, OpenSurveyResponse,
};
use shared::caller;
use tonic::{Request, Response, Status};

use super::{SurveyRpc, answer_survey, close_survey, open_survey, read, results};

#[tonic::async_trait]
impl SurveyService for SurveyRpc {
    async fn open_survey(
        &self,
        request: Request<OpenSurveyRequest>,
    ) -> Result<Response<OpenSurveyResponse>, Status> {
        let caller = caller::of(&request);
        open_survey::open_survey(self, &caller, request.into_inner()).await.map(Response::new)
    }

    async fn close_survey(
        &self,
        request: Request<CloseSurveyRequest>,
    ) -> Result<Response<CloseSurveyResponse>, Status> {
        let caller = caller::of(&request);
        close_survey::close_survey(self, &caller, request.into_inner()).await.map(Response::new)
    }

    async fn answer_survey(
        &self,
        request: Request<AnswerSurveyRequest>,
    ) -> Result<Response<AnswerSurveyResponse>, Status> {
        let caller = caller::of(&request);
        answer_survey::answer_survey(self, &caller, request.into_inner()).await.map(Response::new)
    }

    async fn list_pupil_surveys(
        &self,
        request: Request<ListPupilSurveysRequest>,
    ) -> Result<Response<ListPupilSurveysResponse>, Status> {
        let caller = caller::of(&request);
        read::list_pupil_surveys(self, &caller, &request.into_inner()).await.map(Response::new)
    }

    async fn list_surveys(
        &self,
        request: Request<ListSurveysRequest>,
    ) -> Result<Response<ListSurveysResponse>, Status> {
        let caller = caller::of(&request);
        read::list_surveys(self, &caller, &request.into_inner()).await.map(Response::new)
    }

    async fn get_survey_results(
        &self,
        request: Request<GetSurveyResultsRequest>,
    ) -> Result<Response<GetSurveyResultsResponse>, Status> {
        let caller = caller::of(&request);
        results::get_survey_results(self, &caller, &request.into_inner()).await.map(Response::new)
    }

    async fn list_survey_answers(
        &self,
        request: Request<ListSurveyAnswersRequest>,
    ) -> Result<Response<ListSurveyAnswersResponse>, Status> {
        let caller = caller::of(&request);
        results::list_survey_answers(self, &caller, &request.into_inner()).await.map(Response::new)
    }
}
