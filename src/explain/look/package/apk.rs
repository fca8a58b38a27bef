//! apk: `/lib/apk/db/installed` and `/etc/apk/world`.

use std::collections::{BTreeMap, BTreeSet};

use super::super::pair::{Found, Pair};
use super::super::reason::Detail;
use super::stanza::{Stanza, left_over, stanzas};
use super::version::Scheme;
use super::{Packages, changes};

const INSTALLED: &str = "lib/apk/db/installed";
const WORLD: &str = "etc/apk/world";
/// What `apk add --virtual` writes about a package that it makes up.
const IS_VIRTUAL: &[u8] = b"T:virtual meta package";

/// C065 where only a virtual package's time and sum differ, C060 for each package with another version.
pub(super) fn look(pair: &Pair<'_>) -> Option<Found> {
    if pair.is_at(WORLD) {
        let lines = |content| {
            let lines = <[u8]>::split(content, |&byte| byte == b'\n').map(|line| without_time(line).to_vec());
            lines.collect::<BTreeSet<Vec<u8>>>()
        };
        return (lines(pair.first) == lines(pair.second)).then(|| Found::proven("C065"));
    }
    if !pair.is_at(INSTALLED) {
        return None;
    }
    let [first, second] = pair.both().map(|content| stanzas(content).into_iter().map(masked).collect::<Vec<_>>());
    let (gone, new) = (left_over(&first, &second), left_over(&second, &first));
    if gone.is_empty() && new.is_empty() {
        return Some(Found::proven("C065"));
    }
    let mut found = changes(&packages(&first)?, &packages(&second)?, &packages(&[gone, new].concat())?, Scheme::Loose);
    let differing = found.iter_mut().filter_map(|reason| match &mut reason.detail {
        Some(Detail::Package { name, files, .. }) => Some((name, files)),
        _ => None,
    });
    let mut names: BTreeMap<String, &mut Vec<Vec<u8>>> = differing.map(|(name, files)| (name.clone(), files)).collect();
    for stanza in first.iter().chain(&second) {
        if let Some(files) = stanza.text("P").and_then(|name| names.get_mut(&name)) {
            files.extend(files_of(stanza));
        }
    }
    Found::of(found)
}

/// The paths of a package's files: `R:` is a name in the directory that the last `F:` gave.
fn files_of(stanza: &Stanza<'_>) -> Vec<Vec<u8>> {
    let (mut directory, mut files) = (&b""[..], Vec::new());
    for line in &stanza.lines {
        if let Some(path) = line.strip_prefix(b"F:") {
            directory = path;
        } else if let Some(name) = line.strip_prefix(b"R:") {
            files.push(if directory.is_empty() { name.to_vec() } else { [directory, b"/", name].concat() });
        }
    }
    files
}

/// The stanza of a virtual package without its sum, and without its version where that is a time.
fn masked(mut stanza: Stanza<'_>) -> Stanza<'_> {
    if stanza.lines.contains(&IS_VIRTUAL) {
        let is_time = |line: &[u8]| line.strip_prefix(b"V:").is_some_and(is_time);
        stanza.lines.retain(|line| !line.starts_with(b"C:") && !is_time(line));
    }
    stanza
}

/// A line of `world`, without the time that stands for the version of a virtual package.
fn without_time(line: &[u8]) -> &[u8] {
    match line.iter().position(|&byte| byte == b'=') {
        Some(at) if is_time(&line[at + 1..]) => &line[..=at],
        _ => line,
    }
}

/// `YYYYMMDD.HHMMSS`
fn is_time(version: &[u8]) -> bool {
    version.len() == 15
        && version.iter().enumerate().all(|(at, byte)| if at == 8 { *byte == b'.' } else { byte.is_ascii_digit() })
}

fn packages(stanzas: &[Stanza<'_>]) -> Option<Packages> {
    let mut packages = Packages::new();
    for stanza in stanzas {
        packages.entry(stanza.text("P")?).or_default().insert(stanza.text("V").unwrap_or_default());
    }
    Some(packages)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::explain::look::told;

    fn installed(sum: &str, time: &str, needs: &str, version: &str) -> Vec<u8> {
        let real = format!("C:Q1abc=\nP:busybox\nV:{version}\nT:Toolbox\n\n");
        format!("{real}C:{sum}\nP:.deps\nV:{time}\nT:virtual meta package\nD:{needs}\n\n").into_bytes()
    }

    #[test]
    fn times_of_virtual_packages_are_benign_and_nothing_else_is() {
        let base = installed("Q1a=", "20231114.221320", "gcc", "1.36.1-r15");
        for (other, want) in [
            (installed("Q1b=", "20231115.080102", "gcc", "1.36.1-r15"), "C065 Proven"),
            (installed("Q1b=", "20231114.221320", "gcc", "1.36.1-r15"), "C065 Proven"),
            (installed("Q1b=", "20231115.080102", "gcc", "1.36.1-r16"), "C060 Proven"),
            (installed("Q1b=", "20231115.080102", "gcc", "1.36.1-r3"), "C060 Proven S"),
            (installed("Q1b=", "20231115.080102", "gcc evil", "1.36.1-r15"), "C120 Possible"),
        ] {
            assert_eq!(told("lib/apk/db/installed", &base, &other), want);
        }
        let other = String::from_utf8(base.clone()).unwrap().replace("Q1abc", "Q1abd");
        assert_eq!(told("lib/apk/db/installed", &base, other.as_bytes()), "C120 Possible");
    }

    #[test]
    fn the_files_of_a_package_stand_in_its_stanza() {
        let lines: Vec<&[u8]> =
            vec![b"P:a", b"R:top", b"F:usr/bin", b"R:one", b"a:0:0:755", b"R:two", b"F:etc", b"R:c"];
        let files: Vec<String> =
            files_of(&Stanza { lines }).iter().map(|path| String::from_utf8_lossy(path).into()).collect();
        assert_eq!(files, ["top", "usr/bin/one", "usr/bin/two", "etc/c"]);
    }

    #[test]
    fn the_world_is_a_set_of_wishes() {
        let base = b".deps=20231114.221320\nbusybox\n";
        for (other, want) in [
            (&b".deps=20231115.080102\nbusybox\n"[..], "C065 Proven"),
            (b"busybox\n.deps=20231115.080102\n", "C065 Proven"),
            (b".deps=20231115.080102\nbusybox=1.36\n", "C120 Possible"),
            (b".evil=20231115.080102\nbusybox\n", "C120 Possible"),
        ] {
            assert_eq!(told("etc/apk/world", base, other), want);
        }
    }
}
