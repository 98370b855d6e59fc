use policy::course::{self, CourseFacts, CourseRefusal, Hint};
use policy::vocabulary::ContentKind;

use crate::support::{day, folder, load, made_of, region, supplement_text};

const PHASES: (&str, &str, &str) = (
    "phase.phases",
    r#"[
      { key = "basic", name_zh = "第一阶段", from = "09-01", to = "09-30", third_party = false, feature_courses = false },
      { key = "rich", name_zh = "第二阶段", from = "10-08", third_party = true, feature_courses = true },
    ]"#,
    "exact",
);

fn facts(third_party: bool, content_kind: ContentKind, title: &str) -> CourseFacts<'_> {
    CourseFacts { third_party, content_kind, title, description: "" }
}

#[test]
fn c22_a_third_partys_exam_course_is_refused_in_every_region() {
    for pack_id in ["hunan_zhuzhou", "zhejiang_jinhua", "hebei", "hebei_shahe"] {
        let policy = region(pack_id, None);
        let declared = course::third_party_check(&policy, &facts(true, ContentKind::SubjectExam, "数学"));
        assert!(matches!(declared, Err(CourseRefusal::ThirdPartyBanned { .. })), "{pack_id}");
        let disguised =
            course::third_party_check(&policy, &facts(true, ContentKind::Enrichment, "初三数学冲刺"));
        assert!(matches!(disguised, Err(CourseRefusal::ReadsLikeExamCourse { .. })), "{pack_id}");
    }
}

#[test]
fn c22_science_by_a_third_party_and_tutoring_by_a_school_stand() {
    let policy = region("hebei_shahe", None);
    let cases = [
        (true, ContentKind::Enrichment, "科学实验"),
        (true, ContentKind::Enrichment, "百米冲刺训练营"),
        (false, ContentKind::SubjectTutoring, "学科拓展"),
        (false, ContentKind::SubjectExam, "单元自测讲评"),
    ];
    for (third_party, kind, title) in cases {
        assert!(course::third_party_check(&policy, &facts(third_party, kind, title)).is_ok(), "{title}");
    }
}

#[test]
fn c23_what_nobody_may_teach_is_refused_for_schools_too() {
    let policy = region("zhejiang_jinhua", None);
    for kind in [ContentKind::NewLesson, ContentKind::CollectiveMakeUp, ContentKind::ExamDrilling] {
        for third_party in [true, false] {
            let refusal =
                course::third_party_check(&policy, &facts(third_party, kind, "某课程")).unwrap_err();
            let CourseRefusal::ContentBanned { clause, .. } = refusal else { panic!("{refusal:?}") };
            assert_eq!(clause.pack_id, "common");
        }
    }
}

#[test]
fn c23_a_schools_words_are_flagged_for_a_person_to_look() {
    let policy = region("zhejiang_jinhua", None);

    let found = course::third_party_check(&policy, &facts(false, ContentKind::BasicCare, "期末刷题班"))
        .expect("flags");

    let words: Vec<&str> = found.iter().map(|found| found.word).collect();
    assert_eq!(words, ["刷题", "期末"]);
    let tutoring = course::third_party_check(&policy, &facts(false, ContentKind::BasicCare, "个别答疑"));
    assert_eq!(tutoring, Ok(vec![]));
}

#[test]
fn the_screen_reads_through_marks_and_in_the_description() {
    let found = course::screen("趣味课堂", "帮助孩子 刷·题、预 习新课");
    let hints: Vec<Hint> = found.iter().map(|found| found.hint).collect();
    assert_eq!(hints, [Hint::Drilling, Hint::NewLesson, Hint::NewLesson]);
    assert_eq!(course::screen("书法", "练习楷书"), []);
}

#[test]
fn the_screen_does_not_join_title_and_description() {
    assert_eq!(course::screen("趣味补", "课堂"), []);
}

#[test]
fn c29_phases_bind_where_a_region_has_them() {
    let phased = made_of(&[PHASES, ("phase.phase_gate_enforced", "true", "exact")]);
    let third_party = facts(true, ContentKind::Enrichment, "陶艺");
    let care = facts(false, ContentKind::BasicCare, "托管");
    let cases = [
        ("2026-09-15", third_party, false),
        ("2026-10-05", third_party, true),
        ("2026-10-09", third_party, true),
        ("2027-03-01", third_party, true),
        ("2026-09-01", care, true),
        ("2026-10-09", care, true),
    ];
    for (date, course, stands) in cases {
        assert_eq!(course::check_phase(&phased, &course, day(date)).is_ok(), stands, "{date}");
    }
    assert_eq!(course::phase_on(&phased, day("2026-10-05")), None);
    assert_eq!(course::phase_on(&phased, day("2027-03-01")).map(|phase| phase.key.as_str()), Some("rich"));
    assert_eq!(course::check_phase(&region("hebei", None), &third_party, day("2026-09-15")), Ok(None));
}

#[test]
fn c29_a_phase_that_is_not_enforced_is_only_flagged() {
    let open = made_of(&[PHASES, ("phase.phase_gate_enforced", "false", "exact")]);
    let silent = made_of(&[PHASES]);
    let third_party = facts(true, ContentKind::Enrichment, "陶艺");
    for policy in [&open, &silent] {
        let flag = course::check_phase(policy, &third_party, day("2026-09-15")).expect("no refusal");
        assert_eq!(flag.map(|flag| flag.phase), Some("第一阶段".to_owned()));
        assert_eq!(course::check_phase(policy, &third_party, day("2026-10-09")), Ok(None));
    }
}

#[test]
fn c29_a_district_may_decide_that_its_phases_are_enforced() {
    let pack = std::fs::read_to_string(folder().join("xx_district.toml")).expect("the pack");
    let own = supplement_text("own", "xx_district", &[("phase.phase_gate_enforced", "true")]);
    let packs = load(&[("xx_district.toml", &pack), ("supplements/own.toml", &own)]).expect("sound");
    let (alone, decided) = (packs.policy("xx_district", None), packs.policy("xx_district", Some("own")));
    let third_party = facts(true, ContentKind::Enrichment, "陶艺");
    let on = |policy: Option<std::sync::Arc<policy::Policy>>, date| {
        course::check_phase(&policy.expect("the policy"), &third_party, day(date))
    };
    assert!(matches!(on(alone, "2024-09-15"), Ok(Some(_))));
    assert!(matches!(on(decided.clone(), "2024-09-15"), Err(CourseRefusal::NotInThisPhase { .. })));
    assert_eq!(on(decided, "2024-10-09"), Ok(None));
}

#[test]
fn c16_a_week_lacks_what_it_has_too_few_sessions_of() {
    let weekly = made_of(&[(
        "course.weekly_components",
        r#"[{ key = "talk", name_zh = "宣讲", count = 1 }, { key = "club", name_zh = "社团", count = 2 }]"#,
        "exact",
    )]);
    let lacking = |given: &[(&str, u32)]| {
        let missing = course::check_week_components(&weekly, given);
        missing.into_iter().map(|missing| (missing.component.key, missing.found)).collect::<Vec<_>>()
    };
    assert_eq!(lacking(&[("talk", 1), ("club", 2)]), []);
    assert_eq!(lacking(&[("talk", 3), ("club", 1), ("club", 1), ("chess", 1)]), []);
    assert_eq!(lacking(&[("club", 1)]), [("talk".to_owned(), 0), ("club".to_owned(), 1)]);
    assert_eq!(course::check_week_components(&region("hebei", None), &[]), []);
}

#[test]
fn c16_a_menu_without_a_required_item_is_told_which() {
    let shangyu = region("zhejiang_shangyu", None);
    let missing = course::missing_items(&shangyu, &["reading"]).expect("one is missing");
    assert_eq!(missing.items.iter().map(|item| item.key.as_str()).collect::<Vec<_>>(), ["exercise"]);
    assert_eq!(course::missing_items(&shangyu, &["reading", "exercise", "chess"]), None);
    assert_eq!(course::missing_items(&region("hebei", None), &[]), None);
}

#[test]
fn a_region_may_keep_third_parties_out() {
    let closed = made_of(&[("provider.third_party_course_allowed", "false", "exact")]);
    let refusal =
        course::third_party_check(&closed, &facts(true, ContentKind::Enrichment, "陶艺")).unwrap_err();
    assert!(matches!(refusal, CourseRefusal::ThirdPartyExcluded { .. }));
}
