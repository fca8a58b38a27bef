//! Exit statuses, the outcome that scripts rely on (`docs/architecture.md`).

/// What a command ends with.
///
/// The declaration order is no ranking; see [`Status::or`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Status {
    /// Done, reproduced, fresh.
    Success = 0,
    /// A comparison found a difference.
    Differs = 1,
    /// The command line or the manifest is wrong.
    Usage = 2,
    /// The lockfile is missing or stale, or holds no record of this tree.
    Lock = 3,
    /// A source is unavailable or changed.
    Source = 4,
    /// The engine ran and the build failed.
    Build = 5,
    /// Malformed or unsafe input.
    Malformed = 6,
    /// The engine is missing, unusable or untruthful.
    Engine = 7,
    /// Interrupted by a signal.
    Interrupted = 130,
}

impl Status {
    /// The number given to the operating system.
    pub fn code(self) -> u8 {
        self as u8
    }

    /// The more urgent of two, in the order 130, 6, 2, 3, 7, 4, 5, 1, 0 (several images or platforms at once).
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        if self.urgency() <= other.urgency() { self } else { other }
    }

    fn urgency(self) -> u8 {
        match self {
            Self::Interrupted => 0,
            Self::Malformed => 1,
            Self::Usage => 2,
            Self::Lock => 3,
            Self::Engine => 4,
            Self::Source => 5,
            Self::Build => 6,
            Self::Differs => 7,
            Self::Success => 8,
        }
    }
}

/// An error that knows the exit status it stands for.
pub trait ExitStatus: std::error::Error {
    /// The status that a command ends with when this error ends it.
    fn status(&self) -> Status;

    /// What to do next, one line, without a full stop.
    fn hint(&self) -> Option<String> {
        None
    }
}

/// Any error with its status, as engines and commands return it; `?` makes one.
pub type Failure = Box<dyn ExitStatus + Send + Sync>;

impl<E: ExitStatus + Send + Sync + 'static> From<E> for Failure {
    fn from(error: E) -> Self {
        Box::new(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_urgent_status_wins_in_either_order() {
        for (a, b, want) in [
            (Status::Success, Status::Differs, Status::Differs),
            (Status::Build, Status::Source, Status::Source),
            (Status::Engine, Status::Lock, Status::Lock),
            (Status::Malformed, Status::Interrupted, Status::Interrupted),
        ] {
            assert_eq!(a.or(b), want);
            assert_eq!(b.or(a), want);
        }
    }
}
