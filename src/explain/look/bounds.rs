//! How far looks go: levels of files inside files, and bytes, for one pair and for all.

use std::io;

use crate::cancel::{Cancel, Cancelled};

/// What one run of looks may still do. The same input always gets as far, on every machine: work is counted in bytes.
#[derive(Debug)]
pub(crate) struct Bounds<'a> {
    /// Levels of files inside files that may still be entered.
    depth: u32,
    /// Bytes that this pair of files may still make: unpacked, parsed or compared more than once.
    bytes: u64,
    cancel: &'a Cancel,
}

/// A look ended before its end.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LookError {
    /// A content can't be read.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// Work should stop.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
    /// A bound was reached; the name says which.
    #[error("the bound `{0}` was reached")]
    Reached(&'static str),
}

impl<'a> Bounds<'a> {
    /// Bounds for one pair of files.
    pub(crate) fn new(depth: u32, bytes: u64, cancel: &'a Cancel) -> Self {
        Self { depth, bytes, cancel }
    }

    /// Takes `bytes` from what may be done. Asks whether to stop, too.
    ///
    /// # Errors
    /// When there are not so many left, or work should stop.
    pub(crate) fn take(&mut self, bytes: u64) -> Result<(), LookError> {
        self.cancel.check()?;
        self.bytes = self.bytes.checked_sub(bytes).ok_or(LookError::Reached("look-bytes"))?;
        Ok(())
    }

    /// Does `inside` one level deeper.
    ///
    /// # Errors
    /// When there is no level left, and those of `inside`.
    pub(crate) fn enter<T>(&mut self, inside: impl FnOnce(&mut Self) -> Result<T, LookError>) -> Result<T, LookError> {
        self.depth = self.depth.checked_sub(1).ok_or(LookError::Reached("look-depth"))?;
        let result = inside(self);
        self.depth += 1;
        result
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_come_back_and_bytes_do_not() {
        let cancel = Cancel::default();
        let mut bounds = Bounds::new(1, 10, &cancel);
        for _ in 0..3 {
            bounds.enter(|deeper| deeper.take(3)).unwrap();
        }
        assert!(bounds.take(1).is_ok());
        assert!(matches!(bounds.take(1), Err(LookError::Reached("look-bytes"))));
        let deeper = bounds.enter(|deeper| deeper.enter(|_| Ok(())));
        assert!(matches!(deeper, Err(LookError::Reached("look-depth"))));
        cancel.cancel();
        assert!(matches!(bounds.take(0), Err(LookError::Cancelled(_))));
    }
}
