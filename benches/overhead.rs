//! What a build through the engine costs beyond plain `buildctl` on the same inputs.
//!
//! `cargo bench --bench overhead` with the rig's variables set; without them it says so and ends.

#![allow(clippy::unwrap_used, reason = "a bench stops at the first surprise")]
#![allow(clippy::disallowed_macros, reason = "a bench prints what it measured")]

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use repro::parts::build::{Engine, ImageForm, Inputs, Parameters, Plan, RunSurroundings, Surroundings};
use repro::parts::context::{Content, Entry, EntryKind, Tree};
use repro::parts::digest::Digest;
use repro::parts::dockerfile::parse;
use repro::parts::engine::buildkit::{BuildKit, Host};
use repro::parts::limits::Limits;
use repro::parts::lockfile::Pin;
use repro::parts::manifest::Network;
use repro::parts::process::{Environment, Programs};

#[path = "../tests/end_to_end/sources.rs"]
mod sources;

const ROUNDS: usize = 9;

fn main() {
    let (Ok(address), Ok(_)) = (std::env::var("BUILDKIT_HOST"), std::env::var("REPRO_CONFIG")) else {
        eprintln!("not run: no rig (`eval \"$(tests/rig/up)\"` starts it)");
        return;
    };
    let host = Host {
        programs: Programs::from_path(&std::env::var_os("PATH").unwrap()),
        environment: Environment::new(std::env::vars_os()),
        config: sources::config(),
        cache: std::env::temp_dir(),
        now: 1_800_000_000,
        offline: false,
    };
    let engine = BuildKit::buildctl(
        host,
        sources::sources(&std::env::temp_dir(), &[]),
        ">=0.26".parse().unwrap(),
        Some(address.as_str().into()),
    );
    println!("median of {ROUNDS}, alternating; the bound is the larger of 5 % and 150 ms");
    for (name, dockerfile, files, bytes) in [
        ("context only", "FROM scratch\nCOPY . /\n".to_owned(), 500, 10_000),
        ("one RUN", "FROM registry.example/busybox:1\nCOPY . /app/\nRUN cat /app/* > /all\n".to_owned(), 20, 10_000),
        ("large layer", "FROM registry.example/busybox:1\nRUN head -c 100000000 /dev/zero > /zero\n".to_owned(), 1, 10),
    ] {
        for no_cache in [false, true] {
            let plan = plan(&dockerfile, files, bytes, no_cache);
            let (mut ours, mut plain) = (Vec::new(), Vec::new());
            for _ in 0..=ROUNDS {
                ours.push(timed(|| build(&engine, &plan)));
                plain.push(plain_build(&engine, &plan));
            }
            let (ours, plain) = (median(ours), median(plain));
            let bound = (plain.mul_f64(0.05)).max(Duration::from_millis(150));
            let more = ours.saturating_sub(plain);
            let verdict = if more <= bound { "ok" } else { "TOO SLOW" };
            let cache = if no_cache { "no cache" } else { "cached" };
            println!("{name:14} {cache:9} buildctl {plain:8.1?}  engine {ours:8.1?}  more {more:8.1?}  {verdict}");
        }
    }
}

fn plan(dockerfile: &str, files: usize, bytes: usize, no_cache: bool) -> Plan {
    let file = |number: usize| {
        let content: Arc<[u8]> = format!("{number:08}").repeat(bytes / 8).into_bytes().into();
        let kind = EntryKind::File {
            executable: false,
            size: content.len() as u64,
            digest: Digest::of(&content),
            content: Content::Bytes(content),
        };
        Entry { path: format!("f{number:05}").into_bytes(), kind }
    };
    let mut pins = Vec::new();
    if dockerfile.contains("busybox") {
        let name = format!("{}/busybox:1", std::env::var("RIG_REGISTRY").unwrap());
        let digest = |more: &[&str]| -> Digest {
            let output = Command::new("crane").args(["digest", "--insecure", &name]).args(more).output().unwrap();
            String::from_utf8(output.stdout).unwrap().trim().parse().unwrap()
        };
        let platforms = BTreeMap::from([("linux/amd64".parse().unwrap(), digest(&["--platform", "linux/amd64"]))]);
        pins.push(Pin::Image { request: "registry.example/busybox:1".to_owned(), digest: digest(&[]), platforms });
    }
    Plan {
        image: "bench".to_owned(),
        platform: "linux/amd64".parse().unwrap(),
        epoch: "1700000000".parse().unwrap(),
        inputs: Inputs {
            dockerfile: Arc::new(parse(dockerfile.as_bytes(), &Limits::default()).unwrap()),
            dockerfile_path: PathBuf::from("Dockerfile"),
            context: Arc::new(Tree { entries: (0..files).map(file).collect(), ..Tree::default() }),
            contexts: BTreeMap::new(),
        },
        parameters: Parameters::default(),
        pins,
        run: RunSurroundings { network: Network::None, ..RunSurroundings::default() },
        form: ImageForm::default(),
        no_cache,
    }
}

fn build(engine: &BuildKit, plan: &Plan) {
    let (work, limits) = (tempfile::tempdir().unwrap(), Limits::default());
    if let Err(error) =
        engine.check(plan).and_then(|checked| checked.build(&Surroundings::new(&work.path().to_owned(), &limits)))
    {
        panic!("{error}");
    }
}

/// The build command of a dry run, timed without the staging before it.
fn plain_build(engine: &BuildKit, plan: &Plan) -> Duration {
    let (work, limits) = (tempfile::tempdir().unwrap(), Limits::default());
    let lines = engine
        .check(plan)
        .and_then(|checked| checked.commands(&Surroundings::new(&work.path().to_owned(), &limits)))
        .map_err(|error| error.to_string())
        .unwrap();
    let build = lines.last().unwrap();
    timed(|| {
        let output = Command::new("sh").args(["-c", build]).current_dir(work.path()).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    })
}

fn timed(work: impl FnOnce()) -> Duration {
    let started = Instant::now();
    work();
    started.elapsed()
}

/// The first one warms up and does not count.
fn median(mut times: Vec<Duration>) -> Duration {
    times.remove(0);
    times.sort_unstable();
    times[times.len() / 2]
}
