//! The BuildKit engines against the rig's real daemons, registry, file and git servers.
//!
//! Without the rig's variables these tests print "not run: no rig" and pass, unless `REPRO_REQUIRE_RIG=1`.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use crate::needs::variable;
use crate::sources::{config, sources};
use repro::parts::build::{
    Blob, Built, BuiltLayer, Engine, ImageForm, Inputs, Parameters, Plan, PlannedContext, RunSurroundings, Surroundings,
};
use repro::parts::cancel::Cancel;
use repro::parts::context::{Content, Entry, EntryKind, Tree};
use repro::parts::digest::{DiffId, Digest};
use repro::parts::dockerfile::parse;
use repro::parts::engine::buildkit::{BuildKit, Host};
use repro::parts::engine::native::Sources;
use repro::parts::epoch::Epoch;
use repro::parts::limits::Limits;
use repro::parts::lockfile::{BuildkitPin, Pin};
use repro::parts::manifest::Network;
use repro::parts::process::{Environment, Programs};
use repro::parts::status::{Failure, Status};
use repro::parts::store::Cache;

const EPOCH: i64 = 1_700_000_000;
const MODIFIED: u64 = 1_600_000_000;

fn host(cache: &Path) -> Host {
    let path = std::env::var_os("PATH").unwrap();
    Host {
        programs: Programs::from_path(&path),
        environment: Environment::new(std::env::vars_os()),
        config: config(),
        cache: cache.to_owned(),
        now: 1_800_000_000,
        offline: false,
    }
}

/// The same for a user who allows daemons that don't check what they unpack of bases.
fn lenient_host(cache: &Path) -> Host {
    let mut host = host(cache);
    host.config.allow_shared_before = Some("0.33.1".parse().unwrap());
    host
}

fn file(path: &str, content: &str) -> Entry {
    let kind = EntryKind::File {
        executable: false,
        size: content.len() as u64,
        digest: Digest::of(content.as_bytes()),
        content: Content::Bytes(Arc::from(content.as_bytes())),
    };
    Entry { path: path.as_bytes().to_vec(), kind }
}

fn tree(files: &[(&str, &str)]) -> Tree {
    Tree { entries: files.iter().map(|(path, content)| file(path, content)).collect(), ..Tree::default() }
}

fn plan(dockerfile: &str, files: &[(&str, &str)], pins: Vec<Pin>) -> Plan {
    Plan {
        image: "app".to_owned(),
        platform: "linux/amd64".parse().unwrap(),
        epoch: Epoch::from_seconds(EPOCH).unwrap(),
        inputs: Inputs {
            dockerfile: Arc::new(parse(dockerfile.as_bytes(), &Limits::default()).unwrap()),
            dockerfile_path: PathBuf::from("Dockerfile"),
            context: tree(files).into(),
            contexts: BTreeMap::new(),
        },
        parameters: Parameters::default(),
        pins,
        run: RunSurroundings { network: Network::None, ..RunSurroundings::default() },
        form: ImageForm::default(),
        no_cache: true,
    }
}

fn build(engine: &dyn Engine, plan: &Plan) -> Result<(Built, tempfile::TempDir), Failure> {
    let work = tempfile::tempdir().unwrap();
    let limits = Limits::default();
    let place = work.path().to_owned();
    let surroundings = Surroundings::new(&place, &limits);
    engine.check(plan).and_then(|checked| checked.build(&surroundings)).map(|built| (built, work))
}

fn failure(engine: &dyn Engine, plan: &Plan) -> (Status, String) {
    match build(engine, plan) {
        Ok(_) => panic!("the build succeeded"),
        Err(error) => (error.status(), error.to_string()),
    }
}

fn diff_ids(built: &Built) -> Vec<DiffId> {
    let id = |layer: &BuiltLayer| match layer {
        BuiltLayer::Base { diff_id, .. } | BuiltLayer::New { diff_id, .. } => *diff_id,
    };
    built.layers.iter().map(id).collect()
}

/// The bytes of a new layer, checked against its diff ID.
fn tar_of(layer: &BuiltLayer) -> Vec<u8> {
    let BuiltLayer::New { diff_id, tar: Blob::Slice { path, offset, length }, .. } = layer else { panic!("{layer:?}") };
    let bytes = fs::read(path).unwrap();
    let (start, length) = (usize::try_from(*offset).unwrap(), usize::try_from(*length).unwrap());
    let tar = bytes[start..start + length].to_vec();
    assert_eq!(DiffId::of(&tar), *diff_id);
    tar
}

fn run(command: &mut Command) -> String {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

fn busybox() -> Pin {
    let name = format!("{}/busybox:1", std::env::var("RIG_REGISTRY").unwrap());
    let digest = |more: &[&str]| -> Digest {
        run(Command::new("crane").args(["digest", "--insecure", &name]).args(more)).parse().unwrap()
    };
    let platforms = BTreeMap::from([("linux/amd64".parse().unwrap(), digest(&["--platform", "linux/amd64"]))]);
    Pin::Image { request: "registry.example/busybox:1".to_owned(), digest: digest(&[]), platforms }
}

/// A file on the rig's server below a directory of this test.
fn served(test: &str, content: &str) -> Pin {
    let directory = Path::new(&std::env::var("RIG_FILES_ROOT").unwrap()).join("engines").join(test);
    fs::create_dir_all(&directory).unwrap();
    let path = directory.join("p.txt");
    fs::write(&path, content).unwrap();
    run(Command::new("touch").args(["-d", &format!("@{MODIFIED}")]).arg(&path));
    Pin::Http {
        url: format!("https://files.example/engines/{test}/p.txt"),
        digest: Digest::of(content.as_bytes()),
        size: content.len() as u64,
        modified: Some(MODIFIED),
    }
}

/// A repository on the rig's server with `sub/a` on the branch `main`.
fn repository(test: &str) -> Pin {
    let root = PathBuf::from(std::env::var("RIG_GIT_ROOT").unwrap());
    let bare = root.join(format!("engines-{test}.git"));
    fs::remove_dir_all(&bare).ok();
    let work = tempfile::tempdir().unwrap();
    let git = |arguments: &[&str]| run(Command::new("git").arg("-C").arg(work.path()).args(arguments));
    run(Command::new("git").args(["init", "-q", "--bare"]).arg(&bare));
    git(&["init", "-q", "-b", "main"]);
    fs::create_dir(work.path().join("sub")).unwrap();
    fs::write(work.path().join("sub/a"), "from git").unwrap();
    git(&["add", "."]);
    git(&["-c", "user.name=t", "-c", "user.email=t@t.example", "commit", "-q", "-m", "x"]);
    git(&["push", "-q", bare.to_str().unwrap(), "main"]);
    Pin::Git {
        request: format!("https://git.example/engines-{test}.git#main:sub"),
        commit: git(&["rev-parse", "HEAD"]),
        tag: None,
    }
}

/// What base images' pins lead to, kept for all tests.
fn kept() -> Arc<dyn Sources> {
    sources(&Path::new(env!("CARGO_TARGET_TMPDIR")).join("engines-sources"), &[("example.org/base:1", usrmerge())])
}

fn usrmerge() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/native/bases/usrmerge")
}

fn daemon(address: &str) -> BuildKit {
    let cache = std::env::temp_dir();
    BuildKit::buildctl(lenient_host(&cache), kept(), ">=0.26".parse().unwrap(), Some(address.into()))
}

/// The engine on the rig's docker. All tests share one builder, which ends with the rig.
fn buildx() -> Option<BuildKit> {
    let image = variable("RIG_BUILDKIT_IMAGE")?;
    let (request, digest) = image.split_once('@').unwrap();
    let pin = BuildkitPin { request: request.to_owned(), digest: digest.parse().unwrap() };
    let cache = Path::new(env!("CARGO_TARGET_TMPDIR")).join("engines");
    Some(BuildKit::buildx(host(&cache), kept(), ">=0.26".parse().unwrap(), Some(pin), None))
}

#[test]
fn every_daemon_gives_the_same_config_and_diff_ids() {
    let (Some(current), Some(previous), Some(old), Some(other_go)) = (
        variable("BUILDKIT_HOST"),
        variable("RIG_BUILDKIT_PREVIOUS"),
        variable("RIG_BUILDKIT_OLD"),
        variable("RIG_BUILDKIT_GO127"),
    ) else {
        return;
    };
    let (http, git) = (served("same", "body"), repository("same"));
    let dockerfile = format!(
        "FROM registry.example/busybox:1 AS tool\nRUN echo made > /made && mkdir -p /d/e\n\
         FROM registry.example/busybox:1\nARG WHO\nENV WHO=$WHO\nLABEL a=\"b c\"\n\
         ADD {} /p.txt\nADD {} /src/\nCOPY . /app/\nCOPY --from=tool /made /d /x/\nCOPY --from=docs / /docs/\n\
         RUN test -z \"$(ls /sys/class/net | grep -v lo)\" && cat /app/f > /copied\nCMD [\"sh\"]\n",
        http.request(),
        git.request()
    );
    let mut plan = plan(&dockerfile, &[("d/g", "g"), ("f", "aaaa")], vec![busybox(), http, git]);
    plan.parameters.args.insert("WHO".to_owned(), "a,b = 'c'\n\"d\"".to_owned());
    plan.form.labels.insert("example.label".to_owned(), "x, y".to_owned());
    plan.inputs.contexts.insert("docs".to_owned(), PlannedContext::Local(tree(&[("readme", "r")]).into()));
    let (built, _work) = build(&daemon(&current), &plan).unwrap();
    assert!(matches!(built.layers[0], BuiltLayer::Base { .. }));
    assert!(built.layers[1..].iter().all(|layer| matches!(layer, BuiltLayer::New { .. })));
    let mut config = serde_json::from_slice::<serde_json::Value>(&built.config).unwrap();
    assert_eq!(config["config"]["Labels"].take()["example.label"], "x, y");
    assert!(config["config"]["Env"].to_string().contains("WHO=a,b = 'c'\\n\\\"d\\\""), "{config}");
    built.layers[1..].iter().for_each(|layer| drop(tar_of(layer)));
    let mut cached = plan.clone();
    cached.no_cache = false;
    if let Some(buildx) = buildx() {
        for plan in [&plan, &cached] {
            let (again, _work) = build(&buildx, plan).unwrap();
            assert_eq!(diff_ids(&again), diff_ids(&built), "buildx");
            assert_eq!(again.config, built.config, "buildx");
        }
    }
    for (address, plan) in [(&previous, &plan), (&old, &plan), (&other_go, &plan), (&current, &cached)] {
        let (again, _work) = build(&daemon(address), plan).unwrap();
        assert_eq!(diff_ids(&again), diff_ids(&built), "{address}");
        assert_eq!(again.config, built.config, "{address}");
    }
}

#[test]
fn an_edit_that_keeps_the_size_gives_the_new_content() {
    let Some(address) = variable("BUILDKIT_HOST") else { return };
    let mut engines: Vec<Box<dyn Engine>> = vec![Box::new(daemon(&address))];
    engines.extend(buildx().map(|buildx| Box::new(buildx) as Box<dyn Engine>));
    for engine in engines {
        for content in ["aaaa", "bbbb", "aaaa"] {
            let mut plan = plan("FROM scratch\nCOPY f /\n", &[("f", content)], Vec::new());
            plan.no_cache = false;
            let (built, _work) = build(&*engine, &plan).unwrap();
            let tar = tar_of(&built.layers[0]);
            assert_eq!(&tar[512..516], content.as_bytes(), "{}", engine.name());
        }
    }
}

#[test]
fn each_failure_has_its_status_and_names_its_cause() {
    let Some(address) = variable("BUILDKIT_HOST") else { return };
    let engine = daemon(&address);
    let base = "FROM registry.example/busybox:1\n";
    let http = served("failures", "body");
    let Pin::Http { url, digest, .. } = &http else { unreachable!() };
    let wrong = Pin::Http { url: url.clone(), digest: Digest::of(b"other"), size: 5, modified: None };
    let gone = Pin::Image {
        request: "registry.example/busybox:1".to_owned(),
        digest: Digest::of(b"nothing"),
        platforms: BTreeMap::new(),
    };
    let repository = || Pin::Git { request: "https://git.example/r.git".to_owned(), commit: "0".repeat(40), tag: None };
    let expected = Digest::of(b"other");
    for (dockerfile, pins, status, want) in [
        (format!("{base}RUN echo told; exit 3\n"), vec![busybox()], Status::Build, "Dockerfile:2: process".to_owned()),
        (
            format!("{base}COPY nothing /\n"),
            vec![busybox()],
            Status::Build,
            "Dockerfile:2: failed to compute".to_owned(),
        ),
        (
            base.to_owned(),
            vec![],
            Status::Source,
            "Dockerfile:1: `docker-image://registry.example/busybox:1` is not locked".to_owned(),
        ),
        (
            format!("FROM scratch\nADD {url} /\n"),
            vec![],
            Status::Source,
            format!("Dockerfile:2: `{url}` is not locked, so the build may not use it"),
        ),
        (
            format!("FROM scratch\nADD {url} /\n"),
            vec![wrong],
            Status::Source,
            format!("expected {expected}, found {digest}"),
        ),
        (base.to_owned(), vec![gone], Status::Source, "not found".to_owned()),
        (
            "FROM scratch\nCOPY f /\n".to_owned(),
            vec![http.clone()],
            Status::Source,
            format!("`{url}` is locked, but was not used"),
        ),
        (
            format!("{base}RUN --network=host true\n"),
            vec![busybox()],
            Status::Usage,
            "Dockerfile:2: `RUN --network=host` needs `network.host`".to_owned(),
        ),
        (
            "FROM scratch\nCOPY <<A /f\naaaa\nA\nCOPY <<B /f\nbbbb\nB\n".to_owned(),
            vec![],
            Status::Engine,
            "Dockerfile:5: writes /f again".to_owned(),
        ),
        (
            "FROM scratch\nADD --keep-git-dir https://git.example/r.git /r\n".to_owned(),
            vec![repository()],
            Status::Engine,
            "Dockerfile:2: `https://git.example/r.git`: a git repository with its `.git`".to_owned(),
        ),
        (
            "FROM scratch\nADD https://git.example/r.git?keep-git-dir=true#main /r\n".to_owned(),
            vec![repository()],
            Status::Engine,
            "Dockerfile:2: `https://git.example/r.git`: a git repository with its `.git`".to_owned(),
        ),
    ] {
        let plan = plan(&dockerfile, &[("f", "x")], pins);
        let (found, message) = failure(&engine, &plan);
        assert!(found == status && message.contains(&want), "{dockerfile}\n{found:?}: {message}\nexpected {want}");
    }
    let mut future = plan("FROM scratch\n", &[], Vec::new());
    future.epoch = Epoch::from_seconds(1_900_000_000).unwrap();
    assert_eq!(failure(&engine, &future).0, Status::Usage);
}

#[test]
fn no_daemon_is_said_with_what_to_do() {
    if variable("BUILDKIT_HOST").is_none() {
        return;
    }
    let plan = plan("FROM scratch\nCOPY f /\n", &[("f", "x")], Vec::new());
    let (status, message) = failure(&daemon("unix:///nowhere/buildkitd.sock"), &plan);
    assert_eq!(status, Status::Engine, "{message}");
    let cache = tempfile::tempdir().unwrap();
    let bare = Host { programs: Programs::default(), ..host(cache.path()) };
    let (status, message) = failure(&BuildKit::buildctl(bare, kept(), ">=0.26".parse().unwrap(), None), &plan);
    assert_eq!((status, message.as_str()), (Status::Engine, "buildctl: no `buildctl` is on PATH"));
    let newer = BuildKit::buildctl(
        host(cache.path()),
        kept(),
        ">=99".parse().unwrap(),
        variable("BUILDKIT_HOST").as_deref().map(Into::into),
    );
    let (status, message) = failure(&newer, &plan);
    assert_eq!((status, message.as_str()), (Status::Engine, "BuildKit is `v0.34.2`, the manifest asks for `>=99`"));
}

#[test]
fn a_private_daemon_is_started_used_twice_and_stopped() {
    let Some(address) = variable("BUILDKIT_HOST") else { return };
    let cache = tempfile::tempdir().unwrap();
    let private = BuildKit::buildctl(host(cache.path()), kept(), ">=0.26".parse().unwrap(), None);
    let plan = plan("FROM registry.example/busybox:1\nRUN echo x > /x\n", &[], vec![busybox()]);
    let (built, _work) = build(&private, &plan).unwrap();
    let (again, _work) = build(&private, &plan).unwrap();
    let (other, _work) = build(&daemon(&address), &plan).unwrap();
    assert_eq!((&built.config, diff_ids(&built)), (&other.config, diff_ids(&other)));
    assert_eq!(again.config, built.config);
    drop(private);
    let mark = cache.path().display().to_string();
    let processes = run(Command::new("ps").args(["-eo", "args"]));
    assert!(!processes.contains(&mark), "{processes}");
}

/// A `buildctl` that passes everything on to the real one and then does `after` to the files in its directory.
fn meddling(directory: &Path, address: &str, after: &str) -> BuildKit {
    let real = host(directory).programs.find("buildctl").unwrap();
    let script =
        format!("#!/bin/sh\nset -e\n\"{}\" \"$@\"\ncase \"$*\" in *' build '*) {after};; esac\n", real.display());
    let fake = directory.join("buildctl");
    fs::write(&fake, script).unwrap();
    fs::set_permissions(&fake, fs::Permissions::from_mode(0o755)).unwrap();
    let host = Host { programs: Programs::from_path(directory.as_os_str()), ..host(directory) };
    BuildKit::buildctl(host, kept(), ">=0.26".parse().unwrap(), Some(address.into()))
}

#[test]
fn an_engine_that_writes_nonsense_or_lies_is_found_out() {
    let Some(address) = variable("BUILDKIT_HOST") else { return };
    let other = Digest::of(b"other");
    for (after, status, want) in [
        ("truncate -s 3000 image.tar", Status::Malformed, "the archive that buildctl wrote is malformed"),
        ("echo nonsense > image.tar", Status::Malformed, "it ends at byte 9 without end blocks"),
        ("rm image.tar", Status::Engine, "image.tar"),
        ("printf x | dd of=image.tar bs=1 seek=1600 conv=notrunc 2>/dev/null", Status::Malformed, "malformed"),
        (
            "sed -i 's/\\(buildkit.rewritten-timestamp\\)/buildkit_rewritten_timestamp/' image.tar",
            Status::Malformed,
            "digest",
        ),
        (
            &format!(
                "sed -i 's/\"containerimage.digest\": \"[^\"]*/\"containerimage.digest\": \"{other}/' metadata.json"
            ),
            Status::Engine,
            &format!("buildctl reports image manifest {other}, but wrote sha256:"),
        ),
        ("sed -i '/containerimage.descriptor/,/}/d' metadata.json", Status::Malformed, "metadata file"),
        ("echo '{}' > metadata.json", Status::Engine, "buildctl reports no image descriptor"),
        ("echo x > ref", Status::Engine, "no build `x`"),
    ] {
        let directory = tempfile::tempdir().unwrap();
        let engine = meddling(directory.path(), &address, after);
        let plan = plan("FROM scratch\nCOPY f /\n", &[("f", "x")], Vec::new());
        let (found, message) = failure(&engine, &plan);
        assert!(found == status && message.contains(want), "{after}\n{found:?}: {message}\nexpected {want}");
    }
}

#[test]
fn a_daemon_that_is_killed_fails_the_build() {
    let Some(_) = variable("BUILDKIT_HOST") else { return };
    let cache = tempfile::tempdir().unwrap();
    let engine = BuildKit::buildctl(host(cache.path()), kept(), ">=0.26".parse().unwrap(), None);
    let plan = plan("FROM registry.example/busybox:1\nRUN sleep 60\n", &[], vec![busybox()]);
    let mark = cache.path().display().to_string();
    let killer = std::thread::spawn(move || {
        let started = std::time::Instant::now();
        loop {
            assert!(started.elapsed().as_secs() < 50, "the step did not start");
            std::thread::sleep(std::time::Duration::from_millis(200));
            let processes = run(Command::new("ps").args(["-eo", "pid,ppid,args"]));
            let daemon = processes.lines().find(|line| line.contains("buildkitd --config") && line.contains(&mark));
            let Some(pid) = daemon.and_then(|line| line.split_whitespace().next()) else { continue };
            // The step runs once runc, a child of the daemon, does.
            let runs =
                processes.lines().any(|line| line.split_whitespace().nth(1) == Some(pid) && line.contains("runc"));
            if runs {
                return run(Command::new("kill").args(["-KILL", pid]));
            }
        }
    });
    let (status, message) = failure(&engine, &plan);
    killer.join().unwrap();
    assert!(status == Status::Build && message.starts_with("BuildKit ended during the build"), "{status:?}: {message}");
}

#[test]
fn cancelling_stops_the_build() {
    let Some(address) = variable("BUILDKIT_HOST") else { return };
    let mut engines: Vec<Box<dyn Engine>> = vec![Box::new(daemon(&address))];
    engines.extend(buildx().map(|buildx| Box::new(buildx) as Box<dyn Engine>));
    for engine in engines {
        let plan = plan("FROM registry.example/busybox:1\nRUN sleep 60\n", &[], vec![busybox()]);
        let (work, limits, cancel) = (tempfile::tempdir().unwrap(), Limits::default(), Cancel::default());
        let stopper = cancel.clone();
        let timer = std::thread::spawn(move || {
            std::thread::sleep(std::time::Duration::from_secs(4));
            stopper.cancel();
        });
        let place = work.path().to_owned();
        let surroundings = Surroundings { cancel, ..Surroundings::new(&place, &limits) };
        let started = std::time::Instant::now();
        let error = engine.check(&plan).and_then(|checked| checked.build(&surroundings)).unwrap_err();
        timer.join().unwrap();
        assert_eq!(error.status(), Status::Interrupted, "{error}");
        assert!(started.elapsed().as_secs() < 15);
    }
}

#[test]
fn named_contexts_of_every_kind_are_built_alike() {
    let Some(address) = variable("BUILDKIT_HOST") else { return };
    let (http, git, image) = (served("named", "body"), repository("named"), busybox());
    let layout = usrmerge();
    let first = |path: PathBuf| -> Digest {
        let index: serde_json::Value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
        index["manifests"][0]["digest"].as_str().unwrap().parse().unwrap()
    };
    let digest = first(layout.join("index.json"));
    let manifest = first(layout.join("blobs/sha256").join(digest.hex()));
    let platforms = BTreeMap::from([("linux/amd64".parse().unwrap(), manifest)]);
    let pinned = Pin::Layout { request: "example.org/base:1".to_owned(), digest, platforms };
    let dockerfile = "FROM example.org/base:1\nCOPY --from=tools /bin/busybox /bb\nCOPY --from=page / /page/\nCOPY --from=code / /code/\n";
    let mut plan = plan(dockerfile, &[], vec![image, pinned, http.clone(), git.clone()]);
    for (name, context) in [
        ("example.org/base:1", PlannedContext::Layout(layout.clone())),
        ("tools", PlannedContext::Image("registry.example/busybox:1".to_owned())),
        ("page", PlannedContext::Http(http.request().to_owned())),
        ("code", PlannedContext::Git(git.request().to_owned())),
    ] {
        plan.inputs.contexts.insert(name.to_owned(), context);
    }
    let (built, _work) = build(&daemon(&address), &plan).unwrap();
    assert!(matches!(built.layers[0], BuiltLayer::Base { .. }));
    assert!(!layout.join("ingest").exists(), "the client wrote into the user's layout");
    if let Some(buildx) = buildx() {
        let (again, _work) = build(&buildx, &plan).unwrap();
        assert_eq!((again.config.clone(), diff_ids(&again)), (built.config.clone(), diff_ids(&built)));
    }
}

#[test]
fn the_commands_of_a_dry_run_build_when_they_are_pasted() {
    let Some(address) = variable("BUILDKIT_HOST") else { return };
    let mut engines: Vec<Box<dyn Engine>> = vec![Box::new(daemon(&address))];
    // The builder is there after this; its creation can't be pasted twice.
    if let Some(buildx) = buildx() {
        engines.push(Box::new(buildx));
    }
    for engine in engines {
        let mut plan = plan("FROM scratch\nARG A\nCOPY f /\nENV A=$A\n", &[("f", "x")], Vec::new());
        plan.parameters.args.insert("A".to_owned(), "it's $(id) \"x\"".to_owned());
        let (built, _work) = build(&*engine, &plan).unwrap();
        let (work, limits) = (tempfile::tempdir().unwrap(), Limits::default());
        let place = work.path().to_owned();
        let surroundings = Surroundings::new(&place, &limits);
        let lines = engine.check(&plan).and_then(|checked| checked.commands(&surroundings)).unwrap();
        let script: Vec<&str> = lines.iter().map(String::as_str).filter(|line| !line.contains(" create ")).collect();
        run(Command::new("sh").args(["-ec", &script.join("\n")]));
        let metadata = fs::read_to_string(work.path().join("metadata.json")).unwrap();
        assert!(metadata.contains(&Digest::of(&built.config).to_string()), "{metadata}");
    }
}

#[test]
fn a_download_that_the_builder_kept_with_another_time_is_found() {
    let Some(address) = variable("BUILDKIT_HOST") else { return };
    let engine = daemon(&address);
    let Pin::Http { url, digest, size, .. } = served("times", "timed") else { unreachable!() };
    let dockerfile = format!("FROM scratch\nADD {url} /d/\n");
    let pin = |modified| vec![Pin::Http { url: url.clone(), digest, size, modified }];
    build(&engine, &plan(&dockerfile, &[], pin(Some(MODIFIED)))).unwrap();
    let (status, message) = failure(&engine, &plan(&dockerfile, &[], pin(Some(MODIFIED + 1))));
    assert_eq!(status, Status::Engine, "{message}");
    assert!(message.starts_with("d/p.txt: the builder kept the time 2020-09-13T12:26:40Z for"), "{message}");
}

#[test]
fn a_copy_with_the_locked_digest_stands_in_for_a_changed_file() {
    let Some(address) = variable("BUILDKIT_HOST") else { return };
    // A daemon that has once seen the body needs no copy: the body must be new to it.
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    let locked = format!("locked {}", now.as_nanos());
    let pin = served("copies", &locked);
    served("copies", "changed");
    let dockerfile = format!("FROM scratch\nADD {} /\n", pin.request());
    let plan = plan(&dockerfile, &[], vec![pin]);
    let cache = tempfile::tempdir().unwrap();
    let engine =
        BuildKit::buildctl(host(cache.path()), kept(), ">=0.26".parse().unwrap(), Some(address.as_str().into()));
    assert_eq!(failure(&engine, &plan).0, Status::Source);
    let mut writer = Cache::new(cache.path()).writer().unwrap();
    writer.write_all(locked.as_bytes()).unwrap();
    writer.commit(Some(&Digest::of(locked.as_bytes()))).unwrap();
    let (built, _work) = build(&engine, &plan).unwrap();
    let tar = tar_of(&built.layers[0]);
    assert!(tar[512..].starts_with(locked.as_bytes()));
}
