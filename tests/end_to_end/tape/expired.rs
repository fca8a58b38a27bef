//! A package index whose validity runs out: the tape of it serves all the same, and the image does not show how.

use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use repro::parts::digest::Digest;

use super::origin::Origin;
use crate::rig::{manifest_digest, run};

/// Seconds for which the index is valid.
const VALID: u64 = 60;

/// The suite and the installation, with nothing that differs from run to run.
const RUN: &str = "COPY key.gpg /etc/apt/keyrings/example.gpg\n\
    RUN rm -rf /etc/apt/sources.list.d/* \
      && echo 'deb [signed-by=/etc/apt/keyrings/example.gpg] http://origin.example/debian stable main' > /etc/apt/sources.list \
      && apt-get update && apt-get install -y greeting && test \"$(cat /opt/greeting)\" = hello\n";

#[test]
fn an_index_that_has_expired_since_is_replayed() {
    let origin = Origin::start();
    let Some(project) = origin.project("") else { return };
    let key = key(project.path().join(".git").as_path());
    let until = now() + VALID;
    publish(&origin, project.path().join(".git").as_path(), until);
    let from = "FROM registry.example/debian:bookworm\n";
    project.write("key.gpg", key).write("Dockerfile", format!("{from}{RUN}"));
    // What the Dockerfile sets itself is left alone: apt with its own rules.
    project.write("Dockerfile.strict", format!("{from}ENV APT_CONFIG=/dev/null\n{RUN}"));
    let manifest = project.read("repro.toml").replace(
        "[image.app]\n",
        "[image.strict]\ndockerfile = \"Dockerfile.strict\"\nnetwork = \"locked\"\nsource-date-epoch = \"1700000000\"\n\n[image.app]\n\
         scrub = [\"apt-cache\", \"apt-log\", \"dpkg-log\", \"ldconfig-cache\"]\n",
    );
    project.write("repro.toml", manifest).commit();
    let lock = project.repro(&["lock"]).expect(0);
    let told = format!(
        "http://origin.example/debian/dists/stable/InRelease is valid until {}",
        utc(until, "%Y-%m-%dT%H:%M:%SZ")
    );
    assert!(lock.stdout.contains(&told), "{}", lock.stdout);
    drop(origin);
    let recorded = manifest_digest(project.repro(&["build", "--record", "--format", "json", "app"]));
    while now() <= until {
        thread::sleep(Duration::from_millis(200));
    }
    project.repro(&["build", "--no-cache", "strict"]).expect(5).says("expired");
    project.repro(&["verify", "app"]).expect(0);
    assert_eq!(manifest_digest(project.repro(&["build", "--no-cache", "--format", "json", "app"])), recorded);

    // Nothing of what apt was told is in the config, the history or a layer.
    let layout = project.path().join(".git/layout");
    project.repro(&["build", "-o", &format!("{}/", layout.display()), "app"]).expect(0);
    for blob in std::fs::read_dir(layout.join("blobs/sha256")).unwrap() {
        let blob = blob.unwrap();
        // The base is large, and not of this build.
        if blob.metadata().unwrap().len() < 1 << 20 {
            let script = "{ gzip -dc \"$0\" 2>/dev/null || cat \"$0\"; } | tr -c '[:print:]' ' '";
            let text = run(Command::new("sh").args(["-c", script]).arg(blob.path()));
            for trace in ["repro:", ".repro", "Check-Valid-Until"] {
                assert!(!text.contains(trace), "`{trace}` is in {blob:?}");
            }
        }
    }
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

fn utc(seconds: u64, form: &str) -> String {
    run(Command::new("date").env("LC_ALL", "C").args(["-u", "-d", &format!("@{seconds}"), &format!("+{form}")]))
}

fn gpg(directory: &Path) -> Command {
    let mut command = Command::new("gpg");
    command.arg("--homedir").arg(directory.join("gpg")).args(["--batch", "--quiet", "--passphrase", ""]);
    command
}

/// Makes a key that signs, and gives its public half.
fn key(directory: &Path) -> Vec<u8> {
    std::fs::create_dir(directory.join("gpg")).unwrap();
    run(Command::new("chmod").arg("700").arg(directory.join("gpg")));
    run(gpg(directory).args(["--quick-gen-key", "archive@origin.example", "ed25519", "sign", "never"]));
    let output = gpg(directory).args(["--export", "archive@origin.example"]).output().unwrap();
    assert!(output.status.success() && !output.stdout.is_empty(), "{output:?}");
    output.stdout
}

/// Puts an archive with one package on the origin, signed, and valid up to `until`.
fn publish(origin: &Origin, directory: &Path, until: u64) {
    let package = directory.join("greeting");
    std::fs::create_dir_all(package.join("DEBIAN")).unwrap();
    std::fs::create_dir_all(package.join("opt")).unwrap();
    std::fs::write(package.join("opt/greeting"), "hello\n").unwrap();
    let control = "Package: greeting\nVersion: 1.0\nArchitecture: all\nMaintainer: Nobody <nobody@origin.example>\nDescription: says hello\n";
    std::fs::write(package.join("DEBIAN/control"), control).unwrap();
    let deb = directory.join("greeting.deb");
    run(Command::new("dpkg-deb").args(["--root-owner-group", "-b"]).arg(&package).arg(&deb));
    let deb = std::fs::read(deb).unwrap();
    let packages = format!(
        "{control}Filename: pool/greeting_1.0_all.deb\nSize: {}\nSHA256: {}\n\n",
        deb.len(),
        Digest::of(&deb).hex()
    );
    let architecture = run(Command::new("dpkg").arg("--print-architecture"));
    let rfc = "%a, %d %b %Y %H:%M:%S UTC";
    let release = format!(
        "Origin: example\nSuite: stable\nCodename: stable\nDate: {}\nValid-Until: {}\nArchitectures: {architecture}\n\
         Components: main\nSHA256:\n {} {} main/binary-{architecture}/Packages\n",
        utc(until - 2 * VALID, rfc),
        utc(until, rfc),
        Digest::of(packages.as_bytes()).hex(),
        packages.len(),
    );
    std::fs::write(directory.join("Release"), release).unwrap();
    run(gpg(directory)
        .args(["--yes", "--clearsign", "-o"])
        .arg(directory.join("InRelease"))
        .arg(directory.join("Release")));
    let dists = "/debian/dists/stable";
    origin.file(&format!("{dists}/InRelease"), std::fs::read(directory.join("InRelease")).unwrap());
    origin.file(&format!("{dists}/main/binary-{architecture}/Packages"), packages);
    origin.file("/debian/pool/greeting_1.0_all.deb", deb);
}
