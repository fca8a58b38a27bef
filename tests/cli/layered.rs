//! `repro stream` beside what nixpkgs' script wrote (`tests/cases/layered`), and how it ends where it can't.

use std::ffi::OsStr;
use std::fs::{self, Permissions};
use std::io::{Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::{Command, Stdio};

use repro::parts::digest::Digest;
use serde_json::Value;

use crate::needs;
use crate::project::{Outcome, Project, outcome};

const CASES: &str = "tests/cases/layered";

#[test]
fn every_case_is_written_byte_for_byte() {
    // The trees have owners, and the reference ran as root, to whom the customisation layer belongs.
    if !rustix::process::geteuid().is_root() {
        return needs::not_run("tests/cases/layered: only root can lay out the trees");
    }
    let mut count = 0;
    let mut wrong = Vec::new();
    for entry in fs::read_dir(CASES).unwrap() {
        let file = entry.unwrap().path().join("case.json");
        let Ok(text) = fs::read_to_string(&file) else { continue };
        let case: Value = serde_json::from_str(&text).unwrap();
        count += 1;
        let project = Project::bare();
        let root = project.path().join("root");
        lay(&root, case["tree"].as_array().unwrap());
        project.write("conf.json", conf(&text));
        let arguments = case["args"].as_array().unwrap().iter().map(|word| word.as_str().unwrap());
        let words: Vec<&str> = ["stream", "conf.json", "--root", "root"].into_iter().chain(arguments).collect();
        let output = project.command(&words).env("TZ", "UTC").output().unwrap();
        let expected = &case["expected"];
        let is_right = match expected["status"].as_i64().unwrap() {
            0 => {
                let want = format!("sha256:{}", expected["sha256"].as_str().unwrap());
                output.status.success() && Digest::of(&output.stdout).to_string() == want
            }
            _ => !output.status.success() && !output.stderr.is_empty(),
        };
        if !is_right {
            wrong.push(format!("{}: {output:?}", file.display()).chars().take(400).collect::<String>());
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(count, 40, "cases");
}

/// The description as it stands in a case, with its order of keys and forms of numbers.
fn conf(case: &str) -> &str {
    let rest = case.split_once("\"conf\":").unwrap().1;
    let mut values = serde_json::Deserializer::from_str(rest).into_iter::<serde::de::IgnoredAny>();
    values.next().unwrap().unwrap();
    &rest[..values.byte_offset()]
}

/// Makes a case's tree below `root`; directories get their modes when all is in them.
fn lay(root: &Path, tree: &[Value]) {
    fs::create_dir_all(root).unwrap();
    let mut directories = Vec::new();
    for entry in tree {
        let name = match entry["path"].as_str() {
            Some(path) => path.as_bytes().to_vec(),
            None => bytes(entry["path_base64"].as_str().unwrap()),
        };
        let path = root.join(OsStr::from_bytes(name.strip_prefix(b"/").unwrap()));
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let target = || entry["target"].as_str().unwrap();
        match entry["type"].as_str().unwrap() {
            "symlink" => {
                symlink(target(), &path).unwrap();
                continue;
            }
            "hardlink" => {
                fs::hard_link(root.join(target().trim_start_matches('/')), &path).unwrap();
                continue;
            }
            "dir" => {
                fs::create_dir_all(&path).unwrap();
                directories.push((path, entry));
                continue;
            }
            "file" => fs::write(&path, content(entry)).unwrap(),
            "fifo" => node(&path, &["p"]),
            "char" => node(&path, &["c", "1", "3"]),
            other => panic!("an entry of type {other}"),
        }
        own(&path, entry);
    }
    directories.iter().for_each(|(path, entry)| own(path, entry));
}

fn node(path: &Path, words: &[&str]) {
    assert!(Command::new("mknod").arg(path).args(words).status().unwrap().success());
}

fn own(path: &Path, entry: &Value) {
    let number = |key: &str| u32::try_from(entry[key].as_u64().unwrap_or_default()).unwrap();
    std::os::unix::fs::chown(path, Some(number("uid")), Some(number("gid"))).unwrap();
    fs::set_permissions(path, Permissions::from_mode(number("mode"))).unwrap();
}

fn content(entry: &Value) -> Vec<u8> {
    let plain = match (&entry["text"], &entry["base64"], &entry["fill"]) {
        (Value::String(text), ..) => text.as_bytes().to_vec(),
        (_, Value::String(text), _) => bytes(text),
        (.., Value::Array(fill)) => {
            let number = |at: usize| fill[at].as_u64().unwrap();
            vec![u8::try_from(number(0)).unwrap(); usize::try_from(number(1)).unwrap()]
        }
        _ => Vec::new(),
    };
    if entry["gzip"] != true {
        return plain;
    }
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(&plain).unwrap();
    encoder.finish().unwrap()
}

fn bytes(text: &str) -> Vec<u8> {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.decode(text).unwrap()
}

/// A project whose description names one file, and a customisation layer with this checksum.
fn small(checksum: &str, path: &str) -> Project {
    let project = Project::bare();
    project.write("root/nix/store/a/f", "content").write("root/nix/store/c/layer.tar", [0; 10240]);
    project.write("root/nix/store/c/checksum", checksum);
    let conf = serde_json::json!({
        "architecture": "amd64", "config": {}, "created": "1970-01-01T00:00:01+00:00", "mtime": "1970-01-01T00:00:01+00:00",
        "uid": 0, "gid": 0, "uname": "root", "gname": "root", "store_dir": "/nix/store", "from_image": null,
        "repo_tag": "a:1", "store_layers": [[path]], "customisation_layer": "/nix/store/c",
    });
    project.write("conf.json", conf.to_string());
    project
}

fn right() -> String {
    Digest::of(&[0; 10240]).hex()
}

fn stream(project: &Project, more: &[&str]) -> Outcome {
    let words: Vec<&str> = ["stream", "conf.json", "--root", "root"].iter().chain(more).copied().collect();
    project.repro(&words)
}

#[test]
fn what_is_wrong_is_said_and_leaves_no_file() {
    let socket = |project: &Project| {
        // Bound and gone: the name stays.
        std::os::unix::net::UnixListener::bind(project.path().join("root/nix/store/a/socket")).unwrap();
    };
    let none = |_: &Project| {};
    type Case<'a> = (&'a str, &'a str, &'a dyn Fn(&Project), i32, &'a str);
    let cases: [Case; 5] = [
        ("0", "/nix/store/a", &none, 6, "`checksum` says `0`, its bytes have"),
        (&right(), "/opt/a", &none, 2, "`/opt/a` is outside `/nix/store`"),
        (&right(), "/nix/store/a", &socket, 6, "`/nix/store/a/socket` is a socket"),
        (&right(), "/nix/store/b", &none, 4, "cannot read `/nix/store/b`"),
        (&right(), "/nix/store/a", &|project| _ = project.write("conf.json", "{}"), 2, "the description's `mtime`"),
    ];
    for (checksum, path, change, status, message) in cases {
        let project = small(checksum, path);
        change(&project);
        stream(&project, &["-o", "out.tar"]).expect(status).says(message);
        let names = fs::read_dir(project.path()).unwrap().map(|entry| entry.unwrap().file_name());
        let left: Vec<_> = names.filter(|name| name != "root" && name != "conf.json").collect();
        assert!(left.is_empty(), "{message}: {left:?}");
        // No document behind the archive's bytes either.
        let piped = project.command(&["stream", "conf.json", "--root", "root", "--format", "json"]).output().unwrap();
        assert_eq!(piped.status.code(), Some(status), "{message}");
        assert!(!piped.stdout.windows(13).any(|part| part == b"manifest.json"), "{message}");
    }
}

#[test]
fn a_file_and_a_pipe_get_the_same_bytes() {
    let project = small(&right(), "/nix/store/a");
    let piped = project.command(&["stream", "conf.json", "--root", "root", "-t", "b:2"]).output().unwrap();
    stream(&project, &["-o", "out.tar", "--repo-tag", "b:2"]).expect(0);
    let written = fs::read(project.path().join("out.tar")).unwrap();
    assert!(written == piped.stdout && written.len().is_multiple_of(10240));
    assert!(project.repro(&["inspect", "out.tar"]).expect(0).stdout.contains("b:2"));
}

#[test]
fn a_reader_that_goes_away_is_an_error() {
    let project = small(&right(), "/nix/store/a");
    project.write("root/nix/store/a/large", vec![7; 1 << 20]);
    let mut command = project.command(&["stream", "conf.json", "--root", "root"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    assert!(String::from_utf8_lossy(&output.stderr).contains("cannot write the archive"), "{output:?}");
}

#[test]
fn a_terminal_gets_no_archive() {
    let project = small(&right(), "/nix/store/a");
    if Command::new("script").arg("--version").output().is_err() {
        return needs::not_run("no `script` to make a terminal");
    }
    let repro = format!("{} stream conf.json --root root", env!("CARGO_BIN_EXE_repro"));
    let mut command = Command::new("script");
    command.args(["-qec", &repro, "/dev/null"]).current_dir(project.path()).stdin(Stdio::null());
    // What is said goes to the terminal too.
    let outcome = outcome(&mut command).expect(2);
    assert!(outcome.stdout.contains("stdout is a terminal"), "{outcome:?}");
}

/// The members of an archive, by name.
fn members(archive: &[u8]) -> Vec<(String, Vec<u8>)> {
    let mut archive = tar::Archive::new(archive);
    let members = archive.entries().unwrap().map(|entry| {
        let mut entry = entry.unwrap();
        let mut content = Vec::new();
        entry.read_to_end(&mut content).unwrap();
        (entry.path().unwrap().display().to_string(), content)
    });
    members.collect()
}

#[test]
fn an_oci_archive_has_the_same_layers_and_config_and_its_digest_is_said() {
    let project = small(&right(), "/nix/store/a");
    let told = stream(&project, &["-o", "oci.tar", "--format", "oci"]).expect(0);
    let digest = told.stderr.split_whitespace().find(|word| word.starts_with("sha256:")).unwrap().to_owned();
    // What is in it follows from the description, the files and `docs/layered.md` alone.
    assert_eq!(digest, "sha256:01b59fb0e92ccaea8f2c1a0c2a8703c959cf90620bf9620128862dda3d9013bc");
    stream(&project, &["-o", "docker.tar"]).expect(0);
    let read = |name: &str| fs::read(project.path().join(name)).unwrap();
    let (oci, docker) = (members(&read("oci.tar")), members(&read("docker.tar")));
    let contents =
        |members: &[(String, Vec<u8>)]| members.iter().map(|(_, content)| content.clone()).collect::<Vec<_>>();
    assert_eq!(contents(&oci[..3]), contents(&docker[..3]));
    let names: Vec<&str> = oci.iter().map(|(name, _)| name.as_str()).collect();
    let blobs = oci[..4].iter().map(|(_, content)| format!("blobs/sha256/{}", Digest::of(content).hex()));
    assert_eq!(names[..4], blobs.collect::<Vec<_>>());
    assert_eq!(names[4..], ["index.json", "manifest.json", "oci-layout"]);
    assert_eq!(Digest::of(&oci[3].1).to_string(), digest);
    let inspected = project.repro(&["inspect", "oci.tar"]).expect(0);
    assert!(inspected.stdout.contains(&digest) && inspected.stdout.contains("a:1"), "{inspected:?}");
    let mut piped = project.command(&["stream", "conf.json", "--root", "root", "--format", "oci"]);
    assert!(piped.output().unwrap().stdout == read("oci.tar"));
    stream(&project, &["-o", "x.tar", "--format", "oci", "-t", "UPPER"]).expect(2).says("expected an image reference");
    project.repro(&["lock", "--format", "oci"]).expect(2).says("`--format oci` is a form of `repro stream`");
}

#[test]
fn layers_of_a_base_are_checked_for_an_oci_archive() {
    let project = small(&right(), "/nix/store/a");
    stream(&project, &["-o", "root/base.tar"]).expect(0);
    let conf = project.read("conf.json").replace("\"from_image\":null", "\"from_image\":\"/base.tar\"");
    project.write("conf.json", conf);
    stream(&project, &["-o", "oci.tar", "--format", "oci"]).expect(0);
    project.repro(&["inspect", "oci.tar"]).expect(0);
    let names: Vec<String> =
        members(&fs::read(project.path().join("oci.tar")).unwrap()).into_iter().map(|(name, _)| name).collect();
    // Both layers of the base are the image's own: each stands there once.
    assert_eq!(names.iter().filter(|name| name.starts_with("blobs/")).count(), 4, "{names:?}");
    let mut base = fs::read(project.path().join("root/base.tar")).unwrap();
    let at = base.windows(7).position(|window| window == b"content").unwrap();
    base[at] = b'C';
    project.write("root/base.tar", base);
    stream(&project, &["-o", "docker.tar"]).expect(0);
    stream(&project, &["-o", "x.tar", "--format", "oci"]).expect(6).says("has the diff ID");
    assert!(!project.path().join("x.tar").exists());
}

#[test]
fn layers_are_made_of_a_reference_graph_by_popularity() {
    let project = small(&right(), "/nix/store/a");
    let store = |name: &str| format!("/nix/store/{name}");
    let graph: Vec<Value> =
        [("1-app", &["2-lib", "3-libc", "1-app"][..]), ("2-lib", &["3-libc"]), ("3-libc", &[]), ("c", &[])]
            .iter()
            .map(|(name, to)| {
                project.write(&format!("root/nix/store/{name}/file"), *name);
                let references: Vec<String> = to.iter().map(|to| store(to)).collect();
                serde_json::json!({ "path": store(name), "references": references })
            })
            .collect();
    project.write("graph.json", Value::from(graph).to_string());
    let conf: Value = serde_json::from_str(&project.read("conf.json")).unwrap();
    let mut conf = conf.as_object().unwrap().clone();
    conf.remove("store_layers");
    project.write("conf.json", Value::from(conf).to_string());
    let layers = |most: &str| -> Vec<String> {
        stream(&project, &["-o", "out.tar", "--from-closure", "graph.json", "--max-layers", most]).expect(0);
        let members = members(&fs::read(project.path().join("out.tar")).unwrap());
        let config: Value = serde_json::from_slice(&members[members.len() - 2].1).unwrap();
        let steps = config["history"].as_array().unwrap().iter();
        steps.map(|step| step["comment"].as_str().unwrap().trim_start_matches("store paths: ").to_owned()).collect()
    };
    let custom = "['/nix/store/c']";
    assert_eq!(layers("100"), ["['/nix/store/3-libc']", "['/nix/store/2-lib']", "['/nix/store/1-app']", custom]);
    assert_eq!(layers("3"), ["['/nix/store/3-libc']", "['/nix/store/2-lib', '/nix/store/1-app']", custom]);
    assert_eq!(layers("2"), ["['/nix/store/3-libc', '/nix/store/2-lib', '/nix/store/1-app']", custom]);
    let closure =
        |more: &[&str]| stream(&project, &[&["-o", "out.tar", "--from-closure", "graph.json"], more].concat());
    closure(&["--max-layers", "1"]).expect(2).says("none is left for the store");
    project.write("graph.json", "[]\n[]");
    closure(&[]).expect(2).says("the reference graph is");
    stream(&project, &["-o", "out.tar", "--max-layers", "5"]).expect(2).says("--from-closure");
}

#[test]
fn random_trees_are_written_as_python_s_tarfile_writes_them() {
    let Ok(version) = Command::new("python3").arg("--version").output() else {
        return needs::not_run("no python3, whose tarfile is the reference");
    };
    let mut command = Command::new("python3");
    command.arg("tests/layered/differential.py").args([env!("CARGO_BIN_EXE_repro"), "100"]);
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success() && said.contains("100 of 100 trees equal"), "{version:?} {said} {output:?}");
}
