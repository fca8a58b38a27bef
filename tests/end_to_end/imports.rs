//! What real BuildKits recorded is imported, locked, built anew and compared: a part of `tests/imports/real.sh`.

use std::process::Command;

use crate::needs;

#[test]
fn an_annotated_tag_that_three_buildkits_recorded_is_followed_to_the_same_image() {
    let needed = ["RIG_REGISTRY", "RIG_BUILDKIT_PREVIOUS", "RIG_BUILDKIT_OLD", "RIG_GIT"];
    if needed.iter().any(|name| needs::variable(name).is_none()) {
        return;
    }
    let output = Command::new("tests/imports/real.sh")
        .args(["tag", "context"])
        .env("REPRO", env!("CARGO_BIN_EXE_repro"))
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(said.matches("| good").count(), 6, "{said}");
}
