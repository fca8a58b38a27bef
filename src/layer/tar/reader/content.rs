//! The content of a member and the padding behind it: read, passed over, or left unread.

use std::io::{self, BufRead, Read};

use super::{Reader, fill};
use crate::layer::tar::error::{Severity, TarError};

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
            let what = "the archive is truncated inside the content";
            return Err(TarError::entry(Severity::Malformed, 12, reader.offset, &reader.name, what).into());
        }
        reader.content -= count as u64;
        reader.offset += count as u64;
        Ok(count)
    }
}

impl<R: Read> Reader<R> {
    /// The content of the current member, as it is stored.
    pub fn content(&mut self) -> Content<'_, R> {
        Content { reader: self }
    }

    pub(super) fn skip_content(&mut self) -> Result<(), TarError> {
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
                let what = "the archive is truncated inside the content";
                return Err(TarError::entry(Severity::Malformed, 12, self.offset, &name, what));
            }
            let count = available.min(left);
            self.source.consume(count as usize);
            self.offset += count;
            left -= count;
        }
        Ok(())
    }

    pub(super) fn dirty_padding(&self) -> TarError {
        let what = "there is something in the padding";
        TarError::object(Severity::Unsafe, 12, self.offset, "archive".into(), what)
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
