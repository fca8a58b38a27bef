//! Reading many members at once, the largest first.

use std::cmp::Reverse;
use std::io;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use super::HeldFile;

/// A member that is to be read.
pub(super) struct Job<P> {
    pub(super) name: Vec<u8>,
    pub(super) size: u64,
    pub(super) place: P,
}

/// What came of reading one member.
pub(super) type Outcome = (Vec<u8>, io::Result<HeldFile>);

/// Reads all members with `threads` threads.
pub(super) fn run<P: Sync + Send>(
    mut jobs: Vec<Job<P>>,
    threads: usize,
    read: impl Fn(&Job<P>) -> io::Result<HeldFile> + Sync,
) -> Vec<Outcome> {
    jobs.sort_by_key(|job| Reverse(job.size));
    let next = AtomicUsize::new(0);
    let outcomes = Mutex::new(Vec::with_capacity(jobs.len()));
    let work = || {
        while let Some(job) = jobs.get(next.fetch_add(1, Ordering::Relaxed)) {
            let outcome = (job.name.clone(), read(job));
            outcomes.lock().unwrap_or_else(PoisonError::into_inner).push(outcome);
        }
    };
    thread::scope(|scope| {
        for _ in 1..threads.min(jobs.len()) {
            scope.spawn(work);
        }
        work();
    });
    outcomes.into_inner().unwrap_or_else(PoisonError::into_inner)
}
