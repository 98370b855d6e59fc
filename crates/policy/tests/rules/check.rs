//! What a folder would be with files laid in.

use std::fs;
use std::path::PathBuf;

use policy::{Packs, Problem, Rule};

use crate::support::{folder, pack_text, supplement_text};

/// Writes files somewhere outside the folder of packs and checks them against it.
fn check(files: &[(&str, &[u8])]) -> Vec<Problem> {
    let dir = tempfile::tempdir().expect("a folder");
    let paths: Vec<PathBuf> = files
        .iter()
        .map(|(name, bytes)| {
            let path = dir.path().join(name);
            fs::write(&path, bytes).expect("a file");
            path
        })
        .collect();
    Packs::check(&folder(), &paths)
}

fn only(problems: Vec<Problem>) -> Problem {
    let [problem] = problems.as_slice() else { panic!("{problems:#?}") };
    problem.clone()
}

#[test]
fn c01_sound_files_laid_in_have_no_problem() {
    assert_eq!(Packs::check(&folder(), &[]), []);
    let pack = pack_text("new_city", Some("hebei"), &[]);
    let own = supplement_text("new_own", "new_city", &[("time.class_hour_minutes", "40")]);
    assert_eq!(check(&[("new_city.toml", pack.as_bytes()), ("new_own.toml", own.as_bytes())]), []);
}

#[test]
fn c01_a_file_laid_in_takes_the_place_of_the_one_of_its_name() {
    let hebei = pack_text(
        "hebei",
        None,
        &[
            ("fee.parent_fee_mode", "\"ceiling\"", "exact"),
            ("fee.parent_fee_cap_fen_per_term", "1", "ceiling"),
        ],
    );
    assert_eq!(check(&[("hebei.toml", hebei.as_bytes())]), [], "those below may still be free");

    let stricter = pack_text("hebei", None, &[("time.min_minutes_per_day", "121", "floor")]);
    let problem = only(check(&[("hebei.toml", stricter.as_bytes())]));
    assert_eq!(
        (problem.file.as_str(), problem.key.as_str()),
        ("hebei_shahe.toml", "time.min_minutes_per_day")
    );
    assert!(matches!(problem.rule, Rule::Loosens { .. }));
}

#[test]
fn c01_a_mended_file_laid_in_takes_the_place_of_a_broken_one() {
    let (dir, mended) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    fs::copy(folder().join("common.toml"), dir.path().join("common.toml")).unwrap();
    fs::create_dir(dir.path().join("supplements")).unwrap();
    let (pack, own) = (mended.path().join("city.toml"), mended.path().join("own.toml"));
    fs::write(&pack, pack_text("city", None, &[])).unwrap();
    fs::write(&own, supplement_text("own", "city", &[])).unwrap();
    for broken in [b"= 1".as_slice(), b"\xff"] {
        fs::write(dir.path().join("city.toml"), broken).unwrap();
        fs::write(dir.path().join("supplements/own.toml"), broken).unwrap();
        assert_eq!(Packs::check(dir.path(), &[]).len(), 2);
        assert_eq!(only(Packs::check(dir.path(), std::slice::from_ref(&pack))).file, "supplements/own.toml");
        assert_eq!(only(Packs::check(dir.path(), std::slice::from_ref(&own))).file, "city.toml");
        assert_eq!(Packs::check(dir.path(), &[pack.clone(), own.clone()]), []);
    }
    fs::write(&own, b"\xff").unwrap();
    let problem = only(Packs::check(dir.path(), &[pack, own.clone()]));
    assert_eq!((problem.file, problem.rule), (own.display().to_string(), Rule::NotUtf8));
}

#[test]
fn c01_content_tells_a_supplement_wherever_it_lies() {
    let own = supplement_text("zhuzhou_demo", "hunan_zhuzhou", &[("fee.parent_fee_cap_fen_per_day", "1001")]);
    let problem = only(check(&[("zhuzhou_demo.toml", own.as_bytes())]));
    assert!(problem.file.ends_with("/zhuzhou_demo.toml"), "{problem}");
    let told = problem.to_string();
    assert!(told.contains("10.01 元/天") && told.contains("10.00 元/天"), "both clauses: {told}");
}

#[test]
fn c01_a_file_of_the_folder_itself_keeps_its_place() {
    let own = [
        folder().join("hebei.toml"),
        folder().join("supplements/shahe_demo.toml"),
        folder().join("retired/jiangsu_nanjing_1730.toml"),
    ];
    assert_eq!(Packs::check(&folder(), &own), []);
}

#[test]
fn c01_what_is_no_pack_is_told_plainly_and_never_a_panic() {
    let good = pack_text("city", None, &[]);
    let not_utf8 = [good.as_bytes(), b"\n# \xff\xfe\n"].concat();
    let lines = good.lines().count();
    let huge = vec![b'#'; 5 * 1024 * 1024];
    let yaml = b"# a pack\n---\npack_id: city\n";
    let mapping = b"\npack_id: city\nname_zh: x\n";
    type IsRule = fn(&Rule) -> bool;
    let cases: [(&str, &[u8], usize, IsRule); 9] = [
        ("city.toml", &not_utf8, lines + 2, |rule| *rule == Rule::NotUtf8),
        ("city.toml", &huge, 1, |rule| matches!(rule, Rule::TooLarge { bytes: 5_242_880, .. })),
        ("city.toml", yaml, 2, |rule| *rule == Rule::Yaml),
        ("city.toml", mapping, 2, |rule| *rule == Rule::Yaml),
        ("city.yaml", good.as_bytes(), 1, |rule| *rule == Rule::Yaml),
        ("city.yml", yaml, 1, |rule| *rule == Rule::Yaml),
        ("city.toml", b"{ \"pack_id\": 1 }", 1, |rule| matches!(rule, Rule::Syntax(_))),
        ("city.toml", b"", 1, |rule| matches!(rule, Rule::Missing(_))),
        ("city.toml", b"\0", 1, |rule| matches!(rule, Rule::Syntax(_))),
    ];
    for (name, bytes, line, is_rule) in cases {
        let problems = check(&[(name, bytes)]);
        let first = problems.first().unwrap_or_else(|| panic!("{name}: no problem"));
        assert!(first.file.ends_with(name) && is_rule(&first.rule), "{name}: {problems:?}");
        assert_eq!(first.line, line, "{name}: {first}");
    }
}

#[test]
fn c01_a_folder_and_a_path_to_nowhere_are_problems() {
    let dir = tempfile::tempdir().unwrap();
    let problem = only(Packs::check(&folder(), &[dir.path().to_owned()]));
    assert_eq!(problem.rule, Rule::NotAFile);
    let problem = only(Packs::check(&folder(), &[dir.path().join("nowhere.toml")]));
    assert!(matches!(problem.rule, Rule::Unreadable(_)));
    let problem = only(Packs::check(&dir.path().join("nowhere"), &[]));
    assert!(matches!(problem.rule, Rule::Unreadable(_)));
}

#[test]
fn c01_what_leans_on_a_broken_file_is_not_blamed() {
    let problem = only(check(&[("hebei.toml", b"pack_id = \n")]));
    assert!(problem.file.ends_with("/hebei.toml") && matches!(problem.rule, Rule::Syntax(_)), "{problem}");
}

#[test]
fn c01_yaml_in_the_folder_is_not_passed_over() {
    let dir = tempfile::tempdir().unwrap();
    fs::copy(folder().join("common.toml"), dir.path().join("common.toml")).unwrap();
    fs::write(dir.path().join("README.md"), "# 说明").unwrap();
    assert!(Packs::load(dir.path()).is_ok());
    fs::write(dir.path().join("city.yaml"), "pack_id: city\n").unwrap();
    let problem = only(Packs::load(dir.path()).expect_err("a problem"));
    assert_eq!((problem.file.as_str(), problem.rule), ("city.yaml", Rule::Yaml));
}

#[test]
fn c01_what_is_wrong_twice_is_told_with_file_and_line() {
    let text = pack_text(
        "city",
        Some("hebei"),
        &[("fee.parent_fee_fen_per_term", "1", "exact"), ("fee.x", "1", "exact")],
    );
    let problems = check(&[("city.toml", text.as_bytes())]);
    let keys: Vec<&str> = problems.iter().map(|problem| problem.key.as_str()).collect();
    assert_eq!(keys, ["parent_fee_fen_per_term", "fee.x"]);
    let told = problems[0].to_string();
    assert!(told.contains("/city.toml:6: ") && told.contains("家长缴费方式：免费"), "{told}");
}
