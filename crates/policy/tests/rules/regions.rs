//! The 27 regions, each played with its own numbers, and what all of them state and leave silent.
//!
//! Head counts, clock times and sums beside a region's own numbers are made up for the test.

use std::collections::BTreeSet;
use std::fs;
use std::sync::Arc;

use chrono::Weekday;
use policy::course::{self, CourseFacts, CourseRefusal};
use policy::fee::{self, Basis, FeeRefusal, LessonDay, Offering, Tariff};
use policy::gov::{self, GovRefusal, Heads};
use policy::staff::{self, StaffRefusal, Staffing};
use policy::supervise::{self, Missing};
use policy::time::{self, Flag, SchoolPlan, SlotPlan, TimeRefusal};
use policy::vocabulary::{
    ChargeType, ChoiceMode, ContentKind, DayPart, ElasticDismissal, FeeMode, HeadCount, HomeworkPosition,
    Item, LedgerPeriod, MatchBase, PayeeAccount, StaffPayBasis, Stage, WaiverBasis, WhitelistScope,
};
use policy::waiver::{self, Effect};
use policy::{Binding, Entry, Packs, Policy, Remark, Silent, Standing, Value, enroll, funds};
use shared::value::Fen;

use crate::support::{at, day, fen, folder, load, region, supplement_text};

/// Every region, by pack.
pub const REGIONS: [&str; 27] = [
    "anhui_hefei",
    "beijing",
    "beijing_dongcheng",
    "fujian_jinjiang",
    "guangdong_shenzhen",
    "hebei",
    "hebei_shahe",
    "hebei_shijiazhuang",
    "henan_jinshui",
    "hubei_hongan",
    "hunan_yuhua",
    "hunan_zhuzhou",
    "jiangsu",
    "jiangsu_nanjing",
    "liaoning",
    "shandong",
    "shandong_rizhao",
    "shanghai_jingan",
    "sichuan_jingyan",
    "tianjin_heping",
    "tianjin_hexi",
    "xinjiang_manas",
    "xx_district",
    "zhejiang_anji",
    "zhejiang_jiaojiang",
    "zhejiang_jinhua",
    "zhejiang_shangyu",
];

/// The regions in which parents are never billed.
pub const FREE: [&str; 5] =
    ["guangdong_shenzhen", "hebei", "hebei_shahe", "hebei_shijiazhuang", "jiangsu_nanjing"];

/// The regions of which something holds, in the order of [`REGIONS`].
pub fn regions_where(holds: impl Fn(&Policy) -> bool) -> Vec<&'static str> {
    REGIONS.into_iter().filter(|pack_id| holds(&region(pack_id, None))).collect()
}

/// A real region, its parents beneath it, with a district's decisions over it.
pub fn decided(pack_id: &str, decisions: &[(&str, &str)]) -> Arc<Policy> {
    let mut files = vec![("supplements/own.toml".to_owned(), supplement_text("own", pack_id, decisions))];
    let mut next = Some(pack_id.to_owned());
    while let Some(pack_id) = next {
        let file = format!("{pack_id}.toml");
        let text = fs::read_to_string(folder().join(&file)).expect("the pack");
        files.push((file, text));
        next = region(&pack_id, None).parent_pack().map(str::to_owned);
    }
    let files: Vec<(&str, &str)> = files.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    load(&files).expect("sound files").policy(pack_id, Some("own")).expect("the policy")
}

/// A price of the service for primary pupils in the afternoon.
pub fn price(basis: Basis, amount: i64) -> Tariff {
    Tariff {
        stage: Stage::Primary,
        basis,
        amount: fen(amount),
        slot_kind: DayPart::Afternoon,
        offering: Offering::Service,
        approval_document: None,
    }
}

/// One price of every basis.
pub fn prices(amount: i64) -> [Tariff; 5] {
    let end_slot = 1;
    [Basis::Term, Basis::Month, Basis::ClassHour, Basis::SlotMonth { end_slot }, Basis::Day]
        .map(|basis| price(basis, amount))
}

/// The key a price is silent on.
pub fn silent_on(policy: &Policy, tariff: &Tariff) -> &'static str {
    match fee::check_tariff(policy, tariff) {
        Err(FeeRefusal::Silent(Silent { key, .. })) => key,
        other => panic!("not silent: {other:?}"),
    }
}

/// The limit a price is above.
pub fn limit_of(policy: &Policy, tariff: &Tariff) -> i64 {
    match fee::check_tariff(policy, tariff) {
        Err(FeeRefusal::AboveCeiling { limit, .. }) => limit.get(),
        other => panic!("not above a ceiling: {other:?}"),
    }
}

/// A Monday slot of one autumn term, of two class hours.
pub fn slot(kind: DayPart, starts_at: &str, ends_at: &str) -> SlotPlan {
    SlotPlan {
        kind,
        weekday: Weekday::Mon,
        from: day("2026-09-01"),
        to: day("2027-01-20"),
        starts_at: at(starts_at),
        ends_at: at(ends_at),
        class_hours: 2,
        ends_service: kind == DayPart::Afternoon,
    }
}

/// A Monday afternoon that ends the day's service.
pub fn afternoon(ends_at: &str) -> SlotPlan {
    slot(DayPart::Afternoon, "16:00", ends_at)
}

/// The same slots from Monday to Friday.
pub fn every_day(slots: &[SlotPlan]) -> Vec<SlotPlan> {
    let week = [Weekday::Mon, Weekday::Tue, Weekday::Wed, Weekday::Thu, Weekday::Fri];
    week.into_iter().flat_map(|weekday| slots.iter().map(move |slot| SlotPlan { weekday, ..*slot })).collect()
}

/// Judges a slot of a school without a plan of its own.
pub fn judged(policy: &Policy, slot: &SlotPlan) -> Result<Vec<Flag>, TimeRefusal> {
    time::check_slot(policy, slot, &SchoolPlan::default())
}

/// Judges a week of a school without a plan of its own.
pub fn judged_week(policy: &Policy, slots: &[SlotPlan]) -> Result<Vec<Flag>, TimeRefusal> {
    time::check_week(policy, slots, &SchoolPlan::default())
}

/// A school that says why it ends early.
pub fn because(reason: &str) -> SchoolPlan {
    SchoolPlan { justification: Some(reason.to_owned()), ..SchoolPlan::default() }
}

/// A school whose own plan moves times.
pub fn own_plan() -> SchoolPlan {
    SchoolPlan { adjusts_times: true, ..SchoolPlan::default() }
}

/// A course by its title.
pub fn course(third_party: bool, content_kind: ContentKind, title: &str) -> CourseFacts<'_> {
    CourseFacts { third_party, content_kind, title, description: "" }
}

/// The keys of a list, in the order of the document; none when silent.
pub fn keys(items: &Value<Vec<Item>>) -> Vec<&str> {
    items.get().into_iter().flatten().map(|item| item.key.as_str()).collect()
}

fn missing_keys(missing: Option<Missing>) -> Vec<String> {
    missing.into_iter().flat_map(|missing| missing.items).map(|item| item.key).collect()
}

/// What is left to pay of a charge by a category.
fn payable(policy: &Policy, charge: i64, category: &str) -> i64 {
    let effect = waiver::effect(policy, category).expect("an effect");
    waiver::apply(policy, fen(charge), &effect).expect("a waiver").payable.get()
}

fn silent_gov(refusal: GovRefusal) -> &'static str {
    match refusal {
        GovRefusal::Silent(silent) => silent.key,
        other => panic!("not silent: {other:?}"),
    }
}

fn heads(enrolled: u32, participants: u32) -> Heads {
    Heads { enrolled, participants }
}

/// Targets as `(key, share)`.
fn targets(policy: &Policy) -> Vec<(&str, u32)> {
    let targets = policy.supervise.targets.get().into_iter().flatten();
    targets.map(|target| (target.key.as_str(), target.at_least_bp.get())).collect()
}

fn met(policy: &Policy, key: &str, numerator: u64, denominator: u64) -> Option<bool> {
    let mut targets = policy.supervise.targets.get().into_iter().flatten();
    let target = targets.find(|target| target.key == key).expect("the target");
    supervise::target_met(target, numerator, denominator)
}

// All regions together.

#[test]
fn c01_every_region_has_a_pack_and_no_other_pack_stands_beside_them() {
    let packs = Packs::load(&folder()).expect("sound packs");
    let found: BTreeSet<&str> = packs.current().map(|policy| policy.pack_id()).collect();
    let known: BTreeSet<&str> = REGIONS.into_iter().chain(["common"]).collect();
    assert_eq!(found, known);
}

/// A line a key that is not silent: pack, key, value in words, binding, reading, place, pack above.
fn on_record(policy: &Policy, entry: &Entry) -> Option<String> {
    let clause = entry.clause.as_ref()?;
    let policy::Basis::Document(source) = &clause.basis else { panic!("a pack rests on documents") };
    let reading = if matches!(clause.remark, Some(Remark::Reading(_))) { " | reading" } else { "" };
    let from = clause.inherited.as_ref().map_or(String::new(), |from| format!(" | from {}", from.pack_id));
    Some(format!(
        "{} | {}.{} | {} | {:?} | {}:{}{reading}{from}\n",
        policy.pack_id(),
        entry.key.group,
        entry.key.name,
        clause.value.zh,
        clause.binding,
        source.file,
        source.line
    ))
}

#[test]
fn c01_what_every_region_states_is_on_record() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/rules/stated.txt");
    let mut found = String::new();
    for pack_id in ["common"].into_iter().chain(REGIONS) {
        let policy = region(pack_id, None);
        found.extend(policy.entries().iter().filter_map(|entry| on_record(&policy, entry)));
    }
    if std::env::var_os("KEHOU_UPDATE_SNAPSHOTS").is_some() {
        fs::write(&path, found).expect("the record is written");
        return;
    }
    let known = fs::read_to_string(&path).unwrap_or_default();
    let (known, found): (BTreeSet<&str>, BTreeSet<&str>) = (known.lines().collect(), found.lines().collect());
    let lost = known.difference(&found).map(|line| format!("- {line}\n"));
    let gained = found.difference(&known).map(|line| format!("+ {line}\n"));
    let difference: String = lost.chain(gained).collect();
    assert!(
        difference.is_empty(),
        "{}:\n{difference}if it should, run the test with KEHOU_UPDATE_SNAPSHOTS=1 and review the file",
        path.display()
    );
}

/// What the columns of [`MATRIX`] are made of.
const COLUMNS: [(&str, &[&str]); 8] = [
    ("parent fee", &["parent_fee_mode"]),
    ("waiver", &["waivers"]),
    (
        "end time",
        &["end_not_before", "end_not_before_basis", "end_not_after", "end_target", "slot_end_offset_minutes"],
    ),
    (
        "class hours or minutes",
        &[
            "min_class_hours_per_afternoon",
            "max_class_hours_per_day",
            "class_hours_per_day",
            "min_minutes_per_day",
        ],
    ),
    ("staff pay rate", &["internal_pay_fen_per_class_hour"]),
    ("refund", &["refund_rule", "proration_rule"]),
    ("complaint deadline", &["ticket_accept_deadline", "ticket_reply_deadline"]),
    // What is banned for third parties everywhere says nothing on whether a region lets them in.
    (
        "third party",
        &[
            "third_party_course_allowed",
            "third_party_assessor",
            "third_party_total_outsourcing_allowed",
            "whitelist_required",
            "whitelist_scope",
            "provider_fund_supervision",
            "external_pay_cap_fen_per_class_hour",
        ],
    ),
];

/// `V` stated, `I` inherited, `S` silent, `-` nothing to waive where the service is free; in the order of [`COLUMNS`].
///
/// A parents' share yet to be notified is silence on the fee. A public operator group and its professionals are no third
/// party.
const MATRIX: [(&str, &str); 27] = [
    ("anhui_hefei", "VSSSSSSV"),
    ("beijing", "SSVSSSSV"),
    ("beijing_dongcheng", "SSISSSSV"),
    ("fujian_jinjiang", "SSSSSSSV"),
    ("guangdong_shenzhen", "V-VVSSSV"),
    ("hebei", "V-SSSSSS"),
    ("hebei_shahe", "V-VVSSSS"),
    ("hebei_shijiazhuang", "I-VSSSSV"),
    ("henan_jinshui", "SSSVSSSS"),
    ("hubei_hongan", "SSSSSSSS"),
    ("hunan_yuhua", "SSSSSSSV"),
    ("hunan_zhuzhou", "VVSSSSSS"),
    ("jiangsu", "VVSSSSSS"),
    ("jiangsu_nanjing", "V-VSSSSS"),
    ("liaoning", "SSSSSSSS"),
    ("shandong", "SSSSSSSS"),
    ("shandong_rizhao", "SSVSSSSS"),
    ("shanghai_jingan", "SSSSSSSS"),
    ("sichuan_jingyan", "VVSSSSSS"),
    ("tianjin_heping", "SSSSSSSS"),
    ("tianjin_hexi", "SSSSSSSS"),
    ("xinjiang_manas", "SSSSSSSS"),
    ("xx_district", "SSVVSSSV"),
    ("zhejiang_anji", "VSVSSSSS"),
    ("zhejiang_jiaojiang", "VVSSVSSV"),
    ("zhejiang_jinhua", "VVVSSSSS"),
    ("zhejiang_shangyu", "SVSSSSSS"),
];

fn cell(policy: &Policy, names: &[&str]) -> char {
    let entries = policy.entries();
    let named = entries.iter().filter(|entry| names.contains(&entry.key.name));
    let standings: Vec<Standing> = named.map(|entry| entry.standing).collect();
    assert_eq!(standings.len(), names.len(), "every key is of the schema: {names:?}");
    let is_any = |standing| standings.contains(&standing);
    let mode = policy.fee.parent_fee_mode.get();
    match names {
        ["parent_fee_mode"] if mode == Some(&FeeMode::AwaitingApproval) => 'S',
        ["waivers"] if mode == Some(&FeeMode::Free) && !is_any(Standing::Stated) => '-',
        _ if is_any(Standing::Stated) => 'V',
        _ if is_any(Standing::Inherited) => 'I',
        _ => 'S',
    }
}

#[test]
fn c01_what_every_region_is_silent_on_is_as_its_documents_are() {
    for (pack_id, row) in MATRIX {
        let policy = region(pack_id, None);
        let found: String = COLUMNS.iter().map(|(_, names)| cell(&policy, names)).collect();
        let columns = COLUMNS.map(|(name, _)| name);
        assert_eq!(found, row, "{pack_id}: {columns:?}");
    }
    assert_eq!(MATRIX.map(|(pack_id, _)| pack_id), REGIONS);
}

#[test]
fn c01_jinshui_has_no_price_to_publish_and_zhuzhou_has_two_ceilings() {
    let (jinshui, zhuzhou) = (region("henan_jinshui", None), region("hunan_zhuzhou", None));
    for tariff in prices(100) {
        assert_eq!(silent_on(&jinshui, &tariff), "parent_fee_mode");
    }
    assert_eq!(zhuzhou.fee.parent_fee_cap_fen_per_class_hour.get(), Some(&fen(500)));
    assert_eq!(zhuzhou.fee.parent_fee_cap_fen_per_day.get(), Some(&fen(1_000)));
}

#[test]
fn c01_no_price_stands_where_no_document_states_one() {
    let priced = regions_where(|policy| fee::stated(policy).is_ok());
    assert_eq!(
        priced,
        [
            "anhui_hefei",
            "hunan_zhuzhou",
            "jiangsu",
            "sichuan_jingyan",
            "zhejiang_anji",
            "zhejiang_jiaojiang",
            "zhejiang_jinhua"
        ]
    );
    for pack_id in REGIONS.iter().filter(|pack_id| !priced.contains(pack_id)) {
        for tariff in prices(1) {
            assert!(fee::check_tariff(&region(pack_id, None), &tariff).is_err(), "{pack_id}: {tariff:?}");
        }
    }
}

#[test]
fn c34_taking_part_is_voluntary_everywhere() {
    assert_eq!(regions_where(|policy| policy.enroll.voluntary.get() == Some(&true)), REGIONS);
}

#[test]
fn c35_an_agreement_is_signed_in_hebei_and_below_and_in_manas() {
    let agreed = regions_where(|policy| enroll::agreement_required(policy).is_some());
    assert_eq!(agreed, ["hebei", "hebei_shahe", "hebei_shijiazhuang", "xinjiang_manas"]);
}

#[test]
fn c37_parents_are_told_in_writing_in_four_regions() {
    let told = regions_where(|policy| policy.enroll.parent_notice_required.get() == Some(&true));
    assert_eq!(told, ["fujian_jinjiang", "hebei_shahe", "shanghai_jingan", "xinjiang_manas"]);
}

#[test]
fn c38_need_is_surveyed_first_in_three_regions() {
    let surveyed = regions_where(|policy| policy.enroll.need_survey_required.get() == Some(&true));
    assert_eq!(surveyed, ["fujian_jinjiang", "xx_district", "zhejiang_shangyu"]);
}

#[test]
fn c40_all_who_are_willing_are_taken_where_documents_say_so() {
    let admits = regions_where(|policy| policy.enroll.admit_all_willing.get() == Some(&true));
    assert_eq!(
        admits,
        [
            "beijing",
            "beijing_dongcheng",
            "hebei_shahe",
            "hubei_hongan",
            "hunan_yuhua",
            "shandong",
            "shandong_rizhao",
            "shanghai_jingan",
            "xx_district",
            "zhejiang_anji"
        ]
    );
    assert_eq!(region("shandong_rizhao", None).enroll.admit_all_willing.binding(), Some(Binding::Exact));
}

#[test]
fn c17_every_region_has_its_own_course_categories() {
    let counts = [
        ("anhui_hefei", 8),
        ("beijing_dongcheng", 4),
        ("guangdong_shenzhen", 6),
        ("hebei", 3),
        ("hebei_shahe", 4),
        ("hebei_shijiazhuang", 3),
        ("hubei_hongan", 5),
        ("hunan_yuhua", 7),
        ("shandong_rizhao", 6),
        ("shanghai_jingan", 6),
        ("tianjin_heping", 4),
        ("tianjin_hexi", 4),
        ("xinjiang_manas", 5),
        ("xx_district", 5),
        ("zhejiang_jinhua", 4),
        ("zhejiang_shangyu", 3),
    ];
    for (pack_id, count) in counts {
        assert_eq!(keys(&region(pack_id, None).course.categories).len(), count, "{pack_id}");
    }
    assert_eq!(
        regions_where(|policy| policy.course.categories.get().is_some()),
        counts.map(|(pack_id, _)| pack_id)
    );
    assert_eq!(
        keys(&region("beijing_dongcheng", None).course.categories),
        ["subject_tutoring", "physical_exercise", "labour_service", "literacy"]
    );
    assert_eq!(
        keys(&region("zhejiang_jinhua", None).course.categories),
        ["science_art", "sports", "labour", "psychology"]
    );
}

#[test]
fn c23_new_lessons_make_up_and_drilling_are_banned_everywhere_and_for_everybody() {
    for pack_id in REGIONS {
        let policy = region(pack_id, None);
        for kind in [ContentKind::NewLesson, ContentKind::CollectiveMakeUp, ContentKind::ExamDrilling] {
            for third_party in [true, false] {
                let judged = course::third_party_check(&policy, &course(third_party, kind, "课程"));
                assert!(matches!(judged, Err(CourseRefusal::ContentBanned { .. })), "{pack_id} {kind:?}");
            }
        }
    }
}

#[test]
fn c52_individual_questions_are_answered_everywhere() {
    for pack_id in REGIONS {
        let policy = region(pack_id, None);
        for title in ["个别答疑", "分层辅导"] {
            let judged = course::third_party_check(&policy, &course(false, ContentKind::BasicCare, title));
            assert_eq!(judged, Ok(vec![]), "{pack_id}: {title}");
        }
    }
}

#[test]
fn c22_exam_courses_of_third_parties_are_banned_everywhere_and_science_is_not() {
    for pack_id in REGIONS {
        let policy = region(pack_id, None);
        let judged = |third_party, kind, title| {
            course::third_party_check(&policy, &course(third_party, kind, title)).map(|_| ())
        };
        assert!(judged(true, ContentKind::SubjectExam, "数学").is_err(), "{pack_id}");
        assert!(judged(true, ContentKind::Enrichment, "初三数学冲刺").is_err(), "{pack_id}");
        assert_eq!(judged(true, ContentKind::Enrichment, "科学实验"), Ok(()), "{pack_id}");
        assert_eq!(judged(false, ContentKind::SubjectTutoring, "学科辅导"), Ok(()), "{pack_id}");
    }
}

#[test]
fn c66_no_third_party_collects_in_any_region() {
    assert_eq!(
        regions_where(|policy| policy.provider.third_party_may_collect.get() == Some(&false)),
        REGIONS
    );
}

#[test]
fn c67_parents_money_goes_where_the_region_says() {
    let payees: Vec<_> = REGIONS
        .into_iter()
        .filter_map(|pack_id| Some((pack_id, *region(pack_id, None).fee.payee_account.get()?)))
        .collect();
    assert_eq!(
        payees,
        [
            ("zhejiang_anji", PayeeAccount::Treasury),
            ("zhejiang_jiaojiang", PayeeAccount::School),
            ("zhejiang_jinhua", PayeeAccount::School),
            ("zhejiang_shangyu", PayeeAccount::OperatorGroup),
        ]
    );
}

#[test]
fn c76_refunds_and_months_that_are_not_full_are_silent_everywhere() {
    for pack_id in REGIONS {
        let fee = &region(pack_id, None).fee;
        assert!(fee.refund_rule.get().is_none() && fee.proration_rule.get().is_none(), "{pack_id}");
    }
}

#[test]
fn c77_extended_care_has_no_price_in_any_region() {
    let billed = regions_where(|policy| {
        prices(1).into_iter().any(|tariff| {
            fee::check_tariff(policy, &Tariff { slot_kind: DayPart::Extended, ..tariff }).is_ok()
        })
    });
    assert_eq!(billed, [""; 0]);
    for pack_id in ["hunan_zhuzhou", "zhejiang_jiaojiang", "sichuan_jingyan", "zhejiang_anji"] {
        let extended = Tariff { slot_kind: DayPart::Extended, ..price(Basis::Term, 1) };
        let refusal = fee::check_tariff(&region(pack_id, None), &extended).unwrap_err();
        assert_eq!(refusal, FeeRefusal::ExtendedCareUnpriced, "{pack_id}");
    }
    let offered = regions_where(|policy| policy.time.extended_care_offered.get() == Some(&true));
    assert_eq!(offered, ["henan_jinshui", "hunan_zhuzhou", "jiangsu_nanjing"]);
    let required = regions_where(|policy| policy.time.extended_care_required.get() == Some(&true));
    assert_eq!(required, ["xx_district"]);
}

#[test]
fn c78_a_price_rests_on_a_cost_sheet_in_three_regions() {
    let costed = regions_where(|policy| fee::needs_cost_sheet(policy).is_some());
    assert_eq!(costed, ["anhui_hefei", "sichuan_jingyan", "zhejiang_anji"]);
}

#[test]
fn c59_where_service_is_free_every_price_of_every_basis_is_refused_and_no_order_stands() {
    let free = regions_where(|policy| policy.fee.parent_fee_mode.get() == Some(&FeeMode::Free));
    assert_eq!(free, FREE);
    for pack_id in FREE {
        let policy = region(pack_id, None);
        for amount in [0, 1, 30_000] {
            for tariff in prices(amount) {
                for slot_kind in [DayPart::Afternoon, DayPart::NoonSlot, DayPart::Extended] {
                    let tariff = Tariff { slot_kind, ..tariff.clone() };
                    let refusal = fee::check_tariff(&policy, &tariff).unwrap_err();
                    assert!(matches!(refusal, FeeRefusal::FreeOfCharge { .. }), "{pack_id}: {refusal:?}");
                    let lesson =
                        LessonDay { date: day("2026-09-07"), class_hours: 1, already_charged: Fen::ZERO };
                    let charged = fee::charge(&policy, &tariff, &[lesson]);
                    assert!(
                        matches!(charged, Err(FeeRefusal::FreeOfCharge { .. })),
                        "{pack_id}: {charged:?}"
                    );
                }
            }
        }
        let personalised = Tariff { offering: Offering::PersonalisedCourse, ..price(Basis::Term, 1) };
        assert!(matches!(fee::check_tariff(&policy, &personalised), Err(FeeRefusal::FreeOfCharge { .. })));
        assert!(matches!(fee::term_ceiling(&policy, &[]), Err(FeeRefusal::FreeOfCharge { .. })));
        assert!(matches!(fee::month_ceiling(&policy, &[]), Err(FeeRefusal::FreeOfCharge { .. })));
        assert!(matches!(fee::average(&policy, &[]), Err(FeeRefusal::FreeOfCharge { .. })));
        assert!(matches!(fee::stated(&policy), Err(FeeRefusal::FreeOfCharge { .. })));
    }
}

#[test]
fn c06_noon_care_is_out_of_scope_in_beijing_and_service_where_documents_name_it() {
    for pack_id in ["beijing", "beijing_dongcheng"] {
        let policy = region(pack_id, None);
        let excluded = [
            DayPart::EarlyArrival,
            DayPart::Lunch,
            DayPart::NoonRest,
            DayPart::NoonSlot,
            DayPart::EveningStudy,
        ];
        for kind in excluded {
            let refusal = judged(&policy, &slot(kind, "12:00", "13:00")).unwrap_err();
            assert!(matches!(refusal, TimeRefusal::OutOfScope { .. }), "{pack_id} {kind:?}: {refusal:?}");
        }
    }
    let named = [
        ("xx_district", DayPart::Breakfast),
        ("xx_district", DayPart::Lunch),
        ("xx_district", DayPart::NoonRest),
        ("shandong_rizhao", DayPart::NoonRest),
        ("shandong_rizhao", DayPart::NoonSlot),
        ("hunan_yuhua", DayPart::Lunch),
    ];
    for (pack_id, kind) in named {
        assert_eq!(judged(&region(pack_id, None), &slot(kind, "12:00", "13:00")), Ok(vec![]), "{pack_id}");
    }
    let shahe = region("hebei_shahe", None);
    assert_eq!(judged(&shahe, &slot(DayPart::NoonSlot, "14:00", "14:40")), Ok(vec![]));
}

#[test]
fn c10_a_target_of_1800_is_neither_the_latest_end_nor_the_earliest() {
    for pack_id in ["guangdong_shenzhen", "shandong_rizhao", "jiangsu_nanjing"] {
        let policy = region(pack_id, None);
        assert_eq!(policy.time.end_target.get(), Some(&at("18:00")), "{pack_id}");
        for ends_at in ["17:00", "18:00", "18:05"] {
            assert_eq!(judged(&policy, &afternoon(ends_at)), Ok(vec![]), "{pack_id} {ends_at}");
        }
    }
}

#[test]
fn c14_homework_has_its_place_in_five_regions_and_its_least_time_in_two() {
    let places: Vec<_> = REGIONS
        .into_iter()
        .filter_map(|pack_id| Some((pack_id, *region(pack_id, None).time.homework_position.get()?)))
        .collect();
    assert_eq!(
        places,
        [
            ("beijing", HomeworkPosition::Dedicated),
            ("beijing_dongcheng", HomeworkPosition::Dedicated),
            ("henan_jinshui", HomeworkPosition::FirstClassHour),
            ("shanghai_jingan", HomeworkPosition::InSegment1),
            ("zhejiang_anji", HomeworkPosition::FirstSlot),
        ]
    );
    let segmented = regions_where(|policy| policy.time.homework_segment.get() == Some(&true));
    let placed: Vec<&str> = places.iter().map(|(pack_id, _)| *pack_id).collect();
    assert!(segmented.contains(&"xx_district") && placed.iter().all(|pack_id| segmented.contains(pack_id)));
    for pack_id in ["xx_district", "henan_jinshui"] {
        let policy = region(pack_id, None);
        let short = time::check_homework(&policy, Weekday::Mon, 0).unwrap_err();
        assert!(matches!(short, TimeRefusal::TooLittle { least: 1, found: 0, .. }), "{pack_id}: {short:?}");
        assert_eq!(time::check_homework(&policy, Weekday::Mon, 1), Ok(()));
    }
    for pack_id in ["beijing", "zhejiang_anji", "shanghai_jingan"] {
        assert_eq!(time::check_homework(&region(pack_id, None), Weekday::Mon, 0), Ok(()), "{pack_id}");
    }
}

// 北京市、东城区

#[test]
fn c07_beijing_may_split_an_afternoon_into_two_or_three_slots_and_not_four() {
    let parts = [("15:30", "16:00"), ("16:00", "16:30"), ("16:30", "17:00"), ("17:00", "17:30")];
    for pack_id in ["beijing", "beijing_dongcheng"] {
        let policy = region(pack_id, None);
        for (count, stands) in [(1, true), (2, true), (3, true), (4, false)] {
            let split = &parts[parts.len() - count..];
            let slots: Vec<_> = split.iter().map(|part| slot(DayPart::Afternoon, part.0, part.1)).collect();
            let week = judged_week(&policy, &every_day(&slots));
            assert_eq!(week.is_ok(), stands, "{pack_id}, {count} slots: {week:?}");
        }
    }
}

#[test]
fn c09_beijing_1730_is_a_principle_and_less_needs_a_reason() {
    for pack_id in ["beijing", "beijing_dongcheng"] {
        let policy = region(pack_id, None);
        let plan = SchoolPlan { teaching_ends_at: Some(at("16:00")), ..SchoolPlan::default() };
        let with_reason = SchoolPlan { justification: Some("校车时刻".to_owned()), ..plan.clone() };

        assert_eq!(time::check_slot(&policy, &afternoon("17:30"), &plan), Ok(vec![]), "{pack_id}");
        let refusal = time::check_slot(&policy, &afternoon("17:29"), &plan).unwrap_err();
        assert!(
            matches!(&refusal, TimeRefusal::JustificationRequired { floor, .. } if *floor == at("17:30")),
            "{pack_id}: {refusal:?}"
        );
        let flags = time::check_slot(&policy, &afternoon("17:29"), &with_reason).expect("accepted");
        let [Flag::EndBeforePrinciple { floor, clause }] = flags.as_slice() else { panic!("{flags:?}") };
        assert_eq!((*floor, clause.pack_id.as_str()), (at("17:30"), "beijing"));
    }
}

#[test]
fn c12_service_is_given_on_every_workday_where_documents_say_so() {
    let daily = regions_where(|policy| policy.time.all_workdays.get() == Some(&true));
    assert_eq!(daily, ["beijing", "beijing_dongcheng", "hebei_shahe"]);
    for pack_id in daily {
        let policy = region(pack_id, None);
        let mut week = every_day(&[slot(DayPart::Afternoon, "16:00", "18:00")]);
        assert!(judged_week(&policy, &week).is_ok(), "{pack_id}");
        week.pop();
        let short = judged_week(&policy, &week).unwrap_err();
        assert!(matches!(short, TimeRefusal::TooLittle { least: 5, found: 4, .. }), "{pack_id}: {short:?}");
    }
}

#[test]
fn c13_beijing_service_starts_when_the_teaching_plan_is_done() {
    let plan = SchoolPlan { teaching_ends_at: Some(at("15:30")), ..SchoolPlan::default() };
    let starting = |starts_at| slot(DayPart::Afternoon, starts_at, "17:30");
    for pack_id in ["beijing", "beijing_dongcheng"] {
        let policy = region(pack_id, None);
        let early = time::check_slot(&policy, &starting("15:20"), &plan).unwrap_err();
        assert!(matches!(early, TimeRefusal::StartsTooEarly { .. }), "{pack_id}: {early:?}");
        assert_eq!(time::check_slot(&policy, &starting("15:30"), &plan), Ok(vec![]), "{pack_id}");
    }
}

#[test]
fn c23_beijing_a_drilling_class_is_flagged_by_its_words_and_blocked_when_confirmed() {
    let beijing = region("beijing", None);
    let words = |kind| course::third_party_check(&beijing, &course(false, kind, "期末刷题班"));
    let found = words(ContentKind::BasicCare).expect("flagged, not refused");
    assert_eq!(found.iter().map(|found| found.word).collect::<Vec<_>>(), ["刷题", "期末"]);
    let Err(CourseRefusal::ContentBanned { clause, .. }) = words(ContentKind::ExamDrilling) else { panic!() };
    let policy::Basis::Document(source) = clause.basis else { panic!() };
    assert_eq!((clause.pack_id.as_str(), source.line), ("beijing", 27));
}

#[test]
fn c89_beijing_keeps_three_full_coverages() {
    assert_eq!(
        targets(&region("beijing", None)),
        [("schools", 10_000), ("workdays", 10_000), ("willing_pupils", 10_000)]
    );
}

#[test]
fn c20_dongcheng_buys_from_units_vetted_for_the_whole_district_as_a_supplement() {
    let dongcheng = region("beijing_dongcheng", None);
    let provider = &dongcheng.provider;
    assert_eq!(provider.whitelist_required.get(), Some(&true));
    assert_eq!(provider.whitelist_scope.get(), Some(&WhitelistScope::District));
    assert_eq!(provider.third_party_total_outsourcing_allowed.get(), Some(&false));
    assert_eq!(dongcheng.course.school_subject_tutoring_allowed.get(), Some(&true));
    let inherited = dongcheng.entries().into_iter().filter(|entry| entry.standing == Standing::Inherited);
    let from_beijing = inherited
        .filter(|entry| entry.clause.as_ref().is_some_and(|clause| clause.pack_id == "beijing"))
        .count();
    assert!(from_beijing >= 12, "the time rules come from the city: {from_beijing}");
}

// 河北省、石家庄市、沙河市

#[test]
fn c73_hebei_caps_the_performance_total_at_eleven_tenths_of_guidance() {
    let hebei = region("hebei", None);
    for (guidance, most) in [(100, 110), (0, 0), (1, 1), (35_300_000_000, 38_830_000_000)] {
        let cap = staff::performance_cap(&hebei, fen(guidance)).expect("a cap");
        assert_eq!(cap.most, fen(most));
        assert_eq!(cap.clause.binding, Binding::Ceiling);
    }
}

#[test]
fn c108_hebei_started_with_grade_one_in_may_2019() {
    let hebei = region("hebei", None);
    let rollout = hebei.scope.rollout.require().expect("a start");
    let [first] = rollout.as_slice() else { panic!("{rollout:?}") };
    assert_eq!((first.stage, first.grade, first.from), (Stage::Primary, Some(1), day("2019-05-01")));
    assert_eq!(hebei.gov.gov_funded_by.get().map(String::as_str), Some("同级财政"));
}

#[test]
fn c09_shijiazhuang_1800_is_hard_whatever_the_reason() {
    let shijiazhuang = region("hebei_shijiazhuang", None);
    for plan in [SchoolPlan::default(), because("校车时刻"), own_plan()] {
        for (ends_at, stands) in [("17:50", false), ("17:59", false), ("18:00", true), ("18:05", true)] {
            let judged = time::check_slot(&shijiazhuang, &afternoon(ends_at), &plan);
            match judged {
                Ok(flags) => assert!(stands && flags.is_empty(), "{ends_at}: {flags:?}"),
                Err(TimeRefusal::EndsTooEarly { floor, .. }) => {
                    assert_eq!((floor, stands), (at("18:00"), false));
                }
                Err(other) => panic!("{other:?}"),
            }
        }
    }
}

#[test]
fn c02_shijiazhuang_one_fen_under_a_free_province_does_not_load() {
    let read = |file: &str| fs::read_to_string(folder().join(file)).expect("a pack");
    let own = read("hebei_shijiazhuang.toml");
    let priced = format!(
        "{own}\n[fee.parent_fee_cap_fen_per_term]\nvalue = 1\nbinding = \"ceiling\"\nsource = {{ file = \"004_531117cf52921b6f.txt\", line = 85, words = \"协议\" }}\n"
    );
    assert!(load(&[("hebei.toml", &read("hebei.toml")), ("hebei_shijiazhuang.toml", &own)]).is_ok());
    let problems = load(&[("hebei.toml", &read("hebei.toml")), ("hebei_shijiazhuang.toml", &priced)])
        .expect_err("a problem");
    let [problem] = problems.as_slice() else { panic!("{problems:?}") };
    assert_eq!(
        (problem.file.as_str(), problem.key.as_str()),
        ("hebei_shijiazhuang.toml", "parent_fee_cap_fen_per_term")
    );
}

#[test]
fn c86_ledgers_have_the_rhythm_of_their_region() {
    let rhythms: Vec<_> = REGIONS
        .into_iter()
        .filter_map(|pack_id| Some((pack_id, region(pack_id, None).supervise.ledger.get()?.clone())))
        .collect();
    assert_eq!(
        rhythms,
        [
            ("fujian_jinjiang", vec![LedgerPeriod::Month]),
            ("hebei_shijiazhuang", vec![LedgerPeriod::Day, LedgerPeriod::Month]),
        ]
    );
}

#[test]
fn c94_shijiazhuang_third_parties_assess_and_nothing_is_said_on_teaching() {
    assert_eq!(
        regions_where(|policy| policy.provider.third_party_assessor.get().is_some()),
        ["hebei_shijiazhuang"]
    );
    let provider = &region("hebei_shijiazhuang", None).provider;
    assert_eq!(provider.third_party_assessor.get(), Some(&true));
    assert_eq!(provider.third_party_course_allowed.get(), None);
}

#[test]
fn c08_shahe_noon_starts_at_1300_in_winter_and_1400_in_summer_once_seasons_are_decided() {
    let alone = region("hebei_shahe", None);
    let shahe =
        decided("hebei_shahe", &[("time.winter_from", "\"10-08\""), ("time.summer_from", "\"05-06\"")]);
    let noon = |from: &str, to: &str, starts_at: &str| SlotPlan {
        from: day(from),
        to: day(to),
        ..slot(DayPart::NoonSlot, starts_at, "14:40")
    };
    let (winter, summer) = (("2026-10-08", "2027-05-05"), ("2026-09-01", "2026-10-07"));
    let cases = [
        (winter, "12:59", Some("13:00")),
        (winter, "13:00", None),
        (winter, "13:30", None),
        (summer, "13:30", Some("14:00")),
        (summer, "13:59", Some("14:00")),
        (summer, "14:00", None),
    ];
    for ((from, to), starts_at, earliest) in cases {
        let slot = noon(from, to, starts_at);
        match (judged(&shahe, &slot), earliest) {
            (Ok(flags), None) => assert_eq!(flags, []),
            (Err(TimeRefusal::StartsTooEarly { earliest, .. }), Some(expected)) => {
                assert_eq!(earliest, at(expected));
                let moved = time::check_slot(&shahe, &slot, &own_plan()).expect("the school may move it");
                assert!(matches!(moved.as_slice(), [Flag::AdjustedByPlan { .. }]), "{moved:?}");
            }
            (other, _) => panic!("{from} {starts_at}: {other:?}"),
        }
    }
    let in_doubt = judged(&alone, &noon("2026-09-01", "2027-01-20", "13:30")).unwrap_err();
    assert!(matches!(in_doubt, TimeRefusal::Silent(Silent { key: "winter_from", .. })), "{in_doubt:?}");
}

#[test]
fn c10_shahe_ends_by_1800_unless_its_own_plan_moves_it() {
    let shahe = region("hebei_shahe", None);
    assert_eq!(judged(&shahe, &afternoon("18:00")), Ok(vec![]));
    let late = judged(&shahe, &afternoon("18:05")).unwrap_err();
    assert!(matches!(late, TimeRefusal::EndsTooLate { latest, .. } if latest == at("18:00")), "{late:?}");
    let moved = time::check_slot(&shahe, &afternoon("18:05"), &own_plan()).expect("accepted");
    assert!(matches!(moved.as_slice(), [Flag::AdjustedByPlan { .. }]), "{moved:?}");
    let reasoned = time::check_slot(&shahe, &afternoon("18:05"), &because("有原因"));
    assert!(matches!(reasoned, Err(TimeRefusal::EndsTooLate { .. })), "a reason is no plan");
}

#[test]
fn c11_shahe_115_minutes_are_too_few_and_120_are_enough() {
    let shahe = region("hebei_shahe", None);
    for (ends_at, stands) in [("17:15", false), ("17:20", true)] {
        let week = every_day(&[slot(DayPart::NoonSlot, "14:00", "14:40"), afternoon(ends_at)]);
        assert_eq!(judged_week(&shahe, &week).is_ok(), stands, "40 minutes at noon, then until {ends_at}");
    }
}

#[test]
fn c36_an_application_takes_its_regions_steps_in_order() {
    let stepped = regions_where(|policy| !enroll::steps(policy).is_empty());
    assert_eq!(stepped, ["hebei_shahe", "zhejiang_jinhua"]);
    let names = |pack_id: &str| {
        let policy = region(pack_id, None);
        enroll::steps(&policy).iter().map(|step| step.name_zh.clone()).collect::<Vec<_>>()
    };
    assert_eq!(names("zhejiang_jinhua"), ["家长申请", "班级初审", "学校核准", "统筹安排"]);
    assert_eq!(
        names("hebei_shahe"),
        [
            "学生报名",
            "班主任审核",
            "学校德育部门设定班级、确定服务人数",
            "教学部门调配教师",
            "成立课后辅导小组"
        ]
    );
}

#[test]
fn c39_seats_go_first_to_five_groups_in_shahe_and_four_in_nanjing() {
    let (shahe, nanjing) = (region("hebei_shahe", None), region("jiangsu_nanjing", None));
    let groups = |policy: &Policy| {
        enroll::priority_groups(policy).iter().map(|group| group.key.clone()).collect::<Vec<_>>()
    };
    assert_eq!(
        groups(&shahe),
        ["dual_income", "disabled", "left_behind", "migrant_worker", "economically_difficult"]
    );
    assert_eq!(groups(&nanjing), ["disabled", "left_behind", "migrant", "economically_difficult"]);
    assert_eq!(shahe.enroll.priority_list_open.get(), Some(&true));
    assert_eq!(nanjing.enroll.priority_list_open.get(), Some(&false));
    let listed = regions_where(|policy| !enroll::priority_groups(policy).is_empty());
    assert_eq!(listed, ["hebei_shahe", "jiangsu_nanjing"]);
}

#[test]
fn c83_inspections_look_at_what_the_region_names() {
    let aspects = |pack_id: &str| {
        let policy = region(pack_id, None);
        keys(&policy.supervise.inspection_aspects).into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(aspects("hebei_shahe"), ["organisation", "staffing", "content_form", "safety"]);
    assert_eq!(aspects("zhejiang_jiaojiang"), ["staff", "fees", "safety", "supervision"]);
}

#[test]
fn c95_shahe_a_day_without_a_leader_on_patrol_falls_short() {
    let shahe = region("hebei_shahe", None);
    let short = supervise::leader_missing(&shahe, 0).expect("short");
    assert_eq!((short.least, short.found), (1, 0));
    assert_eq!(supervise::leader_missing(&shahe, 1), None);
    let patrolled = regions_where(|policy| supervise::leader_missing(policy, 0).is_some());
    assert_eq!(patrolled, ["hebei_shahe"]);
}

#[test]
fn c108_shahe_opened_primary_in_2019_and_junior_in_2021() {
    let shahe = region("hebei_shahe", None);
    let rollout = shahe.scope.rollout.require().expect("a start");
    let starts: Vec<_> = rollout.iter().map(|start| (start.stage, start.grade, start.from)).collect();
    assert_eq!(starts, [(Stage::Primary, None, day("2019-09-01")), (Stage::Junior, None, day("2021-09-01"))]);
}

// XX区

#[test]
fn c03_xx_district_is_in_force_from_september_2024() {
    let packs = Packs::load(&folder()).expect("sound packs");
    assert!(packs.on("xx_district", None, day("2024-08-31")).is_none());
    assert!(packs.on("xx_district", None, day("2024-09-01")).is_some());
}

#[test]
fn c09_xx_district_1800_is_a_principle_and_less_needs_a_reason() {
    let district = region("xx_district", None);
    assert_eq!(judged(&district, &afternoon("18:00")), Ok(vec![]));
    let refusal = judged(&district, &afternoon("17:50")).unwrap_err();
    assert!(matches!(refusal, TimeRefusal::JustificationRequired { .. }), "{refusal:?}");
    let blank = time::check_slot(&district, &afternoon("17:50"), &because("  "));
    assert!(matches!(blank, Err(TimeRefusal::JustificationRequired { .. })), "{blank:?}");
    let flags = time::check_slot(&district, &afternoon("17:50"), &because("山区班车")).expect("accepted");
    assert!(matches!(flags.as_slice(), [Flag::EndBeforePrinciple { .. }]), "{flags:?}");
}

#[test]
fn c11_xx_district_asks_for_two_class_hours_every_afternoon_of_five_days() {
    let district = region("xx_district", None);
    let of = |class_hours| every_day(&[SlotPlan { class_hours, ..afternoon("18:00") }]);
    let short = judged_week(&district, &of(1)).unwrap_err();
    assert!(matches!(short, TimeRefusal::TooLittle { least: 2, found: 1, .. }), "{short:?}");
    assert_eq!(judged_week(&district, &of(2)), Ok(vec![]));
    assert_eq!(judged_week(&district, &of(3)), Ok(vec![]));
    let mut four_days = of(2);
    four_days.pop();
    let short = judged_week(&district, &four_days).unwrap_err();
    assert!(matches!(short, TimeRefusal::TooLittle { least: 5, found: 4, weekday: None, .. }), "{short:?}");
}

#[test]
fn c24_xx_district_a_school_may_not_hand_over_everything_and_no_ratio_is_written() {
    let forbids =
        regions_where(|policy| policy.provider.third_party_total_outsourcing_allowed.get() == Some(&false));
    assert_eq!(forbids, ["beijing_dongcheng", "xx_district"]);
    let whitelist = &region("xx_district", None).provider;
    assert_eq!(whitelist.whitelist_required.get(), Some(&true));
    assert_eq!(whitelist.whitelist_scope.get(), Some(&WhitelistScope::TownStreet));
}

#[test]
fn c29_xx_district_phases_block_only_where_the_district_decides_so() {
    let (alone, gated) =
        (region("xx_district", None), decided("xx_district", &[("phase.phase_gate_enforced", "true")]));
    let outside = course(true, ContentKind::Enrichment, "陶艺");
    let own_feature = course(false, ContentKind::Enrichment, "合唱");
    let care = course(false, ContentKind::BasicCare, "托管");
    let bought_care = course(true, ContentKind::BasicCare, "托管");
    let cases = [
        ("2024-09-15", bought_care, false),
        ("2024-09-01", outside, false),
        ("2024-09-15", outside, false),
        ("2024-09-30", own_feature, false),
        ("2024-10-01", outside, true),
        ("2024-10-07", outside, true),
        ("2024-10-08", outside, true),
        ("2024-10-09", own_feature, true),
        ("2024-09-01", care, true),
        ("2024-10-09", care, true),
    ];
    for (date, course, stands) in cases {
        let gate = course::check_phase(&gated, &course, day(date));
        assert_eq!(gate.is_ok(), stands, "{date} {course:?}");
        let flag = course::check_phase(&alone, &course, day(date)).expect("flagged at most");
        assert_eq!(flag.is_none(), stands, "{date} {course:?}");
    }
    let phase = |date| course::phase_on(&alone, day(date)).map(|phase| phase.key.as_str());
    assert_eq!(
        ["2024-09-01", "2024-09-30", "2024-10-01", "2024-10-07", "2024-10-08"].map(phase),
        [Some("basic"), Some("basic"), None, None, Some("rich")]
    );
}

#[test]
fn c44_xx_district_nobody_who_wants_to_stay_is_sent_home_early() {
    let district = region("xx_district", None);
    assert_eq!(district.dismiss.forced_leave_before_end_allowed.get(), Some(&false));
    assert_eq!(district.dismiss.elastic_dismissal.get(), Some(&ElasticDismissal::Yes));
}

#[test]
fn c61_xx_district_nothing_is_chargeable_until_the_share_is_notified_and_the_price_document_recorded() {
    let alone = region("xx_district", None);
    let approved = |tariff: Tariff| Tariff { approval_document: Some("价字1号".to_owned()), ..tariff };
    for tariff in prices(1).into_iter().chain(prices(1).map(approved)) {
        let refusal = fee::check_tariff(&alone, &tariff).unwrap_err();
        assert!(matches!(refusal, FeeRefusal::AwaitingApproval { .. }), "{refusal:?}");
    }

    let notified = decided(
        "xx_district",
        &[("fee.parent_fee_mode", "\"ceiling\""), ("fee.parent_fee_cap_fen_per_term", "20000")],
    );
    let bare = fee::check_tariff(&notified, &price(Basis::Term, 20_000)).unwrap_err();
    assert!(matches!(bare, FeeRefusal::ApprovalMissing { .. }), "{bare:?}");
    assert!(fee::check_tariff(&notified, &approved(price(Basis::Term, 20_000))).is_ok());
    assert_eq!(limit_of(&notified, &approved(price(Basis::Term, 20_001))), 20_000);
    assert_eq!(notified.fee.price_authority.get().map(String::as_str), Some("物价部门"));
}

#[test]
fn c75_service_charges_and_pass_through_charges_are_told_apart_where_documents_do() {
    let both = [ChargeType::ServiceCharge, ChargeType::PassThrough];
    let told = regions_where(|policy| policy.fee.charge_types.get().is_some_and(|types| types == &both));
    assert_eq!(told, ["jiangsu", "jiangsu_nanjing", "xx_district"]);
}

#[test]
fn c87_xx_district_reports_have_their_days_and_one_its_signature() {
    let district = region("xx_district", None);
    let reports = district.supervise.reports.require().expect("reports");
    let owed: Vec<_> = reports
        .iter()
        .map(|report| (report.key.as_str(), report.due.map(|due| (due.month, due.day)), report.signed))
        .collect();
    assert_eq!(
        owed,
        [
            ("contacts", Some((8, 24)), false),
            ("town_plan", Some((8, 30)), false),
            ("first_week_form", None, true),
            ("periodic", None, false),
            ("model_cases", None, false),
        ]
    );
}

#[test]
fn c89_xx_district_covers_every_school_that_does_not_board() {
    let district = region("xx_district", None);
    assert_eq!(targets(&district), [("afternoon_schools", 10_000), ("pupils_in_need", 10_000)]);
    assert_eq!(met(&district, "afternoon_schools", 40, 40), Some(true));
    assert_eq!(met(&district, "afternoon_schools", 39, 40), Some(false));
    assert_eq!(district.scope.boarding_schools_in_coverage_target.get(), Some(&false));
}

// 晋江市

#[test]
fn c81_jinjiang_a_complaint_goes_to_the_section_of_the_schools_stage() {
    let jinjiang = region("fujian_jinjiang", None);
    let reached = |stage| {
        let section = enroll::hotline(&jinjiang, stage).expect("a section");
        (section.section.as_str(), section.phone.as_deref(), section.mail.as_deref())
    };
    assert_eq!(
        reached(Stage::Primary),
        ("primary_early_years", Some("0595-85682803"), Some("cjk85682803@163.com"))
    );
    assert_eq!(reached(Stage::Junior), ("secondary", Some("0595-85688012"), Some("jjzjk8@126.com")));
    let numbered = regions_where(|policy| policy.supervise.hotlines.get().is_some());
    assert_eq!(numbered, ["fujian_jinjiang"], "other numbers are named nowhere");
}

#[test]
fn c89_jinjiang_eight_of_ten_urban_schools_meet_the_target_and_seven_miss_it() {
    let jinjiang = region("fujian_jinjiang", None);
    for key in ["urban_two_plus_three", "urban_science"] {
        assert_eq!(met(&jinjiang, key, 8, 10), Some(true), "{key}");
        assert_eq!(met(&jinjiang, key, 7, 10), Some(false), "{key}");
        assert_eq!(met(&jinjiang, key, 0, 0), None, "{key}");
    }
    assert_eq!(met(&jinjiang, "two_plus_n", 99, 100), Some(false));
    let all = jinjiang.supervise.targets.require().expect("targets");
    assert!(all.iter().all(|target| target.by == Some(day("2023-12-31"))));
}

#[test]
fn c16_jinjiang_a_menu_without_science_is_measured_and_blocked_nowhere() {
    let jinjiang = region("fujian_jinjiang", None);
    let missing = course::missing_items(&jinjiang, &["chess"]).expect("science is missing");
    assert_eq!(missing.clause.binding, Binding::Target);
    assert_eq!(missing_keys(Some(missing)), ["science_education"]);
    assert_eq!(course::missing_items(&jinjiang, &["science_education"]), None);
}

#[test]
fn c30_jinjiang_a_class_of_new_lessons_is_flagged_by_its_title_in_summer_too() {
    let jinjiang = region("fujian_jinjiang", None);
    let found = course::third_party_check(&jinjiang, &course(false, ContentKind::BasicCare, "新课预习班"));
    assert_eq!(found.expect("flagged").len(), 2);
}

// 辽宁省、山东省、日照市

#[test]
fn c80_a_notice_lacks_what_its_region_makes_public() {
    let lacking = |pack_id: &str, given: &[&str]| {
        missing_keys(supervise::missing_disclosure(&region(pack_id, None), given))
    };
    assert_eq!(lacking("liaoning", &["items", "times", "fee_standard"]), ["spending"]);
    assert_eq!(lacking("liaoning", &["items", "times", "fee_standard", "spending"]), [""; 0]);
    assert_eq!(lacking("zhejiang_jinhua", &["items", "objects", "times", "content"]), ["fee_standard"]);
    assert_eq!(lacking("zhejiang_jinhua", &[]), ["items", "objects", "times", "content", "fee_standard"]);
    assert_eq!(lacking("zhejiang_shangyu", &[]), ["activity_arrangement"]);
    assert_eq!(lacking("hunan_yuhua", &[]), ["fund_use_payout_plan"]);
    assert_eq!(lacking("tianjin_hexi", &[]), [""; 0]);
    let each_term = regions_where(|policy| policy.supervise.disclosure_frequency.get().is_some());
    assert_eq!(each_term, ["zhejiang_jinhua"]);
}

#[test]
fn c93_liaoning_invites_parents_every_september() {
    let liaoning = region("liaoning", None);
    let clause = supervise::parents_not_invited(&liaoning, &[3, 10]).expect("not invited");
    assert_eq!(clause.key, "parent_experience_month");
    assert_eq!(supervise::parents_not_invited(&liaoning, &[9]), None);
    let invited = regions_where(|policy| supervise::parents_not_invited(policy, &[]).is_some());
    assert_eq!(invited, ["liaoning"]);
}

#[test]
fn c72_liaoning_counts_class_hours_and_is_silent_on_their_price() {
    let liaoning = region("liaoning", None);
    assert_eq!(liaoning.staff.staff_pay_basis.get(), Some(&StaffPayBasis::ClassHour));
    let silent = staff::pay(&liaoning, Staffing::Internal, 40, None).unwrap_err();
    assert!(
        matches!(silent, StaffRefusal::Silent(Silent { key: "internal_pay_fen_per_class_hour", .. })),
        "{silent:?}"
    );
    assert_eq!(liaoning.supervise.disclosure_fields.get().map(Vec::len), Some(4));
}

#[test]
fn c90_shandong_asks_the_public_and_rizhao_with_it() {
    for pack_id in ["shandong", "shandong_rizhao"] {
        assert_eq!(keys(&region(pack_id, None).supervise.surveys), ["public_satisfaction"], "{pack_id}");
    }
    assert_eq!(region("shandong", None).course.banned_content_kinds.standing(), Standing::Stated);
    let surveyed = regions_where(|policy| policy.supervise.surveys.get().is_some());
    assert_eq!(
        surveyed,
        [
            "hebei_shijiazhuang",
            "henan_jinshui",
            "hunan_yuhua",
            "shandong",
            "shandong_rizhao",
            "shanghai_jingan",
            "zhejiang_jiaojiang"
        ]
    );
}

#[test]
fn c69_rizhao_gives_12000_fen_for_a_pupil_and_year_once_the_heads_are_decided() {
    let silent = gov::per_head(&region("shandong_rizhao", None), heads(1_000, 900)).unwrap_err();
    assert_eq!(silent_gov(silent), "gov_head_count_basis");
    for (counted, amount) in [("\"enrolled\"", 12_000_000), ("\"participants\"", 10_800_000)] {
        let rizhao = decided("shandong_rizhao", &[("gov.gov_head_count_basis", counted)]);
        let grant = gov::per_head(&rizhao, heads(1_000, 900)).expect("a grant");
        assert_eq!(grant.amount, fen(amount), "{counted}");
    }
}

#[test]
fn c70_rizhao_the_city_adds_20_percent_of_what_the_district_gave_unless_the_district_reads_it_otherwise() {
    let alone = region("shandong_rizhao", None);
    let given = fen(12_000_000);
    let grant = gov::matching(&alone, MatchBase::DistrictMoney, given).expect("a subsidy");
    assert_eq!(grant.amount, fen(2_400_000));
    assert!(alone.gov.gov_match_base.is_reading(), "no document states the base");
    let wrong = gov::matching(&alone, MatchBase::ParentPayments, given).unwrap_err();
    assert!(matches!(wrong, GovRefusal::WrongBase { .. }), "{wrong:?}");

    let other = decided("shandong_rizhao", &[("gov.gov_match_base", "\"parent_payments\"")]);
    assert!(matches!(
        gov::matching(&other, MatchBase::DistrictMoney, given),
        Err(GovRefusal::WrongBase { .. })
    ));
    assert_eq!(
        gov::matching(&other, MatchBase::ParentPayments, given).expect("a subsidy").amount,
        fen(2_400_000)
    );
}

#[test]
fn c70_rizhao_a_fraction_of_a_fen_is_silent_until_the_district_rounds_it() {
    let uneven = fen(12_000_001);
    let silent =
        gov::matching(&region("shandong_rizhao", None), MatchBase::DistrictMoney, uneven).unwrap_err();
    assert_eq!(silent_gov(silent), "gov_rounding");
    for (rounding, amount) in [("\"down\"", 2_400_000), ("\"up\"", 2_400_001)] {
        let rizhao = decided("shandong_rizhao", &[("gov.gov_rounding", rounding)]);
        let grant = gov::matching(&rizhao, MatchBase::DistrictMoney, uneven).expect("a subsidy");
        assert_eq!(grant.amount, fen(amount), "{rounding}");
    }
}

// 江苏省、南京市

#[test]
fn c58_jiangsu_a_third_course_of_10001_fen_after_20000_breaks_the_cap_of_the_term() {
    let jiangsu = region("jiangsu", None);
    let two = [(Offering::Service, fen(10_000)), (Offering::PersonalisedCourse, fen(10_000))];
    let third = |amount| [two[0], two[1], (Offering::Service, fen(amount))];
    assert_eq!(fee::term_ceiling(&jiangsu, &third(10_000)).expect("30,000 fen stand").total, fen(30_000));
    let over = fee::term_ceiling(&jiangsu, &third(10_001)).unwrap_err();
    assert!(
        matches!(over, FeeRefusal::AboveCeiling { limit, asked, .. } if limit == fen(30_000) && asked == fen(30_001)),
        "{over:?}"
    );
    assert_eq!(limit_of(&jiangsu, &price(Basis::Term, 30_001)), 30_000);
    assert!(fee::check_tariff(&jiangsu, &price(Basis::Term, 30_000)).is_ok());
}

#[test]
fn c62_jiangsu_reduces_or_waives_and_says_not_how_far() {
    let jiangsu = region("jiangsu", None);
    for category in ["registered_poor", "subsistence_allowance", "other_difficult"] {
        let silent = waiver::effect(&jiangsu, category).unwrap_err();
        assert_eq!(silent.key, "partial_waiver_rates", "{category}");
    }
    let rates = r#"[{ category = "subsistence_allowance", rate_bp = 5000 }]"#;
    let half = decided("jiangsu", &[("waiver.partial_waiver_rates", rates)]);
    assert_eq!(payable(&half, 30_000, "subsistence_allowance"), 15_000);
}

#[test]
fn c69_subei_counts_30_percent_of_the_enrolled_at_30000_fen() {
    let silent = gov::scoped(&region("jiangsu", None), heads(10_000, 1)).unwrap_err();
    assert_eq!(silent_gov(silent), "gov_scopes");

    let subei = decided("jiangsu", &[("gov.gov_scopes", "[\"subei\"]")]);
    for (enrolled, amount) in [(10_000, 90_000_000), (1, 9_000), (0, 0), (3, 27_000)] {
        let money = gov::scoped(&subei, heads(enrolled, 7)).expect("grants");
        let [one] = money.as_slice() else { panic!("{money:?}") };
        assert_eq!((one.scope.as_str(), one.grant.amount), ("subei", fen(amount)), "{enrolled} enrolled");
    }
    let elsewhere = decided("jiangsu", &[("gov.gov_scopes", "[]")]);
    assert_eq!(gov::scoped(&elsewhere, heads(10_000, 1)), Ok(vec![]));
    let grants = subei.gov.gov_scoped_grants.require().expect("grants");
    assert_eq!((grants[0].head_count, grants[0].fund_year), (HeadCount::EnrolledShare, Some(2020)));
}

#[test]
fn c02_nanjing_is_free_although_its_province_allows_30000_fen() {
    let nanjing = region("jiangsu_nanjing", None);
    assert_eq!(nanjing.fee.parent_fee_cap_fen_per_term.get(), Some(&fen(30_000)));
    assert_eq!(nanjing.fee.parent_fee_cap_fen_per_term.standing(), Standing::Inherited);
    let refusal = fee::check_tariff(&nanjing, &price(Basis::Term, 1)).unwrap_err();
    let FeeRefusal::FreeOfCharge { clause } = refusal else { panic!("{refusal:?}") };
    assert_eq!(clause.pack_id, "jiangsu_nanjing");
}

#[test]
fn c03_nanjing_an_old_term_still_ends_at_1730() {
    let read = |file: &str| fs::read_to_string(folder().join(file)).expect("a pack");
    let then = load(&[
        ("jiangsu.toml", &read("jiangsu.toml")),
        ("jiangsu_nanjing.toml", &read("retired/jiangsu_nanjing_1730.toml")),
    ])
    .expect("sound packs");
    let pin = then.policy("jiangsu_nanjing", None).expect("the edition of then").pin();

    let now = Packs::load(&folder()).expect("sound packs");

    let end = |policy: Option<Arc<Policy>>| policy.and_then(|policy| policy.time.end_target.get().copied());
    assert_eq!(end(now.pinned(&pin)), Some(at("17:30")));
    assert_eq!(end(now.policy("jiangsu_nanjing", None)), Some(at("18:00")));
}

#[test]
fn c69_nanjing_and_yuhua_give_fixed_sums_a_year() {
    let sum = |pack_id: &str| {
        let policy = region(pack_id, None);
        let sum = policy.gov.gov_fixed_fen_per_year.require().expect("a sum");
        (sum.from_fen.get(), sum.to_fen.get())
    };
    assert_eq!(sum("jiangsu_nanjing"), (1_500_000_000, 2_000_000_000));
    assert_eq!(sum("hunan_yuhua"), (160_000_000, 160_000_000));
}

// 合肥市、深圳市

#[test]
fn c58_hefei_60000_fen_over_all_personalised_courses_stand_and_60001_are_refused() {
    let hefei = region("anhui_hefei", None);
    let courses = |amounts: &[i64]| {
        amounts.iter().map(|one| (Offering::PersonalisedCourse, fen(*one))).collect::<Vec<_>>()
    };
    let full = fee::term_ceiling(&hefei, &courses(&[35_000, 25_000])).expect("60,000 fen stand");
    assert_eq!(full.personalised, fen(60_000));
    let over = fee::term_ceiling(&hefei, &courses(&[35_000, 25_000, 1])).unwrap_err();
    assert!(
        matches!(over, FeeRefusal::AboveCeiling { limit, asked, .. } if limit == fen(60_000) && asked == fen(60_001)),
        "{over:?}"
    );
    let personalised =
        |amount| Tariff { offering: Offering::PersonalisedCourse, ..price(Basis::Term, amount) };
    assert!(fee::check_tariff(&hefei, &personalised(60_000)).is_ok());
    assert_eq!(limit_of(&hefei, &personalised(60_001)), 60_000);
    assert_eq!(silent_on(&hefei, &price(Basis::Term, 1)), "parent_fee_cap_fen_per_term");
}

#[test]
fn c69_hefei_guarantees_15000_fen_a_term_for_those_who_take_part() {
    let hefei = region("anhui_hefei", None);
    let grant = gov::floor_per_term(&hefei, 120).expect("a floor");
    assert_eq!((grant.amount, grant.clauses[0].binding), (fen(1_800_000), Binding::Floor));
    assert_eq!(hefei.gov.gov_head_count_basis.get(), Some(&HeadCount::Participants));
}

#[test]
fn c71_hefei_ties_its_subsidy_to_evaluation_by_no_written_formula() {
    let tied = regions_where(|policy| policy.gov.gov_subsidy_tied_to_evaluation.get() == Some(&true));
    assert_eq!(tied, ["anhui_hefei"]);
    assert_eq!(region("anhui_hefei", None).gov.gov_match_bp.get(), None);
}

#[test]
fn c69_shenzhen_gives_100000_fen_for_a_pupil_and_year_once_the_heads_are_decided() {
    let silent = gov::per_head(&region("guangdong_shenzhen", None), heads(800, 700)).unwrap_err();
    assert_eq!(silent_gov(silent), "gov_head_count_basis");
    for (counted, amount) in [("\"enrolled\"", 80_000_000), ("\"participants\"", 70_000_000)] {
        let shenzhen = decided("guangdong_shenzhen", &[("gov.gov_head_count_basis", counted)]);
        assert_eq!(gov::per_head(&shenzhen, heads(800, 700)).expect("a grant").amount, fen(amount));
    }
}

#[test]
fn c11_shenzhen_has_one_or_two_class_hours() {
    let shenzhen = region("guangdong_shenzhen", None);
    for (class_hours, stands) in [(0, false), (1, true), (2, true), (3, false)] {
        let week = judged_week(&shenzhen, &[SlotPlan { class_hours, ..afternoon("18:00") }]);
        assert_eq!(week.is_ok(), stands, "{class_hours}: {week:?}");
    }
}

#[test]
fn c67_shenzhen_pays_private_schools_into_a_supervised_account_and_parents_into_none() {
    let shenzhen = region("guangdong_shenzhen", None);
    assert!(shenzhen.fee.gov_disbursement_account_private_schools.get().is_some());
    assert_eq!(shenzhen.fee.payee_account.get(), None);
    let supervised =
        regions_where(|policy| policy.fee.gov_disbursement_account_private_schools.get().is_some());
    assert_eq!(supervised, ["guangdong_shenzhen"]);
}

#[test]
fn c74_money_serves_the_purposes_its_region_lists() {
    let cases: [(&str, &[&str]); 5] = [
        ("guangdong_shenzhen", &["social_institution_service", "teaching_equipment", "venue"]),
        ("hunan_zhuzhou", &["staff_subsidy", "equipment", "consumables"]),
        ("sichuan_jingyan", &["staff_performance", "equipment", "pupil_activity"]),
        (
            "zhejiang_jiaojiang",
            &["staff_subsidy", "external_staff", "equipment_purchase", "equipment_maintenance"],
        ),
        ("zhejiang_shangyu", &["staff_labour", "school_running", "finance_cost"]),
    ];
    for (pack_id, purposes) in cases {
        let policy = region(pack_id, None);
        assert_eq!(keys(&policy.funds.fund_use_allowed), purposes, "{pack_id}");
        for purpose in purposes {
            assert!(funds::check_use(&policy, purpose).is_ok(), "{pack_id}: {purpose}");
        }
        let banquet = funds::check_use(&policy, "banquet").unwrap_err();
        assert!(matches!(banquet, funds::UseRefusal::NotAllowed { .. }), "{pack_id}: {banquet:?}");
    }
    let listed = regions_where(|policy| policy.funds.fund_use_allowed.get().is_some());
    assert_eq!(listed, cases.map(|(pack_id, _)| pack_id));
    let earmarked = regions_where(|policy| policy.funds.earmarked.get() == Some(&true));
    assert_eq!(earmarked, ["guangdong_shenzhen", "zhejiang_anji"]);
}

// 天津市和平区、河西区

#[test]
fn c26_heping_a_plan_without_its_safety_part_is_not_complete() {
    let heping = region("tianjin_heping", None);
    let parts = ["goals", "leadership", "arrangement", "management", "safety", "evaluation"];
    let schedules = ["courses", "daily_routine", "activities", "teacher_duties"];
    assert_eq!(supervise::missing_plan_parts(&heping, &parts), None);
    assert_eq!(supervise::missing_plan_schedules(&heping, &schedules), None);
    let without = |given: &[&'static str], absent: &str| {
        given.iter().copied().filter(|key| *key != absent).collect::<Vec<_>>()
    };
    for absent in parts {
        let missing = supervise::missing_plan_parts(&heping, &without(&parts, absent));
        assert_eq!(missing_keys(missing), [absent]);
    }
    for absent in schedules {
        let missing = supervise::missing_plan_schedules(&heping, &without(&schedules, absent));
        assert_eq!(missing_keys(missing), [absent]);
    }
    let safety = heping.supervise.plan_parts.get().into_iter().flatten().find(|part| part.key == "safety");
    assert_eq!(safety.map(|part| part.name_zh.as_str()), Some("安全应急"));
}

#[test]
fn c43_families_choose_in_the_ways_their_region_names() {
    let modes: Vec<_> = REGIONS
        .into_iter()
        .filter_map(|pack_id| {
            Some((pack_id, region(pack_id, None).enroll.course_choice_modes.get()?.clone()))
        })
        .collect();
    assert_eq!(
        modes,
        [
            ("hebei_shahe", vec![ChoiceMode::Menu]),
            ("shanghai_jingan", vec![ChoiceMode::FlexibleBooking]),
            ("tianjin_hexi", vec![ChoiceMode::Menu, ChoiceMode::Trial, ChoiceMode::App]),
            ("xinjiang_manas", vec![ChoiceMode::Menu]),
            ("zhejiang_jinhua", vec![ChoiceMode::App]),
        ]
    );
}

// 上海市静安区

#[test]
fn c15_jingan_has_three_segments_and_homework_in_the_first() {
    let jingan = region("shanghai_jingan", None);
    assert_eq!(keys(&jingan.course.segments), ["learning_moment", "self_moment", "warm_moment"]);
    assert_eq!(jingan.time.homework_position.get(), Some(&HomeworkPosition::InSegment1));
}

#[test]
fn c37_jingan_499_of_500_families_told_are_not_all() {
    let jingan = region("shanghai_jingan", None);
    assert_eq!(
        targets(&jingan),
        [("parents_informed", 10_000), ("campuses_open", 10_000), ("willing_stay", 10_000)]
    );
    assert_eq!(met(&jingan, "parents_informed", 499, 500), Some(false));
    assert_eq!(met(&jingan, "parents_informed", 500, 500), Some(true));
}

// 金华市

#[test]
fn c09_jinhua_is_silent_on_the_clock_until_office_closing_is_written_down() {
    let alone = region("zhejiang_jinhua", None);
    let silent = judged(&alone, &afternoon("17:30")).unwrap_err();
    assert!(matches!(silent, TimeRefusal::Silent(Silent { key: "local_office_closing", .. })), "{silent:?}");

    let county = decided("zhejiang_jinhua", &[("time.local_office_closing", "\"17:15\"")]);
    assert_eq!(judged(&county, &afternoon("17:15")), Ok(vec![]));
    let early = time::check_slot(&county, &afternoon("17:14"), &because("有原因")).unwrap_err();
    assert!(matches!(early, TimeRefusal::EndsTooEarly { floor, .. } if floor == at("17:15")), "{early:?}");
}

#[test]
fn c60_jinhua_three_schools_average_exactly_50000_fen() {
    let jinhua = region("zhejiang_jinhua", None);
    let compared = |fees: [(i64, u32); 3]| {
        let fees = fees.map(|(amount, pupils)| (fen(amount), pupils));
        fee::average(&jinhua, &fees).expect("an average").compared
    };
    assert_eq!(compared([(48_000, 300), (50_000, 300), (52_000, 300)]), std::cmp::Ordering::Equal);
    assert_eq!(compared([(48_000, 300), (50_000, 300), (52_000, 301)]), std::cmp::Ordering::Greater);
    assert_eq!(compared([(48_000, 300), (49_999, 300), (52_000, 300)]), std::cmp::Ordering::Less);
    assert!(fee::check_tariff(&jinhua, &price(Basis::Term, 52_000)).is_ok(), "no ceiling for one pupil");
}

#[test]
fn c62_jinhua_difficult_families_pay_nothing() {
    assert_eq!(payable(&region("zhejiang_jinhua", None), 50_000, "difficult_family"), 0);
}

#[test]
fn c73_jinhua_pays_out_all_that_was_collected_and_outside_the_total() {
    let jinhua = region("zhejiang_jinhua", None);
    assert!(staff::pay_out(&jinhua, fen(10_000_000), fen(10_000_000)).is_ok());
    for planned in [9_999_999, 10_000_001] {
        let refusal = staff::pay_out(&jinhua, fen(10_000_000), fen(planned)).unwrap_err();
        assert!(matches!(refusal, StaffRefusal::NotTheShare { due, .. } if due == fen(10_000_000)));
    }
    assert_eq!(jinhua.staff.counts_in_performance_total.get(), Some(&false));
}

// 椒江区

#[test]
fn c55_jiaojiang_primary_pays_60000_exactly_and_junior_is_silent() {
    let jiaojiang = region("zhejiang_jiaojiang", None);
    for (amount, stands) in [(59_999, false), (60_000, true), (60_001, false)] {
        let judged = fee::check_tariff(&jiaojiang, &price(Basis::Term, amount));
        assert_eq!(judged.is_ok(), stands, "{amount} fen: {judged:?}");
    }
    let junior = Tariff { stage: Stage::Junior, ..price(Basis::Term, 60_000) };
    assert_eq!(silent_on(&jiaojiang, &junior), "fee_stage_scope");
}

#[test]
fn c63_jiaojiang_a_school_waives_for_all_its_pupils_and_a_hardship_for_one() {
    let jiaojiang = region("zhejiang_jiaojiang", None);
    let waivers = jiaojiang.waiver.waivers.require().expect("waivers");
    let by_basis = |basis| {
        let own = waivers.iter().filter(move |waiver| waiver.basis == basis);
        own.map(|waiver| waiver.category.as_str()).collect::<Vec<_>>()
    };
    assert_eq!(by_basis(WaiverBasis::School), ["special_education", "remote"]);
    assert_eq!(
        by_basis(WaiverBasis::Pupil),
        ["low_income", "welfare_institution", "martyr_child", "five_guarantee"]
    );
    for waiver in waivers {
        assert_eq!(payable(&jiaojiang, 60_000, &waiver.category), 0, "{}", waiver.category);
    }
}

#[test]
fn c64_jiaojiang_what_six_of_a_hundred_pupils_do_not_pay_the_district_owes() {
    let jiaojiang = region("zhejiang_jiaojiang", None);
    let effect = waiver::effect(&jiaojiang, "martyr_child").expect("an effect");
    let waived = waiver::apply(&jiaojiang, fen(60_000), &effect).expect("a waiver");
    let from_district = waived.waived.times(6).expect("a sum");
    let from_parents = fen(60_000).times(94).expect("a sum").plus(waived.payable.times(6).expect("a sum"));
    let from_parents = from_parents.expect("a sum");
    assert_eq!((from_parents, from_district), (fen(5_640_000), fen(360_000)));
    assert_eq!(from_parents.plus(from_district), Ok(fen(6_000_000)));
    let named = regions_where(|policy| {
        policy.waiver.waivers.get().is_some_and(|all| all.iter().all(|one| one.funder.is_some()))
    });
    assert_eq!(named, ["zhejiang_jiaojiang"], "elsewhere nobody says who pays instead");
    let waivers = jiaojiang.waiver.waivers.require().expect("waivers");
    assert!(waivers.iter().all(|waiver| waiver.funder.as_deref() == Some("district")));
}

#[test]
fn c71_jiaojiang_the_district_tops_up_what_fees_leave_open() {
    let jiaojiang = region("zhejiang_jiaojiang", None);
    let gap = |cost, fees| gov::shortfall(&jiaojiang, fen(cost), fen(fees)).expect("an amount").amount.get();
    assert_eq!(gap(7_000_000, 6_000_000), 1_000_000);
    assert_eq!(gap(6_000_000, 6_000_000), 0);
    assert_eq!(gap(5_000_000, 6_000_000), 0);
    let silent = gov::shortfall(&region("sichuan_jingyan", None), fen(2), fen(1)).unwrap_err();
    assert_eq!(silent_gov(silent), "gov_shortfall_covered");
}

#[test]
fn c72_jiaojiang_pays_its_staff_8000_fen_a_class_hour_and_outsiders_20000_at_most() {
    let jiaojiang = region("zhejiang_jiaojiang", None);
    let pay = |staffing, rate: Option<i64>| {
        staff::pay(&jiaojiang, staffing, 40, rate.map(fen)).map(|pay| pay.amount.get())
    };
    assert_eq!(pay(Staffing::Internal, None), Ok(320_000));
    assert_eq!(pay(Staffing::External, Some(20_000)), Ok(800_000));
    assert_eq!(pay(Staffing::External, Some(15_000)), Ok(600_000));
    assert!(matches!(
        pay(Staffing::External, Some(20_001)),
        Err(StaffRefusal::AboveCeiling { limit, .. }) if limit == fen(20_000)
    ));
    for rate in [7_999, 8_001] {
        assert!(matches!(pay(Staffing::Internal, Some(rate)), Err(StaffRefusal::NotTheStatedRate { .. })));
    }
}

#[test]
fn c83_jiaojiang_a_term_with_one_special_inspection_falls_short() {
    let jiaojiang = region("zhejiang_jiaojiang", None);
    let short = supervise::inspections_missing(&jiaojiang, 1).expect("short");
    assert_eq!((short.least, short.found), (2, 1));
    assert_eq!(supervise::inspections_missing(&jiaojiang, 2), None);
    assert_eq!(keys(&jiaojiang.supervise.surveys), ["term_end_satisfaction"]);
}

// 上虞区、安吉县

#[test]
fn c70_shangyu_gives_30_percent_of_what_parents_paid() {
    let shangyu = region("zhejiang_shangyu", None);
    let subsidy = |paid| gov::matching(&shangyu, MatchBase::ParentPayments, fen(paid));
    assert_eq!(subsidy(1_000_000).expect("a subsidy").amount, fen(300_000));
    assert_eq!(subsidy(0).expect("a subsidy").amount, Fen::ZERO);
    assert_eq!(silent_gov(subsidy(1_000_001).unwrap_err()), "gov_rounding");
    let cost = gov::matching(&shangyu, MatchBase::DistrictMoney, fen(1_000_000)).unwrap_err();
    assert!(matches!(cost, GovRefusal::WrongBase { stated: MatchBase::ParentPayments, .. }), "{cost:?}");
    for (rounding, amount) in [("\"down\"", 300_000), ("\"up\"", 300_001)] {
        let rounded = decided("zhejiang_shangyu", &[("gov.gov_rounding", rounding)]);
        let grant = gov::matching(&rounded, MatchBase::ParentPayments, fen(1_000_001)).expect("a subsidy");
        assert_eq!(grant.amount, fen(amount));
    }
}

#[test]
fn c16_shangyu_a_menu_without_reading_or_exercise_is_not_complete() {
    let shangyu = region("zhejiang_shangyu", None);
    let lacking = |given: &[&str]| missing_keys(course::missing_items(&shangyu, given));
    assert_eq!(lacking(&["exercise"]), ["reading"]);
    assert_eq!(lacking(&["reading"]), ["exercise"]);
    assert_eq!(lacking(&["exercise", "reading"]), [""; 0]);
    assert_eq!(shangyu.course.required_items.binding(), Some(Binding::Exact));
}

#[test]
fn c07_shangyu_four_times_to_go_home_are_not_four_slots_of_service() {
    let shangyu = region("zhejiang_shangyu", None);
    assert_eq!(shangyu.time.dismissal_slot_count.get(), Some(&4));
    assert_eq!(shangyu.time.slot_count_max.get(), None);
    assert!(judged_week(&shangyu, &every_day(&[afternoon("17:00")])).is_ok());
}

#[test]
fn c62_shangyu_low_income_families_pay_nothing_of_a_price_the_district_decides() {
    let shangyu = region("zhejiang_shangyu", None);
    assert_eq!(payable(&shangyu, 30_000, "low_income"), 0);
    assert_eq!(silent_on(&shangyu, &price(Basis::Term, 30_000)), "parent_fee_mode");
}

#[test]
fn c57_anji_end_slot_two_costs_at_most_8000_fen_and_never_13000() {
    let anji = region("zhejiang_anji", None);
    let slot_month = |end_slot, amount| price(Basis::SlotMonth { end_slot }, amount);
    assert!(fee::check_tariff(&anji, &slot_month(1, 5_000)).is_ok());
    assert_eq!(limit_of(&anji, &slot_month(1, 5_001)), 5_000);
    assert!(fee::check_tariff(&anji, &slot_month(2, 8_000)).is_ok());
    assert_eq!(limit_of(&anji, &slot_month(2, 8_001)), 8_000);
    assert_eq!(silent_on(&anji, &slot_month(3, 1)), "slot_fee_cap_fen_per_month");
    let month = |courses: &[(u32, i64)]| {
        let courses: Vec<_> = courses.iter().map(|(end_slot, amount)| (*end_slot, fen(*amount))).collect();
        fee::month_ceiling(&anji, &courses).map(|month| month.total.get())
    };
    assert_eq!(month(&[(1, 5_000)]), Ok(5_000));
    assert_eq!(month(&[(1, 5_000), (2, 3_000)]), Ok(8_000));
    for over in [[(1, 5_000), (2, 8_000)], [(1, 1), (2, 8_000)], [(1, 5_000), (1, 1)]] {
        assert!(matches!(month(&over), Err(FeeRefusal::AboveCeiling { .. })), "{over:?}");
    }
}

#[test]
fn c42_anji_a_pupil_who_moves_to_slot_one_is_held_to_its_ceiling_from_the_next_month() {
    let anji = region("zhejiang_anji", None);
    let october = fee::month_ceiling(&anji, &[(2, fen(8_000))]).expect("8,000 fen stand");
    let november = fee::month_ceiling(&anji, &[(1, fen(8_000))]).unwrap_err();
    assert_eq!(october.end_slot, Some(2));
    assert!(matches!(november, FeeRefusal::AboveCeiling { limit, .. } if limit == fen(5_000)));
}

#[test]
fn c07_anji_has_exactly_two_end_times_counted_from_its_own_dismissal() {
    let anji = region("zhejiang_anji", None);
    let parts = [("16:00", "17:00"), ("17:00", "18:00"), ("18:00", "18:30")];
    for (count, stands) in [(1, false), (2, true), (3, false)] {
        let slots: Vec<_> =
            parts.iter().take(count).map(|part| slot(DayPart::Afternoon, part.0, part.1)).collect();
        assert_eq!(judged_week(&anji, &slots).is_ok(), stands, "{count} slots");
    }
    let offsets = anji.time.slot_end_offset_minutes.require().expect("offsets");
    assert_eq!((offsets.minutes.as_slice(), offsets.approximate), ([60, 120].as_slice(), true));
}

// 金水区、红安县

#[test]
fn c11_jinshui_has_two_class_hours_and_relay_care_beside_them() {
    let jinshui = region("henan_jinshui", None);
    for (class_hours, stands) in [(1, false), (2, true), (3, false)] {
        let with_relay =
            [SlotPlan { class_hours, ..afternoon("17:40") }, slot(DayPart::Extended, "17:40", "18:30")];
        assert_eq!(judged_week(&jinshui, &with_relay).is_ok(), stands, "{class_hours} class hours");
    }
    assert_eq!(keys(&jinshui.supervise.surveys), ["parent_committee"]);
}

#[test]
fn c15_one_plus_x_is_two_models() {
    let (jinhua, jinshui) = (region("zhejiang_jinhua", None), region("henan_jinshui", None));
    let model = |policy: &Policy| policy.course.course_model.get().cloned();
    assert_eq!(model(&jinhua), model(&jinshui));
    assert_eq!(keys(&jinhua.course.segments), [""; 0]);
    assert_eq!(keys(&jinshui.course.segments), ["homework_guidance", "clubs"]);
    assert_eq!(
        (jinhua.time.class_hours_per_day.get(), jinshui.time.class_hours_per_day.get()),
        (None, Some(&2))
    );
}

#[test]
fn c15_every_region_names_its_own_course_model() {
    let models: Vec<_> = REGIONS
        .into_iter()
        .filter_map(|pack_id| Some((pack_id, region(pack_id, None).course.course_model.get()?.clone())))
        .collect();
    let models: Vec<_> = models.iter().map(|(pack_id, model)| (*pack_id, model.as_str())).collect();
    assert_eq!(
        models,
        [
            ("anhui_hefei", "普惠托管与个性化课程相结合"),
            ("fujian_jinjiang", "2+N"),
            ("henan_jinshui", "1+X"),
            ("hubei_hongan", "1+1+1+2"),
            ("shanghai_jingan", "三段式"),
            ("zhejiang_anji", "两时段式"),
            ("zhejiang_jinhua", "1+X"),
        ]
    );
}

#[test]
fn c15_hongan_a_week_is_one_one_one_and_two() {
    let hongan = region("hubei_hongan", None);
    let lacking = |given: &[(&str, u32)]| {
        let missing = course::check_week_components(&hongan, given);
        missing.into_iter().map(|part| (part.component.key, part.found)).collect::<Vec<_>>()
    };
    let whole = [("qa_psych", 1), ("gymnastics", 1), ("red_narrator", 1), ("clubs", 2)];
    assert_eq!(lacking(&whole), []);
    for absent in 0..whole.len() {
        let mut week = whole;
        week[absent].1 -= 1;
        assert_eq!(lacking(&week), [(week[absent].0.to_owned(), week[absent].1)]);
    }
    let sessions = hongan.course.weekly_components.get().into_iter().flatten().map(|part| part.count);
    assert_eq!(sessions.sum::<u32>(), 5);
    assert_eq!(missing_keys(course::missing_items(&hongan, &["clubs"])).len(), 3);
}

// 株洲市、雨花区、井研县、玛纳斯县

#[test]
fn c56_zhuzhou_500_fen_a_class_hour_and_1000_a_day_hold_together() {
    let zhuzhou = region("hunan_zhuzhou", None);
    let class_hour = price(Basis::ClassHour, 500);
    let charged = |hours: &[u32]| {
        let days: Vec<_> = hours
            .iter()
            .zip(day("2026-09-07").iter_days())
            .map(|(class_hours, date)| LessonDay {
                date,
                class_hours: *class_hours,
                already_charged: Fen::ZERO,
            })
            .collect();
        fee::charge(&zhuzhou, &class_hour, &days).expect("a charge").total.get()
    };
    assert_eq!(charged(&[3]), 1_000);
    assert_eq!(charged(&[1, 2, 3, 2, 1]), 4_000);
    assert_eq!(limit_of(&zhuzhou, &price(Basis::ClassHour, 501)), 500);
    assert_eq!(limit_of(&zhuzhou, &price(Basis::Day, 1_001)), 1_000);
    assert_eq!(payable(&zhuzhou, 4_000, "registered_poor"), 0);
}

#[test]
fn c68_yuhua_watches_the_money_of_its_providers() {
    let supervised = regions_where(|policy| policy.provider.provider_fund_supervision.get() == Some(&true));
    assert_eq!(supervised, ["hunan_yuhua"]);
    assert_eq!(keys(&region("hunan_yuhua", None).supervise.surveys), ["satisfaction"]);
}

#[test]
fn c89_yuhua_aims_at_all_public_schools_all_need_and_all_lunches() {
    let yuhua = region("hunan_yuhua", None);
    assert_eq!(
        targets(&yuhua),
        [("public_schools_open", 10_000), ("need_served", 10_000), ("lunch_need_served", 10_000)]
    );
    assert_eq!(yuhua.supervise.targets.binding(), Some(Binding::Target));
}

#[test]
fn c55_jingyan_12000_fen_a_month_exactly() {
    let jingyan = region("sichuan_jingyan", None);
    for (amount, stands) in [(11_999, false), (12_000, true), (12_001, false)] {
        assert_eq!(fee::check_tariff(&jingyan, &price(Basis::Month, amount)).is_ok(), stands, "{amount}");
    }
    assert!(fee::check_tariff(&jingyan, &price(Basis::Term, 48_000)).is_err(), "a term is no four months");
    assert_eq!(jingyan.staff.staff_pay_basis.get(), Some(&StaffPayBasis::Workload));
}

#[test]
fn c62_jingyan_registered_poor_pay_0_and_difficult_is_silent_until_supplemented() {
    let alone = region("sichuan_jingyan", None);
    assert_eq!(payable(&alone, 12_000, "registered_poor"), 0);
    let silent = waiver::effect(&alone, "economically_difficult").unwrap_err();
    assert_eq!(silent.key, "partial_waiver_rates");

    let rates = r#"[{ category = "economically_difficult", rate_bp = 2500 }]"#;
    let county = decided("sichuan_jingyan", &[("waiver.partial_waiver_rates", rates)]);
    assert_eq!(payable(&county, 12_000, "economically_difficult"), 9_000);
    assert_eq!(payable(&county, 12_000, "registered_poor"), 0);
    let effect = waiver::effect(&county, "dual_income").expect("an effect");
    assert!(matches!(effect, Effect::NotListed { .. }));
}

#[test]
fn c35_manas_families_sign_an_agreement_and_get_a_letter() {
    let manas = region("xinjiang_manas", None);
    assert_eq!(manas.enroll.agreement_required.standing(), Standing::Stated);
    assert_eq!(manas.enroll.parent_notice_required.standing(), Standing::Stated);
    assert_eq!(
        keys(&manas.course.categories),
        ["sports_training", "science_technology", "culture_arts", "traditional_craft", "games"]
    );
}
