//! What tests say often and the program never does: surroundings in which nobody watches, digests of texts, one question.

use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use crate::build::{Surroundings, WorkDirectories};
use crate::cancel::Cancel;
use crate::context::Tree;
use crate::digest::{DiffId, Digest};
use crate::dockerfile::syntax::Dockerfile;
use crate::dockerfile::target::{BaseConfig, BaseImages, Image};
use crate::explain::look::{Bounds as LookBounds, Content, look, look_at_one};
use crate::layer::tar::Entry;
use crate::limits::Limits;
use crate::lint::{Shell, Surroundings as LintSurroundings, lint};
use crate::lockfile::{Lockfile, Pin};
use crate::progress::Progress;
use crate::resolve::{ResolveError, Resolver, Standing};

/// Says nothing.
pub struct Silent;

impl Progress for Silent {
    fn step(&self, _what: &str, _done: u64, _total: Option<u64>) {}
    fn end(&self, _what: &str) {}
    fn log(&self, _line: &str) {}
    fn warn(&self, _message: &str) {}
    fn note(&self, _message: &str) {}
}

/// Every base image is [`BaseConfig::unknown`].
pub struct UnknownImages;

impl BaseImages for UnknownImages {
    type Error = std::convert::Infallible;

    fn config(&mut self, _: &Image) -> Result<BaseConfig, Self::Error> {
        Ok(BaseConfig::unknown())
    }
}

/// Bytes in memory, as a file that is looked into.
struct Bytes<'a>(&'a [u8]);

impl Content for Bytes<'_> {
    fn size(&self) -> u64 {
        self.0.len() as u64
    }

    fn read_at(&mut self, start: u64, buffer: &mut [u8]) -> io::Result<()> {
        let start = usize::try_from(start).unwrap_or(usize::MAX);
        let end = start.checked_add(buffer.len());
        let bytes = end.and_then(|end| self.0.get(start..end)).ok_or(io::ErrorKind::UnexpectedEof)?;
        buffer.copy_from_slice(bytes);
        Ok(())
    }
}

/// Looks into two files of one path, within small bounds: the codes of what is found, and how sure each is.
///
/// # Errors
/// Those of the look; bounds that are reached are a code.
pub fn look_into(path: &[u8], first: &[u8], second: &[u8]) -> Result<Vec<(&'static str, &'static str)>, String> {
    let cancel = Cancel::default();
    let mut bounds = LookBounds::new(4, 8 << 20, &cancel);
    let found = look(path, &mut Bytes(first), &mut Bytes(second), &mut bounds).map_err(|error| error.to_string())?;
    look_at_one(path, &mut Bytes(first), &mut bounds).map_err(|error| error.to_string())?;
    Ok(found.causes.iter().map(|reason| (reason.code, reason.proof.name())).collect())
}

impl<'a> Surroundings<'a> {
    /// Surroundings in which nobody watches or stops a build.
    pub fn new(work: &'a dyn WorkDirectories, limits: &'a Limits) -> Self {
        Self { work, progress: Arc::new(Silent), cancel: Cancel::default(), limits }
    }
}

impl Cancel {
    /// Tells all work to stop, as `cli` does on a signal.
    pub fn cancel(&self) {
        self.flag().store(true, Ordering::SeqCst);
    }
}

impl DiffId {
    /// The diff ID of a layer of these bytes.
    pub fn of(bytes: &[u8]) -> Self {
        Self::from_bytes(*Digest::of(bytes).as_bytes())
    }
}

impl Tree {
    /// The text whose sha256 is the context digest.
    pub fn description(&self) -> String {
        let mut out = Vec::new();
        self.describe(&mut out);
        String::from_utf8_lossy(&out).into_owned()
    }
}

impl Entry {
    /// The same entry at another time.
    #[must_use]
    pub fn at(self, mtime: i64) -> Self {
        Self { mtime, ..self }
    }
}

impl Lockfile {
    /// Whether `text` is exactly what is written for these facts, line ends aside.
    pub fn is_canonical(&self, text: &str) -> bool {
        self.first_deviation(text).is_none()
    }
}

impl Resolver {
    /// What upstream says about one pin.
    pub fn still_there(&self, pin: &Pin) -> Result<Standing, ResolveError> {
        self.standings(std::slice::from_ref(pin)).remove(0)
    }
}

/// Where findings stand in a Dockerfile that nothing is known of.
pub fn spans(dockerfile: &Dockerfile) -> Vec<(usize, usize)> {
    let linted = lint(dockerfile, &LintSurroundings::default(), &[], &mut Shell::default());
    linted.findings.iter().map(|finding| (finding.span.start, finding.span.end)).collect()
}
