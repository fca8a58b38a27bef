//! Statements that nobody signed, signed.

use std::path::{Path, PathBuf};

use super::super::files::shown;
use super::super::machine::Machine;
use super::super::open::Project;
use super::asked;
use super::error::AttestError;
use super::gather::{AttestSources, gather};
use super::signing_key::{self, KeySource, Passphrase};
use super::trusted;
use crate::attest::envelope::Envelope;
use crate::attest::key::SigningKey;
use crate::attest::line::{Content, line_limits};
use crate::attest::statement::Statement;
use crate::attest::summary::{self, Summary};
use crate::digest::Digest;
use crate::status::Failure;
use crate::store;

/// What is signed, and with what.
#[derive(Clone, Debug)]
pub struct AttestSignOptions {
    /// The file of statements.
    pub file: PathBuf,
    /// The key.
    pub key: KeySource,
    /// The lockfile that summaries are held against; the project's where none is named.
    pub lock: Option<PathBuf>,
    /// Whether summaries of other lockfiles are signed as well.
    pub is_detached: bool,
    /// The file that gets the lines at its end; none for stdout.
    pub output: Option<PathBuf>,
}

/// What was signed.
#[derive(Clone, Debug)]
pub struct Signed {
    /// The envelopes, a line each.
    pub lines: Vec<Vec<u8>>,
    /// The key.
    pub key: String,
    /// The file that has them now.
    pub output: Option<PathBuf>,
}

/// Signs every statement of a file; each is told first, as what it is.
pub fn attest_sign(machine: &Machine, options: &AttestSignOptions, ask: Passphrase<'_>) -> Result<Signed, Failure> {
    let key = signing_key::load(machine, &options.key, ask)?;
    let mut statements = Vec::new();
    let sources = AttestSources { files: vec![options.file.clone()], from: Vec::new() };
    gather(machine, &sources, &[], &mut |gathered| statements.extend(gathered))?;
    let mut payloads = Vec::new();
    for (place, line) in statements {
        let reason = match line.content {
            Content::Statement(payload) => {
                payloads.push((place, payload));
                continue;
            }
            Content::Envelope(_) | Content::Refused(_) => "an envelope already, only bare statements are signed",
            Content::Unrecognised => "no statement",
        };
        return Err(AttestError::NotSignable { place, reason: reason.to_owned() }.into());
    }
    if payloads.is_empty() {
        let reason = "no statement to sign".to_owned();
        return Err(AttestError::NotSignable { place: shown(&options.file), reason }.into());
    }
    warn_of_release_key(machine, options.lock.as_deref(), &key);
    let mut at_hand = None;
    let mut lines = Vec::new();
    for (place, payload) in &payloads {
        let refused = |reason: String| AttestError::NotSignable { place: place.clone(), reason };
        let statement =
            Statement::parse(payload, &line_limits(&machine.limits)).map_err(|error| refused(error.to_string()))?;
        let mut told = statement.predicate_type.clone();
        if statement.predicate_type == summary::TYPE {
            let summary = Summary::read(&statement.predicate).map_err(|error| refused(error.to_string()))?;
            if !options.is_detached {
                let expected = match at_hand {
                    Some(digest) => digest,
                    None => *at_hand.insert(lock_at_hand(machine, options, place)?),
                };
                if summary.lock != expected {
                    let (found, expected) = (summary.lock.to_string(), expected.to_string());
                    return Err(AttestError::OtherLock { place: place.clone(), found, expected }.into());
                }
            }
            told = format!("{} with the lockfile {}", summary.result.word(), summary.lock);
        }
        for subject in &statement.subjects {
            let digest = subject.sha256.map(|digest| digest.to_string()).unwrap_or_default();
            machine.progress.note(&crate::escape::text(&format!("signs {told}: {} {digest}", subject.name)));
        }
        lines.push(Envelope::sign(payload, &key).to_line());
    }
    if let Some(output) = &options.output {
        append(machine, output, &lines)?;
    }
    Ok(Signed { lines, key: key.public().id().to_string(), output: options.output.clone() })
}

/// Warns where the project's policy says that the key signs releases: there are verifiers that look at the key alone.
fn warn_of_release_key(machine: &Machine, lock: Option<&Path>, key: &SigningKey) {
    let lock = match lock {
        Some(file) => Some(machine.resolve(file)),
        None => Project::open(machine).ok().and_then(|project| project.lock_path),
    };
    let Some(lock) = lock else { return };
    match trusted::signs_releases(machine, &lock, &key.public()) {
        Ok(false) => {}
        Ok(true) => machine.progress.warn(&format!(
            "{} signs releases, says `repro.policy.toml`: verifiers that look at the key alone take a verdict for one",
            key.public().id()
        )),
        Err(failure) => machine.progress.warn(&format!("keys that sign releases are not known: {failure}")),
    }
}

/// The digest of the lockfile at hand.
fn lock_at_hand(machine: &Machine, options: &AttestSignOptions, place: &str) -> Result<Digest, Failure> {
    let lock = match &options.lock {
        Some(file) => Some(asked::lock(machine, file)?),
        None => asked::of_project(machine).map_err(|_| AttestError::NoLockAtHand(place.to_owned()))?,
    };
    Ok(lock.ok_or_else(|| AttestError::NoLockAtHand(place.to_owned()))?.digest)
}

/// Adds lines at the end of a file, which is replaced whole.
pub fn append(machine: &Machine, file: &Path, lines: &[Vec<u8>]) -> Result<(), Failure> {
    let path = machine.resolve(file);
    let mut text = match std::fs::read(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Vec::new(),
        Err(error) => return Err(AttestError::Io { path: shown(file), error }.into()),
    };
    if !text.is_empty() && !text.ends_with(b"\n") {
        text.push(b'\n');
    }
    for line in lines {
        text.extend_from_slice(line);
        text.push(b'\n');
    }
    store::replace_file(&path, &text)?;
    Ok(())
}
