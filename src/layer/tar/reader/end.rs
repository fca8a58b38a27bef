//! The end of an archive, and what may stand behind it.

use std::io::{BufRead, Read};

use super::{Reader, check_header, fill};
use crate::layer::tar::error::{Severity, TarError};
use crate::layer::tar::field::{self, Format};
use crate::layer::tar::parse::Extensions;
use crate::layer::tar::{BLOCK, header};

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

impl<R: Read> Reader<R> {
    /// Whether there may be an end behind these extension headers, which Go passes over.
    pub(super) fn check_end(&self, extensions: &Extensions) -> Result<(), TarError> {
        if self.is_local { Ok(()) } else { extensions.check_end(self.offset) }
    }

    /// After a block of zeros: a second one, then zeros only.
    pub(super) fn read_end(&mut self) -> Result<(), TarError> {
        if self.is_local {
            let second = self.read_block()?;
            if second.is_some_and(|block| block.iter().any(|&byte| byte != 0)) {
                let what = "something follows a block of zeros";
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
                let what = "something follows a block of zeros, where most readers stop";
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
        let is_list = check_header(&block, offset)?.0 == Format::Ustar
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
