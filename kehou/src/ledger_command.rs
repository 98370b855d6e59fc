//! The books, asked by an operator: is the chain true, what is in it; and a day's bills compared now.

use std::io::Write;

use anyhow::{Context as _, bail, ensure};
use chrono::NaiveDate;
use clap::Subcommand;
use serde_json::json;
use shared::clock::SystemClock;
use uuid::Uuid;

use crate::accounts::Accounts;
use crate::check;
use crate::demo::Demo;
use crate::person::{Site, text};
use crate::platform::{Addresses, Settings, anchor_file};

/// A question about the books.
#[derive(Subcommand)]
pub enum LedgerCommand {
    /// Computes every chain again and holds it against the anchors; names the first entry that differs.
    Verify,
    /// Prints a district's chain, an entry a line, for whoever computes it again (docs/money.md).
    Export {
        /// The district (UUID).
        district: Uuid,
    },
}

impl LedgerCommand {
    /// Answers for people, or for the verifier.
    ///
    /// # Errors
    /// When the database cannot be read, or a chain is not what was sealed or anchored.
    pub async fn answer(&self, settings: &Settings, out: &mut impl Write) -> anyhow::Result<()> {
        let db = check::opened::<billing::Migrator>(settings, "billing").await?;
        let anchors = billing::anchor::read(&anchor_file(&settings.data)).await?;
        match self {
            Self::Verify => {
                let all = billing::verify_all(&db, &anchors).await?;
                for one in &all {
                    let said = match &one.first_difference {
                        None => "ok".to_owned(),
                        Some(first) => {
                            let entry = first.journal_id.map(|id| format!(" entry {id}")).unwrap_or_default();
                            format!("DIFFERS at position {}{entry}: {}", first.position, first.why)
                        }
                    };
                    writeln!(
                        out,
                        "{}  {} sealed, {} waiting, {} anchors, head {}  {said}",
                        one.district_id, one.sealed_count, one.unsealed_count, one.anchor_count, one.head
                    )?;
                }
                ensure!(
                    all.iter().all(|one| one.first_difference.is_none()),
                    "a ledger is not what was sealed"
                );
            }
            Self::Export { district } => {
                let mut failed = Ok(());
                billing::verify(&db, *district, &anchors, |link| {
                    if failed.is_ok() {
                        failed = writeln!(out, "{}", billing::export_line(link));
                    }
                })
                .await?;
                failed?;
            }
        }
        Ok(())
    }
}

/// Compares a day of the platform that runs on the data folder, for every district of the demonstration with somebody who keeps its money.
///
/// # Errors
/// When no platform runs, or a day cannot be compared.
pub async fn reconcile(settings: &Settings, day: NaiveDate, out: &mut impl Write) -> anyhow::Result<()> {
    let addresses = Addresses::read(&settings.data)?;
    let site = Site::new(&addresses.gateway, &addresses.sandbox, SystemClock::shared())?;
    let accounts = Accounts::open(&settings.data)?;
    let demo: Demo = serde_json::from_slice(
        &std::fs::read(settings.data.join("demo.json")).context("the platform has no demonstration")?,
    )?;
    let mut compared = 0;
    for (folder, district) in &demo.districts {
        let Some(login_name) = district.staff.get("bureau_finance") else { continue };
        let finance = site.staff(&accounts, login_name).await?;
        let path = format!("/v1/districts/{}/reconciliations/{day}", district.district_id);
        let answer = finance.post(&path, &json!({})).await?;
        if answer.status != 200 {
            writeln!(out, "{folder:<10} {}", text(&answer.body, "title"))?;
            continue;
        }
        compared += 1;
        let lines = answer.body["reconciliations"].as_array().cloned().unwrap_or_default();
        for line in &lines {
            writeln!(
                out,
                "{folder:<10} {}  {day}  {} lines, {} agree",
                text(line, "payee_mchid"),
                line["line_count"],
                line["matched_count"]
            )?;
        }
        writeln!(out, "{folder:<10} {} differences wait for a person", answer.body["waiting_count"])?;
    }
    if compared == 0 {
        bail!("no day was compared");
    }
    Ok(())
}
