//! `kehou policy diff`.

use std::io::Write;

use policy::diff::Difference;
use policy::{Clause, Policy};

use super::{Tongue, head};

/// Prints every key two policies hold differently, with both clauses in words.
pub(super) fn diff(one: &Policy, other: &Policy, tongue: Tongue, out: &mut impl Write) -> anyhow::Result<()> {
    writeln!(out, "A  {}", head(one, tongue))?;
    writeln!(out, "B  {}", head(other, tongue))?;
    let differences = policy::diff::diff(one, other);
    for Difference { key, one, other } in &differences {
        writeln!(out, "\n{}.{}", key.group, key.name)?;
        writeln!(out, "  A  {}", said(one.as_ref(), tongue))?;
        writeln!(out, "  B  {}", said(other.as_ref(), tongue))?;
    }
    match tongue {
        Tongue::Chinese => writeln!(out, "\n{} 项不同（— 没有规定）", differences.len())?,
        Tongue::English => writeln!(out, "\n{} keys differ (— nobody says it)", differences.len())?,
    }
    Ok(())
}

fn said(clause: Option<&Clause>, tongue: Tongue) -> String {
    clause.map_or_else(|| "—".to_owned(), |clause| tongue.of(clause.say()))
}
