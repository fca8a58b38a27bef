//! Attestations in files and registries: verified, shown, signed, and keys for them.
//!
//! `trusted` reads whom one trusts, `asked` the images in question and the lockfile, `gather` the lines from where they
//! lie (files there, `layout`, `registry`, of which `referring` knows what refers to an image); `quorum` puts these together,
//! `seen` for what was just verified, and `aggregate` makes one statement of many. `attestor` makes statements of what `build` and `verify` gave: `facts` says that in their
//! words, with what `origin`, `place` and `dependencies` know, for one `run`. `signing_key` reads private keys, `keygen` makes them, `sign`, `show`, `extract` and `push` need no trust.

mod aggregate;
mod asked;
mod attestor;
mod dependencies;
mod error;
mod extract;
mod facts;
mod gather;
mod keygen;
mod layout;
mod origin;
mod place;
mod push;
mod quorum;
mod referring;
mod registry;
mod run;
mod seen;
mod show;
mod sign;
mod signing_key;
mod trusted;

pub use aggregate::{Aggregated, AttestAggregateOptions, attest_aggregate};
pub use attestor::{AttestOptions, Attestor};
pub use extract::{AttestExtractOptions, attest_extract};
pub use gather::AttestSources;
pub use keygen::keygen;
pub use push::{PushTarget, PushedAttestation, PushedAttestations, attest_push, push_lines};
pub use quorum::{AskedAbout, AttestVerifyOptions, Attested, attest_verify};
pub use seen::attest_seen;
pub use show::{Shown, ShownPredicate, attest_show};
pub use sign::{AttestSignOptions, attest_sign};
pub use signing_key::KeySource;
pub use trusted::TrustSource;
