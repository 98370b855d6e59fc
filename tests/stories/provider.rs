//! S7: who may teach what, and when.

use anyhow::Context as _;
use kehou::person::{Answer, text};
use kehou_tests::people::fresh_key;
use kehou_tests::sandbox::list;
use kehou_tests::{World, on_both};
use serde_json::{Value, json};

on_both!(
    c18_c21_a_listed_provider_s_course_is_reviewed_approved_arranged_and_on_the_menu,
    c20_c21_providers_unlisted_listed_elsewhere_or_suspended_are_refused_each_with_its_reason,
    c22_c23_exam_courses_are_refused_from_anybody_with_the_rule,
    c08_c09_c10_a_slot_outside_the_region_s_hours_is_refused_with_the_clause,
);

/// The clause a refusal rests on.
fn clause(refused: &Answer) -> String {
    text(&refused.body["facts"], "clause_zh")
}

fn course(world: &World, title: &str) -> Value {
    json!({
        "school_id": world.district("jinhua").school_id, "title": title, "description": "动手做，动脑想",
        "content_kind": "enrichment", "category": "科技艺术",
    })
}

/// Submits a course as the provider of that account.
async fn submit(world: &World, login_name: &str, title: &str) -> anyhow::Result<Answer> {
    let provider_id = world.district("jinhua").providers.get(login_name).context("no such provider")?;
    submit_as(world, login_name, provider_id, &course(world, title)).await
}

async fn submit_as(
    world: &World,
    login_name: &str,
    provider_id: &str,
    course: &Value,
) -> anyhow::Result<Answer> {
    world.staff(login_name).await?.post(&format!("/v1/providers/{provider_id}/courses"), course).await
}

/// A published section of a course that provider 1 brought, was reviewed by the bureau and approved by the principal.
pub async fn arranged_section(
    world: &World,
    title: &str,
    (weekday, start_time): (i64, &str),
) -> anyhow::Result<String> {
    let submitted = submit(world, "jinhua.provider1", title).await?.expect(200)?;
    assert_eq!(submitted["state"], "submitted");
    let id = text(&submitted, "id");
    let term_id = &world.district("jinhua").term_id;
    let teaching = world.staff("jinhua.teaching").await?;
    let slots = teaching.get(&format!("/v1/terms/{term_id}/slots")).await?.expect(200)?;
    let fits = |slot: &&Value| slot["weekday"] == weekday && slot["start_time"] == start_time;
    let slot = list(&slots, "slots").iter().find(fits).context("no such slot")?;
    let section = json!({
        "term_id": term_id, "capacity_count": 30, "grades": [2, 3, 4], "slot_ids": [slot["id"]],
        "room": "科学教室", "instructor_name": "孙老师",
    });
    let sections = format!("/v1/courses/{id}/sections");
    let decision = json!({ "decision": "approve", "reason": "属科普活动" });

    let too_early = teaching.post(&sections, &section).await?;
    assert_eq!(too_early.reason(), "COURSE_NOT_APPROVED", "{too_early}");
    let principal = world.staff("jinhua.principal").await?;
    let unreviewed = principal.post(&format!("/v1/courses/{id}/approve"), &decision).await?;
    assert_eq!(unreviewed.reason(), "COURSE_NOT_REVIEWED", "{unreviewed}");
    let bureau = world.staff("jinhua.bureau").await?;
    let reviewed = bureau.post(&format!("/v1/courses/{id}/review"), &decision).await?.expect(200)?;
    assert_eq!(reviewed["state"], "reviewed");
    let approved = principal.post(&format!("/v1/courses/{id}/approve"), &decision).await?.expect(200)?;
    assert_eq!(approved["state"], "approved");

    let section = teaching.post(&sections, &section).await?.expect(200)?;
    assert_eq!(section["state"], "arranged");
    let section_id = text(&section, "id");
    let body = json!({ "section_ids": [section_id] });
    teaching.post(&format!("/v1/terms/{term_id}/publish"), &body).await?.expect(200)?;
    world.settle().await?;
    Ok(section_id)
}

async fn c18_c21_a_listed_provider_s_course_is_reviewed_approved_arranged_and_on_the_menu(
    world: &World,
) -> anyhow::Result<()> {
    let before = text(&world.menu("jinhua").await?, "version");
    let section_id = arranged_section(world, "科学实验", (3, "15:40")).await?;
    tokio::time::sleep(std::time::Duration::from_millis(600)).await;

    let menu = world.menu("jinhua").await?;
    let found = list(&menu, "sections").iter().find(|section| section["id"] == section_id.as_str());
    let section = found.context("not on the menu")?;
    assert_eq!((&section["title"], &section["state"]), (&json!("科学实验"), &json!("published")));
    assert_eq!(section["provider_id"], world.district("jinhua").providers["jinhua.provider1"].as_str());
    assert_ne!(before, menu["version"]);
    Ok(())
}

/// The list of another town does not count here.
async fn c20_c21_providers_unlisted_listed_elsewhere_or_suspended_are_refused_each_with_its_reason(
    world: &World,
) -> anyhow::Result<()> {
    let unlisted = submit(world, "jinhua.provider3", "趣味手工").await?;
    assert_eq!((unlisted.status, unlisted.reason()), (403, "PROVIDER_NOT_LISTED"), "{unlisted}");

    // A second town, and a provider that is on that town's list only.
    let operator = world.staff("operator").await?;
    let nodes = "类型,代码,上级代码,名称,学段,年级,政策包,补充规定\n镇街,JH-T2,JH,城西镇街教育办,,,,\n";
    let nodes =
        operator.upload("/v1/nodes/import", "nodes.csv", nodes.into(), fresh_key()).await?.expect(200)?;
    let town_id = text(&nodes["nodes"][0], "id");
    world.settle().await?;
    let bureau = world.staff("jinhua.bureau").await?;
    let new = json!({ "name": "城西少年宫", "credit_code": "91330700MA2DEMO09X" });
    let provider = bureau.post("/v1/providers", &new).await?.expect(200)?;
    let provider_id = text(&provider, "id");
    let listing = json!({ "node_id": town_id, "first_day": "2026-01-01", "last_day": "2030-12-31" });
    let listed = bureau.post(&format!("/v1/providers/{provider_id}/listings"), &listing).await?;
    listed.expect(200)?;
    let staff = format!("账号,姓名,角色,组织代码\njinhua.provider9,钱一,provider,{provider_id}\n");
    let made =
        operator.upload("/v1/staff/import", "staff.csv", staff.into(), fresh_key()).await?.expect(200)?;
    world.keep_accounts(&made)?;
    let elsewhere = submit_as(world, "jinhua.provider9", &provider_id, &course(world, "趣味手工")).await?;
    assert_eq!((elsewhere.status, elsewhere.reason()), (403, "PROVIDER_LISTED_ELSEWHERE"), "{elsewhere}");

    // Nobody speaks for another provider.
    let others = world.district("jinhua").providers["jinhua.provider1"].clone();
    let foreign = submit_as(world, "jinhua.provider9", &others, &course(world, "趣味手工")).await?;
    assert!(foreign.status == 403 || foreign.status == 404, "{foreign}");

    // And one that was listed, and is suspended.
    let second = world.district("jinhua").providers["jinhua.provider2"].clone();
    submit(world, "jinhua.provider2", "非遗扎染").await?.expect(200)?;
    let body = json!({ "node_id": world.district("jinhua").district_id, "reason": "擅自收费" });
    bureau.post(&format!("/v1/providers/{second}/suspend"), &body).await?.expect(200)?;
    let suspended = submit(world, "jinhua.provider2", "非遗陶艺").await?;
    assert_eq!((suspended.status, suspended.reason()), (403, "PROVIDER_SUSPENDED"), "{suspended}");
    Ok(())
}

async fn c22_c23_exam_courses_are_refused_from_anybody_with_the_rule(world: &World) -> anyhow::Result<()> {
    let sprint = submit(world, "jinhua.provider1", "初三数学冲刺").await?;
    assert_eq!(sprint.status, 400, "{sprint}");
    let is_of_the_rule = matches!(sprint.reason(), "THIRD_PARTY_SUBJECT_EXAM" | "CONTENT_BANNED");
    assert!(is_of_the_rule, "{sprint}");
    assert!(!clause(&sprint).is_empty(), "no clause: {sprint}");

    let mut tutoring = course(world, "趣味数学");
    tutoring["content_kind"] = json!("subject_tutoring");
    let provider_id = world.district("jinhua").providers["jinhua.provider1"].clone();
    let tutoring = submit_as(world, "jinhua.provider1", &provider_id, &tutoring).await?;
    assert_eq!(
        (tutoring.status, &tutoring.body["errors"][0]["field"]),
        (400, &json!("content_kind")),
        "{tutoring}"
    );

    let school_id = &world.district("jinhua").school_id;
    let drilling = json!({
        "title": "单元卷集训", "description": "做卷子", "content_kind": "exam_drilling", "category": "科技艺术",
    });
    let path = format!("/v1/schools/{school_id}/courses");
    let own = world.staff("jinhua.teaching").await?.post(&path, &drilling).await?;
    assert_eq!((own.status, own.reason()), (400, "CONTENT_BANNED"), "{own}");
    assert!(!clause(&own).is_empty(), "no clause: {own}");
    Ok(())
}

async fn c08_c09_c10_a_slot_outside_the_region_s_hours_is_refused_with_the_clause(
    world: &World,
) -> anyhow::Result<()> {
    let slot = |start: &str, end: &str, kind: &str| {
        json!({ "slots": [{
            "weekday": 1, "kind": kind, "start_time": start, "end_time": end, "class_hour_count": 1,
        }]})
    };
    let add = async |district: &str, term_id: &str, body: Value| {
        let path = format!("/v1/terms/{term_id}/slots");
        world.staff(&format!("{district}.teaching")).await?.post(&path, &body).await
    };
    let shahe = world.district("shahe").term_id.clone();

    let late = add("shahe", &shahe, slot("17:50", "18:05", "afternoon")).await?;
    assert_eq!((late.status, late.reason()), (400, "SLOT_ENDS_TOO_LATE"), "{late}");
    assert!(clause(&late).contains("15"), "no clause: {late}");
    // From October the noon slot may begin at one, in May not before two: this term begins in September, so two.
    let early = add("shahe", &shahe, slot("13:30", "13:55", "noon")).await?;
    assert_eq!((early.status, early.reason()), (400, "SLOT_TOO_EARLY"), "{early}");
    // Where offices close at five, a day's service may not end before.
    let term = json!({ "name": "下一学期", "first_day": "2027-02-22", "last_day": "2027-06-25" });
    let path = format!("/v1/schools/{}/terms", world.district("jinhua").school_id);
    let term = world.staff("jinhua.teaching").await?.post(&path, &term).await?.expect(200)?;
    let short = add("jinhua", &text(&term, "id"), slot("15:40", "16:30", "afternoon")).await?;
    assert_eq!((short.status, short.reason()), (400, "SLOT_ENDS_TOO_EARLY"), "{short}");
    Ok(())
}
