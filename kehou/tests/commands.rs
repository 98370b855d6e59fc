//! The program as an operator types it.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::process::{Command, Output};

fn kehou(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_kehou")).args(arguments).output().unwrap()
}

#[test]
fn help_names_every_command() {
    let help = kehou(&["--help"]);

    let text = String::from_utf8(help.stdout).unwrap();
    assert!(help.status.success());
    for command in ["run", "tour", "check", "--data", "--database"] {
        assert!(text.contains(command), "no {command} in {text}");
    }
}

#[test]
fn a_command_that_is_not_known_is_refused() {
    let refused = kehou(&["dance"]);

    assert_eq!(refused.status.code(), Some(2));
    assert!(String::from_utf8(refused.stderr).unwrap().contains("dance"));
}

#[test]
fn checking_where_there_is_no_database_says_which_one_and_fails() {
    let folder = tempfile::tempdir().unwrap();
    let nowhere = folder.path().join("nowhere");

    let failed = kehou(&["--data", nowhere.to_str().unwrap(), "check"]);

    assert!(!failed.status.success());
    assert!(String::from_utf8(failed.stderr).unwrap().contains("identity"));
    assert!(!nowhere.exists(), "a look makes nothing");
}
