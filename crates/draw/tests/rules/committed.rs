//! The commitment: every leaf can be proved, and nothing else.

use draw::commitment::{ReceiptError, pupil_leaf, terms_leaf};
use draw::{Commitment, Hash, Input, PupilIndex, Root, RoundSalt, check_proof};

use crate::support::{Dice, SMALL, id, plain_terms, round, wishing};

fn of_size(pupil_count: u32) -> Input {
    Input::new(plain_terms(&[3]), (0..pupil_count).map(|at| wishing(at, &[0])).collect()).unwrap()
}

fn leaves(input: &Input) -> Vec<Vec<u8>> {
    let terms = terms_leaf(input.terms(), input.pupils().len());
    std::iter::once(terms).chain(input.pupils().iter().map(pupil_leaf)).collect()
}

#[test]
fn every_leaf_of_every_size_of_tree_is_proved_and_no_other() {
    for pupil_count in 0..34 {
        let input = of_size(pupil_count);
        let commitment = Commitment::of(&input);
        let root = commitment.root();
        let leaves = leaves(&input);

        for (leaf, at) in leaves.iter().zip(0..) {
            let proof = commitment.prove(at).unwrap();
            assert!(check_proof(&root, leaf, &proof));
            for (other, other_at) in leaves.iter().zip(0..) {
                assert!(other_at == at || !check_proof(&root, other, &proof));
            }
        }
        assert_eq!(commitment.prove(pupil_count + 1), None);
    }
}

#[test]
fn a_proof_bent_anywhere_proves_nothing() {
    let input = of_size(12);
    let commitment = Commitment::of(&input);
    let root = commitment.root();
    let leaves = leaves(&input);
    for (leaf, at) in leaves.iter().zip(0..) {
        let proof = commitment.prove(at).unwrap();
        let mut bent = Vec::new();
        for step in 0..proof.path.len() {
            let mut other = proof.clone();
            let mut bytes = *other.path[step].bytes();
            bytes[31] ^= 1;
            other.path[step] = Hash::new(bytes);
            bent.push(other);
            let mut shorter = proof.clone();
            shorter.path.remove(step);
            bent.push(shorter);
        }
        let mut longer = proof.clone();
        longer.path.push(Hash::new([0; 32]));
        bent.push(longer);
        for count in (0..40).filter(|count| *count != proof.leaf_count) {
            bent.push(draw::Proof { leaf_count: count, ..proof.clone() });
        }
        bent.push(draw::Proof { leaf: u32::MAX, ..proof.clone() });
        bent.push(draw::Proof { leaf: u32::MAX - 1, leaf_count: u32::MAX, ..proof.clone() });

        for other in bent {
            assert!(!check_proof(&root, leaf, &other), "{other:?}");
        }
        let longer_leaf = [leaf.as_slice(), &[0]].concat();
        assert!(!check_proof(&root, &longer_leaf, &proof));
        assert!(!check_proof(&Root::new(Hash::new([1; 32])), leaf, &proof));
    }
}

#[test]
fn a_node_cannot_be_passed_off_as_a_leaf() {
    let input = of_size(3);
    let commitment = Commitment::of(&input);
    let proofs: Vec<_> = (0..4).map(|at| commitment.prove(at).unwrap()).collect();

    // The two lower hashes joined are the bytes under a node.
    let joined = [proofs[1].path[0].bytes().as_slice(), proofs[0].path[0].bytes()].concat();
    let upper = draw::Proof { leaf: 0, leaf_count: 2, path: vec![proofs[0].path[1]] };

    assert!(!check_proof(&commitment.root(), &joined, &upper));
}

#[test]
fn a_receipt_holds_for_its_own_pupil_and_for_nobody_else() {
    let salt = RoundSalt::new([9; 32]);
    let input = of_size(20);
    let commitment = Commitment::of(&input);
    let root = commitment.root();
    let alias = salt.alias(&id(7));
    let pupil = input.find(&alias.pseudonym).unwrap();

    let receipt = commitment.receipt(&input, pupil, alias.key).unwrap();

    assert_eq!(receipt.check(&root, &id(7)), Ok(()));
    assert_eq!(receipt.check(&root, &id(8)), Err(ReceiptError::OtherPupil));
    let other = draw::Receipt { key: salt.alias(&id(8)).key, ..receipt.clone() };
    assert_eq!(other.check(&root, &id(8)), Err(ReceiptError::OtherPupil));
    let later = Commitment::of(&of_size(21)).root();
    assert_eq!(receipt.check(&later, &id(7)), Err(ReceiptError::NotCommitted));
    let elsewhere = draw::Receipt { root: later, ..receipt.clone() };
    assert_eq!(elsewhere.check(&root, &id(7)), Err(ReceiptError::NotCommitted));
    let mut changed = receipt.clone();
    changed.entry.lists.clear();
    assert_eq!(changed.check(&root, &id(7)), Err(ReceiptError::NotCommitted));
    assert_eq!(commitment.receipt(&input, PupilIndex(99), alias.key), None);
    assert_eq!(commitment.receipt(&input, PupilIndex(u32::MAX), alias.key), None);
}

#[test]
fn different_rounds_have_different_roots() {
    let mut roots = std::collections::BTreeMap::new();
    for first in 0..400 {
        let (input, _) = round(&mut Dice(first), SMALL);
        let root = *Commitment::of(&input).root().hash();
        assert_eq!(roots.insert(root, first), None);
    }
}
