//! The packs of a running program: read again when the folder changes, and never worse than they were.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use chrono::NaiveDate;
use tokio_util::sync::CancellationToken;

use crate::build::build;
use crate::folder::Folder;
use crate::packs::{Packs, Unusable};
use crate::policy::Policy;

/// A set of packs that follows its folder. Reading costs a lock held for the copy of a pointer.
pub struct Live {
    packs: RwLock<Arc<Packs>>,
    /// Nothing for a set that follows no folder. The lock is held while the folder is read.
    source: Option<Mutex<FolderSeen>>,
}

/// A folder as it was when it was last read.
struct FolderSeen {
    dir: PathBuf,
    print: [u8; 32],
    problems: Option<Unusable>,
}

impl fmt::Debug for Live {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Live").finish_non_exhaustive()
    }
}

impl Live {
    /// Reads a folder of packs.
    ///
    /// # Errors
    /// [`Unusable`] with every problem: there is no earlier set to go on with.
    pub fn open(dir: &Path) -> Result<Self, Unusable> {
        let folder = Folder::read(dir);
        let seen = FolderSeen { dir: dir.to_owned(), print: folder.print(), problems: None };
        let packs = build(folder).map_err(Unusable)?;
        Ok(Self { packs: RwLock::new(Arc::new(packs)), source: Some(Mutex::new(seen)) })
    }

    /// Takes a set that never changes.
    #[must_use]
    pub fn fixed(packs: Packs) -> Self {
        Self { packs: RwLock::new(Arc::new(packs)), source: None }
    }

    /// Gives the set as it is now. What is taken stays whole however long it is held.
    #[must_use]
    pub fn packs(&self) -> Arc<Packs> {
        Arc::clone(&self.packs.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// As [`Packs::policy`] now.
    #[must_use]
    pub fn policy(&self, pack_id: &str, supplement: Option<&str>) -> Option<Arc<Policy>> {
        self.packs().policy(pack_id, supplement)
    }

    /// As [`Packs::pinned`] now; a pin ever known to this set stays known to it.
    #[must_use]
    pub fn pinned(&self, pin: &str) -> Option<Arc<Policy>> {
        self.packs().pinned(pin)
    }

    /// As [`Packs::on`] now.
    #[must_use]
    pub fn on(&self, pack_id: &str, supplement: Option<&str>, date: NaiveDate) -> Option<Arc<Policy>> {
        self.packs().on(pack_id, supplement, date)
    }

    /// As [`Packs::current`] now.
    #[must_use]
    pub fn current(&self) -> Vec<Arc<Policy>> {
        self.packs().current().map(Arc::clone).collect()
    }

    /// Reads the folder again, and takes over what it holds when anything in it changed. Says whether it took over.
    ///
    /// Pins known before stay findable, also those of files that are gone.
    ///
    /// # Errors
    /// [`Unusable`] as long as the folder cannot be used; the last good set stays.
    pub fn refresh(&self) -> Result<bool, Unusable> {
        let Some(source) = &self.source else {
            return Ok(false);
        };
        let mut seen = source.lock().unwrap_or_else(PoisonError::into_inner);
        let folder = Folder::read(&seen.dir);
        let print = folder.print();
        if print == seen.print {
            return seen.problems.clone().map_or(Ok(false), Err);
        }
        seen.print = print;
        match build(folder) {
            Ok(mut packs) => {
                seen.problems = None;
                packs.remember(&self.packs());
                *self.packs.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(packs);
                Ok(true)
            }
            Err(problems) => {
                let unusable = Unusable(problems);
                seen.problems = Some(unusable.clone());
                Err(unusable)
            }
        }
    }

    /// Refreshes again and again until told to stop, `every` so often.
    ///
    /// A change is told in the log once, and so is each new set of problems.
    pub async fn watch(self: Arc<Self>, every: Duration, stop: CancellationToken) {
        let mut told: Option<Unusable> = None;
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(every) => {}
            }
            let before = self.packs();
            let live = Arc::clone(&self);
            match tokio::task::spawn_blocking(move || live.refresh()).await {
                Ok(Ok(is_new)) => {
                    told = None;
                    if is_new {
                        let changed = changed_names(&before, &self.packs());
                        tracing::info!(changed = %changed, "the policy packs changed: {changed}");
                    }
                }
                Ok(Err(unusable)) => {
                    if told.as_ref() != Some(&unusable) {
                        let problem_count = unusable.0.len();
                        tracing::error!(problem_count, "the last good policy packs stay: {unusable}");
                    }
                    told = Some(unusable);
                }
                Err(error) => tracing::error!(%error, "the policy packs could not be read again: {error}"),
            }
        }
    }
}

/// The packs and supplements that are new, changed or gone, such as `a, a+own`; never empty.
fn changed_names(before: &Packs, after: &Packs) -> String {
    let mut names: Vec<String> = Vec::new();
    for (these, those) in [(before, after), (after, before)] {
        for policy in these.current() {
            let other = those.policy(policy.pack_id(), policy.supplement());
            let name = match policy.supplement() {
                Some(supplement) => format!("{}+{supplement}", policy.pack_id()),
                None => policy.pack_id().to_owned(),
            };
            if other.is_none_or(|other| other.pin() != policy.pin()) && !names.contains(&name) {
                names.push(name);
            }
        }
    }
    if names.is_empty() { "nothing that rules now".to_owned() } else { names.join(", ") }
}
