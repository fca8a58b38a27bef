//! `repro attest`: verdicts of others, and what makes a verdict one that others can check.

use std::io::Write as _;

use super::super::arguments::{self, Accept, AttestAction, AttestSign, AttestVerify, KeyTypeName};
use super::super::report::{Report, text};
use super::super::session::Session;
use crate::attest::key::KeyType;
use crate::document::{AttestDocument, AttestShowDocument, Document};
use crate::project::{
    AttestOptions, AttestSignOptions, AttestSources, AttestVerifyOptions, Attestor, KeySource, Machine, Project,
    TrustSource, attest_show, attest_sign, attest_verify, keygen, shown,
};
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

/// What a command attests, if it does; files are those of where the user stands.
pub fn options(attesting: &arguments::Attesting, machine: &Machine) -> Option<AttestOptions> {
    Some(AttestOptions {
        file: machine.resolve(attesting.attest.as_ref()?),
        key: KeySource::find(machine, attesting.key.key.as_ref().map(|file| machine.resolve(file)).as_ref()),
        builder: attesting.builder_id.clone(),
        verifier: None,
        supersedes: Vec::new(),
        against: None,
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
    match &arguments.action {
        AttestAction::Verify(arguments) => verify(arguments, session),
        AttestAction::Show { files } => {
            let sources = AttestSources { files: files.clone(), from: None };
            let all = attest_show(&session.machine, &sources, &[])?;
            let document = Document::of(&AttestShowDocument::of(&all));
            let text = text::attest::shown(&all);
            Ok(Report { status: Status::Success, text, document: Some(document), failures: Vec::new() })
        }
        AttestAction::Sign(arguments) => sign(arguments, session),
        AttestAction::Keygen { kind, output } => {
            let kind = match kind {
                KeyTypeName::Ed25519 => KeyType::Ed25519,
                KeyTypeName::EcdsaP256 => KeyType::P256,
            };
            let made = keygen(&session.machine, kind, output)?;
            let (private, public) = (shown(&made.private), shown(&made.public));
            let text = format!("wrote {private} and {public}\n{} {}\n", made.id, made.fingerprint);
            Ok(Report::text(Status::Success, text))
        }
    }
}

fn verify(arguments: &AttestVerify, session: &Session) -> Result<Report, Failure> {
    let trust = match (&arguments.trust, arguments.trust_from_repo) {
        (Some(file), _) => TrustSource::File(file.clone()),
        (None, true) => TrustSource::Repository,
        (None, false) if arguments.key.is_empty() => TrustSource::User,
        (None, false) => TrustSource::Keys(arguments.key.clone()),
    };
    let options = AttestVerifyOptions {
        sources: AttestSources { files: arguments.files.clone(), from: arguments.from.clone() },
        trust,
        threshold: arguments.threshold,
        max_failed: arguments.max_failed,
        lock: arguments.lock.clone(),
        names: arguments.name.clone(),
        image: arguments.image.clone(),
        resource: arguments.resource_uri.clone(),
        accepts_content: arguments.accept == Accept::Content,
    };
    let attested = attest_verify(&session.machine, &options)?;
    let text = text::attest::quorum(&attested, arguments.trust_from_repo);
    let document = Some(Document::of(&AttestDocument::of(&attested)));
    Ok(Report { status: attested.status(), text, document, failures: Vec::new() })
}

fn sign(arguments: &AttestSign, session: &Session) -> Result<Report, Failure> {
    let key = KeySource::find(&session.machine, arguments.key.key.as_ref()).ok_or(NoKey)?;
    let options = AttestSignOptions {
        file: arguments.file.clone(),
        key,
        lock: arguments.lock.clone(),
        is_detached: arguments.detached,
        output: arguments.output.clone(),
    };
    let descriptor = arguments.key.passphrase_fd;
    let signed = attest_sign(&session.machine, &options, &mut || session.passphrase(descriptor))?;
    let mut text = Vec::new();
    match &signed.output {
        Some(output) => {
            let (count, output) = (signed.lines.len(), shown(output));
            // Writing to memory does not fail.
            let _ = writeln!(text, "added {count} envelopes by {} to {output}", signed.key);
        }
        None => signed.lines.iter().for_each(|line| text.extend([line.as_slice(), b"\n"].concat())),
    }
    Ok(Report::text(Status::Success, String::from_utf8_lossy(&text).into_owned()))
}
