//! `kehou policy check`.

use std::io::Write;
use std::path::{Path, PathBuf};

use policy::Packs;

use super::Tongue;

/// Prints every problem of the folder, as it would be with these files in it; or how much there is of it. Gives whether
/// there is no problem.
pub(super) fn check(
    policies: &Path,
    files: &[PathBuf],
    tongue: Tongue,
    out: &mut impl Write,
) -> anyhow::Result<bool> {
    let problems = Packs::check(policies, files);
    for problem in &problems {
        writeln!(out, "{problem}")?;
    }
    if problems.is_empty() {
        let packs = Packs::open(policies)?;
        let supplements = packs.current().filter(|policy| policy.supplement().is_some()).count();
        let regions = packs.current().filter(|policy| super::list::is_region(policy)).count();
        let english = format!("{regions} regions, {supplements} supplements, 0 problems");
        let counted = match tongue {
            Tongue::Chinese => format!("{regions} 个地区，{supplements} 个补充规定，0 处问题（{english}）"),
            Tongue::English => english,
        };
        let laid_in = match (files.len(), tongue) {
            (0, _) => String::new(),
            (count, Tongue::Chinese) => format!("（另查 {count} 个文件）"),
            (count, Tongue::English) => format!(" (and {count} files laid in)"),
        };
        writeln!(out, "{counted}{laid_in}")?;
        return Ok(true);
    }
    match tongue {
        Tongue::Chinese => writeln!(out, "{} 处问题", problems.len())?,
        Tongue::English => writeln!(out, "{} problems", problems.len())?,
    }
    Ok(false)
}
