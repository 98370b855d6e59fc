//! A whole week in one basket: all seats or none.

use std::time::Duration;

use proto::enrollment::v1::{ApplyBasketRequest, ApplyBasketResponse, ListSeatsRequest};
use shared::status::{FailedPart, facts_of, parts_of, violations_of};
use shared::value::{Id, Section, Term};
use tonic::{Code, Status};

use crate::support::{CHARGED, FREE, Family, Menu, World, fact, on_each, reason};

/// A term in an open round with a section a weekday, Monday first, each with so many seats.
async fn week(world: &World, pack: &str, capacities: &[i32]) -> (Id<Term>, Vec<Id<Section>>) {
    let term_id = world.term(pack).await;
    let mut sections = Vec::new();
    for (weekday, capacity_count) in (1..).zip(capacities) {
        let menu = Menu { capacity_count: *capacity_count, weekday, ..Menu::default() };
        sections.push(world.section(term_id, menu).await);
    }
    world.open_round(term_id).await;
    (term_id, sections)
}

fn basket(world: &World, family: &Family, sections: &[Id<Section>]) -> ApplyBasketRequest {
    ApplyBasketRequest {
        request_id: world.request_id(),
        pupil_id: family.pupil_id.to_string(),
        section_ids: sections.iter().map(ToString::to_string).collect(),
        join_waitlist: false,
    }
}

async fn send(
    world: &World,
    family: &Family,
    request: ApplyBasketRequest,
) -> Result<ApplyBasketResponse, Status> {
    world.guardian(family).apply_basket(request).await.map(tonic::Response::into_inner)
}

/// How many seats of each section are taken, and how many stand in its line.
async fn counts(world: &World, term_id: Id<Term>, sections: &[Id<Section>]) -> Vec<(i32, i32)> {
    let request = ListSeatsRequest { term_id: term_id.to_string() };
    let seats = world.anyone().list_seats(request).await.unwrap().into_inner().seats;
    let of = |section: &Id<Section>| {
        let seats = seats.iter().find(|seats| seats.section_id == section.to_string()).unwrap();
        (seats.taken_count, seats.waitlisted_count)
    };
    sections.iter().map(of).collect()
}

#[tokio::test]
async fn c41_a_whole_week_is_taken_in_one_request_and_sent_again_it_is_the_same() {
    on_each(|world| async move {
        let (term_id, sections) = week(&world, CHARGED, &[30; 5]).await;
        let family = world.family().await;
        let request = basket(&world, &family, &sections);

        let first = send(&world, &family, request.clone()).await.unwrap();
        let again = send(&world, &family, request.clone()).await.unwrap();

        let ids = |response: &ApplyBasketResponse| -> Vec<(String, String)> {
            let place = |place: &proto::enrollment::v1::ApplyResponse| {
                let enrollment = place.enrollment.clone().unwrap();
                (enrollment.section_id, enrollment.id)
            };
            response.places.iter().map(place).collect()
        };
        let asked: Vec<_> = sections.iter().map(ToString::to_string).collect();
        assert_eq!(ids(&first).into_iter().map(|(section, _)| section).collect::<Vec<_>>(), asked);
        assert_eq!(ids(&first), ids(&again));
        assert_eq!(counts(&world, term_id, &sections).await, [(1, 0); 5]);
        for (_, id) in ids(&first) {
            assert_eq!(world.told(&id).await, ["seat_held"]);
        }
        // another content under the same id
        let shorter = ApplyBasketRequest { section_ids: request.section_ids[..4].to_vec(), ..request };
        let reused = send(&world, &family, shorter).await.unwrap_err();
        assert_eq!((reused.code(), reason(&reused).as_str()), (Code::AlreadyExists, "REQUEST_ID_REUSED"));
        world.end().await;
    })
    .await;
}

#[tokio::test]
async fn c41_a_week_of_which_one_part_is_full_takes_nothing_and_says_which_and_why() {
    on_each(|world| async move {
        let (term_id, mut sections) = week(&world, FREE, &[30, 1, 30]).await;
        let other = world.family().await;
        send(&world, &other, basket(&world, &other, &sections[1..2])).await.unwrap();
        let clashing = Menu { weekday: 3, start_time: "16:30", end_time: "17:30", ..Menu::default() };
        sections.push(world.section(term_id, clashing).await);
        let family = world.family().await;

        let refusal = send(&world, &family, basket(&world, &family, &sections)).await.unwrap_err();

        assert_eq!((refusal.code(), reason(&refusal).as_str()), (Code::FailedPrecondition, "BASKET_REFUSED"));
        assert_eq!(fact(&refusal, "failed_count"), "2");
        let parts = parts_of(&refusal);
        let FailedPart { part, reason: word, facts } = &parts[0];
        assert_eq!((part, word.as_str()), (&sections[1].to_string(), "SECTION_FULL"));
        assert_eq!((facts["capacity_count"].as_str(), facts["taken_count"].as_str()), ("1", "1"));
        let FailedPart { part, reason: word, facts } = &parts[1];
        assert_eq!((part, word.as_str()), (&sections[3].to_string(), "PARTS_CLASH"));
        assert_eq!(facts["other_section_id"], sections[2].to_string());
        assert_eq!(facts["start_time"], "16:00");
        assert_eq!(parts.len(), 2);
        assert_eq!(counts(&world, term_id, &sections).await, [(0, 0), (1, 0), (0, 0), (0, 0)]);

        // with the two put right the rest is still there
        let rest = [sections[0], sections[2]];
        assert_eq!(send(&world, &family, basket(&world, &family, &rest)).await.unwrap().places.len(), 2);
        world.end().await;
    })
    .await;
}

#[tokio::test]
async fn whoever_would_stand_in_line_has_a_place_in_it_for_what_is_full() {
    on_each(|world| async move {
        let (term_id, sections) = week(&world, FREE, &[30, 1]).await;
        let families = world.families(2).await;
        send(&world, &families[0], basket(&world, &families[0], &sections)).await.unwrap();

        let request = ApplyBasketRequest { join_waitlist: true, ..basket(&world, &families[1], &sections) };
        let had = send(&world, &families[1], request).await.unwrap();

        let positions: Vec<_> =
            had.places.iter().map(|place| place.enrollment.as_ref().unwrap().waitlist_position).collect();
        assert_eq!(positions, [0, 1]);
        assert_eq!(counts(&world, term_id, &sections).await, [(2, 0), (1, 1)]);
        world.end().await;
    })
    .await;
}

#[tokio::test]
async fn a_basket_is_refused_by_every_field_that_is_wrong_and_to_everybody_but_the_guardian() {
    on_each(|world| async move {
        let (_, sections) = week(&world, FREE, &[30]).await;
        let (family, stranger) = (world.family().await, world.family().await);

        let mut wrong = basket(&world, &family, &[sections[0], sections[0]]);
        wrong.request_id.clear();
        let wrong = send(&world, &family, wrong).await.unwrap_err();
        let fields: Vec<_> =
            violations_of(&wrong).list().iter().map(|violation| violation.field.clone()).collect();
        assert_eq!(fields, ["request_id", "section_ids[1]"]);
        for count in [0, 21] {
            let many: Vec<Id<Section>> = (0..count).map(|_| shared::random::id(world.now())).collect();
            let refusal = send(&world, &family, basket(&world, &family, &many)).await.unwrap_err();
            assert_eq!(violations_of(&refusal).list()[0].field, "section_ids");
        }
        let request = basket(&world, &family, &sections);
        let refusal = send(&world, &stranger, request.clone()).await.unwrap_err();
        assert_eq!(reason(&refusal), "PUPIL_NOT_FOUND");
        let staff = world.staff(shared::caller::Role::Principal);
        assert_eq!(reason(&{ staff }.apply_basket(request).await.unwrap_err()), "GUARDIAN_ONLY");
        world.end().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn c41_weeks_that_race_for_the_same_seats_are_had_whole_or_not_at_all() {
    on_each(|world| async move {
        let families = world.families(60).await;
        for _ in 0..3 {
            let (term_id, sections) = week(&world, FREE, &[20, 15, 10]).await;
            let backward: Vec<_> = sections.iter().rev().copied().collect();
            let asked = families.iter().enumerate().map(|(number, family)| {
                let sections = if number % 2 == 0 { &sections } else { &backward };
                let (mut client, request) = (world.guardian(family), basket(&world, family, sections));
                tokio::spawn(async move { client.apply_basket(request).await })
            });
            let asked: Vec<_> = asked.collect();

            let mut had = 0;
            for asked in asked {
                match tokio::time::timeout(Duration::from_secs(60), asked).await.unwrap().unwrap() {
                    Ok(response) => {
                        assert_eq!(response.get_ref().places.len(), 3);
                        had += 1;
                    }
                    Err(refusal) => {
                        assert_eq!(reason(&refusal), "BASKET_REFUSED");
                        let parts = parts_of(&refusal);
                        assert!(parts.iter().any(|part| part.part == sections[2].to_string()), "{parts:?}");
                        assert!(!facts_of(&refusal).is_empty());
                    }
                }
            }
            assert_eq!(had, 10, "as many as the scarcest section has seats");
            assert_eq!(counts(&world, term_id, &sections).await, [(10, 0); 3]);
        }
        world.end().await;
    })
    .await;
}
