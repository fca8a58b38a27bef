//! Against the rig's real registry, file server and git server.
//!
//! Without the rig these are reported as not run; `REPRO_REQUIRE_RIG=1` makes that a failure.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use repro::parts::digest::Digest;
use repro::parts::lockfile::Pin;
use repro::parts::resolve::{Request, Standing};
use repro::parts::status::{ExitStatus, Status};

use super::surroundings::Surroundings;

fn rig(variable: &str) -> Option<String> {
    let value = env::var(variable).ok().filter(|value| !value.is_empty());
    if value.is_none() {
        let required = env::var("REPRO_REQUIRE_RIG").is_ok_and(|value| value == "1");
        assert!(!required, "{variable} is not set: start the rig with `eval \"$(tests/rig/up)\"`");
        crate::needs::not_run(&format!("{variable} is not set"));
    }
    value
}

fn surroundings() -> Option<Surroundings> {
    let path = rig("REPRO_CONFIG")?;
    Some(Surroundings::with_config(&std::fs::read_to_string(path).unwrap()))
}

#[test]
fn a_real_registry_gives_index_children_and_layers() {
    let (Some(host), Some(mut surroundings)) = (rig("RIG_REGISTRY"), surroundings()) else { return };
    surroundings.ages = true;
    let resolver = surroundings.resolver();
    for name in [format!("{host}/busybox:1"), "registry.example/busybox:1".to_owned()] {
        let platforms = ["linux/amd64", "linux/arm64"].map(|text| text.parse().unwrap()).into();
        let request = Request::Image { reference: name.parse().unwrap(), platforms };
        let resolved = resolver.resolve(&[request]).remove(0).unwrap();
        let Pin::Image { request, digest, platforms } = &resolved.pin else { panic!("{resolved:?}") };
        assert_eq!((request, platforms.len()), (&name, 2));
        assert!(!platforms.values().any(|platform| platform == digest), "busybox:1 is an index");
        for (platform, manifest) in platforms {
            let locked = resolver.locked_image(&resolved.pin, *manifest).unwrap();
            assert_eq!(locked.config.architecture, platform.architecture);
            for layer in &locked.manifest.layers {
                let path = resolver.fetch_blob(request, layer.digest, Some(layer.size)).unwrap();
                assert_eq!(Digest::of(&std::fs::read(path).unwrap()), layer.digest);
            }
        }
        let standing = resolver.still_there(&resolved.pin).unwrap();
        assert_eq!(Standing { mirror: None, ..standing }, Standing::default());
    }
    let absent = Request::Image {
        reference: format!("{host}/no-such-image:1").parse().unwrap(),
        platforms: ["linux/amd64".parse().unwrap()].into(),
    };
    assert_eq!(resolver.resolve(&[absent]).remove(0).unwrap_err().status(), Status::Source);
}

fn fresh(root: &str) -> PathBuf {
    let directory = Path::new(root).join(format!("resolver-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&directory);
    std::fs::create_dir_all(&directory).unwrap();
    directory
}

#[test]
fn a_real_file_server_recovers_or_gives_up() {
    let (Some(url), Some(root), Some(surroundings)) = (rig("RIG_FILES"), rig("RIG_FILES_ROOT"), surroundings()) else {
        return;
    };
    let directory = fresh(&root);
    let below = directory.file_name().unwrap().to_str().unwrap();
    std::fs::write(directory.join("tool"), "content").unwrap();
    let file = std::fs::File::options().write(true).open(directory.join("tool")).unwrap();
    file.set_modified(std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_700_000_000)).unwrap();
    let resolver = surroundings.resolver();
    let resolve = |url: String| resolver.resolve(&[Request::Http { url }]).remove(0);
    for base in [url.as_str(), "https://files.example"] {
        let url = format!("{base}/{below}/tool");
        std::fs::write(directory.join("tool.serve"), r#"{"fail": 2, "status": 503}"#).unwrap();
        let resolved = resolve(url.clone()).unwrap();
        let want = Pin::Http { url, digest: Digest::of(b"content"), size: 7, modified: Some(1_700_000_000) };
        assert_eq!(resolved.pin, want);
    }
    for response in [r#"{"fail": -1, "status": 503}"#, r#"{"cut": 3}"#] {
        std::fs::write(directory.join("tool.serve"), response).unwrap();
        let error = resolve(format!("{url}/{below}/tool")).unwrap_err();
        assert_eq!(error.status(), Status::Source, "{error}");
    }
    std::fs::remove_dir_all(directory).unwrap();
}

#[test]
fn a_real_git_server_gives_commits_and_their_times() {
    let (Some(url), Some(root), Some(mut surroundings)) = (rig("RIG_GIT"), rig("RIG_GIT_ROOT"), surroundings()) else {
        return;
    };
    let directory = fresh(&root);
    let repository = directory.with_extension("git");
    let git = |arguments: &[&str]| {
        let output = Command::new("git")
            .args(["-c", "user.name=t", "-c", "user.email=t@t.example"])
            .args(arguments)
            .current_dir(&directory)
            .env("GIT_COMMITTER_DATE", "@1700000000 +0200")
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    };
    git(&["init", "--quiet", "--initial-branch=main", "."]);
    git(&["commit", "--quiet", "--allow-empty", "-m", "first"]);
    git(&["tag", "-a", "-m", "annotated", "v1"]);
    let (first, annotated) = (git(&["rev-parse", "HEAD"]), git(&["rev-parse", "v1"]));
    git(&["commit", "--quiet", "--allow-empty", "-m", "second"]);
    let _ = std::fs::remove_dir_all(&repository);
    git(&["clone", "--quiet", "--bare", ".", repository.to_str().unwrap()]);
    let name = repository.file_name().unwrap().to_str().unwrap();
    surroundings.ages = true;
    let resolver = surroundings.resolver();
    for base in [url.as_str(), "https://git.example"] {
        for tail in ["#v1".to_owned(), format!("#{first}")] {
            let request = format!("{base}/{name}{tail}");
            let resolved = resolver.resolve(&[Request::Git { request: request.clone() }]).remove(0).unwrap();
            let tag = (tail == "#v1").then(|| annotated.clone());
            assert_eq!(resolved.pin, Pin::Git { request, commit: first.clone(), tag });
            assert_eq!(resolved.made, Some(1_700_000_000));
            let standing = resolver.still_there(&resolved.pin).unwrap();
            assert_eq!(Standing { mirror: None, ..standing }, Standing::default());
        }
    }
    let absent = format!("{url}/{name}#{}", "0123456789".repeat(4));
    let error = resolver.resolve(&[Request::Git { request: absent }]).remove(0).unwrap_err();
    assert_eq!(error.status(), Status::Source, "a commit that is not there: {error}");
    let gone = Pin::Git {
        request: format!("{url}/{name}#{}", "0123456789".repeat(4)),
        commit: "0123456789".repeat(4),
        tag: None,
    };
    assert!(!resolver.still_there(&gone).unwrap().is_there());
    let moved = Pin::Git { request: format!("{url}/{name}#main"), commit: first, tag: None };
    let standing = resolver.still_there(&moved).unwrap();
    assert!(standing.is_there() && standing.newer.is_some(), "{standing:?}");
    std::fs::remove_dir_all(repository).unwrap();
    std::fs::remove_dir_all(directory).unwrap();
}
