//! The demonstration districts, brought in from the files of `demo/` the way a bureau and its schools would: signed in, over
//! HTTP, through the same imports.
//!
//! | file | knows |
//! |---|---|
//! | `files` | the files of `demo/` and how they are read |
//! | `people` | who is who in the district's tables, and supplements of other regions |
//! | `timetable` | the weeks a school would like, and the course table for the one it has |
//! | `term` | opening the term: timetable, courses, fee, menu, round |
//!
//! Every write has an idempotency key made from what it does, so a loading that was cut off is taken up again where it
//! stopped, and a loading that is done changes nothing.
//!
//! The same files open under any region. What a region does not let a school do, because its documents say otherwise or
//! say nothing, is kept as [`Undone`] and is no error: the next step, and the next school, follow.

mod files;
mod people;
mod term;
mod timetable;

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context as _, ensure};
use policy::Packs;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::accounts::Accounts;
use crate::person::{Answer, Person, Site, text};
use files::ProviderRow;

pub use files::{Crowd, Family, Institutions, Place, TourFile, Week, key_of};

/// Reasons with which a service says that it has not yet heard of something another one has just told.
const NOT_YET: [&str; 4] = ["SCHOOL_NOT_FOUND", "TERM_NOT_FOUND", "NODE_NOT_FOUND", "PROVIDER_NOT_FOUND"];

/// What was loaded, for whoever walks through it. Kept as `demo.json` in the data folder.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Demo {
    /// By folder name.
    pub districts: BTreeMap<String, DemoDistrict>,
    /// Which folder plays which story of the tour.
    pub tour: TourFile,
}

/// One district with its one school and term.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct DemoDistrict {
    /// The district (UUID).
    pub district_id: String,
    /// The school (UUID).
    pub school_id: String,
    /// The school's name.
    pub school_name: String,
    /// The term (UUID); empty where the region let the school open none.
    pub term_id: String,
    /// Login name → provider (UUID).
    pub providers: BTreeMap<String, String>,
    /// Pupil code → the first guardian's phone number the school has on file.
    pub phones: BTreeMap<String, String>,
    /// Pupil code → the class teacher's login name.
    pub class_teachers: BTreeMap<String, String>,
    /// Role → the login name of the first who has it.
    pub staff: BTreeMap<String, String>,
    /// What the region did not let the school do, in the order it was tried.
    pub undone: Vec<Undone>,
}

/// Something that was tried and that the region does not allow, or does not say.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Undone {
    /// What was tried.
    pub what: Undertaking,
    /// The refusal's reason, such as `POLICY_SILENT`; empty when nothing was asked of the platform.
    pub reason: String,
    /// The policy key it rests on; empty when it rests on none.
    pub key: String,
    /// The sentence for people, in Chinese.
    pub sentence_zh: String,
}

/// What a school does to open its term.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Undertaking {
    /// Takes a district's supplement.
    Supplement,
    /// Has a provider listed.
    Listing,
    /// Opens the term.
    Term,
    /// Opens the weekly timetable.
    Timetable,
    /// Publishes the fee standard.
    Tariff,
    /// Publishes the menu.
    Menu,
    /// Opens the round of choice.
    Round,
}

impl Undertaking {
    /// What people call it.
    #[must_use]
    pub const fn name_zh(self) -> &'static str {
        match self {
            Self::Supplement => "补充规定",
            Self::Listing => "机构入名单",
            Self::Term => "学期",
            Self::Timetable => "作息时段",
            Self::Tariff => "收费标准",
            Self::Menu => "课程菜单",
            Self::Round => "选课轮次",
        }
    }
}

impl Undone {
    fn refused(what: Undertaking, answer: &Answer) -> Self {
        Self {
            what,
            reason: answer.reason().to_owned(),
            key: text(&answer.body["facts"], "key"),
            sentence_zh: text(&answer.body, "title"),
        }
    }
}

impl DemoDistrict {
    /// Whether the region let the school do it.
    #[must_use]
    pub fn has_done(&self, what: Undertaking) -> bool {
        !self.undone.iter().any(|undone| undone.what == what)
    }
}

/// Whether a refusal is the region's: it names a policy key.
fn is_region_s(answer: &Answer) -> bool {
    answer.status == 400 && !text(&answer.body["facts"], "key").is_empty()
}

/// Loads every district folder below `folder`, under the regions their files name. `policies` is the folder of packs the
/// platform runs with.
///
/// # Errors
/// When a file is missing or malformed, or a step is refused for another reason than the region's.
pub async fn load(site: &Site, accounts: &Accounts, folder: &Path, policies: &Path) -> anyhow::Result<Demo> {
    let packs = Packs::open(policies)?;
    let operator = site.staff(accounts, "operator").await?;
    let mut demo = Demo { tour: files::tour(folder)?, ..Demo::default() };
    for district in files::districts(folder)? {
        let name = files::name_of(&district);
        let loading = Loading { site, accounts, packs: &packs, folder: &district, name: &name };
        let loaded =
            loading.district(&operator).await.with_context(|| format!("loading the district {name}"))?;
        demo.districts.insert(name, loaded);
    }
    Ok(demo)
}

/// One district folder on its way in.
struct Loading<'a> {
    site: &'a Site,
    accounts: &'a Accounts,
    packs: &'a Packs,
    folder: &'a Path,
    /// The folder's name.
    name: &'a str,
}

impl Loading<'_> {
    async fn district(&self, operator: &Person) -> anyhow::Result<DemoDistrict> {
        let mut loaded = DemoDistrict::default();
        let file = self.folder.join("nodes.csv");
        let nodes = people::nodes(&file, self.packs)?;
        for (supplement, pack) in nodes.left_out {
            let sentence_zh = format!("补充规定 {supplement} 不属于政策包 {pack}，未采用");
            let (reason, key) = (String::new(), String::new());
            loaded.undone.push(Undone { what: Undertaking::Supplement, reason, key, sentence_zh });
        }
        let answer = self.import(operator, "/v1/nodes/import", "nodes.csv", nodes.content, "nodes").await?;
        let of_kind = |kind: &str| {
            answer["nodes"].as_array().and_then(|nodes| nodes.iter().find(|node| node["kind"] == kind))
        };
        loaded.district_id = text(of_kind("district").context("the file has no district")?, "id");
        let school = of_kind("school").context("the file has no school")?;
        (loaded.school_id, loaded.school_name) = (text(school, "id"), text(school, "name"));

        let path = format!("/v1/staff/import?district_id={}", loaded.district_id);
        let staff = self.import_file(operator, &path, &self.folder.join("staff.csv"), "staff").await?;
        self.accounts.keep(staff["credentials"].as_array().map(Vec::as_slice).unwrap_or_default())?;
        let (roles, of_class) = people::staff(&files::table(&self.folder.join("staff.csv"))?);
        loaded.staff = roles;

        let teaching = self.staff(&loaded, "teaching_office").await?;
        let pupils = files::either(self.folder, &["pupils.xlsx", "pupils.csv"])?;
        let path = format!("/v1/schools/{}/pupils/import", loaded.school_id);
        self.import_file(&teaching, &path, &pupils, "pupils").await?;
        let known = people::pupils(&files::table(&pupils)?, &files::table(&file)?, &of_class);
        (loaded.phones, loaded.class_teachers) = (known.phones, known.class_teachers);

        self.providers(operator, &answer, &mut loaded).await?;
        self.term(&teaching, &mut loaded).await?;
        Ok(loaded)
    }

    /// The first of the district's staff with a role.
    async fn staff(&self, loaded: &DemoDistrict, role: &str) -> anyhow::Result<Person> {
        let login_name = loaded.staff.get(role).with_context(|| format!("nobody is {role}"))?;
        self.site.staff(self.accounts, login_name).await
    }

    /// The bureau registers and lists providers; the operator gives them accounts.
    async fn providers(
        &self,
        operator: &Person,
        nodes: &Value,
        loaded: &mut DemoDistrict,
    ) -> anyhow::Result<()> {
        let rows = files::providers(self.folder)?;
        if rows.is_empty() {
            return Ok(());
        }
        let bureau = self.staff(loaded, "bureau_officer").await?;
        let mut staff = String::from("账号,姓名,角色,组织代码\n");
        for row in rows {
            let body = json!({ "name": row.name, "credit_code": row.credit_code });
            let key = self.key(&format!("provider/{}", row.credit_code));
            let provider = bureau.post_when_heard("/v1/providers", &body, key, &NOT_YET).await?;
            let provider_id = text(&provider, "id");
            if !row.list_code.is_empty() {
                loaded.undone.extend(self.listing(&bureau, nodes, &row, &provider_id).await?);
            }
            staff.push_str(&format!("{},{},provider,{provider_id}\n", row.login_name, row.person));
            loaded.providers.insert(row.login_name, provider_id);
        }
        let content = staff.into_bytes();
        let answer =
            self.import(operator, "/v1/staff/import", "providers.csv", content, "provider-staff").await?;
        self.accounts.keep(answer["credentials"].as_array().map(Vec::as_slice).unwrap_or_default())
    }

    /// Lists a provider where the file says; where the region keeps its lists at another level, at the first place of that
    /// level.
    async fn listing(
        &self,
        bureau: &Person,
        nodes: &Value,
        row: &ProviderRow,
        provider_id: &str,
    ) -> anyhow::Result<Option<Undone>> {
        let nodes = nodes["nodes"].as_array().map(Vec::as_slice).unwrap_or_default();
        let named = nodes.iter().find(|node| node["code"] == row.list_code.as_str());
        let named = named.with_context(|| format!("no node {}", row.list_code))?;
        let others = nodes.iter().filter(|node| {
            (node["kind"] == "town" || node["kind"] == "district") && node["kind"] != named["kind"]
        });
        let mut refused = None;
        for node in std::iter::once(named).chain(others) {
            let node_id = text(node, "id");
            let body = json!({ "node_id": node_id, "first_day": row.first_day, "last_day": row.last_day });
            let path = format!("/v1/providers/{provider_id}/listings");
            let key = self.key(&format!("listing/{}/{}", row.credit_code, text(node, "code")));
            let answer = bureau.try_when_heard(&path, &body, key, &NOT_YET).await?;
            if !is_region_s(&answer) {
                answer.expect(200)?;
                return Ok(None);
            }
            refused = refused.or(Some(Undone::refused(Undertaking::Listing, &answer)));
        }
        Ok(refused)
    }

    /// The idempotency key of a deed of this district.
    fn key(&self, deed: &str) -> uuid::Uuid {
        key_of(&format!("{}/{deed}", self.name))
    }

    /// Uploads a file as it is and insists that every row was taken.
    async fn import_file(
        &self,
        person: &Person,
        path: &str,
        file: &Path,
        what: &str,
    ) -> anyhow::Result<Value> {
        let content = std::fs::read(file).with_context(|| format!("reading {}", file.display()))?;
        let name = file.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        self.import(person, path, name, content, what).await
    }

    /// Uploads a table and insists that every row was taken.
    async fn import(
        &self,
        person: &Person,
        path: &str,
        file_name: &str,
        content: Vec<u8>,
        what: &str,
    ) -> anyhow::Result<Value> {
        let answer = person.upload(path, file_name, content, self.key(what)).await?;
        let answer = answer.expect(200).with_context(|| format!("importing {file_name}"))?;
        no_errors(&answer).with_context(|| format!("importing {file_name}"))?;
        Ok(answer)
    }
}

fn no_errors(answer: &Value) -> anyhow::Result<()> {
    let errors = answer["errors"].as_array().map(Vec::as_slice).unwrap_or_default();
    ensure!(errors.is_empty(), "{} rows were refused, the first: {}", errors.len(), errors[0]);
    Ok(())
}
