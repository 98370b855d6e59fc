//! The generated trait: one line a method.

use proto::catalog::v1::catalog_service_server::CatalogService;
use proto::catalog::v1::{
    AddSlotsRequest, AddSlotsResponse, ApproveCourseRequest, ApproveCourseResponse, ArrangeSectionRequest,
    ArrangeSectionResponse, CancelSectionRequest, CancelSectionResponse, CreateCourseRequest,
    CreateCourseResponse, GetMenuRequest, GetMenuResponse, GetSectionRequest, GetSectionResponse,
    ImportCoursesRequest, ImportCoursesResponse, ListCoursesRequest, ListCoursesResponse,
    ListOnWhitelistRequest, ListOnWhitelistResponse, ListProvidersRequest, ListProvidersResponse,
    ListSlotsRequest, ListSlotsResponse, ListTermsRequest, ListTermsResponse, OpenTermRequest,
    OpenTermResponse, PublishSectionsRequest, PublishSectionsResponse, RegisterProviderRequest,
    RegisterProviderResponse, ReviewCourseRequest, ReviewCourseResponse, SubmitCourseRequest,
    SubmitCourseResponse, SuspendProviderRequest, SuspendProviderResponse,
};
use shared::caller;
use shared::db::retry;
use tonic::{Request, Response, Status};

use super::{
    Catalog, add_slots, approve_course, arrange_section, cancel_section, courses, create_course,
    import_courses, list_on_whitelist, open_term, providers, publish_sections, register_provider,
    review_course, submit_course, suspend_provider, terms,
};

/// Answers a method: as often as the database asks for it when it changes something, once when it only reads.
macro_rules! answer {
    (change $method:path, $catalog:expr, $request:expr) => {{
        let (caller, message) = (caller::of(&$request), $request.into_inner());
        retry(|| $method($catalog, &caller, message.clone())).await.map(Response::new)
    }};
    (read $method:path, $catalog:expr, $request:expr) => {{
        let caller = caller::of(&$request);
        $method($catalog, &caller, $request.into_inner()).await.map(Response::new)
    }};
}

type Answer<T> = Result<Response<T>, Status>;

#[tonic::async_trait]
impl CatalogService for Catalog {
    async fn open_term(&self, request: Request<OpenTermRequest>) -> Answer<OpenTermResponse> {
        answer!(change open_term::open_term, self, request)
    }

    async fn list_terms(&self, request: Request<ListTermsRequest>) -> Answer<ListTermsResponse> {
        answer!(read terms::list_terms, self, request)
    }

    async fn add_slots(&self, request: Request<AddSlotsRequest>) -> Answer<AddSlotsResponse> {
        answer!(change add_slots::add_slots, self, request)
    }

    async fn list_slots(&self, request: Request<ListSlotsRequest>) -> Answer<ListSlotsResponse> {
        answer!(read terms::list_slots, self, request)
    }

    async fn create_course(&self, request: Request<CreateCourseRequest>) -> Answer<CreateCourseResponse> {
        answer!(change create_course::create_course, self, request)
    }

    async fn import_courses(&self, request: Request<ImportCoursesRequest>) -> Answer<ImportCoursesResponse> {
        answer!(change import_courses::import_courses, self, request)
    }

    async fn submit_course(&self, request: Request<SubmitCourseRequest>) -> Answer<SubmitCourseResponse> {
        answer!(change submit_course::submit_course, self, request)
    }

    async fn review_course(&self, request: Request<ReviewCourseRequest>) -> Answer<ReviewCourseResponse> {
        answer!(change review_course::review_course, self, request)
    }

    async fn approve_course(&self, request: Request<ApproveCourseRequest>) -> Answer<ApproveCourseResponse> {
        answer!(change approve_course::approve_course, self, request)
    }

    async fn list_courses(&self, request: Request<ListCoursesRequest>) -> Answer<ListCoursesResponse> {
        answer!(read courses::list_courses, self, request)
    }

    async fn arrange_section(
        &self,
        request: Request<ArrangeSectionRequest>,
    ) -> Answer<ArrangeSectionResponse> {
        answer!(change arrange_section::arrange_section, self, request)
    }

    async fn publish_sections(
        &self,
        request: Request<PublishSectionsRequest>,
    ) -> Answer<PublishSectionsResponse> {
        answer!(change publish_sections::publish_sections, self, request)
    }

    async fn cancel_section(&self, request: Request<CancelSectionRequest>) -> Answer<CancelSectionResponse> {
        answer!(change cancel_section::cancel_section, self, request)
    }

    async fn get_menu(&self, request: Request<GetMenuRequest>) -> Answer<GetMenuResponse> {
        answer!(read terms::get_menu, self, request)
    }

    async fn get_section(&self, request: Request<GetSectionRequest>) -> Answer<GetSectionResponse> {
        answer!(read courses::get_section, self, request)
    }

    async fn register_provider(
        &self,
        request: Request<RegisterProviderRequest>,
    ) -> Answer<RegisterProviderResponse> {
        answer!(change register_provider::register_provider, self, request)
    }

    async fn list_on_whitelist(
        &self,
        request: Request<ListOnWhitelistRequest>,
    ) -> Answer<ListOnWhitelistResponse> {
        answer!(change list_on_whitelist::list_on_whitelist, self, request)
    }

    async fn suspend_provider(
        &self,
        request: Request<SuspendProviderRequest>,
    ) -> Answer<SuspendProviderResponse> {
        answer!(change suspend_provider::suspend_provider, self, request)
    }

    async fn list_providers(&self, request: Request<ListProvidersRequest>) -> Answer<ListProvidersResponse> {
        answer!(read providers::list_providers, self, request)
    }
}
