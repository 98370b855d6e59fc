//! S4: where the service is free, nothing costs anything and nothing can.

use kehou::person::text;
use kehou_tests::sandbox::{self, list};
use kehou_tests::{World, on_both};
use serde_json::{Value, json};

on_both!(
    c35_c36_c59_a_family_signs_is_confirmed_after_five_steps_and_no_bill_ever_exists,
    c59_every_attempt_to_price_is_refused_with_the_clause_it_breaks,
);

async fn c35_c36_c59_a_family_signs_is_confirmed_after_five_steps_and_no_bill_ever_exists(
    world: &World,
) -> anyhow::Result<()> {
    let parent = world.parent("shahe", "SH20260001").await?;
    let section_id = text(&world.section("shahe", "剪纸").await?, "id");
    let applied = parent.apply(&section_id, true).await?.expect(200)?["enrollment"].clone();
    assert_eq!(applied["state"], "awaiting_agreement", "{applied}");
    let signed = parent.sign(&text(&applied, "term_id")).await?;
    assert_eq!(signed["enrollments"][0]["state"], "in_review", "{signed}");
    let id = text(&applied, "id");
    let enrollment = parent.person.get(&format!("/v1/enrollments/{id}")).await?.expect(200)?;
    assert_eq!(list(&enrollment, "steps").len(), 5);

    let roles = world.approve_all("shahe", "class701", &parent, &id).await?;

    assert_eq!(roles, ["class_teacher", "moral_education", "teaching_office", "teaching_office"]);
    parent.person.enrollment_in(&id, "confirmed").await?;
    world.settle().await?;
    let invoice = parent.person.get(&format!("/v1/enrollments/{id}/invoice")).await?;
    assert_eq!((invoice.status, invoice.reason()), (404, "INVOICE_NOT_FOUND"), "{invoice}");
    let pay = parent.person.post(&format!("/v1/enrollments/{id}/pay"), &Value::Null).await?;
    assert_eq!((pay.status, pay.reason()), (404, "INVOICE_NOT_FOUND"), "{pay}");
    let invoices =
        parent.person.get(&format!("/v1/pupils/{}/invoices", parent.pupil_id)).await?.expect(200)?;
    assert_eq!(list(&invoices, "invoices").len(), 0);
    assert_eq!(world.rows.count("billing", "invoice").await?, 0);
    assert_eq!(sandbox::order_count(&world.site).await?, 0);

    // and giving the seat back asks no rule about refunds
    let withdrawn =
        parent.person.post(&format!("/v1/enrollments/{id}/withdraw"), &Value::Null).await?.expect(200)?;
    assert_eq!(withdrawn["state"], "released", "{withdrawn}");
    Ok(())
}

async fn c59_every_attempt_to_price_is_refused_with_the_clause_it_breaks(
    world: &World,
) -> anyhow::Result<()> {
    let term_id = &world.district("shahe").term_id;
    let path = format!("/v1/terms/{term_id}/tariff");
    for login in ["shahe.finance", "shahe.principal"] {
        for (basis, amount_fen) in [("term", 1), ("class_hour", 1), ("term", 50_000)] {
            let body = json!({ "basis": basis, "amount_fen": amount_fen });
            let refused = world.staff(login).await?.post(&path, &body).await?;
            assert_eq!((refused.status, refused.reason()), (400, "FREE_OF_CHARGE"), "{login}: {refused}");
            let clause = text(&refused.body["facts"], "clause_zh");
            assert!(clause.contains("13"), "no clause: {refused}");
        }
    }
    let known = world.site.stranger().get(&path).await?.expect(200)?;
    assert_eq!((&known["free_of_charge"], &known["tariff"]), (&json!(true), &Value::Null));

    let parent = world.parent("shahe", "SH20260002").await?;
    let section_id = text(&world.section("shahe", "合唱").await?, "id");
    let choice = json!({ "pupil_id": parent.pupil_id, "section_ids": [section_id] });
    let quote = parent.person.post("/v1/quotes", &choice).await?.expect(200)?;
    assert_eq!((&quote["amount_fen"], &quote["free_of_charge"]), (&json!(0), &json!(true)));
    let waiver = world.apply_for_waiver(&parent, "economically_difficult").await?;
    assert_eq!((waiver.status, waiver.reason()), (400, "FREE_OF_CHARGE"), "{waiver}");
    assert_eq!(sandbox::order_count(&world.site).await?, 0);
    Ok(())
}
