//! Equal digests of Dockerfile and contexts give equal images, and different ones different images, on the rig's BuildKit.
//!
//! Pairs of trees are drawn: twice the same under another umask, order, time, place, `core.autocrlf` and beside other
//! untracked files, or once with a change. All are sent to one daemon, cache on, so that what one build left there could
//! reach the next. `REPRO_CONTEXT_PAIRS` sets how many pairs are tried. Without the rig's variables the test passes and
//! says so, unless `REPRO_REQUIRE_RIG=1`.

use std::collections::BTreeMap;
use std::fs::{self, File, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use crate::needs::variable;
use crate::sources::{config, sources};
use proptest::prelude::*;
use proptest::test_runner::{Config as Cases, TestRunner};
use repro::parts::build::{
    Built, BuiltLayer, Engine, ImageForm, Inputs, Parameters, Plan, PlannedContext, RunSurroundings, Surroundings,
};
use repro::parts::cancel::Cancel;
use repro::parts::context::{self, Request, Tree};
use repro::parts::digest::DiffId;
use repro::parts::dockerfile::parse;
use repro::parts::engine::buildkit::{BuildKit, Host};
use repro::parts::epoch::Epoch;
use repro::parts::limits::Limits;
use repro::parts::manifest::Network;
use repro::parts::process::{Environment, Programs};
use repro::parts::progress::Silent;

const PAIRS: u32 = 10;
const PATHS: [&str; 9] = ["a", "b", "d/a", "d/b", "d/e/a", "d/e/f/a", "ä ö", "-", "z/\u{1f980}"];
/// Several of one size, and lines that git may check out with other ends.
const CONTENTS: [&str; 7] = ["", "aaaa", "bbbb", "cccc\n", "dddd\n", "one\ntwo\n", "one\r\ntwo\r\n"];
const DOCKERFILES: [&str; 4] = [
    "FROM scratch\nCOPY . /all/\n",
    "FROM scratch\nCOPY --link . /\n",
    "FROM scratch\nWORKDIR /w\nCOPY --chown=5:6 . .\n",
    "FROM scratch AS first\nCOPY . /x/\nFROM scratch\nCOPY --from=first / /y/\n",
];

#[derive(Clone, Debug, PartialEq)]
enum Item {
    File { content: &'static str, executable: bool },
    Link(&'static str),
}

/// A tree's entries that count.
type Model = BTreeMap<&'static str, Item>;

/// What must not matter.
#[derive(Clone, Debug)]
struct Circumstances {
    /// Group's and others' bits that are taken away.
    umask: u32,
    /// Seconds of all times.
    time: u64,
    is_reversed: bool,
    /// In git, a file that is not tracked.
    untracked: bool,
    /// In git, for a clone.
    autocrlf: &'static str,
}

#[derive(Clone, Debug)]
struct Pair {
    dockerfile: &'static str,
    in_git: bool,
    /// The trees go in as a named context instead of the main one.
    is_named: bool,
    model: Model,
    circumstances: [Circumstances; 2],
    /// What is put into the second tree.
    change: Option<(&'static str, Item)>,
}

fn item() -> impl Strategy<Value = Item> {
    let file = (prop::sample::select(&CONTENTS[..]), any::<bool>());
    prop_oneof![
        6 => file.prop_map(|(content, executable)| Item::File { content, executable }),
        1 => prop::sample::select(&["a", "../a", "/nowhere"][..]).prop_map(Item::Link),
    ]
}

fn circumstances() -> impl Strategy<Value = Circumstances> {
    let autocrlf = prop::sample::select(&["true", "false", "input"][..]);
    (0..0o100_u32, 0..2_000_000_000_u64, any::<bool>(), any::<bool>(), autocrlf).prop_map(
        |(umask, time, is_reversed, untracked, autocrlf)| Circumstances {
            umask,
            time,
            is_reversed,
            untracked,
            autocrlf,
        },
    )
}

fn pair() -> impl Strategy<Value = Pair> {
    let path = || prop::sample::select(&PATHS[..]);
    (
        prop::sample::select(&DOCKERFILES[..]),
        any::<bool>(),
        any::<bool>(),
        prop::collection::btree_map(path(), item(), 1..6),
        [circumstances(), circumstances()],
        prop::option::of((path(), item())),
    )
        .prop_map(|(dockerfile, in_git, is_named, model, circumstances, change)| Pair {
            dockerfile,
            in_git,
            is_named,
            model,
            circumstances,
            change,
        })
}

fn git(directory: &Path, arguments: &[&str]) {
    let output = Command::new("git")
        .args(["-c", "user.name=A", "-c", "user.email=a@project.example", "-c", "commit.gpgsign=false"])
        .args(arguments)
        .current_dir(directory)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .output()
        .unwrap();
    assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
}

fn write(model: &Model, directory: &Path, circumstances: &Circumstances) {
    let mut items: Vec<_> = model.iter().collect();
    if circumstances.is_reversed {
        items.reverse();
    }
    for (path, item) in items {
        let path = directory.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        match item {
            Item::File { content, .. } => fs::write(&path, content).unwrap(),
            Item::Link(target) => symlink(target, &path).unwrap(),
        }
    }
}

/// Sets modes and times of what lies there.
fn wear(model: &Model, directory: &Path, circumstances: &Circumstances) {
    for (path, item) in model {
        let path = directory.join(path);
        if let Item::File { executable, .. } = item {
            let mode = if *executable { 0o755 } else { 0o644 };
            fs::set_permissions(&path, Permissions::from_mode(mode & !circumstances.umask)).unwrap();
            let time = SystemTime::UNIX_EPOCH + Duration::from_secs(circumstances.time);
            File::open(&path).unwrap().set_modified(time).unwrap();
        }
        let parent = path.parent().unwrap();
        fs::set_permissions(parent, Permissions::from_mode(0o777 & !circumstances.umask)).unwrap();
    }
}

/// The two trees on disk; the second one of an unchanged pair in git is a clone of the first.
fn lay_out(pair: &Pair, place: &Path) -> [PathBuf; 2] {
    let directories = [place.join("here"), place.join("elsewhere").join("deep")];
    let mut second = pair.model.clone();
    second.extend(pair.change.clone());
    for (at, (directory, model)) in directories.iter().zip([&pair.model, &second]).enumerate() {
        let circumstances = &pair.circumstances[at];
        fs::create_dir_all(directory).unwrap();
        if pair.in_git && at == 1 && second == pair.model {
            let autocrlf = format!("core.autocrlf={}", circumstances.autocrlf);
            git(
                place,
                &["clone", "-q", "-c", &autocrlf, directories[0].to_str().unwrap(), directory.to_str().unwrap()],
            );
        } else {
            write(model, directory, circumstances);
        }
        wear(model, directory, circumstances);
        if pair.in_git && !directory.join(".git").exists() {
            git(directory, &["init", "-q"]);
            git(directory, &["add", "-A"]);
            git(directory, &["commit", "-q", "-m", "all"]);
        }
        if pair.in_git && circumstances.untracked {
            fs::write(directory.join("untracked"), "x").unwrap();
        }
    }
    directories
}

fn read(root: &Path, tracked_only: bool) -> Tree {
    let request = Request { name: "context", root, dockerfile: None, tracked_only, include: &[], paths: None };
    let (progress, cancel, limits): (repro::parts::progress::Reporter, _, _) =
        (Arc::new(Silent), Cancel::default(), Limits::default());
    let surroundings = context::Surroundings { limits: &limits, progress: &progress, cancel: &cancel, cache: None };
    context::read(&request, &surroundings).unwrap()
}

fn plan(pair: &Pair, tree: Tree) -> Plan {
    let (dockerfile, contexts) = match pair.is_named {
        false => (pair.dockerfile.to_owned(), BTreeMap::new()),
        true => {
            let named = BTreeMap::from([("files".to_owned(), PlannedContext::Local(Arc::new(tree.clone())))]);
            let copy = |line: &str| line.replacen("COPY ", "COPY --from=files ", 1);
            let from_files = |line: &str| if line.contains("--from=") { line.to_owned() } else { copy(line) };
            (pair.dockerfile.split_inclusive('\n').map(from_files).collect(), named)
        }
    };
    Plan {
        image: "property".to_owned(),
        platform: "linux/amd64".parse().unwrap(),
        epoch: Epoch::from_seconds(1_700_000_000).unwrap(),
        inputs: Inputs {
            dockerfile: Arc::new(parse(dockerfile.as_bytes(), &Limits::default()).unwrap()),
            dockerfile_path: PathBuf::from("Dockerfile"),
            context: if pair.is_named { Arc::default() } else { Arc::new(tree) },
            contexts,
        },
        parameters: Parameters::default(),
        pins: Vec::new(),
        run: RunSurroundings { network: Network::None, ..RunSurroundings::default() },
        form: ImageForm::default(),
        no_cache: false,
    }
}

/// What an image is made of: the config's bytes and the layers.
fn image(engine: &dyn Engine, plan: &Plan) -> (Vec<u8>, Vec<DiffId>) {
    let work = tempfile::tempdir().unwrap();
    let limits = Limits::default();
    let place = work.path().to_owned();
    let surroundings = Surroundings::new(&place, &limits);
    let Built { config, layers, .. } = engine.check(plan).and_then(|checked| checked.build(&surroundings)).unwrap();
    let diff_id = |layer: &BuiltLayer| match layer {
        BuiltLayer::Base { diff_id, .. } | BuiltLayer::New { diff_id, .. } => *diff_id,
    };
    (config, layers.iter().map(diff_id).collect())
}

fn engine() -> Option<BuildKit> {
    let address = variable("BUILDKIT_HOST")?;
    let host = Host {
        programs: Programs::from_path(&std::env::var_os("PATH").unwrap()),
        environment: Environment::new(std::env::vars_os()),
        config: config(),
        cache: std::env::temp_dir(),
        now: 1_800_000_000,
        offline: false,
    };
    let sources = sources(&std::env::temp_dir(), &[]);
    Some(BuildKit::buildctl(host, sources, ">=0.26".parse().unwrap(), Some(address.as_str().into())))
}

#[test]
fn equal_digests_give_equal_images_and_different_ones_different_images() {
    let Some(engine) = engine() else { return };
    let pairs = std::env::var("REPRO_CONTEXT_PAIRS").map_or(PAIRS, |pairs| pairs.parse().unwrap());
    let mut runner = TestRunner::new(Cases { cases: pairs, max_shrink_iters: 20, ..Cases::default() });
    let tried = runner.run(&pair(), |pair| {
        let place = tempfile::tempdir().unwrap();
        let trees = lay_out(&pair, place.path()).map(|directory| read(&directory, pair.in_git));
        let is_changed = pair.change.as_ref().is_some_and(|(path, item)| pair.model.get(path) != Some(item));
        prop_assert_eq!(trees[0].digest() != trees[1].digest(), is_changed);
        let images = trees.map(|tree| image(&engine, &plan(&pair, tree)));
        prop_assert_eq!(images[0] != images[1], is_changed);
        Ok(())
    });
    tried.unwrap();
}
