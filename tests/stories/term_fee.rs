//! S1: a family where the fee is for the term.

use anyhow::ensure;
use chrono::TimeDelta;
use kehou::person::text;
use kehou_tests::people::apply;
use kehou_tests::sandbox::{self, list};
use kehou_tests::{World, on_both};
use serde_json::{Value, json};

on_both!(
    c36_c65_c100_a_family_chooses_is_approved_by_four_pays_and_is_confirmed,
    c36_a_step_is_decided_by_the_role_the_policy_names_and_in_order,
    a_declined_step_gives_the_seat_back_with_the_reason,
    c55_a_second_section_of_the_term_costs_nothing_more,
);

/// Sign-in by WeChat, binding with consent, the menu, the four steps, payment, ledger.
async fn c36_c65_c100_a_family_chooses_is_approved_by_four_pays_and_is_confirmed(
    world: &World,
) -> anyhow::Result<()> {
    // given a guardian signed in with a WeChat code and bound to a child
    let parent = world.parent("jinhua", "JH20260001").await?;
    let mine = parent.person.get("/v1/me/pupils").await?.expect(200)?;
    assert_eq!(list(&mine, "pupils").len(), 1);
    assert_eq!(mine["pupils"][0]["id"], parent.pupil_id.as_str());

    // when a section on the menu is priced and chosen
    let section = world.section("jinhua", "衍纸").await?;
    let section_id = text(&section, "id");
    let choice = json!({ "pupil_id": parent.pupil_id, "section_ids": [section_id] });
    let quote = parent.person.post("/v1/quotes", &choice).await?.expect(200)?;
    assert_eq!(quote["amount_fen"], 50_000, "{quote}");
    ensure!(
        list(&quote, "clauses").iter().any(|clause| text(clause, "source").contains("72")),
        "no clause: {quote}"
    );
    let id = apply(&parent, &section_id, "in_review").await?;
    let unpaid = parent.person.get(&format!("/v1/enrollments/{id}/invoice")).await?;
    assert_eq!(unpaid.reason(), "INVOICE_NOT_FOUND", "nothing is to be paid before the approval: {unpaid}");

    // then the steps are approved by class teacher, principal, teaching office, and the seat waits for money
    let roles = world.approve_all("jinhua", "class201", &parent, &id).await?;
    assert_eq!(roles, ["class_teacher", "principal", "teaching_office"]);
    parent.person.enrollment_in(&id, "held").await?;
    let invoice = parent.invoice(&id).await?;
    assert_eq!((&invoice["amount_fen"], &invoice["state"]), (&json!(50_000), &json!("open")));

    // and once paid it is confirmed, once
    let paid = parent.pay(&id).await?;
    assert_eq!(paid, 50_000);
    let settled = parent.invoice(&id).await?;
    assert_eq!((&settled["paid_fen"], &settled["state"]), (&json!(50_000), &json!("settled")));
    let again = parent.person.post(&format!("/v1/enrollments/{id}/pay"), &Value::Null).await?;
    assert_eq!(again.reason(), "INVOICE_SETTLED", "{again}");
    assert_eq!(sandbox::order_count(&world.site).await?, 1);

    // and the ledger says where the money is
    world.settle().await?;
    let balances = world.balances("jinhua").await?;
    assert_eq!(balances["wechat_clearing"], 50_000, "{balances:?}");
    assert_eq!(balances["fees"], -50_000, "{balances:?}");
    assert_eq!(balances.get("receivable").copied().unwrap_or_default(), 0, "{balances:?}");
    Ok(())
}

async fn c36_a_step_is_decided_by_the_role_the_policy_names_and_in_order(
    world: &World,
) -> anyhow::Result<()> {
    let parent = world.parent("jinhua", "JH20260003").await?;
    let id = apply(&parent, &text(&world.section("jinhua", "篆刻").await?, "id"), "in_review").await?;
    let path = |step: &str| format!("/v1/enrollments/{id}/steps/{step}");
    let approve = json!({ "approved": true });

    let principal = world.staff("jinhua.principal").await?;
    let early = principal.post(&path("school_approve"), &approve).await?;
    assert_eq!(early.reason(), "STEP_OUT_OF_ORDER", "{early}");
    assert_eq!(early.body["facts"]["next_step"], "class_pre_review", "{early}");
    let wrong_role = principal.post(&path("class_pre_review"), &approve).await?;
    assert_eq!((wrong_role.status, wrong_role.reason()), (403, "ROLE_NOT_ALLOWED"), "{wrong_role}");
    let other_class = world.staff("jinhua.class301").await?.post(&path("class_pre_review"), &approve).await?;
    assert_eq!(other_class.status, 404, "another class's teacher may not know of it: {other_class}");
    let other_district =
        world.staff("shahe.principal").await?.post(&path("class_pre_review"), &approve).await?;
    assert_eq!(other_district.status, 404, "{other_district}");
    let unknown = principal.post(&path("no_such_step"), &approve).await?;
    assert_eq!(unknown.reason(), "STEP_UNKNOWN", "{unknown}");
    let family = parent.person.post(&path("class_pre_review"), &approve).await?;
    assert_eq!(family.status, 403, "a family does not approve itself: {family}");

    let still = parent.person.get(&format!("/v1/enrollments/{id}")).await?.expect(200)?;
    assert_eq!(still["state"], "in_review");
    let open = list(&still, "steps").iter().filter(|step| step["approve_time"].is_null()).count();
    assert_eq!(open, 3, "{still}");
    Ok(())
}

async fn a_declined_step_gives_the_seat_back_with_the_reason(world: &World) -> anyhow::Result<()> {
    let parent = world.parent("jinhua", "JH20260004").await?;
    let section_id = text(&world.section("jinhua", "扎染").await?, "id");
    let id = apply(&parent, &section_id, "in_review").await?;
    assert_eq!(world.seats("jinhua", &section_id).await?, (1, 0));
    let teacher = world.staff("jinhua.class201").await?;
    let path = format!("/v1/enrollments/{id}/steps/class_pre_review");

    let silent = teacher.post(&path, &json!({ "approved": false })).await?;
    assert_eq!(silent.reason(), "REASON_REQUIRED", "{silent}");
    let body = json!({ "approved": false, "reason": "周三已有校队训练" });
    let declined = teacher.post(&path, &body).await?.expect(200)?;

    assert_eq!(declined["state"], "released");
    assert_eq!(declined["release_note"], "周三已有校队训练");
    assert_eq!(world.seats("jinhua", &section_id).await?, (0, 0));
    Ok(())
}

async fn c55_a_second_section_of_the_term_costs_nothing_more(world: &World) -> anyhow::Result<()> {
    let parent = world.parent("jinhua", "JH20260005").await?;
    let mut ids = Vec::new();
    for title in ["衍纸", "木工"] {
        let id = apply(&parent, &text(&world.section("jinhua", title).await?, "id"), "in_review").await?;
        world.approve_all("jinhua", "class201", &parent, &id).await?;
        parent.invoice(&id).await?;
        // An invoice is priced beside those issued before it.
        world.clock.advance(TimeDelta::seconds(1));
        ids.push(id);
    }
    let amounts = [parent.invoice(&ids[0]).await?, parent.invoice(&ids[1]).await?];
    assert_eq!((&amounts[0]["amount_fen"], &amounts[1]["amount_fen"]), (&json!(50_000), &json!(0)));

    parent.pay(&ids[0]).await?;
    parent.person.enrollment_in(&ids[1], "confirmed").await?;
    assert_eq!(sandbox::order_count(&world.site).await?, 1);
    Ok(())
}
