//! S2: a hardship waiver: two people decide, no order exists, and nobody in class can tell.

use anyhow::ensure;
use kehou::person::{Parent, text};
use kehou_tests::people::apply;
use kehou_tests::sandbox::{self, list};
use kehou_tests::{World, on_both};
use reqwest::Method;
use serde_json::json;

use crate::provider;

on_both!(
    c62_c64_a_waived_family_owes_nothing_and_wechat_never_hears_of_it,
    c62_two_people_decide_a_waiver_first_the_school_then_the_bureau,
    c54_c62_a_waiver_granted_later_holds_for_the_open_invoice,
    c105_what_teachers_and_providers_read_is_the_same_to_the_byte_with_and_without_a_waiver,
);

async fn c62_c64_a_waived_family_owes_nothing_and_wechat_never_hears_of_it(
    world: &World,
) -> anyhow::Result<()> {
    let parent = world.parent("jinhua", "JH20260002").await?;
    world.grant_waiver("jinhua", &parent, "difficult_family").await?;

    let section_id = text(&world.section("jinhua", "衍纸").await?, "id");
    let id = apply(&parent, &section_id, "in_review").await?;
    world.approve_all("jinhua", "class201", &parent, &id).await?;
    parent.person.enrollment_in(&id, "confirmed").await?;

    let invoice = parent.invoice(&id).await?;
    assert_eq!((&invoice["amount_fen"], &invoice["state"]), (&json!(0), &json!("settled")), "{invoice}");
    assert_eq!(sandbox::order_count(&world.site).await?, 0, "WeChat has an order of a waived family");
    world.settle().await?;
    let balances = world.balances("jinhua").await?;
    assert_eq!(balances["waiver_subsidy"], 50_000, "{balances:?}");
    assert_eq!(balances["fees"], -50_000, "{balances:?}");
    Ok(())
}

async fn c62_two_people_decide_a_waiver_first_the_school_then_the_bureau(
    world: &World,
) -> anyhow::Result<()> {
    let parent = world.parent("jinhua", "JH20260006").await?;
    let unlisted = world.apply_for_waiver(&parent, "registered_poor").await?;
    assert_eq!(unlisted.reason(), "CATEGORY_NOT_LISTED", "{unlisted}");
    let waiver = world.apply_for_waiver(&parent, "difficult_family").await?.expect(200)?;
    let path = format!("/v1/waivers/{}/decide", text(&waiver, "id"));
    let approve = json!({ "approved": true });
    let grant = json!({ "approved": true, "last_day": "2027-07-31" });

    // One who may do both: moral education office and bureau officer in one person.
    let operator = world.staff("operator").await?;
    let district_id = &world.district("jinhua").district_id;
    let both = "账号,姓名,角色,组织代码\njinhua.both,周全,moral_education,JH-S1\njinhua.both,周全,bureau_officer,JH\n";
    let staff = format!("/v1/staff/import?district_id={district_id}");
    let made = operator
        .upload(&staff, "both.csv", both.into(), kehou_tests::people::fresh_key())
        .await?
        .expect(200)?;
    world.keep_accounts(&made)?;
    let both = world.staff("jinhua.both").await?;

    let bureau_first = world.staff("jinhua.bureau").await?.post(&path, &grant).await?;
    assert_eq!((bureau_first.status, bureau_first.reason()), (403, "ROLE_NOT_ALLOWED"), "{bureau_first}");
    let endorsed = both.post(&path, &approve).await?.expect(200)?;
    assert_eq!(endorsed["state"], "endorsed");
    let same_person = both.post(&path, &grant).await?;
    assert_eq!((same_person.status, same_person.reason()), (403, "SECOND_PERSON_REQUIRED"), "{same_person}");
    let second_of_the_school =
        world.staff("jinhua.principal").await?.post(&path, &grant).await?.expect(200)?;
    assert_eq!(second_of_the_school["state"], "endorsed", "the school endorses, twice or once");
    let teacher = world.staff("jinhua.class201").await?.post(&path, &grant).await?;
    ensure!(teacher.status == 403 || teacher.status == 404, "a class teacher decided: {teacher}");
    let granted = world.staff("jinhua.bureau").await?.post(&path, &grant).await?.expect(200)?;
    assert_eq!(granted["state"], "granted");
    Ok(())
}

async fn c54_c62_a_waiver_granted_later_holds_for_the_open_invoice(world: &World) -> anyhow::Result<()> {
    let parent = world.parent("zhuzhou", "ZZ20260007").await?;
    let id = apply(&parent, &text(&world.section("zhuzhou", "剪纸").await?, "id"), "held").await?;
    assert_eq!(parent.invoice(&id).await?["amount_fen"], 8_000);

    world.grant_waiver("zhuzhou", &parent, "registered_poor").await?;

    parent.person.enrollment_in(&id, "confirmed").await?;
    assert_eq!(parent.invoice(&id).await?["amount_fen"], 0);
    assert_eq!(sandbox::order_count(&world.site).await?, 0);
    Ok(())
}

/// Two worlds that differ only in the waiver. Both are copies of one, so even ids agree.
async fn c105_what_teachers_and_providers_read_is_the_same_to_the_byte_with_and_without_a_waiver(
    world: &World,
) -> anyhow::Result<()> {
    let paying = life(world, false).await?;
    let other = World::start(world.kind).await?;
    let waived = life(&other, true).await?;

    assert!(paying.len() >= 15, "{} views", paying.len());
    for ((name, paying), (_, waived)) in paying.iter().zip(&waived) {
        assert!(!paying.is_empty(), "{name} is empty");
        assert_eq!(paying, waived, "{name} tells a waived child from a paying one");
    }
    other.end().await
}

/// A child's way into two sections, and what others read at each station.
async fn life(world: &World, is_waived: bool) -> anyhow::Result<Vec<(String, String)>> {
    let section_id = text(&world.section("jinhua", "诵读").await?, "id");
    let own = provider::arranged_section(world, "科学实验", (3, "15:40")).await?;
    let parent = world.parent("jinhua", "JH20260008").await?;
    let other = world.parent("jinhua", "JH20260009").await?;
    if is_waived {
        world.grant_waiver("jinhua", &parent, "difficult_family").await?;
    }
    let mut views = Vec::new();

    let mut ids = Vec::new();
    for (who, section) in [(&parent, &section_id), (&other, &section_id), (&parent, &own)] {
        ids.push((who, apply(who, section, "in_review").await?));
    }
    look(world, "applied", &section_id, &own, &mut views).await?;
    for (who, id) in &ids {
        world.approve_all("jinhua", "class201", who, id).await?;
    }
    world.settle().await?;
    look(world, "approved", &section_id, &own, &mut views).await?;
    for (who, id) in &ids {
        pay_if_asked(who, id).await?;
    }
    world.settle().await?;
    for (who, id) in &ids {
        who.person.enrollment_in(id, "confirmed").await?;
    }
    look(world, "confirmed", &section_id, &own, &mut views).await?;
    Ok(views)
}

async fn pay_if_asked(parent: &Parent, id: &str) -> anyhow::Result<()> {
    let invoice = parent.invoice(id).await?;
    if invoice["state"] == "open" && invoice["amount_fen"].as_i64() > Some(0) {
        parent.pay(id).await?;
    }
    Ok(())
}

/// Every document about these sections that somebody in school who is not to know of waivers can read.
async fn look(
    world: &World,
    station: &str,
    section_id: &str,
    own: &str,
    views: &mut Vec<(String, String)>,
) -> anyhow::Result<()> {
    let term_id = &world.district("jinhua").term_id;
    tokio::time::sleep(std::time::Duration::from_millis(600)).await;
    for login in ["jinhua.class201", "jinhua.instructor", "jinhua.provider1"] {
        let person = world.staff(login).await?;
        let mut paths = vec![format!("/v1/sections/{own}/roster")];
        if login != "jinhua.provider1" {
            paths.push(format!("/v1/sections/{section_id}/roster"));
        }
        for path in paths {
            let answer = person.request(Method::GET, &path).send().await?;
            ensure!(answer.status() == 200, "{login} reads {path}: {}", answer.status());
            let name = format!(
                "{station}: {login} reads {}",
                if path.contains(own) { "the provider's" } else { "the school's" }
            );
            views.push((name, answer.text().await?));
        }
    }
    let seats = world
        .staff("jinhua.class201")
        .await?
        .get(&format!("/v1/terms/{term_id}/seats"))
        .await?
        .expect(200)?;
    // The provider's section has another id in every world: only its counts are compared.
    let mut counts: Vec<_> = list(&seats, "seats")
        .iter()
        .map(|one| format!("{} {} {}", one["capacity_count"], one["taken_count"], one["waitlisted_count"]))
        .collect();
    counts.sort();
    views.push((format!("{station}: seats"), counts.join("\n")));
    Ok(())
}
