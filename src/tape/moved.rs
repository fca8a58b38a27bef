//! What a recording moved, as people think of it: packages by name and version, everything else by URL.

use std::collections::{BTreeMap, BTreeSet};

use super::entry::{Request, Requests};
use super::package::package;
use crate::digest::Digest;
use crate::escape;

/// Lines that tell how `new` differs from `old`, safe to print.
///
/// A package is told with its versions (`curl 7.88.1-10 → 7.88.1-11`), other files as added, removed or changed.
pub fn moved(old: &Requests, new: &Requests) -> Vec<String> {
    let (old_packages, old_files) = sorted(old);
    let (new_packages, new_files) = sorted(new);
    let mut lines = Vec::new();
    let names: BTreeSet<&String> = old_packages.keys().chain(new_packages.keys()).collect();
    for name in names {
        let (before, after) = (old_packages.get(name), new_packages.get(name));
        if before == after {
            continue;
        }
        let versions = |packages: Option<&BTreeMap<String, Digest>>| {
            packages.map(|versions| versions.keys().map(String::as_str).collect::<Vec<_>>().join(", "))
        };
        lines.push(match (versions(before), versions(after)) {
            (Some(before), Some(after)) if before == after => format!("{name} {after}: other bytes"),
            (Some(before), Some(after)) => format!("{name} {before} → {after}"),
            (Some(before), None) => format!("{name} {before} is no longer asked for"),
            (None, Some(after)) => format!("{name} {after} is new"),
            (None, None) => continue,
        });
    }
    let urls: BTreeSet<&String> = old_files.keys().chain(new_files.keys()).collect();
    for url in urls {
        match (old_files.get(url), new_files.get(url)) {
            (Some(before), Some(after)) if before != after => lines.push(format!("{url} changed")),
            (Some(_), None) => lines.push(format!("{url} is no longer asked for")),
            (None, Some(_)) => lines.push(format!("{url} is new")),
            _ => {}
        }
    }
    lines.iter().map(|line| escape::text(line).into_owned()).collect()
}

type Packages = BTreeMap<String, BTreeMap<String, Digest>>;
type Files = BTreeMap<String, BTreeSet<(u16, Digest)>>;

fn sorted(requests: &Requests) -> (Packages, Files) {
    let (mut packages, mut files) = (Packages::new(), Files::new());
    for (request, recorded) in requests {
        match package(&request.url).filter(|_| recorded.status == 200 && request.method.is_get()) {
            Some((name, version)) => {
                packages.entry(name).or_default().insert(version, recorded.digest);
            }
            None => {
                files.entry(shown(request)).or_default().insert((recorded.status, recorded.digest));
            }
        }
    }
    (packages, files)
}

/// A request for people: its URL, after the method if that is another than GET.
fn shown(request: &Request) -> String {
    if request.method.is_get() { request.url.clone() } else { format!("{} {}", request.method, request.url) }
}

#[cfg(test)]
mod tests {
    use super::super::entry::tests::recorded;
    use super::*;

    fn requests(lines: &[(&str, &str)]) -> Requests {
        lines.iter().map(|(url, body)| (Request::plain(*url), recorded(body.as_bytes()))).collect()
    }

    #[test]
    fn packages_move_by_version_and_files_by_url() {
        let old = requests(&[
            ("http://d.example/curl_1_amd64.deb", "1"),
            ("http://d.example/same_1_amd64.deb", "1"),
            ("http://d.example/gone_1_amd64.deb", "1"),
            ("http://d.example/again_1_amd64.deb", "1"),
            ("http://d.example/InRelease", "1"),
            ("http://d.example/lost", "1"),
        ]);
        let new = requests(&[
            ("http://d.example/curl_2_amd64.deb", "2"),
            ("http://d.example/same_1_amd64.deb", "1"),
            ("http://d.example/come_1_amd64.deb", "1"),
            ("http://d.example/again_1_amd64.deb", "2"),
            ("http://d.example/InRelease", "2"),
        ]);
        assert_eq!(
            moved(&old, &new),
            [
                "again 1: other bytes",
                "come 1 is new",
                "curl 1 → 2",
                "gone 1 is no longer asked for",
                "http://d.example/InRelease changed",
                "http://d.example/lost is no longer asked for",
            ]
        );
        assert_eq!(moved(&new, &new), Vec::<String>::new());
    }
}
