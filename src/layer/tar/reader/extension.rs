//! What stands between a member's header and its content: the body of an extension header, the map of a sparse file.

use std::io::{BufRead, Read};

use super::{Reader, fill};
use crate::layer::tar::error::{Refusal, Severity, TarError};
use crate::layer::tar::parse::{Extensions, Parsed};
use crate::layer::tar::{BLOCK, field, header, sparse};
use crate::limits::LimitExceeded;

impl<R: Read> Reader<R> {
    /// The body of an extension header; none if its padding is cut, which Go takes for the end of the archive.
    pub(super) fn read_body(
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
            let block = self.read_block()?.ok_or_else(|| self.cut("the archive is truncated inside a header"))?;
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
                    Err(self.cut("the archive is truncated inside a block"))
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
    pub(super) fn read_sparse_map(
        &mut self,
        block: &[u8; BLOCK],
        parsed: &mut Parsed,
        offset: u64,
        headers: &mut Vec<u8>,
    ) -> Result<(), TarError> {
        let name = parsed.entry.path.clone();
        let refuse = |(severity, rule, what): Refusal| TarError::entry(severity, rule, offset, &name, what);
        let most = self.limits.tar_meta_bytes;
        let too_long = || LimitExceeded { name: "tar-meta-bytes", limit: most, object: "sparse map".into() };
        let mut read = 0;
        let mut next = |reader: &mut Self| -> Result<[u8; BLOCK], TarError> {
            read += BLOCK as u64;
            if read > most {
                return Err(too_long().into());
            }
            let block =
                reader.read_block()?.ok_or_else(|| reader.cut("the archive is truncated inside a sparse map"))?;
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
}
