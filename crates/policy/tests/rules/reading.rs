//! What an entry says besides its value: how it was read, and how it came down.

use policy::{Held, ParentGround, Policy, Remark, Rule, Standing};

use crate::support::{load, made_of, pack_text, region, supplement_text};

/// A pack with one key that carries a further field.
fn remarked(key: &str, value: &str, field: &str) -> String {
    pack_text("city", None, &[(key, value, "exact")]) + field + "\n"
}

#[test]
fn c01_a_supplement_may_decide_a_reading_and_loosen_nothing_else() {
    let key = "fee.parent_fee_cap_fen_per_day";
    let mode = ("fee.parent_fee_mode", "\"ceiling\"", "exact");
    let read = pack_text("city", None, &[mode, (key, "1000", "ceiling")]) + "reading = \"两种读法\"\n";
    let sure = pack_text("city", None, &[mode, (key, "1000", "ceiling")]) + "note = \"一种读法\"\n";
    let looser = supplement_text("own", "city", &[(key, "1300")]);

    let decided = load(&[("city.toml", &read), ("supplements/own.toml", &looser)]).expect("a decision");
    let refused = load(&[("city.toml", &sure), ("supplements/own.toml", &looser)]).expect_err("a problem");

    let policy = decided.policy("city", Some("own")).expect("the policy");
    assert_eq!(policy.fee.parent_fee_cap_fen_per_day.get().map(|cap| cap.get()), Some(1_300));
    assert_eq!(policy.fee.parent_fee_cap_fen_per_day.standing(), Standing::Supplemented);
    assert!(matches!(refused.as_slice(), [problem] if matches!(problem.rule, Rule::Loosens { .. })));
}

#[test]
fn c01_a_reading_of_a_local_key_may_be_decided_too() {
    let read = remarked("fee.payee_account", "\"treasury\"", "reading = \"两种读法\"");
    let other = supplement_text("own", "city", &[("fee.payee_account", "\"school\"")]);
    let same = supplement_text("own", "city", &[("fee.payee_account", "\"treasury\"")]);
    for (supplement, standing) in [(other, Standing::Supplemented), (same, Standing::Supplemented)] {
        let packs = load(&[("city.toml", &read), ("supplements/own.toml", &supplement)]).expect("a decision");
        let policy = packs.policy("city", Some("own")).expect("the policy");
        assert_eq!(policy.fee.payee_account.standing(), standing, "deciding for the reading settles it");
        assert!(!policy.fee.payee_account.is_reading());
    }
}

#[test]
fn c02_a_pack_below_may_not_loosen_a_reading_above() {
    let province = pack_text("province", None, &[("time.min_minutes_per_day", "120", "floor")]);
    let province = province + "reading = \"两种读法\"\n";
    let city = pack_text("city", Some("province"), &[("time.min_minutes_per_day", "60", "floor")]);
    let problems = load(&[("province.toml", &province), ("city.toml", &city)]).expect_err("a problem");
    assert!(matches!(problems.as_slice(), [problem] if matches!(problem.rule, Rule::Loosens { .. })));
}

#[test]
fn an_inherited_reading_stays_a_reading() {
    let province = pack_text("province", None, &[("fee.payee_account", "\"treasury\"", "exact")]);
    let province = province + "reading = \"两种读法\"\n";
    let city = pack_text("city", Some("province"), &[]);
    let own = supplement_text("own", "city", &[("fee.payee_account", "\"school\"")]);
    let files = [
        ("province.toml", province.as_str()),
        ("city.toml", city.as_str()),
        ("supplements/own.toml", own.as_str()),
    ];
    let packs = load(&files).expect("a decision");
    assert!(packs.policy("city", None).expect("the policy").fee.payee_account.is_reading());
    let decided = packs.policy("city", Some("own")).expect("the policy");
    assert_eq!(decided.fee.payee_account.get().map(|payee| payee.word()), Some("school"));
}

#[test]
fn an_entry_is_a_note_or_a_reading_and_a_supplement_has_no_reading() {
    let both = remarked("time.all_workdays", "true", "note = \"甲\"\nreading = \"乙\"");
    let problems = load(&[("city.toml", &both)]).expect_err("a problem");
    assert_eq!(problems.iter().map(|problem| &problem.rule).collect::<Vec<_>>(), [&Rule::NoteAndReading]);

    let supplement = supplement_text("own", "city", &[("time.all_workdays", "true")]) + "reading = \"乙\"\n";
    let pack = pack_text("city", None, &[]);
    let problems =
        load(&[("city.toml", &pack), ("supplements/own.toml", &supplement)]).expect_err("a problem");
    assert_eq!(problems.iter().map(|problem| &problem.rule).collect::<Vec<_>>(), [&Rule::UnknownKey]);
}

#[test]
fn a_clause_says_its_reading_and_its_inheritance_in_words() {
    let read = remarked("time.all_workdays", "true", "reading = \"可这样读\"");
    let packs = load(&[("city.toml", &read)]).expect("a sound pack");
    let clause = packs.policy("city", None).expect("the pack").time.all_workdays.clause().expect("a clause");
    assert_eq!(clause.remark, Some(Remark::Reading("可这样读".to_owned())));
    assert!(clause.say().zh.ends_with("（原文有两种读法：可这样读；区县可另作决定）"), "{:?}", clause.say());

    let inherited = region("hebei_shahe", None).enroll.agreement_required.clause().expect("a clause");
    let said = inherited.say().zh;
    assert!(said.contains("，承继自河北省（推定：") && said.contains("按行政隶属推定"), "{said}");
    assert_eq!(inherited.inherited.map(|from| from.pack_id), Some("hebei".to_owned()));
    let own = region("hebei", None).enroll.agreement_required.clause().expect("a clause");
    assert_eq!(own.inherited, None);
}

#[test]
fn c02_the_reason_of_an_inheritance_is_that_of_the_first_step_down() {
    let step =
        |id, parent| pack_text(id, Some(parent), &[]).replace("按行政隶属推定", &format!("{parent}到{id}"));
    let top = pack_text("top", None, &[("time.all_workdays", "true", "exact")]);
    let (middle, low) = (step("middle", "top"), step("low", "middle"));
    let packs =
        load(&[("top.toml", &top), ("middle.toml", &middle), ("low.toml", &low)]).expect("sound packs");
    let low = packs.policy("low", None).expect("the pack");
    let inferred = |policy: &Policy, key: &str| {
        let clause = policy.clause(key).expect("a key").expect("said");
        clause.inherited.expect("inherited").inferred.expect("a reason")
    };
    assert_eq!(inferred(&low, "all_workdays"), "top到middle");
    assert_eq!(inferred(&low, "voluntary"), "各文件所述互不矛盾，推定各地通行");
}

#[test]
fn c02_an_inheritance_a_document_states_is_no_inference() {
    let province = pack_text("province", None, &[("time.all_workdays", "true", "exact")]);
    let city = pack_text("city", Some("province"), &[]).replace(
        "parent_inferred = \"按行政隶属推定\"\n",
        "parent_source = { file = \"doc.txt\", line = 3, words = \"按省里规定执行\" }\n",
    );
    let packs = load(&[("province.toml", &province), ("city.toml", &city)]).expect("sound packs");
    let city = packs.policy("city", None).expect("the pack");
    let Held::Inherited { inferred, from_zh, .. } = city.time.all_workdays.held() else { panic!() };
    assert_eq!((inferred.as_ref(), from_zh.as_str()), (None, "province"));
    assert!(
        matches!(city.parent_ground(), Some(ParentGround::Document(source)) if source.words_zh == "按省里规定执行")
    );
    let clause = city.time.all_workdays.clause().expect("a clause");
    assert!(clause.say().zh.ends_with("，承继自province"), "{:?}", clause.say());
}

#[test]
fn c02_a_parent_needs_exactly_one_ground() {
    let province = pack_text("province", None, &[]);
    let sound = pack_text("city", Some("province"), &[]);
    let inferred = "parent_inferred = \"按行政隶属推定\"\n";
    let source = "parent_source = { file = \"doc.txt\", line = 3, words = \"原文\" }\n";
    let none = sound.replace(inferred, "");
    let both = sound.replace(inferred, &format!("{inferred}{source}"));
    let orphan = sound.replace("parent_pack = \"province\"\n", "");
    for (text, line) in [(none, 3), (both, 3), (orphan, 3)] {
        let problems = load(&[("province.toml", &province), ("city.toml", &text)]).expect_err("a problem");
        let told: Vec<_> = problems.iter().map(|problem| (problem.line, &problem.rule)).collect();
        assert_eq!(told, [(line, &Rule::ParentGround)], "{text}");
    }
    let stray = pack_text("city", None, &[]).replace("name_zh", "inferred = \"推定\"\nname_zh");
    let problems = load(&[("city.toml", &stray)]).expect_err("a problem");
    assert_eq!(problems.iter().map(|problem| &problem.rule).collect::<Vec<_>>(), [&Rule::UnknownKey]);
}

#[test]
fn every_key_has_its_standing_and_a_clause_unless_silent() {
    let demo = region("hunan_zhuzhou", Some("zhuzhou_demo"));
    let entries = demo.entries();
    let keys: Vec<_> = entries.iter().map(|entry| entry.key.name).collect();
    assert_eq!(keys, Policy::keys().iter().map(|key| key.name).collect::<Vec<_>>());
    assert!(entries.iter().all(|entry| entry.clause.is_none() == (entry.standing == Standing::Silent)));
    let standing = |key| demo.entry(key).expect("a key").standing;
    assert_eq!(standing("parent_fee_cap_fen_per_day"), Standing::Stated);
    assert_eq!(standing("voluntary"), Standing::Inherited);
    assert_eq!(standing("refund_rule"), Standing::Supplemented);
    assert_eq!(standing("proration_rule"), Standing::Silent);
    assert_eq!(demo.entry("parent_fee"), None);
}

#[test]
fn c01_a_share_of_enrolled_pupils_belongs_to_that_count_alone() {
    let grant = |fields: &str| {
        format!("[{{ scope = \"north\", name_zh = \"北片\", fen_per_pupil_per_year = 30000, {fields} }}]")
    };
    let load_with = |fields: &str| {
        let text = pack_text("city", None, &[("gov.gov_scoped_grants", &grant(fields), "exact")]);
        load(&[("city.toml", &text)])
    };
    assert!(load_with("head_count = \"enrolled_share\", share_bp = 3000").is_ok());
    assert!(load_with("head_count = \"participants\"").is_ok());
    for bad in ["head_count = \"enrolled_share\"", "head_count = \"enrolled\", share_bp = 3000"] {
        let problems = load_with(bad).expect_err("a problem");
        assert!(matches!(problems[0].rule, Rule::WrongType { .. }), "{bad}: {problems:?}");
    }
}

#[test]
fn c01_a_share_of_all_is_at_most_all() {
    let cases = [
        ("gov.gov_match_bp", "10001"),
        ("staff.fees_to_staff_bp", "10001"),
        ("gov.enrolled_share_bp", "10001"),
        ("supervise.targets", "[{ key = \"a\", name_zh = \"甲\", at_least_bp = 10001 }]"),
        ("waiver.partial_waiver_rates", "[{ category = \"a\", rate_bp = 10001 }]"),
    ];
    for (key, value) in cases {
        let text = pack_text("city", None, &[(key, value, "exact")]);
        let problems = load(&[("city.toml", &text)]).expect_err("a problem");
        assert!(
            matches!(problems.as_slice(), [problem] if matches!(problem.rule, Rule::TooHigh { most: 10_000, found: 10_001 })),
            "{key}: {problems:?}"
        );
    }
    let multiple = made_of(&[("staff.performance_total_cap_bp_of_guidance", "11000", "ceiling")]);
    assert!(multiple.staff.performance_total_cap_bp_of_guidance.get().is_some());
}

#[test]
fn c01_a_district_lies_in_parts_its_region_knows() {
    let grants =
        "[{ scope = \"north\", name_zh = \"北片\", head_count = \"enrolled\", fen_per_pupil_per_year = 1 }]";
    let pack = pack_text("city", None, &[("gov.gov_scoped_grants", grants, "exact")]);
    let lies = |scopes: &str| {
        let own = supplement_text("own", "city", &[("gov.gov_scopes", scopes)]);
        load(&[("city.toml", &pack), ("supplements/own.toml", &own)])
    };
    assert!(lies("[\"north\"]").is_ok() && lies("[]").is_ok());
    let problems = lies("[\"south\"]").expect_err("a problem");
    assert!(
        matches!(problems.as_slice(), [problem] if problem.rule == Rule::Unlisted { found: "south".to_owned(), key: "gov_scoped_grants" })
    );
}

#[test]
fn a_target_says_what_it_is_a_share_of_and_by_when() {
    let target = r#"[{ key = "science", name_zh = "开设科学课", at_least_bp = 8000, among_zh = "城区学校", by = 2023-12-31 }]"#;
    let policy = made_of(&[("supervise.targets", target, "target")]);
    let clause = policy.supervise.targets.clause().expect("a clause");
    assert_eq!(clause.value.zh, "2023-12-31前城区学校中开设科学课 80%");
}
