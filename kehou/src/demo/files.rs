//! The files of `demo/` that are settings rather than tables, and where the tables lie.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use aws_lc_rs::digest::{SHA256, digest};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use shared::table::{Format, Limits, Table};
use uuid::Uuid;

use super::timetable::Timetable;

/// `term.toml`: a school's term, timetables, fee and round.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TermFile {
    pub(super) name: String,
    pub(super) starts_after_days: u64,
    pub(super) weeks: u64,
    /// In order of preference.
    pub(super) timetable: Vec<Timetable>,
    pub(super) tariff: Option<TariffFile>,
    pub(super) round: RoundFile,
    pub(super) agreement: AgreementFile,
}

/// The fee standard.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TariffFile {
    pub(super) basis: String,
    pub(super) amount_fen: i64,
    pub(super) approval_document: String,
}

/// What guardians sign where the region has them sign.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AgreementFile {
    pub(super) title: String,
    pub(super) body: String,
}

/// The round of choice.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RoundFile {
    pub(super) mode: String,
    pub(super) open_days: i64,
    pub(super) review_seconds: i64,
    pub(super) payment_seconds: i64,
}

/// A row of `providers.csv`; without a list code the provider is registered but not listed.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ProviderRow {
    #[serde(rename = "机构名称")]
    pub(super) name: String,
    #[serde(rename = "统一社会信用代码")]
    pub(super) credit_code: String,
    #[serde(rename = "名单组织代码")]
    pub(super) list_code: String,
    #[serde(rename = "名单起")]
    pub(super) first_day: String,
    #[serde(rename = "名单止")]
    pub(super) last_day: String,
    #[serde(rename = "账号")]
    pub(super) login_name: String,
    #[serde(rename = "姓名")]
    pub(super) person: String,
}

/// `tour.toml`: which district folder plays which story of the tour. A story that is not named is not played.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TourFile {
    /// A family chooses, is approved, pays.
    pub paying: Option<Family>,
    /// A family that need not pay.
    pub waived: Option<Family>,
    /// A week one day of which meets a ceiling.
    pub day_ceiling: Option<Week>,
    /// A family where the service is free.
    pub free: Option<Family>,
    /// Many families and few seats.
    pub rush: Option<Crowd>,
    /// Many families and few seats that are drawn.
    pub drawn: Option<Crowd>,
    /// Forged and doubled notifications.
    pub bad_payments: Option<Crowd>,
    /// Institutions on the whitelist and not.
    pub providers: Option<Institutions>,
    /// A complaint's way.
    pub complaint: Option<Place>,
}

/// A child and the course its family chooses.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Family {
    /// The district's folder.
    pub district: String,
    /// The course's title; another one is taken where the menu has none of that title.
    pub course: String,
    /// The pupil's code.
    pub pupil: String,
    /// The waiver category applied for, where the region has it; else its first.
    #[serde(default)]
    pub category: String,
}

/// A child and how many class hours it has.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Week {
    /// The district's folder.
    pub district: String,
    /// The pupil's code.
    pub pupil: String,
    /// Class hours of Monday, Tuesday and so on.
    pub class_hours: Vec<usize>,
}

/// Children of consecutive codes.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Crowd {
    /// The district's folder.
    pub district: String,
    /// The course's title; another one is taken where the menu has none of that title.
    pub course: String,
    /// The first pupil's code.
    pub first_pupil: String,
    /// How many there are, this one included.
    #[serde(alias = "family_count")]
    pub pupil_count: usize,
}

/// Two institutions.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Institutions {
    /// The district's folder.
    pub district: String,
    /// The account of one on the whitelist.
    pub listed: String,
    /// The account of one that is not.
    pub unlisted: String,
}

/// A district alone.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Place {
    /// The district's folder.
    pub district: String,
}

/// The folders with a `nodes.csv`, by name.
pub(super) fn districts(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let mut districts: Vec<_> = fs::read_dir(folder)
        .with_context(|| format!("reading {}", folder.display()))?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.join("nodes.csv").is_file())
        .collect();
    districts.sort();
    Ok(districts)
}

/// A folder's own name.
pub(super) fn name_of(folder: &Path) -> String {
    folder.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

/// The first of the files that exists.
pub(super) fn either(folder: &Path, names: &[&str]) -> anyhow::Result<PathBuf> {
    match names.iter().map(|name| folder.join(name)).find(|path| path.is_file()) {
        Some(path) => Ok(path),
        None => bail!("{} has none of {names:?}", folder.display()),
    }
}

/// Reads `term.toml`.
pub(super) fn term(folder: &Path) -> anyhow::Result<TermFile> {
    settings(&folder.join("term.toml"))
}

/// Reads `tour.toml`; no stories where there is none.
pub(super) fn tour(folder: &Path) -> anyhow::Result<TourFile> {
    let path = folder.join("tour.toml");
    if path.is_file() { settings(&path) } else { Ok(TourFile::default()) }
}

fn settings<T: DeserializeOwned>(path: &Path) -> anyhow::Result<T> {
    let text = fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))?;
    toml::from_str(&text).with_context(|| format!("reading {}", path.display()))
}

/// Reads `providers.csv`, if there is one.
pub(super) fn providers(folder: &Path) -> anyhow::Result<Vec<ProviderRow>> {
    let path = folder.join("providers.csv");
    if !path.is_file() {
        return Ok(Vec::new());
    }
    let text = fs::read_to_string(&path)?;
    let mut reader = csv::Reader::from_reader(text.trim_start_matches('\u{feff}').as_bytes());
    reader.deserialize().collect::<Result<_, _>>().with_context(|| format!("reading {}", path.display()))
}

/// An idempotency key made from what is done: the same deed has the same key on every machine and in every run.
#[must_use]
pub fn key_of(deed: &str) -> Uuid {
    let hash = digest(&SHA256, format!("kehou demonstration: {deed}").as_bytes());
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&hash.as_ref()[..16]);
    uuid::Builder::from_custom_bytes(bytes).into_uuid()
}

/// Reads a table a person brings, by its file's ending.
pub(super) fn table(file: &Path) -> anyhow::Result<Table> {
    let format =
        if file.extension().is_some_and(|ending| ending == "xlsx") { Format::Xlsx } else { Format::Csv };
    let bytes = fs::read(file).with_context(|| format!("reading {}", file.display()))?;
    Table::read(format, &bytes, Limits::default()).with_context(|| format!("reading {}", file.display()))
}

/// A table as comma-separated text in UTF-8, a row for each of `rows`.
pub(super) fn written(columns: &[String], rows: &[Vec<String>]) -> anyhow::Result<Vec<u8>> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(columns)?;
    for row in rows {
        writer.write_record(row)?;
    }
    writer.into_inner().context("writing a table")
}
