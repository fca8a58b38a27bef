//! Library and binary against the rig's real daemons, registry, file and git servers.
//!
//! Without the rig's variables these tests print "not run: no rig" and pass, unless `REPRO_REQUIRE_RIG=1`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test stops at the first surprise")]

#[path = "../needs/mod.rs"]
mod needs;
#[path = "../project/mod.rs"]
mod project;
#[path = "../schema/mod.rs"]
mod schema;
#[path = "../server/mod.rs"]
mod server;

mod own_registry;
mod rig;
mod sources;

mod browser;
mod context_property;
mod engines;
mod examples;
mod explained;
mod imports;
mod inspect_peers;
mod layered;
mod layers;
mod remote_engines;
mod spine;
mod tape;
mod vendor;
