//! Which edition is in force on which day, and how a policy is found by name.

use policy::{Packs, Policy, Rule};

use crate::support::{day, load, pack_text, region, supplement_text};

/// An edition of a pack: its end target, and the days it says it is in force.
fn edition(end: &str, from: Option<&str>, to: Option<&str>) -> String {
    let dates = [("effective_from", from), ("effective_to", to)];
    let dated: String =
        dates.iter().filter_map(|(key, date)| Some(format!("{key} = {}\n", (*date)?))).collect();
    dated + &pack_text("city", None, &[("time.end_target", &format!("\"{end}\""), "exact")])
}

fn end(policy: &Policy) -> String {
    policy.time.end_target.get().expect("an end").format("%H:%M").to_string()
}

fn on(packs: &Packs, date: &str) -> Option<String> {
    packs.on("city", None, day(date)).map(|policy| end(&policy))
}

fn some(end: &str) -> Option<String> {
    Some(end.to_owned())
}

#[test]
fn c03_the_edition_in_force_on_a_day_is_found_by_its_dates() {
    let packs = load(&[
        ("city.toml", &edition("18:00", Some("2024-09-01"), None)),
        ("retired/a.toml", &edition("17:00", Some("2022-09-01"), Some("2023-08-31"))),
        ("retired/b.toml", &edition("17:30", Some("2023-09-01"), Some("2024-08-31"))),
    ])
    .expect("sound packs");
    let cases = [
        ("2022-08-31", None),
        ("2022-09-01", some("17:00")),
        ("2023-08-31", some("17:00")),
        ("2023-09-01", some("17:30")),
        ("2024-08-31", some("17:30")),
        ("2024-09-01", some("18:00")),
        ("2099-01-01", some("18:00")),
    ];
    for (date, expected) in cases {
        assert_eq!(on(&packs, date), expected, "{date}");
    }
    assert_eq!(packs.on("nowhere", None, day("2024-09-01")), None);
    assert_eq!(end(&packs.policy("city", None).expect("the current one")), "18:00");
}

#[test]
fn c03_an_edition_without_an_end_gives_way_to_the_next() {
    let packs = load(&[
        ("city.toml", &edition("18:00", Some("2024-09-01"), None)),
        ("retired/a.toml", &edition("17:30", Some("2022-09-01"), None)),
    ])
    .expect("sound packs");
    assert_eq!(on(&packs, "2024-08-31"), some("17:30"));
    assert_eq!(on(&packs, "2024-09-01"), some("18:00"));
}

#[test]
fn c03_an_undated_current_edition_holds_always_and_an_undated_earlier_one_never() {
    let packs = load(&[
        ("city.toml", &edition("18:00", None, None)),
        ("retired/a.toml", &edition("17:30", None, None)),
    ])
    .expect("sound packs");
    for date in ["1999-01-01", "2024-09-01", "2099-01-01"] {
        assert_eq!(on(&packs, date), some("18:00"), "{date}");
    }

    let dated_before = load(&[
        ("city.toml", &edition("18:00", None, None)),
        ("retired/a.toml", &edition("17:30", Some("2022-09-01"), Some("2023-08-31"))),
        ("retired/b.toml", &edition("17:00", Some("2023-09-01"), None)),
    ])
    .expect("sound packs");
    assert_eq!(on(&dated_before, "2022-09-01"), some("17:30"), "it says so itself");
    assert_eq!(on(&dated_before, "2023-09-01"), some("18:00"), "nobody says when the last one ended");

    let only_earlier = load(&[
        ("city.toml", &edition("18:00", Some("2024-09-01"), None)),
        ("retired/a.toml", &edition("17:30", None, None)),
    ])
    .expect("sound packs");
    assert_eq!(on(&only_earlier, "2023-09-01"), None);
}

#[test]
fn c03_a_parents_editions_are_followed_too() {
    let province = |minutes: &str, dates: &str| {
        dates.to_owned() + &pack_text("province", None, &[("time.min_minutes_per_day", minutes, "floor")])
    };
    let child = pack_text("city", Some("province"), &[]);
    let supplement = supplement_text("own", "city", &[("time.class_hour_minutes", "40")]);
    let packs = load(&[
        ("province.toml", &province("120", "effective_from = 2024-09-01\n")),
        ("retired/p.toml", &province("60", "effective_from = 2020-09-01\n")),
        ("city.toml", &child),
        ("supplements/own.toml", &supplement),
    ])
    .expect("sound packs");
    for own in [None, Some("own")] {
        let minutes = |date| {
            let policy = packs.on("city", own, day(date))?;
            policy.time.min_minutes_per_day.get().copied()
        };
        assert_eq!(minutes("2020-08-31"), None);
        assert_eq!(minutes("2024-08-31"), Some(60));
        assert_eq!(minutes("2024-09-01"), Some(120));
    }
}

#[test]
fn c03_a_supplement_may_say_from_when_it_holds() {
    let own = |minutes: &str, dates: &str| {
        dates.to_owned() + &supplement_text("own", "city", &[("time.class_hour_minutes", minutes)])
    };
    let packs = load(&[
        ("city.toml", &pack_text("city", None, &[])),
        ("supplements/own.toml", &own("45", "effective_from = 2026-09-01\n")),
        ("retired/own.toml", &own("40", "effective_from = 2025-09-01\n")),
    ])
    .expect("sound files");
    let minutes = |date| {
        let policy = packs.on("city", Some("own"), day(date))?;
        policy.time.class_hour_minutes.get().copied()
    };
    assert_eq!(minutes("2025-08-31"), None);
    assert_eq!(minutes("2026-08-31"), Some(40));
    assert_eq!(minutes("2026-09-01"), Some(45));
}

#[test]
fn c03_two_editions_of_one_pack_may_not_share_a_day() {
    let current = edition("18:00", Some("2024-09-01"), None);
    let cases = [
        (edition("17:30", Some("2023-09-01"), Some("2024-09-01")), true),
        (edition("17:30", Some("2023-09-01"), Some("2024-08-31")), false),
        (edition("17:30", Some("2024-09-01"), None), true),
        (edition("17:30", Some("2024-09-02"), Some("2024-09-03")), false),
        (edition("17:30", None, Some("2024-09-01")), true),
        (edition("17:30", None, Some("2024-08-31")), false),
    ];
    for (earlier, is_shared) in cases {
        let loaded = load(&[("city.toml", &current), ("retired/a.toml", &earlier)]);
        let told: Vec<_> = loaded.err().unwrap_or_default();
        let files: Vec<_> = told.iter().map(|problem| problem.file.as_str()).collect();
        let expected: &[&str] = if is_shared { &["city.toml", "retired/a.toml"] } else { &[] };
        assert_eq!(files, expected, "{earlier}");
        assert!(told.iter().all(|problem| matches!(problem.rule, Rule::Overlaps { .. })));
    }
    assert!(load(&[("city.toml", &current), ("retired/a.toml", &current)]).is_ok(), "the same edition twice");
}

#[test]
fn c03_dates_do_not_run_backwards() {
    let text = edition("18:00", Some("2024-09-02"), Some("2024-09-01"));
    let problems = load(&[("city.toml", &text)]).expect_err("a problem");
    assert!(
        matches!(problems.as_slice(), [problem] if problem.line == 2 && problem.key == "effective_to" && matches!(problem.rule, Rule::Backwards { .. })),
        "{problems:?}"
    );
    let same_day = edition("18:00", Some("2024-09-01"), Some("2024-09-01"));
    assert!(load(&[("city.toml", &same_day)]).is_ok());
}

#[test]
fn a_policy_is_found_by_pack_by_supplement_and_by_pin() {
    let packs = load(&[
        ("city.toml", &pack_text("city", None, &[])),
        ("supplements/own.toml", &supplement_text("own", "city", &[("time.class_hour_minutes", "40")])),
        ("retired/old.toml", &edition("17:30", None, None)),
    ])
    .expect("sound files");
    let pin = |name: &str| packs.find(name).map(|policy| policy.pin());
    let (alone, own) = (packs.policy("city", None).unwrap(), packs.policy("city", Some("own")).unwrap());
    assert_eq!(pin("city"), Some(alone.pin()));
    assert_eq!(pin("own"), Some(own.pin()));
    assert_eq!(pin(&own.pin()), Some(own.pin()));
    assert_eq!(pin("city@0000000000000000"), None);
    assert_eq!(pin("old"), None);
}

#[test]
fn c03_an_earlier_edition_of_a_real_region_stays_found_by_pin_alone() {
    let now = region("jiangsu_nanjing", None);
    let before = std::fs::read_to_string(crate::support::folder().join("retired/jiangsu_nanjing_1730.toml"));
    let before = before.expect("the earlier edition");
    let province = std::fs::read_to_string(crate::support::folder().join("jiangsu.toml")).expect("a pack");
    let then =
        load(&[("jiangsu.toml", &province), ("jiangsu_nanjing.toml", &before)]).expect("as it was then");
    let pin = then.policy("jiangsu_nanjing", None).expect("the pack").pin();

    let packs = Packs::open(&crate::support::folder()).expect("sound packs");
    let kept = packs.pinned(&pin).expect("the edition is kept");

    assert_eq!((end(&kept).as_str(), end(&now).as_str()), ("17:30", "18:00"));
    let on = packs.on("jiangsu_nanjing", None, day("2020-09-01")).expect("an edition");
    assert_eq!(end(&on), "18:00", "the day of the change is nobody's to invent");
}
