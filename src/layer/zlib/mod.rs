//! The deflate streams of zlib and of GNU gzip, which many programs compress layers with, so that these layers can be made again.
//!
//! [`Encoder`] takes bytes and writes a deflate stream (RFC 1951) without a frame around it. `parser` decides between literals and
//! repetitions by the limits of a `level`, `matching` looks for these along chains of equal hashes, `block` closes a block
//! where the program does and codes it with the lengths that `tree` finds, `bits` packs them.
//!
//! Both programs have the same matching; where a block ends is what they differ in ([`Program`]). What is written is that
//! of a stream that was compressed in one go, at the usual memory level, without a dictionary, from level 1 on. Whether a
//! stream is one of these only trying tells: nothing here is a form that others may depend on.

mod bits;
mod block;
mod level;
mod matching;
mod parser;
#[cfg(test)]
mod tests;
mod tree;

pub use parser::Encoder;

/// Who made a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Program {
    /// zlib: Python, Java, Perl, PHP, git and many more.
    Zlib,
    /// GNU gzip.
    Gzip,
}

/// The longest repetition.
const MAX_LENGTH: usize = 258;
/// The shortest one.
const MIN_LENGTH: usize = 3;
/// Bytes that must be known beyond a position before it is decided about, unless the end is near.
const LOOK_AHEAD: usize = MAX_LENGTH + MIN_LENGTH + 1;
/// Nothing farther back is repeated.
const MAX_DISTANCE: u64 = 32_768 - LOOK_AHEAD as u64;
