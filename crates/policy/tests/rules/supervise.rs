use policy::supervise;
use policy::vocabulary::Target;

use crate::support::{made_of, region};

fn keys(missing: Option<supervise::Missing>) -> Vec<String> {
    missing.map_or_else(Vec::new, |missing| missing.items.into_iter().map(|item| item.key).collect())
}

#[test]
fn c80_a_notice_that_leaves_out_the_fees_is_told_so() {
    let jinhua = region("zhejiang_jinhua", None);
    let all = ["items", "objects", "times", "content", "fee_standard"];
    assert_eq!(keys(supervise::missing_disclosure(&jinhua, &all)), [""; 0]);
    assert_eq!(keys(supervise::missing_disclosure(&jinhua, &all[..4])), ["fee_standard"]);
    let liaoning = region("liaoning", None);
    assert!(keys(supervise::missing_disclosure(&liaoning, &all)).contains(&"spending".to_owned()));
    assert_eq!(supervise::missing_disclosure(&region("hebei", None), &[]), None);
}

#[test]
fn c26_a_plan_lacks_the_parts_it_does_not_have() {
    let heping = region("tianjin_heping", None);
    let parts = heping.supervise.plan_parts.get().expect("parts");
    let schedules = heping.supervise.plan_schedules.get().expect("schedules");
    assert_eq!((parts.len(), schedules.len()), (6, 4));
    assert_eq!(keys(supervise::missing_plan_parts(&heping, &[])).len(), 6);
    let all: Vec<&str> = schedules.iter().map(|item| item.key.as_str()).collect();
    assert_eq!(supervise::missing_plan_schedules(&heping, &all), None);
    assert_eq!(keys(supervise::missing_plan_schedules(&heping, &all[1..])), [all[0]]);
}

#[test]
fn c95_a_day_without_a_leader_on_duty_is_short_of_one() {
    let shahe = region("hebei_shahe", None);
    let short = supervise::leader_missing(&shahe, 0).expect("one is missing");
    assert_eq!((short.least, short.found), (1, 0));
    assert_eq!(supervise::leader_missing(&shahe, 1), None);
    assert_eq!(supervise::leader_missing(&region("hebei", None), 0), None);
}

#[test]
fn c83_a_term_with_one_special_inspection_is_short_of_another() {
    let jiaojiang = region("zhejiang_jiaojiang", None);
    let short = supervise::inspections_missing(&jiaojiang, 1).expect("one is missing");
    assert_eq!((short.least, short.found), (2, 1));
    assert_eq!(supervise::inspections_missing(&jiaojiang, 2), None);
}

#[test]
fn c93_a_school_that_did_not_invite_parents_in_the_month_is_told() {
    let liaoning = region("liaoning", None);
    assert!(supervise::parents_not_invited(&liaoning, &[10]).is_some());
    assert_eq!(supervise::parents_not_invited(&liaoning, &[10, 9]), None);
    assert_eq!(supervise::parents_not_invited(&region("hebei", None), &[]), None);
}

#[test]
fn c89_a_target_is_met_by_products_and_not_by_rounded_shares() {
    let jinjiang = region("fujian_jinjiang", None);
    let targets = jinjiang.supervise.targets.get().expect("targets");
    let urban: Vec<&Target> = targets.iter().filter(|target| target.at_least_bp.get() == 8_000).collect();
    assert_eq!(urban.len(), 2);
    for target in urban {
        assert_eq!(supervise::target_met(target, 8, 10), Some(true));
        assert_eq!(supervise::target_met(target, 7, 10), Some(false));
        assert_eq!(supervise::target_met(target, 0, 0), None);
        assert!(target.among_zh.is_some(), "rural schools are not in the denominator");
    }
}

#[test]
fn c89_a_target_is_exact_for_any_count() {
    let two_thirds =
        made_of(&[("supervise.targets", r#"[{ key = "a", name_zh = "甲", at_least_bp = 6667 }]"#, "target")]);
    let target = &two_thirds.supervise.targets.get().expect("targets")[0];
    assert_eq!(supervise::target_met(target, 2, 3), Some(false), "66.66…% is below 66.67%");
    assert_eq!(supervise::target_met(target, u64::MAX, u64::MAX), Some(true));
}
