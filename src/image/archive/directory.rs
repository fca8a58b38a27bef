//! Layouts: like archives, with files for members.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Read};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use super::member::{Keeping, Nature, are_too_many, place};
use super::pool::{self, Job};
use super::source::{At, Source, open_regular};
use super::{Archive, Content, Held, HeldFile, Surroundings};
use crate::escape;

impl Archive {
    /// Reads the layout in `directory`.
    ///
    /// Only what belongs to a layout is read: the files beside `blobs`, and the blobs. No link is followed.
    ///
    /// # Errors
    /// When a directory, a file or a temporary file can't be read; everything else is a finding.
    pub fn read_directory(directory: &Path, around: &Surroundings<'_>) -> io::Result<Self> {
        let mut archive = Self::new(around.limits);
        let mut jobs = Vec::new();
        let mut directories = vec![(Vec::new(), directory.to_owned())];
        while let Some((prefix, directory)) = directories.pop() {
            let mut entries = Vec::new();
            for entry in fs::read_dir(&directory)? {
                let entry = entry?;
                entries.push((entry.file_name(), entry.path()));
                if entries.len() as u64 > around.limits.archive_members + 1 {
                    break;
                }
            }
            entries.sort();
            for (file_name, path) in entries {
                let name = [prefix.as_slice(), file_name.as_bytes()].concat();
                let metadata = fs::symlink_metadata(&path)?;
                let object = escape::name(&name);
                if metadata.is_dir() {
                    place(&mut archive, &name, Held::Directory, &object);
                    let depth = name.iter().filter(|byte| **byte == b'/').count();
                    if depth < 2 && (name == b"blobs" || name.starts_with(b"blobs/")) {
                        directories.push(([name.as_slice(), b"/"].concat(), path));
                    }
                } else if metadata.is_file() {
                    place(&mut archive, &name, Held::Refused, &object);
                    jobs.push(Job { name, size: metadata.len(), place: Source::File(path) });
                } else {
                    let what = if metadata.is_symlink() { "a symbolic link" } else { "a device, pipe or socket" };
                    archive.findings.violation("V3", &object, format!("{what}: only files and directories are read"));
                    place(&mut archive, &name, Held::Refused, &object);
                }
                if are_too_many(&mut archive, around) {
                    return Ok(archive);
                }
            }
        }
        archive.read_jobs(jobs, around)?;
        Ok(archive)
    }

    /// Reads members that lie in files or in memory, by name.
    pub fn read_sources(sources: BTreeMap<Vec<u8>, Source>, around: &Surroundings<'_>) -> io::Result<Self> {
        let mut archive = Self::new(around.limits);
        let mut jobs = Vec::new();
        for (name, source) in sources {
            let size = match &source {
                Source::File(path) => fs::metadata(path)?.len(),
                Source::Part { size, .. } => *size,
                Source::Bytes(bytes) => bytes.len() as u64,
                Source::Unread { size } => {
                    let file = HeldFile { size: *size, sums: None, content: Content::Skipped };
                    place(&mut archive, &name, Held::File(Box::new(file)), "source");
                    continue;
                }
            };
            place(&mut archive, &name, Held::Refused, "source");
            jobs.push(Job { name, size, place: source });
        }
        archive.read_jobs(jobs, around)?;
        Ok(archive)
    }

    /// Reads members, and remembers where they are.
    pub(super) fn read_jobs(&mut self, jobs: Vec<Job<Source>>, around: &Surroundings<'_>) -> io::Result<()> {
        for job in &jobs {
            if !matches!(job.place, Source::Bytes(_) | Source::Unread { .. }) {
                self.sources.insert(job.name.clone(), job.place.clone());
            }
        }
        let keeping = Keeping { archive: self, around };
        let outcomes = pool::run(jobs, around.threads, |job| {
            let (file, offset);
            let mut content = match &job.place {
                Source::Bytes(bytes) => return keeping.read(&job.name, job.size, &[], bytes.as_slice()),
                Source::Unread { size } => {
                    return Ok(HeldFile { size: *size, sums: None, content: Content::Skipped });
                }
                Source::File(path) => {
                    (file, offset) = (open_regular(path)?, 0);
                    At { file: &file, offset }
                }
                Source::Part { file, offset, .. } => At { file, offset: *offset },
            };
            let mut start = Vec::new();
            (&mut content).take(job.size.min(Nature::START)).read_to_end(&mut start)?;
            keeping.read(&job.name, job.size, &start, content)
        });
        self.take_in(outcomes)
    }
}
