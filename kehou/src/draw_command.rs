//! What anybody asks of a published draw: is it true.

use std::fs;
use std::io::Write;
use std::path::PathBuf;

use anyhow::{Context as _, bail};
use clap::Subcommand;
use draw::{Bundle, Hash, Report, verify};

use crate::columns;

/// A question about a draw.
#[derive(Subcommand)]
pub enum DrawCommand {
    /// Computes a published draw again from its bundle alone: lists, numbers, seats and reasons (docs/draw.md).
    Verify {
        /// The bundle (JSON).
        bundle: PathBuf,
        /// The root that was published before the numbers were drawn: 64 hexadecimal digits. Only with it the lists are
        /// known to be those of then.
        #[arg(long)]
        root: Option<Hash>,
    },
}

impl DrawCommand {
    /// Answers for people.
    ///
    /// # Errors
    /// When the bundle cannot be read, or is not true: every difference is in the text.
    pub fn answer(&self, out: &mut impl Write) -> anyhow::Result<()> {
        let Self::Verify { bundle: file, root } = self;
        let json = fs::read_to_string(file).with_context(|| format!("reading {}", file.display()))?;
        let bundle = Bundle::parse(&json).with_context(|| format!("reading {}", file.display()))?;
        let report = match verify(&bundle) {
            Ok(report) => report,
            Err(found) => {
                for mismatch in &found {
                    writeln!(out, "不符：{mismatch}")?;
                }
                bail!("{}: {} differences; the draw is not as published", file.display(), found.len())
            }
        };
        print(&bundle, &report, out)?;
        match root {
            Some(root) if root != report.root.hash() => {
                writeln!(out, "不符：抽签前公布的封存码是 {root}")?;
                bail!("the lists are not those that were sealed")
            }
            Some(_) => writeln!(out, "与抽签前公布的封存码一致。")?,
            None => writeln!(out, "封存码是否就是抽签前公布的那一个，请对照当时的公告（--root）。")?,
        }
        Ok(())
    }
}

fn print(bundle: &Bundle, report: &Report, out: &mut impl Write) -> anyhow::Result<()> {
    let terms = &bundle.terms;
    writeln!(out, "{} 第 {} 次抽签", terms.round_id, report.act)?;
    writeln!(out, "封存码    {}", report.root.hash())?;
    writeln!(out, "随机种子  {}", report.seed.hash())?;
    writeln!(out, "结果摘要  {}", report.outcome_digest)?;
    let counts = [report.pupil_count, report.admitted_count, report.refused_count];
    writeln!(out, "{} 名学生，录取 {} 人次，未录取的志愿 {} 个\n", counts[0], counts[1], counts[2])?;
    let mut rows =
        vec![["班级", "名额", "抽签名额", "录取", "最后录取号", "候补"].map(str::to_owned).to_vec()];
    for (section, outcome) in terms.sections.iter().zip(&bundle.outcome.sections) {
        // The last open number, whichever tier it is of; reserves have their own.
        let open = outcome.cutoffs.iter().rev().find(|cutoff| cutoff.reserve.is_none());
        rows.push(vec![
            section.code.clone(),
            section.capacity.to_string(),
            outcome.seats.to_string(),
            outcome.admitted.len().to_string(),
            open.map_or_else(|| "—".to_owned(), |cutoff| cutoff.last_number.to_string()),
            outcome.waitlist.len().to_string(),
        ]);
    }
    for line in columns::table(&rows) {
        writeln!(out, "  {line}")?;
    }
    writeln!(out, "\n重新计算的名单、号码、名额和理由与公布的逐字相同。")?;
    Ok(())
}
