use policy::enroll;
use policy::vocabulary::{Stage, StepRole};

use crate::support::{made_of, region};

#[test]
fn c36_jinhua_has_four_steps_in_order() {
    let jinhua = region("zhejiang_jinhua", None);
    let steps: Vec<_> = enroll::steps(&jinhua).iter().map(|step| (step.key.as_str(), step.role)).collect();
    assert_eq!(
        steps,
        [
            ("parent_apply", StepRole::Guardian),
            ("class_pre_review", StepRole::ClassTeacher),
            ("school_approve", StepRole::Principal),
            ("unified_arrange", StepRole::TeachingOffice),
        ]
    );
}

#[test]
fn c36_shahe_has_five_steps_in_order() {
    let shahe = region("hebei_shahe", None);
    let steps: Vec<_> = enroll::steps(&shahe).iter().map(|step| step.key.as_str()).collect();
    assert_eq!(
        steps,
        [
            "pupil_register",
            "homeroom_review",
            "moral_education_set_class",
            "teaching_assign_teachers",
            "group_formed"
        ]
    );
}

#[test]
fn c36_a_silent_region_has_no_steps() {
    assert_eq!(enroll::steps(&region("hunan_zhuzhou", None)), []);
}

#[test]
fn c39_shahe_serves_five_groups_first_and_its_list_is_open() {
    let shahe = region("hebei_shahe", None);
    let groups: Vec<_> = enroll::priority_groups(&shahe).iter().map(|group| group.key.as_str()).collect();
    assert_eq!(
        groups,
        ["dual_income", "disabled", "left_behind", "migrant_worker", "economically_difficult"]
    );
    assert_eq!(shahe.enroll.priority_list_open.get(), Some(&true));
    assert_eq!(enroll::priority_groups(&region("zhejiang_jinhua", None)), []);
}

#[test]
fn c35_hebei_asks_for_an_agreement_and_shahe_inherits_it() {
    let own = enroll::agreement_required(&region("hebei", None)).expect("required");
    let inherited = enroll::agreement_required(&region("hebei_shahe", None)).expect("required");
    assert_eq!((own.pack_id.as_str(), inherited.pack_id.as_str()), ("hebei", "hebei"));
    assert_eq!(enroll::agreement_required(&region("zhejiang_jinhua", None)), None);
    let waived = made_of(&[("enroll.agreement_required", "false", "exact")]);
    assert_eq!(enroll::agreement_required(&waived), None);
}

#[test]
fn c81_a_complaint_goes_to_the_section_of_its_stage() {
    let demo = region("zhejiang_jinhua", Some("jinhua_demo"));
    let section = |stage| enroll::hotline(&demo, stage).expect("a section").section.clone();
    assert_eq!(
        (section(Stage::Primary), section(Stage::Junior)),
        ("primary_early_years".into(), "secondary".into())
    );
    let silent = enroll::hotline(&region("zhejiang_jinhua", None), Stage::Primary).unwrap_err();
    assert_eq!(silent.key, "hotlines");
}
