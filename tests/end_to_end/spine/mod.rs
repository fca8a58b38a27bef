//! The spine through the binary: lock, build, record and verify against the rig's real daemons, registry and servers.
//!
//! Without the rig's variables these tests print "not run: no rig" and pass, unless `REPRO_REQUIRE_RIG=1`.

mod frontends;
mod golden_cases;
mod platform_contexts;
mod records;
mod refusals;
mod run_surroundings;
mod same_image;
mod scrub_debian;
mod self_check;
mod shared_daemon;
mod sources_for_daemons;
mod stopping;
mod untruthful;
