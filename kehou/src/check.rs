//! The checker: every invariant of every service, looked for over a live or a stopped platform.

use std::io::Write;

use anyhow::Context as _;
use shared::check::Checked;
use shared::db::Db;

use crate::platform::Settings;

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
/// When a database cannot be opened or read.
pub async fn check(settings: &Settings) -> anyhow::Result<Verdict> {
    let mut verdict = Verdict::default();
    let connect = async |service: &'static str| {
        Db::connect(&settings.database_of(service))
            .await
            .with_context(|| format!("the database of {service}"))
    };
    let mut add =
        |service, found: Vec<Checked>| verdict.checked.extend(found.into_iter().map(|one| (service, one)));
    add("identity", identity::check(&connect("identity").await?).await?);
    add("catalog", catalog::check(&connect("catalog").await?).await?);
    add("enrollment", enrollment::check(&connect("enrollment").await?).await?);
    add("billing", billing::check(&connect("billing").await?).await?);
    add("supervision", supervision::check(&connect("supervision").await?).await?);
    Ok(verdict)
}
