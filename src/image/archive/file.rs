//! Archives in files: first the headers, then all members at once.

use std::fs::File;
use std::io::{self, Read, Seek};
use std::sync::Arc;

use super::member::{Keeping, Nature, admit, are_too_many};
use super::pool::{self, Job, Outcome};
use super::source::{At, Source};
use super::{Archive, Held, Surroundings};
use crate::escape;
use crate::image::findings::tar_rule;
use crate::layer::decompress::Compression;
use crate::layer::tar::{Reader, TarError};
use crate::limits::LimitExceeded;

impl Archive {
    /// Reads the archive in `file` from its start.
    ///
    /// # Errors
    /// When the file or a temporary one can't be read; everything else is a finding.
    pub fn read_file(mut file: File, around: &Surroundings<'_>) -> io::Result<Self> {
        let mut archive = Self::new(around.limits);
        file.rewind()?;
        if !archive.looks_like_tar(&first_bytes(&file, 0)?) {
            return Ok(archive);
        }
        let mut jobs = Vec::new();
        let mut reader = Reader::of_image_archive(&file, around.limits);
        loop {
            around.cancel.check().map_err(io::Error::other)?;
            let member = match reader.next() {
                Ok(Some(member)) => member,
                Ok(None) => break,
                Err(error) => {
                    archive.broken(error)?;
                    break;
                }
            };
            if admit(&mut archive, &member) {
                jobs.push(Job { name: member.key, size: member.entry.size, place: reader.offset() });
            }
            if are_too_many(&mut archive, around) {
                break;
            }
            reader.pass_over_content()?;
        }
        archive.note_end(reader.end());
        let file = Arc::new(file);
        for job in &jobs {
            let part = Source::Part { file: Arc::clone(&file), offset: job.place, size: job.size };
            archive.sources.insert(job.name.clone(), part);
        }
        let keeping = Keeping { archive: &archive, around };
        let outcomes = pool::run(jobs, around.threads, |job| {
            let mut content = At { file: &file, offset: job.place };
            let mut start = Vec::new();
            (&mut content).take(job.size.min(Nature::START)).read_to_end(&mut start)?;
            keeping.read(&job.name, job.size, &start, content)
        });
        archive.take_in(outcomes)?;
        Ok(archive)
    }

    /// Says what it is when it is no tar at all.
    pub(super) fn looks_like_tar(&mut self, start: &[u8]) -> bool {
        let what = match Compression::of_magic(start) {
            _ if start.is_empty() => "it is empty: not an image archive",
            Compression::None => return true,
            Compression::Gzip => "it is compressed with gzip: not an image archive, but there may be one inside",
            Compression::Zstd => "it is compressed with zstd: not an image archive, but there may be one inside",
        };
        self.findings.violation("V3", "archive", what);
        false
    }

    /// Keeps what is wrong with the archive's own format.
    pub(super) fn broken(&mut self, error: TarError) -> io::Result<()> {
        match error {
            TarError::Io(error) => return Err(error),
            TarError::Violation(violation) => {
                let object = if violation.object == "archive" {
                    violation.object.clone()
                } else {
                    format!("archive member: {}", violation.object)
                };
                let what = format!("{} at offset {}", violation.what, violation.offset);
                self.findings.violation(tar_rule(violation.rule), object, what);
            }
            other => self.findings.violation("limit", "archive", other),
        }
        Ok(())
    }

    pub(super) fn note_end(&mut self, end: Option<crate::layer::tar::End>) {
        if end == Some(crate::layer::tar::End::Short) {
            self.findings.note("short-end", "archive", "it does not end with two blocks of zeros");
        }
    }

    /// Puts what was read at its name.
    pub(super) fn take_in(&mut self, outcomes: Vec<Outcome>) -> io::Result<()> {
        let mut outcomes = outcomes;
        outcomes.sort_by(|one, other| one.0.cmp(&other.0));
        for (name, outcome) in outcomes {
            let held = match outcome {
                Ok(file) => Held::File(Box::new(file)),
                Err(error) => {
                    let object = format!("archive member {}", escape::name(&name));
                    if error.kind() == io::ErrorKind::UnexpectedEof {
                        self.findings.violation("tar 12", object, "the archive is truncated inside its content");
                    } else {
                        match error.downcast::<LimitExceeded>() {
                            Ok(limit) => self.findings.violation("limit", object, limit),
                            Err(error) => self.broken(error.into())?,
                        }
                    }
                    Held::Refused
                }
            };
            self.members.insert(name, held);
        }
        Ok(())
    }
}

fn first_bytes(file: &File, offset: u64) -> io::Result<Vec<u8>> {
    let mut start = Vec::new();
    At { file, offset }.take(16).read_to_end(&mut start)?;
    Ok(start)
}
