//! Where a reader of the documents goes wrong, one test a trap, over the real packs.
//!
//! Traps without a test here, and why:
//!
//! | trap | why |
//! |---|---|
//! | 55 a complaint leads to accountability only once verified | a state of a case; no pack has a key for it |
//! | 60 documents speak of WeChat for publicity only | paying in WeChat is a channel, which no pack rules |
//! | 67 a shared resource still needs the target school's approval | a step between two schools; no pack has a key for it |
//!
//! Of some only the half a pack decides is here: that disclosure is reached without login (57), that a price is never
//! published without its document (28), and which seats priority orders (65) are for the services that do it.

use std::fs;

use policy::course::{self, CourseRefusal};
use policy::fee::{self, Basis, FeeRefusal, LessonDay, Offering, Tariff};
use policy::gov::{self, GovRefusal, Heads};
use policy::staff::{self, StaffRefusal, Staffing};
use policy::supervise;
use policy::time::{self, Flag, SchoolPlan, SlotPlan, TimeRefusal};
use policy::vocabulary::{
    BasisPoints, ContentKind, DayPart, ElasticDismissal, HeadCount, LedgerPeriod, MatchBase, PayeeAccount,
    Stage, Target, WaiverBasis, WaiverLevel, WhitelistScope,
};
use policy::waiver::{self, Effect};
use policy::{Binding, Held, Rule, Silent, Standing, enroll};
use shared::value::Fen;

use crate::regions::{
    FREE, REGIONS, afternoon, because, course, decided, every_day, judged, judged_week, keys, limit_of,
    own_plan, price, prices, regions_where, silent_on, slot,
};
use crate::support::{at, day, fen, folder, load, region, supplement_text};

fn lesson(date: &str, class_hours: u32) -> LessonDay {
    LessonDay { date: day(date), class_hours, already_charged: Fen::ZERO }
}

#[test]
fn trap_01_a_class_hour_has_no_length_and_is_never_converted() {
    for pack_id in REGIONS {
        assert_eq!(region(pack_id, None).time.class_hour_minutes.get(), None, "{pack_id}");
    }
    let in_minutes = regions_where(|policy| policy.time.min_minutes_per_day.get().is_some());
    assert_eq!(in_minutes, ["hebei_shahe"]);
    let of = |class_hours, ends_at| every_day(&[SlotPlan { class_hours, ..afternoon(ends_at) }]);
    let shahe = region("hebei_shahe", None);
    assert!(judged_week(&shahe, &of(8, "17:59")).is_err(), "eight class hours are no two hours");
    assert!(judged_week(&shahe, &of(0, "18:00")).is_ok());
    let district = region("xx_district", None);
    assert!(judged_week(&district, &of(1, "22:00")).is_err(), "six hours are no two class hours");
    let short = SlotPlan { class_hours: 2, ..slot(DayPart::Afternoon, "17:50", "18:00") };
    assert!(judged_week(&district, &every_day(&[short])).is_ok());
}

#[test]
fn trap_02_zhuzhou_both_ceilings_hold_and_three_class_hours_cost_1000() {
    let zhuzhou = region("hunan_zhuzhou", None);
    for (class_hours, total) in [(1, 500), (2, 1_000), (3, 1_000)] {
        let charge =
            fee::charge(&zhuzhou, &price(Basis::ClassHour, 500), &[lesson("2026-09-07", class_hours)]);
        assert_eq!(charge.expect("a charge").total, fen(total), "{class_hours} class hours");
    }
    let second_course = LessonDay { already_charged: fen(500), ..lesson("2026-09-07", 2) };
    let charge = fee::charge(&zhuzhou, &price(Basis::ClassHour, 500), &[second_course]);
    assert_eq!(charge.expect("a charge").total, fen(500), "the day's ceiling is over all courses");
}

#[test]
fn trap_03_two_slots_never_bill_13000() {
    let anji = region("zhejiang_anji", None);
    let both = fee::month_ceiling(&anji, &[(1, fen(5_000)), (2, fen(8_000))]).unwrap_err();
    assert!(matches!(both, FeeRefusal::AboveCeiling { limit, .. } if limit == fen(8_000)), "{both:?}");
    assert_eq!(limit_of(&anji, &price(Basis::SlotMonth { end_slot: 2 }, 13_000)), 8_000);
    assert!(anji.fee.slot_cap_combination.is_reading(), "the words allow two readings");
    let added = decided("zhejiang_anji", &[("fee.slot_cap_combination", "\"sum\"")]);
    assert!(fee::month_ceiling(&added, &[(1, fen(5_000)), (2, fen(8_000))]).is_ok());
}

#[test]
fn trap_04_anji_slots_are_counted_from_dismissal_and_not_from_a_clock() {
    let anji = region("zhejiang_anji", None);
    for ends_at in ["16:10", "17:30", "19:00"] {
        assert_eq!(judged(&anji, &afternoon(ends_at)), Ok(vec![]), "{ends_at}");
    }
    let by_offset = regions_where(|policy| policy.time.slot_end_offset_minutes.get().is_some());
    assert_eq!(by_offset, ["zhejiang_anji"]);
}

#[test]
fn trap_05_shahe_has_two_noon_starts_and_no_day_on_which_they_change() {
    let shahe = region("hebei_shahe", None);
    let noon = |starts_at| slot(DayPart::NoonSlot, starts_at, "14:40");
    assert_eq!(judged(&shahe, &noon("14:00")), Ok(vec![]), "no season could object");
    for starts_at in ["13:00", "13:59"] {
        let silent = judged(&shahe, &noon(starts_at)).unwrap_err();
        assert!(matches!(silent, TimeRefusal::Silent(Silent { key: "winter_from", .. })), "{silent:?}");
    }
    let half = decided("hebei_shahe", &[("time.winter_from", "\"10-01\"")]);
    let silent = judged(&half, &noon("13:30")).unwrap_err();
    assert!(matches!(silent, TimeRefusal::Silent(Silent { key: "summer_from", .. })), "{silent:?}");
}

#[test]
fn trap_06_1800_is_a_floor_in_shijiazhuang_and_a_ceiling_in_shahe() {
    let (shijiazhuang, shahe) = (region("hebei_shijiazhuang", None), region("hebei_shahe", None));
    for (ends_at, by_floor, by_ceiling) in
        [("17:59", false, true), ("18:00", true, true), ("18:01", true, false)]
    {
        assert_eq!(judged(&shijiazhuang, &afternoon(ends_at)).is_ok(), by_floor, "{ends_at}");
        assert_eq!(judged(&shahe, &afternoon(ends_at)).is_ok(), by_ceiling, "{ends_at}");
    }
}

#[test]
fn trap_07_a_principle_is_soft_and_a_prohibition_is_hard() {
    let early = SchoolPlan { teaching_ends_at: Some(at("16:00")), ..because("有原因") };
    for (pack_id, stands) in [("beijing", true), ("xx_district", true), ("hebei_shijiazhuang", false)] {
        let judged = time::check_slot(&region(pack_id, None), &afternoon("17:00"), &early);
        assert_eq!(judged.is_ok(), stands, "{pack_id}: {judged:?}");
    }
}

#[test]
fn trap_08_jinhua_has_no_clock_time() {
    let jinhua = region("zhejiang_jinhua", None);
    assert_eq!((jinhua.time.end_not_before.get(), jinhua.time.end_target.get()), (None, None));
    for ends_at in ["17:00", "17:30", "18:30"] {
        let silent = judged(&jinhua, &afternoon(ends_at)).unwrap_err();
        assert!(matches!(silent, TimeRefusal::Silent(Silent { key: "local_office_closing", .. })));
    }
}

#[test]
fn trap_09_the_floor_is_the_services_and_a_pupil_may_go_earlier_but_not_be_sent() {
    let district = region("xx_district", None);
    let leaving_early = SlotPlan { ends_service: false, ..afternoon("17:20") };
    assert_eq!(judged(&district, &leaving_early), Ok(vec![]));
    assert!(judged(&district, &afternoon("17:20")).is_err());
    assert_eq!(district.dismiss.forced_leave_before_end_allowed.get(), Some(&false));
}

#[test]
fn trap_10_elastic_dismissal_is_a_name_in_nanjing_a_plan_in_shahe_and_about_teachers_in_jinjiang() {
    let elastic = |pack_id: &str| region(pack_id, None).dismiss.elastic_dismissal.get().copied();
    assert_eq!(elastic("jiangsu_nanjing"), None);
    assert_eq!(elastic("fujian_jinjiang"), None);
    assert_eq!(elastic("hebei_shahe"), Some(ElasticDismissal::Planned));
    let done = regions_where(|policy| policy.dismiss.elastic_dismissal.get() == Some(&ElasticDismissal::Yes));
    assert_eq!(
        done,
        [
            "beijing",
            "beijing_dongcheng",
            "henan_jinshui",
            "hunan_zhuzhou",
            "xx_district",
            "zhejiang_anji",
            "zhejiang_jinhua"
        ]
    );
}

#[test]
fn trap_11_extended_care_has_no_tariff_wherever_it_is_offered() {
    for pack_id in ["hunan_zhuzhou", "xx_district", "henan_jinshui", "jiangsu_nanjing"] {
        let policy = region(pack_id, None);
        assert_ne!(policy.time.extended_care_paid.get(), Some(&true), "{pack_id}");
        for tariff in prices(1) {
            let extended = Tariff { slot_kind: DayPart::Extended, ..tariff };
            assert!(fee::check_tariff(&policy, &extended).is_err(), "{pack_id}: {extended:?}");
        }
    }
    let paid = decided("hunan_zhuzhou", &[("time.extended_care_paid", "true")]);
    let extended = Tariff { slot_kind: DayPart::Extended, ..price(Basis::ClassHour, 100) };
    assert_eq!(fee::check_tariff(&paid, &extended).unwrap_err(), FeeRefusal::ExtendedCareUnpriced);
}

#[test]
fn trap_12_noon_care_is_inside_in_three_regions_and_outside_in_beijing() {
    for (pack_id, stands) in
        [("xx_district", true), ("shandong_rizhao", true), ("hebei_shahe", true), ("beijing", false)]
    {
        let policy = region(pack_id, None);
        for kind in [DayPart::NoonRest, DayPart::NoonSlot] {
            let noon = judged(&policy, &slot(kind, "14:00", "14:40"));
            assert_eq!(noon == Ok(vec![]), stands, "{pack_id} {kind:?}: {noon:?}");
        }
    }
    for kind in [DayPart::EveningStudy, DayPart::EarlyArrival] {
        let refusal = judged(&region("beijing", None), &slot(kind, "18:00", "19:00")).unwrap_err();
        assert!(matches!(refusal, TimeRefusal::OutOfScope { .. }), "{kind:?}");
    }
}

#[test]
fn trap_13_a_ceiling_an_exact_fee_a_floor_and_an_average_are_four_things() {
    let binding = |pack_id: &str, key: &str| {
        let entry = region(pack_id, None).entry(key).expect("a key of the schema");
        entry.clause.map(|clause| (clause.binding, clause.value.zh))
    };
    let cases = [
        ("jiangsu", "parent_fee_cap_fen_per_term", Binding::Ceiling, "300.00 元/学期"),
        ("zhejiang_jiaojiang", "parent_fee_fen_per_term", Binding::Exact, "600.00 元/学期"),
        ("anhui_hefei", "gov_floor_fen_per_participant_per_term", Binding::Floor, "150.00 元/生·学期"),
        ("anhui_hefei", "personalised_course_parent_cap_fen_per_term", Binding::Ceiling, "600.00 元/学期"),
        ("zhejiang_jinhua", "parent_fee_avg_fen_per_term", Binding::Average, "500.00 元/学期"),
        ("sichuan_jingyan", "parent_fee_fen_per_month", Binding::Exact, "120.00 元/月"),
    ];
    for (pack_id, key, bound, value) in cases {
        assert_eq!(binding(pack_id, key), Some((bound, value.to_owned())), "{pack_id} {key}");
    }
}

#[test]
fn trap_14_hefei_600_yuan_are_for_all_courses_of_a_pupil_and_not_for_each() {
    let hefei = region("anhui_hefei", None);
    let two = [(Offering::PersonalisedCourse, fen(60_000)), (Offering::PersonalisedCourse, fen(60_000))];
    assert!(fee::term_ceiling(&hefei, &two[..1]).is_ok());
    assert!(matches!(fee::term_ceiling(&hefei, &two), Err(FeeRefusal::AboveCeiling { .. })));
}

#[test]
fn trap_15_which_heads_are_counted_is_each_regions_own_word() {
    let heads = Heads { enrolled: 1_000, participants: 400 };
    let hefei = region("anhui_hefei", None);
    assert_eq!(hefei.gov.gov_head_count_basis.get(), Some(&HeadCount::Participants));
    assert_eq!(gov::floor_per_term(&hefei, heads.participants).expect("a floor").amount, fen(6_000_000));
    let subei = decided("jiangsu", &[("gov.gov_scopes", "[\"subei\"]")]);
    assert_eq!(gov::scoped(&subei, heads).expect("a grant")[0].grant.amount, fen(9_000_000));
    for pack_id in ["guangdong_shenzhen", "shandong_rizhao"] {
        let silent = gov::per_head(&region(pack_id, None), heads).unwrap_err();
        assert!(
            matches!(silent, GovRefusal::Silent(Silent { key: "gov_head_count_basis", .. })),
            "{pack_id}: {silent:?}"
        );
    }
}

#[test]
fn trap_16_money_of_a_year_is_not_halved_to_a_term() {
    let heads = Heads { enrolled: 1, participants: 1 };
    for (pack_id, year) in [("guangdong_shenzhen", 100_000), ("shandong_rizhao", 12_000)] {
        let counted = [("gov.gov_head_count_basis", "\"enrolled\"")];
        let terms = [counted[0], ("fee.term_months", "5")];
        for decisions in [&counted[..], &terms[..]] {
            let grant = gov::per_head(&decided(pack_id, decisions), heads).expect("a grant");
            assert_eq!(grant.amount, fen(year), "{pack_id}");
        }
        let term = gov::floor_per_term(&region(pack_id, None), 1);
        assert!(matches!(term, Err(GovRefusal::Silent(_))), "{pack_id} says nothing of a term");
    }
    let subei = decided("jiangsu", &[("gov.gov_scopes", "[\"subei\"]"), ("fee.term_months", "5")]);
    let grant = &gov::scoped(&subei, Heads { enrolled: 10, participants: 0 }).expect("a grant")[0];
    assert_eq!(grant.grant.amount, fen(90_000));
}

#[test]
fn trap_17_shangyu_matches_what_parents_paid_and_a_waived_pupil_brings_nothing() {
    let shangyu = region("zhejiang_shangyu", None);
    let charge = fen(30_000);
    let effect = waiver::effect(&shangyu, "low_income").expect("an effect");
    let waived = waiver::apply(&shangyu, charge, &effect).expect("a waiver");
    let paid = Fen::total([charge, waived.payable]).expect("a sum");
    let match_of = |base, amount| gov::matching(&shangyu, base, amount);
    assert_eq!(match_of(MatchBase::ParentPayments, paid).expect("a subsidy").amount, fen(9_000));
    assert!(matches!(match_of(MatchBase::DistrictMoney, fen(60_000)), Err(GovRefusal::WrongBase { .. })));
}

#[test]
fn trap_18_rizhao_the_base_of_the_20_percent_is_a_reading_the_district_may_change() {
    assert!(region("shandong_rizhao", None).gov.gov_match_base.is_reading());
    let other = decided("shandong_rizhao", &[("gov.gov_match_base", "\"parent_payments\"")]);
    assert_eq!(other.gov.gov_match_base.standing(), Standing::Supplemented);
    assert!(!region("zhejiang_shangyu", None).gov.gov_match_base.is_reading());
}

#[test]
fn trap_19_priority_waives_nothing() {
    let nanjing = region("jiangsu_nanjing", None);
    for group in enroll::priority_groups(&nanjing) {
        let effect = waiver::effect(&nanjing, &group.key).expect("an effect");
        assert!(matches!(effect, Effect::NotListed { .. }), "{}", group.key);
    }
    let shahe = region("hebei_shahe", None);
    for group in enroll::priority_groups(&shahe) {
        assert_eq!(waiver::effect(&shahe, &group.key).unwrap_err().key, "waivers");
    }
}

#[test]
fn trap_20_two_priority_lists_are_not_one() {
    let has = |pack_id: &str, key: &str| {
        let policy = region(pack_id, None);
        enroll::priority_groups(&policy).iter().any(|group| group.key == key)
    };
    assert!(has("hebei_shahe", "dual_income") && !has("jiangsu_nanjing", "dual_income"));
    assert_eq!(region("jiangsu_nanjing", None).enroll.priority_list_open.get(), Some(&false));
}

#[test]
fn trap_21_reduced_or_waived_is_not_waived() {
    let levels = |pack_id: &str| {
        let policy = region(pack_id, None);
        let waivers = policy.waiver.waivers.get().into_iter().flatten();
        waivers.map(|waiver| (waiver.level, waiver.rate_bp)).collect::<Vec<_>>()
    };
    assert_eq!(levels("sichuan_jingyan"), [(WaiverLevel::Full, None), (WaiverLevel::Partial, None)]);
    assert_eq!(levels("jiangsu"), [(WaiverLevel::Partial, None); 3]);
    for pack_id in ["hunan_zhuzhou", "zhejiang_jinhua", "zhejiang_shangyu", "zhejiang_jiaojiang"] {
        assert!(levels(pack_id).iter().all(|(level, _)| *level == WaiverLevel::Full), "{pack_id}");
    }
}

#[test]
fn trap_22_jiaojiang_waives_by_school_too_and_the_district_pays() {
    let jiaojiang = region("zhejiang_jiaojiang", None);
    let waivers = jiaojiang.waiver.waivers.require().expect("waivers");
    for category in ["special_education", "remote"] {
        let waiver = waivers.iter().find(|waiver| waiver.category == category).expect("the category");
        assert_eq!((waiver.basis, waiver.funder.as_deref()), (WaiverBasis::School, Some("district")));
    }
    let by_school = regions_where(|policy| {
        policy.waiver.waivers.get().into_iter().flatten().any(|waiver| waiver.basis == WaiverBasis::School)
    });
    assert_eq!(by_school, ["zhejiang_jiaojiang"]);
}

#[test]
fn trap_23_hardship_in_the_words_of_one_region_is_no_hardship_in_anothers() {
    let own = [
        ("hunan_zhuzhou", "registered_poor", ["low_income", "difficult_family", "five_guarantee"]),
        ("zhejiang_shangyu", "low_income", ["registered_poor", "difficult_family", "subsistence_allowance"]),
        ("zhejiang_jinhua", "difficult_family", ["registered_poor", "low_income", "economically_difficult"]),
        (
            "zhejiang_jiaojiang",
            "five_guarantee",
            ["registered_poor", "difficult_family", "subsistence_allowance"],
        ),
    ];
    for (pack_id, listed, foreign) in own {
        let policy = region(pack_id, None);
        assert!(matches!(waiver::effect(&policy, listed), Ok(Effect::Full { .. })), "{pack_id}: {listed}");
        for category in foreign {
            let effect = waiver::effect(&policy, category).expect("an effect");
            assert!(matches!(effect, Effect::NotListed { .. }), "{pack_id}: {category}");
        }
    }
}

#[test]
fn trap_24_a_region_that_names_no_waiver_is_silent_and_does_not_refuse_one() {
    for pack_id in ["zhejiang_anji", "xx_district", "anhui_hefei", "beijing", "fujian_jinjiang"] {
        let silent = waiver::effect(&region(pack_id, None), "registered_poor").unwrap_err();
        assert_eq!((silent.pack_id.as_str(), silent.key), (pack_id, "waivers"));
    }
    let waivers = r#"[{ category = "low_income", name_zh = "低收入家庭", level = "full", basis = "pupil" }]"#;
    let county = decided("zhejiang_anji", &[("waiver.waivers", waivers)]);
    assert!(matches!(waiver::effect(&county, "low_income"), Ok(Effect::Full { .. })));
}

#[test]
fn trap_25_where_nothing_is_paid_an_order_of_nothing_is_wrong_too() {
    for pack_id in FREE {
        for amount in [0, 1] {
            let charged =
                fee::charge(&region(pack_id, None), &price(Basis::Term, amount), &[lesson("2026-09-07", 1)]);
            assert!(matches!(charged, Err(FeeRefusal::FreeOfCharge { .. })), "{pack_id}: {charged:?}");
        }
    }
}

#[test]
fn trap_26_an_agreement_is_signed_where_nothing_is_billed() {
    for pack_id in ["hebei", "hebei_shahe", "hebei_shijiazhuang"] {
        let policy = region(pack_id, None);
        assert!(enroll::agreement_required(&policy).is_some(), "{pack_id}");
        assert!(matches!(fee::stated(&policy), Err(FeeRefusal::FreeOfCharge { .. })), "{pack_id}");
    }
}

#[test]
fn trap_27_nothing_is_charged_before_the_parents_share_is_notified() {
    let district = region("xx_district", None);
    for tariff in prices(1) {
        let charged = fee::charge(&district, &tariff, &[lesson("2024-09-09", 1)]);
        assert!(matches!(charged, Err(FeeRefusal::AwaitingApproval { .. })), "{charged:?}");
    }
    assert!(matches!(fee::term_ceiling(&district, &[]), Err(FeeRefusal::AwaitingApproval { .. })));
}

#[test]
fn trap_28_a_price_needs_its_document_in_xx_district_only() {
    let required = regions_where(|policy| policy.fee.price_approval_required.get() == Some(&true));
    assert_eq!(required, ["xx_district"]);
    let notified = decided(
        "xx_district",
        &[("fee.parent_fee_mode", "\"exact\""), ("fee.parent_fee_fen_per_term", "20000")],
    );
    for document in [None, Some(""), Some("　")] {
        let tariff = Tariff { approval_document: document.map(str::to_owned), ..price(Basis::Term, 20_000) };
        let refusal = fee::check_tariff(&notified, &tariff).unwrap_err();
        assert!(matches!(refusal, FeeRefusal::ApprovalMissing { .. }), "{document:?}: {refusal:?}");
    }
}

#[test]
fn trap_29_a_third_party_is_no_payee_and_no_region_can_make_it_one() {
    assert_eq!(PayeeAccount::from_word("provider"), None);
    assert_eq!(PayeeAccount::from_word("third_party"), None);
    for pack_id in REGIONS {
        assert_eq!(region(pack_id, None).provider.third_party_may_collect.get(), Some(&false), "{pack_id}");
    }
    let own = fs::read_to_string(folder().join("hunan_yuhua.toml")).expect("the pack");
    let collects = format!(
        "{own}\n[provider.third_party_may_collect]\nvalue = true\nsource = {{ file = \"004_531117cf52921b6f.txt\", line = 99, words = \"费用收取\" }}\n"
    );
    let decision = supplement_text("own", "hunan_yuhua", &[("provider.third_party_may_collect", "true")]);
    for files in [
        vec![("hunan_yuhua.toml", collects.as_str())],
        vec![("hunan_yuhua.toml", own.as_str()), ("supplements/own.toml", decision.as_str())],
    ] {
        let problems = load(&files).expect_err("a problem");
        assert!(
            matches!(problems.as_slice(), [one] if matches!(one.rule, Rule::Loosens { .. })),
            "{problems:?}"
        );
    }
}

#[test]
fn trap_30_shangyus_operator_is_public_and_collects_and_anjis_money_goes_to_the_treasury() {
    let payee = |pack_id: &str| region(pack_id, None).fee.payee_account.get().copied();
    assert_eq!(payee("zhejiang_shangyu"), Some(PayeeAccount::OperatorGroup));
    assert_eq!(payee("zhejiang_anji"), Some(PayeeAccount::Treasury));
    assert_eq!(region("zhejiang_shangyu", None).provider.third_party_course_allowed.get(), None);
}

#[test]
fn trap_31_a_third_party_is_an_assessor_here_and_a_provider_there() {
    let (shijiazhuang, yuhua, district) =
        (region("hebei_shijiazhuang", None), region("hunan_yuhua", None), region("xx_district", None));
    let role = |policy: &policy::Policy| {
        let provider = &policy.provider;
        (
            provider.third_party_assessor.get() == Some(&true),
            provider.third_party_course_allowed.get() == Some(&true),
            provider.provider_fund_supervision.get() == Some(&true),
            provider.whitelist_required.get() == Some(&true),
        )
    };
    assert_eq!(role(&shijiazhuang), (true, false, false, false));
    assert_eq!(role(&yuhua), (false, true, true, false));
    assert_eq!(role(&district), (false, true, false, true));
}

#[test]
fn trap_32_xx_districts_whitelist_is_the_towns() {
    let scope = |pack_id: &str| region(pack_id, None).provider.whitelist_scope.get().copied();
    assert_eq!(scope("xx_district"), Some(WhitelistScope::TownStreet));
    assert_eq!(scope("beijing_dongcheng"), Some(WhitelistScope::District));
    assert_eq!(scope("fujian_jinjiang"), None, "a standard of admission is being explored, no list");
}

#[test]
fn trap_33_only_exam_courses_of_third_parties_are_banned() {
    let tutoring = ["beijing_dongcheng", "hebei_shahe", "hunan_yuhua", "zhejiang_shangyu"];
    let allowed = regions_where(|policy| policy.course.school_subject_tutoring_allowed.get() == Some(&true));
    assert_eq!(allowed, tutoring);
    for (pack_id, third_party, kind, title) in [
        ("beijing_dongcheng", false, ContentKind::SubjectTutoring, "学科辅导"),
        ("hebei_shahe", false, ContentKind::SubjectTutoring, "学科拓展"),
        ("zhejiang_shangyu", false, ContentKind::SubjectTutoring, "学科拓展类"),
        ("shandong_rizhao", true, ContentKind::Enrichment, "语言类：小主持人"),
        ("fujian_jinjiang", true, ContentKind::Enrichment, "科学实验"),
        ("xx_district", true, ContentKind::Enrichment, "阅读"),
    ] {
        let judged = course::third_party_check(&region(pack_id, None), &course(third_party, kind, title));
        assert!(judged.is_ok(), "{pack_id}: {title}: {judged:?}");
    }
    let banned = course::third_party_check(
        &region("xx_district", None),
        &course(true, ContentKind::SubjectExam, "数学"),
    );
    assert!(matches!(banned, Err(CourseRefusal::ThirdPartyBanned { .. })), "{banned:?}");
}

#[test]
fn trap_34_help_for_one_is_asked_for_and_make_up_for_all_is_banned() {
    for pack_id in ["beijing", "hebei", "tianjin_heping"] {
        let policy = region(pack_id, None);
        for title in ["学科答疑", "分层辅导", "帮助学习困难学生"] {
            let judged = course::third_party_check(&policy, &course(false, ContentKind::BasicCare, title));
            assert_eq!(judged, Ok(vec![]), "{pack_id}: {title}");
        }
        let make_up =
            course::third_party_check(&policy, &course(false, ContentKind::CollectiveMakeUp, "补课"));
        assert!(matches!(make_up, Err(CourseRefusal::ContentBanned { .. })), "{pack_id}");
    }
}

#[test]
fn trap_35_not_entirely_is_a_word_and_no_ratio() {
    let provider = &region("xx_district", None).provider;
    let Held::Stated { value, source, .. } = provider.third_party_total_outsourcing_allowed.held() else {
        panic!()
    };
    assert_eq!((*value, source.line), (false, 13));
    let mut of_providers = policy::Policy::keys().into_iter().filter(|key| key.group == "provider");
    assert!(of_providers.all(|key| !key.name.ends_with("_bp")), "no share of supply is a key");
}

#[test]
fn trap_36_a_phase_flags_until_the_district_says_it_blocks_and_the_gap_is_nobodys() {
    let district = region("xx_district", None);
    let outside = course(true, ContentKind::Enrichment, "陶艺");
    assert!(district.phase.phase_gate_enforced.is_reading() && district.phase.phases.is_reading());
    assert!(matches!(course::check_phase(&district, &outside, day("2024-09-15")), Ok(Some(_))));
    for date in ["2024-10-01", "2024-10-07"] {
        assert_eq!(course::phase_on(&district, day(date)), None, "{date}");
    }
    let phases = r#"[
      { key = "basic", name_zh = "第一阶段", from = "09-01", to = "09-30", third_party = false, feature_courses = false },
      { key = "rich", name_zh = "第二阶段", from = "10-09", third_party = true, feature_courses = true },
    ]"#;
    let later = decided("xx_district", &[("phase.phases", phases)]);
    assert_eq!(course::phase_on(&district, day("2024-10-08")).map(|phase| phase.key.as_str()), Some("rich"));
    assert_eq!(course::phase_on(&later, day("2024-10-08")), None, "whether the 8th counts is the district's");
}

#[test]
fn trap_37_the_plan_titled_2021_is_in_force_from_2024() {
    let district = region("xx_district", None);
    assert_eq!(district.effective_from(), Some(day("2024-09-01")));
    let rollout = district.scope.rollout.require().expect("a start");
    assert!(rollout.iter().all(|start| start.from == day("2024-09-01")));
    let policy::Basis::Document(source) = district.fee.parent_fee_mode.clause().expect("a clause").basis
    else {
        panic!()
    };
    assert!(source.title_zh.starts_with("2021"), "the title is quoted as it is");
}

#[test]
fn trap_38_every_share_says_of_what() {
    for pack_id in REGIONS {
        let policy = region(pack_id, None);
        for target in policy.supervise.targets.get().into_iter().flatten() {
            assert!(target.among_zh.is_some(), "{pack_id}: {}", target.key);
        }
    }
    let among = |pack_id: &str, key: &str| {
        let policy = region(pack_id, None);
        let target = policy.supervise.targets.get().into_iter().flatten().find(|target| target.key == key);
        target.and_then(|target| target.among_zh.clone()).unwrap_or_default()
    };
    assert!(among("xx_district", "afternoon_schools").contains("不含寄宿制学校"));
    assert!(among("fujian_jinjiang", "urban_science").starts_with("城区"));
    assert!(among("fujian_jinjiang", "urban_two_plus_three").starts_with("城区"));
    assert!(!among("fujian_jinjiang", "two_plus_n").contains("城区"));
}

#[test]
fn trap_39_jinjiang_calls_science_mandatory_and_aims_at_80_percent_so_nothing_is_blocked() {
    let jinjiang = region("fujian_jinjiang", None);
    let missing = course::missing_items(&jinjiang, &[]).expect("science is missing");
    assert_eq!(missing.clause.binding, Binding::Target);
    let targets = jinjiang.supervise.targets.require().expect("targets");
    let shares: Vec<_> =
        targets.iter().map(|target| (target.key.as_str(), target.at_least_bp.get())).collect();
    assert_eq!(shares, [("two_plus_n", 10_000), ("urban_two_plus_three", 8_000), ("urban_science", 8_000)]);
}

#[test]
fn trap_40_the_same_sign_means_two_things_and_undefined_signs_mean_nothing() {
    let (jinhua, jinshui) = (region("zhejiang_jinhua", None), region("henan_jinshui", None));
    assert_eq!(jinhua.course.course_model.get(), jinshui.course.course_model.get());
    assert!(jinhua.course.categories.get().is_some() && jinhua.time.class_hours_per_day.get().is_none());
    assert!(jinshui.course.categories.get().is_none() && jinshui.time.class_hours_per_day.get().is_some());
    let jinjiang = region("fujian_jinjiang", None);
    assert_eq!(jinjiang.time.service_days_per_week.get(), None);
    assert_eq!(jinjiang.time.min_class_hours_per_afternoon.get(), None);
    assert_eq!(jinjiang.course.weekly_components.get(), None);
    assert!(judged_week(&jinjiang, &[afternoon("16:30")]).is_ok());
}

#[test]
fn trap_41_hongans_five_sessions_are_a_weeks() {
    let hongan = region("hubei_hongan", None);
    let week = [("qa_psych", 1), ("gymnastics", 1), ("red_narrator", 1), ("clubs", 2)];
    assert_eq!(course::check_week_components(&hongan, &week), []);
    assert_eq!(hongan.time.class_hours_per_day.get(), None);
    let weekly = regions_where(|policy| policy.course.weekly_components.get().is_some());
    assert_eq!(weekly, ["hubei_hongan"]);
}

#[test]
fn trap_42_a_category_that_is_counted_but_not_named_is_not_made_up() {
    let named = |pack_id: &str| keys(&region(pack_id, None).course.categories).len();
    assert_eq!(named("hebei_shahe"), 4, "five are counted");
    assert_eq!(named("tianjin_heping"), 4, "fifteen are counted");
    assert_eq!(named("tianjin_hexi"), 4, "twenty are counted");
    assert_eq!(named("hubei_hongan"), 5, "seventy-two are counted");
}

#[test]
fn trap_43_what_a_menu_must_offer_a_pupil_need_not_take() {
    let shangyu = region("zhejiang_shangyu", None);
    assert_eq!(keys(&shangyu.course.required_items), ["exercise", "reading"]);
    assert_eq!(shangyu.course.required_items.binding(), Some(Binding::Exact));
    assert_eq!(shangyu.enroll.voluntary.get(), Some(&true));
}

#[test]
fn trap_44_a_share_is_judged_by_its_counts_and_not_by_a_rounded_percentage() {
    let target = Target {
        key: "pupils".to_owned(),
        name_zh: "参加课后服务的学生".to_owned(),
        at_least_bp: BasisPoints::new(4_320),
        among_zh: Some("学生".to_owned()),
        by: None,
    };
    assert_eq!(supervise::target_met(&target, 21_864, 50_600), Some(true));
    assert_eq!(supervise::target_met(&target, 21_864, 50_612), Some(false), "43.2% when rounded");
    assert_eq!(supervise::target_met(&target, 21_864, 40_600), Some(true), "another year's pupils");
    assert_eq!(supervise::target_met(&target, 0, 0), None);
}

#[test]
fn trap_45_sums_in_hundreds_of_millions_of_yuan_keep_every_fen() {
    let jiangsu = region("jiangsu", None);
    let grants = jiangsu.gov.gov_scoped_grants.require().expect("grants");
    assert_eq!(grants[0].fund_fen, Some(fen(19_000_000_000)));
    let nanjing = region("jiangsu_nanjing", None);
    let fund = nanjing.gov.gov_fixed_fen_per_year.require().expect("a fund");
    assert_eq!(fund.to_fen, fen(20_000_000).times(100).expect("a sum"));
    let cap = staff::performance_cap(&region("hebei", None), fen(35_300_000_000)).expect("a cap");
    assert_eq!(cap.most, fen(38_830_000_000));
    let subei = decided("jiangsu", &[("gov.gov_scopes", "[\"subei\"]")]);
    let all = Heads { enrolled: u32::MAX, participants: 0 };
    assert_eq!(gov::scoped(&subei, all).expect("a grant")[0].grant.amount, fen(38_654_705_655_000));
}

#[test]
fn trap_46_jinhua_not_a_fen_of_what_was_collected_is_kept_back() {
    let jinhua = region("zhejiang_jinhua", None);
    let collected = fen(10_000_000);
    assert!(staff::pay_out(&jinhua, collected, collected).is_ok());
    // A commission of 0.6 percent, netted before the pay-out.
    let netted = staff::pay_out(&jinhua, collected, fen(9_940_000)).unwrap_err();
    assert!(matches!(netted, StaffRefusal::NotTheShare { due, .. } if due == collected), "{netted:?}");
}

#[test]
fn trap_47_pay_counts_within_the_total_here_and_outside_it_there() {
    let counted = |pack_id: &str| region(pack_id, None).staff.counts_in_performance_total.get().copied();
    assert_eq!(counted("zhejiang_jinhua"), Some(false));
    assert_eq!(counted("hebei"), Some(true));
    assert_eq!(counted("hebei_shahe"), Some(true));
    assert_eq!(counted("zhejiang_jiaojiang"), None);
    assert_eq!(region("hebei_shahe", None).staff.counts_in_performance_total.standing(), Standing::Stated);
}

#[test]
fn trap_48_jiaojiangs_own_rate_is_exact_and_the_outsiders_a_ceiling() {
    let jiaojiang = region("zhejiang_jiaojiang", None);
    let pay = |staffing, rate| staff::pay(&jiaojiang, staffing, 1, Some(fen(rate))).is_ok();
    for (staffing, rate, stands) in [
        (Staffing::Internal, 7_999, false),
        (Staffing::Internal, 8_000, true),
        (Staffing::Internal, 8_001, false),
        (Staffing::External, 8_000, true),
        (Staffing::External, 20_000, true),
        (Staffing::External, 20_001, false),
    ] {
        assert_eq!(pay(staffing, rate), stands, "{staffing:?} {rate}");
    }
    let missing = staff::pay(&jiaojiang, Staffing::External, 1, None).unwrap_err();
    assert!(matches!(missing, StaffRefusal::RateMissing { .. }), "{missing:?}");
}

#[test]
fn trap_49_jiaojiangs_fee_is_primarys_and_junior_is_silent() {
    let junior = Tariff { stage: Stage::Junior, ..price(Basis::Term, 60_000) };
    assert_eq!(silent_on(&region("zhejiang_jiaojiang", None), &junior), "fee_stage_scope");
    // Free is written for primary alone and read for all: whoever reads it so charges nobody.
    let nanjing = fee::check_tariff(&region("jiangsu_nanjing", None), &junior).unwrap_err();
    assert!(matches!(nanjing, FeeRefusal::FreeOfCharge { .. }), "{nanjing:?}");
}

#[test]
fn trap_50_private_schools_count_where_documents_say_so() {
    let included = regions_where(|policy| policy.scope.private_schools_included.get() == Some(&true));
    assert_eq!(
        included,
        ["guangdong_shenzhen", "shanghai_jingan", "tianjin_heping", "zhejiang_anji", "zhejiang_jiaojiang"]
    );
    assert_eq!(regions_where(|policy| policy.scope.private_schools_included.get() == Some(&false)), [""; 0]);
}

#[test]
fn trap_51_jinhuas_seven_bans_and_twenty_rules_are_named_and_not_written_for_it() {
    let jinhua = region("zhejiang_jinhua", None);
    assert_eq!(jinhua.course.banned_content_kinds.standing(), Standing::Inherited);
    assert_eq!(jinhua.course.banned_content_kinds.get().map(Vec::len), Some(3));
    assert_eq!(jinhua.supervise.inspection_aspects.get(), None);
}

#[test]
fn trap_52_ledgers_and_reports_have_three_rhythms() {
    let ledger = |pack_id: &str| region(pack_id, None).supervise.ledger.get().cloned();
    assert_eq!(ledger("hebei_shijiazhuang"), Some(vec![LedgerPeriod::Day, LedgerPeriod::Month]));
    assert_eq!(ledger("fujian_jinjiang"), Some(vec![LedgerPeriod::Month]));
    assert_eq!(ledger("xx_district"), None);
    let district = region("xx_district", None);
    let reports = district.supervise.reports.get().into_iter().flatten();
    let keys: Vec<&str> = reports.map(|report| report.key.as_str()).collect();
    assert!(keys.contains(&"first_week_form") && keys.contains(&"periodic"), "{keys:?}");
}

#[test]
fn trap_53_one_form_is_signed_and_no_other_paper_anywhere() {
    let mut signed = Vec::new();
    for pack_id in REGIONS {
        let policy = region(pack_id, None);
        let reports = policy.supervise.reports.get().into_iter().flatten();
        signed.extend(
            reports.filter(|report| report.signed).map(|report| (pack_id, report.key.clone(), report.due)),
        );
    }
    assert_eq!(signed, [("xx_district", "first_week_form".to_owned(), None)]);
}

#[test]
fn trap_54_jinjiang_where_to_complain_depends_on_the_stage() {
    let jinjiang = region("fujian_jinjiang", None);
    let phone = |stage| enroll::hotline(&jinjiang, stage).expect("a section").phone.clone();
    assert_eq!(phone(Stage::Primary).as_deref(), Some("0595-85682803"));
    assert_eq!(phone(Stage::Junior).as_deref(), Some("0595-85688012"));
}

#[test]
fn trap_56_two_inspections_a_term_are_jiaojiangs_and_a_past_count_is_no_quota() {
    assert_eq!(
        regions_where(|policy| supervise::inspections_missing(policy, 0).is_some()),
        ["zhejiang_jiaojiang"]
    );
    assert!(supervise::inspections_missing(&region("zhejiang_jiaojiang", None), 1).is_some());
    assert_eq!(region("zhejiang_jinhua", None).supervise.special_inspections_per_term.get(), None);
}

#[test]
fn trap_57_liaoning_makes_spending_public_and_no_region_a_pupil() {
    let spending = regions_where(|policy| keys(&policy.supervise.disclosure_fields).contains(&"spending"));
    assert_eq!(spending, ["liaoning"]);
    for pack_id in REGIONS {
        let policy = region(pack_id, None);
        for field in policy.supervise.disclosure_fields.get().into_iter().flatten() {
            assert!(
                !field.name_zh.contains("名单") && !field.name_zh.contains("减免"),
                "{pack_id}: {field:?}"
            );
        }
    }
}

#[test]
fn trap_58_refunds_months_and_deadlines_are_silent_everywhere() {
    let silent = [
        "refund_rule",
        "proration_rule",
        "term_months",
        "ticket_accept_deadline",
        "ticket_reply_deadline",
        "office_hours",
        "class_hour_minutes",
        "local_office_closing",
        "winter_from",
        "summer_from",
        "partial_waiver_rates",
        "partial_waiver_rounding",
        "gov_rounding",
        "gov_scopes",
        "waitlist_offer_minutes",
        "waitlist_quiet_from",
        "waitlist_quiet_to",
    ];
    for pack_id in REGIONS {
        for key in silent {
            let said = region(pack_id, None).clause(key).expect("a key of the schema");
            assert_eq!(said, Err(Silent { pack_id: pack_id.to_owned(), key }), "{pack_id}");
        }
    }
    let jingyan = region("sichuan_jingyan", None);
    let month = fee::charge(&jingyan, &price(Basis::Month, 12_000), &[lesson("2026-09-07", 1)]);
    assert!(matches!(month, Err(FeeRefusal::Silent(Silent { key: "proration_rule", .. }))), "{month:?}");
}

#[test]
fn trap_59_no_rule_rests_on_the_unrelated_articles_of_the_newspaper_page() {
    for pack_id in ["common"].into_iter().chain(REGIONS) {
        for clause in region(pack_id, None).entries().into_iter().filter_map(|entry| entry.clause) {
            let policy::Basis::Document(source) = &clause.basis else { panic!("{pack_id}: {clause:?}") };
            let is_newspaper = source.file.starts_with("000_");
            assert!(!is_newspaper || (3..=39).contains(&source.line), "{pack_id}: {} {source:?}", clause.key);
        }
    }
}

#[test]
fn trap_61_half_past_three_is_a_name_and_no_start() {
    for pack_id in ["anhui_hefei", "hebei_shahe"] {
        let policy = region(pack_id, None);
        assert_eq!(policy.time.start_after.get(), None, "{pack_id}");
        let early = [slot(DayPart::Afternoon, "14:50", "16:50")];
        assert!(judged_week(&policy, &every_day(&early)).is_ok(), "{pack_id}");
        let times = policy.entries().into_iter().filter(|entry| entry.key.group == "time");
        assert!(
            times.filter_map(|entry| entry.clause).all(|clause| !clause.value.zh.contains("15:30")),
            "{pack_id}"
        );
    }
}

#[test]
fn trap_62_an_agreement_and_a_letter_do_not_replace_each_other() {
    let both = |pack_id: &str| {
        let enroll = &region(pack_id, None).enroll;
        (
            enroll.agreement_required.standing() == Standing::Stated,
            enroll.parent_notice_required.standing() == Standing::Stated,
        )
    };
    assert_eq!(both("hebei"), (true, false));
    assert_eq!(both("hebei_shijiazhuang"), (true, false));
    assert_eq!(both("xinjiang_manas"), (true, true));
    for pack_id in ["hebei_shahe", "shanghai_jingan", "fujian_jinjiang"] {
        assert_eq!(both(pack_id), (false, true), "{pack_id}");
    }
}

#[test]
fn trap_63_slots_are_allowed_in_beijing_exact_in_anji_and_ways_home_in_shangyu() {
    let parts = [("16:00", "16:30"), ("16:30", "17:00"), ("17:00", "17:30"), ("17:30", "18:00")];
    let stand = |pack_id: &str| {
        let policy = region(pack_id, None);
        [1, 2, 3, 4].map(|count| {
            let split = &parts[parts.len() - count..];
            let slots: Vec<_> = split.iter().map(|part| slot(DayPart::Afternoon, part.0, part.1)).collect();
            judged_week(&policy, &every_day(&slots)).is_ok()
        })
    };
    assert_eq!(stand("beijing"), [true, true, true, false]);
    assert_eq!(stand("zhejiang_anji"), [false, true, false, false]);
    assert_eq!(stand("zhejiang_shangyu"), [true; 4]);
    let staggered = regions_where(|policy| policy.time.dismissal_slot_count.get().is_some());
    assert_eq!(staggered, ["zhejiang_shangyu"]);
}

#[test]
fn trap_64_two_class_hours_are_the_most_in_shenzhen_and_the_least_in_xx_district() {
    let stand = |pack_id: &str| {
        let policy = region(pack_id, None);
        [1, 2, 3].map(|class_hours| {
            judged_week(&policy, &every_day(&[SlotPlan { class_hours, ..afternoon("18:00") }])).is_ok()
        })
    };
    assert_eq!(stand("guangdong_shenzhen"), [true, true, false]);
    assert_eq!(stand("xx_district"), [false, true, true]);
}

#[test]
fn trap_65_who_comes_first_takes_nothing_from_who_is_willing() {
    let shahe = region("hebei_shahe", None);
    assert_eq!(enroll::priority_groups(&shahe).len(), 5);
    assert_eq!(shahe.enroll.admit_all_willing.get(), Some(&true));
    let nanjing = region("jiangsu_nanjing", None);
    assert_eq!(nanjing.enroll.admit_all_willing.get(), None, "nothing is said of it");
}

#[test]
fn trap_66_what_is_banned_is_banned_in_summer_care_too() {
    let jinjiang = region("fujian_jinjiang", None);
    for kind in [ContentKind::NewLesson, ContentKind::CollectiveMakeUp] {
        let refusal = course::third_party_check(&jinjiang, &course(false, kind, "暑假托管")).unwrap_err();
        assert!(matches!(refusal, CourseRefusal::ContentBanned { .. }), "{kind:?}");
    }
    assert_eq!(
        course::check_phase(&jinjiang, &course(true, ContentKind::Enrichment, "a"), day("2023-07-20")),
        Ok(None)
    );
}

#[test]
fn trap_68_shijiazhuang_is_free_by_inference_and_says_so() {
    let shijiazhuang = region("hebei_shijiazhuang", None);
    let Held::Inherited { from, inferred, .. } = shijiazhuang.fee.parent_fee_mode.held() else { panic!() };
    assert_eq!(from, "hebei");
    assert!(inferred.as_ref().is_some_and(|why| why.contains("推定")), "{inferred:?}");

    let own = fs::read_to_string(folder().join("hebei_shijiazhuang.toml")).expect("the pack");
    let alone: String =
        own.lines().filter(|line| !line.starts_with("parent_")).map(|line| format!("{line}\n")).collect();
    let packs = load(&[("hebei_shijiazhuang.toml", &alone)]).expect("a sound pack");
    let policy = packs.policy("hebei_shijiazhuang", None).expect("the policy");
    assert_eq!(policy.fee.parent_fee_mode.get(), None, "without the inference nothing is free or paid");
}

#[test]
fn trap_69_an_old_session_is_judged_by_the_edition_of_its_day() {
    let read = |file: &str| fs::read_to_string(folder().join(file)).expect("a pack");
    let dated = |text: String, bound: &str| {
        text.replacen("[[source_files]]", &format!("{bound}\n\n[[source_files]]"), 1)
    };
    let packs = load(&[
        ("jiangsu.toml", &read("jiangsu.toml")),
        ("jiangsu_nanjing.toml", &dated(read("jiangsu_nanjing.toml"), "effective_from = 2020-09-01")),
        ("retired/then.toml", &dated(read("retired/jiangsu_nanjing_1730.toml"), "effective_to = 2020-08-31")),
    ])
    .expect("sound packs");
    for (date, end) in [("2019-10-08", "17:30"), ("2020-08-31", "17:30"), ("2020-09-01", "18:00")] {
        let policy = packs.on("jiangsu_nanjing", None, day(date)).expect("an edition");
        assert_eq!(policy.time.end_target.get(), Some(&at(end)), "{date}");
    }
}

#[test]
fn trap_70_a_fraction_of_a_fen_is_nobodys_to_round() {
    for (pack_id, base) in
        [("zhejiang_shangyu", MatchBase::ParentPayments), ("shandong_rizhao", MatchBase::DistrictMoney)]
    {
        let policy = region(pack_id, None);
        assert!(gov::matching(&policy, base, fen(10)).is_ok(), "{pack_id}");
        let silent = gov::matching(&policy, base, fen(11)).unwrap_err();
        assert!(matches!(silent, GovRefusal::Silent(Silent { key: "gov_rounding", .. })), "{pack_id}");
    }
}

#[test]
fn trap_71_a_schools_own_plan_moves_shahes_times_and_no_principles() {
    let (shahe, district) = (region("hebei_shahe", None), region("xx_district", None));
    let moved = time::check_slot(&shahe, &afternoon("18:30"), &own_plan()).expect("accepted");
    assert!(matches!(moved.as_slice(), [Flag::AdjustedByPlan { .. }]), "{moved:?}");
    assert!(time::check_slot(&shahe, &afternoon("18:30"), &because("有原因")).is_err());
    assert!(time::check_slot(&district, &afternoon("17:30"), &own_plan()).is_err());
    assert!(time::check_slot(&district, &afternoon("17:30"), &because("有原因")).is_ok());
    let short = every_day(&[slot(DayPart::Afternoon, "16:00", "17:59")]);
    assert!(time::check_week(&shahe, &short, &own_plan()).is_err(), "the amount is guaranteed");
    let may = regions_where(|policy| policy.time.school_plan_may_adjust_times.get() == Some(&true));
    assert_eq!(may, ["hebei_shahe"]);
}

#[test]
fn trap_72_what_is_allowed_encouraged_or_explored_obliges_nobody() {
    let permitted = [
        ("beijing", "elastic_dismissal"),
        ("fujian_jinjiang", "third_party_course_allowed"),
        ("hebei_shahe", "elastic_dismissal"),
        ("hunan_zhuzhou", "elastic_dismissal"),
        ("hunan_zhuzhou", "extended_care_offered"),
        ("zhejiang_anji", "elastic_dismissal"),
        ("zhejiang_jinhua", "elastic_dismissal"),
    ];
    for (pack_id, key) in permitted {
        let clause = region(pack_id, None).clause(key).expect("a key").expect("a clause");
        assert_eq!(clause.binding, Binding::Target, "{pack_id} {key}");
    }
    for key in ["slot_count_min", "slot_count_max"] {
        let clause = region("beijing", None).clause(key).expect("a key").expect("a clause");
        assert_eq!(clause.binding, Binding::Principle);
    }
    assert_eq!(
        regions_where(|policy| policy.provider.whitelist_required.get().is_some()),
        ["beijing_dongcheng", "xx_district"]
    );
}
