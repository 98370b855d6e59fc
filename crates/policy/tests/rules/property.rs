use std::collections::BTreeSet;
use std::sync::{Arc, LazyLock};

use chrono::{Datelike, Days};
use policy::explain::{self, Line};
use policy::fee::{self, Basis, LessonDay, Offering, Tariff};
use policy::vocabulary::{BasisPoints, DayPart, FeeMode, SlotCapCombination, Stage, WaiverLevel};
use policy::waiver::{self, Effect};
use policy::{Binding, Packs, Policy, Standing};
use proptest::prelude::*;
use shared::value::Fen;
use tempfile::TempDir;

use crate::support::{day, fen, folder, load, made_of, real, repository_with, supplement_text, supplemented};

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

/// All packs of the repository, each alone and, where parents pay, with supplements that decide what is silent (`decided_…`)
/// and that do so and lower every ceiling (`lower_…`).
struct Everywhere {
    packs: Packs,
    _dir: TempDir,
}

static EVERYWHERE: LazyLock<Everywhere> = LazyLock::new(|| {
    let paying = real().current().filter(|policy| policy.supplement().is_none());
    let paying = paying.filter(|policy| fee::stated(policy).is_ok());
    let files: Vec<(String, String)> = paying
        .flat_map(|policy| {
            let pack_id = policy.pack_id();
            let decided: Vec<(&str, String)> = decisions(policy).collect();
            let lower: Vec<(&str, String)> = decided.iter().cloned().chain(lowered(policy)).collect();
            [(format!("decided_{pack_id}"), decided), (format!("lower_{pack_id}"), lower)].map(
                |(name, keys)| {
                    let keys: Vec<(&str, &str)> =
                        keys.iter().map(|(key, value)| (*key, value.as_str())).collect();
                    (format!("supplements/{name}.toml"), supplement_text(&name, pack_id, &keys))
                },
            )
        })
        .collect();
    assert!(files.len() >= 12, "several regions have fees");
    let (dir, packs) = repository_with(&files);
    Everywhere { packs, _dir: dir }
});

/// What a district has to decide before anything can be charged or waived.
fn decisions(policy: &Policy) -> impl Iterator<Item = (&'static str, String)> {
    let waivers = policy.waiver.waivers.get().cloned().unwrap_or_default();
    let partial =
        waivers.iter().filter(|waiver| waiver.level == WaiverLevel::Partial && waiver.rate_bp.is_none());
    let rates: Vec<String> =
        partial.map(|waiver| format!("{{ category = \"{}\", rate_bp = 3333 }}", waiver.category)).collect();
    let rates =
        (!rates.is_empty()).then(|| ("waiver.partial_waiver_rates", format!("[{}]", rates.join(", "))));
    let rounding = ("waiver.partial_waiver_rounding", "\"family_pays_less\"".to_owned());
    [("fee.proration_rule", "\"whole_month\"".to_owned()), rounding].into_iter().chain(rates)
}

/// Every ceiling of a policy, lowered to three quarters.
fn lowered(policy: &Policy) -> Vec<(&'static str, String)> {
    let fee = &policy.fee;
    let single = [
        ("fee.parent_fee_cap_fen_per_class_hour", &fee.parent_fee_cap_fen_per_class_hour),
        ("fee.parent_fee_cap_fen_per_day", &fee.parent_fee_cap_fen_per_day),
        ("fee.parent_fee_cap_fen_per_term", &fee.parent_fee_cap_fen_per_term),
        ("fee.personalised_course_parent_cap_fen_per_term", &fee.personalised_course_parent_cap_fen_per_term),
    ];
    let lower = |cap: &Fen| (cap.get() * 3 / 4).to_string();
    let mut keys: Vec<_> = single.iter().filter_map(|(key, cap)| Some((*key, lower(cap.get()?)))).collect();
    if let Some(caps) = fee.slot_fee_cap_fen_per_month.get() {
        let caps: Vec<String> = caps.iter().map(lower).collect();
        keys.push(("fee.slot_fee_cap_fen_per_month", format!("[{}]", caps.join(", "))));
    }
    keys
}

/// A price on any basis: at, just beside or somewhere below what the region states for it.
fn price(
    policy: &Policy,
    basis: Basis,
    offering: Offering,
    stage: Stage,
    near: i64,
    per_mille: i64,
) -> Tariff {
    let fees = fee::stated(policy).unwrap_or_default();
    let own = fees.iter().find(|fee| fee.basis == basis && fee.offering == offering).or(fees.first());
    let stated = own.map_or(500, |fee| fee.amount.get());
    let amount = if near.abs() <= 1 { stated + near } else { stated * per_mille / 1_000 };
    Tariff { stage, offering, ..tariff(basis, amount) }
}

fn any_basis() -> impl Strategy<Value = Basis> {
    prop_oneof![
        Just(Basis::ClassHour),
        Just(Basis::Day),
        Just(Basis::Term),
        Just(Basis::Month),
        (1_u32..3).prop_map(|end_slot| Basis::SlotMonth { end_slot }),
    ]
}

fn any_offering() -> impl Strategy<Value = Offering> {
    prop_oneof![3 => Just(Offering::Service), 1 => Just(Offering::PersonalisedCourse)]
}

fn any_stage() -> impl Strategy<Value = Stage> {
    prop_oneof![3 => Just(Stage::Primary), 1 => Just(Stage::Junior)]
}

fn at_most(amount: Fen, cap: Option<&Fen>) -> bool {
    cap.is_none_or(|cap| amount <= *cap)
}

/// The most of a month up to a slot, worked out here again.
fn month_cap(policy: &Policy, end_slot: u32) -> Option<Fen> {
    let caps = policy.fee.slot_fee_cap_fen_per_month.get()?;
    let up_to = &caps[..usize::try_from(end_slot).ok()?];
    match policy.fee.slot_cap_combination.get() {
        Some(SlotCapCombination::Sum) => Fen::total(up_to.iter().copied()).ok(),
        Some(SlotCapCombination::ByEndSlot) | None => up_to.last().copied(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn c56_no_charge_of_any_region_exceeds_a_ceiling_it_states(
        basis in any_basis(), offering in any_offering(), stage in any_stage(),
        near in -3_i64..4, per_mille in 1_i64..1_100, days in weeks(),
    ) {
        for policy in EVERYWHERE.packs.current() {
            let tariff = price(policy, basis, offering, stage, near, per_mille);
            let Ok(charge) = fee::charge(policy, &tariff, &days) else { continue };
            let fee = &policy.fee;
            prop_assert!(matches!(fee.parent_fee_mode.get(), Some(FeeMode::Exact | FeeMode::Ceiling | FeeMode::Average)));
            prop_assert!(at_most(charge.total, fee.parent_fee_cap_fen_per_term.get()));
            if offering == Offering::PersonalisedCourse {
                prop_assert!(at_most(charge.total, fee.personalised_course_parent_cap_fen_per_term.get()));
            }
            if let Basis::SlotMonth { end_slot } = basis {
                let months = days.iter().filter(|day| day.class_hours > 0).map(|day| day.date.month());
                let months = i64::try_from(months.collect::<BTreeSet<_>>().len()).expect("few months");
                let cap = month_cap(policy, end_slot).expect("a ceiling");
                prop_assert!(charge.total <= cap.times(months).expect("a sum"));
            }
            if basis == Basis::Term && offering == Offering::Service && let Some(stated) = fee.parent_fee_fen_per_term.get() {
                prop_assert!(charge.total == *stated || charge.total.is_zero());
            }
            for day in &charge.days {
                let already = days.iter().filter(|other| other.date == day.date).map(|other| other.already_charged).max();
                let in_all = day.charged.plus(already.unwrap_or_default()).expect("a sum");
                prop_assert!(day.charged.is_zero() || at_most(in_all, fee.parent_fee_cap_fen_per_day.get()));
                let by_hours = fee.parent_fee_cap_fen_per_class_hour.get();
                let by_hours = by_hours.map(|cap| cap.times(i64::from(day.class_hours)).expect("a sum"));
                prop_assert!(at_most(day.charged, by_hours.as_ref()));
            }
        }
    }

    #[test]
    fn c58_no_sum_over_all_courses_of_any_region_exceeds_a_ceiling_it_states(
        parts in proptest::collection::vec((1_u32..3, 0_i64..1_200, any_offering()), 0..6),
    ) {
        for policy in EVERYWHERE.packs.current() {
            let fee = &policy.fee;
            let most = fee::stated(policy).unwrap_or_default().iter().map(|fee| fee.amount.get()).max().unwrap_or(1_000);
            let amount = |per_mille: i64| fen(most * per_mille / 1_000);
            let term: Vec<_> = parts.iter().map(|(_, part, offering)| (*offering, amount(*part))).collect();
            let sum = |is_meant: fn(Offering) -> bool| {
                Fen::total(term.iter().filter(|part| is_meant(part.0)).map(|part| part.1)).expect("a sum")
            };
            let (all, personalised) = (sum(|_| true), sum(|offering| offering == Offering::PersonalisedCourse));
            if let Ok(total) = fee::term_ceiling(policy, &term) {
                prop_assert_eq!((total.total, total.personalised), (all, personalised));
                prop_assert!(at_most(all, fee.parent_fee_cap_fen_per_term.get()));
                prop_assert!(at_most(personalised, fee.personalised_course_parent_cap_fen_per_term.get()));
            }
            let month: Vec<_> = parts.iter().map(|(end_slot, part, _)| (*end_slot, amount(*part))).collect();
            if let Ok(total) = fee::month_ceiling(policy, &month) {
                let cap = total.end_slot.and_then(|end_slot| month_cap(policy, end_slot));
                prop_assert!(total.end_slot.is_none() || cap.is_some());
                prop_assert!(at_most(Fen::total(month.iter().map(|part| part.1)).expect("a sum"), cap.as_ref()));
            }
        }
    }

    #[test]
    fn c62_no_waiver_of_any_region_raises_a_charge(charge in 0_i64..=i64::MAX) {
        for policy in EVERYWHERE.packs.current() {
            for category in policy.waiver.waivers.get().into_iter().flatten() {
                let Ok(effect) = waiver::effect(policy, &category.category) else { continue };
                let Ok(waived) = waiver::apply(policy, fen(charge), &effect) else { continue };
                prop_assert!(waived.payable >= Fen::ZERO && waived.payable <= fen(charge));
                prop_assert_eq!(waived.payable.plus(waived.waived), Ok(fen(charge)));
                prop_assert!(category.level == WaiverLevel::Partial || waived.payable.is_zero());
            }
        }
    }

    #[test]
    fn c02_no_tighter_supplement_of_any_region_raises_a_charge(
        basis in any_basis(), offering in any_offering(), near in -3_i64..4, per_mille in 1_i64..1_100, days in weeks(),
    ) {
        for policy in EVERYWHERE.packs.current().filter(|policy| policy.supplement().is_some_and(|name| name.starts_with("decided_"))) {
            let lower = EVERYWHERE.packs.policy(policy.pack_id(), Some(&format!("lower_{}", policy.pack_id())));
            let lower = lower.expect("the tighter one");
            let tariff = price(policy, basis, offering, Stage::Primary, near, per_mille);
            let (above, below) = (fee::charge(policy, &tariff, &days), fee::charge(&lower, &tariff, &days));
            match (above, below) {
                (Ok(above), Ok(below)) => prop_assert!(below.total <= above.total),
                (Err(_), Ok(_)) => prop_assert!(false, "{}: what is refused above stands below", policy.pack_id()),
                (_, Err(_)) => {}
            }
        }
    }

    #[test]
    fn c56_the_explanation_of_any_region_sums_to_the_amount(
        basis in any_basis(), offering in any_offering(), near in -3_i64..2, per_mille in 1_i64..1_000, days in weeks(),
    ) {
        for policy in EVERYWHERE.packs.current() {
            let tariff = price(policy, basis, offering, Stage::Primary, near, per_mille);
            let Ok(charge) = fee::charge(policy, &tariff, &days) else { continue };
            let sum = |lines: &[Line]| Fen::total(lines.iter().filter_map(|line| line.amount)).expect("a sum");

            let lines = explain::charge(policy, &tariff, &charge, None);
            prop_assert_eq!(sum(&lines), charge.total);
            let last = lines.last().expect("a line");
            prop_assert!(last.text.zh.starts_with(&format!("应收 {} 元", charge.total)), "{:?}", last);
            let cut = charge.days.iter().filter(|day| day.charged != day.before_cap);
            let told = lines.iter().filter(|line| line.amount.is_some_and(Fen::is_negative));
            prop_assert_eq!(told.count(), cut.clone().count());
            for day in cut {
                let date = format!("{}月{}日有", day.date.month(), day.date.day());
                let said = format!("只收 {} 元", day.charged);
                prop_assert!(lines.iter().any(|line| line.text.zh.starts_with(&date) && line.text.zh.contains(&said)));
            }
            prop_assert!(lines.iter().all(|line| line.standing == Standing::Silent || line.clause.is_some()));

            for category in policy.waiver.waivers.get().into_iter().flatten() {
                let Ok(effect) = waiver::effect(policy, &category.category) else { continue };
                let waived = waiver::apply(policy, charge.total, &effect).expect("a decided waiver");
                let lines = explain::charge(policy, &tariff, &charge, Some(&waived));
                prop_assert_eq!(sum(&lines), waived.payable);
                let last = &lines.last().expect("a line").text.zh;
                prop_assert!(last.starts_with(&format!("应付 {} 元", waived.payable)), "{last}");
            }
        }
    }
}

#[test]
fn c55_every_region_with_a_fee_can_be_charged_at_what_it_states() {
    let days = [LessonDay { date: day("2026-09-07"), class_hours: 1, already_charged: Fen::ZERO }];
    let mut regions = BTreeSet::new();
    for policy in EVERYWHERE.packs.current().filter(|policy| policy.supplement().is_some()) {
        for stated in fee::stated(policy).unwrap_or_default() {
            let stage = stated.stages.map_or(Stage::Primary, |stages| stages[0]);
            let at = Tariff { stage, offering: stated.offering, ..tariff(stated.basis, stated.amount.get()) };
            let charge = fee::charge(policy, &at, &days);
            // A day at its ceiling is cut to the single class hour it has.
            assert!(
                charge.is_ok_and(|charge| charge.total > Fen::ZERO),
                "{} {:?}",
                policy.pack_id(),
                at.basis
            );
            regions.insert(policy.pack_id());
            let above = Tariff { amount: fen(stated.amount.get() + 1), ..at };
            let refused = fee::charge(policy, &above, &days);
            assert_eq!(
                refused.is_err(),
                stated.binding != Binding::Average,
                "{} {:?}",
                policy.pack_id(),
                above.basis
            );
        }
    }
    assert!(regions.len() >= 6, "{regions:?}");
}
