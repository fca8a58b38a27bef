//! What holds for every engine: the Dockerfile is parsed where the plan is made, and nowhere else.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::buildkit::{BuildKit, Host};
use super::native::Native;
use super::sources::Sources;
use crate::build::{Engine, ImageForm, Inputs, Parameters, Plan, RunSurroundings, Surroundings};
use crate::digest::Digest;
use crate::dockerfile::{PARSED, parse};
use crate::limits::Limits;
use crate::lockfile::Pin;
use crate::process::Programs;
use crate::registry::ImageDocument;
use crate::resolve::{Checkout, LockedImage};
use crate::status::{Failure, Status};

const DOCKERFILE: &[u8] = b"FROM scratch AS one\nCOPY <<A /a\nb\nA\nFROM one\nENV C=d\n";

/// A `buildctl` whose daemon is fit for everything, and whose builds fail in the step that `COPY` is.
const BUILDCTL: &str = r#"#!/bin/sh
case "$*" in
*workers*)
    echo '[{"labels":{"org.mobyproject.buildkit.worker.snapshotter":"overlayfs"},"buildkitVersion":{"version":"v0.34.2"}}]'
    exit ;;
esac
printf -- '------\n > [one 1/1] COPY <<A /a:\n------\nerror: failed to solve: no room\n' >&2
exit 1
"#;

fn plan() -> Plan {
    Plan {
        image: "app".to_owned(),
        platform: "linux/amd64".parse().unwrap(),
        epoch: "1700000000".parse().unwrap(),
        inputs: Inputs {
            dockerfile: Arc::new(parse(DOCKERFILE, &Limits::default()).unwrap()),
            dockerfile_path: PathBuf::from("Dockerfile"),
            context: Arc::default(),
            contexts: Default::default(),
        },
        parameters: Parameters::default(),
        pins: Vec::new(),
        run: RunSurroundings::default(),
        form: ImageForm::default(),
        no_cache: true,
    }
}

/// Checks, stages and builds; the plan must be all that the engine needs to know of the Dockerfile.
fn builds_without_parsing(engine: &dyn Engine, plan: &Plan, work: &Path) -> Result<(), Failure> {
    let before = PARSED.get();
    let limits = Limits::default();
    let checked = engine.check(plan)?;
    let commands = checked.commands(&Surroundings::new(&work.join("commands"), &limits));
    let built = checked.build(&Surroundings::new(&work.join("build"), &limits));
    assert_eq!(PARSED.get(), before, "{} parses the Dockerfile again", engine.name());
    commands?;
    built.map(drop)
}

#[test]
fn no_engine_parses_a_dockerfile_again() {
    let directory = tempfile::tempdir().unwrap();
    let plan = plan();
    let native = directory.path().join("native");
    fs::create_dir(&native).unwrap();
    builds_without_parsing(&Native::new(Arc::new(Nothing)), &plan, &native).map_err(|error| error.to_string()).unwrap();
    let buildctl = directory.path().join("buildctl");
    fs::write(&buildctl, BUILDCTL).unwrap();
    fs::set_permissions(&buildctl, fs::Permissions::from_mode(0o755)).unwrap();
    let host = Host {
        programs: Programs::from_path(directory.path().as_os_str()),
        cache: directory.path().join("cache"),
        now: 1_800_000_000,
        ..Host::default()
    };
    let engine = BuildKit::buildctl(host, Arc::new(Nothing), ">=0.26".parse().unwrap(), Some("unix:///nowhere".into()));
    let work = directory.path().join("work");
    fs::create_dir(&work).unwrap();
    let error = builds_without_parsing(&engine, &plan, &work).err().unwrap();
    assert_eq!(error.status(), Status::Build, "{error}");
    assert!(error.to_string().starts_with("Dockerfile:2: "), "the place comes from the plan: {error}");
}

#[test]
fn offline_a_repository_that_buildkit_would_fetch_is_refused_before_anything_is_asked() {
    let directory = tempfile::tempdir().unwrap();
    let buildctl = directory.path().join("buildctl");
    fs::write(&buildctl, "#!/bin/sh\nexit 1\n").unwrap();
    fs::set_permissions(&buildctl, fs::Permissions::from_mode(0o755)).unwrap();
    let programs = Programs::from_path(directory.path().as_os_str());
    let host = Host { programs, now: 1_800_000_000, offline: true, ..Host::default() };
    let address = Some("unix:///nowhere".into());
    let engine = BuildKit::buildctl(host, Arc::new(Nothing), ">=0.26".parse().unwrap(), address);
    let mut plan = plan();
    assert!(engine.check(&plan).is_ok());
    plan.pins = vec![Pin::Git { request: "https://git.example/a.git".to_owned(), commit: "0".repeat(40), tag: None }];
    let refused = engine.check(&plan).err().unwrap();
    assert_eq!(refused.status(), Status::Engine);
    assert!(refused.to_string().starts_with("`--offline`: `https://git.example/a.git` is a repository"), "{refused}");
}

/// No locked bytes at all.
struct Nothing;

impl Sources for Nothing {
    fn image(&self, _: &Pin, _: Digest) -> Result<LockedImage, Failure> {
        panic!("no image is asked for")
    }

    fn document(&self, _: &Pin) -> Result<ImageDocument, Failure> {
        panic!("no image is asked for")
    }

    fn blob(&self, _: &str, _: Digest, _: u64) -> Result<PathBuf, Failure> {
        panic!("no blob is asked for")
    }

    fn http(&self, _: &str, _: Digest) -> Result<PathBuf, Failure> {
        panic!("no file is asked for")
    }

    fn git(&self, _: &str, _: &str) -> Result<Arc<Checkout>, Failure> {
        panic!("no repository is asked for")
    }

    fn bundle(&self, _: &str, _: &str) -> Result<Option<PathBuf>, Failure> {
        Ok(None)
    }
}
