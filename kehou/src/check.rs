//! The checker: every invariant of every service, looked for over a live or a stopped platform.

use std::io::Write;

use anyhow::{Context as _, ensure};
use sea_orm_migration::MigratorTrait;
use shared::check::Checked;
use shared::db::{self, Db};

use crate::platform::{Settings, anchor_file};

/// What the checker found.
#[derive(Clone, Debug, Default)]
pub struct Verdict {
    /// Service, invariant, and what breaks it.
    pub checked: Vec<(&'static str, Checked)>,
}

impl Verdict {
    /// How many things break an invariant.
    #[must_use]
    pub fn broken_count(&self) -> usize {
        self.checked.iter().map(|(_, checked)| checked.broken.len()).sum()
    }

    /// Prints a line for each invariant and one for all.
    ///
    /// # Errors
    /// When `out` cannot be written to.
    pub fn print(&self, out: &mut impl Write) -> std::io::Result<()> {
        for (service, checked) in &self.checked {
            let mark = if checked.broken.is_empty() { "ok" } else { "BROKEN" };
            writeln!(out, "{mark:<6} {service:<11} {:>7}  {}", checked.looked_at, checked.invariant)?;
            for broken in &checked.broken {
                writeln!(out, "         {broken}")?;
            }
        }
        let looked_at: u64 = self.checked.iter().map(|(_, checked)| checked.looked_at).sum();
        let broken = self.broken_count();
        writeln!(
            out,
            "check: {} invariants, {looked_at} things looked at, {broken} broken",
            self.checked.len()
        )
    }
}

/// Checks every service's database.
///
/// # Errors
/// When a database is not there, has another schema, or cannot be read.
pub async fn check(settings: &Settings) -> anyhow::Result<Verdict> {
    let mut verdict = Verdict::default();
    let mut add =
        |service, found: Vec<Checked>| verdict.checked.extend(found.into_iter().map(|one| (service, one)));
    add("identity", identity::check(&opened::<identity::Migrator>(settings, "identity").await?).await?);
    add("catalog", catalog::check(&opened::<catalog::Migrator>(settings, "catalog").await?).await?);
    add(
        "enrollment",
        enrollment::check(&opened::<enrollment::Migrator>(settings, "enrollment").await?).await?,
    );
    let billing_db = opened::<billing::Migrator>(settings, "billing").await?;
    add("billing", billing::check(&billing_db).await?);
    let anchors = billing::anchor::read(&anchor_file(&settings.data)).await?;
    add("billing", vec![billing::check_chain(&billing_db, &anchors).await?]);
    add(
        "supervision",
        supervision::check(&opened::<supervision::Migrator>(settings, "supervision").await?).await?,
    );
    Ok(verdict)
}

/// Opens a service's database as it is: a look makes nothing and changes nothing.
pub(crate) async fn opened<M: MigratorTrait>(settings: &Settings, service: &str) -> anyhow::Result<Db> {
    if settings.database.is_none() {
        let file = settings.data.join(format!("{service}.db"));
        ensure!(file.is_file(), "there is no database of {service} at {}", file.display());
    }
    let of_service = || format!("the database of {service}");
    let db = Db::connect(&settings.database_of(service)).await.with_context(of_service)?;
    db::check_schema::<M>(&db).await.with_context(of_service)?;
    Ok(db)
}
