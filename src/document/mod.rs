//! The JSON documents that commands print, one file a command; their schemas are in `schema/`.
//!
//! Digests are `sha256:<hex>`, platforms `os/arch[/variant]`, layers are diff IDs, base first.
//!
//! A command puts the document of what its operation gave into its `Report`. `failure` holds the error that all of them
//! tell, and the document of commands that have none of their own for that; `self_check` is a part of `build`. `sarif` and
//! `code_quality` are other forms of `lint`.

mod adopt;
mod attest;
mod attest_push;
mod attest_show;
mod build;
mod cache;
mod code_quality;
mod delta;
mod diff;
mod doctor;
mod excerpt;
mod failure;
mod init;
mod inspect;
mod json;
mod lint;
mod list;
mod lock;
mod message;
mod note;
mod outdated;
mod sarif;
mod scrub;
mod self_check;
mod self_report;
mod sources;
mod tape;
mod transfer;
mod vendor;
mod verdicts;
mod verify;

pub use adopt::AdoptDocument;
pub use attest::{AttestDocument, AttestedDocument};
pub use attest_push::AttestPushDocument;
pub use attest_show::AttestShowDocument;
pub use build::BuildDocument;
pub use cache::{CacheDocument, CacheUsage, HeldUsage};
pub use code_quality::code_quality;
pub use delta::{DeltaBlob, DeltaDocument};
pub use diff::{diff_document, diff_error, explanation_document};
pub use doctor::DoctorDocument;
pub use failure::{ErrorDocument, FailureDocument};
pub use init::InitDocument;
pub use inspect::{
    EntryDocument, ImageVerdict, InspectDocument, InspectedImage, InspectedLayer, ListedDocument, Number, RoleName,
};
pub use json::Document;
pub use lint::{FindingDocument, LintDocument};
pub use list::ListDocument;
pub use lock::{DriftDocument, LockChange, LockDocument};
pub use message::message;
pub use note::NoteDocument;
pub use outdated::{GonePin, MirroredPin, OutdatedDocument, OutdatedPin};
pub use sarif::sarif;
pub use scrub::{ProfileDocument, ScrubDocument};
pub use self_report::SelfReportDocument;
pub use sources::{ListedSource, SourcesDocument, SourcesError};
pub use tape::{MissingBody, PushedTape, RequestOnTape, TapeDocument, TapeOfImage};
pub use transfer::TransferDocument;
pub use vendor::VendorDocument;
pub use verdicts::verdicts_as_junit;
pub use verify::{OriginDocument, VerifyDocument};
