//! Reading archives: strictly, as streams, never unpacked.
//!
//! Whatever two common readers could take in two ways is refused, with the number of the rule. Rules about several
//! entries are checked by [`super::super::scan`].

use std::io::{self, BufRead, BufReader, Read};

use super::error::{Severity, TarError};
use super::field::{self, Format};
use super::member::Member;
use super::name::Climbing;
use super::parse::{Extensions, Parsed};
use super::{BLOCK, header, sparse};
use crate::limits::{LimitExceeded, Limits};

const BUFFER: usize = 1 << 16;

/// The one thing that may stand behind the end: the list of chunks that eStargz layers have there, which is no file of
/// the image (BuildKit writes it with `compression=estargz`).
const CHUNK_LIST: &[u8] = b"stargz.index.json";

/// How an archive ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// With two blocks of zeros, and zeros only behind them.
    Complete,
    /// With one block of zeros, or none.
    Short,
}

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
            let format = check_header(&block, offset)?;
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

    /// The content of the current member, as it is stored.
    pub fn content(&mut self) -> Content<'_, R> {
        Content { reader: self }
    }

    /// How the archive ended; none before its end.
    pub fn end(&self) -> Option<End> {
        self.end
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
                Ok(0) => return Err(self.cut("the archive is cut inside a block")),
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

    /// Whether there may be an end behind these extension headers, which Go passes over.
    fn check_end(&self, extensions: &Extensions) -> Result<(), TarError> {
        if self.is_local { Ok(()) } else { extensions.check_end(self.offset) }
    }

    /// The body of an extension header; none if its padding is cut, which Go takes for the end of the archive.
    fn read_body(
        &mut self,
        block: &[u8; BLOCK],
        flag: u8,
        offset: u64,
        headers: &mut Vec<u8>,
    ) -> Result<Option<Vec<u8>>, TarError> {
        let object = Extensions::name(flag);
        let size = field::number(&block[header::SIZE])
            .map_err(|what| TarError::object(Severity::Malformed, 2, offset, object.into(), what))?
            .unwrap_or(0);
        if size > self.limits.tar_meta_bytes {
            let limit = self.limits.tar_meta_bytes;
            return Err(LimitExceeded { name: "tar-meta-bytes", limit, object: object.into() }.into());
        }
        let start = headers.len();
        if self.is_local && !size.is_multiple_of(BLOCK as u64) {
            return self.read_local_body(size, headers);
        }
        for _ in 0..size.div_ceil(BLOCK as u64) {
            let block = self.read_block()?.ok_or_else(|| self.cut("the archive is cut inside a header"))?;
            headers.extend_from_slice(&block);
        }
        if self.is_sealed && headers[start + size as usize..].iter().any(|&byte| byte != 0) {
            return Err(self.dirty_padding());
        }
        Ok(Some(headers[start..start + size as usize].to_vec()))
    }

    /// A body whose last block is filled up.
    fn read_local_body(&mut self, size: u64, headers: &mut Vec<u8>) -> Result<Option<Vec<u8>>, TarError> {
        let whole = size.next_multiple_of(BLOCK as u64);
        let mut body = Vec::new();
        while (body.len() as u64) < whole {
            let rest = fill(&mut self.source)?;
            let count = rest.len().min((whole - body.len() as u64) as usize);
            if count == 0 {
                return if body.len() as u64 >= size {
                    Ok(None)
                } else {
                    Err(self.cut("the archive is cut inside a block"))
                };
            }
            body.extend_from_slice(&rest[..count]);
            self.source.consume(count);
            self.offset += count as u64;
        }
        headers.extend_from_slice(&body);
        body.truncate(size as usize);
        Ok(Some(body))
    }

    /// Reads the rest of the map of a sparse file and checks it.
    fn read_sparse_map(
        &mut self,
        block: &[u8; BLOCK],
        parsed: &mut Parsed,
        offset: u64,
        headers: &mut Vec<u8>,
    ) -> Result<(), TarError> {
        let name = parsed.entry.path.clone();
        let refuse = |(severity, rule, what): super::pax::Refusal| TarError::entry(severity, rule, offset, &name, what);
        let most = self.limits.tar_meta_bytes;
        let too_long = || LimitExceeded { name: "tar-meta-bytes", limit: most, object: "sparse map".into() };
        let mut read = 0;
        let mut next = |reader: &mut Self| -> Result<[u8; BLOCK], TarError> {
            read += BLOCK as u64;
            if read > most {
                return Err(too_long().into());
            }
            let block = reader.read_block()?.ok_or_else(|| reader.cut("the archive is cut inside a sparse map"))?;
            headers.extend_from_slice(&block);
            Ok(block)
        };
        let map = match (parsed.sparse_size, parsed.sparse_place.take()) {
            (None, _) => return Ok(()),
            (Some(_), Some(sparse::Place::Records(map))) => map,
            (Some(_), Some(sparse::Place::Content)) => {
                let mut lines = sparse::Lines::default();
                while {
                    let left = parsed.entry.size.checked_sub(BLOCK as u64);
                    parsed.entry.size = left.ok_or_else(|| {
                        refuse((Severity::Malformed, 6, "the map of a sparse file is longer than its content"))
                    })?;
                    lines.add_block(&next(self)?).map_err(refuse)?
                } {}
                lines.map
            }
            (Some(_), None) => {
                let mut map = sparse::Map::default();
                let mut goes_on = map.add_block(block, false).map_err(refuse)?;
                while goes_on {
                    goes_on = map.add_block(&next(self)?, true).map_err(refuse)?;
                }
                map
            }
        };
        map.finish(parsed.entry.size, parsed.sparse_size.unwrap_or(0)).map_err(refuse)
    }

    fn skip_content(&mut self) -> Result<(), TarError> {
        let padding = self.padding;
        let mut left = self.content + padding;
        self.content = 0;
        self.padding = 0;
        while left > 0 {
            let rest = fill(&mut self.source)?;
            let available = rest.len() as u64;
            if available == 0 && self.is_local && left <= padding {
                return Ok(());
            }
            if self.is_sealed {
                let of_padding =
                    &rest[(left.saturating_sub(padding)).min(available) as usize..available.min(left) as usize];
                if of_padding.iter().any(|&byte| byte != 0) {
                    return Err(self.dirty_padding());
                }
            }
            if available == 0 {
                let name = std::mem::take(&mut self.name);
                let what = "the archive is cut inside the content";
                return Err(TarError::entry(Severity::Malformed, 12, self.offset, &name, what));
            }
            let count = available.min(left);
            self.source.consume(count as usize);
            self.offset += count;
            left -= count;
        }
        Ok(())
    }

    fn dirty_padding(&self) -> TarError {
        let what = "there is something in the padding";
        TarError::object(Severity::Unsafe, 12, self.offset, "archive".into(), what)
    }

    /// After a block of zeros: a second one, then zeros only.
    fn read_end(&mut self) -> Result<(), TarError> {
        if self.is_local {
            let second = self.read_block()?;
            if second.is_some_and(|block| block.iter().any(|&byte| byte != 0)) {
                let what = "something stands behind a block of zeros";
                return Err(TarError::object(Severity::Malformed, 12, self.offset, "archive".into(), what));
            }
            self.end = Some(if second.is_some() { End::Complete } else { End::Short });
            return Ok(());
        }
        let mut zeros = 0_u64;
        let mut has_chunk_list = self.is_sealed;
        loop {
            let available = fill(&mut self.source)?;
            if available.is_empty() {
                break;
            }
            if let Some(count) = available.iter().position(|&byte| byte != 0) {
                zeros += count as u64;
                self.source.consume(count);
                self.offset += count as u64;
                let is_end = zeros >= BLOCK as u64 && zeros.is_multiple_of(BLOCK as u64);
                if is_end && !has_chunk_list && self.pass_over_chunk_list()? {
                    has_chunk_list = true;
                    zeros = 0;
                    continue;
                }
                let what = "something stands behind a block of zeros, where most readers stop";
                return Err(TarError::object(Severity::Unsafe, 12, self.offset, "archive".into(), what));
            }
            let count = available.len();
            self.source.consume(count);
            self.offset += count as u64;
            zeros += count as u64;
        }
        self.end = Some(if zeros >= BLOCK as u64 { End::Complete } else { End::Short });
        Ok(())
    }

    /// Passes over the member that may stand behind the end; false if it is another one.
    fn pass_over_chunk_list(&mut self) -> Result<bool, TarError> {
        let offset = self.offset;
        let Some(block) = self.read_block()? else { return Ok(false) };
        self.count_header()?;
        let is_list = check_header(&block, offset)? == Format::Ustar
            && field::text(&block[header::NAME]) == CHUNK_LIST
            && block[header::PREFIX].iter().all(|&byte| byte == 0)
            && block[header::TYPE_FLAG] == b'0';
        let size = field::number(&block[header::SIZE]).ok().flatten().unwrap_or(0);
        if !is_list || size > self.limits.layer_bytes {
            return Ok(false);
        }
        self.content = size;
        self.padding = size.wrapping_neg() % BLOCK as u64;
        self.name = CHUNK_LIST.to_vec();
        self.skip_content()?;
        Ok(true)
    }
}

impl<R: Read + io::Seek> Reader<R> {
    /// Goes to the end of the current member's content without reading it.
    ///
    /// That the content is there is not checked.
    pub fn pass_over_content(&mut self) -> io::Result<()> {
        let too_far = |_| io::Error::from(io::ErrorKind::UnexpectedEof);
        self.source.seek_relative(i64::try_from(self.content).map_err(too_far)?)?;
        self.offset = self.offset.saturating_add(self.content);
        self.content = 0;
        Ok(())
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

fn check_header(block: &[u8; BLOCK], offset: u64) -> Result<Format, TarError> {
    let name = field::text(&block[header::NAME]);
    if !field::has_valid_checksum(block) {
        return Err(TarError::entry(Severity::Malformed, 1, offset, name, "the header's checksum is wrong"));
    }
    let what = "the header has an unknown magic or version";
    field::format(block).ok_or_else(|| TarError::entry(Severity::Unsafe, 1, offset, name, what))
}

/// Reads the content of a member.
pub struct Content<'a, R> {
    reader: &'a mut Reader<R>,
}

impl<R: Read> Read for Content<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let reader = &mut *self.reader;
        let most = usize::try_from(reader.content).unwrap_or(usize::MAX).min(buffer.len());
        if most == 0 {
            return Ok(0);
        }
        let count = reader.source.read(&mut buffer[..most])?;
        if count == 0 {
            let what = "the archive is cut inside the content";
            return Err(TarError::entry(Severity::Malformed, 12, reader.offset, &reader.name, what).into());
        }
        reader.content -= count as u64;
        reader.offset += count as u64;
        Ok(count)
    }
}

#[cfg(test)]
mod tests;
