//! BuildKit in podman's container, behind mutual TLS, in somebody's container and under a builder of buildx: the same image.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::project::Project;
use crate::rig::{locked, manifest_digest, run, variable};

const DOCKERFILE: &str = "FROM registry.example/busybox:1\nCOPY f /f\n\
    RUN --mount=type=secret,id=s sha256sum /f > /sum && chmod 4755 /f && wc -c < /run/secrets/s > /length\n";

/// A project whose image is recorded with the rig's daemon.
fn recorded() -> Option<(Project, String)> {
    let image = variable("RIG_BUILDKIT_IMAGE")?;
    let manifest = format!("[buildkit]\nimage = \"{image}\"\n[image.app]\nsecrets = [\"s\"]\n");
    let mut project = locked(&manifest, DOCKERFILE, &[("f", "hello\n")])?;
    for name in ["CONTAINERS_STORAGE_CONF", "CONTAINERS_CONF"] {
        project.set(name, &variable(name)?);
    }
    fs::write(project.home().join("s"), "secret\n").unwrap();
    let digest = manifest_digest(build(&project, &["--record"]));
    project.set("BUILDKIT_HOST", "");
    Some((project, digest))
}

fn build(project: &Project, more: &[&str]) -> crate::project::Outcome {
    let secret = format!("s={}", project.home().join("s").display());
    project.repro(&[&["build", "--format", "json", "--secret", &secret], more].concat())
}

/// The names of podman's containers of ours.
fn containers() -> String {
    run(Command::new("podman").args(["ps", "--all", "--quiet", "--filter", "label=repro.engine"]))
}

/// Waits until `is_so`.
#[track_caller]
fn eventually(what: &str, is_so: impl Fn() -> bool) {
    let started = Instant::now();
    while !is_so() {
        assert!(started.elapsed() < Duration::from_secs(30), "{what}");
        sleep(Duration::from_millis(100));
    }
}

#[test]
fn podman_gives_the_recorded_image_and_nothing_outlives_a_killed_build() {
    let Some((project, digest)) = recorded() else { return };
    assert_eq!(manifest_digest(build(&project, &["--engine", "podman"])), digest);
    let secret = format!("s={}", project.home().join("s").display());
    project.repro(&["verify", "--engine", "podman", "--secret", &secret]).expect(0).prints("rebuilt with podman");
    build(&project, &["--engine", "podman", "--rootless"]).expect(7).says("the podman of root is never rootless");
    assert_eq!(containers(), "", "a container is left");

    project.write("Dockerfile", "FROM registry.example/busybox:1\nRUN sleep 4711\n").commit();
    project.repro(&["lock"]).expect(0);
    let mut command = project.command(&["build", "--engine", "podman", "--secret", &secret]);
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let sleeps = || Command::new("pgrep").args(["-f", "sleep 4711"]).output().unwrap().status.success();
    eventually("RUN was not reached", sleeps);
    child.kill().unwrap();
    child.wait().unwrap();
    eventually("the container outlives the build", || containers().is_empty() && !sleeps());
    for volume in run(Command::new("podman").args(["volume", "ls", "--quiet", "--filter", "name=^repro-"])).lines() {
        run(Command::new("podman").args(["volume", "rm", volume]));
    }
}

/// Certificates of an authority, a server on loopback and a client, as buildctl's `--tlsdir` wants them.
fn certificates(directory: &Path) {
    let make = |name: &str, more: &[&str]| {
        let subject = format!("/CN={name}");
        let (key, cert) = (format!("{name}-key.pem"), format!("{name}.pem"));
        let fixed = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"];
        let named = ["-subj", &subject, "-keyout", &key, "-out", &cert];
        let mut command = Command::new("openssl");
        run(command.args(fixed).args(named).args(more).current_dir(directory));
    };
    make("ca", &["-addext", "keyUsage=critical,keyCertSign"]);
    let by = ["-CA", "ca.pem", "-CAkey", "ca-key.pem", "-addext", "basicConstraints=critical,CA:FALSE"];
    make("server", &[&by[..], &["-addext", "subjectAltName=DNS:build.example"]].concat());
    make("client", &[&by[..], &["-addext", "extendedKeyUsage=clientAuth"]].concat());
    fs::copy(directory.join("client.pem"), directory.join("cert.pem")).unwrap();
    fs::copy(directory.join("client-key.pem"), directory.join("key.pem")).unwrap();
}

/// A daemon that ends with the test.
struct Daemon(Child);

impl Drop for Daemon {
    fn drop(&mut self) {
        Command::new("kill").arg(self.0.id().to_string()).status().ok();
        self.0.wait().ok();
    }
}

#[test]
fn a_daemon_behind_mutual_tls_is_reached_with_the_options_of_buildctl() {
    let Some((project, digest)) = recorded() else { return };
    let directory = tempfile::tempdir().unwrap();
    certificates(directory.path());
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let address = format!("tcp://127.0.0.1:{port}");
    let at = |name: &str| directory.path().join(name).display().to_string();
    let registry = variable("RIG_REGISTRY").unwrap();
    let configuration = format!(
        "root = \"{}\"\n[grpc]\naddress = [\"{address}\"]\n[grpc.tls]\ncert = \"{}\"\nkey = \"{}\"\nca = \"{}\"\n\
         [worker.oci]\nsnapshotter = \"overlayfs\"\n[worker.containerd]\nenabled = false\n\
         [otel]\nsocketPath = \"{}\"\n\
         [registry.\"registry.example\"]\nmirrors = [\"{registry}\"]\n[registry.\"{registry}\"]\nhttp = true\n",
        at("root"),
        at("server.pem"),
        at("server-key.pem"),
        at("ca.pem"),
        at("otel.sock"),
    );
    fs::write(directory.path().join("buildkitd.toml"), configuration).unwrap();
    let log = fs::File::create(directory.path().join("log")).unwrap();
    let mut command = Command::new("buildkitd");
    command.args(["--config", &at("buildkitd.toml")]).stdout(Stdio::null()).stderr(log).env_remove("BUILDKIT_HOST");
    let _daemon = Daemon(command.spawn().unwrap());
    eventually("the daemon does not listen", || std::net::TcpStream::connect(("127.0.0.1", port)).is_ok());

    let engine = ["--engine", "buildctl", "--addr", &address];
    let named = ["--tlsservername", "build.example"];
    let whole = build(&project, &[&engine[..], &named, &["--tlsdir", directory.path().to_str().unwrap()]].concat());
    assert_eq!(manifest_digest(whole), digest);
    // Files are those of where the user stands.
    for name in ["ca.pem", "cert.pem", "key.pem"] {
        fs::copy(directory.path().join(name), project.path().join(".git").join(name)).unwrap();
    }
    let files = ["--tlscacert", ".git/ca.pem", "--tlscert", ".git/cert.pem", "--tlskey", ".git/key.pem"];
    assert_eq!(manifest_digest(build(&project, &[&engine[..], &named, &files].concat())), digest);
    build(&project, &[&engine[..], &files].concat()).expect(7).says("certificate");
    build(&project, &engine).expect(7).says("failed");
}

#[test]
fn a_builder_of_the_users_own_builds_the_recorded_image() {
    let (Some((mut project, digest)), Some(image), Some(remote)) =
        (recorded(), variable("RIG_BUILDKIT_IMAGE"), variable("BUILDKIT_HOST"))
    else {
        return;
    };
    let state = project.home().join("buildx");
    project.set("BUILDX_CONFIG", state.to_str().unwrap());
    let buildx = |arguments: &[&str]| run(Command::new("docker-buildx").args(arguments).env("BUILDX_CONFIG", &state));
    let toml = project.home().join("own.toml");
    let registry = variable("RIG_REGISTRY").unwrap();
    fs::write(
        &toml,
        format!(
            "[registry.\"registry.example\"]\nmirrors = [\"{registry}\"]\n[registry.\"{registry}\"]\nhttp = true\n"
        ),
    )
    .unwrap();
    let name = format!("own-{}", std::process::id());
    let option = format!("image={image},network=host");
    let fixed = ["create", "--name", &name, "--driver", "docker-container", "--driver-opt", &option];
    buildx(&[&fixed[..], &["--buildkitd-config", toml.to_str().unwrap()]].concat());
    let built = build(&project, &["--engine", "buildx", "--builder", &name]);
    let container = format!("docker-container://buildx_buildkit_{name}0");
    let inside = build(&project, &["--engine", "buildctl", "--addr", &container]);
    buildx(&["rm", &name]);
    assert_eq!(manifest_digest(built), digest);
    assert_eq!(manifest_digest(inside), digest);

    buildx(&["create", "--name", "far", "--driver", "remote", &remote]);
    assert_eq!(manifest_digest(build(&project, &["--engine", "buildx", "--builder", "far"])), digest);
    build(&project, &["--engine", "buildx", "--builder", "nobody"]).expect(7).says("buildx knows no builder `nobody`");
}
