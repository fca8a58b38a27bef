//! All members of a gzip stream, strictly.

use std::io::{self, BufRead, Read};

use flate2::{Decompress, FlushDecompress, Status};

use super::DecompressError;

/// The optional fields of one header, together.
const MAX_HEADER: usize = 64 << 10;
const HAS_CHECKSUM: u8 = 1 << 1;
const HAS_EXTRA: u8 = 1 << 2;
const HAS_NAME: u8 = 1 << 3;
const HAS_COMMENT: u8 = 1 << 4;
const RESERVED: u8 = 0b1110_0000;

/// Reads the content of all members; the stream must end with the last one.
pub(super) struct Members<R> {
    source: R,
    inflate: Decompress,
    is_inside: bool,
    offset: u64,
    crc: crc32fast::Hasher,
    length: u32,
}

impl<R: BufRead> Members<R> {
    pub(super) fn new(source: R) -> Self {
        let inflate = Decompress::new(false);
        Self { source, inflate, is_inside: false, offset: 0, crc: crc32fast::Hasher::new(), length: 0 }
    }

    pub(super) fn get_ref(&self) -> &R {
        &self.source
    }

    pub(super) fn into_inner(self) -> R {
        self.source
    }

    fn malformed(&self, what: impl Into<String>) -> io::Error {
        DecompressError::Malformed { format: "gzip", offset: self.offset, what: what.into() }.into()
    }

    fn consume(&mut self, count: usize) {
        self.source.consume(count);
        self.offset += count as u64;
    }

    fn byte(&mut self) -> io::Result<u8> {
        let byte = self.source.fill_buf()?.first().copied();
        match byte {
            Some(byte) => {
                self.consume(1);
                Ok(byte)
            }
            None => Err(self.malformed("the stream is truncated")),
        }
    }

    fn number(&mut self) -> io::Result<u32> {
        Ok(u32::from_le_bytes([self.byte()?, self.byte()?, self.byte()?, self.byte()?]))
    }

    fn read_header(&mut self) -> io::Result<()> {
        let mut header = Vec::new();
        for _ in 0..10 {
            header.push(self.byte()?);
        }
        if header[..2] != *super::GZIP_MAGIC {
            return Err(self.malformed("bytes that are no gzip member"));
        }
        let flags = header[3];
        if header[2] != 8 || flags & RESERVED != 0 {
            return Err(self.malformed("unknown method or reserved flags"));
        }
        if flags & HAS_EXTRA != 0 {
            let low = self.byte()?;
            let high = self.byte()?;
            header.extend([low, high]);
            for _ in 0..u16::from_le_bytes([low, high]) {
                header.push(self.byte()?);
            }
        }
        for flag in [HAS_NAME, HAS_COMMENT] {
            if flags & flag == 0 {
                continue;
            }
            loop {
                let byte = self.byte()?;
                header.push(byte);
                if header.len() > MAX_HEADER {
                    return Err(self.malformed("the header's fields exceed 64 KiB"));
                }
                if byte == 0 {
                    break;
                }
            }
        }
        if flags & HAS_CHECKSUM != 0 {
            let found = u16::from_le_bytes([self.byte()?, self.byte()?]);
            if found != (crc32fast::hash(&header) & 0xffff) as u16 {
                return Err(self.malformed("the header's checksum is wrong"));
            }
        }
        Ok(())
    }

    fn read_trailer(&mut self) -> io::Result<()> {
        let expected = std::mem::take(&mut self.crc).finalize();
        let found = self.number()?;
        if found != expected {
            return Err(self.malformed(format!("the checksum should be {expected:08x} but is {found:08x}")));
        }
        let expected = std::mem::take(&mut self.length);
        let found = self.number()?;
        if found != expected {
            return Err(self.malformed(format!("the length should be {expected} but is {found}")));
        }
        Ok(())
    }
}

impl<R: BufRead> Read for Members<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        loop {
            let input = self.source.fill_buf()?;
            if !self.is_inside {
                if input.is_empty() {
                    return Ok(0);
                }
                self.read_header()?;
                self.inflate.reset(false);
                self.is_inside = true;
                continue;
            }
            if input.is_empty() {
                return Err(self.malformed("the stream is truncated"));
            }
            let (read, written) = (self.inflate.total_in(), self.inflate.total_out());
            let status = self.inflate.decompress(input, buffer, FlushDecompress::None);
            let read = (self.inflate.total_in() - read) as usize;
            let written = (self.inflate.total_out() - written) as usize;
            self.consume(read);
            let Ok(status) = status else { return Err(self.malformed("the compressed data is invalid")) };
            self.crc.update(&buffer[..written]);
            // The trailer holds the length modulo 2^32.
            self.length = self.length.wrapping_add(written as u32);
            if status == Status::StreamEnd {
                self.read_trailer()?;
                self.is_inside = false;
            } else if read == 0 && written == 0 {
                return Err(self.malformed("the compressed data makes no progress"));
            }
            if written > 0 {
                return Ok(written);
            }
        }
    }
}
