//! The demonstration districts, brought in from the files of `demo/` the way a bureau and its schools would: signed in, over
//! HTTP, through the same imports.
//!
//! Every write has an idempotency key made from what it does, so a loading that was cut off is taken up again where it
//! stopped, and a loading that is done changes nothing.

mod files;

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context as _, ensure};
use chrono::{Datelike as _, Days, FixedOffset, NaiveDate, TimeDelta};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use shared::value::Moment;

use crate::accounts::Accounts;
use crate::person::{Person, Site, text};
use files::{ProviderRow, TermFile};

pub use files::key_of;

/// Reasons with which a service says that it has not yet heard of something another one has just told.
const NOT_YET: [&str; 6] = [
    "SCHOOL_NOT_FOUND",
    "TERM_NOT_FOUND",
    "NODE_NOT_FOUND",
    "TARIFF_NOT_PUBLISHED",
    "MENU_EMPTY",
    "PROVIDER_NOT_FOUND",
];

/// What was loaded, for whoever walks through it. Kept as `demo.json` in the data folder.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Demo {
    /// By folder name.
    pub districts: BTreeMap<String, DemoDistrict>,
}

/// One district with its one school and term.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct DemoDistrict {
    /// The district (UUID).
    pub district_id: String,
    /// The school (UUID).
    pub school_id: String,
    /// The school's name.
    pub school_name: String,
    /// The term (UUID).
    pub term_id: String,
    /// Login name → provider (UUID).
    pub providers: BTreeMap<String, String>,
    /// Pupil code → the first guardian's phone number the school has on file.
    pub phones: BTreeMap<String, String>,
}

/// Loads every district folder below `folder`.
///
/// # Errors
/// When a file is missing or malformed, or a step is refused.
pub async fn load(site: &Site, accounts: &Accounts, folder: &Path) -> anyhow::Result<Demo> {
    let operator = site.staff(accounts, "operator").await?;
    let mut demo = Demo::default();
    for district in files::districts(folder)? {
        let name = files::name_of(&district);
        let loaded = load_district(site, accounts, &operator, &district, &name)
            .await
            .with_context(|| format!("loading the district {name}"))?;
        demo.districts.insert(name, loaded);
    }
    Ok(demo)
}

async fn load_district(
    site: &Site,
    accounts: &Accounts,
    operator: &Person,
    folder: &Path,
    name: &str,
) -> anyhow::Result<DemoDistrict> {
    let nodes =
        import(operator, "/v1/nodes/import", &folder.join("nodes.csv"), &format!("{name}/nodes")).await?;
    let of_kind = |kind: &str| {
        nodes["nodes"].as_array().and_then(|nodes| nodes.iter().find(|node| node["kind"] == kind))
    };
    let district_id = text(of_kind("district").context("the file has no district")?, "id");
    let school = of_kind("school").context("the file has no school")?;
    let (school_id, school_name) = (text(school, "id"), text(school, "name"));

    let path = format!("/v1/staff/import?district_id={district_id}");
    let staff = import(operator, &path, &folder.join("staff.csv"), &format!("{name}/staff")).await?;
    accounts.keep(staff["credentials"].as_array().map(Vec::as_slice).unwrap_or_default())?;

    let teaching = site.staff(accounts, &format!("{name}.teaching")).await?;
    let pupils = files::either(folder, &["pupils.xlsx", "pupils.csv"])?;
    import(&teaching, &format!("/v1/schools/{school_id}/pupils/import"), &pupils, &format!("{name}/pupils"))
        .await?;
    let phones = files::phones(&pupils)?;

    let providers = load_providers(site, accounts, operator, folder, name, &nodes).await?;
    let term_id = load_term(site, accounts, &teaching, folder, name, &school_id).await?;
    Ok(DemoDistrict { district_id, school_id, school_name, term_id, providers, phones })
}

/// The bureau registers and lists providers; the operator gives them accounts.
async fn load_providers(
    site: &Site,
    accounts: &Accounts,
    operator: &Person,
    folder: &Path,
    name: &str,
    nodes: &Value,
) -> anyhow::Result<BTreeMap<String, String>> {
    let rows = files::providers(folder)?;
    let mut providers = BTreeMap::new();
    if rows.is_empty() {
        return Ok(providers);
    }
    let bureau = site.staff(accounts, &format!("{name}.bureau")).await?;
    let mut staff = String::from("账号,姓名,角色,组织代码\n");
    for ProviderRow { name: title, credit_code, list_code, first_day, last_day, login_name, person } in rows {
        let body = json!({ "name": title, "credit_code": credit_code });
        let provider = bureau
            .post_when_heard(
                "/v1/providers",
                &body,
                key_of(&format!("{name}/provider/{credit_code}")),
                &NOT_YET,
            )
            .await?;
        let provider_id = text(&provider, "id");
        if !list_code.is_empty() {
            let node = nodes["nodes"]
                .as_array()
                .and_then(|nodes| nodes.iter().find(|node| node["code"] == list_code));
            let node_id = text(node.with_context(|| format!("no node {list_code}"))?, "id");
            let body = json!({ "node_id": node_id, "first_day": first_day, "last_day": last_day });
            let path = format!("/v1/providers/{provider_id}/listings");
            bureau
                .post_when_heard(&path, &body, key_of(&format!("{name}/listing/{credit_code}")), &NOT_YET)
                .await?;
        }
        staff.push_str(&format!("{login_name},{person},provider,{provider_id}\n"));
        providers.insert(login_name, provider_id);
    }
    let key = key_of(&format!("{name}/provider-staff"));
    let answer =
        operator.upload("/v1/staff/import", "providers.csv", staff.into_bytes(), key).await?.expect(200)?;
    no_errors(&answer)?;
    accounts.keep(answer["credentials"].as_array().map(Vec::as_slice).unwrap_or_default())?;
    Ok(providers)
}

/// The school opens its term, arranges, publishes the fee and the menu, and opens the round.
async fn load_term(
    site: &Site,
    accounts: &Accounts,
    teaching: &Person,
    folder: &Path,
    name: &str,
    school_id: &str,
) -> anyhow::Result<String> {
    let file = files::term(folder)?;
    let now = site.clock.now();
    let first_day = first_monday(now, file.starts_after_days)?;
    let last_day = first_day + Days::new(file.weeks * 7 - 3);
    let body = json!({ "name": file.name, "first_day": first_day, "last_day": last_day, "off_days": [] });
    let path = format!("/v1/schools/{school_id}/terms");
    let known = teaching.get(&path).await?.body;
    let term_id = match known["terms"].as_array().and_then(|terms| terms.first()) {
        Some(term) => text(term, "id"),
        None => text(
            &teaching.post_when_heard(&path, &body, key_of(&format!("{name}/term")), &NOT_YET).await?,
            "id",
        ),
    };

    let slots = json!({ "slots": slots(&file) });
    let path = format!("/v1/terms/{term_id}/slots");
    teaching.post_when_heard(&path, &slots, key_of(&format!("{name}/slots")), &NOT_YET).await?;

    let path = format!("/v1/terms/{term_id}/courses/import");
    let key = format!("{name}/courses");
    let imported = import(teaching, &path, &folder.join("courses.xlsx"), &key).await?;
    let principal = site.staff(accounts, &format!("{name}.principal")).await?;
    for course in imported["courses"].as_array().map(Vec::as_slice).unwrap_or_default() {
        let id = text(course, "id");
        let body = json!({ "decision": "approve", "reason": "符合学校课后服务方案" });
        let key = key_of(&format!("{name}/approve/{id}"));
        principal.post_when_heard(&format!("/v1/courses/{id}/approve"), &body, key, &[]).await?;
    }

    if let Some(tariff) = &file.tariff {
        let finance = site.staff(accounts, &format!("{name}.finance")).await?;
        let body = json!({
            "basis": tariff.basis, "amount_fen": tariff.amount_fen, "approval_document": tariff.approval_document,
        });
        let path = format!("/v1/terms/{term_id}/tariff");
        finance.post_when_heard(&path, &body, key_of(&format!("{name}/tariff")), &NOT_YET).await?;
    }

    let path = format!("/v1/terms/{term_id}/publish");
    teaching.post_when_heard(&path, &json!({}), key_of(&format!("{name}/publish")), &NOT_YET).await?;

    let body = json!({
        "mode": file.round.mode,
        "open_time": now - TimeDelta::minutes(1),
        "close_time": now + TimeDelta::days(file.round.open_days),
        "review_seconds": file.round.review_seconds,
        "payment_seconds": file.round.payment_seconds,
    });
    let path = format!("/v1/terms/{term_id}/rounds");
    let known = teaching.get(&path).await?.body;
    if known["rounds"].as_array().is_none_or(Vec::is_empty) {
        teaching.post_when_heard(&path, &body, key_of(&format!("{name}/round")), &NOT_YET).await?;
    }
    // Enrollment knows the whole menu before anybody chooses from it.
    let published = imported["sections"].as_array().map_or(0, Vec::len);
    let path = format!("/v1/terms/{term_id}/seats");
    let all = move |answer: &crate::person::Answer| {
        answer.body["seats"].as_array().is_some_and(|seats| seats.len() >= published)
    };
    teaching.eventually(&path, all).await?;
    Ok(term_id)
}

/// Uploads a file and insists that every row was taken.
async fn import(person: &Person, path: &str, file: &Path, what: &str) -> anyhow::Result<Value> {
    let name = file.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let content = std::fs::read(file).with_context(|| format!("reading {}", file.display()))?;
    let answer = person.upload(path, name, content, key_of(what)).await?;
    let answer = answer.expect(200).with_context(|| format!("importing {}", file.display()))?;
    no_errors(&answer).with_context(|| format!("importing {}", file.display()))?;
    Ok(answer)
}

fn no_errors(answer: &Value) -> anyhow::Result<()> {
    let errors = answer["errors"].as_array().map(Vec::as_slice).unwrap_or_default();
    ensure!(errors.is_empty(), "{} rows were refused, the first: {}", errors.len(), errors[0]);
    Ok(())
}

/// The first Monday at least `days` after the day it is in China now.
fn first_monday(now: Moment, days: u64) -> anyhow::Result<NaiveDate> {
    let china = FixedOffset::east_opt(8 * 3600).context("eight hours east")?;
    let earliest = now.with_timezone(&china).date_naive() + Days::new(days);
    let ahead = (7 - u64::from(earliest.weekday().num_days_from_monday())) % 7;
    Ok(earliest + Days::new(ahead))
}

/// One slot for each weekday named.
fn slots(file: &TermFile) -> Vec<Value> {
    let one = |slot: &files::SlotFile, weekday: u32| {
        json!({
            "weekday": weekday, "kind": slot.kind, "start_time": slot.start_time, "end_time": slot.end_time,
            "class_hour_count": slot.class_hour_count,
        })
    };
    file.slot.iter().flat_map(|slot| slot.weekdays.iter().map(move |weekday| one(slot, *weekday))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_term_begins_on_a_monday_not_before_the_day_wished() {
        // A Sunday in China: Saturday evening in UTC.
        let now = "2026-11-21T17:00:00Z".parse().unwrap();
        assert_eq!(first_monday(now, 0).unwrap().to_string(), "2026-11-23");
        assert_eq!(first_monday(now, 1).unwrap().to_string(), "2026-11-23");
        assert_eq!(first_monday(now, 2).unwrap().to_string(), "2026-11-30");
    }
}
