//! When a cached file was last used, which is when it was last modified: the oldest are forgotten first.

use std::fs::File;

use rustix::fs::{Timespec, Timestamps, UTIME_NOW, UTIME_OMIT, futimens};

/// Marks the file as used now, by the file system's own clock. A read-only cache serves all the same.
pub fn mark_used(file: &File) {
    let now = Timespec { tv_sec: 0, tv_nsec: UTIME_NOW };
    let unchanged = Timespec { tv_sec: 0, tv_nsec: UTIME_OMIT };
    let _ = futimens(file, &Timestamps { last_access: unchanged, last_modification: now });
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use super::*;

    #[test]
    fn a_used_file_is_as_young_as_a_new_one() {
        let directory = tempfile::tempdir().unwrap();
        let file = File::create(directory.path().join("used")).unwrap();
        file.set_modified(SystemTime::UNIX_EPOCH).unwrap();
        mark_used(&file);
        let new = File::create(directory.path().join("new")).unwrap();
        let [used, new] = [file, new].map(|file| file.metadata().unwrap().modified().unwrap());
        assert!(new.duration_since(used).unwrap_or_default() < Duration::from_secs(60), "{used:?} {new:?}");
    }
}
