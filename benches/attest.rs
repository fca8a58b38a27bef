//! What reading, judging and counting 10,000 attestations of one file takes beside the signature checks alone.
//!
//! On one thread, in processor time as the kernel counts it, the smallest of interleaved rounds. The signatures are checked once more
//! for that, by the same library with the same keys.

#![allow(clippy::unwrap_used, missing_docs, reason = "a bench stops at the first surprise")]
#![allow(clippy::disallowed_macros, reason = "it tells what it measured")]

use std::fs::File;
use std::io::{BufReader, BufWriter, Write as _};
use std::path::Path;

use repro::parts::attest::{
    AskedImage, Auditor, Content, Envelope, Judged, KeyType, Lines, Rules, SigningKey, Trust, decide, judge,
    signed_bytes,
};
use repro::parts::limits::Limits;

const COUNT: usize = 10_000;
const ROUNDS: usize = 7;
const BOUND: f64 = 1.5;
const IMAGE: &str = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

/// Nanoseconds that this thread has run.
fn spent() -> u64 {
    let text = std::fs::read_to_string("/proc/self/schedstat").unwrap();
    text.split(' ').next().unwrap().parse().unwrap()
}

/// The most memory that the process had, in KiB.
fn peak() -> u64 {
    let text = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = text.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// A verdict of one auditor; each has another time, so that no two lines are alike.
fn statement(number: usize) -> String {
    let hex = IMAGE.trim_start_matches("sha256:");
    let (minute, second) = (number / 60 % 60, number % 60);
    format!(
        r#"{{"_type":"https://in-toto.io/Statement/v1","subject":[{{"name":"ghcr.io/acme/tool@linux/amd64","digest":{{"sha256":"{hex}"}}}}],"predicateType":"https://slsa.dev/verification_summary/v1","predicate":{{"verifier":{{"id":"https://auditor.example.net/repro","version":{{"repro":"0.1.0"}}}},"timeVerified":"2026-11-20T10:{minute:02}:{second:02}Z","resourceUri":"pkg:oci/tool?repository_url=ghcr.io/acme/tool&tag=1.{number}","policy":{{"uri":"about:unpublished#repro.lock","digest":{{"sha256":"{hex}"}}}},"verificationResult":"PASSED","verifiedLevels":["REPRO_BIT_FOR_BIT"],"slsaVersion":"1.2"}}}}"#
    )
}

fn write(path: &Path, key: &SigningKey) {
    let mut file = BufWriter::new(File::create(path).unwrap());
    for number in 0..COUNT {
        file.write_all(&Envelope::sign(statement(number).as_bytes(), key).to_line()).unwrap();
        file.write_all(b"\n").unwrap();
    }
    file.flush().unwrap();
}

fn envelopes(path: &Path, limits: &Limits, mut take: impl FnMut(&repro::parts::attest::Line)) {
    let mut lines = Lines::new(BufReader::new(File::open(path).unwrap()), limits);
    while let Some(batch) = lines.next_batch().unwrap() {
        batch.iter().for_each(|raw| take(&raw.read(limits).unwrap()));
    }
}

fn measure(kind: KeyType, name: &str) -> bool {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("all.intoto.jsonl");
    let key = SigningKey::generate(kind).unwrap();
    write(&path, &key);
    let public = key.public();
    let auditor =
        Auditor { name: "a".to_owned(), verifier: None, keys: vec![public.clone()], not_after: None, max_age: None };
    let trust = Trust::new(vec![auditor], 1).unwrap();
    let asked = [AskedImage { name: "app".to_owned(), digest: IMAGE.parse().unwrap() }];
    let limits = Limits::default();
    let lock = Some(IMAGE.parse().unwrap());
    let rules = Rules {
        trust: &trust,
        asked: &asked,
        lock,
        resource: None,
        accepts_content: false,
        now: 1_800_000_000,
        limits: &limits,
    };
    let (mut whole, mut alone) = (u64::MAX, u64::MAX);
    for _ in 0..ROUNDS {
        let began = spent();
        let mut votes = Vec::new();
        envelopes(&path, &limits, |line| match judge(line, "all.intoto.jsonl", &rules) {
            Judged::Counts(found) => votes.extend(found),
            other => panic!("{other:?}"),
        });
        assert_eq!(votes.len(), COUNT);
        assert!(decide(votes, &asked, &trust, lock, 0).is_met());
        whole = whole.min(spent() - began);
    }
    let memory = peak();
    let mut signed = Vec::new();
    envelopes(&path, &limits, |line| {
        let Content::Envelope(envelope) = &line.content else { panic!("an envelope") };
        signed.push((signed_bytes(&envelope.payload), envelope.signatures[0].bytes.clone()));
    });
    for _ in 0..ROUNDS {
        let began = spent();
        assert!(signed.iter().all(|(message, signature)| public.verifies(message, signature)));
        alone = alone.min(spent() - began);
    }
    let ratio = whole as f64 / alone as f64;
    let bytes = std::fs::metadata(&path).unwrap().len();
    println!(
        "{name}: {COUNT} attestations, {} KiB: {:.1} ms, signature checks alone {:.1} ms, ratio {ratio:.2} (at most {BOUND}), peak {} MiB",
        bytes >> 10,
        whole as f64 / 1e6,
        alone as f64 / 1e6,
        memory >> 10
    );
    ratio <= BOUND
}

fn main() {
    // Both are measured, whatever the first gives.
    let good = [measure(KeyType::Ed25519, "ed25519"), measure(KeyType::P256, "ecdsa-p256")];
    assert!(good.iter().all(|good| *good), "more than {BOUND} times the signature checks");
}
