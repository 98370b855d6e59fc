use chrono::Weekday;
use policy::Policy;
use policy::time::{self, Flag, SchoolPlan, Season, SlotPlan, TimeRefusal};
use policy::vocabulary::DayPart;

use crate::support::{at, day, made_of, region};

/// A Monday slot of the first term.
fn slot(kind: DayPart, starts_at: &str, ends_at: &str) -> SlotPlan {
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

fn afternoon(ends_at: &str) -> SlotPlan {
    slot(DayPart::Afternoon, "16:00", ends_at)
}

fn no_plan() -> SchoolPlan {
    SchoolPlan::default()
}

fn own_plan() -> SchoolPlan {
    SchoolPlan { adjusts_times: true, ..SchoolPlan::default() }
}

fn because(reason: &str) -> SchoolPlan {
    SchoolPlan { justification: Some(reason.to_owned()), ..SchoolPlan::default() }
}

fn every_day(slots: &[SlotPlan]) -> Vec<SlotPlan> {
    let week = [Weekday::Mon, Weekday::Tue, Weekday::Wed, Weekday::Thu, Weekday::Fri];
    week.into_iter().flat_map(|weekday| slots.iter().map(move |slot| SlotPlan { weekday, ..*slot })).collect()
}

fn is_fine(policy: &Policy, slot: &SlotPlan, plan: &SchoolPlan) -> bool {
    matches!(time::check_slot(policy, slot, plan).as_deref(), Ok([]))
}

#[test]
fn c08_shahe_noon_at_1330_is_early_in_summer_and_fine_in_winter() {
    let shahe = region("hebei_shahe", Some("shahe_demo"));
    let noon = |from: &str, to: &str, starts_at: &str| SlotPlan {
        from: day(from),
        to: day(to),
        ..slot(DayPart::NoonSlot, starts_at, "14:30")
    };

    assert!(is_fine(&shahe, &noon("2026-10-01", "2027-01-20", "13:30"), &no_plan()));
    assert!(is_fine(&shahe, &noon("2026-10-01", "2027-01-20", "13:00"), &no_plan()));
    assert!(is_fine(&shahe, &noon("2026-09-01", "2027-01-20", "14:00"), &no_plan()));
    let winter =
        time::check_slot(&shahe, &noon("2026-10-01", "2027-01-20", "12:59"), &no_plan()).unwrap_err();
    assert!(matches!(winter, TimeRefusal::StartsTooEarly { earliest, .. } if earliest == at("13:00")));
    let summer =
        time::check_slot(&shahe, &noon("2026-09-01", "2026-09-30", "13:30"), &no_plan()).unwrap_err();
    assert!(matches!(summer, TimeRefusal::StartsTooEarly { earliest, .. } if earliest == at("14:00")));
    let over_both =
        time::check_slot(&shahe, &noon("2026-09-01", "2027-01-20", "13:30"), &no_plan()).unwrap_err();
    assert!(matches!(over_both, TimeRefusal::StartsTooEarly { earliest, .. } if earliest == at("14:00")));
}

#[test]
fn c08_shahe_a_slot_that_never_falls_in_summer_is_not_judged_by_it() {
    let shahe = region("hebei_shahe", Some("shahe_demo"));
    // The only Monday between these days is 5 October; 30 September is a Wednesday.
    let noon = SlotPlan {
        from: day("2026-09-30"),
        to: day("2026-10-05"),
        ..slot(DayPart::NoonSlot, "13:30", "14:30")
    };
    assert!(is_fine(&shahe, &noon, &no_plan()));
}

#[test]
fn c08_shahe_the_schools_own_plan_may_move_the_noon_start_and_that_is_flagged() {
    let shahe = region("hebei_shahe", Some("shahe_demo"));
    let noon = slot(DayPart::NoonSlot, "13:30", "14:30");

    let flags = time::check_slot(&shahe, &noon, &own_plan()).expect("allowed");

    let [Flag::AdjustedByPlan { clause, allowed_by }] = flags.as_slice() else { panic!("{flags:?}") };
    assert_eq!(clause.key, "noon_slot_start_not_before_summer");
    assert_eq!(allowed_by.key, "school_plan_may_adjust_times");
}

#[test]
fn trap_05_shahe_is_silent_on_seasons_until_they_are_written_down() {
    let shahe = region("hebei_shahe", None);

    let in_doubt =
        time::check_slot(&shahe, &slot(DayPart::NoonSlot, "13:30", "14:30"), &no_plan()).unwrap_err();

    assert!(matches!(in_doubt, TimeRefusal::Silent(silent) if silent.key == "winter_from"));
    assert!(is_fine(&shahe, &slot(DayPart::NoonSlot, "14:00", "14:30"), &no_plan()));
    let demo = region("hebei_shahe", Some("shahe_demo"));
    let cases = [
        ("2026-09-30", Season::Summer),
        ("2026-10-01", Season::Winter),
        ("2027-01-01", Season::Winter),
        ("2027-04-30", Season::Winter),
        ("2027-05-01", Season::Summer),
    ];
    for (date, expected) in cases {
        assert_eq!(time::season(&demo, day(date)), Ok(expected), "{date}");
    }
}

#[test]
fn c10_shahe_ends_by_1800_unless_the_schools_own_plan_says_otherwise() {
    let shahe = region("hebei_shahe", None);

    assert!(is_fine(&shahe, &afternoon("18:00"), &no_plan()));
    let late = time::check_slot(&shahe, &afternoon("18:05"), &no_plan()).unwrap_err();
    assert!(matches!(late, TimeRefusal::EndsTooLate { latest, .. } if latest == at("18:00")));
    assert_eq!(time::check_slot(&shahe, &afternoon("18:05"), &own_plan()).map(|flags| flags.len()), Ok(1));
}

#[test]
fn c09_a_mandatory_floor_is_the_opposite_of_a_ceiling() {
    let floor = made_of(&[
        ("time.end_not_before", "\"18:00\"", "floor"),
        ("time.end_strictness", "\"mandatory\"", "exact"),
    ]);

    assert!(is_fine(&floor, &afternoon("18:00"), &no_plan()));
    assert!(is_fine(&floor, &afternoon("18:05"), &no_plan()));
    let early = time::check_slot(&floor, &afternoon("17:50"), &because("有原因")).unwrap_err();
    assert!(matches!(early, TimeRefusal::EndsTooEarly { floor, .. } if floor == at("18:00")));
}

#[test]
fn c09_a_floor_in_principle_needs_a_reason_and_is_flagged() {
    let principle = made_of(&[
        ("time.end_not_before", "\"17:30\"", "principle"),
        ("time.end_strictness", "\"principle\"", "exact"),
    ]);

    assert!(is_fine(&principle, &afternoon("17:30"), &no_plan()));
    for plan in [no_plan(), because(" "), own_plan()] {
        let refusal = time::check_slot(&principle, &afternoon("17:29"), &plan).unwrap_err();
        assert!(matches!(refusal, TimeRefusal::JustificationRequired { .. }), "{refusal:?}");
    }
    let flags = time::check_slot(&principle, &afternoon("17:29"), &because("校车")).expect("accepted");
    assert!(matches!(flags.as_slice(), [Flag::EndBeforePrinciple { .. }]));
}

#[test]
fn c09_jinhua_measures_by_local_office_closing_which_the_district_states() {
    let pack = region("zhejiang_jinhua", None);
    let demo = region("zhejiang_jinhua", Some("jinhua_demo"));

    let silent = time::check_slot(&pack, &afternoon("23:00"), &no_plan()).unwrap_err();
    assert!(matches!(silent, TimeRefusal::Silent(silent) if silent.key == "local_office_closing"));
    assert!(is_fine(&demo, &afternoon("17:00"), &no_plan()));
    let early = time::check_slot(&demo, &afternoon("16:59"), &because("有原因")).unwrap_err();
    assert!(matches!(early, TimeRefusal::EndsTooEarly { floor, .. } if floor == at("17:00")));
}

#[test]
fn trap_09_the_floor_is_held_against_the_end_of_service_only() {
    let demo = region("zhejiang_jinhua", Some("jinhua_demo"));
    let first = SlotPlan { ends_service: false, ..afternoon("16:40") };
    let last = slot(DayPart::Afternoon, "16:50", "17:30");

    assert!(is_fine(&demo, &first, &no_plan()));
    assert_eq!(time::check_week(&demo, &every_day(&[first, last]), &no_plan()), Ok(vec![]));
    assert!(matches!(
        time::check_week(&demo, &every_day(&[first]), &no_plan()),
        Err(TimeRefusal::EndsTooEarly { .. })
    ));
}

#[test]
fn c11_shahe_asks_for_120_minutes_a_day_over_both_slots() {
    let shahe = region("hebei_shahe", None);
    let week = |ends_at: &str| every_day(&[slot(DayPart::NoonSlot, "14:00", "14:40"), afternoon(ends_at)]);

    let short = time::check_week(&shahe, &week("17:15"), &no_plan()).unwrap_err();

    let TimeRefusal::TooLittle { least, found, weekday, clause } = short else { panic!("{short:?}") };
    assert_eq!((least, found, weekday), (120, 115, Some(Weekday::Mon)));
    assert_eq!(clause.key, "min_minutes_per_day");
    assert_eq!(time::check_week(&shahe, &week("17:20"), &no_plan()), Ok(vec![]));
    assert!(
        time::check_week(&shahe, &week("17:15"), &own_plan()).is_err(),
        "the amount is not the school's to move"
    );
}

#[test]
fn c11_time_two_slots_share_counts_once() {
    let shahe = region("hebei_shahe", None);
    let week =
        every_day(&[slot(DayPart::Afternoon, "16:00", "17:30"), slot(DayPart::Afternoon, "16:30", "17:45")]);
    let short = time::check_week(&shahe, &week, &no_plan()).unwrap_err();
    assert!(matches!(short, TimeRefusal::TooLittle { found: 105, .. }), "{short:?}");
}

#[test]
fn c11_extended_care_fills_no_minimum() {
    let shahe = region("hebei_shahe", None);
    let week =
        every_day(&[slot(DayPart::Afternoon, "16:00", "17:30"), slot(DayPart::Extended, "17:30", "19:00")]);
    assert!(matches!(
        time::check_week(&shahe, &week, &no_plan()),
        Err(TimeRefusal::TooLittle { found: 90, .. })
    ));
}

#[test]
fn c12_shahe_gives_service_on_every_workday() {
    let shahe = region("hebei_shahe", None);
    let mut week = every_day(&[slot(DayPart::Afternoon, "16:00", "18:00")]);
    week.pop();
    let short = time::check_week(&shahe, &week, &no_plan()).unwrap_err();
    assert!(matches!(short, TimeRefusal::TooLittle { least: 5, found: 4, weekday: None, .. }), "{short:?}");
}

#[test]
fn c06_a_part_the_documents_exclude_is_out_of_scope() {
    let excludes = made_of(&[(
        "scope.excluded_day_parts",
        "[\"early_arrival\", \"noon_rest\", \"evening_study\"]",
        "exact",
    )]);
    for kind in [DayPart::EarlyArrival, DayPart::NoonRest, DayPart::NoonSlot, DayPart::EveningStudy] {
        let refusal = time::check_slot(&excludes, &slot(kind, "12:00", "13:00"), &no_plan()).unwrap_err();
        assert!(matches!(refusal, TimeRefusal::OutOfScope { part, .. } if part == kind));
    }
    assert!(is_fine(&excludes, &afternoon("18:00"), &no_plan()));
}

#[test]
fn c06_a_part_the_documents_do_not_name_is_flagged_and_not_refused() {
    let shahe = region("hebei_shahe", None);
    let flags = time::check_slot(&shahe, &slot(DayPart::EarlyArrival, "07:00", "07:30"), &no_plan())
        .expect("accepted");
    assert!(matches!(flags.as_slice(), [Flag::PartNotNamed { .. }]));
}

#[test]
fn c07_two_or_three_slots_are_a_permission_and_four_are_too_many() {
    let may_split =
        made_of(&[("time.slot_count_min", "2", "principle"), ("time.slot_count_max", "3", "principle")]);
    let parts = [("15:30", "16:00"), ("16:00", "16:30"), ("16:30", "17:00"), ("17:00", "17:30")];
    for (count, stands) in [(1, true), (2, true), (3, true), (4, false)] {
        let slots: Vec<SlotPlan> =
            parts.iter().take(count).map(|part| slot(DayPart::Afternoon, part.0, part.1)).collect();
        assert_eq!(time::check_week(&may_split, &slots, &no_plan()).is_ok(), stands, "{count} slots");
    }
    let three_if_split = made_of(&[("time.slot_count_min", "3", "principle")]);
    let split_in_two =
        [slot(DayPart::Afternoon, "15:30", "16:30"), slot(DayPart::Afternoon, "16:30", "17:30")];
    assert!(time::check_week(&three_if_split, &split_in_two, &no_plan()).is_err());
    let exactly_two =
        made_of(&[("time.slot_count_min", "2", "exact"), ("time.slot_count_max", "2", "exact")]);
    assert!(time::check_week(&exactly_two, &[afternoon("17:00")], &no_plan()).is_err());
}

#[test]
fn trap_64_at_least_two_class_hours_and_at_most_two_are_different_rules() {
    let least = made_of(&[("time.min_class_hours_per_afternoon", "2", "floor")]);
    let most = made_of(&[("time.max_class_hours_per_day", "2", "ceiling")]);
    for (class_hours, by_least, by_most) in [(1, false, true), (2, true, true), (3, true, false)] {
        let day = [SlotPlan { class_hours, ..afternoon("18:00") }];
        assert_eq!(time::check_week(&least, &day, &no_plan()).is_ok(), by_least, "{class_hours}");
        assert_eq!(time::check_week(&most, &day, &no_plan()).is_ok(), by_most, "{class_hours}");
    }
}

#[test]
fn c12_four_days_are_not_five() {
    let five = made_of(&[("time.service_days_per_week", "5", "exact")]);
    let mut week = every_day(&[afternoon("18:00")]);
    assert!(time::check_week(&five, &week, &no_plan()).is_ok());
    week.pop();
    assert!(time::check_week(&five, &week, &no_plan()).is_err());
}

#[test]
fn c13_service_does_not_start_before_the_teaching_plan_ends() {
    let after = made_of(&[("time.start_after", "\"curriculum_completed\"", "exact")]);
    let taught_until = |text: &str| SchoolPlan { teaching_ends_at: Some(at(text)), ..SchoolPlan::default() };
    let starting = slot(DayPart::Afternoon, "15:20", "17:30");

    assert!(matches!(
        time::check_slot(&after, &starting, &taught_until("15:30")),
        Err(TimeRefusal::StartsTooEarly { .. })
    ));
    assert!(is_fine(&after, &starting, &taught_until("15:20")));
    let unknown = time::check_slot(&after, &starting, &no_plan()).expect("accepted");
    assert!(matches!(unknown.as_slice(), [Flag::TeachingEndUnknown { .. }]));
}

#[test]
fn c14_homework_has_its_class_hour() {
    let one = made_of(&[("time.homework_min_class_hours", "1", "floor")]);
    assert!(time::check_homework(&one, Weekday::Mon, 0).is_err());
    assert!(time::check_homework(&one, Weekday::Mon, 1).is_ok());
}

#[test]
fn a_slot_that_ends_before_it_starts_is_no_slot() {
    let shahe = region("hebei_shahe", None);
    for ends_at in ["16:00", "15:00"] {
        assert_eq!(time::check_slot(&shahe, &afternoon(ends_at), &no_plan()), Err(TimeRefusal::NotASpan));
    }
    let backwards = SlotPlan { to: day("2026-08-31"), ..afternoon("18:00") };
    assert_eq!(time::check_slot(&shahe, &backwards, &no_plan()), Err(TimeRefusal::NotASpan));
}
