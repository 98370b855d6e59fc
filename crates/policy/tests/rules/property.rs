use chrono::Days;
use policy::Policy;
use policy::fee::{self, Basis, LessonDay, Offering, Tariff};
use policy::vocabulary::{BasisPoints, DayPart, Stage};
use policy::waiver::{self, Effect};
use proptest::prelude::*;
use shared::value::Fen;
use std::sync::Arc;

use crate::support::{day, fen, folder, load, made_of, supplemented};

fn capped(hour: i64, of_day: i64) -> Arc<Policy> {
    let (hour, of_day) = (hour.to_string(), of_day.to_string());
    made_of(&[
        ("fee.parent_fee_mode", "\"ceiling\"", "exact"),
        ("fee.parent_fee_cap_fen_per_class_hour", &hour, "ceiling"),
        ("fee.parent_fee_cap_fen_per_day", &of_day, "ceiling"),
    ])
}

fn tariff(basis: Basis, amount: i64) -> Tariff {
    Tariff {
        stage: Stage::Primary,
        basis,
        amount: fen(amount),
        slot_kind: DayPart::Afternoon,
        offering: Offering::Service,
        approval_document: None,
    }
}

fn weeks() -> impl Strategy<Value = Vec<LessonDay>> {
    let lesson = (0_u64..40, 0_u32..8, 0_i64..3_000).prop_map(|(offset, class_hours, already)| LessonDay {
        date: day("2026-09-01") + Days::new(offset),
        class_hours,
        already_charged: fen(already),
    });
    proptest::collection::vec(lesson, 0..30)
}

fn basis() -> impl Strategy<Value = Basis> {
    prop_oneof![Just(Basis::ClassHour), Just(Basis::Day)]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_charge_exceeds_a_ceiling(
        hour in 1_i64..2_000, of_day in 1_i64..5_000, amount in 1_i64..2_500, basis in basis(), days in weeks(),
    ) {
        let policy = capped(hour, of_day);
        let Ok(charge) = fee::charge(&policy, &tariff(basis, amount), &days) else {
            let is_above = match basis {
                Basis::ClassHour => amount > hour || amount > of_day,
                _ => amount > of_day,
            };
            prop_assert!(is_above, "refused below every ceiling");
            return Ok(());
        };
        for charged in &charge.days {
            let already = days.iter().filter(|day| day.date == charged.date).map(|day| day.already_charged).max();
            let already = already.unwrap_or_default();
            prop_assert!(charged.charged >= Fen::ZERO);
            prop_assert!(charged.charged <= charged.before_cap);
            prop_assert!(charged.charged.get() <= hour * i64::from(charged.class_hours));
            prop_assert!(charged.charged.get() <= (of_day - already.get()).max(0));
        }
    }

    #[test]
    fn the_explanation_and_the_amount_agree(
        hour in 1_i64..2_000, of_day in 2_000_i64..5_000, basis in basis(), days in weeks(),
    ) {
        let policy = capped(hour, of_day);
        let charge = fee::charge(&policy, &tariff(basis, hour), &days).expect("a price at the ceiling stands");

        let sum = Fen::total(charge.days.iter().map(|day| day.charged)).expect("a sum");
        prop_assert_eq!(charge.total, sum);
        let is_cut = charge.days.iter().any(|day| day.charged < day.before_cap);
        let names_cap = charge.clauses.iter().any(|clause| clause.key == "parent_fee_cap_fen_per_day");
        prop_assert!(!is_cut || names_cap);
        let said = fen(of_day).to_string();
        prop_assert!(charge.clauses.iter().any(|clause| clause.value.zh.contains(&said)));
    }

    #[test]
    fn a_tighter_supplement_never_raises_a_charge(
        hour in 100_i64..2_000, of_day in 100_i64..5_000, less in 0_i64..100, days in weeks(),
    ) {
        let (hours, of_days, tighter) = (hour.to_string(), of_day.to_string(), (of_day - less).to_string());
        let keys = [
            ("fee.parent_fee_mode", "\"ceiling\"", "exact"),
            ("fee.parent_fee_cap_fen_per_class_hour", hours.as_str(), "ceiling"),
            ("fee.parent_fee_cap_fen_per_day", of_days.as_str(), "ceiling"),
        ];
        let amount = 100.min(hour).min(of_day);
        let above = fee::charge(&made_of(&keys), &tariff(Basis::ClassHour, amount), &days).expect("a charge");
        let policy = supplemented(&keys, &[("fee.parent_fee_cap_fen_per_day", &tighter)]);
        if let Ok(below) = fee::charge(&policy, &tariff(Basis::ClassHour, amount), &days) {
            prop_assert!(below.total <= above.total);
        }
    }

    #[test]
    fn a_waiver_never_raises_a_charge_and_loses_no_fen(
        charge in 0_i64..=i64::MAX, rate in 0_u32..=10_000, less in any::<bool>(),
    ) {
        let rounding = if less { "\"family_pays_less\"" } else { "\"family_pays_more\"" };
        let policy = supplemented(&[], &[("waiver.partial_waiver_rounding", rounding)]);
        let effect = Effect::Partial { rate_bp: BasisPoints::new(rate), clauses: vec![] };

        let waived = waiver::apply(&policy, fen(charge), &effect).expect("a waiver");

        prop_assert!(waived.payable <= waived.charge && waived.payable >= Fen::ZERO);
        prop_assert_eq!(waived.payable.plus(waived.waived), Ok(fen(charge)));
        let exact = i128::from(charge) * i128::from(10_000 - rate);
        let off = i128::from(waived.payable.get()) * 10_000 - exact;
        let is_rounded_as_said = if less { (-9_999..=0).contains(&off) } else { (0..=9_999).contains(&off) };
        prop_assert!(is_rounded_as_said);
    }

    #[test]
    fn a_damaged_file_is_told_by_line_and_never_a_panic(
        from in 0_usize..4_000, length in 0_usize..40, scribble in "[a-z0-9\\[\\]{}=\"., \n#-]{0,12}",
    ) {
        let whole: Vec<char> = std::fs::read_to_string(folder().join("hunan_zhuzhou.toml")).expect("a pack").chars().collect();
        let from = from.min(whole.len());
        let to = (from + length).min(whole.len());
        let damaged: String = whole[..from].iter().copied().chain(scribble.chars()).chain(whole[to..].iter().copied()).collect();

        let loaded = load(&[("hunan_zhuzhou.toml", &damaged)]);

        let lines = damaged.lines().count() + 1;
        for problem in loaded.err().unwrap_or_default() {
            prop_assert!((1..=lines).contains(&problem.line), "{problem}");
        }
    }
}
