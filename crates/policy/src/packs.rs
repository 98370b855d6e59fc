//! Every policy there is, out of a folder of packs and supplements.
//!
//! ```text
//! policies/
//!   common.toml            what holds everywhere; stands above every pack that names no other
//!   <pack_id>.toml         one region
//!   supplements/<name>.toml  what one district decided where its region is silent
//!   retired/*.toml         earlier editions of packs and supplements, for terms that are pinned to them
//! ```

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use chrono::NaiveDate;

use crate::build::{Built, build};
use crate::folder::Folder;
use crate::policy::Policy;
use crate::problem::Problem;

/// A pack, or one of its supplements.
type Subject = (String, Option<String>);

/// Every policy there is: each pack alone and with each of its supplements, in every edition kept.
#[derive(Clone, Debug, Default)]
pub struct Packs {
    current: BTreeMap<Subject, Arc<Policy>>,
    /// Every edition that can be found by a day.
    dated: BTreeMap<Subject, Vec<Built>>,
    pinned: BTreeMap<String, Arc<Policy>>,
}

/// A folder of packs that cannot be used, with everything that is wrong in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unusable(pub Vec<Problem>);

impl fmt::Display for Unusable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the policy packs cannot be used:")?;
        self.0.iter().try_for_each(|problem| write!(f, "\n{problem}"))
    }
}

impl std::error::Error for Unusable {}

impl Packs {
    /// Reads a folder of packs, for a program that cannot go on without them.
    ///
    /// # Errors
    /// [`Unusable`], whose text lists every problem.
    pub fn open(dir: &Path) -> Result<Self, Unusable> {
        Self::load(dir).map_err(Unusable)
    }

    /// Reads a folder of packs.
    ///
    /// # Errors
    /// Every [`Problem`] of every file, by file and line. One problem anywhere and nothing is loaded.
    pub fn load(dir: &Path) -> Result<Self, Vec<Problem>> {
        build(Folder::read(dir))
    }

    /// Says what would be wrong with a folder in which these files lay: none, and it could be used.
    ///
    /// A file takes the place of the one of the same name. It may lie anywhere; unless it lies in the folder already, its
    /// content tells whether it is a pack or a supplement. Problems of these files name them by the path given, others by
    /// their place in the folder. A file that is no pack at all (a folder, too large, not UTF-8, YAML) is a problem too.
    #[must_use]
    pub fn check(dir: &Path, files: &[PathBuf]) -> Vec<Problem> {
        let mut folder = Folder::read(dir);
        for file in files {
            folder.lay(dir, file);
        }
        build(folder).err().unwrap_or_default()
    }

    /// Gives the current policy of a pack, alone or with one of its supplements; nothing when there is none such.
    #[must_use]
    pub fn policy(&self, pack_id: &str, supplement: Option<&str>) -> Option<Arc<Policy>> {
        self.current.get(&subject(pack_id, supplement)).cloned()
    }

    /// Gives the policy a term is pinned to, by what [`Policy::pin`] gave; nothing when that edition is not kept.
    #[must_use]
    pub fn pinned(&self, pin: &str) -> Option<Arc<Policy>> {
        self.pinned.get(pin).cloned()
    }

    /// Gives the policy that was, is or will be in force on a day; nothing when no edition kept is known to be.
    ///
    /// Among all editions whose dates enclose the day the one that began last. A current edition without dates holds
    /// always, an earlier one without dates is never found. An earlier edition that does not say when it ended ended when
    /// the next began; when no later one says so, it is not found. The same holds for every pack above.
    #[must_use]
    pub fn on(&self, pack_id: &str, supplement: Option<&str>, date: NaiveDate) -> Option<Arc<Policy>> {
        let editions = self.dated.get(&subject(pack_id, supplement))?;
        let enclosing = editions.iter().filter_map(|edition| {
            let spans = edition.spans.as_ref()?;
            let encloses = spans.iter().all(|span| span.from <= date && date <= span.to);
            let begins: Vec<NaiveDate> = spans.iter().map(|span| span.from).collect();
            encloses.then_some(((begins, edition.is_current), edition))
        });
        let latest = enclosing.max_by(|(one, _), (other, _)| one.cmp(other));
        latest.map(|(_, edition)| Arc::clone(&edition.policy))
    }

    /// Finds a policy by what people call it: a pack's id, a supplement's name, or a pin, in this order.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<Arc<Policy>> {
        let supplemented = || {
            let (_, policy) = self.current.iter().find(|((_, own), _)| own.as_deref() == Some(name))?;
            Some(Arc::clone(policy))
        };
        self.policy(name, None).or_else(supplemented).or_else(|| self.pinned(name))
    }

    /// Gives every current policy: by pack, first the pack alone, then with each supplement by name.
    pub fn current(&self) -> impl Iterator<Item = &Arc<Policy>> {
        self.current.values()
    }

    /// Gives the current supplements of a pack by name.
    #[must_use]
    pub fn supplements(&self, pack_id: &str) -> Vec<&str> {
        let of_pack = self.current.keys().filter(|(id, _)| id == pack_id);
        of_pack.filter_map(|(_, supplement)| supplement.as_deref()).collect()
    }

    /// Takes in a policy.
    pub(crate) fn keep(&mut self, built: Built) {
        let policy = Arc::clone(&built.policy);
        let subject = subject(policy.pack_id(), policy.supplement());
        self.pinned.insert(policy.pin(), Arc::clone(&policy));
        if built.is_current {
            self.current.insert(subject.clone(), policy);
        }
        self.dated.entry(subject).or_default().push(built);
    }

    /// Keeps the pins of an earlier set findable.
    pub(crate) fn remember(&mut self, earlier: &Self) {
        for (pin, policy) in &earlier.pinned {
            self.pinned.entry(pin.clone()).or_insert_with(|| Arc::clone(policy));
        }
    }
}

fn subject(pack_id: &str, supplement: Option<&str>) -> Subject {
    (pack_id.to_owned(), supplement.map(str::to_owned))
}
