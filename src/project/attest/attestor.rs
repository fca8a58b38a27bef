//! Statements about what a build or a verification gave, written to a file.

use std::path::PathBuf;
use std::time::Instant;

use super::super::build::Build;
use super::super::commit::CheckedOut;
use super::super::files::read_file;
use super::super::machine::Machine;
use super::super::open::Project;
use super::super::verify::Verification;
use super::asked;
use super::error::AttestError;
use super::facts;
use super::origin::origin;
use super::push::{PushTarget, push_lines};
use super::run::Run;
use super::sign::append;
use super::signing_key::{self, KeySource, Passphrase};
use crate::attest::envelope::Envelope;
use crate::attest::key::SigningKey;
use crate::attest::provenance::UNIDENTIFIED as NO_BUILDER;
use crate::attest::verdict::UNIDENTIFIED as NO_VERIFIER;
use crate::digest::Digest;
use crate::epoch::rfc3339;
use crate::status::Failure;

/// What is attested, and how.
#[derive(Clone, Debug)]
pub struct AttestOptions {
    /// The file that gets the lines at its end.
    pub file: PathBuf,
    /// The key; none for bare statements.
    pub key: Option<KeySource>,
    /// Who builds, a URI.
    pub builder: Option<String>,
    /// Who verifies, a URI.
    pub verifier: Option<String>,
    /// Payloads that a `PASSED` withdraws.
    pub supersedes: Vec<Digest>,
    /// What was compared with, as a reference.
    pub against: Option<String>,
    /// Where the statements are pushed, too.
    pub push: Option<PushTarget>,
    /// Whether the record is not the lockfile's.
    pub has_other_record: bool,
}

/// What is needed to attest, checked before anything is built.
pub struct Attestor<'a> {
    machine: &'a Machine,
    project: &'a Project,
    options: &'a AttestOptions,
    key: Option<SigningKey>,
    lock_path: PathBuf,
    begun: Instant,
}

impl<'a> Attestor<'a> {
    /// Reads key and lockfile. `verifies` where a verdict is attested, which a verifier has to be named for.
    pub fn new(
        machine: &'a Machine,
        project: &'a Project,
        options: &'a AttestOptions,
        verifies: bool,
        ask: Passphrase<'_>,
    ) -> Result<Self, Failure> {
        if options.has_other_record {
            return Err(AttestError::OtherRecord.into());
        }
        let Some(path) = &project.lock_path else { return Err(AttestError::NoManifest.into()) };
        let key = options.key.as_ref().map(|source| signing_key::load(machine, source, ask)).transpose()?;
        if key.is_some() {
            let wanted = [("--builder-id", &options.builder, true), ("--verifier-id", &options.verifier, verifies)];
            if let Some((flag, ..)) = wanted.into_iter().find(|(_, value, is_wanted)| *is_wanted && value.is_none()) {
                return Err(AttestError::Unidentified(flag).into());
            }
        }
        let lock_path = machine.near(path);
        asked::lock(machine, &lock_path)?;
        Ok(Self { machine, project, options, key, lock_path, begun: Instant::now() })
    }

    fn run(&self, checked_out: Option<&CheckedOut>, cache: &'static str) -> Result<Run<'_>, Failure> {
        let manifest = self.project.manifest_path.as_deref().ok_or(AttestError::NoManifest)?;
        let manifest = Digest::of(&read_file(manifest, self.machine.limits.manifest_file)?);
        let finished = self.machine.now.saturating_add(self.begun.elapsed().as_secs());
        Ok(Run {
            project: self.project,
            // A build may have recorded what it gave.
            lock: asked::lock(self.machine, &self.lock_path)?,
            manifest,
            origin: origin(self.project, checked_out)?,
            builder: self.options.builder.as_deref().unwrap_or(NO_BUILDER),
            verifier: self.options.verifier.as_deref().unwrap_or(NO_VERIFIER),
            against: self.options.against.as_deref(),
            cache,
            times: [rfc3339(self.machine.now), rfc3339(finished)],
            offline: self.machine.offline,
            supersedes: &self.options.supersedes,
        })
    }

    /// Signs a statement, if there is a key.
    fn line(&self, statement: Vec<u8>) -> Vec<u8> {
        match &self.key {
            Some(key) => Envelope::sign(&statement, key).to_line(),
            None => statement,
        }
    }

    /// Attests the images that were rebuilt and compared to the end: how each was built, and the verdicts. Gives the
    /// number of statements.
    pub fn verified(&self, verification: &Verification) -> Result<usize, Failure> {
        let run = self.run(verification.checked_out.as_ref(), "off")?;
        let mut lines = Vec::new();
        for image in verification.images.iter().filter(|image| image.is_complete) {
            let verdicts = facts::verdicts(&run, image);
            if verdicts.is_empty() {
                self.machine.progress.note(&format!("{}: nothing to attest: no verdict on a digest", image.name));
                continue;
            }
            let provenance = self.line(facts::rebuilt(self.machine, &run, image)?.to_statement());
            let input = Digest::of(&provenance);
            lines.push(provenance);
            for mut verdict in verdicts {
                verdict.inputs = vec![input];
                lines.push(self.line(verdict.to_statement()));
            }
        }
        self.write(&lines)?;
        if let Some(push) = &self.options.push {
            push_lines(self.machine, push, &lines)?;
        }
        Ok(lines.len())
    }

    /// Attests how the images were built.
    pub fn built(&self, build: &Build, is_uncached: bool) -> Result<usize, Failure> {
        let run = self.run(build.checked_out.as_ref(), if is_uncached { "off" } else { "private" })?;
        let built = build.images.iter().map(|image| {
            let provenance = facts::built(self.machine, &run, image)?;
            Ok(self.line(provenance.to_statement()))
        });
        let lines = built.collect::<Result<Vec<_>, Failure>>()?;
        self.write(&lines)?;
        Ok(lines.len())
    }

    fn write(&self, lines: &[Vec<u8>]) -> Result<(), Failure> {
        if lines.is_empty() { Ok(()) } else { append(self.machine, &self.options.file, lines) }
    }
}
