//! What is refused: each with a problem document that names the field or the rule, never a failure of ours, and never a changed row.

use anyhow::ensure;
use chrono::TimeDelta;
use kehou::person::{Answer, Person, text};
use kehou_tests::people::{apply, fresh_key};
use kehou_tests::sandbox::list;
use kehou_tests::{World, on_both};
use reqwest::Method;
use serde_json::{Value, json};

on_both!(
    a_malformed_request_names_the_field_and_the_rule_and_changes_nothing,
    c100_what_is_not_the_caller_s_own_is_not_found_and_changes_nothing,
    a_session_that_is_missing_unknown_or_over_is_refused_and_changes_nothing,
    files_that_are_too_large_broken_or_contradict_themselves_change_nothing,
    a_key_used_again_for_something_else_is_refused,
    a_start_before_the_round_opens_is_refused_with_the_time,
);

/// Insists on a refusal as people's programs expect it.
#[track_caller]
fn assert_problem(refused: &Answer, status: u16, reason: &str) {
    assert_eq!((refused.status, refused.reason()), (status, reason), "{refused}");
    let kind = refused.headers.get("content-type").map(|value| value.to_str().unwrap().to_owned());
    assert_eq!(kind.as_deref(), Some("application/problem+json"), "{refused}");
    assert!(!text(&refused.body, "title").is_empty(), "no sentence for people: {refused}");
    assert_eq!(refused.body["status"], status, "{refused}");
}

#[track_caller]
fn assert_field(refused: &Answer, field: &str) {
    assert_problem(refused, 400, "INVALID_FIELDS");
    let errors = list(&refused.body, "errors");
    let named = errors.iter().find(|error| error["field"] == field);
    assert!(named.is_some_and(|error| !text(error, "rule").is_empty()), "{field} is not named: {refused}");
}

/// Insists that no row is another than before. When a session was last used may change, and answers are kept.
async fn assert_unchanged(
    world: &World,
    before: &std::collections::BTreeMap<String, Vec<String>>,
) -> anyhow::Result<()> {
    world.settle().await?;
    let after = world.rows.content().await?;
    for (table, rows) in before {
        // What no longer counts is forgotten by and by.
        if table == "identity.session" {
            assert!(
                after[table].iter().all(|row| rows.iter().any(|old| id(old) == id(row))),
                "a new session"
            );
            continue;
        }
        if ["identity.attempt", "identity.brief_answer"].contains(&table.as_str()) {
            assert!(after[table].iter().all(|row| rows.contains(row)), "{table} has a new row");
            continue;
        }
        // The answer to an import that took nothing is kept for its repeat.
        if table.ends_with(".request") {
            continue;
        }
        let new: Vec<_> = after[table].iter().filter(|row| !rows.contains(row)).collect();
        ensure!(*rows == after[table], "{table} changed: {new:?}");
    }
    Ok(())
}

/// The key of a row, which is its first column.
fn id(row: &str) -> &str {
    row.split(',').next().unwrap_or(row)
}

async fn send(person: &Person, method: Method, path: &str, body: Option<&Value>) -> anyhow::Result<Answer> {
    person.send(method, path, body, fresh_key()).await
}

async fn a_malformed_request_names_the_field_and_the_rule_and_changes_nothing(
    world: &World,
) -> anyhow::Result<()> {
    let parent = world.parent("zhuzhou", "ZZ20260001").await?;
    let section_id = text(&world.section("zhuzhou", "木工").await?, "id");
    let teaching = world.staff("zhuzhou.teaching").await?;
    let finance = world.staff("zhuzhou.finance").await?;
    let term_id = world.district("zhuzhou").term_id.clone();
    world.settle().await?;
    let before = world.rows.content().await?;

    let pupil_id = &parent.pupil_id;
    let apply = "/v1/enrollments".to_owned();
    let rounds = format!("/v1/terms/{term_id}/rounds");
    let slots = format!("/v1/terms/{term_id}/slots");
    let slot = |weekday: Value, start: &str| {
        json!({ "slots": [{
            "weekday": weekday, "kind": "afternoon", "start_time": start, "end_time": "17:30", "class_hour_count": 1,
        }]})
    };
    let table = [
        (
            &parent.person,
            &apply,
            json!({ "pupil_id": pupil_id, "section_id": section_id, "price_fen": 1 }),
            "price_fen",
        ),
        (
            &parent.person,
            &apply,
            json!({ "pupil_id": pupil_id, "section_id": section_id, "join_waitlist": "yes" }),
            "join_waitlist",
        ),
        (&parent.person, &apply, json!({ "pupil_id": pupil_id }), "section_id"),
        (&parent.person, &apply, json!({ "pupil_id": 7, "section_id": section_id }), "pupil_id"),
        (&parent.person, &apply, json!({ "pupil_id": "7", "section_id": section_id }), "pupil_id"),
        (&parent.person, &"/v1/me/phone".to_owned(), json!({ "phone_code": null }), "phone_code"),
        (&teaching, &slots, slot(json!("monday"), "15:30"), "slots[0].weekday"),
        (&teaching, &slots, slot(json!(8), "15:30"), "slots[0].weekday"),
        (&teaching, &slots, slot(json!(1), "25:61"), "slots[0].start_time"),
        (
            &teaching,
            &rounds,
            json!({ "mode": "auction", "open_time": "2026-09-01T00:00:00Z", "close_time": "2026-09-02T00:00:00Z" }),
            "mode",
        ),
        (
            &teaching,
            &rounds,
            json!({ "mode": "first_come", "open_time": "tomorrow", "close_time": "2026-09-02T00:00:00Z" }),
            "open_time",
        ),
        (
            &teaching,
            &rounds,
            json!({ "mode": "first_come", "open_time": "2026-09-02T00:00:00Z", "close_time": "2026-09-01T00:00:00Z" }),
            "close_time",
        ),
        (
            &teaching,
            &rounds,
            json!({ "mode": "first_come", "open_time": "2026-10-02T00:00:00Z", "close_time": "2026-10-03T00:00:00Z", "payment_seconds": 1 }),
            "payment_seconds",
        ),
        (
            &finance,
            &format!("/v1/terms/{term_id}/tariff"),
            json!({ "basis": "class_hour", "amount_fen": -1 }),
            "amount_fen",
        ),
        (
            &finance,
            &format!("/v1/terms/{term_id}/tariff"),
            json!({ "basis": "class_hour", "amount_fen": 1.5 }),
            "amount_fen",
        ),
    ];
    for (person, path, body, field) in &table {
        assert_field(&send(person, Method::POST, path, Some(body)).await?, field);
    }
    let complaint = json!({ "school_id": world.district("zhuzhou").school_id, "kind": "complaint", "subject": "safety", "text": "坏" });
    assert_field(&world.site.stranger().post("/v1/tickets", &complaint).await?, "text");

    // A path, a query, a page token and a body that are none.
    assert_field(&parent.person.get("/v1/enrollments/7").await?, "enrollment_id");
    assert_field(
        &parent.person.get(&format!("/v1/pupils/{pupil_id}/invoices?page_size=many")).await?,
        "page_size",
    );
    assert_field(&parent.person.get(&format!("/v1/pupils/{pupil_id}/invoices?colour=red")).await?, "colour");
    assert_field(
        &parent.person.get(&format!("/v1/pupils/{pupil_id}/invoices?page_token=zzz")).await?,
        "page_token",
    );
    assert_field(
        &parent.person.get(&format!("/v1/pupils/{pupil_id}/enrollments?page_token=zzz")).await?,
        "page_token",
    );
    let raw = |kind: &'static str, body: &'static str| {
        let request = parent.person.request(Method::POST, "/v1/enrollments");
        request.header("idempotency-key", fresh_key().to_string()).header("content-type", kind).body(body)
    };
    for (kind, body, status, reason) in [
        ("application/json", "{", 400, "INVALID_FIELDS"),
        ("application/json", "", 400, "INVALID_FIELDS"),
        ("application/json", "[]", 400, "INVALID_FIELDS"),
        ("application/json", "{\"pupil_id\":\"\u{0}\"}", 400, "INVALID_FIELDS"),
        ("text/plain", "{}", 415, "JSON_REQUIRED"),
    ] {
        let answer = raw(kind, body).send().await?;
        assert_eq!(answer.status(), status, "{body}");
        let problem: Value = answer.json().await?;
        assert_eq!(problem["reason"], reason, "{problem}");
    }
    let keyless = parent.person.request(Method::POST, "/v1/enrollments");
    let keyless = keyless.json(&json!({ "pupil_id": pupil_id, "section_id": section_id })).send().await?;
    assert_eq!(keyless.status(), 400);
    assert_eq!(keyless.json::<Value>().await?["reason"], "IDEMPOTENCY_KEY_REQUIRED");
    assert_problem(&parent.person.get("/v1/nothing/here").await?, 404, "NOT_FOUND");
    assert_problem(
        &send(&parent.person, Method::PUT, "/v1/enrollments", None).await?,
        405,
        "METHOD_NOT_ALLOWED",
    );

    assert_unchanged(world, &before).await
}

async fn c100_what_is_not_the_caller_s_own_is_not_found_and_changes_nothing(
    world: &World,
) -> anyhow::Result<()> {
    let parent = world.parent("zhuzhou", "ZZ20260001").await?;
    let other = world.parent("zhuzhou", "ZZ20260002").await?;
    let section_id = text(&world.section("zhuzhou", "木工").await?, "id");
    let id = apply(&parent, &section_id, "held").await?;
    parent.invoice(&id).await?;
    let far = text(&world.section("jinhua", "衍纸").await?, "id");
    let shahe = world.staff("shahe.principal").await?;
    let class = world.staff("zhuzhou.class602").await?;
    world.settle().await?;
    let before = world.rows.content().await?;

    let (mine, theirs) = (&parent.pupil_id, &other.pupil_id);
    let nobody = fresh_key();
    let get = |path: String| (Method::GET, path, None);
    let post = |path: &str, body: Value| (Method::POST, path.to_owned(), Some(body));
    let waiver = json!({ "category": "registered_poor", "evidence_ids": [nobody] });
    for (method, path, body) in [
        get(format!("/v1/pupils/{mine}/enrollments")),
        get(format!("/v1/pupils/{mine}/invoices")),
        get(format!("/v1/pupils/{mine}/refunds")),
        get(format!("/v1/waivers?pupil_id={mine}")),
        get(format!("/v1/enrollments/{id}")),
        get(format!("/v1/enrollments/{id}/invoice")),
        get(format!("/v1/enrollments/{nobody}")),
        (Method::POST, format!("/v1/enrollments/{id}/withdraw"), None),
        (Method::POST, format!("/v1/enrollments/{id}/pay"), None),
        (Method::POST, format!("/v1/enrollments/{id}/payment/sync"), None),
        post("/v1/enrollments", json!({ "pupil_id": mine, "section_id": section_id })),
        post("/v1/enrollments", json!({ "pupil_id": nobody, "section_id": section_id })),
        post("/v1/enrollments", json!({ "pupil_id": theirs, "section_id": nobody })),
        post("/v1/quotes", json!({ "pupil_id": mine, "section_ids": [section_id] })),
        post(&format!("/v1/pupils/{mine}/waivers"), waiver),
    ] {
        let refused = send(&other.person, method, &path, body.as_ref()).await?;
        assert_eq!(refused.status, 404, "{path}: {refused}");
        assert_problem(&refused, 404, refused.reason());
        assert!(refused.reason().ends_with("_NOT_FOUND"), "{path}: {refused}");
    }
    // Another district's section is known to everybody, and not for this child.
    let foreign = other.apply(&far, false).await?;
    ensure!(foreign.status == 400 || foreign.status == 404, "{foreign}");
    assert_problem(&foreign, foreign.status, foreign.reason());

    // Staff of another district, and of another class.
    for (staff, path) in [
        (&shahe, format!("/v1/enrollments/{id}")),
        (&shahe, format!("/v1/sections/{section_id}/roster")),
        (&shahe, format!("/v1/nodes/{}/pupils", world.district("zhuzhou").school_id)),
        (&class, format!("/v1/enrollments/{id}")),
    ] {
        let refused = staff.get(&path).await?;
        assert_eq!(refused.status, 404, "{path}: {refused}");
    }
    let body = json!({ "name": "别人的学期", "first_day": "2027-02-22", "last_day": "2027-06-25" });
    let path = format!("/v1/schools/{}/terms", world.district("zhuzhou").school_id);
    assert_eq!(shahe.post(&path, &body).await?.status, 404);
    // A family and a teacher have no part in what a school decides.
    assert_problem(&other.person.post(&path, &body).await?, 403, "ROLE_NOT_ALLOWED");
    assert_problem(&class.post(&path, &body).await?, 403, "ROLE_NOT_ALLOWED");

    assert_unchanged(world, &before).await
}

async fn a_session_that_is_missing_unknown_or_over_is_refused_and_changes_nothing(
    world: &World,
) -> anyhow::Result<()> {
    let parent = world.parent("zhuzhou", "ZZ20260001").await?;
    let teaching = world.staff("zhuzhou.teaching").await?;
    let section_id = text(&world.section("zhuzhou", "木工").await?, "id");
    let body = json!({ "pupil_id": parent.pupil_id, "section_id": section_id });
    // Unused, a session of staff ends after eight hours and one of a guardian after thirty days.
    world.advance(TimeDelta::days(31)).await?;
    let before = world.rows.content().await?;

    let stranger = world.site.stranger();
    assert_problem(&stranger.post("/v1/enrollments", &body).await?, 401, "SESSION_REQUIRED");
    let unknown = world.site.holder("bm90LWEtc2Vzc2lvbg");
    assert_problem(&unknown.post("/v1/enrollments", &body).await?, 401, "SESSION_ENDED");
    assert_problem(&world.site.holder("a.b.c").get("/v1/me/pupils").await?, 401, "SESSION_ENDED");
    assert_problem(&parent.person.post("/v1/enrollments", &body).await?, 401, "SESSION_ENDED");
    assert_problem(&teaching.get("/v1/providers").await?, 401, "SESSION_ENDED");
    let code = json!({ "wechat_code": "0not-a-code-of-wechat-at-all-1234" });
    assert_problem(&stranger.post("/v1/sessions/guardian", &code).await?, 401, "WECHAT_CODE_INVALID");

    assert_unchanged(world, &before).await
}

async fn files_that_are_too_large_broken_or_contradict_themselves_change_nothing(
    world: &World,
) -> anyhow::Result<()> {
    let parent = world.parent("zhuzhou", "ZZ20260001").await?;
    let teaching = world.staff("zhuzhou.teaching").await?;
    let district = world.district("zhuzhou").clone();
    let pupils = format!("/v1/schools/{}/pupils/import", district.school_id);
    let courses = format!("/v1/terms/{}/courses/import", district.term_id);
    world.settle().await?;
    let before = world.rows.content().await?;

    // Ten megabytes, as JSON, as a table and as a document.
    let large = "x".repeat(10 << 20);
    let json = parent
        .person
        .request(Method::POST, "/v1/me/phone")
        .header("idempotency-key", fresh_key().to_string());
    let json = json.json(&json!({ "phone_code": large })).send().await?;
    assert_eq!(json.status(), 413);
    assert_eq!(json.json::<Value>().await?["reason"], "BODY_TOO_LARGE");
    let large = large.into_bytes();
    let evidence = format!("/v1/pupils/{}/evidence", parent.pupil_id);
    assert_problem(
        &teaching.upload(&pupils, "a.csv", large.clone(), fresh_key()).await?,
        413,
        "BODY_TOO_LARGE",
    );
    assert_problem(
        &parent.person.upload(&evidence, "a.pdf", large, fresh_key()).await?,
        413,
        "BODY_TOO_LARGE",
    );

    // Tables that are none.
    let whole = std::fs::read(kehou_tests::place::checkout().join("demo/zhuzhou/pupils.xlsx"))?;
    let half = whole[..whole.len() / 2].to_vec();
    for (path, name, content) in [
        (&pupils, "half.xlsx", half.clone()),
        (&courses, "half.xlsx", half),
        (
            &pupils,
            "noise.xlsx",
            (0_u32..50_000).map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes()[3]).collect(),
        ),
        (&pupils, "empty.xlsx", Vec::new()),
        (&pupils, "empty.csv", Vec::new()),
        (&pupils, "table.pdf", b"%PDF-1.4".to_vec()),
        (&pupils, "other.csv", "一,二\n1,2\n".into()),
        // The right file at the wrong door.
        (&courses, "pupils.xlsx", whole),
    ] {
        let refused = teaching.upload(path, name, content, fresh_key()).await?;
        let errors = list(&refused.body, "errors").len();
        ensure!(refused.status == 400 || (refused.status == 200 && errors > 0), "{name}: {refused}");
        ensure!(errors > 0, "{name}: nothing is named: {refused}");
    }
    let disguised = parent.person.upload(&evidence, "a.pdf", b"#!/bin/sh\n".to_vec(), fresh_key()).await?;
    assert_problem(&disguised, 400, "INVALID_FIELDS");

    // A table that contradicts itself: row and column are named, and not one row is taken.
    let rows = "学籍号,姓名,年级,班级,监护人手机\n\
                ZZ29990001,新生一,1,ZZ-S1-101,19900009001\n\
                ZZ29990002,新生二,1,ZZ-S1-101,12345\n\
                ZZ29990001,新生三,1,ZZ-S1-101,19900009003\n\
                ZZ29990004,新生四,1,ZZ-S9-999,19900009004\n";
    let without_row_3: String =
        rows.lines().filter(|line| !line.contains("12345")).map(|line| format!("{line}\n")).collect();
    for (rows, expected) in [
        (rows, vec![(3, "PHONE_INVALID")]),
        (without_row_3.as_str(), vec![(3, "PUPIL_CODE_DUPLICATE"), (4, "CLASS_UNKNOWN")]),
    ] {
        let answer = teaching.upload(&pupils, "new.csv", rows.into(), fresh_key()).await?.expect(200)?;
        assert_eq!((&answer["enrolled_count"], &answer["changed_count"]), (&json!(0), &json!(0)));
        let found: Vec<_> = list(&answer, "errors")
            .iter()
            .map(|error| (error["row"].as_i64().unwrap(), text(error, "reason")))
            .collect();
        for (row, reason) in expected {
            assert!(found.contains(&(row, reason.to_owned())), "no {reason} at {row} in {found:?}");
        }
        let shown = answer.to_string();
        assert!(!shown.contains("12345") && !shown.contains("新生"), "a name or number is repeated: {shown}");
    }

    assert_unchanged(world, &before).await
}

async fn a_key_used_again_for_something_else_is_refused(world: &World) -> anyhow::Result<()> {
    let parent = world.parent("zhuzhou", "ZZ20260001").await?;
    let key = fresh_key();
    let section = text(&world.section("zhuzhou", "木工").await?, "id");
    let other = text(&world.section("zhuzhou", "剪纸").await?, "id");
    let first = parent.apply_as(&section, true, key).await?.expect(200)?;

    let reused = parent.apply_as(&other, true, key).await?;
    assert_problem(&reused, 409, "REQUEST_ID_REUSED");
    let repeated = parent.apply_as(&section, true, key).await?.expect(200)?;
    assert_eq!(repeated, first, "a repeat gives the first answer");
    let twice = parent.apply(&section, true).await?;
    assert_problem(&twice, 400, "ALREADY_ENROLLED");
    assert_eq!(twice.body["facts"]["enrollment_id"], first["enrollment"]["id"]);
    assert_eq!(world.rows.count("enrollment", "enrollment").await?, 1);

    // The same time twice is refused with what stands there.
    let clash = text(&world.section("zhuzhou", "编程启蒙").await?, "id");
    let clash = parent.apply(&clash, true).await?;
    assert_problem(&clash, 400, "SLOT_TAKEN");
    assert_eq!(clash.body["facts"]["section_title"], "木工", "{clash}");
    Ok(())
}

async fn a_start_before_the_round_opens_is_refused_with_the_time(world: &World) -> anyhow::Result<()> {
    let parent = world.parent("zhuzhou", "ZZ20260001").await?;
    let teaching = world.staff("zhuzhou.teaching").await?;
    let finance = world.staff("zhuzhou.finance").await?;
    let school_id = &world.district("zhuzhou").school_id;
    let term = json!({ "name": "下一学期", "first_day": "2027-02-22", "last_day": "2027-06-25" });
    let term = teaching.post(&format!("/v1/schools/{school_id}/terms"), &term).await?.expect(200)?;
    let term_id = text(&term, "id");
    let slots = json!({ "slots": [{
        "weekday": 1, "kind": "afternoon", "start_time": "15:30", "end_time": "16:10", "class_hour_count": 1,
    }]});
    let slots = teaching.post(&format!("/v1/terms/{term_id}/slots"), &slots).await?.expect(200)?;
    let course_id = text(&world.section("zhuzhou", "作业辅导与看护").await?, "course_id");
    let section = json!({
        "term_id": term_id, "capacity_count": 30, "grades": [1, 2, 3, 4, 5, 6], "slot_ids": [slots["slots"][0]["id"]],
    });
    let section = teaching.post(&format!("/v1/courses/{course_id}/sections"), &section).await?.expect(200)?;
    let section_id = text(&section, "id");
    let unpublished = parent.apply(&section_id, false).await?;
    ensure!(unpublished.status == 404 || unpublished.reason() == "SECTION_NOT_PUBLISHED", "{unpublished}");
    teaching.post(&format!("/v1/terms/{term_id}/publish"), &json!({})).await?.expect(200)?;
    world.settle().await?;
    let roundless = parent.apply(&section_id, false).await?;
    assert_problem(&roundless, 400, "ROUND_NOT_OPEN");
    let round = json!({
        "mode": "first_come", "open_time": "2026-08-25T01:00:00Z", "close_time": "2026-08-26T01:00:00Z",
    });
    let rounds = format!("/v1/terms/{term_id}/rounds");
    let priceless = teaching.post(&rounds, &round).await?;
    assert_problem(&priceless, 400, "TARIFF_NOT_PUBLISHED");
    let tariff = json!({ "basis": "class_hour", "amount_fen": 500 });
    finance.post(&format!("/v1/terms/{term_id}/tariff"), &tariff).await?.expect(200)?;
    teaching.post(&rounds, &round).await?.expect(200)?;
    world.settle().await?;
    let before = world.rows.content().await?;

    let early = parent.apply(&section_id, false).await?;
    assert_problem(&early, 400, "ROUND_NOT_OPEN");
    assert!(text(&early.body["facts"], "open_time").starts_with("2026-08-25T01:00:00"), "{early}");
    assert_unchanged(world, &before).await?;

    // From the first moment on it is taken, and at the last it is not.
    world.advance(TimeDelta::days(1)).await?;
    let id = apply(&parent, &section_id, "held").await?;
    ensure!(!id.is_empty());
    world.advance(TimeDelta::days(1)).await?;
    let parent = world.parent("zhuzhou", "ZZ20260002").await?;
    let late = parent.apply(&section_id, false).await?;
    assert_problem(&late, 400, "ROUND_CLOSED");
    assert!(text(&late.body["facts"], "close_time").starts_with("2026-08-26T01:00:00"), "{late}");
    Ok(())
}
