//! Prices by end slot and month: published within the ceiling of each slot, quoted and charged by the last slot a pupil stays to.

use proto::billing::v1 as pb;
use proto::billing::v1::invoice::State;
use proto::billing::v1::tariff::Basis;
use shared::caller::Role;
use shared::random;
use shared::status::violations_of;
use uuid::Uuid;

use crate::cost_sheet::approve_sheet;
use crate::world::{Seat, World, at, each, fact, reason};

/// A term of three months, 1 September to 30 November, in a county with two end slots.
pub async fn autumn() -> Vec<World> {
    let mut worlds = each("zhejiang_anji", Some("anji_test")).await;
    for world in &mut worlds {
        world.term = random::uuid(Default::default());
        let pin = crate::world::pin("zhejiang_anji", Some("anji_test"));
        world.open_term_of(world.term, &pin, "2026-09-01", "2026-11-30", &[]).await;
    }
    worlds
}

fn slots(prices: &[(&str, i64)]) -> Vec<pb::EndSlot> {
    let slot = |(end_time, amount_fen): &(&str, i64)| pb::EndSlot {
        end_time: (*end_time).to_owned(),
        amount_fen: *amount_fen,
    };
    prices.iter().map(slot).collect()
}

fn tariff(world: &World, prices: &[(&str, i64)]) -> pb::PublishTariffRequest {
    pb::PublishTariffRequest { end_slots: slots(prices), ..world.tariff(Basis::SlotMonth, 0) }
}

pub async fn publish(world: &World, first: i64, second: i64) {
    world.heard().await;
    approve_sheet(world, None).await;
    let request = tariff(world, &[("17:00", first), ("18:00", second)]);
    world.staff(1, Role::SchoolFinance).publish_tariff(request).await.unwrap();
}

#[tokio::test]
async fn c55_c57_a_price_above_the_ceiling_of_its_end_slot_is_not_published() {
    for world in autumn().await {
        world.heard().await;
        approve_sheet(&world, None).await;
        let mut client = world.staff(1, Role::Principal);
        for (first, second, limit) in [(5_000, 8_001, "8000"), (5_001, 8_000, "5000")] {
            let request = tariff(&world, &[("17:00", first), ("18:00", second)]);
            let refused = client.publish_tariff(request).await.unwrap_err();
            assert_eq!(reason(&refused), "CEILING_EXCEEDED", "{first} {second}");
            assert_eq!(fact(&refused, "limit_fen"), limit);
            assert_eq!(fact(&refused, "key"), "slot_fee_cap_fen_per_month");
        }
        // The region states two end slots; on a third it is silent.
        let third = tariff(&world, &[("17:00", 5_000), ("18:00", 8_000), ("19:00", 8_000)]);
        assert_eq!(reason(&client.publish_tariff(third).await.unwrap_err()), "POLICY_SILENT");

        let request = tariff(&world, &[("17:00", 5_000), ("18:00", 8_000)]);
        let published = client.publish_tariff(request).await.unwrap().into_inner().tariff.unwrap();

        assert_eq!((published.basis(), published.payee_account.as_str()), (Basis::SlotMonth, "treasury"));
        assert_eq!(published.end_slots, slots(&[("17:00", 5_000), ("18:00", 8_000)]));
        let request = pb::GetTariffRequest { term_id: world.term.to_string() };
        let shown = world.anonymous().get_tariff(request).await.unwrap().into_inner().tariff;
        assert_eq!(shown, Some(published));
    }
}

#[tokio::test]
async fn c57_prices_by_end_slot_that_are_no_prices_name_every_field() {
    for world in autumn().await {
        world.heard().await;
        let mut client = world.staff(1, Role::Principal);
        let fields = |status: &tonic::Status| -> Vec<String> {
            violations_of(status).list().iter().map(|one| one.field.clone()).collect()
        };
        let wrong = tariff(&world, &[("18:00", 0), ("17:00", 5_000), ("later", 1)]);
        let refused = client.publish_tariff(pb::PublishTariffRequest { amount_fen: 1, ..wrong }).await;
        assert_eq!(
            fields(&refused.unwrap_err()),
            ["amount_fen", "end_slots[0].amount_fen", "end_slots[1].end_time", "end_slots[2].end_time"]
        );
        let none = client.publish_tariff(tariff(&world, &[])).await.unwrap_err();
        assert_eq!(fields(&none), ["end_slots"]);
        let flat = pb::PublishTariffRequest {
            end_slots: slots(&[("17:00", 1)]),
            ..world.tariff(Basis::Month, 5_000)
        };
        assert_eq!(fields(&client.publish_tariff(flat).await.unwrap_err()), ["end_slots"]);
    }
}

#[tokio::test]
async fn c57_a_month_costs_the_price_of_the_last_slot_the_pupil_stays_to_and_never_the_sum_of_both() {
    for world in autumn().await {
        let early = world.section(&[(1, 16, 1), (3, 16, 1)]).await;
        let late = world.section(&[(2, 17, 1)]).await;
        let beyond = world.section(&[(4, 18, 1)]).await;
        let family = world.family().await;
        publish(&world, 5_000, 8_000).await;

        let first = world.quote(family, &[early]).await.unwrap();
        assert_eq!((first.amount_fen, first.term_total_fen), (15_000, 15_000));
        let said = &first.explanation[0];
        assert!(
            said.text_zh.contains("第1时段") && said.text_zh.contains("3 个月，共 150.00 元"),
            "{said:?}"
        );
        assert!(said.source.contains(":79"), "{said:?}");
        let both = world.quote(family, &[early, late]).await.unwrap();
        assert_eq!(both.amount_fen, 24_000);
        assert!(both.explanation[0].text_zh.contains("共 240.00 元"), "{:?}", both.explanation);
        assert!(both.explanation.last().unwrap().text_zh.contains("应收 240.00 元"));
        let refused = world.quote(family, &[beyond]).await.unwrap_err();
        assert_eq!(reason(&refused), "END_SLOT_UNPRICED");
        assert_eq!(fact(&refused, "end_time"), "18:50");

        // Whoever takes both pays the dearer one in all, in two bills.
        let seat = world.hold(family, early).await;
        assert_eq!(world.invoice(seat).await.amount_fen, 15_000);
        world.pay_and_settle(seat).await;
        let second = world.hold(family, late).await;
        assert_eq!(world.invoice(second).await.amount_fen, 9_000);
        world.pay_and_settle(second).await;
        world.sound().await;
    }
}

/// A seat that takes another one's place from a day on, held.
async fn change(world: &World, from: Seat, section: Uuid, from_day: &str) -> Seat {
    let seat = Seat { enrollment: random::uuid(Default::default()), section, family: from.family };
    world.plan_change(from, seat.enrollment, from_day).await;
    world.hold_seat(seat, chrono::TimeDelta::minutes(30)).await;
    world.heard().await;
    seat
}

#[tokio::test]
async fn c42_c57_from_the_slot_of_80_yuan_to_that_of_50_next_month_costs_80_this_month_and_50_from_then() {
    for world in autumn().await {
        let early = world.section(&[(1, 16, 1)]).await;
        let late = world.section(&[(1, 17, 1)]).await;
        let family = world.family().await;
        publish(&world, 5_000, 8_000).await;
        let old = world.hold(family, late).await;
        world.pay_and_settle(old).await;
        world.clock.set(at("2026-09-20T12:00:00+08:00"));

        // September 80, October and November 50 each: less than was paid, so nothing more is asked.
        let new = change(&world, old, early, "2026-10-01").await;
        let invoice = world.invoice(new).await;
        assert_eq!((invoice.amount_fen, invoice.state()), (0, State::Settled));

        // The day has come, and lessons of it have begun.
        world.clock.set(at("2026-10-05T19:00:00+08:00"));
        world.release(old, proto::enrollment::v1::enrollment::ReleaseReason::Changed).await;
        crate::refund::arrived(&world, family, 1).await;
        assert_eq!(world.refunds(family).await[0].amount_fen, 24_000 - 18_000);
        world.sound().await;
    }
}

#[tokio::test]
async fn c42_c57_from_the_slot_of_50_yuan_to_that_of_80_costs_the_difference_and_unpaid_nothing_changes() {
    for world in autumn().await {
        let early = world.section(&[(1, 16, 1)]).await;
        let late = world.section(&[(1, 17, 1)]).await;
        let other = world.section(&[(2, 16, 1)]).await;
        let family = world.family().await;
        publish(&world, 5_000, 8_000).await;
        let old = world.hold(family, early).await;
        world.pay_and_settle(old).await;
        world.clock.set(at("2026-09-20T12:00:00+08:00"));

        let lost = change(&world, old, late, "2026-10-01").await;
        assert_eq!(world.invoice(lost).await.amount_fen, 6_000);
        world.close(lost).await.unwrap();
        // The old seat goes on, and so does its price.
        assert_eq!(world.quote(family, &[other]).await.unwrap().term_total_fen, 15_000);

        let kept = change(&world, old, late, "2026-11-01").await;
        assert_eq!(world.invoice(kept).await.amount_fen, 3_000);
        world.pay_and_settle(kept).await;
        assert_eq!(world.quote(family, &[other]).await.unwrap().term_total_fen, 18_000);
        world.clock.set(at("2026-11-01T00:10:00+08:00"));
        world.release(old, proto::enrollment::v1::enrollment::ReleaseReason::Changed).await;
        assert!(world.refunds(family).await.is_empty());
        world.sound().await;
    }
}
