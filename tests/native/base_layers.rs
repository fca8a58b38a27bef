//! Base layers are wanted only where the result needs them: by what lies over their tree, and by an archive.

use std::fs;
use std::path::PathBuf;

use serde_json::{Value, json};
use tar::EntryType;

use crate::project::Project;
use repro::parts::digest::Digest;

/// A locked project upon a layout with one layer; gives the layer's place, too.
fn upon(tar: &[u8], instruction: &str) -> (Project, PathBuf) {
    let project = Project::bare();
    let blobs = project.path().join("base/blobs/sha256");
    fs::create_dir_all(&blobs).unwrap();
    let put = |kind: &str, bytes: &[u8]| -> Value {
        let digest = Digest::of(bytes);
        fs::write(blobs.join(digest.hex()), bytes).unwrap();
        let media_type = format!("application/vnd.oci.image.{kind}");
        json!({ "mediaType": media_type, "digest": digest.to_string(), "size": bytes.len() })
    };
    let (layer, diff_id) = (put("layer.v1.tar", tar), Digest::of(tar).to_string());
    let config = json!({
        "architecture": "amd64", "os": "linux", "config": {}, "rootfs": { "type": "layers", "diff_ids": [diff_id] },
        "history": [{ "created": "2020-02-02T00:00:00Z", "created_by": "base" }],
    });
    let config = put("config.v1+json", config.to_string().as_bytes());
    let media_type = "application/vnd.oci.image.manifest.v1+json";
    let manifest = json!({ "schemaVersion": 2, "mediaType": media_type, "config": config, "layers": [layer] });
    let manifest = put("manifest.v1+json", manifest.to_string().as_bytes());
    project.write("base/index.json", json!({ "schemaVersion": 2, "manifests": [manifest] }).to_string());
    project.write("base/oci-layout", r#"{"imageLayoutVersion":"1.0.0"}"#);
    project.write("context/a", "a");
    project.write("Dockerfile", format!("FROM base.example/x:1\n{instruction}\n"));
    project.write(
        "repro.toml",
        "version = 1\n[image.app]\ncontext = \"context\"\ndockerfile = \"Dockerfile\"\nsource-date-epoch = 1700000000\n\
         contexts = { \"base.example/x:1\" = \"oci-layout://base\" }\n",
    );
    project.repro(&["lock"]).expect(0);
    (project, blobs.join(Digest::of(tar).hex()))
}

/// A locked project whose base's layer is gone since; gives the layer's place, too.
fn without_layer(instruction: &str) -> (Project, PathBuf) {
    let mut tar = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_ustar();
    header.set_size(1);
    header.set_mode(0o644);
    tar.append_data(&mut header, "etc/f", &b"x"[..]).unwrap();
    let (project, layer) = upon(&tar.into_inner().unwrap(), instruction);
    fs::remove_file(&layer).unwrap();
    (project, layer)
}

/// A tar of empty entries: kind, name, link.
fn tar_of(entries: &[(EntryType, &str, &str)]) -> Vec<u8> {
    let mut tar = tar::Builder::new(Vec::new());
    for (kind, name, link) in entries {
        let mut header = tar::Header::new_ustar();
        header.set_entry_type(*kind);
        header.set_size(0);
        header.set_mode(0o755);
        header.set_path(name).unwrap();
        header.set_link_name_literal(link).unwrap();
        header.set_device_major(0).and_then(|()| header.set_device_minor(0)).unwrap();
        header.set_cksum();
        tar.append(&header, &[][..]).unwrap();
    }
    tar.into_inner().unwrap()
}

#[test]
fn what_does_not_look_at_the_base_is_built_and_verified_without_its_layers() {
    for instruction in ["ENV A=1", "COPY --link a /etc/f", "COPY --link --chown=1:2 a /n\nWORKDIR /\nLABEL b=c"] {
        let (project, _) = without_layer(instruction);
        project.repro(&["build", "--engine", "native", "--record"]).expect(0);
        let verified = project.repro(&["verify", "--engine", "native", "--format", "json"]).expect(0).json();
        assert_eq!(verified["images"][0]["platforms"][0]["verdict"], "reproduced", "{instruction}");
    }
}

#[test]
fn what_lies_over_the_bases_tree_needs_its_layers() {
    for instruction in ["COPY a /n", "WORKDIR /w"] {
        let (project, layer) = without_layer(instruction);
        let name = layer.file_name().unwrap().to_str().unwrap().to_owned();
        project.repro(&["build", "--engine", "native"]).expect(6).says(&name);
    }
}

#[test]
fn an_archive_needs_the_bases_layers_and_the_failure_is_the_sources() {
    let (project, layer) = without_layer("ENV A=1");
    let name = layer.file_name().unwrap().to_str().unwrap().to_owned();
    project.repro(&["build", "--engine", "native", "-o", "out.tar"]).expect(6).says(&name);
    assert!(!project.path().join("out.tar").exists());
}

#[test]
fn what_cannot_be_unpacked_is_told_with_instruction_image_and_layer() {
    for (entries, status, why) in [
        (&[(EntryType::Link, "h", "nothing")][..], 5, "link /nothing: no such file or directory"),
        (&[(EntryType::Directory, "d/", ""), (EntryType::Regular, ".wh.d", "")], 5, "/d: no such file or directory"),
        (&[(EntryType::Regular, &"x".repeat(100), ""), (EntryType::Regular, "x/", "")], 6, "layer sha256:"),
    ] {
        let (project, _) = upon(&tar_of(entries), "LABEL a=b\nCOPY a /n");
        let outcome = project.repro(&["build", "--engine", "native"]).expect(status);
        outcome.says(why).says("Dockerfile:3: COPY: ").says("`base.example/x:1`");
    }
}

#[test]
fn a_path_that_a_layer_gives_twice_is_what_it_is_last() {
    let twice = [(EntryType::Regular, "f", ""), (EntryType::Symlink, "f", "g"), (EntryType::Link, "h", "f")];
    let (project, _) = upon(&tar_of(&twice), "COPY --from=base.example/x:1 /h /f /n/\nCOPY a /f");
    project.repro(&["build", "--engine", "native"]).expect(5).says("Dockerfile:2: COPY: ").says("/h");
    let (project, _) = upon(&tar_of(&[(EntryType::Directory, "f/", ""), twice[0], twice[0]]), "COPY a /f");
    project.repro(&["build", "--engine", "native", "-o", "out.tar"]).expect(0);
    for name in [".wh.", ".wh..wh.aufs"] {
        let (project, _) = upon(&tar_of(&[(EntryType::Regular, name, "")]), "COPY a /f");
        project.repro(&["build", "--engine", "native"]).expect(7).says("Dockerfile:2: COPY: ").says(name);
    }
}

#[test]
fn an_opaque_directory_of_the_lowest_layer_is_left_to_buildkit_only_after_what_it_hides() {
    let opaque = (EntryType::Regular, "d/.wh..wh..opq", "");
    let (e, file) = ((EntryType::Directory, "d/e/", ""), (EntryType::Regular, "d/e/f", ""));
    for (entries, status) in [(vec![file, opaque], 7), (vec![e, file, opaque], 0), (vec![opaque, file], 0)] {
        let (project, _) = upon(&tar_of(&entries), "COPY a /n");
        project.repro(&["build", "--engine", "native"]).expect(status);
    }
}

#[test]
fn default_access_lists_are_left_to_buildkit() {
    let mut tar = tar::Builder::new(Vec::new());
    tar.append_pax_extensions([("SCHILY.xattr.system.posix_acl_default", &b"x"[..])]).unwrap();
    let entry = tar_of(&[(EntryType::Directory, "d/", "")]);
    let listed = [tar.get_ref(), &entry[..]].concat();
    let (project, _) = upon(&listed, "COPY a /n");
    project.repro(&["build", "--engine", "native"]).expect(7).says("Dockerfile:2: COPY: ").says("access list of d/");
    let (project, _) = upon(&tar_of(&[]), "ADD t.tar /n/");
    project.write("context/t.tar", listed);
    project.repro(&["lock"]).expect(0);
    project.repro(&["build", "--engine", "native"]).expect(7).says("access list of d/");
}

#[test]
fn devices_that_are_copied_or_linked_are_left_to_buildkit() {
    let (project, _) = upon(&tar_of(&[(EntryType::Block, "dev", "")]), "COPY --from=base.example/x:1 /dev /n/");
    project.repro(&["build", "--engine", "native"]).expect(7).says("Dockerfile:2: COPY: ").says("block device");
    let linked = tar_of(&[(EntryType::Block, "dev", ""), (EntryType::Link, "h", "dev")]);
    let (project, _) = upon(&tar_of(&[]), "ADD t.tar /n/");
    project.write("context/t.tar", linked);
    project.repro(&["lock"]).expect(0);
    project
        .repro(&["build", "--engine", "native"])
        .expect(7)
        .says("Dockerfile:2: ADD: ")
        .says("hard link h to a device");
}

#[test]
fn a_base_layer_that_inspect_refuses_is_spoken_of_where_it_is_taken() {
    let twice = [(EntryType::Directory, "nix/", ""), (EntryType::Directory, "nix/", "")];
    let (project, _) = upon(&tar_of(&twice), "COPY a /n");
    let built = project.repro(&["build", "--engine", "native", "-o", "out.tar"]).expect(0);
    built.says("layer 1 of `base.example/x:1`").says("`repro inspect` refuses it").says("nix").says("twice");
    project.repro(&["inspect", "out.tar"]).expect(6).says("twice");
}

#[test]
fn what_the_native_engine_refuses_on_the_way_is_left_to_the_next_engine() {
    let refused = [(EntryType::Regular, ".wh..wh.odd", "")];
    let (mut project, _) = upon(&tar_of(&refused), "COPY a /n");
    project.set("PATH", "/nowhere");
    let alone = project.repro(&["build", "--engine", "native"]).expect(7);
    alone
        .says("the native engine refuses Dockerfile:2: COPY")
        .says("hint: another engine can build it: `--engine auto`");
    let all = project.repro(&["build"]).expect(7).says("no engine can build `app`").says("the native engine refuses");
    assert!(all.stderr.contains("\n  buildctl: ") && !all.stderr.contains("--engine auto"), "{}", all.stderr);
}
