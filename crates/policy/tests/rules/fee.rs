use std::cmp::Ordering;

use policy::fee::{self, Basis, Charge, DayCharge, FeeRefusal, LessonDay, Offering, Tariff};
use policy::vocabulary::{DayPart, Stage};
use policy::{Binding, Policy, Silent};
use shared::value::Fen;

use crate::support::{day, fen, folder, load, made_of, region, supplement_text, supplemented};

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

fn lesson(date: &str, class_hours: u32) -> LessonDay {
    LessonDay { date: day(date), class_hours, already_charged: Fen::ZERO }
}

fn silent_key(refusal: &FeeRefusal) -> &str {
    match refusal {
        FeeRefusal::Silent(Silent { key, .. }) => key,
        other => panic!("not silent: {other:?}"),
    }
}

fn charged(policy: &Policy, amount: i64, days: &[LessonDay]) -> Charge {
    fee::charge(policy, &tariff(Basis::ClassHour, amount), days).expect("a charge")
}

#[test]
fn c56_zhuzhou_day_cap_cuts_the_third_class_hour() {
    let zhuzhou = region("hunan_zhuzhou", None);

    let charge = charged(&zhuzhou, 500, &[lesson("2026-09-07", 3)]);

    let cut =
        DayCharge { date: day("2026-09-07"), class_hours: 3, before_cap: fen(1_500), charged: fen(1_000) };
    assert_eq!((charge.total, charge.days), (fen(1_000), vec![cut]));
    assert!(charge.clauses.iter().any(|clause| clause.key == "parent_fee_cap_fen_per_day"));
}

#[test]
fn c56_zhuzhou_a_week_of_1_2_3_2_1_class_hours_costs_4000_fen() {
    let zhuzhou = region("hunan_zhuzhou", None);
    let week = [
        lesson("2026-09-07", 1),
        lesson("2026-09-08", 2),
        lesson("2026-09-09", 3),
        lesson("2026-09-10", 2),
        lesson("2026-09-11", 1),
    ];

    let charge = charged(&zhuzhou, 500, &week);

    assert_eq!(charge.total, fen(4_000));
    let by_day: Vec<i64> = charge.days.iter().map(|day| day.charged.get()).collect();
    assert_eq!(by_day, [500, 1_000, 1_000, 1_000, 500]);
}

#[test]
fn c56_zhuzhou_501_fen_a_class_hour_may_not_be_published() {
    let zhuzhou = region("hunan_zhuzhou", None);

    let at_the_edge = fee::check_tariff(&zhuzhou, &tariff(Basis::ClassHour, 500)).expect("500 fen stand");
    let refusal = fee::check_tariff(&zhuzhou, &tariff(Basis::ClassHour, 501)).unwrap_err();

    assert_eq!(at_the_edge.iter().filter(|clause| clause.key.starts_with("parent_fee_cap")).count(), 2);
    let FeeRefusal::AboveCeiling { limit, asked, clause } = refusal else { panic!("{refusal:?}") };
    assert_eq!((limit, asked, clause.key), (fen(500), fen(501), "parent_fee_cap_fen_per_class_hour"));
}

#[test]
fn c56_zhuzhou_the_day_cap_is_over_all_courses_of_a_pupil() {
    let zhuzhou = region("hunan_zhuzhou", None);
    let cases = [(0, 1_000), (500, 500), (999, 1), (1_000, 0), (1_200, 0)];
    for (already, expected) in cases {
        let second = LessonDay { already_charged: fen(already), ..lesson("2026-09-07", 2) };
        assert_eq!(charged(&zhuzhou, 500, &[second]).total, fen(expected), "after {already}");
    }
}

#[test]
fn c56_two_lessons_of_one_day_share_its_cap() {
    let zhuzhou = region("hunan_zhuzhou", None);

    let charge = charged(&zhuzhou, 500, &[lesson("2026-09-07", 2), lesson("2026-09-07", 1)]);

    assert_eq!((charge.total, charge.days.len()), (fen(1_000), 1));
}

#[test]
fn c56_a_price_by_the_day_is_cut_by_the_class_hour_too() {
    let zhuzhou = region("hunan_zhuzhou", None);
    let cases = [(1, 500), (2, 1_000), (3, 1_000)];
    for (hours, expected) in cases {
        let charge = fee::charge(&zhuzhou, &tariff(Basis::Day, 1_000), &[lesson("2026-09-07", hours)]);
        assert_eq!(charge.expect("a charge").total, fen(expected), "{hours} class hours");
    }
}

#[test]
fn c55_a_basis_without_a_stated_amount_is_silent_and_never_converted() {
    let zhuzhou = region("hunan_zhuzhou", None);
    let cases = [
        (Basis::Term, "parent_fee_cap_fen_per_term"),
        (Basis::Month, "parent_fee_fen_per_month"),
        (Basis::SlotMonth { end_slot: 1 }, "slot_fee_cap_fen_per_month"),
    ];
    for (basis, key) in cases {
        let refusal = fee::check_tariff(&zhuzhou, &tariff(basis, 100)).unwrap_err();
        assert_eq!(silent_key(&refusal), key);
    }
}

#[test]
fn a_price_of_nothing_or_less_is_refused() {
    let zhuzhou = region("hunan_zhuzhou", None);
    for amount in [0, -1] {
        let refusal = fee::check_tariff(&zhuzhou, &tariff(Basis::ClassHour, amount)).unwrap_err();
        assert_eq!(refusal, FeeRefusal::NotPositive { asked: fen(amount) });
    }
}

#[test]
fn c59_shahe_and_hebei_charge_parents_nothing_not_even_one_fen() {
    for pack_id in ["hebei", "hebei_shahe"] {
        let free = region(pack_id, None);
        for basis in [Basis::Term, Basis::Month, Basis::ClassHour, Basis::Day] {
            let refusal = fee::check_tariff(&free, &tariff(basis, 1)).unwrap_err();
            let FeeRefusal::FreeOfCharge { clause } = refusal else { panic!("{refusal:?}") };
            assert_eq!(clause.key, "parent_fee_mode");
        }
        let charge = fee::charge(&free, &tariff(Basis::Term, 1), &[lesson("2026-09-07", 1)]);
        assert!(matches!(charge, Err(FeeRefusal::FreeOfCharge { .. })));
        assert!(matches!(fee::term_ceiling(&free, &[]), Err(FeeRefusal::FreeOfCharge { .. })));
    }
}

#[test]
fn c60_jinhua_the_average_is_compared_exactly() {
    let jinhua = region("zhejiang_jinhua", None);
    let cases = [
        (vec![(48_000, 100), (50_000, 100), (52_000, 100)], Ordering::Equal),
        (vec![(48_000, 100), (50_000, 100), (52_001, 100)], Ordering::Greater),
        (vec![(48_000, 101), (50_000, 100), (52_000, 100)], Ordering::Less),
        (vec![(50_000, 3), (50_001, 1), (49_999, 1)], Ordering::Equal),
    ];
    for (fees, expected) in cases {
        let fees: Vec<(Fen, u32)> = fees.into_iter().map(|(amount, pupils)| (fen(amount), pupils)).collect();
        let average = fee::average(&jinhua, &fees).expect("an average");
        assert_eq!((average.compared, average.standard), (expected, fen(50_000)), "{fees:?}");
    }
}

#[test]
fn c60_jinhua_no_single_tariff_is_capped_by_the_average() {
    let jinhua = region("zhejiang_jinhua", None);

    let clauses =
        fee::check_tariff(&jinhua, &tariff(Basis::Term, 52_000)).expect("a tariff above the average");

    assert!(clauses.iter().any(|clause| clause.key == "parent_fee_avg_fen_per_term"));
}

#[test]
fn c60_jinhua_a_term_is_charged_once_and_only_with_a_lesson() {
    let jinhua = region("zhejiang_jinhua", None);
    let term = tariff(Basis::Term, 50_000);

    let with =
        fee::charge(&jinhua, &term, &[lesson("2026-09-07", 1), lesson("2026-09-14", 2)]).expect("a charge");
    let without = fee::charge(&jinhua, &term, &[]).expect("a charge");
    let with_empty_days = fee::charge(&jinhua, &term, &[lesson("2026-09-07", 0)]).expect("a charge");

    assert_eq!((with.total, without.total, with_empty_days.total), (fen(50_000), Fen::ZERO, Fen::ZERO));
}

#[test]
fn c77_extended_care_has_no_price() {
    for pack_id in ["hunan_zhuzhou", "zhejiang_jinhua"] {
        let extended = Tariff { slot_kind: DayPart::Extended, ..tariff(Basis::ClassHour, 100) };
        let refusal = fee::check_tariff(&region(pack_id, None), &extended).unwrap_err();
        assert_eq!(refusal, FeeRefusal::ExtendedCareUnpriced);
    }
}

const SLOT_CAPS: [(&str, &str, &str); 2] = [
    ("fee.parent_fee_mode", "\"ceiling\"", "exact"),
    ("fee.slot_fee_cap_fen_per_month", "[5000, 8000]", "ceiling"),
];

#[test]
fn c57_each_end_slot_has_its_own_monthly_cap() {
    let by_end_slot = supplemented(&SLOT_CAPS, &[("fee.slot_cap_combination", "\"by_end_slot\"")]);
    let sum = supplemented(&SLOT_CAPS, &[("fee.slot_cap_combination", "\"sum\"")]);
    let cases = [
        (&by_end_slot, 1, 5_000, true),
        (&by_end_slot, 1, 5_001, false),
        (&by_end_slot, 2, 8_000, true),
        (&by_end_slot, 2, 8_001, false),
        (&sum, 1, 5_001, false),
        (&sum, 2, 13_000, true),
        (&sum, 2, 13_001, false),
    ];
    for (policy, end_slot, amount, stands) in cases {
        let checked = fee::check_tariff(policy, &tariff(Basis::SlotMonth { end_slot }, amount));
        assert_eq!(checked.is_ok(), stands, "slot {end_slot}, {amount} fen");
    }
    for end_slot in [0, 3, u32::MAX] {
        let refusal = fee::check_tariff(&sum, &tariff(Basis::SlotMonth { end_slot }, 1)).unwrap_err();
        assert_eq!(silent_key(&refusal), "slot_fee_cap_fen_per_month");
    }
}

#[test]
fn c57_how_slots_combine_is_not_assumed_where_it_matters() {
    let silent = made_of(&SLOT_CAPS);

    let second = fee::slot_month_limit(&silent, 2).unwrap_err();
    let first = fee::slot_month_limit(&silent, 1).expect("the first slot is the same either way");

    assert_eq!(silent_key(&second), "slot_cap_combination");
    assert_eq!((first.limit, first.clauses.len()), (fen(5_000), 1));
}

#[test]
fn c57_courses_in_two_slots_are_not_charged_both_ceilings() {
    let anji = region("zhejiang_anji", None);
    let at_the_edge =
        fee::month_ceiling(&anji, &[(1, fen(3_000)), (2, fen(5_000))]).expect("8,000 fen stand");
    assert_eq!((at_the_edge.total, at_the_edge.end_slot), (fen(8_000), Some(2)));
    let keys: Vec<&str> = at_the_edge.clauses.iter().map(|clause| clause.key).collect();
    assert_eq!(keys, ["slot_fee_cap_fen_per_month", "slot_cap_combination"]);

    let over = fee::month_ceiling(&anji, &[(1, fen(5_000)), (2, fen(8_000))]).unwrap_err();
    assert!(
        matches!(over, FeeRefusal::AboveCeiling { limit, asked, .. } if limit == fen(8_000) && asked == fen(13_000))
    );
    assert_eq!(fee::month_ceiling(&anji, &[]).expect("nothing stands").end_slot, None);
    let free = region("hebei", None);
    assert!(matches!(fee::month_ceiling(&free, &[]), Err(FeeRefusal::FreeOfCharge { .. })));
}

#[test]
fn c57_a_district_may_decide_the_two_readings_of_the_slots() {
    let pack = std::fs::read_to_string(folder().join("zhejiang_anji.toml")).expect("the pack");
    let own = supplement_text("own", "zhejiang_anji", &[("fee.slot_cap_combination", "\"sum\"")]);
    let packs = load(&[("zhejiang_anji.toml", &pack), ("supplements/own.toml", &own)]).expect("sound");
    let decided = packs.policy("zhejiang_anji", Some("own")).expect("the policy");
    assert_eq!(fee::slot_month_limit(&decided, 2).expect("a limit").limit, fen(13_000));
}

#[test]
fn c56_a_charge_by_the_class_hour_stays_within_the_ceiling_of_the_term() {
    let both = made_of(&[
        ("fee.parent_fee_mode", "\"ceiling\"", "exact"),
        ("fee.parent_fee_cap_fen_per_class_hour", "500", "ceiling"),
        ("fee.parent_fee_cap_fen_per_term", "1000", "ceiling"),
    ]);
    let two = [lesson("2026-09-07", 1), lesson("2026-09-08", 1)];
    let three = [two[0], two[1], lesson("2026-09-09", 1)];

    let charge = charged(&both, 500, &two);
    let over = fee::charge(&both, &tariff(Basis::ClassHour, 500), &three).unwrap_err();

    assert_eq!(charge.total, fen(1_000));
    assert!(charge.clauses.iter().any(|clause| clause.key == "parent_fee_cap_fen_per_term"));
    assert!(matches!(over, FeeRefusal::AboveCeiling { limit, .. } if limit == fen(1_000)));
}

#[test]
fn c55_what_a_region_states_is_told_one_entry_a_dimension() {
    let told = |pack_id: &str| {
        let fees = fee::stated(&region(pack_id, None)).expect("stated fees");
        fees.into_iter().map(|fee| (fee.basis, fee.amount.get(), fee.binding)).collect::<Vec<_>>()
    };
    assert_eq!(
        told("hunan_zhuzhou"),
        [(Basis::ClassHour, 500, Binding::Ceiling), (Basis::Day, 1_000, Binding::Ceiling)]
    );
    assert_eq!(told("zhejiang_jinhua"), [(Basis::Term, 50_000, Binding::Average)]);
    assert_eq!(told("sichuan_jingyan"), [(Basis::Month, 12_000, Binding::Exact)]);
    assert_eq!(
        told("zhejiang_anji"),
        [
            (Basis::SlotMonth { end_slot: 1 }, 5_000, Binding::Ceiling),
            (Basis::SlotMonth { end_slot: 2 }, 8_000, Binding::Ceiling)
        ]
    );
    let primary = fee::stated(&region("zhejiang_jiaojiang", None)).expect("a stated fee");
    assert_eq!(primary[0].stages, Some(vec![Stage::Primary]));
    let personalised = fee::stated(&region("anhui_hefei", None)).expect("a stated fee");
    assert_eq!((personalised.len(), personalised[0].offering), (1, Offering::PersonalisedCourse));
}

#[test]
fn c55_a_region_without_a_fee_says_why() {
    assert!(matches!(fee::stated(&region("hebei", None)), Err(FeeRefusal::FreeOfCharge { .. })));
    assert!(matches!(fee::stated(&region("xx_district", None)), Err(FeeRefusal::AwaitingApproval { .. })));
    assert_eq!(silent_key(&fee::stated(&region("beijing", None)).unwrap_err()), "parent_fee_mode");
}

#[test]
fn c59_free_for_one_stage_is_silent_on_the_other() {
    let primary = made_of(&[
        ("fee.parent_fee_mode", "\"free\"", "exact"),
        ("fee.fee_stage_scope", "[\"primary\"]", "exact"),
    ]);
    let junior = Tariff { stage: Stage::Junior, ..tariff(Basis::Term, 1) };
    assert_eq!(silent_key(&fee::check_tariff(&primary, &junior).unwrap_err()), "fee_stage_scope");
    let refusal = fee::check_tariff(&primary, &tariff(Basis::Term, 1)).unwrap_err();
    assert!(matches!(refusal, FeeRefusal::FreeOfCharge { .. }));
}

#[test]
fn c78_a_cost_sheet_is_needed_where_a_document_asks_for_one() {
    for pack_id in ["zhejiang_anji", "sichuan_jingyan"] {
        let clause = fee::needs_cost_sheet(&region(pack_id, None)).expect("a cost sheet");
        assert_eq!(clause.key, "cost_accounting_required");
    }
    assert_eq!(fee::needs_cost_sheet(&region("hunan_zhuzhou", None)), None);
    assert_eq!(fee::needs_cost_sheet(&made_of(&[("fee.cost_accounting_required", "false", "exact")])), None);
}

#[test]
fn c58_all_courses_of_a_pupil_share_the_cap_of_a_term() {
    let personalised = made_of(&[
        ("fee.parent_fee_mode", "\"ceiling\"", "exact"),
        ("fee.personalised_course_parent_cap_fen_per_term", "60000", "ceiling"),
    ]);
    let course = |amount| (Offering::PersonalisedCourse, fen(amount));

    let full = fee::term_ceiling(&personalised, &[course(35_000), course(25_000)]).expect("60,000 fen stand");
    let over = fee::term_ceiling(&personalised, &[course(35_000), course(25_000), course(1)]).unwrap_err();

    assert_eq!((full.total, full.personalised), (fen(60_000), fen(60_000)));
    assert!(
        matches!(over, FeeRefusal::AboveCeiling { limit, asked, .. } if limit == fen(60_000) && asked == fen(60_001))
    );

    let all = made_of(&[
        ("fee.parent_fee_mode", "\"ceiling\"", "exact"),
        ("fee.parent_fee_cap_fen_per_term", "30000", "ceiling"),
    ]);
    let courses = [(Offering::Service, fen(20_000)), (Offering::PersonalisedCourse, fen(10_001))];
    assert!(matches!(fee::term_ceiling(&all, &courses), Err(FeeRefusal::AboveCeiling { .. })));
}

#[test]
fn c55_an_exact_fee_is_neither_more_nor_less() {
    let monthly = made_of(&[
        ("fee.parent_fee_mode", "\"exact\"", "exact"),
        ("fee.parent_fee_fen_per_month", "12000", "exact"),
    ]);
    let cases = [(11_999, false), (12_000, true), (12_001, false)];
    for (amount, stands) in cases {
        let checked = fee::check_tariff(&monthly, &tariff(Basis::Month, amount));
        assert_eq!(checked.is_ok(), stands, "{amount} fen");
    }
}

#[test]
fn c76_a_month_is_not_charged_until_the_district_says_how() {
    let keys =
        [("fee.parent_fee_mode", "\"exact\"", "exact"), ("fee.parent_fee_fen_per_month", "12000", "exact")];
    let days = [lesson("2026-09-07", 1), lesson("2026-09-30", 1), lesson("2026-10-08", 1)];
    let month = tariff(Basis::Month, 12_000);

    let silent = fee::charge(&made_of(&keys), &month, &days).unwrap_err();
    let decided =
        fee::charge(&supplemented(&keys, &[("fee.proration_rule", "\"whole_month\"")]), &month, &days);

    assert_eq!(silent_key(&silent), "proration_rule");
    assert_eq!(decided.expect("a charge").total, fen(24_000));
}

#[test]
fn c61_nothing_is_charged_while_the_share_awaits_approval() {
    let awaiting = [
        ("fee.parent_fee_mode", "\"awaiting_approval\"", "exact"),
        ("fee.price_approval_required", "true", "exact"),
    ];
    let approved = Tariff { approval_document: Some("批复1号".to_owned()), ..tariff(Basis::Term, 10_000) };
    assert!(matches!(
        fee::check_tariff(&made_of(&awaiting), &approved),
        Err(FeeRefusal::AwaitingApproval { .. })
    ));

    let decided = supplemented(
        &awaiting,
        &[("fee.parent_fee_mode", "\"ceiling\""), ("fee.parent_fee_cap_fen_per_term", "20000")],
    );
    assert!(fee::check_tariff(&decided, &approved).is_ok());
    for missing in [None, Some("  ".to_owned())] {
        let unapproved = Tariff { approval_document: missing, ..approved.clone() };
        assert!(matches!(fee::check_tariff(&decided, &unapproved), Err(FeeRefusal::ApprovalMissing { .. })));
    }
}

#[test]
fn c108_a_fee_for_primary_is_silent_on_junior() {
    let primary_only = made_of(&[
        ("fee.parent_fee_mode", "\"exact\"", "exact"),
        ("fee.parent_fee_fen_per_term", "60000", "exact"),
        ("fee.fee_stage_scope", "[\"primary\"]", "exact"),
    ]);
    let junior = Tariff { stage: Stage::Junior, ..tariff(Basis::Term, 60_000) };

    assert!(fee::check_tariff(&primary_only, &tariff(Basis::Term, 60_000)).is_ok());
    let refusal = fee::check_tariff(&primary_only, &junior).unwrap_err();
    assert_eq!(silent_key(&refusal), "fee_stage_scope");
}

#[test]
fn c01_a_region_that_says_nothing_on_fees_is_silent() {
    let refusal = fee::check_tariff(&made_of(&[]), &tariff(Basis::Term, 1)).unwrap_err();
    assert_eq!(silent_key(&refusal), "parent_fee_mode");
}

#[test]
fn c04_a_charge_beyond_64_bits_is_refused() {
    let monthly = made_of(&[
        ("fee.parent_fee_mode", "\"average\"", "exact"),
        ("fee.parent_fee_avg_fen_per_term", "1", "average"),
    ]);
    let refusal = fee::average(&monthly, &[(fen(i64::MAX), 2)]).unwrap_err();
    assert!(matches!(refusal, FeeRefusal::Fen(_)));
}
