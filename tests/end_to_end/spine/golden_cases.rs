//! A sample of the golden cases, which an older BuildKit recorded, on the rig's (`tests/native/rebuild.py` builds all).

use std::path::Path;
use std::process::Command;

use crate::rig::{run, variable};

#[test]
fn every_ninth_golden_case_is_what_this_buildkit_makes_of_it() {
    let Some(_) = variable("BUILDKIT_HOST") else { return };
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/native/rebuild.py");
    let told = run(Command::new("python3").arg(script).args(["--every", "9"]));
    assert!(told.contains("30 of 30 equal"), "{told}");
}
