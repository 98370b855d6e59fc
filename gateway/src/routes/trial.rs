//! Trials, and places booked in them.

use axum::extract::State;
use chrono::{DateTime, Utc};
use proto::enrollment::v1 as pb;
use proto::enrollment::v1::trial_service_client::TrialServiceClient;
use serde::{Deserialize, Serialize};
use shared::client::Link;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use super::{Answer, IdempotencyHeader, PageAsked};
use crate::Edge;
use crate::convert::{moment, word};
use crate::problem::Problem;
use crate::read::{Asked, At, IdempotencyKey, Json};
use crate::session::Session;

pub(super) fn routes() -> OpenApiRouter<Edge> {
    OpenApiRouter::new()
        .routes(routes!(offer_trial))
        .routes(routes!(list_trials))
        .routes(routes!(book_trial))
        .routes(routes!(cancel_trial))
        .routes(routes!(list_bookings))
}

type Client = TrialServiceClient<Link>;

fn client(edge: &Edge, session: &Session) -> Client {
    Client::new(session.link(&edge.links.enrollment))
}

/// A lesson to be offered.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewTrial {
    /// The day, `YYYY-MM-DD`.
    day: String,
    /// The slot of the section.
    slot_id: Uuid,
    /// How many places there are, 1 to 500; beside the section's seats.
    place_count: i32,
}

/// A lesson that may be tried before the choice.
#[derive(Serialize, ToSchema)]
struct Trial {
    /// The trial's id.
    id: String,
    /// The section.
    section_id: String,
    /// The section's title.
    section_title: String,
    /// The term.
    term_id: String,
    /// The day.
    day: String,
    /// The slot.
    slot_id: String,
    /// When the lesson starts; from then on no place is booked.
    start_time: Option<DateTime<Utc>>,
    /// When the lesson ends.
    end_time: Option<DateTime<Utc>>,
    /// How many places there are.
    place_count: i32,
    /// How many are booked.
    booked_count: i32,
}

impl From<pb::Trial> for Trial {
    fn from(one: pb::Trial) -> Self {
        Self {
            id: one.id,
            section_id: one.section_id,
            section_title: one.section_title,
            term_id: one.term_id,
            day: one.day,
            slot_id: one.slot_id,
            start_time: moment(one.start_time),
            end_time: moment(one.end_time),
            place_count: one.place_count,
            booked_count: one.booked_count,
        }
    }
}

/// A pupil's place in a trial.
#[derive(Serialize, ToSchema)]
struct Booking {
    /// The booking's id.
    id: String,
    /// The trial.
    trial_id: String,
    /// The pupil.
    pupil_id: String,
    /// `booked`, `cancelled` or `declined`.
    state: String,
    /// When it was booked.
    create_time: Option<DateTime<Utc>>,
}

impl From<pb::Booking> for Booking {
    fn from(one: pb::Booking) -> Self {
        Self {
            state: word(one.state().as_str_name(), "STATE_"),
            id: one.id,
            trial_id: one.trial_id,
            pupil_id: one.pupil_id,
            create_time: moment(one.create_time),
        }
    }
}

/// Offers a lesson of a section for trial.
#[utoipa::path(post, path = "/v1/sections/{section_id}/trials", tag = "enrollment", security(("session" = [])),
    params(("section_id" = Uuid, Path), IdempotencyHeader), request_body = NewTrial,
    responses((status = 200, body = Trial), (status = "default", body = Problem)))]
async fn offer_trial(
    State(edge): State<Edge>,
    session: Session,
    key: IdempotencyKey,
    At(section_id): At<Uuid>,
    Json(body): Json<NewTrial>,
) -> Answer<Trial> {
    let request = pb::OfferTrialRequest {
        request_id: key.text(),
        section_id: section_id.to_string(),
        day: body.day,
        slot_id: body.slot_id.to_string(),
        place_count: body.place_count,
    };
    let answer = client(&edge, &session).offer_trial(request).await?.into_inner();
    Ok(axum::Json(answer.trial.unwrap_or_default().into()))
}

/// A term's trials.
#[derive(Serialize, ToSchema)]
struct Trials {
    /// All of them, by day and start.
    trials: Vec<Trial>,
}

/// Lists the trials of a term.
#[utoipa::path(get, path = "/v1/terms/{term_id}/trials", tag = "enrollment", params(("term_id" = Uuid, Path)),
    responses((status = 200, body = Trials), (status = "default", body = Problem)))]
async fn list_trials(State(edge): State<Edge>, At(term_id): At<Uuid>) -> Answer<Trials> {
    let request = pb::ListTrialsRequest { term_id: term_id.to_string() };
    let answer = Client::new(edge.public.enrollment.clone()).list_trials(request).await?.into_inner();
    Ok(axum::Json(Trials { trials: answer.trials.into_iter().map(Into::into).collect() }))
}

/// For whom a place is wanted.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewBooking {
    /// The pupil.
    pupil_id: Uuid,
}

/// A place booked.
#[derive(Serialize, ToSchema)]
struct Booked {
    /// The booking.
    booking: Booking,
    /// The trial now.
    trial: Option<Trial>,
}

/// Books a place in a trial for a pupil; it is no seat and costs nothing.
#[utoipa::path(post, path = "/v1/trials/{trial_id}/bookings", tag = "enrollment", security(("session" = [])),
    params(("trial_id" = Uuid, Path), IdempotencyHeader), request_body = NewBooking,
    responses((status = 200, body = Booked), (status = "default", body = Problem)))]
async fn book_trial(
    State(edge): State<Edge>,
    session: Session,
    key: IdempotencyKey,
    At(trial_id): At<Uuid>,
    Json(body): Json<NewBooking>,
) -> Answer<Booked> {
    let request = pb::BookTrialRequest {
        request_id: key.text(),
        trial_id: trial_id.to_string(),
        pupil_id: body.pupil_id.to_string(),
    };
    let answer = client(&edge, &session).book_trial(request).await?.into_inner();
    Ok(axum::Json(Booked {
        booking: answer.booking.unwrap_or_default().into(),
        trial: answer.trial.map(Into::into),
    }))
}

/// Gives a place in a trial back: cancelled before the lesson starts, declined from then on.
#[utoipa::path(post, path = "/v1/bookings/{booking_id}/cancel", tag = "enrollment", security(("session" = [])),
    params(("booking_id" = Uuid, Path), IdempotencyHeader),
    responses((status = 200, body = Booking), (status = "default", body = Problem)))]
async fn cancel_trial(
    State(edge): State<Edge>,
    session: Session,
    key: IdempotencyKey,
    At(booking_id): At<Uuid>,
) -> Answer<Booking> {
    let request = pb::CancelTrialRequest { request_id: key.text(), booking_id: booking_id.to_string() };
    let answer = client(&edge, &session).cancel_trial(request).await?.into_inner();
    Ok(axum::Json(answer.booking.unwrap_or_default().into()))
}

/// A booking and what it is for.
#[derive(Serialize, ToSchema)]
struct BookingEntry {
    /// The booking.
    booking: Booking,
    /// The trial.
    trial: Option<Trial>,
}

/// A pupil's bookings.
#[derive(Serialize, ToSchema)]
struct BookingPage {
    /// Newest first.
    entries: Vec<BookingEntry>,
    /// For the next page; empty when this is the last.
    next_page_token: String,
}

/// Lists a pupil's places in trials.
#[utoipa::path(get, path = "/v1/pupils/{pupil_id}/bookings", tag = "enrollment", security(("session" = [])),
    params(("pupil_id" = Uuid, Path), PageAsked),
    responses((status = 200, body = BookingPage), (status = "default", body = Problem)))]
async fn list_bookings(
    State(edge): State<Edge>,
    session: Session,
    At(pupil_id): At<Uuid>,
    Asked(asked): Asked<PageAsked>,
) -> Answer<BookingPage> {
    let request = pb::ListBookingsRequest {
        pupil_id: pupil_id.to_string(),
        page_size: asked.page_size,
        page_token: asked.page_token,
    };
    let answer = client(&edge, &session).list_bookings(request).await?.into_inner();
    let entry = |one: pb::list_bookings_response::Entry| BookingEntry {
        booking: one.booking.unwrap_or_default().into(),
        trial: one.trial.map(Into::into),
    };
    Ok(axum::Json(BookingPage {
        entries: answer.entries.into_iter().map(entry).collect(),
        next_page_token: answer.next_page_token,
    }))
}
