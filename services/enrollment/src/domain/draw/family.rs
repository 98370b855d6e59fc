//! Which pupils draw together: those who say so and share a guardian, directly or through a sibling.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use shared::value::{Guardian, Id, Pupil as PupilKind};
use uuid::Uuid;

/// Gives what stands for the family of each pupil who draws together with another. `guardians` are those of every pupil who says so.
#[must_use]
pub fn families(guardians: &BTreeMap<Id<PupilKind>, BTreeSet<Id<Guardian>>>) -> HashMap<Id<PupilKind>, Uuid> {
    // Each pupil stands with the first of the family found so far; ascending, so that the first is the smallest id.
    let mut first: BTreeMap<Id<PupilKind>, Id<PupilKind>> = guardians.keys().map(|id| (*id, *id)).collect();
    let mut of_guardian: BTreeMap<Id<Guardian>, Id<PupilKind>> = BTreeMap::new();
    for (pupil, own) in guardians {
        for guardian in own {
            let Some(sibling) = of_guardian.insert(*guardian, *pupil) else { continue };
            let (one, other) = (first[pupil], first[&sibling]);
            let (head, joining) = (one.min(other), one.max(other));
            first.values_mut().filter(|of| **of == joining).for_each(|of| *of = head);
        }
    }
    let mut counts: BTreeMap<Id<PupilKind>, u32> = BTreeMap::new();
    for head in first.values() {
        *counts.entry(*head).or_default() += 1;
    }
    first.into_iter().filter(|(_, head)| counts[head] > 1).map(|(pupil, head)| (pupil, head.uuid())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::admission::tests::id;

    #[test]
    fn siblings_are_found_through_each_other_and_a_pupil_alone_has_no_family() {
        let of = |guardians: &[u128]| guardians.iter().map(|guardian| id(*guardian)).collect::<BTreeSet<_>>();
        let guardians = BTreeMap::from([
            (id(1), of(&[10])),
            (id(2), of(&[11])),
            (id(3), of(&[10, 11])),
            (id(4), of(&[12])),
        ]);

        let families = families(&guardians);

        let head = Uuid::from_u128(1);
        assert_eq!(families, HashMap::from([(id(1), head), (id(2), head), (id(3), head)]));
    }
}
