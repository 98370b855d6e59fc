//! S3: class hours with a ceiling for the day.

use chrono::TimeDelta;
use kehou::person::text;
use kehou::tour::choose;
use kehou_tests::people::apply;
use kehou_tests::sandbox::{self, list};
use kehou_tests::{World, on_both};
use serde_json::{Value, json};

on_both!(
    c56_three_class_hours_of_a_day_cost_1000_and_the_week_4000,
    c56_three_sections_of_one_day_are_invoiced_500_500_and_0_for_each_week,
    c56_a_price_above_the_class_hour_ceiling_is_refused_with_the_clause,
);

/// Weeks in the demonstration's term: a section has as many lessons.
const WEEKS: i64 = 16;

async fn c56_three_class_hours_of_a_day_cost_1000_and_the_week_4000(world: &World) -> anyhow::Result<()> {
    let parent = world.parent("zhuzhou", "ZZ20260001").await?;
    let sections = choose(&world.menu("zhuzhou").await?, &[1, 2, 3, 2, 1])?;

    let choice = json!({ "pupil_id": parent.pupil_id, "section_ids": sections });
    let quote = parent.person.post("/v1/quotes", &choice).await?.expect(200)?;

    let number = |day: &Value, field: &str| day[field].as_i64().unwrap();
    let week: Vec<_> = list(&quote, "week")
        .iter()
        .map(|day| {
            (number(day, "class_hour_count"), number(day, "before_cap_fen"), number(day, "charged_fen"))
        })
        .collect();
    assert_eq!(week, [(1, 500, 500), (2, 1_000, 1_000), (3, 1_500, 1_000), (2, 1_000, 1_000), (1, 500, 500)]);
    assert_eq!(quote["week_total_fen"], 4_000);
    assert_eq!(quote["amount_fen"], 4_000 * WEEKS);
    let sources: Vec<_> = list(&quote, "clauses").iter().map(|clause| text(clause, "source")).collect();
    assert!(sources.iter().any(|source| source.contains("74")), "{sources:?}");
    Ok(())
}

async fn c56_three_sections_of_one_day_are_invoiced_500_500_and_0_for_each_week(
    world: &World,
) -> anyhow::Result<()> {
    let parent = world.parent("zhuzhou", "ZZ20260002").await?;
    let mut ids = Vec::new();
    let mut amounts = Vec::new();
    // Monday: care at 15:30, palm weaving at 16:15, quilling at 17:00.
    for section_id in choose(&world.menu("zhuzhou").await?, &[3])? {
        let id = apply(&parent, &section_id, "held").await?;
        world.clock.advance(TimeDelta::seconds(1));
        amounts.push(parent.invoice(&id).await?["amount_fen"].as_i64().unwrap());
        ids.push(id);
    }
    assert_eq!(amounts, [500 * WEEKS, 500 * WEEKS, 0]);

    // Nothing is owed for the third, but only because the first two carry the day: it stays when they are paid.
    world.settle().await?;
    let third = parent.person.get(&format!("/v1/enrollments/{}", ids[2])).await?.expect(200)?;
    assert_eq!(third["state"], "held", "a free third hour was given for two that are not paid");
    parent.pay(&ids[0]).await?;
    parent.pay(&ids[1]).await?;
    parent.person.enrollment_in(&ids[2], "confirmed").await?;
    assert_eq!(sandbox::order_count(&world.site).await?, 2, "an order of 0 fen");
    world.settle().await?;
    assert_eq!(world.balances("zhuzhou").await?["fees"], -1_000 * WEEKS);
    Ok(())
}

async fn c56_a_price_above_the_class_hour_ceiling_is_refused_with_the_clause(
    world: &World,
) -> anyhow::Result<()> {
    let teaching = world.staff("zhuzhou.teaching").await?;
    let school_id = &world.district("zhuzhou").school_id;
    let term = json!({ "name": "下一学期", "first_day": "2027-02-22", "last_day": "2027-06-25" });
    let term = teaching.post(&format!("/v1/schools/{school_id}/terms"), &term).await?.expect(200)?;
    world.settle().await?;
    let finance = world.staff("zhuzhou.finance").await?;
    let path = format!("/v1/terms/{}/tariff", text(&term, "id"));

    let refused = finance.post(&path, &json!({ "basis": "class_hour", "amount_fen": 501 })).await?;

    assert_eq!((refused.status, refused.reason()), (400, "CEILING_EXCEEDED"), "{refused}");
    assert_eq!(refused.body["facts"]["limit_fen"], "500", "{refused}");
    assert!(text(&refused.body["facts"], "clause_zh").contains("74"), "{refused}");
    finance.post(&path, &json!({ "basis": "class_hour", "amount_fen": 500 })).await?.expect(200)?;
    Ok(())
}
