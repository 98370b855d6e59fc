use policy::waiver::{self, Effect, WaiverRefusal};
use shared::value::Fen;

use crate::support::{fen, made_of, region, supplemented};

const MIXED: &str = r#"[
  { category = "registered_poor", name_zh = "建档立卡", level = "full", basis = "pupil" },
  { category = "difficult", name_zh = "家庭经济困难", level = "partial", basis = "pupil" },
]"#;

#[test]
fn c62_zhuzhou_a_registered_poor_family_pays_nothing_for_a_week_of_4000_fen() {
    let zhuzhou = region("hunan_zhuzhou", None);

    let effect = waiver::effect(&zhuzhou, "registered_poor").expect("an effect");
    let waived = waiver::apply(&zhuzhou, fen(4_000), &effect).expect("a waiver");

    assert_eq!((waived.waived, waived.payable), (fen(4_000), Fen::ZERO));
    assert_eq!(waived.clauses.len(), 1);
}

#[test]
fn c62_jinhua_a_difficult_family_is_exempt() {
    let jinhua = region("zhejiang_jinhua", None);
    assert!(matches!(waiver::effect(&jinhua, "difficult_family"), Ok(Effect::Full { .. })));
}

#[test]
fn t23_a_category_of_one_region_means_nothing_in_another() {
    let jinhua = region("zhejiang_jinhua", None);

    let effect = waiver::effect(&jinhua, "registered_poor").expect("an effect");

    assert!(matches!(effect, Effect::NotListed { .. }));
    let unchanged = waiver::apply(&jinhua, fen(50_000), &effect).expect("no change");
    assert_eq!((unchanged.waived, unchanged.payable), (Fen::ZERO, fen(50_000)));
}

#[test]
fn t24_a_region_without_waivers_is_silent_and_not_without_mercy() {
    let silent = waiver::effect(&made_of(&[]), "low_income").unwrap_err();
    assert_eq!(silent.key, "waivers");
}

#[test]
fn c62_a_partial_waiver_without_a_rate_is_silent_until_the_district_decides() {
    let keys = [("waiver.waivers", MIXED, "exact")];

    let silent = waiver::effect(&made_of(&keys), "difficult").unwrap_err();
    assert_eq!(silent.key, "partial_waiver_rates");

    let rates = r#"[{ category = "difficult", rate_bp = 3000 }]"#;
    let decided = supplemented(&keys, &[("waiver.partial_waiver_rates", rates)]);
    let effect = waiver::effect(&decided, "difficult").expect("an effect");
    let waived = waiver::apply(&decided, fen(12_000), &effect).expect("a waiver");
    assert_eq!((waived.waived, waived.payable), (fen(3_600), fen(8_400)));
    assert_eq!(waived.clauses.len(), 2);

    let other =
        supplemented(&keys, &[("waiver.partial_waiver_rates", r#"[{ category = "x", rate_bp = 1 }]"#)]);
    assert_eq!(waiver::effect(&other, "difficult").unwrap_err().key, "partial_waiver_rates");
}

#[test]
fn t70_a_fraction_of_a_fen_needs_a_rounding_rule() {
    let keys = [("waiver.waivers", MIXED, "exact")];
    let rates = ("waiver.partial_waiver_rates", r#"[{ category = "difficult", rate_bp = 3333 }]"#);
    let cases =
        [(None, None), (Some("\"family_pays_less\""), Some(67)), (Some("\"family_pays_more\""), Some(68))];
    for (rounding, expected) in cases {
        let mut decisions = vec![rates];
        decisions.extend(rounding.map(|rounding| ("waiver.partial_waiver_rounding", rounding)));
        let policy = supplemented(&keys, &decisions);
        let effect = waiver::effect(&policy, "difficult").expect("an effect");

        let payable = waiver::apply(&policy, fen(101), &effect).map(|waived| waived.payable.get());

        match (payable, expected) {
            (Ok(payable), Some(expected)) => assert_eq!(payable, expected),
            (Err(WaiverRefusal::Silent(silent)), None) => assert_eq!(silent.key, "partial_waiver_rounding"),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_negative_charge_is_not_waived() {
    let zhuzhou = region("hunan_zhuzhou", None);
    let effect = waiver::effect(&zhuzhou, "registered_poor").expect("an effect");
    assert_eq!(waiver::apply(&zhuzhou, fen(-1), &effect), Err(WaiverRefusal::NotACharge { charge: fen(-1) }));
}
