//! Times that only a build knows, as the disk holds them, and back.
//!
//! In memory a file can be of "some time during the build". A step sees a number, and what it leaves as it was must be
//! known again by that number.

use std::collections::HashMap;

use crate::context;
use crate::digest::Digest;
use crate::engine::native::filesystem::Mtime;

/// Seconds and nanoseconds since 1970.
pub(super) type Instant = (i64, u32);

/// The times of one build.
pub(super) struct Times {
    /// The second in which the build began.
    start: i64,
    used: u32,
    meanings: HashMap<Instant, Mtime>,
    instants: HashMap<(u32, u32), Instant>,
}

impl Times {
    /// A build that began in the second `start`.
    pub(super) fn new(start: i64) -> Self {
        Self { start, used: 0, meanings: HashMap::new(), instants: HashMap::new() }
    }

    /// The instant that stands for `mtime` on disk; a staged file's is made from its digest, as every engine's.
    pub(super) fn on_disk(&mut self, mtime: Mtime, digest: Option<&Digest>) -> Instant {
        let key = match mtime {
            Mtime::At { seconds, nanoseconds } => return (seconds, nanoseconds),
            Mtime::Staged => return context::staged_time(digest),
            Mtime::Now => return self.next(),
            Mtime::Inline(file) => (u32::MAX, file),
            Mtime::CheckedOut { checkout, file } => (checkout, file),
        };
        if let Some(known) = self.instants.get(&key) {
            return *known;
        }
        let instant = self.next();
        self.instants.insert(key, instant);
        self.meanings.insert(instant, mtime);
        instant
    }

    /// What an instant on disk means.
    pub(super) fn in_memory(&self, (seconds, nanoseconds): Instant) -> Mtime {
        if let Some(meaning) = self.meanings.get(&(seconds, nanoseconds)) {
            return *meaning;
        }
        match context::is_staged_time(seconds) {
            true => Mtime::Staged,
            false => Mtime::At { seconds, nanoseconds },
        }
    }

    /// Another instant each time, never a whole second: equal ones are of one file.
    fn next(&mut self) -> Instant {
        self.used += 1;
        (self.start + i64::from(self.used / 999_999_999), 1 + self.used % 999_999_999)
    }
}
