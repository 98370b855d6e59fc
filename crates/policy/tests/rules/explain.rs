use policy::explain::explain;
use policy::{Basis, Policy};

use crate::support::region;

#[test]
fn a_stated_key_is_explained_with_document_line_and_words() {
    let zhuzhou = region("hunan_zhuzhou", None);

    let explanation = explain(&zhuzhou, "parent_fee_cap_fen_per_day").expect("a known key");

    assert_eq!(
        explanation.text.zh,
        "每天收费上限：≤ 10.00 元/天：《义务教育课后服务创新举措和典型经验清单》第74行“每天不超过 10 元”"
    );
    assert_eq!(
        explanation.text.en,
        "most a day: ≤ 10.00 yuan a day: 《义务教育课后服务创新举措和典型经验清单》 line 74: “每天不超过 10 元”"
    );
}

#[test]
fn a_supplemented_key_is_explained_with_the_decision() {
    let demo = region("hunan_zhuzhou", Some("zhuzhou_demo"));
    let explanation = explain(&demo, "refund_rule").expect("a known key");
    assert_eq!(
        explanation.text.zh,
        "退费规则：退还未上课时费用：演示区教育局（虚构）《演示用：课后服务补充规定（二）》（2026-08-20）"
    );
    let clause = explanation.clause.expect("a clause");
    assert!(
        matches!(clause.basis, Basis::Decision(decision) if decision.file == "supplements/zhuzhou_demo.toml")
    );
}

#[test]
fn a_silent_key_is_explained_as_silent() {
    let explanation = explain(&region("hunan_zhuzhou", None), "refund_rule").expect("a known key");
    assert_eq!(explanation.clause, None);
    assert_eq!(explanation.text.zh, "退费规则：湖南省株洲市的文件没有规定，须由教育局书面决定后补充");
}

#[test]
fn every_key_can_be_explained_and_no_other() {
    let zhuzhou = region("hunan_zhuzhou", None);
    for key in Policy::keys() {
        let text = explain(&zhuzhou, key.name).expect("a known key").text;
        assert!(!text.zh.is_empty() && !text.en.is_empty());
    }
    assert_eq!(explain(&zhuzhou, "parent_fee"), None);
}
