//! Looks into files: why two contents of one path differ, or what a file that only one image has is.
//!
//! [`look`] is asked for each pair of regular files whose bytes differ, [`look_at_one`] for each regular file on one side.
//! Each kind of file is a file here, a pure function of bytes; what it finds are [`Reason`]s, each with the code of a
//! cause ([`super::causes`]) and how sure it is. Whoever asks decides what the reason means at that path: a benign cause
//! that is not proven counts as content, and so does a file without a reason.

#![allow(dead_code, unused_imports, reason = "the looks that use it come next")]

mod bounds;
mod content;
mod reason;

pub(crate) use bounds::{Bounds, LookError};
pub(crate) use content::{Content, Memory};
pub use reason::{Detail, Hunk, Line, Look, Reason};

/// Why the bytes of the two files differ. At least one reason, the nearest first; `C120` where nothing explains it.
///
/// # Errors
/// When a content can't be read, or work should stop. Bounds that are reached are no error but the reason `C121`.
pub(crate) fn look(
    _path: &[u8],
    _first: &mut dyn Content,
    _second: &mut dyn Content,
    _bounds: &mut Bounds<'_>,
) -> Result<Look, LookError> {
    Ok(Look { causes: vec![Reason::unexplained()] })
}

/// What a file is that only one image has. No reason where nothing is special about it.
///
/// # Errors
/// As [`look`].
pub(crate) fn look_at_one(
    _path: &[u8],
    _content: &mut dyn Content,
    _bounds: &mut Bounds<'_>,
) -> Result<Look, LookError> {
    Ok(Look::default())
}
