//! S6: payments that come late, twice, wrong or forged.

use anyhow::ensure;
use chrono::TimeDelta;
use kehou::person::{Parent, text};
use kehou_tests::people::apply;
use kehou_tests::sandbox::{self, list};
use kehou_tests::{World, on_both};
use serde_json::{Value, json};

on_both!(
    money_that_came_before_the_order_was_closed_keeps_the_seat_though_no_notification_arrived,
    money_that_comes_after_the_seat_went_to_another_goes_back_by_itself,
    money_that_comes_after_the_hold_takes_the_seat_again_while_it_is_free,
    a_family_that_pays_a_closed_order_and_a_new_one_gets_one_seat_and_one_refund,
    c65_a_notification_sent_twice_or_lost_or_forged_first_credits_once,
    c65_another_amount_credits_nothing_and_the_seat_is_not_given_to_anybody,
    c65_forged_notifications_are_refused_and_credit_nothing,
    c51_c76_a_confirmed_seat_given_back_is_refunded_by_the_rule,
);

/// A seat in a section of one, with its order at WeChat. `others` stand in line behind.
async fn holder(world: &World, code: &str, section_id: &str) -> anyhow::Result<(Parent, String, String)> {
    let parent = world.parent("zhuzhou", code).await?;
    let id = apply(&parent, section_id, "held").await?;
    parent.invoice(&id).await?;
    let order = text(&parent.begin_payment(&id).await?, "out_trade_no");
    Ok((parent, id, order))
}

/// A section of one seat on Thursday at five.
async fn one_seat(world: &World) -> anyhow::Result<String> {
    world.small_section("zhuzhou", "剪纸", (4, "17:00"), 1).await
}

/// Lets the hold end and the order close.
async fn expire(world: &World, parent: &Parent, id: &str, order: &str) -> anyhow::Result<()> {
    world.clock.advance(TimeDelta::seconds(1_801));
    let path = format!("/v1/enrollments/{id}");
    world
        .until("the seat is given back", async || {
            Ok((parent.person.get(&path).await?.body["state"] == "released").then_some(()))
        })
        .await?;
    assert_eq!(sandbox::order(&world.site, order).await?["trade_state"], "CLOSED");
    Ok(())
}

/// Waits until a fault has struck, so that a story which went well was not spared: WeChat notifies when it comes to it.
async fn struck(world: &World, fault: i64) -> anyhow::Result<()> {
    world
        .until(
            "the fault struck",
            async || Ok((sandbox::fired(&world.site, fault).await? >= 1).then_some(())),
        )
        .await
}

/// Waits until everything an order brought has gone back, in so many refunds.
async fn gone_back(world: &World, order: &str, amounts: &[i64]) -> anyhow::Result<()> {
    world
        .until("the money went back", async || {
            let refunds = sandbox::refunds(&world.site, order).await?;
            Ok((refunds.iter().filter(|(_, state)| state == "SUCCESS").count() >= amounts.len())
                .then_some(()))
        })
        .await?;
    let refunds = sandbox::refunds(&world.site, order).await?;
    assert_eq!(refunds.iter().map(|(amount, _)| *amount).collect::<Vec<_>>(), amounts, "{refunds:?}");
    Ok(())
}

/// The notification is lost; the question before closing finds the money.
async fn money_that_came_before_the_order_was_closed_keeps_the_seat_though_no_notification_arrived(
    world: &World,
) -> anyhow::Result<()> {
    let section_id = one_seat(world).await?;
    let (parent, id, order) = holder(world, "ZZ20260001", &section_id).await?;
    let next = world.parent("zhuzhou", "ZZ20260002").await?;
    let next_id = apply(&next, &section_id, "waitlisted").await?;
    let lost =
        sandbox::fault(&world.site, &json!({ "target": "notify", "kind": "lose", "count": 1_000 })).await?;
    let asking = json!({ "target": "query", "kind": "lose", "count": 3 });
    let asking = sandbox::fault(&world.site, &asking).await?;
    sandbox::pay(&world.site, &order).await?;

    world.clock.advance(TimeDelta::seconds(1_801));
    let path = format!("/v1/enrollments/{id}");
    world
        .until("the seat is confirmed", async || {
            Ok((parent.person.get(&path).await?.body["state"] == "confirmed").then_some(()))
        })
        .await?;

    struck(world, lost).await?;
    struck(world, asking).await?;
    let invoice = parent.invoice(&id).await?;
    assert_eq!((&invoice["state"], &invoice["paid_fen"]), (&json!("settled"), &json!(8_000)));
    let waiting = next.person.get(&format!("/v1/enrollments/{next_id}")).await?.expect(200)?;
    assert_eq!(waiting["state"], "waitlisted");
    sandbox::heal(&world.site).await?;
    Ok(())
}

async fn money_that_comes_after_the_seat_went_to_another_goes_back_by_itself(
    world: &World,
) -> anyhow::Result<()> {
    let section_id = one_seat(world).await?;
    let (parent, id, order) = holder(world, "ZZ20260001", &section_id).await?;
    let next = world.parent("zhuzhou", "ZZ20260002").await?;
    let next_id = apply(&next, &section_id, "waitlisted").await?;
    expire(world, &parent, &id, &order).await?;
    next.person.enrollment_in(&next_id, "held").await?;

    sandbox::pay_late(&world.site, &order).await?;
    gone_back(world, &order, &[8_000]).await?;

    let released = parent.person.get(&format!("/v1/enrollments/{id}")).await?.expect(200)?;
    assert_eq!(released["state"], "released");
    refunded(world, &parent, "late", 8_000).await?;
    next.pay(&next_id).await?;
    assert_eq!(world.seats("zhuzhou", &section_id).await?, (1, 0));
    world.settle().await?;
    let balances = world.balances("zhuzhou").await?;
    assert_eq!(balances["wechat_clearing"], 8_000, "only the second family's money stays: {balances:?}");
    assert_eq!(balances["fees"], -8_000, "{balances:?}");
    Ok(())
}

async fn money_that_comes_after_the_hold_takes_the_seat_again_while_it_is_free(
    world: &World,
) -> anyhow::Result<()> {
    let section_id = one_seat(world).await?;
    let (parent, id, order) = holder(world, "ZZ20260001", &section_id).await?;
    expire(world, &parent, &id, &order).await?;
    assert_eq!(world.seats("zhuzhou", &section_id).await?, (0, 0));

    sandbox::pay_late(&world.site, &order).await?;

    parent.person.enrollment_in(&id, "confirmed").await?;
    assert_eq!(world.seats("zhuzhou", &section_id).await?, (1, 0));
    let invoice = parent.invoice(&id).await?;
    assert_eq!((&invoice["state"], &invoice["paid_fen"]), (&json!("settled"), &json!(8_000)), "{invoice}");
    world.settle().await?;
    assert_eq!(sandbox::refunds(&world.site, &order).await?, []);
    Ok(())
}

/// A second success is booked and refunded without a person.
async fn a_family_that_pays_a_closed_order_and_a_new_one_gets_one_seat_and_one_refund(
    world: &World,
) -> anyhow::Result<()> {
    let section_id = one_seat(world).await?;
    let (parent, id, order) = holder(world, "ZZ20260001", &section_id).await?;
    expire(world, &parent, &id, &order).await?;
    let again = apply(&parent, &section_id, "held").await?;
    parent.pay(&again).await?;

    sandbox::pay_late(&world.site, &order).await?;
    gone_back(world, &order, &[8_000]).await?;

    let kept = parent.person.get(&format!("/v1/enrollments/{again}")).await?.expect(200)?;
    let given_back = parent.person.get(&format!("/v1/enrollments/{id}")).await?.expect(200)?;
    assert_eq!((&kept["state"], &given_back["state"]), (&json!("confirmed"), &json!("released")));
    world.settle().await?;
    let balances = world.balances("zhuzhou").await?;
    assert_eq!((balances["wechat_clearing"], balances["fees"]), (8_000, -8_000), "{balances:?}");
    Ok(())
}

async fn c65_a_notification_sent_twice_or_lost_or_forged_first_credits_once(
    world: &World,
) -> anyhow::Result<()> {
    let section_id = text(&world.section("zhuzhou", "书法").await?, "id");
    for (number, kind) in (1..).zip(["duplicate", "lose", "forge", "probe", "other_key", "reorder"]) {
        let parent = world.parent("zhuzhou", &format!("ZZ2026{number:04}")).await?;
        let id = apply(&parent, &section_id, "held").await?;
        let fault =
            sandbox::fault(&world.site, &json!({ "target": "notify", "kind": kind, "count": 1 })).await?;

        let paid = parent.pay(&id).await.map_err(|error| error.context(kind))?;
        struck(world, fault).await.map_err(|error| error.context(kind))?;
        world.settle().await?;

        let invoice = parent.invoice(&id).await?;
        assert_eq!(
            (paid, &invoice["paid_fen"], &invoice["refunded_fen"]),
            (8_000, &json!(8_000), &json!(0)),
            "{kind}"
        );
        let fees = world.balances("zhuzhou").await?["fees"];
        assert_eq!(fees, -8_000 * number, "{kind}: credited more than once");
    }
    Ok(())
}

async fn c65_another_amount_credits_nothing_and_the_seat_is_not_given_to_anybody(
    world: &World,
) -> anyhow::Result<()> {
    let section_id = one_seat(world).await?;
    let (parent, id, order) = holder(world, "ZZ20260011", &section_id).await?;
    let next = world.parent("zhuzhou", "ZZ20260012").await?;
    let next_id = apply(&next, &section_id, "waitlisted").await?;

    world.site.sandbox_post(&format!("/sandbox/orders/{order}/pay"), &json!({ "amount_fen": 1 })).await?;
    let sync = format!("/v1/enrollments/{id}/payment/sync");
    let _ = parent.person.post(&sync, &Value::Null).await?;
    world.settle().await?;

    let invoice = parent.invoice(&id).await?;
    assert_eq!((&invoice["state"], &invoice["paid_fen"]), (&json!("open"), &json!(0)), "{invoice}");
    let seat = parent.person.get(&format!("/v1/enrollments/{id}")).await?.expect(200)?;
    assert_eq!(seat["state"], "held", "a wrong amount gave a seat");
    assert_eq!(world.balances("zhuzhou").await?.get("wechat_clearing").copied().unwrap_or_default(), 0);

    // Money did come, so the seat is nobody else's until a person has looked, however often it is asked about.
    world.clock.advance(TimeDelta::seconds(1_801));
    parent.person.enrollment_in(&id, "releasing").await?;
    for _ in 0..5 {
        world.advance(TimeDelta::seconds(20)).await?;
    }
    let seat = parent.person.get(&format!("/v1/enrollments/{id}")).await?.expect(200)?;
    let waiting = next.person.get(&format!("/v1/enrollments/{next_id}")).await?.expect(200)?;
    assert_eq!((&seat["state"], &waiting["state"]), (&json!("releasing"), &json!("waitlisted")));
    assert_eq!(parent.invoice(&id).await?["paid_fen"], 0);
    Ok(())
}

/// Raw bytes are verified before anything is believed.
async fn c65_forged_notifications_are_refused_and_credit_nothing(world: &World) -> anyhow::Result<()> {
    let section_id = text(&world.section("zhuzhou", "书法").await?, "id");
    let (parent, id, order) = holder(world, "ZZ20260013", &section_id).await?;
    world.settle().await?;
    let before = world.rows.content().await?;

    for kind in ["bad_signature", "probe", "unknown_serial", "stale", "tampered"] {
        assert_eq!(sandbox::forge(&world.site, &order, kind).await?, 401, "{kind}");
    }
    let unsigned = world.site.stranger().post("/v1/wechat/notify", &json!({ "id": "x" })).await?;
    assert_eq!(unsigned.status, 401, "{unsigned}");

    world.settle().await?;
    let after = world.rows.content().await?;
    for table in ["billing.invoice", "billing.payment", "billing.notification", "enrollment.enrollment"] {
        ensure!(
            before.contains_key(table),
            "there is no table {table}: {:?}",
            before.keys().collect::<Vec<_>>()
        );
        assert_eq!(before[table], after[table], "{table} changed");
    }
    let invoice = parent.invoice(&id).await?;
    assert_eq!((&invoice["state"], &invoice["paid_fen"]), (&json!("open"), &json!(0)));
    assert_eq!(parent.pay(&id).await?, 8_000, "and the true payment is believed");
    Ok(())
}

/// Before the first lesson everything goes back; the seat is free at once.
async fn c51_c76_a_confirmed_seat_given_back_is_refunded_by_the_rule(world: &World) -> anyhow::Result<()> {
    let section_id = one_seat(world).await?;
    let parent = world.parent("zhuzhou", "ZZ20260014").await?;
    let id = apply(&parent, &section_id, "held").await?;
    parent.pay(&id).await?;
    let quote = parent.person.get(&format!("/v1/enrollments/{id}/refund-quote")).await?.expect(200)?;
    assert_eq!(quote["amount_fen"], 8_000);

    parent.person.post(&format!("/v1/enrollments/{id}/withdraw"), &Value::Null).await?.expect(200)?;

    parent.person.enrollment_in(&id, "released").await?;
    assert_eq!(world.seats("zhuzhou", &section_id).await?, (0, 0));
    refunded(world, &parent, "released", 8_000).await?;
    world.settle().await?;
    let balances = world.balances("zhuzhou").await?;
    assert!(balances.values().all(|balance| *balance == 0), "{balances:?}");
    Ok(())
}

/// Waits until a family's one refund succeeded.
async fn refunded(world: &World, parent: &Parent, reason: &str, amount_fen: i64) -> anyhow::Result<()> {
    let path = format!("/v1/pupils/{}/refunds", parent.pupil_id);
    world
        .until("the refund succeeded", async || {
            let refunds = parent.person.get(&path).await?.expect(200)?;
            Ok(list(&refunds, "refunds").iter().any(|refund| refund["state"] == "succeeded").then_some(()))
        })
        .await?;
    let refunds = parent.person.get(&path).await?.expect(200)?;
    let [refund] = list(&refunds, "refunds") else { panic!("not one refund: {refunds}") };
    assert_eq!((&refund["reason"], &refund["amount_fen"]), (&json!(reason), &json!(amount_fen)));
    Ok(())
}
