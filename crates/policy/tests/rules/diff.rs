use policy::{Standing, diff};

use crate::support::{load, made_of, pack_text, region};

#[test]
fn a_policy_does_not_differ_from_itself_nor_by_its_words_alone() {
    let shahe = region("hebei_shahe", None);
    assert_eq!(diff(&shahe, &shahe), []);
    let pack = pack_text("city", None, &[("time.all_workdays", "true", "exact")]);
    let other = pack.replace("原文", "另一份文件");
    let load = |text: &str| load(&[("city.toml", text)]).unwrap().policy("city", None).unwrap();
    assert_eq!(diff(&load(&pack), &load(&other)), []);
}

#[test]
fn what_differs_is_told_by_key_with_both_clauses() {
    let keys = |minutes: &'static str, binding: &'static str| {
        made_of(&[
            ("time.min_minutes_per_day", minutes, binding),
            ("fee.payee_account", "\"school\"", "exact"),
        ])
    };
    let cases = [("120", "floor"), ("60", "exact")];
    for (minutes, binding) in cases {
        let differences = diff(&keys("60", "floor"), &keys(minutes, binding));
        let [only] = differences.as_slice() else { panic!("{differences:?}") };
        assert_eq!((only.key.group, only.key.name), ("time", "min_minutes_per_day"));
        let (one, other) = (only.one.as_ref().expect("said"), only.other.as_ref().expect("said"));
        assert!(one.value.zh == "60分钟" && other.value.zh == format!("{minutes}分钟"));
    }
}

#[test]
fn silence_on_one_side_is_a_difference() {
    let (zhuzhou, demo) = (region("hunan_zhuzhou", None), region("hunan_zhuzhou", Some("zhuzhou_demo")));
    let differences = diff(&zhuzhou, &demo);
    let supplemented: Vec<&str> = demo
        .entries()
        .into_iter()
        .filter(|entry| entry.standing == Standing::Supplemented)
        .map(|entry| entry.key.name)
        .collect();
    let keys: Vec<&str> = differences.iter().map(|difference| difference.key.name).collect();
    assert!(!keys.is_empty());
    assert_eq!(keys, supplemented);
    assert!(differences.iter().any(|difference| difference.one.is_none() && difference.other.is_some()));
}
