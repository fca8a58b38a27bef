//! The frozen gzip encoder, sequential and parallel: `cargo bench --bench gzip`.
//!
//! `REPRO_BENCH_INPUT` names a file to compress instead of the generated one (a tar of programs is the usual case).

#![allow(missing_docs, clippy::unwrap_used, reason = "a bench")]

use std::io::{Write, sink};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use repro::parts::layer::gzip::{Encoder, ParallelEncoder};

/// Something between text and program: words, numbers and repetitions from far back.
fn generated() -> Vec<u8> {
    let mut seed = 1_u64;
    let mut next = |bound: usize| {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        (seed >> 20) as usize % bound
    };
    let mut bytes = b"start".to_vec();
    while bytes.len() < 16 << 20 {
        if next(3) == 0 {
            let count = 1 + next(12);
            bytes.extend((0..count).map(|_| b' ' + next(90) as u8));
        } else {
            let start = bytes.len() - 1 - next(bytes.len().min(40_000));
            let end = bytes.len().min(start + 3 + next(24));
            bytes.extend_from_within(start..end);
        }
    }
    bytes
}

fn compress(criterion: &mut Criterion) {
    let input = std::env::var_os("REPRO_BENCH_INPUT").map_or_else(generated, |path| std::fs::read(path).unwrap());
    let mut group = criterion.benchmark_group("gzip");
    group.throughput(Throughput::Bytes(input.len() as u64)).sample_size(10);
    group.bench_function("sequential", |bencher| {
        bencher.iter(|| {
            let mut encoder = Encoder::new(sink());
            encoder.write_all(&input).unwrap();
            encoder.finish().unwrap()
        });
    });
    for threads in [1, 2, 4] {
        group.bench_function(format!("parallel/{threads}"), |bencher| {
            bencher.iter(|| {
                let mut encoder = ParallelEncoder::new(sink(), threads);
                encoder.write_all(&input).unwrap();
                encoder.finish().unwrap()
            });
        });
    }
    group.finish();
}

criterion_group!(benches, compress);
criterion_main!(benches);
