//! Layered archives, as docker, podman and skopeo load them: both forms, with the layers that their config names.
//!
//! Needs the rig's `docker` and `peers`, each for its part.

use std::fs;
use std::io::Read;
use std::process::Command;

use repro::parts::digest::Digest;
use serde_json::{Value, json};

use crate::needs;
use crate::project::Project;

const NAME: &str = "layered.example/app:1";

fn project() -> Project {
    let project = Project::bare();
    project.write("root/nix/store/1-app/bin/app", "#!/bin/sh\n").write("root/nix/store/2-data/large", vec![7; 5 << 20]);
    project.write("root/nix/store/c/layer.tar", [0; 10240]);
    project.write("root/nix/store/c/checksum", Digest::of(&[0; 10240]).hex());
    let date = "1970-01-01T00:00:01+00:00";
    let conf = json!({
        "architecture": "amd64", "config": { "Cmd": ["/nix/store/1-app/bin/app"] }, "created": date, "mtime": date, "uid": 0,
        "gid": 0, "uname": "root", "gname": "root", "store_dir": "/nix/store", "from_image": null, "repo_tag": NAME,
        "store_layers": [["/nix/store/1-app"], ["/nix/store/2-data"]], "customisation_layer": "/nix/store/c",
    });
    project.write("conf.json", conf.to_string());
    project
}

/// What a program prints, which must end with 0.
fn run(program: &str, words: &[&str]) -> String {
    let output = Command::new(program).args(words).output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program} {words:?}: {stderr}");
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

/// The config in a docker archive: the member before the last.
fn config(archive: &[u8]) -> Value {
    let mut archive = tar::Archive::new(archive);
    let contents = archive.entries().unwrap().map(|entry| {
        let mut content = Vec::new();
        entry.unwrap().read_to_end(&mut content).unwrap();
        content
    });
    let contents: Vec<Vec<u8>> = contents.collect();
    serde_json::from_slice(&contents[contents.len() - 2]).unwrap()
}

#[test]
fn both_forms_load_into_docker_podman_and_skopeo() {
    let project = project();
    let path = |name: &str| project.path().join(name).display().to_string();
    let stream =
        |words: &[&str]| project.repro(&[&["stream", "conf.json", "--root", "root"], words].concat()).expect(0);
    stream(&["-o", "docker.tar"]);
    let told = stream(&["-o", "oci.tar", "--format", "oci"]);
    let digest = told.stderr.split_whitespace().find(|word| word.starts_with("sha256:")).unwrap().to_owned();
    let layers = config(&fs::read(project.path().join("docker.tar")).unwrap())["rootfs"]["diff_ids"].clone();
    assert_eq!(layers.as_array().unwrap().len(), 3);
    let check = |program: &str, format: &str| {
        for form in ["docker.tar", "oci.tar"] {
            let loaded = run(program, &["load", "-i", &path(form)]);
            assert!(loaded.contains(NAME), "{program} {form}: {loaded}");
            let found: Value =
                serde_json::from_str(&run(program, &["image", "inspect", "--format", format, NAME])).unwrap();
            assert_eq!(found, layers, "{program} {form}");
            run(program, &["rmi", NAME]);
        }
    };
    if needs::variable("DOCKER_HOST").is_some() {
        check("docker", "{{json .RootFS.Layers}}");
    }
    if needs::variable("CONTAINERS_STORAGE_CONF").is_some() {
        check("podman", "{{json .RootFS.Layers}}");
        let oci = format!("oci-archive:{}", path("oci.tar"));
        let inspect = |place: &str| run("skopeo", &["--insecure-policy", "inspect", "--format", "{{.Digest}}", place]);
        assert_eq!(inspect(&oci), digest);
        for place in [oci, format!("docker-archive:{}", path("docker.tar"))] {
            let copy = path("copy");
            run("skopeo", &["--insecure-policy", "copy", "-q", &place, &format!("dir:{copy}")]);
            let manifest: Value =
                serde_json::from_str(&fs::read_to_string(format!("{copy}/manifest.json")).unwrap()).unwrap();
            let found = manifest["layers"].as_array().unwrap().iter().map(|layer| layer["digest"].clone());
            assert_eq!(Value::from(found.collect::<Vec<_>>()), layers, "{place}");
        }
    }
}
