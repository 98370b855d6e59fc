use policy::{Held, Packs, Policy, Problem, Rule};

use crate::support::{folder, load, made_of, pack_text, region, supplement_text};

/// The only problem of files that should have one.
fn only_problem(files: &[(&str, &str)]) -> Problem {
    let problems = load(files).expect_err("a problem");
    let [problem] = problems.as_slice() else { panic!("{problems:#?}") };
    problem.clone()
}

fn place(problem: &Problem) -> (&str, usize, &str) {
    (&problem.file, problem.line, &problem.key)
}

const FREE: (&str, &str, &str) = ("fee.parent_fee_mode", "\"free\"", "exact");

#[test]
fn c01_the_packs_of_the_repository_load() {
    let packs = Packs::load(&folder()).expect("sound packs");
    let files = |folder: std::path::PathBuf| {
        let names = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name());
        let stems = names.filter_map(|name| name.to_str()?.strip_suffix(".toml").map(str::to_owned));
        stems.collect::<std::collections::BTreeSet<String>>()
    };
    let loaded = |kind: fn(&Policy) -> Option<&str>| {
        packs.current().filter_map(|policy| kind(policy)).map(str::to_owned).collect()
    };
    assert_eq!(files(folder()), loaded(|policy| Some(policy.pack_id())));
    assert_eq!(files(folder().join("supplements")), loaded(Policy::supplement));
    assert_eq!(packs.supplements("hebei_shahe"), ["shahe_demo"]);
    assert!(packs.policy("nowhere", None).is_none());
}

#[test]
fn c01_what_no_file_says_is_silent_and_not_zero() {
    let zhuzhou = region("hunan_zhuzhou", None);
    let silent = zhuzhou.fee.refund_rule.require().unwrap_err();
    assert_eq!((silent.pack_id.as_str(), silent.key), ("hunan_zhuzhou", "refund_rule"));
    assert_eq!(zhuzhou.fee.refund_rule.held(), &Held::Silent);
    assert_eq!(zhuzhou.fee.term_months.get(), None);
}

#[test]
fn c02_a_child_inherits_with_the_name_of_the_pack_that_says_it() {
    let shahe = region("hebei_shahe", None);
    let Held::Inherited { from, value, .. } = shahe.enroll.agreement_required.held() else { panic!() };
    assert_eq!((from.as_str(), *value), ("hebei", true));
    let Held::Inherited { from, .. } = shahe.provider.third_party_may_collect.held() else { panic!() };
    assert_eq!(from, "common");
}

#[test]
fn c02_a_child_may_be_free_under_a_parent_with_a_ceiling() {
    let parent = pack_text(
        "province",
        None,
        &[
            ("fee.parent_fee_mode", "\"ceiling\"", "exact"),
            ("fee.parent_fee_cap_fen_per_term", "30000", "ceiling"),
        ],
    );
    let child = pack_text("city", Some("province"), &[FREE]);
    assert!(load(&[("province.toml", &parent), ("city.toml", &child)]).is_ok());
}

#[test]
fn c02_one_fen_under_a_free_parent_is_a_problem_with_both_clauses() {
    let parent = pack_text("province", None, &[FREE]);
    let child = pack_text("city", Some("province"), &[("fee.parent_fee_fen_per_term", "1", "exact")]);

    let problem = only_problem(&[("province.toml", &parent), ("city.toml", &child)]);

    assert_eq!(place(&problem), ("city.toml", 6, "parent_fee_fen_per_term"));
    let Rule::Excludes { one, other } = &problem.rule else { panic!("{problem}") };
    assert_eq!((one.pack_id.as_str(), other.pack_id.as_str()), ("city", "province"));
}

#[test]
fn c02_a_child_may_tighten_and_not_loosen() {
    let cases = [
        ("time.end_not_before", "\"17:30\"", "\"17:31\"", "\"17:29\""),
        ("time.end_not_after", "\"18:00\"", "\"17:59\"", "\"18:01\""),
        ("time.min_minutes_per_day", "120", "121", "119"),
        ("fee.parent_fee_cap_fen_per_day", "1000", "999", "1001"),
        ("fee.slot_fee_cap_fen_per_month", "[5000, 8000]", "[5000, 7999]", "[5001, 8000]"),
        ("enroll.agreement_required", "true", "true", "false"),
        ("provider.third_party_may_collect", "false", "false", "true"),
        ("time.end_strictness", "\"principle\"", "\"mandatory\"", "\"principle\""),
        ("scope.excluded_day_parts", "[\"lunch\"]", "[\"lunch\", \"noon_rest\"]", "[\"noon_rest\"]"),
    ];
    for (key, above, tighter, looser) in cases {
        let parent = pack_text("province", None, &[(key, above, "exact")]);
        let child = |value| pack_text("city", Some("province"), &[(key, value, "exact")]);
        assert!(load(&[("province.toml", &parent), ("city.toml", &child(tighter))]).is_ok(), "{key} tighter");
        if looser == above {
            continue;
        }
        let problem = only_problem(&[("province.toml", &parent), ("city.toml", &child(looser))]);
        assert_eq!(place(&problem), ("city.toml", 6, key));
        assert!(matches!(problem.rule, Rule::Loosens { .. }), "{problem}");
    }
}

#[test]
fn c02_a_waiver_cannot_be_taken_back_below() {
    let waivers =
        |level| format!("[{{ category = \"a\", name_zh = \"甲\", level = \"{level}\", basis = \"pupil\" }}]");
    let parent = pack_text("province", None, &[("waiver.waivers", &waivers("full"), "exact")]);
    for value in [waivers("partial"), "[]".to_owned()] {
        let child = pack_text("city", Some("province"), &[("waiver.waivers", &value, "exact")]);
        let problem = only_problem(&[("province.toml", &parent), ("city.toml", &child)]);
        assert!(matches!(problem.rule, Rule::Loosens { .. }), "{problem}");
    }
}

#[test]
fn a_supplement_that_loosens_shows_both_clauses() {
    let pack = pack_text(
        "city",
        None,
        &[
            ("fee.parent_fee_mode", "\"ceiling\"", "exact"),
            ("fee.parent_fee_cap_fen_per_day", "1000", "ceiling"),
        ],
    );
    let looser = supplement_text("own", "city", &[("fee.parent_fee_cap_fen_per_day", "1001")]);

    let problem = only_problem(&[("city.toml", &pack), ("supplements/own.toml", &looser)]);

    assert_eq!(place(&problem), ("supplements/own.toml", 7, "fee.parent_fee_cap_fen_per_day"));
    let told = problem.to_string();
    assert!(told.contains("10.01 元/天") && told.contains("10.00 元/天") && told.contains("第7行"), "{told}");
}

#[test]
fn a_supplement_that_contradicts_shows_both_clauses() {
    let pack = pack_text("city", None, &[("fee.payee_account", "\"treasury\"", "exact")]);
    let other = supplement_text("own", "city", &[("fee.payee_account", "\"school\"")]);

    let problem = only_problem(&[("city.toml", &pack), ("supplements/own.toml", &other)]);

    let Rule::Contradicts { own, above } = &problem.rule else { panic!("{problem}") };
    assert_eq!((own.value.zh.as_str(), above.value.zh.as_str()), ("学校账户", "财政账户"));
    let same = supplement_text("own", "city", &[("fee.payee_account", "\"treasury\"")]);
    let packs = load(&[("city.toml", &pack), ("supplements/own.toml", &same)]).expect("no contradiction");
    let policy = packs.policy("city", Some("own")).expect("the policy");
    assert!(matches!(policy.fee.payee_account.held(), Held::Stated { .. }));
}

#[test]
fn a_supplement_may_be_tighter_and_then_is_the_source() {
    let pack = pack_text(
        "city",
        None,
        &[
            ("fee.parent_fee_mode", "\"ceiling\"", "exact"),
            ("fee.parent_fee_cap_fen_per_day", "1000", "ceiling"),
        ],
    );
    let tighter = supplement_text("own", "city", &[("fee.parent_fee_cap_fen_per_day", "900")]);
    let packs = load(&[("city.toml", &pack), ("supplements/own.toml", &tighter)]).expect("sound");
    let policy = packs.policy("city", Some("own")).expect("the policy");
    assert!(matches!(policy.fee.parent_fee_cap_fen_per_day.held(), Held::Supplemented { .. }));
    let alone = packs.policy("city", None).expect("the pack");
    assert!(matches!(alone.fee.parent_fee_cap_fen_per_day.held(), Held::Stated { .. }));
}

#[test]
fn an_undated_supplement_is_refused() {
    let pack = pack_text("city", None, &[]);
    let undated = supplement_text("own", "city", &[]).replace("dated = 2026-08-20\n", "");
    let problem = only_problem(&[("city.toml", &pack), ("supplements/own.toml", &undated)]);
    assert_eq!((place(&problem), &problem.rule), (("supplements/own.toml", 3, "decision"), &Rule::Undated));
}

#[test]
fn a_supplement_without_a_decision_is_refused() {
    let pack = pack_text("city", None, &[]);
    let bare = "supplement = \"own\"\npack_id = \"city\"\n";
    let problem = only_problem(&[("city.toml", &pack), ("supplements/own.toml", bare)]);
    assert_eq!(problem.rule, Rule::Missing("decision"));
}

type IsRule = fn(&Rule) -> bool;

#[test]
fn a_single_bad_value_is_told_with_file_line_and_rule() {
    let cases: [(&str, &str, &str, IsRule); 11] = [
        ("fee.parent_fee", "1", "exact", |rule| *rule == Rule::UnknownKey),
        ("fee.parent_fee_cap_fen_per_day", "-1", "ceiling", |rule| *rule == Rule::Negative(-1)),
        ("fee.parent_fee_cap_fen_per_day", "10.5", "ceiling", |rule| matches!(rule, Rule::WrongType { .. })),
        ("fee.parent_fee_cap_fen_per_day", "\"10元\"", "ceiling", |rule| {
            matches!(rule, Rule::WrongType { .. })
        }),
        ("time.end_not_before", "\"6pm\"", "floor", |rule| matches!(rule, Rule::WrongType { .. })),
        ("time.end_not_before", "18:00:00", "floor", |rule| matches!(rule, Rule::WrongType { .. })),
        ("time.winter_from", "\"13-01\"", "exact", |rule| matches!(rule, Rule::WrongType { .. })),
        ("time.all_workdays", "\"yes\"", "exact", |rule| matches!(rule, Rule::WrongType { .. })),
        ("staff.fees_to_staff_bp", "100001", "exact", |rule| matches!(rule, Rule::TooHigh { .. })),
        ("fee.payee_account", "\"provider\"", "exact", |rule| matches!(rule, Rule::NotAllowed { .. })),
        ("time.all_workdays", "true", "about", |rule| matches!(rule, Rule::NotAllowed { .. })),
    ];
    for (key, value, binding, is_rule) in cases {
        let problem = only_problem(&[("city.toml", &pack_text("city", None, &[(key, value, binding)]))]);
        assert_eq!((problem.file.as_str(), problem.key.as_str()), ("city.toml", key), "{problem}");
        assert!((4..=6).contains(&problem.line) && is_rule(&problem.rule), "{key} = {value}: {problem:?}");
    }
}

#[test]
fn the_line_is_the_line_of_the_value() {
    let text = pack_text(
        "city",
        None,
        &[("time.all_workdays", "true", "exact"), ("time.min_minutes_per_day", "-5", "floor")],
    );
    let problem = only_problem(&[("city.toml", &text)]);
    assert_eq!(text.lines().nth(problem.line - 1), Some("value = -5"));
}

#[test]
fn all_problems_of_all_files_are_told_at_once() {
    let one = pack_text(
        "one",
        None,
        &[("time.x", "1", "exact"), ("fee.parent_fee_cap_fen_per_day", "-1", "ceiling")],
    );
    let two = pack_text("two", Some("nowhere"), &[]);
    let problems =
        load(&[("one.toml", &one), ("two.toml", &two), ("three.toml", "= 1")]).expect_err("problems");
    let files: Vec<&str> = problems.iter().map(|problem| problem.file.as_str()).collect();
    assert_eq!(files, ["one.toml", "one.toml", "three.toml", "two.toml"]);
}

#[test]
fn a_value_without_a_source_or_from_an_unlisted_document_is_refused() {
    let text = pack_text("city", None, &[("time.all_workdays", "true", "exact")]);
    let sourceless: String =
        text.lines().filter(|line| !line.starts_with("source =")).map(|line| format!("{line}\n")).collect();
    assert_eq!(only_problem(&[("city.toml", &sourceless)]).rule, Rule::Missing("source"));
    let elsewhere = text.replace("source = { file = \"doc.txt\"", "source = { file = \"rumour.txt\"");
    assert_eq!(
        only_problem(&[("city.toml", &elsewhere)]).rule,
        Rule::UnlistedSource("rumour.txt".to_owned())
    );
}

#[test]
fn a_missing_parent_and_a_missing_pack_are_named() {
    let orphan = only_problem(&[("city.toml", &pack_text("city", Some("nowhere"), &[]))]);
    assert_eq!(
        (place(&orphan), &orphan.rule),
        (("city.toml", 3, "parent_pack"), &Rule::MissingPack("nowhere".to_owned()))
    );
    let stray = only_problem(&[("supplements/own.toml", &supplement_text("own", "nowhere", &[]))]);
    assert_eq!(
        (place(&stray), &stray.rule),
        (("supplements/own.toml", 2, "pack_id"), &Rule::MissingPack("nowhere".to_owned()))
    );
}

#[test]
fn parents_in_a_circle_are_told_once() {
    let one = pack_text("one", Some("two"), &[]);
    let two = pack_text("two", Some("one"), &[]);
    let problem = only_problem(&[("one.toml", &one), ("two.toml", &two)]);
    assert!(
        matches!(&problem.rule, Rule::CircularParent(circle) if circle == "one → two → one"),
        "{problem}"
    );
    let own = only_problem(&[("self.toml", &pack_text("self", Some("self"), &[]))]);
    assert!(matches!(own.rule, Rule::CircularParent(_)));
}

#[test]
fn a_ceiling_below_the_exact_fee_is_refused() {
    let text = pack_text(
        "city",
        None,
        &[
            ("fee.parent_fee_mode", "\"exact\"", "exact"),
            ("fee.parent_fee_fen_per_term", "60000", "exact"),
            ("fee.parent_fee_cap_fen_per_term", "59999", "ceiling"),
        ],
    );
    let problems = load(&[("city.toml", &text)]).expect_err("a problem");
    assert_eq!(problems.len(), 2, "both lines are shown");
    assert!(problems.iter().all(|problem| matches!(problem.rule, Rule::Excludes { .. })));
}

#[test]
fn a_mode_without_its_amount_is_refused() {
    for mode in ["exact", "ceiling", "average"] {
        let text = pack_text("city", None, &[("fee.parent_fee_mode", &format!("\"{mode}\""), "exact")]);
        assert!(matches!(only_problem(&[("city.toml", &text)]).rule, Rule::Incomplete(_)), "{mode}");
    }
}

#[test]
fn a_file_is_called_what_it_says_it_is() {
    let problem = only_problem(&[("town.toml", &pack_text("city", None, &[]))]);
    assert!(matches!(problem.rule, Rule::NameDiffers { .. }));
}

#[test]
fn a_file_of_more_than_256_kib_is_not_read() {
    let padding = "# 填充\n".repeat(40_000);
    let problem = only_problem(&[("city.toml", &(pack_text("city", None, &[]) + &padding))]);
    assert!(matches!(problem.rule, Rule::TooLarge { limit: 262_144, .. }));
}

#[test]
fn a_file_that_is_not_toml_or_not_text_is_told() {
    assert!(matches!(only_problem(&[("city.toml", "pack_id = \n")]).rule, Rule::Syntax(_)));
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("city.toml"), [0xff, 0xfe]).unwrap();
    let problems = Packs::load(dir.path()).expect_err("a problem");
    assert!(matches!(problems.as_slice(), [Problem { rule: Rule::NotUtf8, line: 1, .. }]), "{problems:?}");
    let problems = Packs::load(&dir.path().join("nowhere")).expect_err("a problem");
    assert!(matches!(problems.as_slice(), [Problem { rule: Rule::Unreadable(_), .. }]));
}

#[test]
fn c03_a_version_follows_content_and_not_layout() {
    let text = pack_text("city", None, &[("time.all_workdays", "true", "exact")]);
    let version =
        |text: &str| load(&[("city.toml", text)]).unwrap().policy("city", None).unwrap().version().to_owned();

    let original = version(&text);

    assert_eq!(original.len(), 16);
    assert_eq!(version(&format!("# 说明\n\n{text}")), original);
    assert_eq!(version(&text.replace(" = ", "=").replace('\n', "\r\n")), original);
    assert_ne!(version(&text.replace("value = true", "value = false")), original);
    assert_ne!(version(&text.replace("line = 7", "line = 8")), original);
}

#[test]
fn c03_a_child_has_a_new_version_when_its_parent_has() {
    let child = pack_text("city", Some("province"), &[]);
    let version = |minutes: &str| {
        let parent = pack_text("province", None, &[("time.min_minutes_per_day", minutes, "floor")]);
        let packs = load(&[("province.toml", &parent), ("city.toml", &child)]).unwrap();
        packs.policy("city", None).unwrap().version().to_owned()
    };
    assert_ne!(version("120"), version("121"));
}

#[test]
fn c03_a_term_keeps_the_edition_it_was_opened_with() {
    let pack = |end: &str| pack_text("city", None, &[("time.end_target", end, "exact")]);
    let supplement = supplement_text("own", "city", &[("time.class_hour_minutes", "40")]);
    let before = load(&[("city.toml", &pack("\"17:30\"")), ("supplements/own.toml", &supplement)]).unwrap();
    let pin = before.policy("city", Some("own")).unwrap().pin();

    let after = load(&[
        ("city.toml", &pack("\"18:00\"")),
        ("supplements/own.toml", &supplement),
        ("retired/city-2025.toml", &pack("\"17:30\"")),
    ])
    .unwrap();

    let end = |policy: &Policy| policy.time.end_target.get().unwrap().format("%H:%M").to_string();
    assert_eq!(end(&after.pinned(&pin).expect("the old edition")), "17:30");
    assert_eq!(end(&after.policy("city", Some("own")).unwrap()), "18:00");
    assert!(pin.starts_with("city@") && pin.contains("+own@"), "{pin}");
    assert!(after.pinned("city@0000000000000000").is_none());
}

#[test]
fn c03_editions_that_never_stood_together_are_no_problem() {
    let tight = pack_text("city", None, &[("time.min_minutes_per_day", "120", "floor")]);
    let loose = pack_text("city", None, &[("time.min_minutes_per_day", "60", "floor")]);
    let supplement = supplement_text("own", "city", &[("time.min_minutes_per_day", "90")]);
    let packs =
        load(&[("city.toml", &loose), ("supplements/own.toml", &supplement), ("retired/old.toml", &tight)])
            .expect("the retired edition and the new supplement never met");
    assert!(packs.policy("city", Some("own")).is_some());
}

#[test]
fn every_demonstration_calls_itself_one() {
    for (pack_id, supplement) in
        [("hebei_shahe", "shahe_demo"), ("hunan_zhuzhou", "zhuzhou_demo"), ("zhejiang_jinhua", "jinhua_demo")]
    {
        assert!(region(pack_id, Some(supplement)).is_demonstration());
        assert!(!region(pack_id, None).is_demonstration());
    }
    assert!(!made_of(&[]).is_demonstration());
}

#[test]
fn every_key_has_its_own_name() {
    let mut names: Vec<&str> = Policy::keys().iter().map(|key| key.name).collect();
    let count = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), count);
}

#[test]
fn the_examples_of_the_readme_load() {
    let readme = std::fs::read_to_string(folder().join("README.md")).unwrap();
    let examples: Vec<&str> =
        readme.split("```toml\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    let [pack, supplement] = examples.as_slice() else { panic!("{examples:?}") };
    let packs = load(&[
        ("hunan.toml", &pack_text("hunan", None, &[])),
        ("hunan_zhuzhou.toml", pack),
        ("supplements/yuhu.toml", supplement),
    ])
    .expect("what is shown works");
    let policy = packs.policy("hunan_zhuzhou", Some("yuhu")).expect("the policy");
    assert!(policy.effective_from().is_some() && policy.fee.refund_rule.get().is_some());
}

#[test]
fn every_word_a_file_may_hold_is_read_back() {
    use policy::vocabulary::{DayPart, FeeMode, Stage};
    for part in DayPart::ALL {
        assert_eq!(DayPart::from_word(part.word()), Some(*part));
    }
    for mode in FeeMode::ALL {
        assert_eq!(FeeMode::from_word(mode.word()), Some(*mode));
    }
    assert_eq!(Stage::from_word("senior"), None);
}

#[test]
fn a_problem_above_does_not_hide_one_below() {
    let parent = pack_text("province", None, &[("time.x", "1", "exact")]);
    let child = pack_text("city", Some("province"), &[("time.y", "1", "exact")]);
    let supplement = supplement_text("own", "city", &[("time.z", "1")]);
    let files =
        [("province.toml", parent.as_str()), ("city.toml", &child), ("supplements/own.toml", &supplement)];
    let problems = load(&files).expect_err("problems");
    let keys: Vec<&str> = problems.iter().map(|problem| problem.key.as_str()).collect();
    assert_eq!(keys, ["time.y", "time.x", "time.z"]);
}

#[test]
fn c02_a_fee_mode_leaves_room_for_narrower_ones_only() {
    let amounts = [
        ("fee.parent_fee_fen_per_term", "100", "exact"),
        ("fee.parent_fee_cap_fen_per_term", "100", "ceiling"),
    ];
    let cases =
        [("exact", "ceiling", false), ("ceiling", "exact", true), ("awaiting_approval", "ceiling", true)];
    for (above, own, stands) in cases {
        let (above, own) = (format!("\"{above}\""), format!("\"{own}\""));
        let parent =
            pack_text("province", None, &[("fee.parent_fee_mode", &above, "exact"), amounts[0], amounts[1]]);
        let child = pack_text("city", Some("province"), &[("fee.parent_fee_mode", &own, "exact")]);
        let loaded = load(&[("province.toml", &parent), ("city.toml", &child)]);
        assert_eq!(loaded.is_ok(), stands, "{own} under {above}");
    }
}
