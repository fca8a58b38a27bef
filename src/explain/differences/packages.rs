//! Which of the paths that differ belong to a package that is another one.

use std::collections::{BTreeMap, BTreeSet};

use super::difference::Difference;
use crate::compare::layers::Table;
use crate::explain::look::Detail;

/// Where dpkg keeps its list of packages, and for each of them a list of its files.
const STATUS: &[u8] = b"var/lib/dpkg/status";
const INFO: &[u8] = b"var/lib/dpkg/info/";
const LIST: &[u8] = b".list";
/// What says of a directory that a package is in it.
const OF_DIRECTORIES: &[&[u8]] = &[b"/package.json", b"/METADATA"];

/// The files of packages, by the name that a database gives them.
pub(super) type Owners = BTreeMap<Vec<u8>, BTreeSet<Vec<u8>>>;

/// Whether it is dpkg's list of packages, so that the lists of their files are asked for.
pub(super) fn has_lists(path: &[u8]) -> bool {
    path == STATUS
}

/// The lists of the files of packages that a layer holds.
pub(super) fn lists(table: &Table) -> Vec<Vec<u8>> {
    let below = table.entries.range(INFO.to_vec()..).take_while(|(path, _)| path.starts_with(INFO));
    below.filter(|(path, entry)| path.ends_with(LIST) && entry.is_file()).map(|(path, _)| path.clone()).collect()
}

/// Takes in a list of files: the owner is in the list's name.
pub(super) fn learn(owners: &mut Owners, list: &[u8], content: &[u8]) {
    let Some(name) = list.strip_prefix(INFO).and_then(|name| name.strip_suffix(LIST)) else { return };
    let paths = content.split(|byte| *byte == b'\n').filter_map(|path| path.strip_prefix(b"/"));
    owners.entry(name.to_vec()).or_default().extend(paths.map(<[u8]>::to_vec));
}

/// Tells with each package which of the differing paths are its files.
pub(super) fn own(differences: &mut [Difference], owners: &Owners) {
    let of_packages = |difference: &Difference| matches!(difference.detail, Some(Detail::Package { .. }));
    if !differences.iter().any(of_packages) {
        return;
    }
    let told = differences.iter().filter(|difference| !of_packages(difference));
    let paths: BTreeSet<Vec<u8>> = told.filter_map(|difference| difference.path.clone()).collect();
    for difference in differences {
        let database = difference.path.clone().unwrap_or_default();
        let Some(Detail::Package { name, files, .. }) = &mut difference.detail else { continue };
        let (whole, bare) = (name.as_bytes(), name.split(':').next().unwrap_or_default().as_bytes());
        let mut own: BTreeSet<Vec<u8>> = files.drain(..).filter(|path| paths.contains(path)).collect();
        let of_lists = [whole, bare].into_iter().filter_map(|name| owners.get(name)).flatten();
        own.extend(of_lists.filter(|path| paths.contains(*path)).cloned());
        let directory = OF_DIRECTORIES.iter().find_map(|file| database.strip_suffix(*file));
        if let Some(directory) = directory {
            let prefix = [directory, b"/"].concat();
            let below = paths.range(prefix.clone()..).take_while(|path| path.starts_with(&prefix));
            own.extend(below.cloned());
        }
        *files = own.into_iter().collect();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::explain::causes::Proof;
    use crate::explain::look::Reason;

    fn package(database: &str, name: &str) -> Difference {
        let detail = Detail::Package { name: name.to_owned(), first: None, second: None, files: Vec::new() };
        let reason = Reason { detail: Some(detail), ..Reason::new("C060", Proof::Proven) };
        Difference::of_reason(reason, 0, database.as_bytes(), &[])
    }

    fn file(path: &str) -> Difference {
        Difference::of_reason(Reason::new("C120", Proof::Possible), 0, path.as_bytes(), &[])
    }

    #[test]
    fn only_files_that_differ_are_told_with_the_package_that_lists_them() {
        let mut owners = Owners::new();
        learn(&mut owners, b"var/lib/dpkg/info/bash.list", b"/.\n/bin\n/bin/bash\n/etc/same\n");
        learn(&mut owners, b"var/lib/dpkg/info/libc6:amd64.list", b"/lib/libc.so\n");
        let mut found = vec![
            package("var/lib/dpkg/status", "bash:amd64"),
            package("var/lib/dpkg/status", "libc6:amd64"),
            package("app/node_modules/a/package.json", "a"),
            file("bin/bash"),
            file("lib/libc.so"),
            file("app/node_modules/a/index.js"),
            file("app/node_modules/ab/index.js"),
        ];
        own(&mut found, &owners);
        let files = |difference: &Difference| match &difference.detail {
            Some(Detail::Package { files, .. }) => {
                files.iter().map(|path| String::from_utf8_lossy(path).into_owned()).collect()
            }
            _ => Vec::new(),
        };
        let told: Vec<Vec<String>> = found.iter().take(3).map(files).collect();
        assert_eq!(told, [["bin/bash"], ["lib/libc.so"], ["app/node_modules/a/index.js"]]);
    }
}
