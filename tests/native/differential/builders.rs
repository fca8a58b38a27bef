//! The two builders: the binary with its native engine, and the rig's BuildKit through `buildctl`.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Mutex;

use repro::parts::digest::Digest;
use serde_json::{Value, json};

use super::case::Case;
use crate::project::Project;

/// What a builder made of a case.
#[derive(Debug)]
pub enum Made {
    /// An archive.
    Image(Vec<u8>),
    /// Nothing; the last line says why.
    Refused(String),
}

/// Builds with the native engine as a user does: outside git, locked, then built.
pub fn native(case: &Case, project: &Project) -> Made {
    project.write("repro.toml", manifest(case, project.path()));
    let run = |arguments: &[&str]| project.repro(arguments);
    let locked = run(&["lock", "--offline"]);
    if locked.status != 0 {
        return Made::Refused(locked.stderr);
    }
    let built = run(&["build", "--engine", "native", "-o", "native.tar", "--format", "json"]);
    if built.status != 0 {
        return Made::Refused(built.stderr);
    }
    Made::Image(fs::read(project.path().join("native.tar")).unwrap())
}

fn manifest(case: &Case, directory: &Path) -> String {
    let platforms: Vec<&str> = case.platforms.split(',').collect();
    let mut text = format!(
        "version = 1\n[image.case]\ncontext = \"context\"\ndockerfile = \"Dockerfile\"\nbuild-platform = \
         \"linux/amd64\"\nsource-date-epoch = {}\nplatforms = {}\n",
        case.epoch,
        json!(platforms)
    );
    if let Some(target) = &case.target {
        writeln!(text, "target = {}", json!(target)).unwrap();
    }
    for (table, values) in [("args", &case.args), ("labels", &case.labels), ("annotations", &case.annotations)] {
        write_table(&mut text, table, values);
    }
    let bases =
        case.bases(directory).into_iter().map(|(name, path)| (name, format!("oci-layout://{}", path.display())));
    let directories = case.directories.keys().map(|name| (name.clone(), format!("folders/{name}")));
    write_table(&mut text, "contexts", &bases.chain(directories).collect());
    text
}

fn write_table(text: &mut String, name: &str, values: &BTreeMap<String, String>) {
    writeln!(text, "[image.case.{name}]").unwrap();
    for (key, value) in values {
        writeln!(text, "{} = {}", json!(key), json!(value)).unwrap();
    }
}

/// Builds with BuildKit, one build at a time: all of them are one local context to the daemon.
pub fn buildkit(case: &Case, directory: &Path) -> Made {
    static ONE: Mutex<()> = Mutex::new(());
    let out = directory.join("buildkit.tar");
    let mut command = Command::new("buildctl");
    command.args(["build", "--progress=plain", "--frontend=dockerfile.v0", "--no-cache", "--opt=filename=Dockerfile"]);
    let local = |name: &str, path: &Path| format!("--local={name}={}", path.display());
    fs::create_dir(directory.join("dockerfile")).unwrap();
    for file in ["Dockerfile", "Dockerfile.dockerignore"] {
        let _ = fs::copy(directory.join(file), directory.join("dockerfile").join(file));
    }
    command.arg(local("context", &directory.join("context"))).arg(local("dockerfile", &directory.join("dockerfile")));
    command.arg(format!("--opt=platform={}", case.platforms));
    command.arg(format!("--opt=build-arg:SOURCE_DATE_EPOCH={}", case.epoch));
    for (key, value) in &case.args {
        command.arg(format!("--opt=build-arg:{key}={value}"));
    }
    for (key, value) in &case.labels {
        command.arg(format!("--opt=label:{key}={value}"));
    }
    command.args(case.target.iter().map(|target| format!("--opt=target={target}")));
    for (number, (reference, layout)) in case.bases(directory).into_iter().enumerate() {
        let index: Value = serde_json::from_slice(&fs::read(layout.join("index.json")).unwrap()).unwrap();
        let digest = index["manifests"][0]["digest"].as_str().unwrap();
        command.arg(format!("--oci-layout=store{number}={}", layout.display()));
        command.arg(format!("--opt=context:{reference}=oci-layout://store{number}@{digest}"));
    }
    for name in case.directories.keys() {
        command.arg(local(name, &directory.join("folders").join(name)));
        command.arg(format!("--opt=context:{name}=local:{name}"));
    }
    let annotations: String =
        case.annotations.iter().map(|(key, value)| format!(",annotation.{key}={value}")).collect();
    command.arg(format!(
        "--output=type=oci,dest={},compression=gzip,rewrite-timestamp=true,oci-mediatypes=true{annotations}",
        out.display()
    ));
    command.stdin(Stdio::null());
    let _one = ONE.lock();
    let done = command.output().unwrap();
    if done.status.success() {
        return Made::Image(fs::read(out).unwrap());
    }
    let told = String::from_utf8_lossy(&done.stderr);
    let last = told.lines().rev().find(|line| line.starts_with("error: "));
    // What is no response to the build proves nothing.
    let last = last.unwrap_or_else(|| panic!("buildctl ended without an error of the build:\n{told}"));
    let lost = ["connection error", "Unavailable", "error reading from server"].iter().any(|word| last.contains(word));
    assert!(!lost, "the daemon is gone after\n{}\n{last}", case.dockerfile());
    Made::Refused(last.to_owned())
}

/// BuildKit's reason, if ours does not hold it.
pub fn otherwise(ours: &str, theirs: &str) -> Option<String> {
    let mut reason = theirs
        .trim_start_matches("error: ")
        .trim_start_matches("failed to solve: ")
        .trim_start_matches("failed to compute cache key: ");
    if let Some((_, end)) = reason.split_once("of ref ").and_then(|(_, rest)| rest.split_once(": ")) {
        reason = end;
    }
    let reason = without_mounts(reason.split(" (did you mean").next().unwrap_or(reason));
    // What is printed has its backslashes doubled; so has what BuildKit quotes.
    let is_told = ours.contains(&reason) || ours.replace("\\\\", "\\").contains(&reason);
    (!is_told).then(|| format!("`{reason}`, natively {ours}"))
}

/// A message without the directories of the daemon in its paths.
fn without_mounts(message: &str) -> String {
    let mut words: Vec<&str> = message.split(' ').collect();
    for word in &mut words {
        if let Some((_, inside)) = word.split_once("/tmp/buildkit-mount").and_then(|(_, rest)| rest.split_once('/')) {
            *word = &word[word.len() - inside.len() - 1..];
        }
        let place = word.find("/cachemounts/buildkit").or_else(|| word.find("/snapshots/snapshots/"));
        if let Some(at) = place {
            let inside = word[at..].splitn(if word[at..].contains("/fs/") { 6 } else { 4 }, '/').last();
            *word = inside.map_or(*word, |inside| &word[word.len() - inside.len() - 1..]);
        }
    }
    words.join(" ")
}

/// How two archives differ, for a person: config, then entries of layers.
pub fn explain(native: &[u8], buildkit: &[u8]) -> String {
    let (native, buildkit) = (describe(native), describe(buildkit));
    let (mut text, width) = (String::new(), native.len().max(buildkit.len()));
    for number in 0..width {
        let (ours, theirs) = (native.get(number), buildkit.get(number));
        if ours == theirs {
            continue;
        }
        let empty = Vec::new();
        let (ours, theirs) = (ours.unwrap_or(&empty), theirs.unwrap_or(&empty));
        for line in ours.iter().filter(|line| !theirs.contains(line)) {
            writeln!(text, "  {number} native   {line}").unwrap();
        }
        for line in theirs.iter().filter(|line| !ours.contains(line)) {
            writeln!(text, "  {number} buildkit {line}").unwrap();
        }
    }
    text
}

/// Lines of text for every blob that is a document or a layer, in the order of the image.
fn describe(archive: &[u8]) -> Vec<Vec<String>> {
    let blobs = members(archive);
    let blob = |digest: &Value| &blobs[&format!("blobs/sha256/{}", digest.as_str().unwrap().replace("sha256:", ""))];
    let parse = |bytes: &[u8]| serde_json::from_slice::<Value>(bytes).unwrap();
    let mut queue = parse(&blobs["index.json"])["manifests"].as_array().unwrap().clone();
    let mut lines = Vec::new();
    while let Some(descriptor) = queue.pop() {
        let document = parse(blob(&descriptor["digest"]));
        if let Some(manifests) = document["manifests"].as_array() {
            queue.extend(manifests.iter().cloned());
            continue;
        }
        lines.push(vec![document.to_string()]);
        lines.push(vec![parse(blob(&document["config"]["digest"])).to_string()]);
        for layer in document["layers"].as_array().into_iter().flatten() {
            lines.push(entries(blob(&layer["digest"])));
        }
    }
    lines
}

fn members(archive: &[u8]) -> BTreeMap<String, Vec<u8>> {
    let mut archive = tar::Archive::new(archive);
    let member = |entry: std::io::Result<tar::Entry<'_, _>>| {
        let mut entry = entry.unwrap();
        let mut bytes = Vec::new();
        std::io::Read::read_to_end(&mut entry, &mut bytes).unwrap();
        (String::from_utf8_lossy(&entry.path_bytes()).into_owned(), bytes)
    };
    archive.entries().unwrap().map(member).collect()
}

fn entries(blob: &[u8]) -> Vec<String> {
    let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(blob));
    let Ok(entries) = archive.entries() else { return vec!["no gzip".to_owned()] };
    let line = |entry: std::io::Result<tar::Entry<'_, _>>| {
        let Ok(mut entry) = entry else { return "no tar".to_owned() };
        let mut bytes = Vec::new();
        let _ = std::io::Read::read_to_end(&mut entry, &mut bytes);
        let (header, link) = (entry.header(), entry.link_name_bytes().unwrap_or_default());
        format!(
            "{:?} {:o} {}:{} {} {} {} {}",
            header.entry_type(),
            header.mode().unwrap(),
            header.uid().unwrap(),
            header.gid().unwrap(),
            header.mtime().unwrap(),
            &Digest::of(&bytes).hex()[..8],
            entry.path_bytes().escape_ascii(),
            link.escape_ascii()
        )
    };
    entries.map(line).collect()
}
