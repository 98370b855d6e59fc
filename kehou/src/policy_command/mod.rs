//! `kehou policy …`: what an operator or a bureau asks of the folder of policies, without a running platform.
//!
//! | file | answers |
//! |---|---|
//! | `check` | is the folder sound, also with a file that is still to be laid into it |
//! | `list` | which regions are there, and what does each state |
//! | `explain` | what does a district's policy say, and why does a week cost what it costs |
//! | `diff` | where do two policies differ |
//! | `near` | what somebody may have meant |
//!
//! Everything is said in Chinese unless English is asked for.

mod check;
mod diff;
mod explain;
mod list;
mod near;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::bail;
use clap::Subcommand;
use policy::{Packs, Phrase, Policy};

pub use explain::Explain;

/// What is asked.
#[derive(Debug, Subcommand)]
pub enum PolicyCommand {
    /// Checks the folder and prints every problem at once as `file:line: key rule`. Fails when there is any.
    Check {
        /// Packs or supplements that lie elsewhere, checked as if they lay in the folder.
        files: Vec<PathBuf>,
    },
    /// Prints every region and what it states.
    List,
    /// Explains what a district's policy says; for `fee` also what a week costs, and why.
    Explain(Explain),
    /// Prints every key two policies hold differently, with both clauses.
    Diff {
        /// A pack, a supplement or a pinned version.
        one: String,
        /// Another.
        other: String,
    },
}

/// The language an answer is given in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tongue {
    /// Chinese.
    Chinese,
    /// English.
    English,
}

impl Tongue {
    /// The words of a phrase in this language.
    fn of(self, phrase: Phrase) -> String {
        match self {
            Self::Chinese => phrase.zh,
            Self::English => phrase.en,
        }
    }

    /// One of two texts.
    const fn pick<'t>(self, zh: &'t str, en: &'t str) -> &'t str {
        match self {
            Self::Chinese => zh,
            Self::English => en,
        }
    }
}

impl PolicyCommand {
    /// Answers from the folder of policies. Gives whether all is well: a check that finds problems is answered and is not.
    ///
    /// # Errors
    /// When the folder cannot be used, what is asked for is not there, or `out` cannot be written to.
    pub fn answer(&self, policies: &Path, tongue: Tongue, out: &mut impl Write) -> anyhow::Result<bool> {
        match self {
            Self::Check { files } => return check::check(policies, files, tongue, out),
            Self::List => list::list(&Packs::open(policies)?, tongue, out)?,
            Self::Explain(explain) => explain.answer(&Packs::open(policies)?, tongue, out)?,
            Self::Diff { one, other } => {
                let packs = Packs::open(policies)?;
                let (one, other) = (found(&packs, one)?, found(&packs, other)?);
                diff::diff(&one, &other, tongue, out)?;
            }
        }
        Ok(true)
    }
}

/// The policy somebody named: a pack's id, a supplement's name or a pin.
///
/// # Errors
/// When there is none, with what may have been meant.
fn found(packs: &Packs, name: &str) -> anyhow::Result<Arc<Policy>> {
    if let Some(policy) = packs.find(name) {
        return Ok(policy);
    }
    let mut known: Vec<(String, String)> = Vec::new();
    for policy in packs.current() {
        let id = policy.supplement().unwrap_or_else(|| policy.pack_id());
        known.push((id.to_owned(), format!("{id}（{}）", policy.name_zh())));
    }
    let near = near::near(name, &known);
    if near.is_empty() {
        bail!("no pack, supplement or pinned version `{name}`; `kehou policy list` prints all there are");
    }
    bail!("no pack, supplement or pinned version `{name}`; near it: {}", near.join(", "))
}

/// What a policy is called: the region, its pin, and whether it is only for demonstration.
fn head(policy: &Policy, tongue: Tongue) -> String {
    let demonstration = if policy.is_demonstration() {
        tongue.pick("，含演示用补充规定", ", with a supplement for demonstration only")
    } else {
        ""
    };
    format!("{}（{}{demonstration}）", policy.name_zh(), policy.pin())
}
