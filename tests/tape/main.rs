//! The tape through the binary: what RUN downloads is recorded once, and replayed with the origin gone.
//!
//! Without the rig's variables these tests print "not run: no rig" and pass, unless `REPRO_REQUIRE_RIG=1`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test stops at the first surprise")]

#[path = "../needs/mod.rs"]
mod needs;
#[path = "../project/mod.rs"]
mod project;
#[allow(dead_code, reason = "the spine's tests use the rest")]
#[path = "../spine/rig.rs"]
mod rig;

mod expired;
mod hostile;
mod origin;
mod push;
mod replay;
mod told;
mod trust;
