//! `repro verify`: rebuilds without cache and says whether the image is the recorded one, and the published one.

use std::path::{Path, PathBuf};

use super::super::arguments;
use super::super::report::{Report, text};
use super::super::session::Session;
use super::{attest, vendor};
use crate::document::{
    AttestedDocument, Document, OriginDocument, VerifyDocument, explanation_document, verdicts_as_junit,
};
use crate::project::{
    AskedAbout, AttestOptions, AttestSources, AttestVerifyOptions, Elsewhere, ExportOptions, Machine, Origin, Project,
    ProvenanceOptions, TrustSource, VerifyOptions, attest_seen, check_report_name, is_repository, settled, shown,
    verify, verify_provenance, write_report, write_verdicts,
};
use crate::source::{Bare, Place};
use crate::status::{ExitStatus, Failure, Status};

/// Runs the command.
pub fn run(arguments: &arguments::Verify, session: &Session) -> Result<Report, Failure> {
    if let Some(typed) = &arguments.from_provenance {
        return from_provenance(arguments, typed, session);
    }
    let outside = &vendor::surroundings(&arguments.from, session)?;
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
    if let Some(policy) = &arguments.policy {
        let question = PolicyQuestion { policy: policy.as_deref(), images, against };
        let options = question.options(arguments, outside, machine, &project)?;
        let origin = elsewhere.as_ref().map(text::verify::origin).unwrap_or_default();
        let report = attest::counted(&options, machine)?;
        return Ok(Report { text: origin + &report.text, ..report });
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
    let push = attest::pushing(&arguments.pushing)?;
    if push.is_some() && arguments.attesting.attest.is_none() {
        return Err(NothingToPush.into());
    }
    let attesting = attest::options(&arguments.attesting, outside).map(|attesting| AttestOptions {
        verifier: arguments.verifier_id.clone(),
        supersedes: arguments.supersedes.clone(),
        against: options.against.as_ref().filter(|(place, _)| place.is_registry()).map(|(_, typed)| typed.clone()),
        push: push.clone(),
        has_other_record: arguments.record.is_some(),
        ..attesting
    });
    let attestor = attest::attestor(session, &project, &arguments.attesting, attesting.as_ref(), true)?;
    let mut verification = verify(machine, &project, &options)?;
    // What keeps statements from being read, written or pushed must not keep the verdict from being told.
    let named = AttestSources::typed(outside, &arguments.attestations);
    let attested = match &arguments.record {
        // Statements name the lockfile, not a record of its own.
        Some(_) => None,
        None => attest_seen(machine, &project, &verification, &named).unwrap_or_else(|failure| {
            verification.failures.push(failure);
            None
        }),
    };
    if let Some(Err(failure)) = attestor.as_ref().map(|attestor| attestor.verified(&verification)) {
        verification.failures.push(failure);
    }
    for explanation in verification.images.iter().filter_map(|image| image.explanation.as_ref()) {
        let document = explanation_document(explanation);
        reports.iter().try_for_each(|path| write_report(outside, path, &document))?;
    }
    let origin = elsewhere.as_ref().map(OriginDocument::of);
    let mut text = elsewhere.as_ref().map(text::verify::origin).unwrap_or_default();
    text += &text::verify::verdicts(&verification, arguments.record.as_deref().unwrap_or(Path::new("repro.lock")));
    text += &attested.as_ref().map(text::attest::seen).unwrap_or_default();
    let attested = attested.as_ref().map(AttestedDocument::of);
    let document =
        VerifyDocument { origin, attested, ..VerifyDocument::of(&verification, arguments.output.as_deref()) };
    verdicts.iter().try_for_each(|path| write_verdicts(outside, path, verdicts_as_junit(&document)))?;
    Ok(Report {
        status: verification.status(),
        text,
        document: Some(Document::of(&document)),
        failures: verification.failures,
    })
}

/// What is asked of a policy instead of rebuilding.
struct PolicyQuestion<'a> {
    /// The policy, if not the project's own.
    policy: Option<&'a Path>,
    images: Vec<String>,
    against: Option<(Place, String)>,
}

impl PolicyQuestion<'_> {
    /// Files are those of where the user stands, the lockfile is the project's.
    fn options(
        self,
        arguments: &arguments::Verify,
        outside: &Machine,
        machine: &Machine,
        project: &Project,
    ) -> Result<AttestVerifyOptions, Failure> {
        let Some(lock) = &project.lock_path else { return Err(NoLockfile.into()) };
        Ok(AttestVerifyOptions {
            sources: AttestSources::typed(outside, &arguments.attestations),
            trust: TrustSource::Policy(self.policy.map(|file| outside.resolve(file))),
            threshold: None,
            max_failed: None,
            lock: Some(machine.near(lock)),
            about: match self.against {
                Some((place, typed)) => AskedAbout::Published(place, typed),
                None => AskedAbout::Recorded(self.images),
            },
            resource: None,
            accepts_content: None,
        })
    }
}

/// Statements that nobody makes.
#[derive(Debug, thiserror::Error)]
#[error("`--push` pushes what `--attest FILE` writes: give both")]
struct NothingToPush;

impl ExitStatus for NothingToPush {
    fn status(&self) -> Status {
        Status::Usage
    }
}

/// A question about a lockfile where there is none.
#[derive(Debug, thiserror::Error)]
#[error("`--policy` asks about a `repro.lock`, which a Dockerfile without `repro.toml` has not")]
struct NoLockfile;

impl ExitStatus for NoLockfile {
    fn status(&self) -> Status {
        Status::Usage
    }
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
