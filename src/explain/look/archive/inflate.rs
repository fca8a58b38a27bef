//! Deflate streams in memory, within bounds.

use flate2::{Decompress, FlushDecompress, Status};

use super::super::bounds::{Bounds, LookError};

/// What one step makes.
const STEP: usize = 1 << 16;

/// What a deflate stream holds.
pub(super) struct Inflated {
    /// Its content.
    pub(super) content: Vec<u8>,
    /// How many bytes it takes, of those that were given.
    pub(super) packed: usize,
}

/// Unpacks the deflate stream that `bytes` start with; none if it is broken.
pub(super) fn inflate(bytes: &[u8], bounds: &mut Bounds<'_>) -> Result<Option<Inflated>, LookError> {
    let mut inflate = Decompress::new(false);
    let mut content = Vec::new();
    let mut step = vec![0; STEP];
    loop {
        let (before_in, before_out) = (inflate.total_in(), inflate.total_out());
        let Some(rest) = usize::try_from(before_in).ok().and_then(|at| bytes.get(at..)) else { return Ok(None) };
        let Ok(status) = inflate.decompress(rest, &mut step, FlushDecompress::None) else { return Ok(None) };
        let made = inflate.total_out() - before_out;
        bounds.take(made)?;
        content.extend_from_slice(&step[..usize::try_from(made).unwrap_or_default()]);
        if status == Status::StreamEnd {
            let packed = usize::try_from(inflate.total_in()).unwrap_or(usize::MAX);
            return Ok(Some(Inflated { content, packed }));
        }
        if made == 0 && inflate.total_in() == before_in {
            return Ok(None);
        }
    }
}
