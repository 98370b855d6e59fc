//! The generated trait: one line a method.

use proto::supervision::v1::supervision_service_server::SupervisionService;
use proto::supervision::v1::{
    AcceptTicketRequest, AcceptTicketResponse, AssignTicketRequest, AssignTicketResponse,
    ExplainPolicyRequest, ExplainPolicyResponse, GetTicketRequest, GetTicketResponse, ListTicketsRequest,
    ListTicketsResponse, RateTicketRequest, RateTicketResponse, ReplyTicketRequest, ReplyTicketResponse,
    ReturnTicketRequest, ReturnTicketResponse, SubmitTicketRequest, SubmitTicketResponse,
};
use shared::caller;
use shared::db::retry;
use tonic::{Request, Response, Status};

use super::{
    Supervision, accept_ticket, assign_ticket, explain_policy, rate_ticket, read_ticket, reply_ticket,
    return_ticket, submit_ticket,
};

/// Answers a method: as often as the database asks for it when it changes something, once when it only reads.
macro_rules! answer {
    (change $method:path, $supervision:expr, $request:expr) => {{
        let (caller, message) = (caller::of(&$request), $request.into_inner());
        retry(|| $method($supervision, &caller, message.clone())).await.map(Response::new)
    }};
    (read $method:path, $supervision:expr, $request:expr) => {{
        let caller = caller::of(&$request);
        $method($supervision, &caller, $request.into_inner()).await.map(Response::new)
    }};
}

type Answer<T> = Result<Response<T>, Status>;

#[tonic::async_trait]
impl SupervisionService for Supervision {
    async fn submit_ticket(&self, request: Request<SubmitTicketRequest>) -> Answer<SubmitTicketResponse> {
        answer!(change submit_ticket::submit_ticket, self, request)
    }

    async fn accept_ticket(&self, request: Request<AcceptTicketRequest>) -> Answer<AcceptTicketResponse> {
        answer!(change accept_ticket::accept_ticket, self, request)
    }

    async fn assign_ticket(&self, request: Request<AssignTicketRequest>) -> Answer<AssignTicketResponse> {
        answer!(change assign_ticket::assign_ticket, self, request)
    }

    async fn return_ticket(&self, request: Request<ReturnTicketRequest>) -> Answer<ReturnTicketResponse> {
        answer!(change return_ticket::return_ticket, self, request)
    }

    async fn reply_ticket(&self, request: Request<ReplyTicketRequest>) -> Answer<ReplyTicketResponse> {
        answer!(change reply_ticket::reply_ticket, self, request)
    }

    async fn rate_ticket(&self, request: Request<RateTicketRequest>) -> Answer<RateTicketResponse> {
        answer!(change rate_ticket::rate_ticket, self, request)
    }

    async fn get_ticket(&self, request: Request<GetTicketRequest>) -> Answer<GetTicketResponse> {
        answer!(read read_ticket::get_ticket, self, request)
    }

    async fn list_tickets(&self, request: Request<ListTicketsRequest>) -> Answer<ListTicketsResponse> {
        answer!(read read_ticket::list_tickets, self, request)
    }

    async fn explain_policy(&self, request: Request<ExplainPolicyRequest>) -> Answer<ExplainPolicyResponse> {
        explain_policy::explain_policy(self, request.into_inner()).await.map(Response::new)
    }
}
