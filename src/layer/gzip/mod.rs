//! The frozen gzip encoder of image form 1.
//!
//! It writes the bytes that `compress/gzip` of Go 1.21–1.26 writes at its default level when it is handed the whole
//! input in one call, and will never write others: a change of a single byte is a new image form.
//!
//! The way of the data: `chain` links every position to the earlier ones with the same hash, `matching` looks
//! for the longest repetition along those links, `parser` decides lazily between literal and match, `block`
//! groups the tokens and codes them with the lengths that `huffman` finds, `bits` packs them, [`Encoder`] puts
//! the member's frame around it all. [`ParallelEncoder`] does the same on several threads, with the same bytes.
//!
//! The rules, and the proof that the shortcuts taken here change nothing, are in `docs/formats.md`.

mod bits;
mod block;
mod chain;
mod chunk;
mod encoder;
mod huffman;
mod matching;
mod parallel;
mod parser;
mod token;

pub use encoder::Encoder;
pub use parallel::ParallelEncoder;

/// A distance never reaches farther back.
const MAX_DISTANCE: usize = 32_768;
/// The encoder that is imitated keeps a window of 65,536 bytes and moves it on by this much.
const WINDOW_STEP: u64 = 32_768;
/// What must be known beyond a position before the parser may decide about it: the longest match and one hash.
const LOOK_AHEAD: usize = 258 + 4;
/// The longest match.
const MAX_LENGTH: usize = 258;

/// Method 8, no flags, no time, no extra flags, operating system unknown.
const HEADER: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];

/// The last eight bytes of a member.
fn trailer(crc: u32, length: u64) -> [u8; 8] {
    // The format holds the length modulo 2^32.
    let length = (length & 0xffff_ffff) as u32;
    let mut bytes = [0; 8];
    bytes[..4].copy_from_slice(&crc.to_le_bytes());
    bytes[4..].copy_from_slice(&length.to_le_bytes());
    bytes
}
