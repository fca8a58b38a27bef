//! Attestations: verdicts that others can check.
//!
//! From the outside in: a file of lines ([`line`]), an [`envelope`] with signatures, a [`statement`] about images, a
//! predicate, of which the verification [`summary`] is the one that counts ([`built`] reads provenance). [`key`] checks and makes signatures, [`trust`]
//! says who is believed, as files have it in [`trust_file`] and [`policy`], and [`quorum`] whether enough of them agree.
//! `document` reads JSON so that no two readers differ, `members` what stands in it, `base64` its bytes, `age` times of
//! trust files; [`referrer`] names and makes what stands beside images, of [`bundle`]s.
//! The other way: [`verdict`] and [`provenance`] become statements as [`written`] orders them, which an envelope signs.
//!
//! Everything here is a function of bytes: files, registries and the clock are those of `project`.

mod age;
mod base64;
pub mod built;
pub mod bundle;
mod document;
pub mod envelope;
pub mod invocation;
pub mod key;
pub mod line;
mod members;
pub mod policy;
pub mod provenance;
pub mod quorum;
pub mod referrer;
pub mod statement;
pub mod summary;
pub mod trust;
pub mod trust_file;
pub mod verdict;
pub mod written;
