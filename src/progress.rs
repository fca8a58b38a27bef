//! What long work tells while it runs; `cli` decides how it looks.

use std::sync::Arc;

/// Receives what long work tells. All texts are already safe to print.
pub trait Progress: Send + Sync {
    /// A step began or moved on: `what` names it (`resolve docker.io/library/alpine:3.20`), counts are bytes or items.
    fn step(&self, what: &str, done: u64, total: Option<u64>);
    /// How far a step is, in words that stand behind its name (`46 requests, 21734912 bytes`).
    fn state(&self, _what: &str, _state: &str) {}
    /// A step ended.
    fn end(&self, what: &str);
    /// A step of a Dockerfile ended, and how: after which time, `CACHED`, `ERROR`.
    fn finished(&self, what: &str, _how: &str) {
        self.end(what);
    }
    /// A line of an engine's own log, escaped.
    fn log(&self, line: &str);
    /// Something that a person should read even if all goes well (`warning: …`, `note: …` are added by `cli`).
    fn warn(&self, message: &str);
    /// Something worth knowing that asks for nothing.
    fn note(&self, message: &str);
}

/// A shared [`Progress`].
pub type Reporter = Arc<dyn Progress>;
