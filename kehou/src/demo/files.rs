//! The files of `demo/` that are settings rather than tables, and where the tables lie.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use aws_lc_rs::digest::{SHA256, digest};
use serde::Deserialize;
use shared::table::{Format, Limits, Table};
use uuid::Uuid;

/// `term.toml`: a school's term, slots, fee and round.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TermFile {
    pub(super) name: String,
    pub(super) starts_after_days: u64,
    pub(super) weeks: u64,
    pub(super) slot: Vec<SlotFile>,
    pub(super) tariff: Option<TariffFile>,
    pub(super) round: RoundFile,
}

/// A slot on each of some weekdays.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SlotFile {
    pub(super) weekdays: Vec<u32>,
    pub(super) kind: String,
    pub(super) start_time: String,
    pub(super) end_time: String,
    pub(super) class_hour_count: u32,
}

/// The fee standard.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TariffFile {
    pub(super) basis: String,
    pub(super) amount_fen: i64,
    pub(super) approval_document: String,
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
    let path = folder.join("term.toml");
    let text = fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))?;
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

/// Pupil code → first phone number, from the table the school brings: the tour's families answer to these numbers.
pub(super) fn phones(file: &Path) -> anyhow::Result<BTreeMap<String, String>> {
    let format =
        if file.extension().is_some_and(|ending| ending == "xlsx") { Format::Xlsx } else { Format::Csv };
    let table = Table::read(format, &fs::read(file)?, Limits::default())?;
    let first = |text: &str| text.split(';').next().unwrap_or_default().to_owned();
    Ok(table.rows().map(|row| (row.cell("学籍号").to_owned(), first(row.cell("监护人手机")))).collect())
}
