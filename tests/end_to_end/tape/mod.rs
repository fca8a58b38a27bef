//! The tape through the binary: what RUN downloads is recorded once, and replayed with the origin gone.
//!
//! Without the rig's variables these tests print "not run: no rig" and pass, unless `REPRO_REQUIRE_RIG=1`.

mod adopt;
mod door;
mod expired;
mod git;
mod hostile;
mod logins;
mod methods;
mod origin;
mod push;
mod replay;
mod told;
mod trust;
