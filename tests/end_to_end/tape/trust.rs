//! Bases that keep their trust store in other places, or have none.

use std::path::Path;
use std::process::Command;

use super::origin::Origin;
use crate::rig::{crane, registry_name, run, variable};

/// A bundle of certificates as far as BuildKit looks at it.
const BUNDLE: &str = "# the base's own\n";

/// Pushes busybox with more files, made by `script` in an empty directory.
fn base(name: &str, directory: &Path, script: &str) {
    let root = directory.join(name);
    std::fs::create_dir_all(&root).unwrap();
    run(Command::new("sh").args(["-ec", script, BUNDLE]).current_dir(&root));
    let layer = directory.join(format!("{name}.tar"));
    run(Command::new("tar").args(["--owner=0", "--group=0", "-cf"]).arg(&layer).arg("-C").arg(&root).arg("."));
    let busybox = format!("{}/busybox:1", variable("RIG_REGISTRY").unwrap());
    let target = registry_name(&format!("trust-{name}:1"));
    crane(&["append", "--platform", "linux/amd64", "-b", &busybox, "-f", layer.to_str().unwrap(), "-t", &target]);
}

#[test]
fn programs_find_the_certificate_wherever_a_base_keeps_its_own() {
    let origin = Origin::start();
    origin.file("/file", "first\n");
    for (name, script, bundle) in [
        (
            "redhat",
            "mkdir -p etc/pki/tls/certs etc/pki/ca-trust/extracted/pem etc/ssl; \
             printf \"$0\" > etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem; ln -s ../pki/tls/certs etc/ssl/certs; \
             ln -s /etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem etc/pki/tls/certs/ca-bundle.crt",
            Some("/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem"),
        ),
        ("alpine", "mkdir -p etc/ssl; printf \"$0\" > etc/ssl/cert.pem", Some("/etc/ssl/cert.pem")),
        (
            "linked",
            "mkdir -p etc/ssl/certs etc/pki; printf \"$0\" > etc/pki/bundle.pem; \
             ln -s ../../pki/bundle.pem etc/ssl/certs/ca-certificates.crt",
            Some("/etc/pki/bundle.pem"),
        ),
        ("none", "mkdir opt", None),
    ] {
        let proxied = bundle.map(|path| format!("grep -q 'buildkit proxy CA' {path} && ")).unwrap_or_default();
        let unchanged = match bundle {
            Some(path) => format!("test \"$(cat {path})\" = \"{}\"", BUNDLE.trim_end()),
            None => "test ! -e /etc/ssl".to_owned(),
        };
        let dockerfile = format!(
            "FROM registry.example/spine/trust-{name}:1\n\
             RUN {proxied}grep -q 'BEGIN CERTIFICATE' \"$PIP_CERT\" && test \"$PIP_CERT\" = \"$REQUESTS_CA_BUNDLE\" && \
             wget -O /got http://origin.example/file\n\
             RUN --network=none {unchanged}\n"
        );
        let Some(project) = origin.project("") else { return };
        base(name, &project.path().join(".git"), script);
        project.write("Dockerfile", dockerfile).commit();
        project.repro(&["lock"]).expect(0);
        project.repro(&["build", "--record"]).expect(0);
        project.repro(&["verify"]).expect(0);
    }
}

#[test]
fn a_base_without_trust_store_and_one_program_s_own_have_messages_of_their_own() {
    let origin = Origin::start();
    let complaint = "echo 'curl: (60) SSL certificate problem: unable to get local issuer certificate'; exit 60";
    let Some(project) = origin.project(&format!("RUN {complaint}\n")) else { return };
    project.repro(&["lock"]).expect(5).says("Dockerfile:2: ").says("lead it to `/dev/.repro/proxy.pem`");
    let busybox = std::fs::read("/bin/busybox").unwrap();
    let own =
        format!("FROM scratch\nCOPY busybox /bin/busybox\nRUN [\"/bin/busybox\", \"sh\", \"-c\", \"{complaint}\"]\n");
    project.write("busybox", busybox).write("Dockerfile", own);
    run(Command::new("chmod").arg("755").arg(project.path().join("busybox")));
    project.commit();
    project
        .repro(&["lock"])
        .expect(5)
        .says("Dockerfile:3: ")
        .says("the base has no trust store")
        .says("install `ca-certificates`");
}
