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
}

#[test]
fn the_whole_path_gives_nothing_twice_and_explains_every_answer() {
    let report =
        rush(&["--path", "whole", "--engine", "sqlite", "--profile", "hot,week", "--sections", "10"]);

    holds_everywhere(&report, 2);
    assert!(report.contains("hot | whole path | SQLite") && report.contains("week | whole path | SQLite"));
    assert!(report.contains("client ") && report.contains("platform "), "{report}");
    assert!(report.contains("BASKET_REFUSED "), "{report}");
}

#[test]
fn at_a_rate_latencies_count_from_when_requests_were_due() {
    let report = rush(&["--engine", "sqlite", "--profile", "hot", "--rate", "2000"]);

    assert!(report.contains("2000 a second"), "{report}");
    holds_everywhere(&report, 1);
}
