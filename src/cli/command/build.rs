//! `repro build`: images from locked sources, compared with the record of their tree, or recorded.

use std::path::Path;

use super::super::arguments;
use super::super::report::text::Shown;
use super::super::report::{Report, text};
use super::super::session::Session;
use super::{attest, vendor};
use crate::document::{BuildDocument, Document, diff_document};
use crate::project::{
    AttestOptions, BuildOptions, ExportOptions, Project, RecordTarget, beside_lint, build, check_report_name, dry_run,
    is_uncached, write_report,
};
use crate::status::{ExitStatus, Failure, Status};

/// Flags that exclude each other.
#[derive(Debug, thiserror::Error)]
#[error("`--locked` and `{0}` exclude each other")]
struct Excluded(&'static str);

impl ExitStatus for Excluded {
    fn status(&self) -> Status {
        Status::Usage
    }
}

/// Runs the command.
pub fn run(arguments: &arguments::Build, session: &Session) -> Result<Report, Failure> {
    for (flag, is_given) in [("--record", arguments.record.is_some()), ("--fix", arguments.fix)] {
        if session.locked && is_given {
            return Err(Excluded(flag).into());
        }
    }
    let machine = &vendor::surroundings(&arguments.from, session)?;
    let project = Project::open_or_make(machine, arguments.question.flags().as_ref())?;
    let options = options(arguments, session);
    if arguments.dry_run {
        let planned = dry_run(machine, &project, &options)?;
        return Ok(Report::text(Status::Success, text::dry_run::commands(&planned)));
    }
    arguments.report.iter().try_for_each(|path| check_report_name(path))?;
    let attesting = attest::options(&arguments.attesting, machine);
    let other = matches!(options.record, Some(RecordTarget::File(_)));
    let attesting = attesting.map(|attesting| AttestOptions { has_other_record: other, ..attesting });
    let attestor = attest::attestor(session, &project, &arguments.attesting, attesting.as_ref(), false)?;
    let build = beside_lint(machine, &project, &options.images, || build(machine, &project, &options))?;
    if let Some(attestor) = &attestor {
        attestor.built(&build, is_uncached(&options))?;
    }
    for diff in build.images.iter().filter_map(|image| image.diff.as_ref()) {
        let document = diff_document(diff, diff.status());
        arguments.report.iter().try_for_each(|path| write_report(machine, path, &document))?;
    }
    let status = build.failures.iter().fold(Status::Success, |status, failure| status.or(failure.status()));
    let document = BuildDocument::of(&build, status, arguments.output.as_deref());
    let text = text::build::images(&build, session.is_verbose, Shown::of(session.is_verbose, arguments.all));
    Ok(Report { status, text, document: Some(Document::of(&document)), failures: build.failures })
}

fn options(arguments: &arguments::Build, session: &Session) -> BuildOptions {
    let record = arguments.record.as_ref().map(|file| match file {
        None => RecordTarget::Lockfile,
        Some(file) => RecordTarget::File(file.clone()),
    });
    let export = |path: &Path| ExportOptions { path: path.to_owned(), form: arguments.archive.into() };
    BuildOptions {
        images: arguments.question.names().to_vec(),
        platforms: arguments.question.platforms.clone(),
        record,
        export: arguments.output.as_deref().map(export),
        delta: arguments.delta.as_ref().map(|path| (path.clone(), arguments.delta_from.clone())),
        push: arguments.push,
        locked: session.locked,
        no_cache: arguments.no_cache,
        self_check: arguments.self_check,
        is_reported: !arguments.report.is_empty(),
        fix: arguments.fix,
        is_attested: arguments.attesting.attest.is_some(),
        build_info: arguments.emit_buildinfo.clone(),
        engine: arguments.engine.options(&session.machine.directory, session.is_verbose),
    }
}
