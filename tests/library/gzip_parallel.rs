//! The parallel encoder writes the bytes of the sequential one, whatever the input and however it is cut.

use std::io::Write;

use proptest::prelude::*;
use repro::parts::layer::gzip::{Encoder, ParallelEncoder};

fn sequential(input: &[u8]) -> Vec<u8> {
    let mut encoder = Encoder::new(Vec::new());
    encoder.write_all(input).unwrap();
    encoder.finish().unwrap()
}

fn parallel(input: &[u8], threads: usize, cut: usize) -> Vec<u8> {
    let mut encoder = ParallelEncoder::new(Vec::new(), threads);
    for piece in input.chunks(cut) {
        encoder.write_all(piece).unwrap();
    }
    encoder.finish().unwrap()
}

fn assert_equal(what: &str, input: &[u8]) {
    let want = sequential(input);
    for (threads, cut) in [(1, 1 << 30), (2, 70_001), (3, 1 << 20)] {
        assert!(parallel(input, threads, cut) == want, "{what}: {threads} threads, cut {cut}");
    }
}

/// A cheap generator, so that the inputs are the same everywhere.
fn noise(mut seed: u64, length: usize) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(length + 8);
    while bytes.len() < length {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        bytes.extend(seed.to_le_bytes());
    }
    bytes.truncate(length);
    bytes
}

#[test]
fn inputs_made_to_mislead_the_guess_give_the_same_bytes() {
    const MIB: usize = 1 << 20;
    // Matches of one length everywhere: parsers that start out of step stay out of step for long.
    assert_equal("zeros", &vec![0; 5 * MIB + 17]);
    for period in [2, 3, 4, 5, 7, 255, 257, 258, 259, 260, 263, 4095, 4099, 32_767, 32_768, 32_769] {
        let unit = noise(period as u64, period);
        let input: Vec<u8> = unit.iter().copied().cycle().take(3 * MIB + 5).collect();
        assert_equal(&format!("period {period}"), &input);
    }
    // A run over every border, of another length each time, then something else.
    let mut input = Vec::new();
    for i in 0..5 {
        input.extend(noise(77 + i, MIB - 3000 * (i as usize + 1)));
        input.extend(vec![b'r'; 6007 * (i as usize + 1)]);
        input.extend(b"the end of the run ".repeat(40));
    }
    assert_equal("runs over borders", &input);
    // Postponed matches in a row: each one is a byte longer than the one before.
    let ladder: Vec<u8> = (4..20).flat_map(|n| (0..n).map(move |i| b'a' + i)).collect();
    let input: Vec<u8> = ladder.iter().copied().cycle().take(2 * MIB + 999).collect();
    assert_equal("ladder", &input);
    assert_equal("noise", &noise(1, 3 * MIB + 1));
}

#[test]
fn lengths_around_the_borders_of_chunks_give_the_same_bytes() {
    const MIB: usize = 1 << 20;
    let input: Vec<u8> = noise(5, 3 * MIB).iter().map(|byte| byte % 7).collect();
    for length in [0, 1, 261, 262, 263, MIB - 1, MIB, MIB + 1, MIB + 261, MIB + 262, MIB + 263, 2 * MIB, 2 * MIB + 262]
    {
        let input = &input[..length];
        assert!(parallel(input, 2, 1 << 30) == sequential(input), "{length}");
    }
}

/// Something that an input may be made of.
fn part() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        (any::<u8>(), 1_usize..200_000).prop_map(|(byte, length)| vec![byte; length]),
        (any::<u64>(), 1_usize..200_000).prop_map(|(seed, length)| noise(seed | 1, length)),
        (any::<u64>(), 1_u8..9, 1_usize..300_000)
            .prop_map(|(seed, modulus, length)| noise(seed | 1, length).iter().map(|byte| byte % modulus).collect()),
        (any::<u64>(), 1_usize..600, 1_usize..300_000).prop_map(|(seed, period, length)| noise(seed | 1, period)
            .into_iter()
            .cycle()
            .take(length)
            .collect()),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_input_gives_the_same_bytes(
        parts in prop::collection::vec(part(), 1..24),
        repeats in 1_usize..4,
        threads in 1_usize..4,
        cut in 1_usize..2_000_000,
    ) {
        let input = parts.concat().repeat(repeats);
        prop_assert!(parallel(&input, threads, cut) == sequential(&input));
    }
}
