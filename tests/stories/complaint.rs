//! S8: a complaint's way.

use anyhow::ensure;
use chrono::TimeDelta;
use kehou::person::{Person, text};
use kehou_tests::sandbox::list;
use kehou_tests::{World, on_both};
use serde_json::{Value, json};

on_both!(
    c81_a_complaint_is_routed_by_stage_answered_late_shown_as_late_and_reopens_to_its_handler,
    a_handler_returns_what_is_not_theirs_with_a_reason,
    c81_an_anonymous_complaint_is_followed_by_receipt_and_by_nobody_else,
);

fn complaint(school_id: &str, anonymous: bool) -> Value {
    json!({
        "school_id": school_id, "kind": "complaint", "subject": "teaching", "text": "周三的社团课一直在做数学卷子。",
        "anonymous": anonymous,
    })
}

/// Accepts a ticket and assigns it to the school's principal.
async fn assign(world: &World, district: &str, id: &str) -> anyhow::Result<Person> {
    let hotline = world.staff(&format!("{district}.hotline")).await?;
    let accepted = hotline.post(&format!("/v1/tickets/{id}/accept"), &Value::Null).await?.expect(200)?;
    assert_eq!(accepted["state"], "accepted");
    let body = json!({ "handler_role": "principal", "handler_node_id": world.district(district).school_id, "note": "请核查" });
    let assigned = hotline.post(&format!("/v1/tickets/{id}/assign"), &body).await?.expect(200)?;
    assert_eq!((&assigned["state"], &assigned["handler_role"]), (&json!("assigned"), &json!("principal")));
    Ok(hotline)
}

async fn c81_a_complaint_is_routed_by_stage_answered_late_shown_as_late_and_reopens_to_its_handler(
    world: &World,
) -> anyhow::Result<()> {
    for (district, code, section) in
        [("jinhua", "JH20260010", "primary_early_years"), ("shahe", "SH20260010", "secondary")]
    {
        let school_id = world.district(district).school_id.clone();
        let parent = world.parent(district, code).await?;
        let submitted =
            parent.person.post("/v1/tickets", &complaint(&school_id, false)).await?.expect(200)?;
        let ticket = &submitted["ticket"];
        assert_eq!(ticket["section"], section, "{ticket}");
        assert_eq!((&ticket["late"], &submitted["receipt_code"]), (&json!(false), &json!("")));
        let (id, number) = (text(ticket, "id"), text(ticket, "number"));
        let due = ticket["accept_due_time"].as_str().map(str::to_owned);
        ensure!(due.is_some(), "a supplement sets a limit: {ticket}");

        assign(world, district, &id).await?;
        // Forty office hours are less than thirty days.
        world.advance(TimeDelta::days(29)).await?;
        let hotline = world.staff(&format!("{district}.hotline")).await?;
        let late = hotline.get("/v1/tickets?late_only=true").await?.expect(200)?;
        assert!(
            list(&late, "tickets").iter().any(|one| one["id"] == id.as_str()),
            "not shown as late: {late}"
        );
        let principal = world.staff(&format!("{district}.principal")).await?;
        let reply = json!({ "text": "已核查并停止，改为手工活动。" });
        let replied = principal.post(&format!("/v1/tickets/{id}/reply"), &reply).await?.expect(200)?;
        assert_eq!((&replied["state"], &replied["late"]), (&json!("replied"), &json!(true)), "{replied}");

        // The family's session is a month old by now: they sign in again.
        let parent = world.site.guardian(&format!("o-{code}")).await?;
        let rating = json!({ "number": number, "solved": false, "rating": 2, "comment": "这周还在做" });
        let reopened = parent.post("/v1/tickets/rate", &rating).await?.expect(200)?;
        assert_eq!(
            (&reopened["state"], &reopened["handler_role"]),
            (&json!("assigned"), &json!("principal"))
        );
        assert_eq!(reopened["reopened_count"], 1);
        let answered = principal.post(&format!("/v1/tickets/{id}/reply"), &reply).await?.expect(200)?;
        assert_eq!(answered["state"], "replied");
        let rating = json!({ "number": number, "solved": true, "rating": 4 });
        let closed = parent.post("/v1/tickets/rate", &rating).await?.expect(200)?;
        assert_eq!(closed["state"], "closed");
        let again = parent.post("/v1/tickets/rate", &rating).await?;
        ensure!(again.reason() == "TICKET_STATE" || again.status == 200, "{again}");
    }
    Ok(())
}

async fn a_handler_returns_what_is_not_theirs_with_a_reason(world: &World) -> anyhow::Result<()> {
    let school_id = world.district("jinhua").school_id.clone();
    let stranger = world.site.stranger();
    let submitted = stranger.post("/v1/tickets", &complaint(&school_id, true)).await?.expect(200)?;
    let id = text(&submitted["ticket"], "id");
    let hotline = assign(world, "jinhua", &id).await?;
    let principal = world.staff("jinhua.principal").await?;
    let path = format!("/v1/tickets/{id}/return");

    let silent = principal.post(&path, &json!({ "reason": "" })).await?;
    assert_eq!(silent.status, 400, "{silent}");
    let others = world.staff("jinhua.finance").await?.post(&path, &json!({ "reason": "不是我的" })).await?;
    assert!(others.status == 403 || others.status == 404, "{others}");
    let reason = json!({ "reason": "收费由教育局财务负责" });
    let returned = principal.post(&path, &reason).await?.expect(200)?;
    assert_eq!(returned["state"], "returned");
    let last = list(&returned, "entries").last().cloned().unwrap_or_default();
    assert_eq!((&last["text"], &last["actor_role"]), (&reason["reason"], &json!("principal")), "{returned}");

    // A provider never handles a complaint, and a school's principal no other school's.
    let assign = format!("/v1/tickets/{id}/assign");
    for (role, node) in [("provider", &school_id), ("principal", &world.district("shahe").school_id)] {
        let body = json!({ "handler_role": role, "handler_node_id": node });
        let misplaced = hotline.post(&assign, &body).await?;
        assert_eq!(misplaced.status, 400, "{misplaced}");
    }
    let body =
        json!({ "handler_role": "bureau_officer", "handler_node_id": world.district("jinhua").district_id });
    hotline.post(&assign, &body).await?.expect(200)?;
    let bureau = world.staff("jinhua.bureau").await?;
    let replied =
        bureau.post(&format!("/v1/tickets/{id}/reply"), &json!({ "text": "已核查，已要求停止。" })).await?;
    assert_eq!(replied.expect(200)?["state"], "replied");
    Ok(())
}

/// No name is kept, and whoever has no receipt learns nothing, not even that there is a ticket.
async fn c81_an_anonymous_complaint_is_followed_by_receipt_and_by_nobody_else(
    world: &World,
) -> anyhow::Result<()> {
    let school_id = world.district("jinhua").school_id.clone();
    let parent = world.parent("jinhua", "JH20260011").await?;
    let other = world.parent("jinhua", "JH20260012").await?;
    let submitted = parent.person.post("/v1/tickets", &complaint(&school_id, true)).await?.expect(200)?;
    let (number, receipt) = (text(&submitted["ticket"], "number"), text(&submitted, "receipt_code"));
    ensure!(!receipt.is_empty(), "no receipt: {submitted}");
    let find = |receipt: &str| json!({ "number": number, "receipt_code": receipt });

    let stranger = world.site.stranger();
    let seen = stranger.post("/v1/tickets/find", &find(&receipt)).await?.expect(200)?;
    assert_eq!((&seen["number"], &seen["anonymous"]), (&json!(number), &json!(true)));
    let wrong = format!("{}x", &receipt[..receipt.len() - 1]);
    let mut refusals = Vec::new();
    for (who, receipt) in
        [(&stranger, wrong.as_str()), (&stranger, ""), (&other.person, ""), (&parent.person, "")]
    {
        let refused = who.post("/v1/tickets/find", &find(receipt)).await?;
        ensure!(
            refused.status == 404 || refused.status == 401 || refused.status == 400,
            "{}: {refused}",
            who.name
        );
        refusals.push(refused.status);
    }
    assert_eq!(refusals[2], 404, "another family");
    assert_eq!(refusals[3], 404, "the family itself left no link");
    let own = parent.person.get("/v1/tickets").await?.expect(200)?;
    assert_eq!(list(&own, "tickets").len(), 0, "the ticket is linked to the guardian: {own}");
    for login in ["jinhua.class201", "shahe.hotline", "shahe.bureau"] {
        let refused = world.staff(login).await?.post("/v1/tickets/find", &find("")).await?;
        ensure!(refused.status == 404 || refused.status == 403, "{login}: {refused}");
    }
    // Those who look after it read it.
    world.staff("jinhua.hotline").await?.post("/v1/tickets/find", &find("")).await?.expect(200)?;
    world.staff("jinhua.inspector").await?.post("/v1/tickets/find", &find("")).await?.expect(200)?;
    Ok(())
}
