//! The JSON documents that commands print, one file a command; their schemas are in `schema/`.
//!
//! Digests are `sha256:<hex>`, platforms `os/arch[/variant]`, layers are diff IDs, base first.
//!
//! A command fills its document and puts it into its `Report`. Where it ends with a failure instead, the same document
//! is made here, with empty lists and the error, so that one form fits whatever happened. `failure` holds the error that
//! all of them tell, and the document of commands that have none of their own for that; `self_check` is a part of `build`.

mod build;
mod cache;
mod failure;
mod init;
mod lock;
mod outdated;
mod self_check;
mod sources;
mod verify;

pub use build::{BuildDocument, BuiltImage, BuiltPlatform, ScrubbedFiles, built_platform, scrubbed_files};
pub use cache::{CacheDocument, CacheUsage};
pub use failure::{ErrorDocument, FailureDocument};
pub use init::InitDocument;
pub use lock::{DriftDocument, LockChange, LockDocument};
pub use outdated::{GonePin, OutdatedDocument, OutdatedPin};
pub use self_check::{DifferingLayerDocument, DifferingPathDocument, MendDocument, SelfCheckDocument};
pub use sources::{ListedSource, SourceFields, SourceType, SourcesDocument, SourcesError};
pub use verify::{VerdictName, VerifiedImage, VerifiedPlatform, VerifyDocument};

use super::arguments::Command;
use super::inspect::document::InspectDocument;
use super::report::Document;
use super::tape::TapeDocument;
use crate::status::{Failure, Status};

/// The document of a command that ended with a failure: its own, with empty lists.
pub fn of_failure(command: &Command, failure: &Failure) -> Document {
    let error = Some(ErrorDocument::of(failure));
    let (version, status) = (1, failure.status().code());
    match command {
        Command::Build(_) => Document::of(&BuildDocument { version, status, images: Vec::new(), error }),
        Command::Verify(_) => Document::of(&VerifyDocument { version, status, images: Vec::new(), error }),
        Command::Lock(_) => Document::of(&LockDocument { status, error, ..LockDocument::empty() }),
        Command::Outdated(_) => {
            Document::of(&OutdatedDocument { version, status, outdated: Vec::new(), gone: Vec::new(), error })
        }
        Command::Sources(_) => {
            let error = error.map(|error| SourcesError { error, stage: None, lines: Vec::new() });
            Document::of(&SourcesDocument { status, error, ..SourcesDocument::empty() })
        }
        Command::Inspect(_) => Document::of(&InspectDocument { status, error, ..InspectDocument::empty() }),
        Command::Tape(_) => Document::of(&TapeDocument { status, error, ..TapeDocument::empty() }),
        _ => Document::of(&FailureDocument { version, status, error }),
    }
}

/// The document of a command line that can't be read.
pub fn of_usage(message: String) -> Document {
    let status = Status::Usage.code();
    let hint = Some("`repro --help` tells what can be typed".to_owned());
    Document::of(&FailureDocument { version: 1, status, error: Some(ErrorDocument { status, message, hint }) })
}
