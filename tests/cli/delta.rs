//! `repro delta` through the binary: images go through it with every digest the same, and broken deltas end with 6.

use std::fs;
use std::io::Read;
use std::path::Path;
use std::process::Command;

use repro::parts::digest::Digest;
use serde_json::Value;

use crate::project::Project;
use crate::server::Server;
use crate::server::images::Shelf;

/// Bytes that no compression makes smaller.
fn random(seed: u64, length: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut step = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 24) as u8
    };
    (0..length).map(|_| step()).collect()
}

/// A project with two images that differ in one file of some: `one.*` and `two.*`, as archives of both kinds and as layouts.
fn built() -> Project {
    let project = Project::new();
    project.write("repro.toml", "version = 1\n[image.app]\nrepository = \"registry.example/app\"\ntags = [\"1\"]\n");
    project.write("Dockerfile", "FROM scratch\nCOPY lib /lib\nCOPY data /data\n");
    for number in 0..40 {
        project.write(&format!("lib/{number}"), random(number, 500 + 37 * number as usize));
        project.write(&format!("data/{number}"), random(100 + number, 4000));
    }
    project.commit();
    project.repro(&["lock"]).expect(0);
    for name in ["one", "two"] {
        project.repro(&["build", "-o", &format!("{name}.tar")]).expect(0);
        project.repro(&["build", "-o", &format!("{name}.docker.tar"), "--archive", "docker"]).expect(0);
        project.repro(&["build", "-o", &format!("{name}/")]).expect(0);
        project.write("data/7", random(1000, 4100)).commit();
    }
    project
}

fn delta(project: &Project, arguments: &[&str], status: i32) -> Value {
    let outcome = project.repro(&[&["delta"], arguments, &["--format", "json"]].concat()).expect(status);
    let document = crate::schema::check("delta", &outcome.stdout);
    assert_eq!(document["status"], status, "{document}");
    document
}

fn digest(project: &Project, image: &str) -> Value {
    let text = project.repro(&["inspect", image, "--format", "json"]).expect(0);
    let document = text.json();
    serde_json::json!([document["images"][0]["manifest"], document["images"][0]["config"]])
}

fn file(project: &Project, name: &str) -> Vec<u8> {
    fs::read(project.path().join(name)).unwrap()
}

#[test]
fn an_image_comes_out_of_a_delta_with_every_digest_the_same_whatever_form_it_has() {
    let project = built();
    for (base, target) in [("one.tar", "two.tar"), ("one", "two.docker.tar"), ("one.docker.tar", "two")] {
        let made = delta(&project, &["create", "--base", base, "--target", target, "-o", "d"], 0);
        let size = file(&project, "d").len() as u64;
        assert_eq!(made["bytes"], size);
        assert!(size < 4100 + 4000, "{size} bytes for a file of 4100: {made:#}");
        delta(&project, &["create", "--base", base, "--target", target, "-o", "again"], 0);
        assert!(file(&project, "d") == file(&project, "again"), "the same images give the same bytes");
        let shown = delta(&project, &["show", "d"], 0);
        assert_eq!((&shown["blobs"], &shown["bytes"]), (&made["blobs"], &made["bytes"]));
        let planned = delta(&project, &["plan", "--base", base, "--target", target], 0);
        assert_eq!((&planned["blobs"], &planned["bytes"]), (&made["blobs"], &made["bytes"]));
        // Whatever form the base has when it is applied.
        for other in ["one.tar", "one", base] {
            delta(&project, &["apply", "d", "--base", other, "-o", "given.tar"], 0);
            assert_eq!(digest(&project, "given.tar"), digest(&project, target), "{base} {target} {other}");
        }
        if target != "two.docker.tar" {
            delta(&project, &["apply", "d", "--base", base, "-o", "given/"], 0);
            assert_eq!(digest(&project, "given"), digest(&project, target));
            fs::remove_dir_all(project.path().join("given")).unwrap();
        }
    }
    // An archive of `repro` is the same file again.
    delta(&project, &["create", "--base", "one.tar", "--target", "two.tar", "-o", "d"], 0);
    delta(&project, &["apply", "d", "--base", "one.tar", "-o", "given.tar"], 0);
    assert!(file(&project, "given.tar") == file(&project, "two.tar"));
}

/// The layout `from` with its layers compressed by a program, as the layout `to`.
fn repacked(project: &Project, from: &str, to: &str, program: &[&str]) {
    let blob = |layout: &str, digest: &Value| {
        project.path().join(layout).join("blobs/sha256").join(&digest.as_str().unwrap()[7..])
    };
    let read = |digest: &Value| fs::read(blob(from, digest)).unwrap();
    fs::create_dir_all(project.path().join(to).join("blobs/sha256")).unwrap();
    let put = |bytes: &[u8]| {
        let digest = Value::from(Digest::of(bytes).to_string());
        fs::write(blob(to, &digest), bytes).unwrap();
        digest
    };
    let mut index: Value = serde_json::from_slice(&file(project, &format!("{from}/index.json"))).unwrap();
    let mut manifest: Value = serde_json::from_slice(&read(&index["manifests"][0]["digest"])).unwrap();
    put(&read(&manifest["config"]["digest"]));
    for layer in manifest["layers"].as_array_mut().unwrap() {
        let (stored, mut content) = (read(&layer["digest"]), Vec::new());
        flate2::read::GzDecoder::new(stored.as_slice()).read_to_end(&mut content).unwrap();
        project.write("content", content);
        let packed = Command::new(program[0]).args(&program[1..]).arg(project.path().join("content")).output().unwrap();
        assert!(packed.status.success(), "{program:?}");
        (layer["size"], layer["digest"]) = (packed.stdout.len().into(), put(&packed.stdout));
    }
    let manifest = manifest.to_string();
    (index["manifests"][0]["size"], index["manifests"][0]["digest"]) =
        (manifest.len().into(), put(manifest.as_bytes()));
    fs::write(project.path().join(to).join("index.json"), index.to_string()).unwrap();
    fs::copy(project.path().join(from).join("oci-layout"), project.path().join(to).join("oci-layout")).unwrap();
}

#[test]
fn layers_that_other_programs_compressed_come_back_by_recipe() {
    let project = built();
    let python = "import gzip,sys; sys.stdout.buffer.write(gzip.compress(open(sys.argv[1],'rb').read(), 7, mtime=5))";
    for (program, recipe) in [
        (&["gzip", "-9c"][..], Some("gnu-gzip-9")),
        (&["gzip", "-1nc"], Some("gnu-gzip-1")),
        (&["python3", "-c", python], None),
    ] {
        repacked(&project, "two", "other", program);
        let made = delta(&project, &["create", "--base", "one", "--target", "other", "-o", "d"], 0);
        let size = file(&project, "d").len();
        let layers = made["blobs"].as_array().unwrap().iter().filter(|blob| blob["form"] == "delta");
        let found: Vec<&str> = layers.map(|layer| layer["recipe"].as_str().unwrap()).collect();
        match recipe {
            Some(recipe) => assert_eq!(found, [recipe, recipe]),
            // Pythons are compiled with zlib or with zlib-ng.
            None => assert!(found == ["zlib-7", "zlib-7"] || found == ["whole", "whole"], "{found:?}"),
        }
        assert!(found[0] == "whole" || size < 4100 + 5000, "{size} bytes for a file of 4100: {made:#}");
        delta(&project, &["apply", "d", "--base", "one.docker.tar", "-o", "given/"], 0);
        assert!(file(&project, "given/index.json") == file(&project, "other/index.json"), "{program:?}");
        for name in ["given", "other"] {
            fs::remove_dir_all(project.path().join(name)).unwrap();
        }
    }
}

#[test]
fn a_build_gives_the_delta_from_its_pinned_base() {
    let shelf = Shelf::default();
    let base = Project::new();
    base.write("repro.toml", "version = 1\n[image.base]\nsource-date-epoch = \"1600000000\"\n").write("b", "base");
    base.write("Dockerfile", "FROM scratch\nCOPY b /\n").commit().repro(&["lock"]).expect(0);
    base.repro(&["build", "-o", ".git/layout/"]).expect(0);
    shelf.layout("base", "1", &base.path().join(".git/layout"));
    let server = Server::start(move |seen| shelf.response(seen));
    let base = format!("{}/base:1", server.host());
    let project = Project::new();
    project.write("repro.toml", "version = 1\n[image.app]\n[image.bare]\ndockerfile = \"bare\"\n");
    project.write("Dockerfile", format!("FROM {base} AS one\nFROM one\nCOPY a /\n")).write("a", random(1, 3000));
    project.write("bare", "FROM scratch\nCOPY a /\n").commit();
    project.repro(&["lock"]).expect(0);
    let from = format!("docker://{base}");
    for more in [&[][..], &["--delta-from", &base], &["--delta-from", &from]] {
        project.repro(&[&["build", "app", "--delta", "d", "-o", "app.tar"], more].concat()).expect(0);
        let shown = delta(&project, &["show", "d"], 0);
        let forms: Vec<&Value> = shown["blobs"].as_array().unwrap().iter().map(|blob| &blob["form"]).collect();
        assert_eq!(forms.iter().filter(|form| ***form == "base").count(), 1, "{shown:#}");
        delta(&project, &["apply", "d", "--base", &from, "-o", "given.tar"], 0);
        assert!(file(&project, "given.tar") == file(&project, "app.tar"), "{more:?}");
    }
    project.repro(&["build", "bare", "--delta", "d"]).expect(2).says("starts from nothing");
    project.repro(&["build", "--delta", "d"]).expect(2).says("`--delta` takes one image, and there are 2");
    project.repro(&["build", "bare", "--delta-from", &base]).expect(2);
}

#[test]
fn another_base_ends_with_4_and_says_which_is_needed() {
    let project = built();
    delta(&project, &["create", "--base", "one.tar", "--target", "two.tar", "-o", "d"], 0);
    let needed = delta(&project, &["show", "d"], 0)["bases"][0][0].as_str().unwrap().to_owned();
    for arguments in [&["apply", "d", "--base", "two.tar", "-o", "x.tar"][..], &["apply", "d", "-o", "x.tar"]] {
        let document = delta(&project, arguments, 4);
        assert!(document["error"]["message"].as_str().unwrap().contains(&needed), "{document}");
        assert!(!project.path().join("x.tar").exists());
    }
    delta(&project, &["apply", "d", "--base", "absent.tar", "-o", "x.tar"], 2);
}

#[test]
fn images_with_other_compressions_come_whole() {
    let project = built();
    let base = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cases/native/bases");
    for name in ["zstd", "usrmerge", "docker", "nolayers"] {
        let image = format!("{base}/{name}");
        delta(&project, &["create", "--base", "one", "--target", &image, "-o", "d"], 0);
        delta(&project, &["apply", "d", "--base", "one", "-o", "given/"], 0);
        let text = |image: &str| fs::read(Path::new(image).join("index.json")).unwrap();
        assert!(text(&image) == text(project.path().join("given").to_str().unwrap()), "{name}");
        fs::remove_dir_all(project.path().join("given")).unwrap();
        // From itself nothing but references travels.
        let same = delta(&project, &["create", "--base", &image, "--target", &image, "-o", "d"], 0);
        assert!(same["blobs"].as_array().unwrap().iter().all(|blob| blob["form"] == "base"), "{same}");
    }
}

type Edit = fn(&mut Value, &mut Vec<u8>);

/// A delta whose header or body `edit` changed; the body's size and the digest at the end are set right again.
fn edited(original: &[u8], edit: Edit) -> Vec<u8> {
    let original = &original[..original.len() - 32];
    let mut lines = original.splitn(3, |byte| *byte == b'\n');
    let (magic, header, body) = (lines.next().unwrap(), lines.next().unwrap(), lines.next().unwrap());
    let mut body = body.to_vec();
    let mut header: Value = serde_json::from_slice(header).unwrap();
    header["body"] = Value::Null;
    edit(&mut header, &mut body);
    if header["body"].is_null() {
        header["body"] = body.len().into();
    }
    sealed([magic, b"\n", header.to_string().as_bytes(), b"\n", &body].concat())
}

fn sealed(mut bytes: Vec<u8>) -> Vec<u8> {
    let digest = Digest::of(&bytes);
    bytes.extend_from_slice(digest.as_bytes());
    bytes
}

/// The blob that a part gives.
fn layer(header: &mut Value) -> &mut Value {
    header["blobs"].as_array_mut().unwrap().iter_mut().find(|blob| blob["form"] == "delta").unwrap()
}

fn add(number: &mut Value, step: i64) {
    *number = (number.as_i64().unwrap() + step).into();
}

const EDITS: &[(&str, Edit)] = &[
    ("a byte more", |_, body| body.push(0)),
    ("a byte less", |_, body| body.truncate(body.len() - 1)),
    ("another byte", |_, body| *body.last_mut().unwrap() ^= 1),
    ("another first byte of a frame", |_, body| body[0] ^= 1),
    ("parts in another order", |header, body| {
        body.rotate_left(usize::try_from(header["documents"]["size"].as_u64().unwrap()).unwrap());
    }),
    ("blobs in another order", |header, _| header["blobs"].as_array_mut().unwrap().reverse()),
    ("a blob twice", |header, _| {
        let blobs = header["blobs"].as_array_mut().unwrap();
        blobs.insert(0, blobs[0].clone());
    }),
    ("a name for a digest", |header, _| header["blobs"][0]["digest"] = "sha256:../../x".into()),
    ("a layer that is made of itself", |header, _| {
        header["streams"][0]["blob"] = layer(header)["digest"].clone();
    }),
    ("streams that overlap", |header, _| {
        let first = header["streams"][0].clone();
        header["streams"].as_array_mut().unwrap().push(first);
    }),
    ("a stream of another size", |header, _| header["streams"][0]["size"] = 1.into()),
    ("a stream without end", |header, _| header["streams"][0]["size"] = i64::MAX.into()),
    ("content without end", |header, _| layer(header)["content"] = i64::MAX.into()),
    ("more content", |header, _| add(&mut layer(header)["content"], 1)),
    ("less content", |header, _| add(&mut layer(header)["content"], -1)),
    ("less copied", |header, _| add(&mut layer(header)["copied"], -1)),
    ("a smaller blob", |header, _| add(&mut layer(header)["size"], -1)),
    ("a larger blob", |header, _| add(&mut layer(header)["size"], 1)),
    ("another recipe", |header, _| layer(header)["recipe"] = "stored".into()),
    ("an unknown recipe", |header, _| layer(header)["recipe"] = "run".into()),
    ("a level that is none", |header, _| layer(header)["recipe"] = "zlib-10 1f".into()),
    ("a recipe without a head", |header, _| layer(header)["recipe"] = "zlib-6".into()),
    ("a head without end", |header, _| layer(header)["recipe"] = format!("zlib-6 {}", "00".repeat(2000)).into()),
    ("half a byte", |header, _| layer(header)["recipe"] = "zlib-6 1f8".into()),
    ("a recipe of another program", |header, _| layer(header)["recipe"] = "zlib-6 1f8b0800000000000003".into()),
    ("another target", |header, _| header["target"]["digests"][0] = header["blobs"][0]["digest"].clone()),
    ("a member more", |header, _| header["path"] = "/etc/passwd".into()),
    ("a body of another size", |header, _| header["body"] = i64::MAX.into()),
    ("longer documents", |header, _| add(&mut header["target"]["index"], 1)),
];

#[test]
fn a_delta_that_breaks_its_form_ends_with_6_and_leaves_nothing() {
    let project = built();
    delta(&project, &["create", "--base", "one.tar", "--target", "two.tar", "-o", "good"], 0);
    let good = file(&project, "good");
    assert!(edited(&good, |_, _| {}) == good, "the header is spelled in one way only");
    let apply = |what: &str, bytes: &[u8]| {
        project.write("bad", bytes);
        let document = delta(&project, &["apply", "bad", "--base", "one.tar", "-o", "x.tar"], 6);
        assert!(document["error"]["message"].as_str().is_some_and(|message| !message.is_empty()), "{what}");
        let left: Vec<_> = fs::read_dir(project.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        let is_rest = |name: &&std::ffi::OsString| {
            name.to_string_lossy().contains("x.tar") || name.to_string_lossy().contains(".part")
        };
        assert!(left.iter().find(is_rest).is_none(), "{what}: {left:?}");
    };
    for (what, edit) in EDITS {
        apply(what, &edited(&good, *edit));
    }
    for length in [0, 5, 14, 15, 100, good.len() / 2, good.len() - 1] {
        apply("cut off", &good[..length]);
        apply("cut off and sealed again", &sealed(good[..length].to_vec()));
    }
    for at in (0..good.len()).step_by(good.len() / 40) {
        let mut bad = good.clone();
        bad[at] ^= 0x10;
        apply(&format!("byte {at}"), &bad);
    }
    project.write("bad", [b"repro delta 2\n", &good[14..]].concat());
    delta(&project, &["apply", "bad", "--base", "one.tar", "-o", "x.tar"], 2);
}

/// A gzip-compressed tar of these members.
fn packed(project: &Project, name: &str, members: &[(String, Vec<u8>)]) {
    let mut tar = tar::Builder::new(Vec::new());
    for (path, bytes) in members {
        let mut header = tar::Header::new_ustar();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        header.as_mut_bytes()[..path.len()].copy_from_slice(path.as_bytes());
        header.set_cksum();
        tar.append(&header, bytes.as_slice()).unwrap();
    }
    project.write("plain", tar.into_inner().unwrap());
    let mut gzip = project.command(&["layer", "gzip"]);
    gzip.stdin(fs::File::open(project.path().join("plain")).unwrap());
    gzip.stdout(fs::File::create(project.path().join(name)).unwrap());
    assert!(gzip.status().unwrap().success());
}

#[test]
fn an_archive_of_ddiff_gives_its_image_and_every_name_in_it_is_a_text() {
    let project = built();
    let index: Value = serde_json::from_slice(&file(&project, "two/index.json")).unwrap();
    let blob = |project: &Project, digest: &Value| {
        file(project, &format!("two/blobs/{}", digest.as_str().unwrap().replace(':', "/")))
    };
    let bytes = blob(&project, &index["manifests"][0]["digest"]);
    let manifest: Value = serde_json::from_slice(&bytes).unwrap();
    let mut members = vec![
        ("manifest.json".to_owned(), bytes.clone()),
        ("MANIFEST_MEDIA_TYPE".to_owned(), manifest["mediaType"].as_str().unwrap().into()),
        ("BASE".to_owned(), b"../../base:$(id)".to_vec()),
        ("TARGET".to_owned(), b"target".to_vec()),
        ("MOUNT_BLOBS".to_owned(), b"|".to_vec()),
        ("UPLOAD_BLOBS".to_owned(), b"a|b".to_vec()),
    ];
    let changed = [&manifest["config"]["digest"], &manifest["layers"][1]["digest"]];
    for digest in changed {
        members.push((format!("blobs/{}.tar", digest.as_str().unwrap()), blob(&project, digest)));
    }
    packed(&project, "good.tar.gz", &members);
    let apply = |name: &str, base: &str, status| {
        delta(&project, &["apply", "--from-ddiff", name, "--base", base, "-o", "given.tar"], status)
    };
    let given = apply("good.tar.gz", "one", 0);
    assert_eq!(given["target"][0], index["manifests"][0]["digest"]);
    assert_eq!(digest(&project, "given.tar"), digest(&project, "two"));
    fs::remove_file(project.path().join("given.tar")).unwrap();
    let lacking = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cases/native/bases/nolayers");
    apply("good.tar.gz", lacking, 4);
    let digest = manifest["layers"][1]["digest"].as_str().unwrap();
    for (what, member) in [
        ("a manifest twice", ("manifest.json".to_owned(), bytes)),
        ("a blob twice", members.last().unwrap().clone()),
        ("a blob of another name", (format!("blobs/{digest}.tar"), b"other".to_vec())),
        ("a blob that is a path", ("blobs/../../x".to_owned(), b"other".to_vec())),
    ] {
        let all = [members.as_slice(), &[member]].concat();
        packed(&project, "bad.tar.gz", &all);
        let document = apply("bad.tar.gz", "one", 6);
        assert!(!project.path().join("given.tar").exists(), "{what}: {document}");
    }
    packed(&project, "bad.tar.gz", &members[1..]);
    apply("bad.tar.gz", "one", 6);
}

#[test]
fn a_docker_archive_of_the_old_kind_keeps_its_configs_and_layers() {
    let project = built();
    let archive = |name: &str, size: usize| {
        let mut layer = tar::Builder::new(Vec::new());
        let mut header = tar::Header::new_ustar();
        header.set_size(40_000);
        header.set_mode(0o644);
        layer.append_data(&mut header, "kept", random(5, 40_000).as_slice()).unwrap();
        header.set_size(size as u64);
        layer.append_data(&mut header, "new", random(6, size).as_slice()).unwrap();
        let layer = layer.into_inner().unwrap();
        let config = serde_json::json!({"architecture": "amd64", "os": "linux",
            "rootfs": {"type": "layers", "diff_ids": [Digest::of(&layer).to_string()]}});
        let config = config.to_string();
        let name_of_config = format!("{}.json", Digest::of(config.as_bytes()).hex());
        let manifest =
            serde_json::json!([{"Config": name_of_config, "RepoTags": ["app:1"], "Layers": ["a/layer.tar"]}]);
        let mut archive = tar::Builder::new(Vec::new());
        let members = [
            (name_of_config.as_str(), config.as_bytes()),
            ("a/layer.tar", &layer),
            ("manifest.json", manifest.to_string().as_bytes()),
        ]
        .map(|(name, bytes)| (name.to_owned(), bytes.to_vec()));
        for (name, bytes) in members {
            let mut header = tar::Header::new_ustar();
            header.set_size(bytes.len() as u64);
            header.set_mode(0o644);
            archive.append_data(&mut header, name, bytes.as_slice()).unwrap();
        }
        project.write(name, archive.into_inner().unwrap());
    };
    archive("old.tar", 1000);
    archive("new.tar", 1500);
    let made = delta(&project, &["create", "--base", "old.tar", "--target", "new.tar", "-o", "d"], 0);
    assert!(made["bytes"].as_u64().unwrap() < 4000, "{made:#}");
    delta(&project, &["apply", "d", "--base", "old.tar", "-o", "given.tar"], 0);
    let facts = |name: &str| {
        let document = project.repro(&["inspect", name, "--format", "json"]).expect(0).json();
        let image = &document["images"][0];
        serde_json::json!([image["config"], image["names"], image["layers"][0]["diff_id"]])
    };
    assert_eq!(facts("given.tar"), facts("new.tar"));
    delta(&project, &["apply", "d", "--base", "old.tar", "-o", "given/"], 2);
}
