//! The format stays what it is: the worked example of `docs/draw.md`, byte for byte. A change here is a new format.

use std::fs;
use std::path::{Path, PathBuf};

use draw::seed::{Kind, seal};
use draw::{
    Bundle, GroupIndex, Hash, Input, List, Mode, Pupil, Reserve, Root, RoundSalt, Section, SectionIndex,
    Siblings, SlotIndex, Terms, sentence, verify,
};

use crate::support::{id, source};

fn example_file() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/draw/example.json")
}

/// Two slots, three sections, a tier, a reserve, a settled pupil, siblings, a tail, and every kind of source.
fn example() -> (Input, Vec<String>) {
    let section = |code: &str, slot, capacity| Section {
        code: code.to_owned(),
        slot: SlotIndex(slot),
        capacity,
        tiers: Vec::new(),
        reserves: Vec::new(),
    };
    let mut sections =
        vec![section("周一书法", 0, 2), section("周一篮球", 0, 3), section("周二机器人", 1, 3)];
    sections[0].tiers = vec![vec![GroupIndex(0)]];
    sections[2].reserves = vec![Reserve { group: GroupIndex(1), seats: 1 }];
    let contribution = Hash::new([7; 32]);
    let (round_id, act) = ("2026 autumn", 2);
    let terms = Terms {
        round_id: round_id.to_owned(),
        act,
        previous_root: Some(Root::new(Hash::new([17; 32]))),
        mode: Mode::Ranked,
        siblings: Siblings::Together,
        slots: vec!["周一".to_owned(), "周二".to_owned()],
        groups: vec!["A".to_owned(), "B".to_owned()],
        sections,
        sources: vec![
            source("公证摇号", 132, Kind::Decimal { digit_count: 40 }),
            source("beacon", 40, Kind::Hex { digit_count: 10 }),
            source(
                "家长代表",
                256,
                Kind::Contribution { seal: seal(round_id, act, "家长代表", &contribution) },
            ),
        ],
    };
    let salt = RoundSalt::new([5; 32]);
    let pupil = |at: u32| {
        let alias = salt.alias(&id(at));
        let ranked = [vec![0, 1], vec![1], vec![0], vec![0, 1], vec![1, 0], vec![]][at as usize].clone();
        let list = |slot, ranked: &[u32], any_of: &[u32]| List {
            slot: SlotIndex(slot),
            ranked: ranked.iter().copied().map(SectionIndex).collect(),
            any_of: any_of.iter().copied().map(SectionIndex).collect(),
        };
        let monday = if ranked.is_empty() { list(0, &[], &[0, 1]) } else { list(0, &ranked, &[]) };
        let is_settled = at == 4;
        Pupil {
            pseudonym: alias.pseudonym,
            salt: alias.salt,
            family: (at < 2).then(|| salt.family(&id(90))),
            groups: [vec![0], vec![], vec![1], vec![0, 1], vec![], vec![]][at as usize]
                .iter()
                .copied()
                .map(GroupIndex)
                .collect(),
            settled: if is_settled { vec![SectionIndex(2)] } else { Vec::new() },
            lists: if is_settled { vec![monday] } else { vec![monday, list(1, &[2], &[])] },
        }
    };
    let values = vec!["1234567890".repeat(4), "0123456789".to_owned(), contribution.to_string()];
    (Input::new(terms, (0..6).map(pupil).collect()).unwrap(), values)
}

#[test]
fn the_worked_example_is_drawn_as_published() {
    let (input, values) = example();

    let bundle = Bundle::draw(&input, &values).unwrap();

    let published = Bundle::parse(&fs::read_to_string(example_file()).unwrap()).unwrap();
    assert_eq!(bundle, published);
    let report = verify(&published).unwrap();
    assert_eq!(
        report.root.hash().to_string(),
        "3db6b9bdeac9c762a0c177b70bba0281ae8bd53d1129bc5e4f146e56fead786f"
    );
    assert_eq!(
        report.seed.hash().to_string(),
        "4a412f68c96f15ed59f6e7f7af58b2a76e460bb6ccdda75cf6c07ed0d9b77ac4"
    );
    assert_eq!(
        report.outcome_digest.to_string(),
        "ea7fc6eb38a07be6c74703bfa53ee9f3631734a0caa22980ab6f3a89c889001c"
    );
    assert_eq!((report.act, report.pupil_count, report.admitted_count, report.refused_count), (2, 6, 7, 4));
    let outcomes = published.outcome.by_pupil(&input);
    let refusals = outcomes.iter().flat_map(|pupil| &pupil.refusals);
    let sentences: Vec<String> = refusals.map(sentence::zh).collect();
    let club = "3 个名额（1 个抽签前已确认，1 个按预留录取），最后录取号 2";
    let with_own = |number| format!("{club}，您的号 {number}");
    let calligraphy = "2 个名额，由优先类别录满，您的号 5".to_owned();
    assert_eq!(sentences, [with_own(5), with_own(3), with_own(6), calligraphy]);
}

#[test]
fn the_document_has_the_examples_hashes() {
    let document = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/draw.md");
    let document = fs::read_to_string(document).unwrap();
    let published = Bundle::parse(&fs::read_to_string(example_file()).unwrap()).unwrap();

    for hash in [published.root.hash(), published.outcome.seed.hash(), &published.outcome_digest] {
        assert!(document.contains(&hash.to_string()), "{hash}");
    }
}

#[test]
fn an_alias_and_a_seal_are_made_as_the_document_shows() {
    let mut salt = [0; 32];
    for (byte, value) in salt.iter_mut().zip(0..) {
        *byte = value;
    }
    let pupil_id = 0x0190_a1b2_c3d4_7e5f_8a9b_0c1d_2e3f_4a5b_u128.to_be_bytes();
    let alias = RoundSalt::new(salt).alias(&pupil_id);
    let document = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/draw.md");
    let document = fs::read_to_string(document).unwrap();

    let sealed = seal("2026 autumn", 1, "家长代表", &Hash::new([7; 32]));

    for hash in [alias.key, alias.pseudonym, alias.salt, RoundSalt::new(salt).family(&pupil_id), sealed] {
        assert!(document.contains(&hash.to_string()), "{hash}");
    }
}
