//! Why a step did not start: by its own fault, or by the machine's.

/// Why a step did not start.
#[derive(Debug, thiserror::Error)]
pub(super) enum Stop {
    /// It asks for what can't be; any runtime says so.
    #[error("{0}")]
    Step(String),
    /// The machine did not do its part.
    #[error("{0}")]
    Machine(String),
}

impl Stop {
    /// The machine did not do its part when `what` was made.
    pub(super) fn machine<E: std::fmt::Display>(what: &str) -> impl FnOnce(E) -> Self {
        move |error| Self::Machine(format!("{what}: {error}"))
    }

    /// `what` of the step can't be.
    pub(super) fn step<E: std::fmt::Display>(what: &[u8]) -> impl FnOnce(E) -> Self {
        let what = crate::escape::bytes(what);
        move |error| Self::Step(format!("{what}: {error}"))
    }
}
