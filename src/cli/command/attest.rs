//! `repro attest`: verdicts of others, and what makes a verdict one that others can check.

use std::path::PathBuf;

use super::super::arguments::{
    self, Accept, AttestAction, AttestAggregate, AttestSign, AttestVerify, Counting, Format, KeyTypeName, Pushing,
    StatementName,
};
use super::super::report::{Report, text};
use super::super::session::Session;
use crate::attest::key::KeyType;
use crate::attest::{provenance, summary};
use crate::document::{AttestDocument, AttestPushDocument, AttestShowDocument, Document};
use crate::project::{
    AskedAbout, AttestAggregateOptions, AttestExtractOptions, AttestOptions, AttestSignOptions, AttestSources,
    AttestVerifyOptions, Attestor, KeySource, Machine, Project, PushTarget, TrustSource, attest_aggregate,
    attest_extract, attest_push, attest_show, attest_sign, attest_verify, keygen, push_lines, shown,
};
use crate::reference::{InvalidReference, Reference};
use crate::status::{ExitStatus, Failure, Status};

/// No key to sign with.
#[derive(Debug, thiserror::Error)]
#[error("no key to sign with: give `--key FILE`, or its text in `REPRO_SIGNING_KEY`")]
struct NoKey;

impl ExitStatus for NoKey {
    fn status(&self) -> Status {
        Status::Usage
    }
}

/// Attestations can't be pushed there.
#[derive(Debug, thiserror::Error)]
#[error("`{}` is no reference: {error}", crate::escape::text(text))]
struct NoTarget {
    text: String,
    error: InvalidReference,
}

impl ExitStatus for NoTarget {
    fn status(&self) -> Status {
        Status::Usage
    }
}

/// Where attestations are pushed.
fn target(text: &str, with_failed: bool) -> Result<PushTarget, Failure> {
    let reference: Result<Reference, _> = text.trim_start_matches("docker://").parse();
    let reference = reference.map_err(|error| NoTarget { text: text.to_owned(), error })?;
    Ok(PushTarget { reference, with_failed })
}

/// Where the statements of a command are pushed, if they are.
pub fn pushing(pushing: &Pushing) -> Result<Option<PushTarget>, Failure> {
    pushing.push.as_deref().map(|text| target(text, pushing.push_failed)).transpose()
}

/// What a command attests, if it does; files are those of where the user stands.
pub fn options(attesting: &arguments::Attesting, machine: &Machine) -> Option<AttestOptions> {
    Some(AttestOptions {
        file: machine.resolve(attesting.attest.as_ref()?),
        key: KeySource::find(machine, attesting.key.key.as_ref().map(|file| machine.resolve(file)).as_ref()),
        builder: attesting.builder_id.clone(),
        verifier: None,
        supersedes: Vec::new(),
        against: None,
        push: None,
        has_other_record: false,
    })
}

/// What it needs for that, checked before anything is built.
pub fn attestor<'a>(
    session: &'a Session,
    project: &'a Project,
    attesting: &arguments::Attesting,
    options: Option<&'a AttestOptions>,
    verifies: bool,
) -> Result<Option<Attestor<'a>>, Failure> {
    let descriptor = attesting.key.passphrase_fd;
    let mut ask = || session.passphrase(descriptor);
    options.map(|options| Attestor::new(&session.machine, project, options, verifies, &mut ask)).transpose()
}

/// Runs the command.
pub fn run(arguments: &arguments::Attest, session: &Session) -> Result<Report, Failure> {
    let machine = &session.machine;
    match &arguments.action {
        AttestAction::Verify(arguments) => verify(arguments, session),
        AttestAction::Aggregate(arguments) => aggregate(arguments, session),
        AttestAction::Show { files, from } => {
            let sources = AttestSources { files: files.clone(), from: from.clone() };
            let all = attest_show(machine, &sources)?;
            let document = Document::of(&AttestShowDocument::of(&all));
            let text = text::attest::shown(&all);
            Ok(Report { status: Status::Success, text, document: Some(document), failures: Vec::new() })
        }
        AttestAction::Push { files, to, push_failed } => {
            let pushed = attest_push(machine, files, &target(to, *push_failed)?)?;
            let document = Document::of(&AttestPushDocument::of(&pushed));
            let text = text::attest::pushed(&pushed);
            Ok(Report { status: Status::Success, text, document: Some(document), failures: Vec::new() })
        }
        AttestAction::Extract { files, kind, line, output } => {
            let options = AttestExtractOptions {
                files: files.clone(),
                predicate_type: match kind {
                    StatementName::Vsa => summary::TYPE,
                    StatementName::Provenance => provenance::TYPE,
                },
                line: *line,
                is_bundle: session.format == Format::Sigstore,
                output: output.clone(),
            };
            let document = attest_extract(machine, &options)?.unwrap_or_default();
            Ok(Report::text(Status::Success, String::from_utf8_lossy(&document).into_owned()))
        }
        AttestAction::Sign(arguments) => sign(arguments, session),
        AttestAction::Keygen { kind, output } => {
            let kind = match kind {
                KeyTypeName::Ed25519 => KeyType::Ed25519,
                KeyTypeName::EcdsaP256 => KeyType::P256,
            };
            let made = keygen(machine, kind, output)?;
            let (private, public) = (shown(&made.private), shown(&made.public));
            let text = format!("wrote {private} and {public}\n{} {}\n", made.id, made.fingerprint);
            Ok(Report::text(Status::Success, text))
        }
    }
}

/// What is asked, of whom: `keys` where no file says it.
fn counting(arguments: &Counting, files: &[PathBuf], keys: &[PathBuf]) -> AttestVerifyOptions {
    let trust = match (&arguments.trust, &arguments.policy, arguments.trust_from_repo) {
        (Some(file), ..) => TrustSource::File(file.clone()),
        (None, Some(file), _) => TrustSource::Policy(file.clone()),
        (None, None, true) => TrustSource::Repository,
        (None, None, false) if keys.is_empty() => TrustSource::User,
        (None, None, false) => TrustSource::Keys(keys.to_vec()),
    };
    AttestVerifyOptions {
        sources: AttestSources { files: files.to_vec(), from: arguments.from.clone() },
        trust,
        threshold: arguments.threshold,
        max_failed: arguments.max_failed,
        lock: arguments.lock.clone(),
        about: AskedAbout::Recorded(arguments.name.clone()),
        resource: arguments.resource_uri.clone(),
        accepts_content: arguments.accept.map(|accept| accept == Accept::Content),
    }
}

fn verify(arguments: &AttestVerify, session: &Session) -> Result<Report, Failure> {
    let mut options = counting(&arguments.counting, &arguments.files, &arguments.key);
    if let Some(image) = &arguments.image {
        options.about = AskedAbout::Image(image.clone());
    }
    counted(&options, &session.machine)
}

/// Whether enough auditors agree.
pub fn counted(options: &AttestVerifyOptions, machine: &Machine) -> Result<Report, Failure> {
    let attested = attest_verify(machine, options)?;
    let text = text::attest::quorum(&attested);
    let document = Some(Document::of(&AttestDocument::of(&attested)));
    Ok(Report { status: attested.status(), text, document, failures: Vec::new() })
}

fn aggregate(arguments: &AttestAggregate, session: &Session) -> Result<Report, Failure> {
    let machine = &session.machine;
    let key = KeySource::find(machine, arguments.key.key.as_ref()).ok_or(NoKey)?;
    let options = AttestAggregateOptions {
        verify: counting(&arguments.counting, &arguments.files, &[]),
        key,
        verifier: arguments.verifier_id.clone(),
        output: arguments.output.clone(),
    };
    let push = pushing(&arguments.pushing)?;
    let descriptor = arguments.key.passphrase_fd;
    let aggregated = attest_aggregate(machine, &options, &mut || session.passphrase(descriptor))?;
    if let Some(push) = push.filter(|_| !aggregated.lines.is_empty()) {
        push_lines(machine, &push, &aggregated.lines)?;
    }
    let status = aggregated.attested.status();
    let text = text::attest::aggregated(&aggregated);
    let document = Some(Document::of(&AttestDocument::of(&aggregated.attested)));
    Ok(Report { status, text, document, failures: Vec::new() })
}

fn sign(arguments: &AttestSign, session: &Session) -> Result<Report, Failure> {
    let key = KeySource::find(&session.machine, arguments.key.key.as_ref()).ok_or(NoKey)?;
    let push = pushing(&arguments.pushing)?;
    let options = AttestSignOptions {
        file: arguments.file.clone(),
        key,
        lock: arguments.lock.clone(),
        is_detached: arguments.detached,
        output: arguments.output.clone(),
    };
    let descriptor = arguments.key.passphrase_fd;
    let signed = attest_sign(&session.machine, &options, &mut || session.passphrase(descriptor))?;
    if let Some(push) = push {
        push_lines(&session.machine, &push, &signed.lines)?;
    }
    let text = match &signed.output {
        Some(output) => {
            format!("added {} envelopes by {} to {}\n", signed.lines.len(), signed.key, shown(output))
        }
        None => text::attest::lines(&signed.lines),
    };
    Ok(Report::text(Status::Success, text))
}
