//! From manifest and Dockerfile to reasons, as commands use it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::sources::{frontend_source, wanted_sources};
use super::*;
use crate::digest::Digest;
use crate::dockerfile::sources::Sources;
use crate::dockerfile::target::{Question, resolve};
use crate::drift::{Drift, Stale, all};
use crate::limits::Limits;
use crate::lockfile::{Lockfile, Pin, Wanted, WantedImage, WantedSource, update};
use crate::manifest::{Image, Manifest, Network};
use crate::parts::dockerfile::target::UnknownImages;
use crate::platform::Platform;
use crate::status::{ExitStatus, Status};

const DOCKERFILE: &str = "\
FROM alpine:3.20 AS base
ADD https://files.example/a.tar /a
ADD --checksum=sha256:0303030303030303030303030303030303030303030303030303030303030303 https://files.example/b /b
ADD https://files.example/lib.git#v1.0:sub /lib
FROM base
COPY --from=docker.io/library/busybox:1 /bin/true /true
";

fn image(lines: &str) -> Image {
    let text = format!("version = 1\n[image.app]\n{lines}\n");
    let manifest = Manifest::parse(&text, Path::new("/r/repro.toml"), Path::new("/r")).unwrap();
    manifest.images["app"].clone()
}

fn asked(image: &Image, dockerfile: &str) -> WantedImage {
    let parsed = crate::dockerfile::parse(dockerfile.as_bytes(), &crate::limits::Limits::default()).unwrap();
    let sources = image.platforms.iter().flat_map(|platform| {
        let question = Question {
            target: image.target.clone().unwrap_or_default(),
            platform: platform.clone(),
            build_platform: platform.clone(),
            build_args: image.args.clone(),
            contexts: BTreeMap::new(),
        };
        let target = resolve(&parsed, &question, &mut UnknownImages).unwrap();
        wanted_sources(image, &Sources::of(&target))
    });
    WantedImage { sources: sources.collect(), request: expected_request(image, None) }
}

fn wanted(image: &Image, dockerfile: &str) -> Wanted {
    Wanted { images: BTreeMap::from([("app".to_owned(), asked(image, dockerfile))]), ..Wanted::default() }
}

fn resolved(source: &WantedSource) -> Pin {
    let digest = Digest::from_bytes([3; 32]);
    let request = source.request.clone();
    let platforms = source.platforms.iter().map(|platform| (platform.clone(), digest)).collect();
    match source.kind {
        crate::lockfile::SourceKind::Image => Pin::Image { request, digest, platforms },
        crate::lockfile::SourceKind::Layout => Pin::Layout { request, digest, platforms },
        crate::lockfile::SourceKind::Http => Pin::Http { url: request, digest, size: 1, modified: None },
        crate::lockfile::SourceKind::Git => Pin::Git { request, commit: "3".repeat(40), tag: None },
    }
}

fn locked(wanted: &Wanted) -> Lockfile {
    let pins: Vec<Pin> = wanted.images.values().flat_map(|image| &image.sources).map(resolved).collect();
    update(&Lockfile::default(), wanted, &pins).0
}

fn shown(drifts: &[Drift]) -> Vec<String> {
    drifts.iter().map(|drift| format!("{} {}", drift.code(), drift.finding())).collect()
}

#[test]
fn what_was_just_locked_fits() {
    for lines in ["", "platforms = [\"linux/arm64\", \"linux/amd64\"]\nargs = { A = \"1\" }\nscrub = [\"apt-cache\"]"] {
        let wanted = wanted(&image(lines), DOCKERFILE);
        let lockfile = locked(&wanted);
        assert_eq!(all(&wanted, &lockfile), []);
        assert_eq!(all(&wanted, &Lockfile::parse(&lockfile.to_text(), &Limits::default()).unwrap()), []);
        assert_eq!(lockfile.images["app"].sources.len(), 5);
    }
}

#[test]
fn every_change_of_what_is_asked_is_named() {
    let lockfile = locked(&wanted(&image("target = \"base\"\nargs = { A = \"1\" }"), DOCKERFILE));
    let other = DOCKERFILE.replace("alpine:3.20", "debian:12").replace("0303", "0404");
    let asked = wanted(&image("platforms = [\"linux/arm64\"]\nargs = { A = \"2\" }\nnetwork = \"locked\""), &other);
    assert_eq!(
        shown(&all(&asked, &lockfile)),
        [
            "request-changed app: `args.A` is `2`, the pins were made for `1`",
            "request-changed app: `network` is `locked`, the pins were made for the default",
            "request-changed app: `platforms` is [`linux/arm64`], the pins were made for the default",
            "request-changed app: `target` is the default, the pins were made for `base`",
            "source-not-locked app: `docker.io/library/busybox:1` (Dockerfile line 6) is not locked",
            "source-not-locked app: `docker.io/library/debian:12` (Dockerfile line 1) is not locked",
            "checksum-changed app: the Dockerfile demands sha256:0404040404040404040404040404040404040404040404040404040404040404 \
             of `https://files.example/b`, sha256:0303030303030303030303030303030303030303030303030303030303030303 is locked",
            "source-unused app: `docker.io/library/alpine:3.20` is locked, but nothing uses it",
        ]
    );
}

#[test]
fn a_platform_more_needs_a_pin_more() {
    let mut lockfile = locked(&wanted(&image(""), "FROM alpine\n"));
    let asked = wanted(&image("platforms = [\"linux/amd64\", \"linux/arm64\"]"), "FROM alpine\n");
    lockfile.images.get_mut("app").unwrap().request = asked.images["app"].request.clone();
    assert_eq!(
        shown(&all(&asked, &lockfile)),
        ["platform-not-pinned app: `docker.io/library/alpine:latest` is not pinned for linux/arm64"]
    );
}

#[test]
fn images_and_the_buildkit_image_are_compared_too() {
    let mut asked = wanted(&image(""), "FROM scratch\n");
    let lockfile = locked(&asked);
    asked.buildkit = Some("docker.io/moby/buildkit:v0.32.2".to_owned());
    let app = asked.images.remove("app").unwrap();
    asked.images.insert("web".to_owned(), app);
    let drifts = all(&asked, &lockfile);
    assert_eq!(
        shown(&drifts),
        [
            "buildkit-changed the manifest names BuildKit image `docker.io/moby/buildkit:v0.32.2`, locked is none",
            "image-not-locked web: the image is not locked",
            "image-unused app: the image is locked, but not in the manifest",
        ]
    );
    asked.kept.insert("app".to_owned());
    assert_eq!(all(&asked, &lockfile).len(), 2, "an image that this command leaves alone is no drift");
    let error = Stale::unless_empty(drifts).unwrap_err();
    assert_eq!((error.status(), error.hint().as_deref()), (Status::Lock, Some("run `repro lock`")));
    assert_eq!(Stale::unless_empty(Vec::new()), Ok(()));
}

#[test]
fn a_source_without_pin_is_named_though_the_image_lists_it() {
    let asked = wanted(&image(""), "FROM alpine\n");
    let mut lockfile = locked(&asked);
    lockfile.sources.clear();
    assert_eq!(all(&asked, &lockfile)[0].code(), "source-not-locked");
}

#[test]
fn facts_are_spelled_as_the_page_says() {
    let image = image(
        "context = \"./sub\"\ntarget = \"x\"\nplatforms = [\"linux/x86_64\", \"linux/aarch64\"]\n\
         build-platform = \"linux/amd64\"\nsource-date-epoch = \"2023-11-14T22:13:20Z\"\n\
         labels = { \"a.b\" = \"c\" }\ncontexts = { docs = \"./docs/\", base = \"oci-layout://vendor/base:1\" }\n\
         network = \"open\"\nscrub = [\"apt-cache\", \"/var/tmp/*\"]\nsecrets = [\"b\", \"a\"]\n\
         allow = [{ what = \"network.host\", reason = \"r\" }]\nrepository = \"r.example/a\"\ntags = [\"1\"]\n\
         tape = \"r.example/t\"\noutput = { media-types = \"docker\" }\nrun-env = { A = \"1\" }",
    );
    let platform = build_platform(&image, None, &"linux/arm64".parse().unwrap());
    let request = expected_request(&image, Some(&platform));
    let lines: Vec<String> = request
        .facts
        .iter()
        .map(|(key, fact)| match fact {
            crate::lockfile::Fact::Text(text) => format!("{key} {text}"),
            crate::lockfile::Fact::List(list) => format!("{key} [{}]", list.join(" ")),
        })
        .collect();
    assert_eq!(
        lines,
        [
            "allow [network.host]",
            "build-platform linux/amd64",
            "context sub",
            "contexts.base oci-layout://vendor/base:1",
            "contexts.docs docs",
            "labels.\"a.b\" c",
            "network open",
            "output.media-types docker",
            "platforms [linux/amd64 linux/arm64]",
            "run-env.A 1",
            "scrub [apt-cache/1 /var/tmp/*]",
            "secrets [b a]",
            "source-date-epoch 1700000000",
            "target x",
        ]
    );
    let lock = crate::lockfile::ImageLock { request, ..Default::default() };
    let text = Lockfile { images: BTreeMap::from([("app".to_owned(), lock.clone())]), ..Lockfile::default() }.to_text();
    assert_eq!(Lockfile::parse(&text, &Limits::default()).unwrap().images["app"], lock);
}

#[test]
fn the_build_platform_is_the_manifest_s_the_lockfile_s_or_the_machine_s() {
    let machine: Platform = "linux/riscv64".parse().unwrap();
    let plain = image("");
    let request = expected_request(&plain, Some(&"linux/arm64".parse().unwrap()));
    let lock = crate::lockfile::ImageLock { request, ..Default::default() };
    assert_eq!(build_platform(&plain, None, &machine), machine);
    assert_eq!(build_platform(&plain, Some(&lock), &machine).to_string(), "linux/arm64");
    let told = image("build-platform = \"linux/s390x\"");
    assert_eq!(build_platform(&told, Some(&lock), &machine).to_string(), "linux/s390x");
    assert_eq!(plain.run.network, Network::None);
}

#[test]
fn a_frontend_is_a_source_without_platforms() {
    let source = frontend_source("docker/dockerfile:1").unwrap();
    assert_eq!((source.request.as_str(), source.platforms), ("docker.io/docker/dockerfile:1", BTreeSet::new()));
    assert!(frontend_source("UPPER").is_err());
}
