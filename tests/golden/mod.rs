//! The golden cases of `tests/cases/native`: what BuildKit made of small Dockerfiles without RUN.

#![allow(dead_code, reason = "every test file uses a part")]
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

/// One case: its directory, and `case.json`.
pub struct Case {
    pub name: String,
    pub json: Value,
    pub directory: PathBuf,
    /// The folder that holds the cases and their base images.
    pub corpus: PathBuf,
}

/// The directory of all cases and base images.
pub fn corpus() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/native")
}

impl Case {
    /// Every case by name; those that begin with the variable `CASE` if it is set.
    pub fn all() -> Vec<Self> {
        Self::all_in(&corpus(), 269)
    }

    /// The same of another folder, which holds so many at least.
    pub fn all_in(corpus: &Path, least: usize) -> Vec<Self> {
        let only = std::env::var("CASE").unwrap_or_default();
        let entries = fs::read_dir(corpus.join("cases")).unwrap();
        let mut cases: Vec<Self> = entries.map(|entry| Self::read(corpus, entry.unwrap().path())).collect();
        assert!(cases.len() >= least, "{} cases", cases.len());
        cases.retain(|case| case.name.starts_with(&only));
        cases.sort_by(|a, b| a.name.cmp(&b.name));
        cases
    }

    fn read(corpus: &Path, directory: PathBuf) -> Self {
        let json = serde_json::from_slice(&fs::read(directory.join("case.json")).unwrap()).unwrap();
        Self {
            name: directory.file_name().unwrap().to_str().unwrap().to_owned(),
            json,
            directory,
            corpus: corpus.to_owned(),
        }
    }

    /// The text that an error must hold: BuildKit's without the words around it, or ours for the same.
    pub fn reason(&self) -> Option<&str> {
        let error = self.json["expected"]["error"].as_str()?;
        Some(match error {
            _ if error.contains("denied by policy") => "not pinned",
            _ if error.contains("invalid SOURCE_DATE_EPOCH") => "is not an epoch",
            _ if error.contains("syntax error in pattern") => "is not a pattern",
            _ => error.trim_start_matches("failed to solve: ").rsplit("ref <id>: ").next().unwrap(),
        })
    }

    /// Puts the context into a directory.
    pub fn lay_out_context(&self, directory: &Path) {
        lay_out(&self.json["context"], &self.directory.join("context"), directory);
    }

    /// Puts the named contexts into directories of their names, and tells the names.
    pub fn lay_out_named_contexts(&self, directory: &Path) -> Vec<String> {
        let contexts = self.json["named_contexts"].as_object().into_iter().flatten();
        contexts
            .map(|(name, entries)| {
                lay_out(entries, &self.directory.join("contexts").join(name), &directory.join(name));
                name.clone()
            })
            .collect()
    }
}

fn lay_out(entries: &Value, bytes: &Path, directory: &Path) {
    fs::create_dir_all(directory).unwrap();
    for entry in entries.as_array().unwrap() {
        let path = match entry["path_base64"].as_str() {
            Some(text) => STANDARD.decode(text).unwrap(),
            None => entry["path"].as_str().unwrap().as_bytes().to_vec(),
        };
        let path = directory.join(OsStr::from_bytes(&path));
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let target = || entry["target"].as_str().unwrap();
        match entry["type"].as_str().unwrap() {
            "file" => {
                let content = match entry["data_base64"].as_str() {
                    Some(text) => STANDARD.decode(text).unwrap(),
                    None => fs::read(bytes.join(entry["path"].as_str().unwrap())).unwrap(),
                };
                fs::write(&path, content).unwrap();
                let mode = u32::from_str_radix(entry["mode"].as_str().unwrap(), 8).unwrap();
                fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            }
            "dir" => fs::create_dir_all(&path).unwrap(),
            "symlink" => symlink(target(), &path).unwrap(),
            "hardlink" => fs::hard_link(directory.join(target()), &path).unwrap(),
            other => panic!("{other}"),
        }
    }
}
