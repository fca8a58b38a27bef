//! The frozen gzip encoder against the vectors in `tests/cases/gzip`.
//!
//! The inputs come from the formulas of the encoder's specification, section 13. Image form 1 is the encoder's
//! single-write stream: where a vector was written in pieces that change the bytes, its `…-single` twin holds.

use std::collections::BTreeMap;
use std::io::Write;

use repro::parts::digest::{Digest, Hasher, Hashing};
use repro::parts::layer::gzip::{Encoder, ParallelEncoder};
use serde_json::Value;

/// How the input is handed over; the bytes must not depend on it.
const CUTS: [&[usize]; 4] = [&[usize::MAX], &[1, 261, 32_768], &[512, 31_999, 257], &[65_535, 3, 70_000]];

struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    fn below(&mut self, bound: usize) -> usize {
        (self.next() >> 33) as usize % bound
    }

    fn byte(&mut self, bound: usize) -> u8 {
        u8::try_from(self.below(bound)).unwrap()
    }
}

struct Params<'a>(&'a Value);

impl Params<'_> {
    fn number(&self, name: &str) -> usize {
        usize::try_from(self.0[name].as_u64().unwrap()).unwrap()
    }

    fn random(&self, name: &str) -> Random {
        Random(self.0[name].as_u64().unwrap())
    }
}

fn generate(of: &Value) -> Vec<u8> {
    let params = Params(&of["params"]);
    let mut out = Vec::new();
    match of["generator"].as_str().unwrap() {
        "repeat" => out.resize(params.number("n"), u8::try_from(params.number("byte")).unwrap()),
        "random" => {
            let mut random = params.random("seed");
            while out.len() < params.number("n") {
                out.extend(random.next().to_le_bytes());
            }
        }
        "alphabet" => {
            let (mut random, base, k) = (params.random("seed"), params.number("base"), params.number("k"));
            out.extend((0..params.number("n")).map(|_| ((base + random.below(k)) % 256) as u8));
        }
        "counter" => {
            let (mut value, add) = (params.number("start") as u32, params.number("add") as u32);
            while out.len() < params.number("n") {
                out.extend(value.to_le_bytes());
                value = value.wrapping_add(add);
            }
        }
        "text" => generate_text(&params, &mut out),
        "lz" => generate_lz(&params, &mut out),
        "fibmix" => generate_fibmix(&params, &mut out),
        "comb" => {
            let mut prefix = Vec::new();
            let mut random = params.random("seed");
            while prefix.len() < params.number("m") {
                prefix.extend(random.next().to_le_bytes());
            }
            prefix.truncate(params.number("m"));
            let mut fill = params.random("fill_seed");
            for _ in 0..params.number("count") {
                out.extend(&prefix);
                out.extend((0..params.number("gap")).map(|_| fill.byte(256)));
            }
        }
        "cycle" => {
            let part = generate(&of["params"]["of"]);
            while out.len() < params.number("n") {
                out.extend(&part);
            }
        }
        "pad" => {
            out = generate(&of["params"]["of"]);
            out.resize(out.len().next_multiple_of(params.number("unit")), 0);
        }
        "concat" => {
            for part in of["params"]["parts"].as_array().unwrap() {
                out.extend(generate(part));
            }
        }
        other => panic!("unknown generator {other}"),
    }
    if of["params"]["n"].is_u64() {
        out.truncate(params.number("n"));
    }
    out
}

fn generate_text(params: &Params<'_>, out: &mut Vec<u8>) {
    let mut random = params.random("seed");
    let words: Vec<Vec<u8>> = (0..params.number("words"))
        .map(|_| {
            let length = 2 + random.below(9);
            (0..length).map(|_| b'a' + random.byte(26)).collect()
        })
        .collect();
    while out.len() < params.number("n") {
        let u = random.next() >> 40;
        out.extend(&words[((u128::from(u) * u128::from(u) * words.len() as u128) >> 48) as usize]);
        out.extend(match random.below(16) {
            0 => b".\n".as_slice(),
            1 => b", ",
            _ => b" ",
        });
    }
}

fn generate_lz(params: &Params<'_>, out: &mut Vec<u8>) {
    let mut random = params.random("seed");
    while out.len() < params.number("n") {
        let kind = random.below(3);
        if kind == 0 || out.is_empty() {
            let count = 1 + random.below(params.number("lits"));
            let alphabet = params.number("alpha");
            out.extend((0..count).map(|_| random.byte(alphabet)));
        } else {
            let distance = 1 + random.below(params.number("dist").min(out.len()));
            let count = 1 + random.below(params.number("len"));
            for _ in 0..count {
                out.push(out[out.len() - distance]);
            }
        }
    }
}

fn generate_fibmix(params: &Params<'_>, out: &mut Vec<u8>) {
    let (mut random, k) = (params.random("seed"), params.number("k"));
    for i in 0..params.number("n") {
        if i % 4 > 0 {
            out.push(random.byte(k));
            continue;
        }
        let value = random.below(4180);
        let (mut a, mut b, mut sum, mut count) = (1, 1, 1, 0_u8);
        while sum <= value {
            (a, b) = (b, a + b);
            sum += a;
            count += 1;
        }
        out.push(200 + count);
    }
}

fn vectors() -> Vec<Value> {
    let text = std::fs::read_to_string("tests/cases/gzip/vectors.json").unwrap();
    serde_json::from_str(&text).unwrap()
}

fn compress(input: &[u8], cuts: &[usize]) -> (u64, Digest) {
    let mut encoder = Encoder::new(Hashing::new(std::io::sink()));
    let mut rest = input;
    for cut in cuts.iter().cycle() {
        if rest.is_empty() {
            break;
        }
        let (piece, tail) = rest.split_at(rest.len().min(*cut));
        encoder.write_all(piece).unwrap();
        rest = tail;
    }
    let (_, hasher) = encoder.finish().unwrap().into_parts();
    (hasher.length(), hasher.digest())
}

fn expected(vector: &Value, prefix: &str) -> (u64, Digest) {
    let digest = format!("sha256:{}", vector[format!("{prefix}_sha256")].as_str().unwrap());
    (vector[format!("{prefix}_len")].as_u64().unwrap(), digest.parse().unwrap())
}

#[test]
fn every_vector_gives_the_frozen_bytes_however_it_is_cut() {
    let vectors = vectors();
    let by_name: BTreeMap<&str, &Value> =
        vectors.iter().map(|vector| (vector["name"].as_str().unwrap(), vector)).collect();
    assert_eq!(by_name.len(), 120);
    let mut checked = 0;
    for (name, vector) in &by_name {
        if vector["slow"].as_bool() == Some(true) {
            continue;
        }
        let input = generate(vector);
        assert_eq!((input.len() as u64, Digest::of(&input)), expected(vector, "input"), "{name}: input");
        let single = name.strip_suffix("-cut").map(|stem| by_name[format!("{stem}-single").as_str()]);
        let want = expected(single.unwrap_or(vector), "gzip");
        for cuts in CUTS {
            assert_eq!(compress(&input, cuts), want, "{name}, cut {cuts:?}");
        }
        let mut parallel = ParallelEncoder::new(Hashing::new(std::io::sink()), 2);
        parallel.write_all(&input).unwrap();
        let (_, hasher) = parallel.finish().unwrap().into_parts();
        assert_eq!((hasher.length(), hasher.digest()), want, "{name}, parallel");
        checked += 1;
    }
    assert_eq!(checked, 119);
}

/// Takes minutes: `cargo test --release --test library gzip_vectors -- --ignored`.
#[test]
#[ignore = "compresses more than 4 GiB"]
fn an_input_of_more_than_four_gibibytes_is_nothing_special() {
    let vectors = vectors();
    let vector = vectors.iter().find(|vector| vector["slow"].as_bool() == Some(true)).unwrap();
    assert_eq!(vector["generator"], "repeat");
    let byte = u8::try_from(vector["params"]["byte"].as_u64().unwrap()).unwrap();
    let mut left = vector["input_len"].as_u64().unwrap();
    let piece = vec![byte; 1 << 20];
    let mut encoder = Encoder::new(Hashing::new(std::io::sink()));
    let mut input = Hasher::default();
    while left > 0 {
        let count = left.min(piece.len() as u64);
        encoder.write_all(&piece[..count as usize]).unwrap();
        input.update(&piece[..count as usize]);
        left -= count;
    }
    assert_eq!((input.length(), input.digest()), expected(vector, "input"));
    let (_, hasher) = encoder.finish().unwrap().into_parts();
    assert_eq!((hasher.length(), hasher.digest()), expected(vector, "gzip"));
}
