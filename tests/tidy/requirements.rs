//! The requirements, the tests that carry their ids, and the packs agree.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use kehou::requirements::{Named, Requirements, State, test_counts};

use crate::regions::field;
use crate::source::File;

/// The numbers a test named `trap_NN_…` may have.
const TRAPS: RangeInclusive<u32> = 1..=72;

/// Every capability that is called done and carried by no test.
pub(crate) fn unshown(requirements: &Requirements, named: &[Named]) -> Vec<String> {
    let counts = test_counts(named);
    let done = requirements.capabilities.iter().filter(|one| one.state == State::Done);
    let unshown = done.filter(|one| !counts.contains_key(&one.id));
    unshown.map(|one| format!("{} is called done and no test carries its id: {}", one.id, one.what)).collect()
}

/// Every name that begins with an id or trap that does not exist, or with one although it is no test.
pub(crate) fn misnamed(requirements: &Requirements, named: &[Named]) -> Vec<String> {
    let mut broken = Vec::new();
    for one in named {
        let Named { path, line, name, is_test } = one;
        let is_known = |id: &String| requirements.capabilities.iter().any(|known| known.id == *id);
        for id in one.ids().iter().filter(|id| !is_known(id)) {
            broken.push(format!("{path}:{line}: {name}: there is no capability {id}"));
        }
        if let Some(number) = one.trap()
            && !(number.len() == 2 && number.parse().is_ok_and(|number: u32| TRAPS.contains(&number)))
        {
            broken.push(format!("{path}:{line}: {name}: a trap is 01 to {}", TRAPS.end()));
        }
        if !is_test {
            broken.push(format!("{path}:{line}: {name} is named as a test and is none"));
        }
    }
    broken
}

/// Every region without its pack, every pack without its row, and every pair that has not one name and one parent.
pub(crate) fn unmatched(requirements: &Requirements, packs: &[File]) -> Vec<String> {
    let mut packs: BTreeMap<&str, &File> = packs
        .iter()
        .filter_map(|pack| Some((pack.path.strip_prefix("policies/")?.strip_suffix(".toml")?, pack)))
        .collect();
    let mut broken = Vec::new();
    for region in &requirements.regions {
        let id = region.pack_id.as_str();
        let Some(pack) = packs.remove(id) else {
            broken.push(format!("policies/{id}.toml: {} has no pack", region.name_zh));
            continue;
        };
        for (name, own) in
            [("name_zh", Some(region.name_zh.as_str())), ("parent_pack", region.parent.as_deref())]
        {
            let said = field(&pack.text, name);
            if said != own {
                broken.push(format!("{}: {name} is {said:?}, in the requirements {own:?}", pack.path));
            }
        }
    }
    broken.extend(packs.keys().map(|id| format!("policies/{id}.toml: has no row in docs/requirements.md")));
    broken
}
