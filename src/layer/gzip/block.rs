//! Blocks: tokens are counted, coded in the cheapest of three ways, and written.

use super::bits::BitWriter;
use super::huffman::{code_lengths, codewords};
use super::token::{LENGTHS, MATCHES, Token, distance_extra_bits};

/// A block is closed when it has this many tokens.
pub(super) const MAX_TOKENS: usize = 16_384;
/// A block that is stored never stands for more bytes (`docs/formats.md`: stored blocks stay below 21,300 bytes).
pub(super) const MAX_STORED: usize = 32_768;

const END_OF_BLOCK: usize = 256;
const LITERAL_SYMBOLS: usize = 286;
const DISTANCE_SYMBOLS: usize = 30;
const MAX_WORD: usize = 15;
const MAX_LENGTH_WORD: usize = 7;
/// The order in which the header lists the lengths of the code-length code.
const LENGTH_ORDER: [usize; 19] = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];

/// Writes one block; `raw` starts with the bytes that it stands for if it may be stored. Returns their number.
pub(super) fn write(writer: &mut BitWriter, tokens: &[Token], raw: Option<&[u8]>) -> u64 {
    let counts = Counts::of(tokens);
    let extent = counts.extent;
    let raw = raw.and_then(|raw| raw.get(..extent as usize)).filter(|raw| raw.len() <= MAX_STORED);
    let dynamic = Code::dynamic(&counts);
    let header = Header::of(&dynamic);
    let dynamic_bits = 3 + header.bits() + counts.bits(&dynamic);
    let fixed = Code::fixed();
    let fixed_bits = 3 + counts.bits(&fixed);
    let coded_bits = dynamic_bits.min(fixed_bits);
    match raw {
        Some(raw) if 8 * (extent + 5) < coded_bits => write_stored(writer, raw, false),
        _ if dynamic_bits < fixed_bits => {
            writer.put(0b100, 3);
            header.write(writer);
            write_tokens(writer, tokens, &dynamic);
        }
        _ => {
            writer.put(0b010, 3);
            write_tokens(writer, tokens, &fixed);
        }
    }
    extent
}

/// Writes a stored block; the last block of a stream is an empty one of these.
pub(super) fn write_stored(writer: &mut BitWriter, raw: &[u8], is_last: bool) {
    writer.put(u64::from(is_last), 3);
    writer.align();
    let length = raw.len() as u16;
    writer.put(u64::from(length) | u64::from(!length) << 16, 32);
    writer.put_bytes(raw);
}

/// How often each symbol occurs.
struct Counts {
    literals: [u32; LITERAL_SYMBOLS],
    distances: [u32; DISTANCE_SYMBOLS],
    extra_bits: u64,
    /// How many bytes the tokens stand for.
    extent: u64,
}

impl Counts {
    fn of(tokens: &[Token]) -> Self {
        let mut indices = [0_u32; 512];
        let mut symbols = [0_u32; 32];
        for token in tokens {
            indices[token.index()] += 1;
            symbols[token.distance_symbol()] += 1;
        }
        let (bytes, lengths) = indices.split_at(MATCHES);
        let mut literals = [0_u32; LITERAL_SYMBOLS];
        literals[..MATCHES].copy_from_slice(bytes);
        let literal_count: u32 = bytes.iter().sum();
        let mut extra_bits = 0;
        let mut extent = u64::from(literal_count);
        for ((count, (symbol, extra, _)), length) in lengths.iter().zip(LENGTHS).zip(3..) {
            extent += u64::from(*count) * length;
            literals[257 + usize::from(symbol)] += count;
            extra_bits += u64::from(*count) * u64::from(extra);
        }
        // Literals were counted with the first distance.
        symbols[0] -= literal_count;
        let mut distances = [0; DISTANCE_SYMBOLS];
        distances.copy_from_slice(&symbols[..DISTANCE_SYMBOLS]);
        for (symbol, count) in distances.iter().enumerate() {
            extra_bits += u64::from(*count) * u64::from(distance_extra_bits(symbol));
        }
        literals[END_OF_BLOCK] = 1;
        if lengths.iter().all(|&count| count == 0) {
            // A block without matches counts one distance all the same, in the codes and in every estimate.
            distances[0] = 1;
        }
        Self { literals, distances, extra_bits, extent }
    }

    /// The size of the tokens in `code`.
    fn bits(&self, code: &Code) -> u64 {
        let sum = |counts: &[u32], lengths: &[u8]| -> u64 {
            counts.iter().zip(lengths).map(|(&count, &length)| u64::from(count) * u64::from(length)).sum()
        };
        sum(&self.literals, &code.literals) + sum(&self.distances, &code.distances) + self.extra_bits
    }
}

/// The lengths of the codewords of both alphabets.
struct Code {
    /// The two symbols beyond the last usable one have words in the fixed code only.
    literals: [u8; LITERAL_SYMBOLS + 2],
    distances: [u8; DISTANCE_SYMBOLS],
}

impl Code {
    fn fixed() -> Self {
        let mut literals = [8; LITERAL_SYMBOLS + 2];
        literals[144..256].fill(9);
        literals[256..280].fill(7);
        Self { literals, distances: [5; DISTANCE_SYMBOLS] }
    }

    fn dynamic(counts: &Counts) -> Self {
        let mut code = Self { literals: [0; LITERAL_SYMBOLS + 2], distances: [0; DISTANCE_SYMBOLS] };
        code_lengths(&counts.literals, MAX_WORD, &mut code.literals);
        code_lengths(&counts.distances, MAX_WORD, &mut code.distances);
        code
    }
}

/// What stands before the tokens of a dynamic block.
struct Header {
    literal_count: usize,
    distance_count: usize,
    /// Symbols of the code-length code, each with the value of its extra bits.
    runs: Vec<(u8, u8)>,
    lengths: [u8; 19],
    listed: usize,
    body_bits: u64,
}

impl Header {
    fn of(code: &Code) -> Self {
        let used = |lengths: &[u8]| lengths.iter().rposition(|&length| length > 0).map_or(0, |last| last + 1);
        let literal_count = used(&code.literals);
        let distance_count = used(&code.distances);
        let sequence: Vec<u8> =
            code.literals[..literal_count].iter().chain(&code.distances[..distance_count]).copied().collect();
        let runs = run_lengths(&sequence);
        let mut counts = [0_u32; 19];
        for (symbol, _) in &runs {
            counts[usize::from(*symbol)] += 1;
        }
        let mut lengths = [0; 19];
        code_lengths(&counts, MAX_LENGTH_WORD, &mut lengths);
        let listed = LENGTH_ORDER.iter().rposition(|&symbol| counts[symbol] > 0).map_or(0, |last| last + 1).max(4);
        let body_bits = (0_u8..).zip(counts).zip(lengths).map(|((symbol, count), length)| {
            u64::from(count) * (u64::from(length) + u64::from(run_extra_bits(symbol)))
        });
        let body_bits = body_bits.sum();
        Self { literal_count, distance_count, runs, lengths, listed, body_bits }
    }

    fn bits(&self) -> u64 {
        5 + 5 + 4 + 3 * self.listed as u64 + self.body_bits
    }

    fn write(&self, writer: &mut BitWriter) {
        writer.put(self.literal_count as u64 - 257, 5);
        writer.put(self.distance_count as u64 - 1, 5);
        writer.put(self.listed as u64 - 4, 4);
        for &symbol in &LENGTH_ORDER[..self.listed] {
            writer.put(u64::from(self.lengths[symbol]), 3);
        }
        let mut words = [0; 19];
        codewords(&self.lengths, &mut words);
        for &(symbol, extra) in &self.runs {
            let index = usize::from(symbol);
            writer.put(u64::from(words[index]), u32::from(self.lengths[index]));
            writer.put(u64::from(extra), run_extra_bits(symbol));
        }
    }
}

fn run_extra_bits(symbol: u8) -> u32 {
    match symbol {
        16 => 2,
        17 => 3,
        18 => 7,
        _ => 0,
    }
}

/// The sequence of code lengths in the symbols of the code-length code.
fn run_lengths(sequence: &[u8]) -> Vec<(u8, u8)> {
    let mut runs = Vec::with_capacity(sequence.len());
    for run in sequence.chunk_by(|a, b| a == b) {
        let value = run[0];
        let mut count = run.len();
        let (least, most, symbol) = if value == 0 { (11, 138, 18) } else { (3, 6, 16) };
        if value != 0 {
            runs.push((value, 0));
            count -= 1;
        }
        while count >= least {
            let repeated = count.min(most);
            runs.push((symbol, (repeated - least) as u8));
            count -= repeated;
        }
        if value == 0 && count >= 3 {
            runs.push((17, (count - 3) as u8));
            count = 0;
        }
        runs.extend(std::iter::repeat_n((value, 0), count));
    }
    runs
}

/// Writes the tokens and the end of the block.
fn write_tokens(writer: &mut BitWriter, tokens: &[Token], code: &Code) {
    let mut words = [0; LITERAL_SYMBOLS + 2];
    codewords(&code.literals, &mut words);
    // A byte's codeword, or a length's with its extra bits, and how many bits that is.
    let mut heads = [(0_u32, 0_u32); 512];
    for (slot, (&word, &count)) in heads.iter_mut().zip(words[..MATCHES].iter().zip(&code.literals)) {
        *slot = (u32::from(word), u32::from(count));
    }
    for (slot, (symbol, extra_bits, extra)) in heads[MATCHES..].iter_mut().zip(LENGTHS) {
        let symbol = 257 + usize::from(symbol);
        let count = code.literals[symbol];
        *slot = (u32::from(words[symbol]) | u32::from(extra) << count, u32::from(count + extra_bits));
    }
    let mut distance_words = [0; DISTANCE_SYMBOLS];
    codewords(&code.distances, &mut distance_words);
    let mut distances = [(0_u32, 0_u32); 32];
    for (slot, (&word, &count)) in distances.iter_mut().zip(distance_words.iter().zip(&code.distances)) {
        *slot = (u32::from(word), u32::from(count));
    }

    writer.put_all(tokens.iter().map(|token| {
        let (bits, count) = heads[token.index()];
        if !token.is_match() {
            return (u64::from(bits), count);
        }
        let symbol = token.distance_symbol();
        let (word, length) = distances[symbol];
        let extra = distance_extra_bits(symbol);
        let tail = word | (token.distance_code() & ((1 << extra) - 1)) << length;
        (u64::from(bits) | u64::from(tail) << count, count + length + extra)
    }));
    writer.put(u64::from(words[END_OF_BLOCK]), u32::from(code.literals[END_OF_BLOCK]));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_are_cut_greedily_and_remainders_stay_literal() {
        let runs = |value: u8, count: usize| run_lengths(&vec![value; count]);
        assert_eq!(runs(0, 2), [(0, 0), (0, 0)]);
        assert_eq!(runs(0, 10), [(17, 7)]);
        assert_eq!(runs(0, 140), [(18, 127), (0, 0), (0, 0)]);
        assert_eq!(runs(8, 3), [(8, 0), (8, 0), (8, 0)]);
        assert_eq!(runs(8, 9), [(8, 0), (16, 3), (8, 0), (8, 0)]);
    }
}
