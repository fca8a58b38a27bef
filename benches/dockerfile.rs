//! How fast Dockerfiles are read: the corpus, parsed alone and with the sources of the last stage.

#![allow(clippy::unwrap_used, missing_docs, reason = "a bench stops at the first surprise")]

use std::collections::BTreeMap;
use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use repro::parts::dockerfile::parse;
use repro::parts::dockerfile::sources::Sources;
use repro::parts::dockerfile::target::{Question, UnknownImages, resolve};
use repro::parts::limits::Limits;
use serde_json::Value;

fn corpus() -> Vec<String> {
    let corpus = std::fs::read_to_string("tests/cases/dockerfiles/sources.jsonl").unwrap();
    let text = |line: &str| serde_json::from_str::<Value>(line).unwrap()["dockerfile"].as_str().unwrap().to_owned();
    corpus.lines().map(text).collect()
}

/// A file of the length that is usual in the wild, about 2 KiB.
fn usual() -> String {
    let steps = "RUN set -eux; \\\n    apt-get update; \\\n    apt-get install -y --no-install-recommends curl=${CURL} \\\n    && rm -rf /var/lib/apt/lists/*\nENV PATH=/opt/${NAME}/bin:$PATH LANG=C.UTF-8\nCOPY --chown=1:1 [\"src\", \"/app/${NAME}\"]\nEXPOSE 80 443\n";
    format!(
        "# syntax=docker/dockerfile:1\nARG BASE=debian:12\nFROM $BASE AS build\nARG NAME=x CURL=7\n{}FROM alpine:3.20\nCOPY --from=build /app /app\nCMD [\"/app/x\"]\n",
        steps.repeat(7)
    )
}

fn read(criterion: &mut Criterion) {
    let files = corpus();
    let platform: repro::parts::platform::Platform = "linux/amd64".parse().unwrap();
    let question = Question {
        target: String::new(),
        platform: platform.clone(),
        build_platform: platform,
        build_args: BTreeMap::new(),
        contexts: BTreeMap::new(),
    };
    let sources = |text: &str| {
        let dockerfile = parse(text.as_bytes(), &Limits::default()).ok()?;
        resolve(&dockerfile, &question, &mut UnknownImages).ok().map(|target| Sources::of(&target))
    };
    let mut group = criterion.benchmark_group("dockerfile");
    group.throughput(Throughput::Elements(files.len() as u64));
    group.bench_function("parse the corpus", |b| {
        b.iter(|| files.iter().filter(|text| parse(black_box(text.as_bytes()), &Limits::default()).is_ok()).count());
    });
    group.bench_function("sources of the corpus", |b| {
        b.iter(|| files.iter().filter(|text| sources(black_box(text)).is_some()).count());
    });
    let usual = usual();
    group.throughput(Throughput::Elements(1));
    group.bench_function("parse a usual file", |b| {
        b.iter(|| parse(black_box(usual.as_bytes()), &Limits::default()).is_ok())
    });
    group.bench_function("sources of a usual file", |b| b.iter(|| sources(black_box(&usual)).is_some()));
}

criterion_group!(benches, read);
criterion_main!(benches);
