//! What commands do, as values: no command line, no printing, no environment, no clock.
//!
//! An operation takes a [`Machine`] (what the run has of its surroundings, read once by `cli`), the [`Project`] that
//! was opened on it, and options; it gives a value that can be printed, signed, rendered or tested.
//!
//! `open` finds manifest and lockfile, `without_manifest` makes a manifest of flags. `survey` reads what Dockerfiles ask
//! for; `settle` resolves it; `lock` writes it down and `check` tells whether it still fits. `locked` is a project with
//! its lockfile, `tape_file` what stands beside it. `ready` makes its images ready to be built, `engines` chooses what
//! builds, `rebuild` builds one image (`rebuilt`), `contradiction` refuses records that can't be true. On these stand `build` (with `record`, `self_check`, `remembered`, `export` and `dry_run`),
//! `verify` (with `commit` and `explanation`, which says why a verdict is not good), `tape`, `vendor`, and `adopt`, which is `init`, `lock`, `build` and `verify` in one. `inspect`, `init`, `stream`, `ship` and `serve` need no project. `attest` is about verdicts of others.

mod adopt;
mod attest;
mod build;
mod build_info;
mod built_delta;
mod check;
mod commit;
mod contradiction;
pub mod delta;
mod diff;
mod doctor;
mod dry_run;
mod elsewhere;
mod engines;
mod error;
mod expected;
mod explanation;
mod export;
mod files;
mod import;
mod init;
mod inspect;
mod lint;
mod lint_context;
mod lint_line;
mod lock;
mod locked;
mod login;
mod machine;
mod missing;
pub mod online;
mod open;
mod policy;
mod policy_import;
mod provenance;
mod published;
mod ready;
mod rebuild;
mod rebuilt;
mod recipe;
mod record;
mod remembered;
mod report;
mod request;
mod scratch;
mod self_check;
mod self_report;
mod serve;
mod settle;
pub mod ship;
mod sources;
mod stand_in;
mod stream;
mod survey;
pub mod tape;
mod tape_file;
mod upstream;
mod vendor;
mod verify;
mod warnings;
mod without_manifest;

pub use adopt::{AdoptOptions, Adopted, AdoptedImage, adopt};
pub use attest::{
    Aggregated, AskedAbout, AttestAggregateOptions, AttestExtractOptions, AttestOptions, AttestSignOptions,
    AttestSources, AttestVerifyOptions, Attested, Attestor, KeySource, PushTarget, PushedAttestation,
    PushedAttestations, Shown, ShownPredicate, TrustSource, attest_aggregate, attest_extract, attest_push, attest_seen,
    attest_show, attest_sign, attest_verify, keygen, push_lines,
};
pub use build::{Build, BuildOptions, BuiltPlatform, build, is_uncached};
pub use check::check;
pub use commit::CheckedOut;
pub use diff::{Diff, DiffOptions, DiffVerdict, PlatformDiff, diff};
pub use doctor::{Health, doctor};
pub use dry_run::{PlannedBuild, dry_run};
pub use elsewhere::{Elsewhere, NamedBy, Origin, is_repository, settled};
pub use engines::{EngineName, EngineOptions};
pub use error::ProjectError;
pub use explanation::{Explanation, Question};
pub use export::{ArchiveForm, ExportOptions};
pub use files::shown;
pub use import::{ImportOptions, ImportSource, Imported, import};
pub use init::{Initialised, init};
pub use inspect::{InspectOptions, Inspection, inspect};
pub use lint::{Fixes, LintOptions, LintedFile, lint_document, lint_files, lint_images, lint_text};
pub use lint_line::{beside_lint, lint_line};
pub use lock::{LockNetwork, LockOptions, Locked, lock};
pub use locked::LockedProject;
pub use login::{login, logout};
pub use machine::Machine;
pub use open::{Project, check_manifest};
pub use policy::policy;
pub use policy_import::{ImportedPolicy, import_policy};
pub use provenance::{FromProvenance, ProvenanceOptions, verify_provenance};
pub use recipe::WrongDockerfile;
pub use record::{FILE_HINT, FORM, RecordTarget};
pub use report::{check_report_name, read_report, write_report, write_verdicts};
pub use request::{Request, Requested, request};
pub use self_check::Checked;
pub use self_report::{SelfReport, self_report};
pub use serve::{ServeOptions, serve};
pub use sources::{Listing, sources};
pub use stream::{StreamOptions, stream, stream_to_file};
pub use upstream::{Asked, outdated, vanished};
pub use vendor::{VendorOptions, VendorReport, VendoredSource, vendor};
pub use verify::{MirrorSaid, Occasion, Verification, VerifiedImage, VerifyOptions, verify};
pub use without_manifest::DockerfileFlags;
