//! A build as it is given to both builders, and its files on disk.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fmt;
use std::fs::{self, File, FileTimes, Permissions};
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, SystemTime};

use repro::parts::digest::Digest;
use serde_json::json;

/// One build.
#[derive(Clone, Debug)]
pub struct Case {
    pub name: String,
    /// Directives and instructions, with their inline files.
    pub instructions: Vec<String>,
    /// `Dockerfile.dockerignore`.
    pub ignore: Option<String>,
    pub context: Vec<Entry>,
    /// Named contexts that are directories.
    pub directories: BTreeMap<String, Vec<Entry>>,
    /// The layers of `base.example/made:1`, and its config's `config`.
    pub base: Option<Base>,
    /// Fixtures of the golden cases, each `base.example/NAME:1`.
    pub fixtures: Vec<String>,
    pub platforms: String,
    pub target: Option<String>,
    pub args: BTreeMap<String, String>,
    pub labels: BTreeMap<String, String>,
    pub annotations: BTreeMap<String, String>,
    pub epoch: u64,
}

/// Something in a context.
#[derive(Clone, Debug)]
pub struct Entry {
    pub path: Vec<u8>,
    pub kind: Kind,
}

#[derive(Clone, Debug)]
pub enum Kind {
    File {
        bytes: Vec<u8>,
        executable: bool,
    },
    Directory,
    Symlink(String),
    /// The path of an earlier file.
    HardLink(Vec<u8>),
}

/// A base image that is made for one case.
#[derive(Clone, Debug)]
pub struct Base {
    pub layers: Vec<Vec<Member>>,
    pub config: serde_json::Value,
    pub compressed: bool,
}

/// An entry of a tar archive.
#[derive(Clone, Debug)]
pub struct Member {
    pub path: String,
    pub kind: tar::EntryType,
    pub link: String,
    pub bytes: Vec<u8>,
    pub mode: u32,
    pub uid: u64,
    pub gid: u64,
    pub mtime: u64,
    /// PAX records that go before it.
    pub records: Vec<(&'static str, Vec<u8>)>,
}

impl Case {
    pub fn dockerfile(&self) -> String {
        self.instructions.iter().map(|instruction| format!("{instruction}\n")).collect()
    }

    /// Writes all files below `directory`: `Dockerfile`, `context`, `directories/NAME`, `made`.
    pub fn lay_out(&self, directory: &Path) {
        fs::write(directory.join("Dockerfile"), self.dockerfile()).unwrap();
        if let Some(ignore) = &self.ignore {
            fs::write(directory.join("Dockerfile.dockerignore"), ignore).unwrap();
        }
        lay_out(&self.context, &directory.join("context"));
        for (name, entries) in &self.directories {
            lay_out(entries, &directory.join("folders").join(name));
        }
        if let Some(base) = &self.base {
            base.write(&directory.join("made"));
        }
    }

    fn directories(&self) -> impl Iterator<Item = (&str, &Vec<Entry>)> {
        self.directories.iter().map(|(name, entries)| (name.as_str(), entries))
    }

    /// References of base images, and the directories of their layouts.
    pub fn bases(&self, directory: &Path) -> Vec<(String, std::path::PathBuf)> {
        let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/native/bases");
        let fixture = |name: &String| (format!("base.example/{name}:1"), corpus.join(name));
        let made = self.base.iter().map(|_| ("base.example/made:1".to_owned(), directory.join("made")));
        self.fixtures.iter().map(fixture).chain(made).collect()
    }
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}\n{}", self.name, self.dockerfile())?;
        for (name, entries) in [("context", &self.context)].into_iter().chain(self.directories()) {
            writeln!(f, "  {name}:")?;
            for entry in entries {
                let path = entry.path.escape_ascii();
                match &entry.kind {
                    Kind::File { bytes, executable } => {
                        let start = bytes[..bytes.len().min(40)].escape_ascii();
                        writeln!(f, "    {path} {}{start}", if *executable { "* " } else { "" })?;
                    }
                    Kind::Directory => writeln!(f, "    {path}/")?,
                    Kind::Symlink(target) => writeln!(f, "    {path} -> {target}")?,
                    Kind::HardLink(first) => writeln!(f, "    {path} = {}", first.escape_ascii())?,
                }
            }
        }
        for member in self.base.iter().flat_map(|base| base.layers.iter().skip(1).flatten()) {
            let Member { path, kind, link, mode, uid, gid, mtime, records, .. } = member;
            writeln!(f, "  base: {kind:?} {path} {link} {mode:o} {uid}:{gid} {mtime} {records:?}")?;
        }
        let Self { ignore, platforms, target, args, epoch, .. } = self;
        write!(f, "  {platforms} {target:?} {args:?} {epoch} ignore {ignore:?}")
    }
}

fn lay_out(entries: &[Entry], directory: &Path) {
    fs::create_dir_all(directory).unwrap();
    for entry in entries {
        let path = directory.join(OsStr::from_bytes(&entry.path));
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        match &entry.kind {
            Kind::File { bytes, executable } => {
                fs::write(&path, bytes).unwrap();
                let mode = if *executable { 0o755 } else { 0o644 };
                fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
            }
            Kind::Directory => fs::create_dir_all(&path).unwrap(),
            Kind::Symlink(target) => symlink(target, &path).unwrap(),
            Kind::HardLink(first) => fs::hard_link(directory.join(OsStr::from_bytes(first)), &path).unwrap(),
        }
    }
    stage_times(directory);
}

/// Gives everything a time after all epochs: files one that follows from their content, anything else the same.
fn stage_times(directory: &Path) {
    const STAGED: u64 = 4_102_444_800;
    let set = |path: &Path, seconds: u64, nanoseconds: u32| {
        let time = SystemTime::UNIX_EPOCH + Duration::new(seconds, nanoseconds);
        File::open(path).unwrap().set_times(FileTimes::new().set_accessed(time).set_modified(time)).unwrap();
    };
    for entry in fs::read_dir(directory).unwrap() {
        let (path, kind) = entry.map(|entry| (entry.path(), entry.file_type().unwrap())).unwrap();
        if kind.is_dir() {
            stage_times(&path);
        } else if kind.is_symlink() {
            let touched = Command::new("touch").args(["-h", "-d", &format!("@{STAGED}"), "--"]).arg(&path).status();
            assert!(touched.unwrap().success());
        } else {
            let digest = Digest::of(&fs::read(&path).unwrap()).hex();
            let number = |range| u64::from_str_radix(&digest[range], 16).unwrap();
            set(&path, STAGED + (number(0..8) >> 2), (number(8..16) % 1_000_000_000) as u32);
        }
    }
    set(directory, STAGED, 0);
}

/// A tar archive of these members.
pub fn archive(members: &[Member]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for member in members {
        let mut header = tar::Header::new_ustar();
        header.set_entry_type(member.kind);
        header.set_mode(member.mode);
        header.set_uid(member.uid);
        header.set_gid(member.gid);
        header.set_mtime(member.mtime);
        header.set_size(member.bytes.len() as u64);
        if matches!(member.kind, tar::EntryType::Char | tar::EntryType::Block) {
            header.set_device_major(1).and_then(|()| header.set_device_minor(3)).unwrap();
        }
        let records = member.records.iter().map(|(key, value)| (*key, value.as_slice()));
        builder.append_pax_extensions(records).unwrap();
        header.set_path(&member.path).unwrap();
        if !member.link.is_empty() {
            header.set_link_name_literal(&member.link).unwrap();
        }
        header.set_cksum();
        builder.append(&header, member.bytes.as_slice()).unwrap();
    }
    builder.into_inner().unwrap()
}

/// The same bytes as one gzip member.
pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

impl Base {
    /// Writes an OCI layout with this one image.
    fn write(&self, directory: &Path) {
        let blobs = directory.join("blobs/sha256");
        fs::create_dir_all(&blobs).unwrap();
        let put = |media_type: &str, bytes: &[u8]| {
            let digest = Digest::of(bytes);
            fs::write(blobs.join(digest.hex()), bytes).unwrap();
            json!({ "mediaType": media_type, "digest": digest.to_string(), "size": bytes.len() })
        };
        let (mut layers, mut diff_ids, mut history) = (Vec::new(), Vec::new(), Vec::new());
        for (number, members) in self.layers.iter().enumerate() {
            let tar = archive(members);
            diff_ids.push(Digest::of(&tar).to_string());
            history.push(json!({ "created": "2020-02-02T00:00:00Z", "created_by": format!("layer {number}") }));
            layers.push(match self.compressed {
                true => put("application/vnd.oci.image.layer.v1.tar+gzip", &gzip(&tar)),
                false => put("application/vnd.oci.image.layer.v1.tar", &tar),
            });
        }
        let config = json!({
            "architecture": "amd64", "os": "linux", "created": "2020-02-02T00:00:00Z", "config": self.config,
            "rootfs": { "type": "layers", "diff_ids": diff_ids }, "history": history,
        });
        let config = put("application/vnd.oci.image.config.v1+json", config.to_string().as_bytes());
        let manifest_type = "application/vnd.oci.image.manifest.v1+json";
        let manifest = json!({ "schemaVersion": 2, "mediaType": manifest_type, "config": config, "layers": layers });
        let manifest = put(manifest_type, manifest.to_string().as_bytes());
        let index = json!({ "schemaVersion": 2, "manifests": [manifest] });
        fs::write(directory.join("index.json"), index.to_string()).unwrap();
        fs::write(directory.join("oci-layout"), r#"{"imageLayoutVersion":"1.0.0"}"#).unwrap();
    }
}
