//! Trials: tried before the choice, free of charge and of commitment.

use proto::enrollment::v1::booking;
use proto::enrollment::v1::enrollment::State;
use proto::enrollment::v1::trial_service_client::TrialServiceClient;
use proto::enrollment::v1::{
    BookTrialRequest, BookTrialResponse, Booking, CancelTrialRequest, Event, GetRollRequest,
    ListBookingsRequest, ListSeatsRequest, ListTrialsRequest, OfferTrialRequest, Trial,
};
use shared::caller::Role;
use shared::client::Link;
use shared::testing::{moment, told};
use shared::value::{Id, Section, Slot};
use tonic::Status;

use crate::support::{CHARGED, Family, Menu, World, fact, guardian, on_each, reason};

/// A Monday of the term; tests begin six days before.
const MONDAY: &str = "2026-09-07";

type Client = TrialServiceClient<Link>;

async fn slot(world: &World, section_id: Id<Section>) -> Id<Slot> {
    enrollment::store::section::find(world.db.read(), section_id).await.unwrap().unwrap().slots[0].id
}

async fn offer(world: &World, section_id: Id<Section>, day: &str, place_count: i32) -> Result<Trial, Status> {
    let request = OfferTrialRequest {
        request_id: world.request_id(),
        section_id: section_id.to_string(),
        day: day.to_owned(),
        slot_id: slot(world, section_id).await.to_string(),
        place_count,
    };
    let mut client = Client::new(world.link(&world.member(Role::TeachingOffice)));
    Ok(client.offer_trial(request).await?.into_inner().trial.unwrap())
}

async fn book(world: &World, family: &Family, trial: &Trial) -> Result<BookTrialResponse, Status> {
    let request = BookTrialRequest {
        request_id: world.request_id(),
        trial_id: trial.id.clone(),
        pupil_id: family.pupil_id.to_string(),
    };
    Ok(Client::new(world.link(&guardian(family))).book_trial(request).await?.into_inner())
}

async fn cancel(world: &World, family: &Family, booking: &Booking) -> Result<Booking, Status> {
    let request = CancelTrialRequest { request_id: world.request_id(), booking_id: booking.id.clone() };
    let mut client = Client::new(world.link(&guardian(family)));
    Ok(client.cancel_trial(request).await?.into_inner().booking.unwrap())
}

async fn trials(world: &World, trial: &Trial) -> Vec<Trial> {
    let request = ListTrialsRequest { term_id: trial.term_id.clone() };
    Client::new(world.anyone_link()).list_trials(request).await.unwrap().into_inner().trials
}

#[tokio::test]
async fn c43_a_family_tries_a_lesson_declines_and_nothing_was_charged() {
    on_each(|world| async move {
        let (term_id, section_id) = world.open(CHARGED, Menu { capacity_count: 1, ..Menu::default() }).await;
        let families = world.families(2).await;
        let trial = offer(&world, section_id, MONDAY, 1).await.unwrap();

        let booked = book(&world, &families[0], &trial).await.unwrap();
        assert_eq!(booked.trial.unwrap().booked_count, 1);
        let full = book(&world, &families[1], &trial).await.unwrap_err();
        assert_eq!((reason(&full).as_str(), fact(&full, "place_count").as_str()), ("TRIAL_FULL", "1"));
        // The place is beside the section's one seat, which another family takes.
        let seats = ListSeatsRequest { term_id: term_id.to_string() };
        let seats = world.anyone().list_seats(seats).await.unwrap().into_inner().seats;
        assert_eq!(seats[0].taken_count, 0);
        assert_eq!(world.apply(&families[1], section_id).await.state(), State::Held);

        // In the lesson's register the pupil is a guest.
        world.clock.set(moment("2026-09-07T16:10:00+08:00"));
        for family in &families {
            world.fakes.name(family.pupil_id, "张小明", "三年级1班", 3);
        }
        let request = GetRollRequest {
            section_id: section_id.to_string(),
            day: MONDAY.to_owned(),
            slot_id: trial.slot_id.clone(),
        };
        let roll = world.day(&world.member(Role::Principal)).get_roll(request).await.unwrap().into_inner();
        let ids = |family: &Family| family.pupil_id.to_string();
        assert!(roll.lines.iter().all(|line| line.pupil_id != ids(&families[0])));
        let guests: Vec<_> = roll.trial_pupils.iter().map(|one| one.pupil_id.clone()).collect();
        assert_eq!(guests, [ids(&families[0])]);
        assert_eq!(roll.trial_pupils[0].pupil_name, "张小明");

        let booking = booked.booking.unwrap();
        let declined = cancel(&world, &families[0], &booking).await.unwrap();
        assert_eq!(declined.state(), booking::State::Declined);
        assert_eq!(cancel(&world, &families[0], &booking).await.unwrap(), declined);
        let names: Vec<_> = told::<Event>(&world.db).await.into_iter().map(|(name, _, _)| name).collect();
        assert!(names.iter().all(|name| name.starts_with("seat_")), "{names:?}");
        let list = ListBookingsRequest { pupil_id: ids(&families[0]), ..ListBookingsRequest::default() };
        let mut own = Client::new(world.link(&guardian(&families[0])));
        let entries = own.list_bookings(list).await.unwrap().into_inner().entries;
        assert_eq!(entries[0].booking, Some(declined));
        assert_eq!(entries[0].trial.as_ref().unwrap().section_title, "围棋");
        world.end().await;
    })
    .await;
}

#[tokio::test]
async fn c43_a_place_given_back_before_the_lesson_is_somebody_else_s_and_none_is_booked_once_it_has_begun() {
    on_each(|world| async move {
        let (_, section_id) = world.open(CHARGED, Menu::default()).await;
        let families = world.families(2).await;
        let trial = offer(&world, section_id, MONDAY, 1).await.unwrap();
        let first = book(&world, &families[0], &trial).await.unwrap().booking.unwrap();
        assert_eq!(book(&world, &families[0], &trial).await.unwrap().booking.unwrap(), first);

        let cancelled = cancel(&world, &families[0], &first).await.unwrap();
        assert_eq!(cancelled.state(), booking::State::Cancelled);
        book(&world, &families[1], &trial).await.unwrap();
        assert_eq!(trials(&world, &trial).await[0].booked_count, 1);
        let stranger = cancel(&world, &families[1], &first).await.unwrap_err();
        assert_eq!(reason(&stranger), "BOOKING_NOT_FOUND");

        world.clock.set(moment("2026-09-07T16:00:00+08:00"));
        assert_eq!(reason(&book(&world, &families[0], &trial).await.unwrap_err()), "TRIAL_PAST");
        world.end().await;
    })
    .await;
}

#[tokio::test]
async fn c43_places_booked_at_once_are_never_more_than_there_are() {
    on_each(|world| async move {
        let (term_id, section_id) = world.open(CHARGED, Menu::default()).await;
        let beside =
            world.section(term_id, Menu { start_time: "16:30", end_time: "17:30", ..Menu::default() }).await;
        let families = world.families(6).await;
        for day in [MONDAY, "2026-09-14", "2026-09-21"] {
            let trial = offer(&world, section_id, day, 3).await.unwrap();
            let other = offer(&world, beside, day, 6).await.unwrap();

            let outcomes = futures::future::join_all(
                families.iter().flat_map(|family| [&trial, &other].map(|trial| book(&world, family, trial))),
            )
            .await;

            for pair in outcomes.chunks(2) {
                // Nobody is in two places at one time.
                assert!(pair.iter().filter(|outcome| outcome.is_ok()).count() <= 1);
            }
            let booked = outcomes.iter().step_by(2).filter(|outcome| outcome.is_ok()).count();
            assert!(booked <= 3);
            let known = trials(&world, &trial).await;
            let known = known.iter().find(|one| one.id == trial.id).unwrap();
            assert_eq!(usize::try_from(known.booked_count).unwrap(), booked);
        }
        world.end().await;
    })
    .await;
}

#[tokio::test]
async fn what_cannot_be_tried_is_refused_and_every_bad_field_is_named() {
    on_each(|world| async move {
        let (term_id, section_id) = world.open(CHARGED, Menu::default()).await;
        let family = world.family().await;
        let trial = offer(&world, section_id, MONDAY, 2).await.unwrap();
        let again = offer(&world, section_id, MONDAY, 2).await.unwrap_err();
        assert_eq!(
            (reason(&again), fact(&again, "trial_id")),
            ("TRIAL_OFFERED".to_owned(), trial.id.clone())
        );
        assert_eq!(reason(&offer(&world, section_id, "2026-09-08", 2).await.unwrap_err()), "NO_LESSON");

        world.apply(&family, section_id).await;
        assert_eq!(reason(&book(&world, &family, &trial).await.unwrap_err()), "ALREADY_ENROLLED");
        let beside = Menu { start_time: "16:30", end_time: "17:30", ..Menu::default() };
        let beside = world.section(term_id, beside).await;
        let clash = offer(&world, beside, MONDAY, 2).await.unwrap();
        assert_eq!(reason(&book(&world, &family, &clash).await.unwrap_err()), "SLOT_TAKEN");
        let elder = world.section(term_id, Menu { weekday: 2, grades: vec![6], ..Menu::default() }).await;
        let elder = offer(&world, elder, "2026-09-08", 2).await.unwrap();
        assert_eq!(reason(&book(&world, &family, &elder).await.unwrap_err()), "GRADE_NOT_ADMITTED");

        let mut office = Client::new(world.link(&world.member(Role::Principal)));
        let empty = office.offer_trial(OfferTrialRequest::default()).await.unwrap_err();
        let fields: Vec<_> =
            shared::status::violations_of(&empty).list().iter().map(|one| one.field.clone()).collect();
        assert_eq!(fields, ["request_id", "section_id", "day", "slot_id", "place_count"]);
        let mut teacher = Client::new(world.link(&world.member(Role::ClassTeacher)));
        let refused = teacher.offer_trial(OfferTrialRequest::default()).await.unwrap_err();
        assert_eq!(reason(&refused), "ROLE_NOT_ALLOWED");
        world.end().await;
    })
    .await;
}
