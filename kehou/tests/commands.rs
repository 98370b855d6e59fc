//! The program as an operator types it.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::process::{Command, Output};

fn kehou(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_kehou")).args(arguments).output().unwrap()
}

#[test]
fn help_names_every_command() {
    let help = kehou(&["--help"]);

    let text = String::from_utf8(help.stdout).unwrap();
    assert!(help.status.success());
    for command in ["run", "tour", "check", "policy", "draw", "bench", "requirements", "--data", "--database"]
    {
        assert!(text.contains(command), "no {command} in {text}");
    }
}

#[test]
fn a_command_that_is_not_known_is_refused() {
    let refused = kehou(&["dance"]);

    assert_eq!(refused.status.code(), Some(2));
    assert!(String::from_utf8(refused.stderr).unwrap().contains("dance"));
}

#[test]
fn checking_where_there_is_no_database_says_which_one_and_fails() {
    let folder = tempfile::tempdir().unwrap();
    let nowhere = folder.path().join("nowhere");

    let failed = kehou(&["--data", nowhere.to_str().unwrap(), "check"]);

    assert!(!failed.status.success());
    assert!(String::from_utf8(failed.stderr).unwrap().contains("identity"));
    assert!(!nowhere.exists(), "a look makes nothing");
}

#[test]
fn requirements_are_printed_one_line_each_with_their_tests_and_the_packs_that_load() {
    let printed = kehou(&["requirements"]);

    assert!(printed.status.success(), "{printed:?}");
    let text = String::from_utf8(printed.stdout).unwrap();
    let ids = text.lines().filter(|line| line.starts_with('C') && line.contains("  ")).count();
    assert_eq!(ids, 109, "{text}");
    let fourth: Vec<_> =
        text.lines().find(|line| line.starts_with("C04 ")).unwrap().split_whitespace().collect();
    assert_eq!(fourth[1], "done");
    assert!(fourth[2].parse::<u32>().unwrap() > 0, "{fourth:?}");
    let loaded: Vec<_> = text.lines().filter(|line| line.contains(" yes ")).collect();
    assert!(
        loaded.iter().any(|line| line.starts_with("zhejiang_jinhua") && line.ends_with("浙江省金华市")),
        "{text}"
    );
    let last = text.lines().last().unwrap();
    assert!(last.starts_with("done ") && last.contains(" of 109; regions "), "{last}");
    assert!(last.ends_with(&format!("{} of 27 loaded", loaded.len())), "{last}");
}

#[test]
fn a_published_draw_is_computed_again_from_its_bundle() {
    let example = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/draw/example.json");
    let text = std::fs::read_to_string(example).unwrap();
    let bundle: serde_json::Value = serde_json::from_str(&text).unwrap();
    let root = bundle["root"].as_str().unwrap();

    let verified = kehou(&["draw", "verify", example, "--root", root]);
    assert!(verified.status.success(), "{verified:?}");
    let said = String::from_utf8(verified.stdout).unwrap();
    assert!(said.contains("周一书法") && said.contains("与抽签前公布的封存码一致"), "{said}");

    let elsewhere = "0".repeat(64);
    let another = kehou(&["draw", "verify", example, "--root", &elsewhere]);
    assert_eq!(another.status.code(), Some(1), "{another:?}");

    let folder = tempfile::tempdir().unwrap();
    let forged = folder.path().join("forged.json");
    std::fs::write(&forged, text.replacen("\"capacity\": 2", "\"capacity\": 3", 1)).unwrap();
    let refused = kehou(&["draw", "verify", forged.to_str().unwrap()]);
    assert_eq!(refused.status.code(), Some(1), "{refused:?}");
    assert!(String::from_utf8(refused.stdout).unwrap().contains("不符"));

    std::fs::write(&forged, "{").unwrap();
    let refused = kehou(&["draw", "verify", forged.to_str().unwrap()]);
    assert!(String::from_utf8(refused.stderr).unwrap().contains("line 1"), "the place is named");
}

/// What `kehou policy …` prints when all is well.
fn policy(arguments: &[&str]) -> String {
    let printed = kehou(&[&["policy"], arguments].concat());
    assert!(printed.status.success(), "{arguments:?}: {printed:?}");
    String::from_utf8(printed.stdout).unwrap()
}

/// What it complains of when it is not.
fn policy_refuses(arguments: &[&str]) -> String {
    let refused = kehou(&[&["policy"], arguments].concat());
    assert_eq!(refused.status.code(), Some(1), "{arguments:?}: {refused:?}");
    String::from_utf8([refused.stdout, refused.stderr].concat()).unwrap()
}

/// The sentences of an answer, without the head.
fn sentences(text: &str) -> Vec<&str> {
    text.lines().filter(|line| line.starts_with("  ")).map(str::trim).collect()
}

#[test]
fn c01_a_sound_folder_is_counted_in_one_line() {
    let english = policy(&["check", "--english"]);
    assert_eq!(english.lines().count(), 1, "{english}");
    assert!(
        english.starts_with("27 regions, ") && english.ends_with(" supplements, 0 problems\n"),
        "{english}"
    );

    let chinese = policy(&["check"]);
    assert!(chinese.starts_with("27 个地区，") && chinese.contains("0 处问题"), "{chinese}");
}

#[test]
fn c01_every_problem_of_files_still_to_be_laid_in_is_printed_at_once_with_its_line() {
    let folder = tempfile::tempdir().unwrap();
    let pack = folder.path().join("new_region.toml");
    let text = "pack_id = \"new_region\"\nname_zh = \"新地区\"\n\n[fee.parent_fee_mod]\nvalue = \"free\"\n\n\
                [time.end_not_before]\nvalue = \"6pm\"\nsource = { file = \"x\", line = 1, words = \"y\" }\n";
    std::fs::write(&pack, text).unwrap();
    let yaml = folder.path().join("other_region.yaml");
    std::fs::write(&yaml, "pack_id: other_region\n").unwrap();

    let problems = policy_refuses(&["check", pack.to_str().unwrap(), yaml.to_str().unwrap()]);

    let of_pack = format!("{}:4: fee.parent_fee_mod ", pack.display());
    assert!(problems.contains(&of_pack), "{problems}");
    assert!(
        problems.contains(":8: time.end_not_before ") || problems.contains(":7: time.end_not_before "),
        "{problems}"
    );
    assert!(problems.contains("YAML"), "{problems}");
    assert!(!problems.contains("/policies/"), "the folder itself is sound: {problems}");
}

#[test]
fn c01_a_folder_that_cannot_be_used_fails_with_its_name() {
    let folder = tempfile::tempdir().unwrap();
    let nowhere = folder.path().join("nowhere");

    let refused = kehou(&["--policies", nowhere.to_str().unwrap(), "policy", "list"]);

    assert_eq!(refused.status.code(), Some(1));
    assert!(String::from_utf8(refused.stderr).unwrap().contains("nowhere"));
}

#[test]
fn c02_every_region_has_a_line_that_tells_stated_inherited_and_silent_apart() {
    let text = policy(&["list"]);

    let line = |pack: &str| {
        let found = text.lines().find(|line| line.split_whitespace().next() == Some(pack));
        found.unwrap_or_else(|| panic!("no {pack} in {text}"))
    };
    assert_eq!(text.lines().skip(1).take_while(|line| !line.is_empty()).count(), 27, "{text}");
    assert!(line("hebei").contains("V 免费"), "{text}");
    assert!(line("hebei_shijiazhuang").contains("I 免费") && line("hebei_shijiazhuang").contains("V ≥18:00"));
    assert!(line("hunan_zhuzhou").contains("V ≤5.00 元/课时，≤10.00 元/天"), "{text}");
    assert!(line("anhui_hefei").contains("个性化课程 ≤600.00 元/学期"), "{text}");
    assert!(line("xx_district").contains("V 待核定"), "{text}");
    assert!(line("beijing_dongcheng").contains("I 原则上 17:30"), "{text}");
    assert!(line("zhejiang_jinhua").contains("当地机关"), "{text}");
    assert!(line("liaoning").contains("按课时数"), "{text}");

    // Whatever stands before it, a column begins where its head does.
    let column = |line: &str, words: &str| kehou::columns::width(line.split_once(words).unwrap().0);
    let head = text.lines().next().unwrap();
    assert_eq!(column(line("hebei"), "V 免费"), column(head, "家长缴费"));
    assert_eq!(column(line("xx_district"), "V 待核定"), column(head, "家长缴费"));
    assert_eq!(column(line("hebei_shijiazhuang"), "V ≥18:00"), column(head, "结束时间"));
}

#[test]
fn c56_the_price_of_a_week_is_explained_day_by_day_and_the_numbers_add_up() {
    let text = policy(&["explain", "zhuzhou_demo", "fee", "--hours", "1,2,3,2,1"]);

    let (_, price) = text.split_once("为什么是这个价").unwrap();
    let said = sentences(price);
    assert!(said[0].contains("每课时 5.00 元，9 课时，共 45.00 元"), "{text}");
    assert!(said[1].contains("3 课时，本应 15.00 元，每天最多 10.00 元，只收 10.00 元"), "{text}");
    assert!(said[2].contains("应收 40.00 元"), "{text}");
    assert!(said.iter().all(|line| line.contains("第74行")), "{text}");
}

#[test]
fn c62_a_waiver_is_told_with_what_is_left_to_pay() {
    let full =
        policy(&["explain", "hunan_zhuzhou", "fee", "--hours", "1,2,3,2,1", "--waiver", "registered_poor"]);
    assert!(full.contains("减免 40.00 元") && full.contains("应付 0.00 元"), "{full}");

    let other = policy_refuses(&["explain", "hunan_zhuzhou", "fee", "--waiver", "rich"]);
    assert!(other.contains("`rich`") && other.contains("registered_poor"), "{other}");

    let silent = policy(&[
        "explain",
        "beijing",
        "fee",
        "--basis",
        "term",
        "--amount-fen",
        "1",
        "--waiver",
        "low_income",
    ]);
    assert!(silent.contains("没有规定：家长缴费方式（fee.parent_fee_mode）"), "{silent}");
}

#[test]
fn c56_c59_a_price_that_cannot_be_is_refused_with_the_clause() {
    let above = policy(&["explain", "hunan_zhuzhou", "fee", "--basis", "class_hour", "--amount-fen", "501"]);
    assert!(above.contains("✗ 5.01 元高于上限 5.00 元"), "{above}");
    assert!(above.lines().last().unwrap().contains("第74行"), "{above}");

    let free = policy(&["explain", "hebei_shahe", "fee", "--hours", "1"]);
    assert!(free.contains("✗ 免费：没有价格，也没有 0 元订单"), "{free}");

    let other = policy(&["explain", "zhejiang_jiaojiang", "fee", "--basis", "term", "--amount-fen", "59999"]);
    assert!(other.contains("✗ 599.99 元不是文件写明的 600.00 元"), "{other}");

    let awaiting = policy(&["explain", "xx_district", "fee", "--hours", "1"]);
    assert!(awaiting.contains("✗ 家长缴费标准待核定"), "{awaiting}");
}

#[test]
fn c01_silence_names_the_key_and_how_a_district_ends_it() {
    let text = policy(&["explain", "sichuan_jingyan", "fee", "--hours", "1"]);

    assert!(text.contains("每月 120.00 元"), "{text}");
    assert!(text.contains("没有规定：不足月计费规则（fee.proration_rule）"), "{text}");
    assert!(
        text.contains("policies/supplements/") && text.contains("pack_id = \"sichuan_jingyan\""),
        "{text}"
    );

    let refund = policy(&["explain", "beijing", "refund_rule"]);
    assert_eq!(sentences(&refund).len(), 1, "{refund}");
    assert!(refund.contains("— 退费规则"), "{refund}");
}

#[test]
fn every_question_is_answered_in_both_languages() {
    for question in ["fee", "end-time", "approval", "waivers", "silent", "inherited", "all"] {
        let chinese = policy(&["explain", "beijing_dongcheng", question]);
        let english = policy(&["explain", "beijing_dongcheng", question, "--english"]);
        assert_eq!(sentences(&chinese).len(), sentences(&english).len(), "{question}");
        assert!(!sentences(&chinese).is_empty(), "{question}");
    }
    let inherited = policy(&["explain", "beijing_dongcheng", "inherited"]);
    assert!(sentences(&inherited).iter().all(|line| line.starts_with("I ")), "{inherited}");
}

#[test]
fn a_district_question_or_key_nobody_knows_is_answered_with_what_is_near() {
    let district = policy_refuses(&["explain", "zhuzou", "fee"]);
    assert!(district.contains("`zhuzou`") && district.contains("zhuzhou"), "{district}");

    let chinese = policy_refuses(&["explain", "金华", "fee"]);
    assert!(chinese.contains("zhejiang_jinhua（浙江省金华市）"), "{chinese}");

    let question = policy_refuses(&["explain", "beijing", "refund_rul"]);
    assert!(question.contains("`refund_rul`") && question.contains("refund_rule"), "{question}");

    let nothing = policy_refuses(&["explain", "qqqqqqqq", "fee"]);
    assert!(nothing.contains("kehou policy list"), "{nothing}");
}

#[test]
fn a_price_is_asked_for_with_the_fee_only_and_by_known_words() {
    let other = policy_refuses(&["explain", "beijing", "waivers", "--hours", "1"]);
    assert!(other.contains("--hours") && other.contains("fee"), "{other}");

    for wrong in [["--basis", "week"], ["--basis", "slot_month:0"], ["--stage", "senior"], ["--hours", "one"]]
    {
        let refused = kehou(&[&["policy", "explain", "beijing", "fee"], &wrong[..]].concat());
        assert_eq!(refused.status.code(), Some(2), "{wrong:?}");
    }
    let long = policy_refuses(&["explain", "hunan_zhuzhou", "fee", "--hours", "1,1,1,1,1,1,1,1"]);
    assert!(long.contains("seven days"), "{long}");
}

#[test]
fn two_policies_are_compared_key_by_key_with_both_clauses() {
    let text = policy(&["diff", "jiangsu", "jiangsu_nanjing"]);

    let (_, rest) = text.split_once("\nfee.parent_fee_mode\n").unwrap();
    let both: Vec<_> = rest.lines().take(2).collect();
    assert!(both[0].starts_with("  A  ") && both[0].contains("第66行"), "{text}");
    assert!(both[1].starts_with("  B  ") && both[1].contains("免费") && both[1].contains("第10行"), "{text}");
    assert!(text.contains("\ntime.end_target\n  A  —\n  B  "), "{text}");
    let keys =
        text.lines().filter(|line| line.contains('.') && !line.starts_with(' ') && !line.contains('（'));
    assert!(text.trim_end().ends_with(&format!("{} 项不同（— 没有规定）", keys.count())), "{text}");

    let same = policy(&["diff", "hebei", "hebei", "--english"]);
    assert!(same.contains("0 keys differ"), "{same}");
}
