//! Scrub profiles on Debian's own programs: the cases of `tests/scrub` that need nothing but the rig's base.

use std::path::Path;
use std::process::Command;

use crate::rig::variable;

#[test]
fn profiles_make_builds_equal_and_the_programs_go_on_working() {
    if ["RIG_REGISTRY", "BUILDKIT_HOST", "REPRO_CONFIG"].iter().any(|name| variable(name).is_none()) {
        return;
    }
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scrub/real.sh");
    let output = Command::new(script)
        .args(["accounts", "apt", "histories", "ldconfig"])
        .env("REPRO", env!("CARGO_BIN_EXE_repro"))
        .output()
        .unwrap();
    let (table, errors) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{table}{errors}");
    assert_eq!(table.matches("| good ").count(), 4, "{table}{errors}");
}
