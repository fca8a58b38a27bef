//! What one build shows already: files that another build is sure to have otherwise, and what prevents it.

use std::collections::BTreeSet;
use std::io::{self, Read};

use super::causes;
use super::fix::{Fix, profile_of};
use crate::bounds::Bounds;
use crate::build::AssembledPlatform;
use crate::layer::tar::{Kind, Reader};

/// Bytes of a compiled Python file that say what it was compiled from: magic number, flags, and time or hash.
const PYC_HEADER: usize = 12;

/// Profiles whose files no two builds have in common, whenever they are there.
const SURE: [&str; 14] = [
    "alternatives-log",
    "apk-log",
    "apt-cache",
    "apt-log",
    "dnf-history",
    "dnf-log",
    "dpkg-log",
    "go-telemetry",
    "ldconfig-cache",
    "machine-id",
    "npm-cache",
    "npm-log",
    "pacman-log",
    "pip-cache",
];

/// What files in the new layers of one build ask for, which began at `since`, seconds since 1970: variables for RUN,
/// then scrub profiles.
///
/// # Errors
/// When a layer can't be read.
pub fn foreseen(build: &AssembledPlatform, since: u64, bounds: Bounds<'_>) -> io::Result<Vec<Fix>> {
    let mut codes: Vec<&str> = Vec::new();
    let mut profiles: BTreeSet<&'static str> = BTreeSet::new();
    for tar in build.layers.iter().filter_map(|layer| layer.tar.as_ref()) {
        let mut reader = Reader::new(tar.open()?, bounds.limits);
        while let Some(member) = reader.next()? {
            if bounds.cancel.is_cancelled() {
                return Err(io::Error::other(crate::cancel::Cancelled));
            }
            if member.entry.kind != Kind::File {
                continue;
            }
            let profile = profile_of(&member.key).map(|(profile, _)| profile.name);
            profiles.extend(profile.filter(|name| SURE.contains(name)));
            let code = match sign(&member.key) {
                Some(Sign::Sure(code)) => code,
                Some(Sign::Bytecode) => {
                    let mut header = [0; PYC_HEADER];
                    match reader.content().read_exact(&mut header) {
                        Ok(()) if holds_time_since(&header, since) => "C080",
                        _ => continue,
                    }
                }
                None => continue,
            };
            if !codes.contains(&code) {
                codes.push(code);
            }
        }
    }
    codes.sort_unstable();
    let mut fixes: Vec<Fix> = Vec::new();
    for fix in codes.into_iter().filter_map(|code| causes::of(code).fix) {
        let name = |fix: &Fix| if let Fix::RunEnv { name, .. } = fix { Some(*name) } else { None };
        if !fixes.iter().any(|known| name(known) == name(&fix)) {
            fixes.push(fix);
        }
    }
    fixes.extend(profiles.into_iter().map(Fix::Scrub));
    Ok(fixes)
}

/// What a path says of its file.
enum Sign {
    /// It differs in every build, by the cause of this code.
    Sure(&'static str),
    /// Compiled Python: its header tells.
    Bytecode,
}

fn sign(path: &[u8]) -> Option<Sign> {
    if path.ends_with(b".pyc") {
        return Some(Sign::Bytecode);
    }
    if path.ends_with(b"/rpmdb.sqlite") {
        return Some(Sign::Sure("C066"));
    }
    let mut names = path.split(|&byte| byte == b'/');
    names.any(|name| name == b"node-compile-cache").then_some(Sign::Sure("C092"))
}

/// Whether the header holds the time of its source, and that was written by the build.
fn holds_time_since(header: &[u8; PYC_HEADER], since: u64) -> bool {
    let number = |at: usize| u32::from_le_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]]);
    number(4) == 0 && u64::from(number(8)) >= since
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::build::{AssembledLayer, Blob};
    use crate::cancel::Cancel;
    use crate::digest::{DiffId, Digest};
    use crate::image::Descriptor;
    use crate::layer::tar::{Entry, Writer};
    use crate::limits::Limits;
    use crate::platform::Platform;
    use crate::scrub::Profile;

    fn pyc(flags: u32, time: u32) -> Vec<u8> {
        [b"\xa7\r\r\n".to_vec(), flags.to_le_bytes().to_vec(), time.to_le_bytes().to_vec(), b"size".to_vec()].concat()
    }

    #[test]
    fn sure_profiles_are_there() {
        assert!(SURE.is_sorted() && SURE.iter().all(|name| Profile::newest(name).is_some()));
    }

    #[test]
    fn files_that_are_sure_to_differ_ask_for_their_variable() {
        for (path, content, want) in [
            ("opt/__pycache__/a.cpython-313.pyc", pyc(0, 1000), &["SOURCE_DATE_EPOCH"][..]),
            ("opt/__pycache__/of-the-package.pyc", pyc(0, 999), &[]),
            ("opt/__pycache__/of-a-hash.pyc", pyc(1, 5000), &[]),
            ("opt/cut.pyc", vec![0; 5], &[]),
            ("var/lib/rpm/rpmdb.sqlite", vec![], &["SOURCE_DATE_EPOCH"]),
            ("tmp/node-compile-cache/v24-x64/1.cache", vec![], &["NODE_DISABLE_COMPILE_CACHE"]),
            ("var/log/dpkg.log", vec![], &["dpkg-log"]),
            ("var/lib/dpkg/status-old", vec![], &[]),
            ("opt/app", vec![], &[]),
        ] {
            let mut writer = Writer::new(Vec::new());
            for path in [path, "var/lib/rpm-other"] {
                writer.append(&Entry::file(path, 0o644, content.len() as u64), content.as_slice()).unwrap();
            }
            let tar = writer.finish().unwrap();
            let descriptor = Descriptor::of("layer", &tar);
            let diff_id = DiffId::of(&tar);
            let blob = Some(Blob::Bytes(Arc::from(tar)));
            let build = AssembledPlatform {
                platform: "linux/amd64".parse::<Platform>().unwrap(),
                descriptor: Descriptor::new("manifest", Digest::of(b""), 0),
                manifest: Vec::new(),
                config: Vec::new(),
                layers: vec![AssembledLayer { descriptor, diff_id, blob: None, tar: blob }],
                scrubbed: Vec::new(),
            };
            let (limits, cancel) = (Limits::default(), Cancel::default());
            let found = foreseen(&build, 1000, Bounds { limits: &limits, cancel: &cancel }).unwrap();
            let names = found.iter().map(|fix| match fix {
                Fix::RunEnv { name, .. } | Fix::Scrub(name) => *name,
                Fix::Dockerfile(_) => "",
            });
            assert_eq!(names.collect::<Vec<_>>(), want, "{path}");
        }
    }
}
