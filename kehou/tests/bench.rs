//! `kehou bench rush` in short: whatever the machine is busy with, nothing is given twice, and the report says what it must.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::process::Command;

/// Runs the bench with few requests and gives its report.
fn rush(arguments: &[&str]) -> String {
    let short = ["bench", "rush", "--requests", "300", "--waiting", "32", "--rounds", "1"];
    let ran = Command::new(env!("CARGO_BIN_EXE_kehou")).args(short).args(arguments).output().unwrap();
    let report = String::from_utf8(ran.stdout).unwrap();
    assert!(ran.status.success(), "{report}\n{}", String::from_utf8_lossy(&ran.stderr));
    report
}

/// What follows `name` in the report, up to two spaces or the line's end.
fn field<'a>(report: &'a str, name: &str) -> &'a str {
    let at = report.find(name).unwrap_or_else(|| panic!("no {name:?} in {report}"));
    let rest = report[at + name.len()..].trim_start();
    rest.split("  ").next().unwrap().lines().next().unwrap()
}

fn holds_everywhere(report: &str, rounds: usize) {
    assert_eq!(report.matches("invariants hold").count(), rounds, "{report}");
    for none in ["oversold", "duplicates", "miscounted", "clashes", "unanswered", "left empty", "unexplained"]
    {
        for found in report.match_indices(none).map(|(at, _)| &report[at + none.len()..]) {
            assert!(found.trim_start().starts_with('0'), "{none}: {report}");
        }
    }
}

#[test]
fn admission_alone_gives_nothing_twice_in_groups_or_one_by_one_on_both_databases() {
    let report = rush(&["--sections", "12", "--versus", "naive"]);

    for engine in ["SQLite", "PostgreSQL"] {
        for profile in ["hot", "allsuccess", "spread"] {
            assert!(report.contains(&format!("{profile} | service | {engine}")), "{report}");
        }
    }
    holds_everywhere(&report, 12);
    assert_eq!(report.matches("SECTION_FULL 270  admitted 30").count(), 4, "{report}");
    assert_eq!(report.matches("admitted 300").count(), 4, "{report}");
    assert_eq!(report.matches("groups / naive: ").count(), 6, "{report}");
    for name in ["throughput", "p50", "p99", "max", "cpu us/request", "group size", "load average"] {
        assert!(!field(&report, name).is_empty(), "{name}: {report}");
    }
    assert_eq!(report.matches("memory MiB service and client ").count(), 12, "{report}");
    let peaks = report.matches("(at most ").count();
    assert!(peaks >= 12, "{report}");
    // Of 300 for 30 seats, at most 32 were under way when the first heard that there are none left.
    assert!(report.matches("known full: ").count() >= 4, "{report}");
    // One by one, nothing is known of what is full.
    assert!(report.matches("refused without the database 0.0-0.0 %").count() >= 2, "{report}");
}

#[test]
fn a_stock_counter_in_redis_is_measured_beside_where_there_is_one() {
    let report = rush(&["--engine", "postgres", "--profile", "hot,allsuccess", "--versus", "redis"]);

    if report.contains("redis-server is not installed, skipped") {
        holds_everywhere(&report, 2);
        return;
    }
    holds_everywhere(&report, 6);
    assert!(report.contains("appendonly yes"), "{report}");
    for way in ["redis always", "redis everysec"] {
        assert_eq!(report.matches(&format!("groups / {way}: ")).count(), 2, "{report}");
    }
    assert_eq!(report.matches("SECTION_FULL 270  admitted 30").count(), 3, "{report}");
    assert_eq!(report.matches("admitted 300").count(), 3, "{report}");
}

#[test]
fn whoever_finds_the_queue_full_hears_it_and_nothing_is_given_to_them() {
    let report = rush(&["--engine", "sqlite", "--profile", "allsuccess", "--queue", "2"]);

    holds_everywhere(&report, 1);
    assert!(report.contains("QUEUE_FULL "), "{report}");
}

#[test]
fn the_whole_path_gives_nothing_twice_and_explains_every_answer() {
    let report =
        rush(&["--path", "whole", "--engine", "sqlite", "--profile", "hot,week", "--sections", "10"]);

    holds_everywhere(&report, 2);
    assert!(report.contains("hot | whole path | SQLite") && report.contains("week | whole path | SQLite"));
    for whose in ["client ", "gateway ", "services ", "memory MiB client ", "platform "] {
        assert!(report.contains(whose), "{whose}: {report}");
    }
    assert!(report.contains("known full: "), "{report}");
    assert!(report.contains("BASKET_REFUSED "), "{report}");
}

#[test]
fn at_a_rate_latencies_count_from_when_requests_were_due() {
    let report = rush(&["--engine", "sqlite", "--profile", "hot", "--rate", "2000"]);

    assert!(report.contains("2000 a second"), "{report}");
    holds_everywhere(&report, 1);
}
