//! Reading archives: strictly, as streams, never unpacked.
//!
//! Whatever two common readers could take in two ways is refused, with the number of the rule. Rules about several
//! entries are checked by [`super::super::scan`].
//!
//! [`Reader::next`] goes from header to header: `extension` reads what extends one, `content` what a member holds, and
//! `end` decides where the archive ends.

mod content;
mod end;
mod extension;

use std::io::{self, BufRead, BufReader, Read};

use super::error::{Severity, TarError};
use super::field::{self, Format, Sum};
use super::member::Member;
use super::name::Climbing;
use super::parse::{Extensions, Parsed};
use super::{BLOCK, header};
use crate::limits::{LimitExceeded, Limits};

pub use end::End;

const BUFFER: usize = 1 << 16;

/// Reads the members of an archive, one after the other.
pub struct Reader<R> {
    source: BufReader<R>,
    limits: Limits,
    offset: u64,
    /// What is left of the current member's content, and of the padding behind it.
    content: u64,
    padding: u64,
    /// The current member's name, for messages.
    name: Vec<u8>,
    headers: u64,
    signed_checksums: u64,
    claimed: u64,
    end: Option<End>,
    climbing: Climbing,
    /// The stream may end inside the padding of the last member, and what follows the end is not read.
    is_local: bool,
    /// Every byte counts, since no digest stands for the whole: padding is zeros, checksums are written in one way.
    is_sealed: bool,
}

impl<R: Read> Reader<R> {
    /// Reads the archive in `source`.
    pub fn new(source: R, limits: &Limits) -> Self {
        Self {
            source: BufReader::with_capacity(BUFFER, source),
            limits: limits.clone(),
            offset: 0,
            content: 0,
            padding: 0,
            name: Vec::new(),
            headers: 0,
            signed_checksums: 0,
            claimed: 0,
            end: None,
            climbing: Climbing::Refused,
            is_local: false,
            is_sealed: false,
        }
    }

    /// Reads an archive that no digest stands for, so that every byte of it has to mean what it says: padding is
    /// zeros, and checksums are written as six octal digits, NUL and blank, or as seven and NUL.
    pub fn of_image_archive(source: R, limits: &Limits) -> Self {
        // What the members claim is counted by their own limits.
        let limits = Limits { layer_bytes: u64::MAX, ..limits.clone() };
        Self { is_sealed: true, ..Self::new(source, &limits) }
    }

    /// Reads an archive that ADD unpacks, which BuildKit takes less strictly: `..` in a name is clamped to the root
    /// (in [`Member::key`]), the last member's padding may be missing, and nothing is read behind the end.
    pub fn of_local_archive(source: R, limits: &Limits) -> Self {
        Self { climbing: Climbing::Clamped, is_local: true, ..Self::new(source, limits) }
    }

    /// The next member; what is left of the current one's content is passed over. None at the end, after which the
    /// stream was read to its end too.
    ///
    /// # Errors
    /// When the archive breaks a rule or a limit, or the stream fails; the reader must not be used afterwards.
    #[expect(clippy::should_implement_trait, reason = "a member's content is read between two calls")]
    pub fn next(&mut self) -> Result<Option<Member>, TarError> {
        if self.end.is_some() {
            return Ok(None);
        }
        self.skip_content()?;
        let mut extensions = Extensions::default();
        let mut headers = Vec::new();
        let start = self.offset;
        loop {
            let Some(block) = self.read_block()? else {
                self.check_end(&extensions)?;
                self.end = Some(End::Short);
                return Ok(None);
            };
            if block.iter().all(|&byte| byte == 0) {
                self.check_end(&extensions)?;
                self.read_end()?;
                return Ok(None);
            }
            self.count_header()?;
            headers.extend_from_slice(&block);
            let offset = self.offset - BLOCK as u64;
            let (format, sum) = check_header(&block, offset)?;
            self.signed_checksums += u64::from(sum == Sum::SignedBytes);
            if self.is_sealed && !field::has_usual_checksum(&block) {
                let (name, what) = (field::text(&block[header::NAME]), "the checksum is written in an unusual way");
                return Err(TarError::entry(Severity::Unsafe, 1, offset, name, what));
            }
            let flag = block[header::TYPE_FLAG];
            if b"xgLK".contains(&flag) {
                let Some(body) = self.read_body(&block, flag, offset, &mut headers)? else {
                    self.end = Some(End::Short);
                    return Ok(None);
                };
                extensions.add(flag, format, &body, offset, &self.limits)?;
                continue;
            }
            let mut parsed = Parsed::of(&block, format, extensions, self.climbing, offset, &self.limits)?;
            self.read_sparse_map(&block, &mut parsed, offset, &mut headers)?;
            self.claim(&parsed)?;
            self.content = parsed.entry.size;
            // The padding counts from the start of the map of a sparse file, which fills whole blocks.
            self.padding = parsed.entry.size.wrapping_neg() % BLOCK as u64;
            self.name.clone_from(&parsed.entry.path);
            return Ok(Some(Member {
                entry: parsed.entry,
                key: parsed.key,
                nanoseconds: parsed.nanoseconds,
                user: parsed.user,
                group: parsed.group,
                sparse_size: parsed.sparse_size,
                offset: start,
                headers,
            }));
        }
    }

    /// How the archive ended; none before its end.
    pub fn end(&self) -> Option<End> {
        self.end
    }

    /// How many headers so far have a checksum over signed bytes.
    pub fn signed_checksums(&self) -> u64 {
        self.signed_checksums
    }

    /// How many bytes of the archive were read so far.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// Gives back the stream, which is at its end if the archive is.
    pub fn into_inner(self) -> R {
        self.source.into_inner()
    }

    fn count_header(&mut self) -> Result<(), TarError> {
        self.headers += 1;
        if self.headers > self.limits.tar_entries {
            let object = "archive".into();
            return Err(LimitExceeded { name: "tar-entries", limit: self.limits.tar_entries, object }.into());
        }
        Ok(())
    }

    /// Counts the size that a member claims.
    fn claim(&mut self, parsed: &Parsed) -> Result<(), TarError> {
        let size = parsed.entry.size.max(parsed.sparse_size.unwrap_or(0));
        self.claimed = self.claimed.saturating_add(size);
        if self.claimed > self.limits.layer_bytes {
            let object = format!("entry {}", crate::escape::name(&parsed.entry.path));
            return Err(LimitExceeded { name: "layer-bytes", limit: self.limits.layer_bytes, object }.into());
        }
        Ok(())
    }

    /// One block, none at the end of the stream.
    fn read_block(&mut self) -> Result<Option<[u8; BLOCK]>, TarError> {
        let mut block = [0; BLOCK];
        let mut filled = 0;
        while filled < BLOCK {
            match self.source.read(&mut block[filled..]) {
                Ok(0) if filled == 0 => return Ok(None),
                Ok(0) => return Err(self.cut("the archive is truncated inside a block")),
                Ok(count) => filled += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            }
        }
        self.offset += BLOCK as u64;
        Ok(Some(block))
    }

    fn cut(&self, what: &str) -> TarError {
        TarError::object(Severity::Malformed, 12, self.offset, "archive".into(), what)
    }
}

/// Like `fill_buf`, but goes on when interrupted.
fn fill<R: Read>(source: &mut BufReader<R>) -> io::Result<&[u8]> {
    while let Err(error) = source.fill_buf() {
        if error.kind() != io::ErrorKind::Interrupted {
            return Err(error);
        }
    }
    source.fill_buf()
}

fn check_header(block: &[u8; BLOCK], offset: u64) -> Result<(Format, Sum), TarError> {
    let name = field::text(&block[header::NAME]);
    let Some(sum) = field::checksum_of(block) else {
        return Err(TarError::entry(Severity::Malformed, 1, offset, name, "the header's checksum is wrong"));
    };
    let what = "the header has an unknown magic or version";
    let format = field::format(block).ok_or_else(|| TarError::entry(Severity::Unsafe, 1, offset, name, what))?;
    Ok((format, sum))
}

#[cfg(test)]
mod tests;
