//! Attestations in files and registries: verified, shown, signed, and keys for them.
//!
//! `trusted` reads whom one trusts, `asked` the images in question and the lockfile, `gather` the lines from where they
//! lie; `quorum` puts these together. `attestor` makes statements of what `build` and `verify` gave: `facts` says that in their
//! words, with what `origin`, `place` and `dependencies` know, for one `run`. `signing_key` reads private keys, `keygen` makes them, `sign` and `show` need no trust.

mod asked;
mod attestor;
mod dependencies;
mod error;
mod facts;
mod gather;
mod keygen;
mod layout;
mod origin;
mod place;
mod quorum;
mod run;
mod show;
mod sign;
mod signing_key;
mod trusted;

pub use attestor::{AttestOptions, Attestor};
pub use gather::AttestSources;
pub use keygen::keygen;
pub use quorum::{AttestVerifyOptions, Attested, attest_verify};
pub use show::{Shown, ShownPredicate, attest_show};
pub use sign::{AttestSignOptions, attest_sign};
pub use signing_key::KeySource;
pub use trusted::TrustSource;
