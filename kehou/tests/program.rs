//! The program itself. That there is a test of it also has it built for the stories that run it.

use std::process::Command;

#[test]
fn the_program_says_what_it_can_do() {
    let output = Command::new(env!("CARGO_BIN_EXE_kehou")).arg("--help").output().unwrap();

    assert!(output.status.success());
    let help = String::from_utf8_lossy(&output.stdout);
    for command in ["run", "tour", "check", "--database", "--data"] {
        assert!(help.contains(command), "{command} is missing in {help}");
    }
}
