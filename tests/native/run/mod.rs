//! RUN through the binary: what BuildKit made of every case, and what a step can't reach.

mod adopt;
mod cases;
mod confinement;

use std::path::{Path, PathBuf};

use crate::needs;

/// The folder of the cases with RUN.
fn corpus() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/native-run")
}

/// Whether this machine can run a step; says why not.
fn can_run() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let is_root = status.lines().any(|line| line.split_whitespace().take(3).eq(["Uid:", "0", "0"]));
    let has_overlay = std::fs::read_to_string("/proc/filesystems").is_ok_and(|list| list.contains("overlay"));
    let why = match (is_root, has_overlay) {
        (true, true) => return true,
        (false, _) => "RUN in the native engine needs root",
        (_, false) => "RUN in the native engine needs overlayfs",
    };
    needs::not_run(why);
    false
}
