//! What tests say often and the program never does: surroundings in which nobody watches, digests of texts, one question.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use crate::build::{Surroundings, WorkDirectories};
use crate::cancel::Cancel;
use crate::context::Tree;
use crate::digest::{DiffId, Digest};
use crate::dockerfile::target::{BaseConfig, BaseImages, Image};
use crate::layer::tar::Entry;
use crate::limits::Limits;
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
