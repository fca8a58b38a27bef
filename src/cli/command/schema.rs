//! `repro schema`: JSON schemas, generated from the types that are read and printed.

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;

use super::super::arguments::{Schema, SchemaName};
use super::super::report::Report;
use crate::document::{
    AdoptDocument, AttestDocument, AttestPushDocument, AttestShowDocument, BuildDocument, CacheDocument, DeltaDocument,
    DoctorDocument, FailureDocument, InitDocument, InspectDocument, LintDocument, ListDocument, LockDocument,
    OutdatedDocument, ScrubDocument, SelfReportDocument, SourcesDocument, TapeDocument, TransferDocument,
    VendorDocument, VerifyDocument,
};
use crate::render::DiffDocument;
use crate::status::Status;

/// Runs the command.
pub fn run(arguments: &Schema) -> Report {
    Report::text(Status::Success, text(arguments.name))
}

/// The schema's text as committed in `schema/`.
pub fn text(name: SchemaName) -> String {
    match name {
        SchemaName::Manifest => crate::manifest::schema(),
        SchemaName::Policy => crate::attest::policy::schema(),
        SchemaName::Init => of::<InitDocument>(),
        SchemaName::Adopt => of::<AdoptDocument>(),
        SchemaName::Sources => of::<SourcesDocument>(),
        SchemaName::Outdated => of::<OutdatedDocument>(),
        SchemaName::Doctor => of::<DoctorDocument>(),
        SchemaName::SelfReport => of::<SelfReportDocument>(),
        SchemaName::Cache => of::<CacheDocument>(),
        SchemaName::Failure => of::<FailureDocument>(),
        SchemaName::Lint => of::<LintDocument>(),
        SchemaName::Lock => of::<LockDocument>(),
        SchemaName::Build => of::<BuildDocument>(),
        SchemaName::Verify => of::<VerifyDocument>(),
        SchemaName::Delta => of::<DeltaDocument>(),
        SchemaName::Diff => of::<DiffDocument>(),
        SchemaName::Inspect => of::<InspectDocument>(),
        SchemaName::Attest => of::<AttestDocument>(),
        SchemaName::AttestShow => of::<AttestShowDocument>(),
        SchemaName::AttestPush => of::<AttestPushDocument>(),
        SchemaName::Scrub => of::<ScrubDocument>(),
        SchemaName::Tape => of::<TapeDocument>(),
        SchemaName::Vendor => of::<VendorDocument>(),
        SchemaName::Transfer => of::<TransferDocument>(),
        SchemaName::List => of::<ListDocument>(),
    }
}

fn of<T: JsonSchema>() -> String {
    let schema = SchemaSettings::draft07().for_serialize().into_generator().into_root_schema_for::<T>();
    let mut text = serde_json::to_string_pretty(&schema).unwrap_or_default();
    text.push('\n');
    text
}
