//! The document of a command that ended with a failure: its own, with empty lists and the error, so that one form fits
//! whatever happened.

use super::super::arguments::{AttestAction, Command};
use crate::document::{
    AdoptDocument, AttestDocument, AttestPushDocument, AttestShowDocument, BuildDocument, DeltaDocument,
    DoctorDocument, Document, ErrorDocument, FailureDocument, InitDocument, InspectDocument, LintDocument,
    ListDocument, LockDocument, OutdatedDocument, SelfReportDocument, SourcesDocument, SourcesError, TapeDocument,
    TransferDocument, VendorDocument, VerifyDocument, diff_error,
};
use crate::status::{Failure, Status};

/// The document of a command that ended with a failure: its own, with empty lists.
pub fn of_failure(command: &Command, failure: &Failure) -> Document {
    let error = Some(ErrorDocument::of(failure));
    let (version, status) = (1, failure.status().code());
    match command {
        Command::Build(_) => Document::of(&BuildDocument { version, status, images: Vec::new(), error }),
        Command::Verify(verify) if verify.policy.is_some() => {
            Document::of(&AttestDocument { status, error, ..AttestDocument::empty() })
        }
        Command::Verify(_) => Document::of(&VerifyDocument { status, error, ..VerifyDocument::empty() }),
        Command::Lint(_) => Document::of(&LintDocument { status, error, ..LintDocument::empty() }),
        Command::Lock(_) => Document::of(&LockDocument { status, error, ..LockDocument::empty() }),
        Command::Outdated(_) => {
            let (outdated, gone, mirrors) = (Vec::new(), Vec::new(), Vec::new());
            Document::of(&OutdatedDocument { version, status, outdated, gone, mirrors, error })
        }
        Command::Sources(_) => {
            let error = error.map(|error| SourcesError { error, stage: None, lines: Vec::new() });
            Document::of(&SourcesDocument { status, error, ..SourcesDocument::empty() })
        }
        Command::Adopt(_) => Document::of(&AdoptDocument { status, error, ..AdoptDocument::empty() }),
        Command::Init(_) => Document::of(&InitDocument { status, error, ..InitDocument::empty() }),
        Command::Doctor(_) => Document::of(&DoctorDocument { status, error, ..DoctorDocument::empty() }),
        Command::SelfReport(_) => Document::of(&SelfReportDocument { status, error, ..SelfReportDocument::empty() }),
        Command::Delta(_) => Document::of(&DeltaDocument { status, error, ..DeltaDocument::empty() }),
        Command::Diff(_) => Document::of(&diff_error(failure)),
        Command::Inspect(_) => Document::of(&InspectDocument { status, error, ..InspectDocument::empty() }),
        Command::Attest(arguments) => match arguments.action {
            AttestAction::Push { .. } => {
                let (pushed, left_out) = (Vec::new(), Vec::new());
                Document::of(&AttestPushDocument { version, status, pushed, left_out, error })
            }
            AttestAction::Verify(_) | AttestAction::Aggregate(_) => {
                Document::of(&AttestDocument { status, error, ..AttestDocument::empty() })
            }
            AttestAction::Show { .. } => {
                Document::of(&AttestShowDocument { version, status, attestations: Vec::new(), error })
            }
            _ => Document::of(&FailureDocument { version, status, error }),
        },
        Command::Tape(_) => Document::of(&TapeDocument { status, error, ..TapeDocument::empty() }),
        Command::Vendor(_) => Document::of(&VendorDocument { status, error, ..VendorDocument::empty() }),
        Command::Push(_) | Command::Pull(_) | Command::Copy(_) => {
            Document::of(&TransferDocument { status, error, ..TransferDocument::empty() })
        }
        Command::List(_) => Document::of(&ListDocument { status, error, ..ListDocument::empty() }),
        _ => Document::of(&FailureDocument { version, status, error }),
    }
}

/// The document of a command line that can't be read.
pub fn of_usage(message: String) -> Document {
    let status = Status::Usage.code();
    let hint = Some("`repro --help` lists commands and options".to_owned());
    Document::of(&FailureDocument { version: 1, status, error: Some(ErrorDocument { status, message, hint }) })
}
