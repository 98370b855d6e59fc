//! The ceiling over all of a pupil's courses in a term, told before anything is billed.

use proto::enrollment::v1::enrollment::State;
use proto::enrollment::v1::{ApplyBasketRequest, ChangeSeatRequest, WithdrawRequest};
use shared::status::parts_of;
use shared::value::{Id, Section};

use crate::support::{CHARGED, FREE, Menu, World, fact, on_each, reason};

/// Sections on different weekdays with prices of their own under a ceiling of 600 yuan.
async fn courses(world: &World, prices: &[i64]) -> Vec<Id<Section>> {
    let term_id = world.term(CHARGED).await;
    let mut sections = Vec::new();
    for (weekday, price) in (1..).zip(prices) {
        let section = world.section(term_id, Menu { weekday, capacity_count: 1, ..Menu::default() }).await;
        world.hear_priced(section, *price, 60_000).await;
        sections.push(section);
    }
    world.open_round(term_id).await;
    sections
}

#[tokio::test]
async fn c41_applying_tells_that_the_ceiling_of_the_term_is_reached_and_up_to_it_all_is_taken() {
    on_each(|world| async move {
        let sections = courses(&world, &[35_000, 25_000, 25_001, 1]).await;
        let family = world.family().await;
        world.apply(&family, sections[0]).await;

        let refused = world.try_apply(&family, sections[2], true).await.unwrap_err();
        assert_eq!(reason(&refused), "TERM_CEILING_REACHED");
        for (name, value) in [
            ("sum_fen", "60001"),
            ("limit_fen", "60000"),
            ("key", "personalised_course_parent_cap_fen_per_term"),
            ("clause_source", "004:67"),
        ] {
            assert_eq!(fact(&refused, name), value, "{name}");
        }
        let second = world.apply(&family, sections[1]).await;
        let refused = world.try_apply(&family, sections[3], false).await.unwrap_err();
        assert_eq!(fact(&refused, "sum_fen"), "60001");

        // What is given back counts no longer.
        let request = WithdrawRequest { request_id: world.request_id(), enrollment_id: second.id.clone() };
        world.guardian(&family).withdraw(request).await.unwrap();
        world.until(&second.id, State::Released).await;
        world.apply(&family, sections[3]).await;
        world.end().await;
    })
    .await;
}

#[tokio::test]
async fn c41_a_basket_above_the_ceiling_is_refused_whole_and_a_change_counts_what_is_given_up_no_more() {
    on_each(|world| async move {
        let sections = courses(&world, &[35_000, 25_000, 25_001]).await;
        let family = world.family().await;
        let basket = |sections: &[Id<Section>]| ApplyBasketRequest {
            request_id: world.request_id(),
            pupil_id: family.pupil_id.to_string(),
            section_ids: sections.iter().map(ToString::to_string).collect(),
            join_waitlist: false,
        };
        let refused = world.guardian(&family).apply_basket(basket(&sections)).await.unwrap_err();
        assert_eq!(reason(&refused), "BASKET_REFUSED");
        let parts = parts_of(&refused);
        assert_eq!(parts.len(), 1, "{parts:?}");

        let given = world.guardian(&family).apply_basket(basket(&sections[..2])).await.unwrap().into_inner();
        let first = given.places[0].enrollment.clone().unwrap();
        let request = ChangeSeatRequest {
            request_id: world.request_id(),
            enrollment_id: first.id,
            to_section_id: sections[2].to_string(),
            from_day: String::new(),
        };
        // 350 goes, 250.01 comes beside 250.
        world.guardian(&family).change_seat(request).await.unwrap();
        world.end().await;
    })
    .await;
}

#[tokio::test]
async fn c41_whoever_is_at_the_ceiling_is_passed_over_in_the_line_and_keeps_the_place() {
    on_each(|world| async move {
        let term_id = world.term(FREE).await;
        let wanted = world.section(term_id, Menu { capacity_count: 1, ..Menu::default() }).await;
        let other = world.section(term_id, Menu { weekday: 2, ..Menu::default() }).await;
        world.open_round(term_id).await;
        let families = world.families(3).await;
        let seat = world.apply(&families[0], wanted).await;
        let waiting = world.try_apply(&families[1], wanted, true).await.unwrap().enrollment.unwrap();
        let behind = world.try_apply(&families[2], wanted, true).await.unwrap().enrollment.unwrap();
        world.apply(&families[1], other).await;
        world.hear_priced(wanted, 30_000, 60_000).await;
        world.hear_priced(other, 30_001, 60_000).await;

        let request = WithdrawRequest { request_id: world.request_id(), enrollment_id: seat.id.clone() };
        world.guardian(&families[0]).withdraw(request).await.unwrap();

        assert_eq!(world.until(&behind.id, State::Confirmed).await.state(), State::Confirmed);
        assert_eq!(world.get(&waiting.id).await.state(), State::Waitlisted);
        world.end().await;
    })
    .await;
}
