//! Complaints and suggestions, and the rules a school is under.

use axum::extract::State;
use axum::response::Response;
use chrono::{DateTime, Utc};
use http::HeaderMap;
use proto::supervision::v1 as pb;
use proto::supervision::v1::supervision_service_client::SupervisionServiceClient;
use serde::{Deserialize, Serialize};
use shared::client::Link;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use super::{Answer, IdempotencyHeader};
use crate::Edge;
use crate::convert::{moment, number, word};
use crate::menu;
use crate::problem::{Problem, Refusal};
use crate::read::{Asked, At, IdempotencyKey, Json};
use crate::session::{MaybeSession, Session};

pub(super) fn routes() -> OpenApiRouter<Edge> {
    OpenApiRouter::new()
        .routes(routes!(submit_ticket, list_tickets))
        .routes(routes!(find_ticket))
        .routes(routes!(rate_ticket))
        .routes(routes!(accept_ticket))
        .routes(routes!(assign_ticket))
        .routes(routes!(return_ticket))
        .routes(routes!(reply_ticket))
        .routes(routes!(explain_policy))
}

type Client = SupervisionServiceClient<Link>;

fn client(edge: &Edge, session: &Session) -> Client {
    Client::new(session.link(&edge.links.supervision))
}

fn anyone(edge: &Edge, session: &MaybeSession) -> Client {
    Client::new(session.link(edge, |links| &links.supervision))
}

/// A complaint or suggestion.
#[derive(Serialize, ToSchema)]
struct Ticket {
    /// The ticket's id.
    id: String,
    /// Its number for people.
    number: String,
    /// The ids district, town, school.
    path: Vec<String>,
    /// `complaint` or `suggestion`.
    kind: String,
    /// `fees`, `safety`, `teaching`, `provider`, `forced_participation` or `other`.
    subject: String,
    /// `submitted`, `accepted`, `assigned`, `returned`, `replied` or `closed`.
    state: String,
    /// The bureau's section it was routed to.
    section: String,
    /// What the complainant wrote.
    text: String,
    /// Whether the complainant gave no name.
    anonymous: bool,
    /// When it must be accepted; absent where no limit is set.
    accept_due_time: Option<DateTime<Utc>>,
    /// When it must be answered; absent where no limit is set.
    reply_due_time: Option<DateTime<Utc>>,
    /// Whether a limit has passed.
    late: bool,
    /// The role that handles it.
    handler_role: String,
    /// 1 to 5; 0 before it is rated.
    rating: i32,
    /// What was done, in order.
    entries: Vec<Entry>,
    /// When it was submitted.
    create_time: Option<DateTime<Utc>>,
    /// How often it was reopened.
    reopened_count: i32,
}

/// One thing that was done.
#[derive(Serialize, ToSchema)]
struct Entry {
    /// What was done.
    action: String,
    /// By whom: a role, or `complainant`.
    actor_role: String,
    /// The words that came with it.
    text: String,
    /// When.
    create_time: Option<DateTime<Utc>>,
}

impl From<pb::Ticket> for Ticket {
    fn from(ticket: pb::Ticket) -> Self {
        let entry = |entry: pb::ticket::Entry| Entry {
            action: entry.action,
            actor_role: entry.actor_role,
            text: entry.text,
            create_time: moment(entry.create_time),
        };
        Self {
            kind: word(ticket.kind().as_str_name(), "KIND_"),
            subject: word(ticket.subject().as_str_name(), "SUBJECT_"),
            state: word(ticket.state().as_str_name(), "STATE_"),
            accept_due_time: moment(ticket.accept_due_time),
            reply_due_time: moment(ticket.reply_due_time),
            create_time: moment(ticket.create_time),
            id: ticket.id,
            number: ticket.number,
            path: ticket.path,
            section: ticket.section,
            text: ticket.text,
            anonymous: ticket.anonymous,
            late: ticket.late,
            handler_role: ticket.handler_role,
            rating: ticket.rating,
            entries: ticket.entries.into_iter().map(entry).collect(),
            reopened_count: ticket.reopened_count,
        }
    }
}

/// A ticket to be submitted.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewTicket {
    /// The school.
    school_id: Uuid,
    /// `complaint` or `suggestion`.
    kind: String,
    /// `fees`, `safety`, `teaching`, `provider`, `forced_participation` or `other`.
    subject: String,
    /// What happened, 5 to 4,000 characters.
    text: String,
    /// Whether to keep no link to the signed-in guardian.
    #[serde(default)]
    anonymous: bool,
    /// How to reach the complainant; absent when not wished.
    #[serde(default)]
    contact: String,
}

/// A ticket submitted.
#[derive(Serialize, ToSchema)]
struct Submitted {
    /// The ticket.
    ticket: Ticket,
    /// With this code and the number an anonymous complainant follows the ticket. Shown once.
    receipt_code: String,
}

/// Submits a complaint or suggestion, signed in or not.
#[utoipa::path(post, path = "/v1/tickets", tag = "supervision", security((), ("session" = [])), params(IdempotencyHeader), request_body = NewTicket,
    responses((status = 200, body = Submitted), (status = "default", body = Problem)))]
async fn submit_ticket(
    State(edge): State<Edge>,
    session: MaybeSession,
    key: IdempotencyKey,
    Json(body): Json<NewTicket>,
) -> Answer<Submitted> {
    let request = pb::SubmitTicketRequest {
        request_id: key.text(),
        school_id: body.school_id.to_string(),
        kind: number("kind", &body.kind, "KIND_", |name| {
            pb::ticket::Kind::from_str_name(name).map(Into::into)
        })?,
        subject: number("subject", &body.subject, "SUBJECT_", |name| {
            pb::ticket::Subject::from_str_name(name).map(Into::into)
        })?,
        text: body.text,
        anonymous: body.anonymous,
        contact: body.contact,
    };
    let answer = anyone(&edge, &session).submit_ticket(request).await?.into_inner();
    Ok(axum::Json(Submitted {
        ticket: answer.ticket.unwrap_or_default().into(),
        receipt_code: answer.receipt_code,
    }))
}

/// Which tickets are wanted.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct TicketsAsked {
    /// Only those in this state.
    state: Option<String>,
    /// Only those routed to this section of the bureau.
    #[serde(default)]
    section: String,
    /// Only late ones.
    #[serde(default)]
    late_only: bool,
    /// At most this many; 50 when absent, never more than 200.
    #[serde(default)]
    page_size: i32,
    /// The previous page's `next_page_token`.
    #[serde(default)]
    page_token: String,
}

/// A page of tickets.
#[derive(Serialize, ToSchema)]
struct Tickets {
    /// The tickets, newest first, without entries.
    tickets: Vec<Ticket>,
    /// For the next page; empty when this is the last.
    next_page_token: String,
}

/// Lists a guardian's own tickets, or those the caller looks after.
#[utoipa::path(get, path = "/v1/tickets", tag = "supervision", security(("session" = [])), params(TicketsAsked),
    responses((status = 200, body = Tickets), (status = "default", body = Problem)))]
async fn list_tickets(
    State(edge): State<Edge>,
    session: Session,
    Asked(asked): Asked<TicketsAsked>,
) -> Answer<Tickets> {
    let state = match &asked.state {
        None => 0,
        Some(state) => {
            number("state", state, "STATE_", |name| pb::ticket::State::from_str_name(name).map(Into::into))?
        }
    };
    let request = pb::ListTicketsRequest {
        state,
        section: asked.section,
        late_only: asked.late_only,
        page_size: asked.page_size,
        page_token: asked.page_token,
    };
    let answer = client(&edge, &session).list_tickets(request).await?.into_inner();
    Ok(axum::Json(Tickets {
        tickets: answer.tickets.into_iter().map(Into::into).collect(),
        next_page_token: answer.next_page_token,
    }))
}

/// What a ticket is found by. In the body, so that no receipt code stands in a log of addresses.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct TicketAsked {
    /// The ticket's number.
    number: String,
    /// The receipt code; absent for signed-in callers.
    #[serde(default)]
    receipt_code: String,
}

/// Finds a ticket by its number.
#[utoipa::path(post, path = "/v1/tickets/find", tag = "supervision", security((), ("session" = [])), request_body = TicketAsked,
    responses((status = 200, body = Ticket), (status = "default", body = Problem)))]
async fn find_ticket(
    State(edge): State<Edge>,
    session: MaybeSession,
    Json(body): Json<TicketAsked>,
) -> Answer<Ticket> {
    let request = pb::GetTicketRequest { number: body.number, receipt_code: body.receipt_code };
    let answer = anyone(&edge, &session).get_ticket(request).await?.into_inner();
    Ok(axum::Json(answer.ticket.unwrap_or_default().into()))
}

/// A complainant's judgement.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Rating {
    /// The ticket's number.
    number: String,
    /// The receipt code; absent for signed-in callers.
    #[serde(default)]
    receipt_code: String,
    /// Whether the matter is solved.
    solved: bool,
    /// 1 (worst) to 5 (best).
    rating: i32,
    /// Words; may be absent.
    #[serde(default)]
    comment: String,
}

/// Rates an answer; unsolved reopens the ticket.
#[utoipa::path(post, path = "/v1/tickets/rate", tag = "supervision", security((), ("session" = [])), params(IdempotencyHeader), request_body = Rating,
    responses((status = 200, body = Ticket), (status = "default", body = Problem)))]
async fn rate_ticket(
    State(edge): State<Edge>,
    session: MaybeSession,
    key: IdempotencyKey,
    Json(body): Json<Rating>,
) -> Answer<Ticket> {
    let request = pb::RateTicketRequest {
        request_id: key.text(),
        number: body.number,
        receipt_code: body.receipt_code,
        solved: body.solved,
        rating: body.rating,
        comment: body.comment,
    };
    let answer = anyone(&edge, &session).rate_ticket(request).await?.into_inner();
    Ok(axum::Json(answer.ticket.unwrap_or_default().into()))
}

/// Accepts a ticket for the bureau.
#[utoipa::path(post, path = "/v1/tickets/{ticket_id}/accept", tag = "supervision", security(("session" = [])),
    params(("ticket_id" = Uuid, Path), IdempotencyHeader),
    responses((status = 200, body = Ticket), (status = "default", body = Problem)))]
async fn accept_ticket(
    State(edge): State<Edge>,
    session: Session,
    key: IdempotencyKey,
    At(ticket_id): At<Uuid>,
) -> Answer<Ticket> {
    let request = pb::AcceptTicketRequest { request_id: key.text(), ticket_id: ticket_id.to_string() };
    let answer = client(&edge, &session).accept_ticket(request).await?.into_inner();
    Ok(axum::Json(answer.ticket.unwrap_or_default().into()))
}

/// Who is to answer.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Assignment {
    /// The role, such as `principal`.
    handler_role: String,
    /// The school, town or district at which it is held.
    handler_node_id: Uuid,
    /// Words for the handler; may be absent.
    #[serde(default)]
    note: String,
}

/// Assigns a ticket to a handler.
#[utoipa::path(post, path = "/v1/tickets/{ticket_id}/assign", tag = "supervision", security(("session" = [])),
    params(("ticket_id" = Uuid, Path), IdempotencyHeader), request_body = Assignment,
    responses((status = 200, body = Ticket), (status = "default", body = Problem)))]
async fn assign_ticket(
    State(edge): State<Edge>,
    session: Session,
    key: IdempotencyKey,
    At(ticket_id): At<Uuid>,
    Json(body): Json<Assignment>,
) -> Answer<Ticket> {
    let request = pb::AssignTicketRequest {
        request_id: key.text(),
        ticket_id: ticket_id.to_string(),
        handler_role: body.handler_role,
        handler_node_id: body.handler_node_id.to_string(),
        note: body.note,
    };
    let answer = client(&edge, &session).assign_ticket(request).await?.into_inner();
    Ok(axum::Json(answer.ticket.unwrap_or_default().into()))
}

/// Why a ticket is returned.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Return {
    /// Why, 1 to 400 characters.
    reason: String,
}

/// Returns a ticket that is not the handler's to answer.
#[utoipa::path(post, path = "/v1/tickets/{ticket_id}/return", tag = "supervision", security(("session" = [])),
    params(("ticket_id" = Uuid, Path), IdempotencyHeader), request_body = Return,
    responses((status = 200, body = Ticket), (status = "default", body = Problem)))]
async fn return_ticket(
    State(edge): State<Edge>,
    session: Session,
    key: IdempotencyKey,
    At(ticket_id): At<Uuid>,
    Json(body): Json<Return>,
) -> Answer<Ticket> {
    let request = pb::ReturnTicketRequest {
        request_id: key.text(),
        ticket_id: ticket_id.to_string(),
        reason: body.reason,
    };
    let answer = client(&edge, &session).return_ticket(request).await?.into_inner();
    Ok(axum::Json(answer.ticket.unwrap_or_default().into()))
}

/// An answer.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Reply {
    /// The answer, 5 to 4,000 characters.
    text: String,
}

/// Answers a ticket.
#[utoipa::path(post, path = "/v1/tickets/{ticket_id}/reply", tag = "supervision", security(("session" = [])),
    params(("ticket_id" = Uuid, Path), IdempotencyHeader), request_body = Reply,
    responses((status = 200, body = Ticket), (status = "default", body = Problem)))]
async fn reply_ticket(
    State(edge): State<Edge>,
    session: Session,
    key: IdempotencyKey,
    At(ticket_id): At<Uuid>,
    Json(body): Json<Reply>,
) -> Answer<Ticket> {
    let request =
        pb::ReplyTicketRequest { request_id: key.text(), ticket_id: ticket_id.to_string(), text: body.text };
    let answer = client(&edge, &session).reply_ticket(request).await?.into_inner();
    Ok(axum::Json(answer.ticket.unwrap_or_default().into()))
}

/// What is asked about a school's policy; everything, in the order of the schema, when nothing is given.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct PolicyAsked {
    /// `fee`, `end_time`, `approval`, `waivers`, `silent` or `inherited`.
    #[serde(default)]
    question: String,
    /// One policy key, such as `refund_rule`, in place of a question.
    #[serde(default)]
    key: String,
    /// The version a term is pinned to, as the term names it; the one in force now when absent.
    #[serde(default)]
    policy_version: String,
}

/// What the policy of a school says, to the clause.
#[derive(Serialize, ToSchema)]
struct PolicyExplained {
    /// The region's pack, such as `hunan_zhuzhou`.
    pack_id: String,
    /// What the region is called.
    name_zh: String,
    /// The version explained.
    policy_version: String,
    /// What is said: to a question in the order people would tell it, else in the order of the schema.
    lines: Vec<PolicyLine>,
    /// The amounts the region itself states for parents; empty unless fees are asked for or everything is.
    stated_fees: Vec<StatedFee>,
}

/// One thing a policy says, or does not say.
#[derive(Serialize, ToSchema)]
struct PolicyLine {
    /// The policy key.
    key: String,
    /// `stated`, `inherited`, `supplemented` or `silent`.
    standing: String,
    /// The sentence for people, in Chinese.
    text_zh: String,
    /// The sentence for people, in English.
    text_en: String,
    /// Where it stands; empty when silent.
    source: String,
}

/// An amount the region itself states for parents.
#[derive(Serialize, ToSchema)]
struct StatedFee {
    /// `term`, `month`, `class_hour`, `day` or `slot_month`.
    basis: String,
    /// The end slot, from 1; 0 unless the basis is `slot_month`.
    end_slot: i32,
    /// The amount in fen.
    amount_fen: i64,
    /// `exact`, `ceiling`, `floor`, `average`, `principle` or `target`.
    binding: String,
    /// Whether it is for personalised courses alone.
    personalised: bool,
    /// The stages it is for: `primary`, `junior`; empty for all.
    stages: Vec<String>,
}

impl From<pb::PolicyLine> for PolicyLine {
    fn from(line: pb::PolicyLine) -> Self {
        Self {
            standing: word(line.standing().as_str_name(), "STANDING_"),
            key: line.key,
            text_zh: line.text_zh,
            text_en: line.text_en,
            source: line.source,
        }
    }
}

impl From<pb::StatedFee> for StatedFee {
    fn from(fee: pb::StatedFee) -> Self {
        Self {
            basis: fee.basis,
            end_slot: fee.end_slot,
            amount_fen: fee.amount_fen,
            binding: fee.binding,
            personalised: fee.personalised,
            stages: fee.stages,
        }
    }
}

/// Explains the policy a school is under, with an ETag. For anyone: the documents are public.
#[utoipa::path(get, path = "/v1/schools/{school_id}/policy", tag = "supervision", params(("school_id" = Uuid, Path), PolicyAsked),
    responses((status = 200, body = PolicyExplained), (status = 304), (status = "default", body = Problem)))]
async fn explain_policy(
    State(edge): State<Edge>,
    At(school_id): At<Uuid>,
    Asked(asked): Asked<PolicyAsked>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let question = match asked.question.as_str() {
        "" => pb::explain_policy_request::Question::Unspecified.into(),
        word => number("question", word, "QUESTION_", |name| {
            pb::explain_policy_request::Question::from_str_name(name).map(Into::into)
        })?,
    };
    let PolicyAsked { key, policy_version, .. } = asked;
    let name = format!("policy:{school_id}:{question}:{key}:{policy_version}");
    let read = async {
        let request =
            pb::ExplainPolicyRequest { school_id: school_id.to_string(), question, key, policy_version };
        let answer = Client::new(edge.public.supervision.clone()).explain_policy(request).await?.into_inner();
        menu::written(&PolicyExplained {
            pack_id: answer.pack_id,
            name_zh: answer.name_zh,
            policy_version: answer.policy_version,
            lines: answer.lines.into_iter().map(Into::into).collect(),
            stated_fees: answer.stated_fees.into_iter().map(Into::into).collect(),
        })
    };
    let snapshot = edge.menus.get(name, read).await?;
    Ok(snapshot.answer(&headers))
}
