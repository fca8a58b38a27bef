//! Streams that zlib 1.2.13 and gzip 1.12 made, by their digests.

use std::io::{Read, Write};

use super::{Encoder, Program};
use crate::digest::Digest;

/// Bytes of all kinds: random ones, words, zeros, repetitions from near and far.
fn input() -> Vec<u8> {
    let mut state = 1_u64;
    let mut next = move |below: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % below
    };
    let mut data: Vec<u8> = (0..40_000).map(|_| next(256) as u8).collect();
    let words: Vec<Vec<u8>> = (0..3000).map(|_| (0..2 + next(9)).map(|_| b'a' + next(26) as u8).collect()).collect();
    while data.len() < 400_000 {
        let (one, other) = (next(3000), next(3000));
        data.extend_from_slice(&words[one.min(other) as usize]);
        data.push(b' ');
    }
    data.extend([0; 60_000]);
    while data.len() < 600_000 {
        if next(3) == 0 {
            for _ in 0..=next(20) {
                data.push(next(8) as u8);
            }
        } else {
            let (distance, count) = (1 + next(40_000) as usize, 1 + next(300));
            for _ in 0..count {
                data.push(data[data.len() - distance]);
            }
        }
    }
    data
}

fn compressed(program: Program, level: u8, pieces: &[&[u8]]) -> Vec<u8> {
    let mut encoder = Encoder::new(program, level, Vec::new());
    pieces.iter().for_each(|piece| encoder.write_all(piece).unwrap());
    encoder.finish().unwrap()
}

#[test]
fn every_level_gives_the_bytes_of_both_programs() {
    let data = input();
    assert_eq!(Digest::of(&data).hex()[..16], *"f199d714fbc3e164");
    for (level, zlib_size, zlib, gzip_size, gzip) in [
        (1, 206_951, "4896b591bb5a8200", 208_753, "4d8b80d3d2951279"),
        (2, 206_317, "4f5d9f62198574b8", 208_147, "d28ddecd0db8e86b"),
        (3, 204_961, "3d705c0cb45477d7", 206_777, "6ca507d85698fae9"),
        (4, 193_294, "ee9040ec5eb66484", 195_152, "cf47e274e46a11fd"),
        (5, 191_073, "4cc319c755998428", 192_866, "906e63d2d9c48752"),
        (6, 190_510, "ec6afe1b750cc3e6", 192_274, "371bef4ad4ee2381"),
        (7, 190_510, "813079b999ebed29", 192_268, "6dada5901afd1864"),
        (8, 190_422, "0f99b5cb9960aa96", 192_166, "ed144947e2690a67"),
        (9, 190_389, "c01f293174dc7160", 192_122, "c090a63fd431f49a"),
    ] {
        for (program, size, digest) in [(Program::Zlib, zlib_size, zlib), (Program::Gzip, gzip_size, gzip)] {
            let made = compressed(program, level, &[&data]);
            assert_eq!((made.len(), &Digest::of(&made).hex()[..16]), (size, digest), "{program:?} {level}");
        }
    }
}

#[test]
fn how_the_input_is_cut_makes_no_difference_and_what_comes_out_is_the_input_again() {
    let data = input();
    for (from, to) in [(0, 0), (0, 1), (0, 3), (39_000, 41_000), (300_000, 600_165)] {
        let part = &data[from..to];
        for program in [Program::Zlib, Program::Gzip] {
            for level in [1, 6, 9] {
                let whole = compressed(program, level, &[part]);
                let pieces: Vec<&[u8]> = part.chunks(7001).collect();
                assert!(compressed(program, level, &pieces) == whole, "{program:?} {level} {from}");
                let mut unpacked = Vec::new();
                flate2::read::DeflateDecoder::new(whole.as_slice()).read_to_end(&mut unpacked).unwrap();
                assert!(unpacked == part, "{program:?} {level} {from}");
            }
        }
    }
}
