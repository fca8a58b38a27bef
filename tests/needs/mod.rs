//! What tests need of the machine: the rig's variables and programs. What is not there is told, never passed over.

#![allow(dead_code, reason = "every test file uses a part")]
#![allow(clippy::disallowed_methods, reason = "cargo keeps back what macros print")]

use std::io::Write;

/// Writes to stdout, also where cargo keeps back what tests print that pass.
pub fn tell(text: &str) {
    let _ = std::io::stdout().write_all(text.as_bytes());
}

/// Says what was not run, also where cargo keeps back what tests print that pass.
pub fn not_run(why: &str) {
    let _ = writeln!(std::io::stderr(), "not run: {why}");
}

/// The value of a variable that the rig sets; stops the test if the rig must run.
pub fn variable(name: &str) -> Option<String> {
    match std::env::var(name) {
        Ok(value) if !value.is_empty() => Some(value),
        _ if std::env::var("REPRO_REQUIRE_RIG").is_ok_and(|value| value == "1") => {
            panic!("the rig does not set {name}")
        }
        _ => {
            not_run(&format!("no rig ({name} is not set)"));
            None
        }
    }
}
