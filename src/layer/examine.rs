//! One pass over a stored layer that goes on after violations: its sums are known in any case, and every violation that can
//! still be seen is told.

use std::io::{self, Cursor, Read};

use super::decompress::{Compression, Decompressor};
use super::listing::{Contents, Listed, Listing};
use super::names::{Names, OuterLinks, Tree, Workspace};
use super::tar::{End, Reader, TarError};
use crate::digest::{Algorithm, Checksums, Summing};
use crate::limits::{LimitExceeded, Limits};

/// So many violations of one layer are kept; the others are counted.
const MOST_VIOLATIONS: usize = 100;
/// So many violations of all layers together are kept, besides the first of each.
const MOST_VIOLATIONS_OF_ALL: usize = 10_000;

/// How layers are examined.
#[derive(Clone, Copy)]
pub struct Examination<'a> {
    /// Shared by all layers of the run.
    pub workspace: &'a Workspace,
    /// The limits.
    pub limits: &'a Limits,
    /// The digests to compute besides sha256.
    pub algorithm: Algorithm,
    /// What of the entries is kept.
    pub listed: Listed,
    /// Who gets the contents of files, where these are listed.
    pub contents: Option<&'a dyn Contents>,
}

/// What was found about a stored layer.
#[derive(Debug)]
pub struct Examined {
    /// Of the bytes as they are stored.
    pub stored: Checksums,
    /// How they are packed, by their first bytes.
    pub compression: Compression,
    /// Of the uncompressed bytes; none if they could not be read to their end.
    pub uncompressed: Option<Checksums>,
    /// How many entries were read.
    pub entries: u64,
    /// The newest modification time of an entry, if there is one.
    pub newest_mtime: Option<i64>,
    /// Entries whose names start with `/`.
    pub absolute_names: u64,
    /// Headers whose checksum is over signed bytes.
    pub signed_checksums: u64,
    /// How the archive ends; none if its end was not reached.
    pub end: Option<End>,
    /// What stands at its paths, as far as they were read.
    pub names: Option<Names>,
    /// Hard links into lower layers.
    pub outer_links: OuterLinks,
    /// What is wrong, in order.
    pub violations: Vec<TarError>,
    /// How many more violations there are.
    pub more_violations: u64,
    /// The entries, where they were asked for.
    pub listing: Option<Listing>,
}

/// What the tar reader found so far.
struct Findings<'a> {
    how: Examination<'a>,
    entries: u64,
    newest_mtime: Option<i64>,
    absolute_names: u64,
    signed_checksums: u64,
    end: Option<End>,
    names: Option<Names>,
    outer_links: OuterLinks,
    violations: Vec<TarError>,
    more_violations: u64,
    listing: Option<Listing>,
}

impl Examination<'_> {
    /// Reads a stored layer, whose first bytes are `start`, to its end.
    ///
    /// # Errors
    /// Only when the stream itself or a temporary file fails.
    pub fn run(self, start: &[u8], stored: impl Read) -> io::Result<Examined> {
        let mut findings = Findings {
            how: self,
            entries: 0,
            newest_mtime: None,
            absolute_names: 0,
            signed_checksums: 0,
            end: None,
            names: None,
            outer_links: OuterLinks::default(),
            violations: Vec::new(),
            more_violations: 0,
            listing: Listing::of(self.listed, self.limits),
        };
        let compression = Compression::of_magic(start);
        let stored = Summing::new(Cursor::new(start).chain(stored), self.algorithm);
        let (stored, uncompressed) = if compression == Compression::None {
            let mut stored = findings.read(stored)?;
            drain(&mut stored)?;
            let (_, sums) = stored.into_parts();
            if sums.length > self.limits.layer_bytes {
                let limit = self.limits.layer_bytes;
                findings.violation(LimitExceeded { name: "layer-bytes", limit, object: "layer".into() }.into());
            }
            (sums.clone(), Some(sums))
        } else {
            findings.unpack(compression, stored)?
        };
        Ok(Examined {
            stored,
            compression,
            uncompressed,
            entries: findings.entries,
            newest_mtime: findings.newest_mtime,
            absolute_names: findings.absolute_names,
            signed_checksums: findings.signed_checksums,
            end: findings.end,
            names: findings.names,
            outer_links: findings.outer_links,
            violations: findings.violations,
            more_violations: findings.more_violations,
            listing: findings.listing,
        })
    }
}

impl Findings<'_> {
    fn violation(&mut self, error: TarError) {
        let room = || self.how.workspace.count_violation() < MOST_VIOLATIONS_OF_ALL;
        if self.violations.is_empty() || self.violations.len() < MOST_VIOLATIONS && room() {
            self.violations.push(error);
        } else {
            self.more_violations += 1;
        }
    }

    /// Keeps what is wrong with the layer; failures of the stream end everything.
    fn take(&mut self, error: TarError) -> io::Result<()> {
        match error {
            TarError::Io(error) => Err(error),
            error => {
                self.violation(error);
                Ok(())
            }
        }
    }

    fn unpack(
        &mut self,
        compression: Compression,
        stored: Summing<impl Read>,
    ) -> io::Result<(Checksums, Option<Checksums>)> {
        let decompressor = Decompressor::new(compression, stored, self.how.limits)?;
        let mut unpacked = self.read(Summing::new(decompressor, self.how.algorithm))?;
        // What goes over a limit is not read on: it would only cost time.
        let ends_all = |violation: &TarError| matches!(violation, TarError::Decompress(_) | TarError::Limit(_));
        let mut is_whole = !self.violations.iter().any(ends_all);
        if is_whole && let Err(error) = drain(&mut unpacked) {
            self.take(error.into())?;
            is_whole = false;
        }
        let (decompressor, unpacked) = unpacked.into_parts();
        let mut stored = decompressor.into_inner();
        drain(&mut stored)?;
        let (_, stored) = stored.into_parts();
        Ok((stored, is_whole.then_some(unpacked)))
    }

    /// Reads the archive up to its end or its first violation that hides where the next entry starts.
    fn read<R: Read>(&mut self, source: R) -> io::Result<R> {
        let mut reader = Reader::new(source, self.how.limits);
        let mut tree = Tree::new(self.how.workspace);
        loop {
            let member = match reader.next() {
                Ok(Some(member)) => member,
                Ok(None) => break,
                Err(error) => {
                    self.take(error)?;
                    return Ok(reader.into_inner());
                }
            };
            self.entries += 1;
            self.signed_checksums = reader.signed_checksums();
            self.absolute_names += u64::from(member.entry.path.starts_with(b"/"));
            self.newest_mtime = self.newest_mtime.max(Some(member.entry.mtime));
            if let Err(error) = tree.add(&member) {
                self.take(error)?;
            }
            if let Some(listing) = &mut self.listing
                && let Err(error) = listing.add(&member, reader.content(), self.how.contents)
            {
                self.take(error.into())?;
                return Ok(reader.into_inner());
            }
        }
        self.end = reader.end();
        let (names, outer_links) = tree.finish(|error| self.violation(error))?;
        (self.names, self.outer_links) = (Some(names), outer_links);
        Ok(reader.into_inner())
    }
}

/// Reads the rest and forgets it.
fn drain(reader: &mut impl Read) -> io::Result<()> {
    let mut piece = vec![0; 1 << 16];
    loop {
        match reader.read(&mut piece) {
            Ok(0) => return Ok(()),
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}
