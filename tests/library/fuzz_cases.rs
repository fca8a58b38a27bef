//! What the fuzz targets do with what was found once, and with changed seeds, without a fuzzer.
//!
//! `REPRO_FUZZ_SECONDS` says how long each target goes on (2), `REPRO_FUZZ_SEED` where it starts.

#![allow(clippy::disallowed_macros, reason = "it tells how far it came")]

#[path = "../../fuzz/src/lib.rs"]
mod targets;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use tempfile::TempDir;

type Target = fn(&[u8]);

const TARGETS: [(&str, Target); 25] = [
    ("json", targets::json),
    ("tar", targets::tar),
    ("compression", targets::compression),
    ("archive", targets::archive),
    ("reference", targets::reference),
    ("dockerfile", targets::texts::dockerfile),
    ("lint", targets::texts::lint),
    ("shell", targets::texts::shell),
    ("ignore", targets::texts::ignore),
    ("manifest", targets::texts::manifest),
    ("lockfile", targets::texts::lockfile),
    ("imports", targets::imports::imports),
    ("tape", targets::texts::tape),
    ("request_head", targets::texts::request_head),
    ("challenge", targets::texts::challenge),
    ("attributes", targets::texts::attributes),
    ("look", targets::differences::look),
    ("report", targets::differences::report),
    ("sides", targets::sides::sides),
    ("buildkit", targets::output::buildkit),
    ("delta", targets::deltas::delta),
    ("description", targets::texts::description),
    ("base_layer", targets::bases::layer),
    ("owners", targets::bases::owners),
    ("attestation", targets::attestations::attestation),
];

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().map_or(default, |text| text.parse().unwrap())
}

fn files(directory: &Path) -> Vec<Vec<u8>> {
    let Ok(entries) = fs::read_dir(directory) else { return Vec::new() };
    let files: BTreeMap<_, _> =
        entries.map(|entry| entry.unwrap().path()).map(|path| (path.clone(), fs::read(path).unwrap())).collect();
    files.into_values().collect()
}

#[test]
fn what_was_found_once_is_mended() {
    for (name, target) in TARGETS {
        let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/regressions").join(name);
        files(&directory).iter().for_each(|case| target(case));
    }
}

/// Marsaglia's xorshift.
struct Luck(u64);

impl Luck {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 11).unwrap() % limit.max(1)
    }

    /// A case with a few changes, of kinds that reach behind checksums and lengths.
    fn change(&mut self, cases: &[Vec<u8>]) -> Vec<u8> {
        const NOTABLE: [u8; 12] = [0, 1, 0x20, b'0', b'7', b'/', b'.', b'"', 0x7f, 0x80, 0xfe, 0xff];
        let mut case = cases[self.below(cases.len())].clone();
        for _ in 0..=self.below(4) {
            let at = self.below(case.len());
            let length = self.below(600).min(case.len().saturating_sub(at));
            match self.below(8) {
                _ if case.is_empty() => case.push(NOTABLE[self.below(12)]),
                0 => case[at] ^= 1 << self.below(8),
                1 => case[at] = NOTABLE[self.below(12)],
                2 => drop(case.drain(at..at + length)),
                3 => {
                    let piece = case[at..at + length].to_vec();
                    let to = self.below(case.len());
                    case.splice(to..to, piece);
                }
                4 => {
                    let other = &cases[self.below(cases.len())];
                    let from = self.below(other.len());
                    let piece = other[from..other.len().min(from + 600)].to_vec();
                    case.splice(at..at + length, piece);
                }
                5 => case.truncate(at),
                6 => {
                    // Whole blocks, as in a tar.
                    let block = at / 512 * 512;
                    let piece = case[block..case.len().min(block + 512)].to_vec();
                    let to = self.below(case.len()) / 512 * 512;
                    case.splice(to..to, piece);
                }
                _ => self.fix_checksum(&mut case, at / 512 * 512),
            }
        }
        case
    }

    /// Changes a tar header and makes its checksum right again.
    fn fix_checksum(&mut self, case: &mut [u8], start: usize) {
        let Some(header) = case.get_mut(start..start + 512) else { return };
        let at = self.below(512);
        header[at] = u8::try_from(self.below(256)).unwrap();
        header[148..156].fill(b' ');
        let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
        header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    }
}

#[test]
fn changed_seeds_make_no_target_fail() {
    let directory = TempDir::new().unwrap();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (archives, corpus) = (directory.path().join("archives"), directory.path().join("corpus"));
    let run = |command: &mut Command| {
        let output = command.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    };
    run(Command::new("python3")
        .arg(root.join("tests/cases/hostile/generate.py"))
        .arg(&archives)
        .args(["--set", "open"]));
    run(Command::new("python3").arg(root.join("fuzz/seeds.py")).arg(&archives).arg(&corpus));
    let seconds = number("REPRO_FUZZ_SECONDS", 2);
    let only = std::env::var("REPRO_FUZZ_TARGET").unwrap_or_default();
    for (name, target) in TARGETS.into_iter().filter(|(name, _)| name.contains(&only)) {
        let mut cases = files(&corpus.join(name));
        assert!(cases.len() >= 8, "there are seeds for {name}");
        cases.iter().for_each(|case| target(case));
        let mut luck = Luck(number("REPRO_FUZZ_SEED", 0x9e37_79b9_7f4a_7c15) | 1);
        let (start, mut runs) = (Instant::now(), 0_u64);
        while start.elapsed() < Duration::from_secs(seconds) {
            let case = luck.change(&cases);
            if case.len() <= 1 << 17 {
                target(&case);
                runs += 1;
                if luck.below(50) == 0 && cases.len() < 5000 {
                    cases.push(case);
                }
            }
        }
        println!("{name}: {runs} changed seeds in {seconds} s");
    }
}
