//! `repro verify`: rebuilds without cache and says whether the image is the recorded one, and the published one.

use std::path::{Path, PathBuf};

use super::super::arguments;
use super::super::report::{Report, text};
use super::super::session::Session;
use crate::document::{Document, VerifyDocument, explanation_document, verdicts_as_junit};
use crate::project::{
    ExportOptions, Project, ProvenanceOptions, VerifyOptions, check_report_name, shown, verify, verify_provenance,
    write_report, write_verdicts,
};
use crate::source::{Bare, Place};
use crate::status::{Failure, Status};

/// Runs the command.
pub fn run(arguments: &arguments::Verify, session: &Session) -> Result<Report, Failure> {
    if let Some(typed) = &arguments.from_provenance {
        return from_provenance(arguments, typed, session);
    }
    let machine = &session.machine;
    let project = Project::open_or_make(machine, arguments.question.flags().as_ref())?;
    let export = |path: &Path| ExportOptions { path: path.to_owned(), form: arguments.archive.into() };
    let against = match (&arguments.against, &arguments.against_file) {
        (Some(typed), _) => Some((Place::parse(Path::new(typed), Bare::Reference, &machine.directory)?, typed.clone())),
        (None, file) => file.clone().map(|file| (Place::Path(file.clone()), shown(&file))),
    };
    let mut images = arguments.question.names().to_vec();
    if let Some(shard) = arguments.shard {
        let all: Vec<String> = project.images(&images)?.into_iter().map(|(name, _)| name.clone()).collect();
        images = shard.of(all);
        if images.is_empty() {
            return nothing(arguments, session);
        }
    }
    let (verdicts, reports) = reports(arguments);
    let options = VerifyOptions {
        images,
        platforms: arguments.question.platforms.clone(),
        against,
        published_name: arguments.image.clone(),
        record: arguments.record.clone(),
        explains: !arguments.no_explain,
        expected: arguments.expected.clone(),
        is_reported: !reports.is_empty(),
        fresh: arguments.fresh,
        accepts_open_network: arguments.allow_open_network,
        export: arguments.output.as_deref().map(export),
        engine: arguments.engine.options(&session.machine.directory, session.is_verbose),
    };
    arguments.report.iter().try_for_each(|path| check_report_name(path))?;
    let verification = verify(machine, &project, &options)?;
    for explanation in verification.images.iter().filter_map(|image| image.explanation.as_ref()) {
        let document = explanation_document(explanation);
        reports.iter().try_for_each(|path| write_report(machine, path, &document))?;
    }
    let document = VerifyDocument::of(&verification, arguments.output.as_deref());
    verdicts.iter().try_for_each(|path| write_verdicts(machine, path, verdicts_as_junit(&document)))?;
    Ok(Report {
        status: verification.status(),
        text: text::verify::verdicts(&verification, arguments.record.as_deref().unwrap_or(Path::new("repro.lock"))),
        document: Some(Document::of(&document)),
        failures: verification.failures,
    })
}

/// Where the verdicts go, and where the reports about a difference.
fn reports(arguments: &arguments::Verify) -> (Vec<&PathBuf>, Vec<&PathBuf>) {
    arguments.report.iter().partition(|path| path.extension().is_some_and(|ending| ending == "xml"))
}

/// A part of the images that has none.
fn nothing(arguments: &arguments::Verify, session: &Session) -> Result<Report, Failure> {
    let document = VerifyDocument::empty();
    let (verdicts, _) = reports(arguments);
    verdicts.iter().try_for_each(|path| write_verdicts(&session.machine, path, verdicts_as_junit(&document)))?;
    let text = "no image belongs to this part\n".to_owned();
    Ok(Report { document: Some(Document::of(&document)), ..Report::text(Status::Success, text) })
}

/// Rebuilds an image from its provenance.
fn from_provenance(arguments: &arguments::Verify, typed: &str, session: &Session) -> Result<Report, Failure> {
    let machine = &session.machine;
    arguments.report.iter().try_for_each(|path| check_report_name(path))?;
    let (verdicts, reports) = reports(arguments);
    let is_file = machine.resolve(Path::new(typed)).symlink_metadata().is_ok();
    let place = match is_file {
        true => Place::Path(typed.into()),
        false => Place::parse(Path::new(typed), Bare::Reference, &machine.directory)?,
    };
    let found = verify_provenance(
        machine,
        &ProvenanceOptions {
            image: (place, typed.to_owned()),
            files: arguments.question.flags(),
            platforms: arguments.question.platforms.clone(),
            explains: !arguments.no_explain,
            accepts_open_network: arguments.allow_open_network,
            engine: arguments.engine.options(&session.machine.directory, session.is_verbose),
        },
    )?;
    for explanation in found.verification.images.iter().filter_map(|image| image.explanation.as_ref()) {
        let document = explanation_document(explanation);
        reports.iter().try_for_each(|path| write_report(machine, path, &document))?;
    }
    let document = VerifyDocument::of_provenance(&found);
    verdicts.iter().try_for_each(|path| write_verdicts(machine, path, verdicts_as_junit(&document)))?;
    Ok(Report {
        status: found.verification.status(),
        text: text::provenance::verdicts(&found),
        document: Some(Document::of(&document)),
        failures: found.verification.failures,
    })
}
