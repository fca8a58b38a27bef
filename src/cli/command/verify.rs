//! `repro verify`: rebuilds without cache and says whether the image is the recorded one, and the published one.

use std::path::{Path, PathBuf};

use super::super::arguments;
use super::super::report::{Report, text};
use super::super::session::Session;
use super::attest;
use crate::document::{Document, OriginDocument, VerifyDocument, explanation_document, verdicts_as_junit};
use crate::project::{
    AttestOptions, Elsewhere, ExportOptions, Origin, Project, ProvenanceOptions, VerifyOptions, check_report_name,
    is_repository, settled, shown, verify, verify_provenance, write_report, write_verdicts,
};
use crate::source::{Bare, Place};
use crate::status::{ExitStatus, Failure, Status};

/// Runs the command.
pub fn run(arguments: &arguments::Verify, session: &Session) -> Result<Report, Failure> {
    if let Some(typed) = &arguments.from_provenance {
        return from_provenance(arguments, typed, session);
    }
    let outside = &session.machine;
    let against = match (&arguments.against, &arguments.against_file, &arguments.image) {
        (Some(typed), ..) => {
            Some((Place::parse(Path::new(typed), Bare::Reference, &outside.directory)?, typed.clone()))
        }
        (None, Some(file), _) => Some((Place::Path(outside.resolve(file)), shown(file))),
        (None, None, Some(typed)) if !arguments.published => {
            Some((Place::parse(Path::new(typed), Bare::Reference, &outside.directory)?, typed.clone()))
        }
        _ => None,
    };
    let against = against.map(|(place, typed)| match place {
        Place::Path(path) => (Place::Path(outside.resolve(&path)), typed),
        other => (other, typed),
    });
    let names_image = arguments.against.is_some() || arguments.against_file.is_some() || arguments.published;
    let (origin, mut images) = match (&arguments.question.images[..], &against, &arguments.image) {
        ([url, images @ ..], ..) if is_repository(url) => {
            (Some(Origin::typed(url, arguments.rev.as_deref())), images.to_vec())
        }
        (images, Some((place, typed)), Some(_)) if !names_image => {
            (Some(Origin::of_image(outside, place, typed)?), images.to_vec())
        }
        _ if arguments.rev.is_some() => return Err(NoRepository.into()),
        _ => (None, arguments.question.names().to_vec()),
    };
    let elsewhere = origin.map(|origin| Elsewhere::clone(outside, origin)).transpose()?;
    let inside = elsewhere.as_ref().map(|elsewhere| elsewhere.machine(outside));
    let machine = inside.as_ref().unwrap_or(outside);
    let project = Project::open_or_make(machine, arguments.question.flags().as_ref())?;
    let export = |path: &Path| ExportOptions { path: outside.directory.join(path), form: arguments.archive.into() };
    if let Some(shard) = arguments.shard {
        let all: Vec<String> = project.images(&images)?.into_iter().map(|(name, _)| name.clone()).collect();
        images = shard.of(all);
        if images.is_empty() {
            return nothing(arguments, session);
        }
    }
    let (verdicts, reports) = reports(arguments);
    // In a clone, paths as they were typed lead elsewhere.
    let at_hand = |path: Option<&Path>| match &elsewhere {
        Some(_) => settled(outside, path),
        None => path.map(Path::to_path_buf),
    };
    let options = VerifyOptions {
        images,
        platforms: arguments.question.platforms.clone(),
        against,
        published: arguments.published,
        published_name: arguments.image.clone().filter(|_| names_image),
        record: at_hand(arguments.record.as_deref()),
        explains: !arguments.no_explain,
        expected: at_hand(arguments.expected.as_deref()),
        is_reported: !reports.is_empty(),
        fresh: arguments.fresh,
        accepts_open_network: arguments.allow_open_network,
        export: arguments.output.as_deref().map(export),
        engine: arguments.engine.options(&outside.directory, session.is_verbose),
    };
    arguments.report.iter().try_for_each(|path| check_report_name(path))?;
    let attesting = attest::options(&arguments.attesting, outside).map(|attesting| AttestOptions {
        verifier: arguments.verifier_id.clone(),
        supersedes: arguments.supersedes.clone(),
        against: options.against.as_ref().filter(|(place, _)| place.is_registry()).map(|(_, typed)| typed.clone()),
        has_other_record: arguments.record.is_some(),
        ..attesting
    });
    let attestor = attest::attestor(session, &project, &arguments.attesting, attesting.as_ref(), true)?;
    let verification = verify(machine, &project, &options)?;
    if let Some(attestor) = &attestor {
        attestor.verified(&verification)?;
    }
    for explanation in verification.images.iter().filter_map(|image| image.explanation.as_ref()) {
        let document = explanation_document(explanation);
        reports.iter().try_for_each(|path| write_report(outside, path, &document))?;
    }
    let origin = elsewhere.as_ref().map(OriginDocument::of);
    let mut text = elsewhere.as_ref().map(text::verify::origin).unwrap_or_default();
    text += &text::verify::verdicts(&verification, arguments.record.as_deref().unwrap_or(Path::new("repro.lock")));
    let document = VerifyDocument { origin, ..VerifyDocument::of(&verification, arguments.output.as_deref()) };
    verdicts.iter().try_for_each(|path| write_verdicts(outside, path, verdicts_as_junit(&document)))?;
    Ok(Report {
        status: verification.status(),
        text,
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

/// A revision of nothing.
#[derive(Debug, thiserror::Error)]
#[error("`--rev` is a revision of a repository: give its URL before it")]
struct NoRepository;

impl ExitStatus for NoRepository {
    fn status(&self) -> Status {
        Status::Usage
    }
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
