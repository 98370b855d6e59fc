use policy::gov::{self, GovRefusal, Heads};
use policy::vocabulary::MatchBase;
use shared::value::Fen;

use crate::support::{fen, made_of, region, repository_with, supplement_text, supplemented};

fn silent_key(refusal: GovRefusal) -> &'static str {
    match refusal {
        GovRefusal::Silent(silent) => silent.key,
        other => panic!("not silent: {other:?}"),
    }
}

const fn heads(enrolled: u32, participants: u32) -> Heads {
    Heads { enrolled, participants }
}

/// A region of the repository with a made-up supplement.
fn decided(pack_id: &str, decisions: &[(&str, &str)]) -> std::sync::Arc<policy::Policy> {
    let own = supplement_text("own", pack_id, decisions);
    let (_dir, packs) = repository_with(&[("supplements/own.toml".to_owned(), own)]);
    packs.policy(pack_id, Some("own")).expect("the policy")
}

#[test]
fn c69_money_of_a_year_goes_by_the_heads_the_region_counts() {
    let cases = [
        ("guangdong_shenzhen", "\"enrolled\"", heads(800, 500), 80_000_000),
        ("guangdong_shenzhen", "\"participants\"", heads(800, 500), 50_000_000),
        ("shandong_rizhao", "\"enrolled\"", heads(1_000, 1), 12_000_000),
    ];
    for (pack_id, basis, heads, expected) in cases {
        let silent = gov::per_head(&region(pack_id, None), heads).unwrap_err();
        assert_eq!(silent_key(silent), "gov_head_count_basis", "{pack_id}");
        let grant = gov::per_head(&decided(pack_id, &[("gov.gov_head_count_basis", basis)]), heads);
        let grant = grant.expect("a grant");
        assert_eq!((grant.amount, grant.clauses.len()), (fen(expected), 2), "{pack_id} {basis}");
    }
    assert_eq!(
        silent_key(gov::per_head(&region("hebei", None), heads(1, 1)).unwrap_err()),
        "gov_fen_per_pupil_per_year"
    );
}

#[test]
fn c69_a_share_of_the_enrolled_is_taken_of_the_money_exactly() {
    let keys = [
        ("gov.gov_fen_per_pupil_per_year", "101", "exact"),
        ("gov.gov_head_count_basis", "\"enrolled_share\"", "exact"),
        ("gov.enrolled_share_bp", "3000", "exact"),
    ];
    let amount = |policy: &policy::Policy, enrolled| {
        gov::per_head(policy, heads(enrolled, 0)).map(|grant| grant.amount)
    };
    // 101 × 3 × 30% = 90.9
    assert_eq!(silent_key(amount(&made_of(&keys), 3).unwrap_err()), "gov_rounding");
    assert_eq!(amount(&made_of(&keys), 10), Ok(fen(303)));
    let down = supplemented(&keys, &[("gov.gov_rounding", "\"down\"")]);
    let up = supplemented(&keys, &[("gov.gov_rounding", "\"up\"")]);
    assert_eq!((amount(&down, 3), amount(&up, 3)), (Ok(fen(90)), Ok(fen(91))));
    assert_eq!((amount(&down, 10), amount(&up, 10)), (Ok(fen(303)), Ok(fen(303))));
    let shareless = made_of(&keys[..2]);
    assert_eq!(silent_key(amount(&shareless, 3).unwrap_err()), "enrolled_share_bp");
}

#[test]
fn c69_a_grant_for_a_part_of_the_region_goes_to_districts_that_lie_in_it() {
    let jiangsu = region("jiangsu", None);
    assert_eq!(silent_key(gov::scoped(&jiangsu, heads(10_000, 1)).unwrap_err()), "gov_scopes");

    let inside = decided("jiangsu", &[("gov.gov_scopes", "[\"subei\"]")]);
    let money = gov::scoped(&inside, heads(10_000, 1)).expect("a grant");
    assert_eq!(money.len(), 1);
    assert_eq!((money[0].scope.as_str(), money[0].grant.amount), ("subei", fen(90_000_000)));

    let outside = decided("jiangsu", &[("gov.gov_scopes", "[]")]);
    assert_eq!(gov::scoped(&outside, heads(10_000, 1)), Ok(vec![]));
    assert_eq!(
        silent_key(gov::scoped(&region("hebei", None), heads(1, 1)).unwrap_err()),
        "gov_scoped_grants"
    );
}

#[test]
fn c69_hefei_guarantees_at_least_so_much_for_those_who_take_part() {
    let hefei = region("anhui_hefei", None);
    let grant = gov::floor_per_term(&hefei, 120).expect("a floor");
    assert_eq!(grant.amount, fen(1_800_000));
    assert_eq!(gov::floor_per_term(&hefei, 0).expect("a floor").amount, Fen::ZERO);
    let silent = gov::floor_per_term(&region("hebei", None), 1).unwrap_err();
    assert_eq!(silent_key(silent), "gov_floor_fen_per_participant_per_term");
}

#[test]
fn c70_a_matching_subsidy_is_a_share_of_its_own_base_only() {
    let shangyu = region("zhejiang_shangyu", None);
    let rizhao = region("shandong_rizhao", None);

    let parents = gov::matching(&shangyu, MatchBase::ParentPayments, fen(1_000_000)).expect("a subsidy");
    let district = gov::matching(&rizhao, MatchBase::DistrictMoney, fen(12_000_000)).expect("a subsidy");
    let wrong = gov::matching(&shangyu, MatchBase::DistrictMoney, fen(1_000_000)).unwrap_err();

    assert_eq!((parents.amount, district.amount), (fen(300_000), fen(2_400_000)));
    assert!(matches!(wrong, GovRefusal::WrongBase { stated: MatchBase::ParentPayments, .. }));
    let baseless = made_of(&[("gov.gov_match_bp", "2000", "exact")]);
    let silent = gov::matching(&baseless, MatchBase::DistrictMoney, fen(1)).unwrap_err();
    assert_eq!(silent_key(silent), "gov_match_base");
    let negative = gov::matching(&shangyu, MatchBase::ParentPayments, fen(-1)).unwrap_err();
    assert_eq!(negative, GovRefusal::Negative { amount: fen(-1) });
}

#[test]
fn c71_jiaojiang_tops_up_what_fees_leave_open() {
    let jiaojiang = region("zhejiang_jiaojiang", None);
    let gap = |cost, fees| gov::shortfall(&jiaojiang, fen(cost), fen(fees)).expect("a gap").amount.get();
    assert_eq!(gap(7_000_000, 6_000_000), 1_000_000);
    assert_eq!(gap(6_000_000, 6_000_000), 0);
    assert_eq!(gap(5_000_000, 6_000_000), 0);
    assert_eq!(
        silent_key(gov::shortfall(&region("hebei", None), fen(1), fen(0)).unwrap_err()),
        "gov_shortfall_covered"
    );
    let uncovered = made_of(&[("gov.gov_shortfall_covered", "false", "exact")]);
    assert!(matches!(gov::shortfall(&uncovered, fen(1), fen(0)), Err(GovRefusal::NotCovered { .. })));
    assert!(matches!(gov::shortfall(&jiaojiang, fen(-1), fen(0)), Err(GovRefusal::Negative { .. })));
}

#[test]
fn c04_public_money_beyond_64_bits_is_refused() {
    let vast = made_of(&[
        ("gov.gov_fen_per_pupil_per_year", "9223372036854775807", "exact"),
        ("gov.gov_head_count_basis", "\"enrolled\"", "exact"),
    ]);
    assert!(gov::per_head(&vast, heads(1, 1)).is_ok());
    assert!(matches!(gov::per_head(&vast, heads(2, 1)), Err(GovRefusal::Fen(_))));
}
