//! Where the seed comes from.

use draw::input::Fault;
use draw::seed::{Kind, SeedError, normalise, seal};
use draw::{Commitment, Hash, Input, Problem, Seed, Source};
use proptest::prelude::*;

use crate::support::{plain_terms, source};

#[test]
fn what_people_type_between_digits_changes_nothing() {
    let lottery = source("双色球", 40, Kind::Decimal { digit_count: 14 });
    let beacon = source("beacon", 16, Kind::Hex { digit_count: 4 });
    let taken = [
        (&lottery, "03081922283107", "03081922283107"),
        (&lottery, "03 08 19 22 28 31 + 07", "03081922283107"),
        (&lottery, "０３、０８、１９，２２；２８：３１／０７", "03081922283107"),
        (&lottery, "\t03-08-19|22.28;31,07\n", "03081922283107"),
        (&beacon, "BE ef", "beef"),
    ];

    for (source, typed, digits) in taken {
        assert_eq!(normalise(source, typed).as_deref(), Ok(digits));
    }
}

#[test]
fn digits_missing_left_over_or_of_another_kind_are_refused() {
    let name = || "双色球".to_owned();
    let lottery = source("双色球", 10, Kind::Decimal { digit_count: 4 });
    let count = |found| Err(SeedError::DigitCount { source_name: name(), found, wanted: 4 });
    let not = |character| Err(SeedError::NotADigit { source_name: name(), character });

    assert_eq!(normalise(&lottery, "3 11"), count(3));
    assert_eq!(normalise(&lottery, "03 11 1"), count(5));
    assert_eq!(normalise(&lottery, ""), count(0));
    assert_eq!(normalise(&lottery, "03a1"), not('a'));
    assert_eq!(normalise(&lottery, "一二三四"), not('一'));
    let beacon = source("双色球", 10, Kind::Hex { digit_count: 4 });
    assert_eq!(normalise(&beacon, "03g1"), not('g'));
}

proptest! {
    #[test]
    fn typing_anything_gives_digits_or_a_refusal(typed in "\\PC{0,40}", count in 1_u32..10) {
        let source = source("s", 1, Kind::Decimal { digit_count: count });
        if let Ok(digits) = normalise(&source, &typed) {
            prop_assert!(digits.len() == count as usize && digits.bytes().all(|digit| digit.is_ascii_digit()));
            prop_assert_eq!(normalise(&source, &digits), Ok(digits));
        }
    }
}

fn faults(sources: Vec<Source>) -> Vec<Problem> {
    let mut terms = plain_terms(&[1]);
    terms.sources = sources;
    Input::new(terms, Vec::new()).err().unwrap_or_default()
}

#[test]
fn what_is_left_without_the_largest_contribution_must_be_128_bits() {
    let contribution = |name: &str, bits| source(name, bits, Kind::Contribution { seal: Hash::new([1; 32]) });
    let decimal = |bits, digit_count| source("balls", bits, Kind::Decimal { digit_count });
    let too_little =
        |bits| vec![Problem { field: "terms.sources".to_owned(), fault: Fault::Entropy { bits } }];

    assert_eq!(faults(vec![]), too_little(0));
    assert_eq!(faults(vec![contribution("a", 256)]), too_little(0));
    assert_eq!(faults(vec![contribution("a", 256), contribution("b", 127)]), too_little(127));
    assert_eq!(faults(vec![contribution("a", 256), contribution("b", 128)]), vec![]);
    assert_eq!(faults(vec![decimal(127, 39)]), too_little(127));
    assert_eq!(faults(vec![decimal(128, 39)]), vec![]);
    assert_eq!(faults(vec![contribution("a", 256), decimal(20, 7)]), too_little(20));
}

#[test]
fn a_source_cannot_claim_more_than_its_digits_carry() {
    let over = |kind, claimed, carried| {
        let found = faults(vec![source("a", claimed, kind)]);
        let fault = Fault::OverClaimed { claimed, carried };
        assert_eq!(found, vec![Problem { field: "terms.sources[0].bits".to_owned(), fault }]);
    };

    over(Kind::Decimal { digit_count: 39 }, 130, 129);
    over(Kind::Hex { digit_count: 32 }, 129, 128);
    let seal = Hash::new([1; 32]);
    let found = faults(vec![
        source("a", 257, Kind::Contribution { seal }),
        source("b", 128, Kind::Hex { digit_count: 32 }),
    ]);
    assert_eq!(found[0].fault, Fault::OverClaimed { claimed: 257, carried: 256 });
    let none = faults(vec![source("a", 0, Kind::Decimal { digit_count: 0 })]);
    assert_eq!(none[0].field, "terms.sources[0].kind.digit_count");
}

#[test]
fn a_contribution_opens_only_its_own_seal() {
    let (mine, yours) = (Hash::new([1; 32]), Hash::new([2; 32]));
    let mut terms = plain_terms(&[1]);
    let sealed = |name: &str, value| seal(&terms.round_id, terms.act, name, value);
    let sources = vec![
        source("甲", 256, Kind::Contribution { seal: sealed("甲", &mine) }),
        source("乙", 256, Kind::Contribution { seal: sealed("乙", &yours) }),
    ];
    terms.sources = sources;
    let input = Input::new(terms, Vec::new()).unwrap();
    let root = Commitment::of(&input).root();
    let open = |values: &[String]| Seed::combine(input.terms(), &root, values);

    assert!(open(&[mine.to_string(), yours.to_string()]).is_ok());
    let other = || Err(SeedError::OtherThanSealed { source_name: "甲".to_owned() });
    assert_eq!(open(&[yours.to_string(), mine.to_string()]), other());
    assert_eq!(open(&[mine.to_string()]), Err(SeedError::Count { found: 1, wanted: 2 }));
    // A seal copied from another, or kept from another act, opens with nothing.
    assert_ne!(seal("r", 1, "甲", &mine), seal("r", 1, "乙", &mine));
    assert_ne!(seal("r", 1, "甲", &mine), seal("r", 2, "甲", &mine));
    assert_ne!(seal("r", 1, "甲", &mine), seal("s", 1, "甲", &mine));
}

#[test]
fn the_seed_follows_from_the_lists_and_from_every_value() {
    let mut terms = plain_terms(&[1]);
    terms.sources.push(source("balls", 9, Kind::Decimal { digit_count: 3 }));
    let input = Input::new(terms.clone(), Vec::new()).unwrap();
    terms.sections[0].capacity = 2;
    let wider = Input::new(terms, Vec::new()).unwrap();
    let seed = |input: &Input, hex: &str, balls: &str| {
        let root = Commitment::of(input).root();
        Seed::combine(input.terms(), &root, &[hex.repeat(64), balls.to_owned()]).unwrap()
    };

    let first = seed(&input, "a", "123");

    assert_eq!(first, seed(&input, "A", "1 2 3"));
    assert_ne!(first, seed(&input, "b", "123"));
    assert_ne!(first, seed(&input, "a", "124"));
    assert_ne!(first, seed(&wider, "a", "123"));
    assert_ne!(first, Seed::rehearsal("a"));
}
