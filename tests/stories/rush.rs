//! S5: four hundred families, thirty seats.

use std::collections::BTreeSet;

use anyhow::ensure;
use chrono::TimeDelta;
use futures::future::{join, try_join_all};
use futures::{StreamExt as _, TryStreamExt as _};
use kehou::person::{Answer, Parent, text};
use kehou_tests::people::fresh_key;
use kehou_tests::sandbox::{self, list};
use kehou_tests::{World, on_both};
use serde_json::{Value, json};

on_both!(
    four_hundred_families_press_twice_for_thirty_seats_and_the_line_moves_in_order,
    eight_families_race_for_one_seat_again_and_again_and_one_gets_it,
);

const FAMILIES: usize = 400;
const SEATS: usize = 30;

/// No seat twice, no duplicate, everybody told; a hold that expires is closed at WeChat before anybody else gets it.
async fn four_hundred_families_press_twice_for_thirty_seats_and_the_line_moves_in_order(
    world: &World,
) -> anyhow::Result<()> {
    // given four hundred guardians, each bound to a pupil, and twenty more who will not stand in line
    let parents = world.parents("zhuzhou", "ZZ", 1..=420).await?;
    let (many, late) = parents.split_at(FAMILIES);
    let section_id = text(&world.section("zhuzhou", "木工").await?, "id");

    // when all press at once, each twice with the same key
    let answers = try_join_all(many.iter().map(|parent| press_twice(parent, &section_id))).await?;

    // then a repeat gave the first answer, thirty hold a seat, and the others stand in line, 1 to 370
    let mut held = Vec::new();
    let mut line = Vec::new();
    let mut ids = BTreeSet::new();
    for (parent, (first, second)) in many.iter().zip(&answers) {
        ensure!(first.status == 200 && second.status == 200, "{first} / {second}");
        let (first, second) = (&first.body["enrollment"], &second.body["enrollment"]);
        assert_eq!(first["id"], second["id"], "one press made two enrollments");
        ids.insert(text(first, "id"));
        match first["state"].as_str().unwrap() {
            "held" => held.push((parent, text(first, "id"))),
            "waitlisted" => {
                line.push((first["waitlist_position"].as_u64().unwrap(), parent, text(first, "id")))
            }
            other => panic!("{other}"),
        }
    }
    line.sort_by_key(|(position, ..)| *position);
    assert_eq!((held.len(), line.len(), ids.len()), (SEATS, FAMILIES - SEATS, FAMILIES));
    let positions: Vec<_> = line.iter().map(|(position, ..)| *position).collect();
    assert_eq!(positions, (1..=370).collect::<Vec<_>>());
    assert_eq!(world.seats("zhuzhou", &section_id).await?, (30, 370));

    // and whoever does not join the line is told why, with numbers
    let refused = try_join_all(late.iter().map(|parent| parent.apply(&section_id, false))).await?;
    for refused in &refused {
        assert_eq!((refused.status, refused.reason()), (400, "SECTION_FULL"), "{refused}");
        let facts = &refused.body["facts"];
        let numbers = [&facts["capacity_count"], &facts["taken_count"], &facts["waitlisted_count"]];
        assert_eq!(numbers, [&json!("30"), &json!("30"), &json!("370")], "{refused}");
        ensure!(text(&refused.body, "title").contains("30"), "a sentence without numbers: {refused}");
    }

    // when all holders but one pay, and that one began to and stopped
    let (leaver, leaver_id) = held.pop().unwrap();
    let paying = futures::stream::iter(&held).map(|(parent, id)| parent.pay(id)).buffered(8);
    let paid: Vec<_> = paying.try_collect().await?;
    assert_eq!(paid, vec![8_000; 29]);
    leaver.invoice(&leaver_id).await?;
    let order = text(&leaver.begin_payment(&leaver_id).await?, "out_trade_no");
    assert_eq!(sandbox::order(&world.site, &order).await?["trade_state"], "NOTPAY");

    // and the hold ends while WeChat cannot be asked to close the order
    let fault = json!({ "target": "close", "kind": "error", "status": 500, "code": "SYSTEM_ERROR", "count": 100_000 });
    let fault = sandbox::fault(&world.site, &fault).await?;
    world.clock.advance(TimeDelta::seconds(1_801));
    world
        .until("closing was tried twice", async || {
            Ok((sandbox::fired(&world.site, fault).await? >= 2).then_some(()))
        })
        .await?;

    // then the seat is nobody else's yet
    let (_, next, next_id) = &line[0];
    let waiting = next.person.get(&format!("/v1/enrollments/{next_id}")).await?.expect(200)?;
    let leaving = leaver.person.get(&format!("/v1/enrollments/{leaver_id}")).await?.expect(200)?;
    assert_eq!((&leaving["state"], &waiting["state"]), (&json!("releasing"), &json!("waitlisted")));

    // and once WeChat closes the order, the first in line is offered it, and only that one
    sandbox::heal(&world.site).await?;
    world
        .until("the first in line is offered the seat", async || {
            let state = next.person.get(&format!("/v1/enrollments/{next_id}")).await?.expect(200)?;
            if state["state"] != "held" {
                return Ok(None);
            }
            let closed = sandbox::order(&world.site, &order).await?;
            assert_eq!(closed["trade_state"], "CLOSED", "the seat went before its order was closed");
            Ok(Some(()))
        })
        .await?;
    let released = leaver.person.get(&format!("/v1/enrollments/{leaver_id}")).await?.expect(200)?;
    assert_eq!(
        (&released["state"], &released["release_reason"]),
        (&json!("released"), &json!("hold_expired"))
    );
    let second = line[1].1.person.get(&format!("/v1/enrollments/{}", line[1].2)).await?.expect(200)?;
    assert_eq!((&second["state"], &second["waitlist_position"]), (&json!("waitlisted"), &json!(1)));
    assert_eq!(world.seats("zhuzhou", &section_id).await?, (30, 369));
    next.pay(next_id).await?;
    let roster =
        world.staff("zhuzhou.instructor").await?.get(&format!("/v1/sections/{section_id}/roster")).await?;
    assert_eq!(list(&roster.expect(200)?, "places").len(), SEATS);
    Ok(())
}

/// The same key twice at once.
async fn press_twice(parent: &Parent, section_id: &str) -> anyhow::Result<(Answer, Answer)> {
    let key = fresh_key();
    let (first, second) =
        join(parent.apply_as(section_id, true, key), parent.apply_as(section_id, true, key)).await;
    Ok((first?, second?))
}

/// A race that ends well once proves nothing.
async fn eight_families_race_for_one_seat_again_and_again_and_one_gets_it(
    world: &World,
) -> anyhow::Result<()> {
    let parents = world.parents("zhuzhou", "ZZ", 1..=8).await?;
    for _ in 0..10 {
        let section_id = world.small_section("zhuzhou", "木工", (3, "17:00"), 1).await?;
        let answers = try_join_all(parents.iter().map(|parent| parent.apply(&section_id, false))).await?;

        let won: Vec<_> = answers.iter().filter(|answer| answer.status == 200).collect();
        let full = answers.iter().filter(|answer| answer.reason() == "SECTION_FULL").count();
        assert_eq!((won.len(), full), (1, 7), "{answers:?}");
        assert_eq!(world.seats("zhuzhou", &section_id).await?, (1, 0));

        // The winner makes room for the next round: the slot is theirs no longer.
        let winner = answers.iter().position(|answer| answer.status == 200).unwrap();
        let id = text(&answers[winner].body["enrollment"], "id");
        let person = &parents[winner].person;
        person.post(&format!("/v1/enrollments/{id}/withdraw"), &Value::Null).await?.expect(200)?;
        person.enrollment_in(&id, "released").await?;
    }
    Ok(())
}
