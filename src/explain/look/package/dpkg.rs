//! dpkg: `/var/lib/dpkg`, and debconf's files of the same form.

use super::super::pair::{Found, Pair};
use super::stanza::{Stanza, left_over, stanzas};
use super::version::Scheme;
use super::{Packages, changes};

/// Files of stanzas with one package each.
const PACKAGES: &[&str] =
    &["var/lib/dpkg/status", "var/lib/dpkg/status-old", "var/lib/dpkg/available", "var/lib/dpkg/available-old"];
/// Files of other stanzas.
const STANZAS: &[&str] = &[
    "var/cache/debconf/config.dat",
    "var/cache/debconf/config.dat-old",
    "var/cache/debconf/templates.dat",
    "var/cache/debconf/templates.dat-old",
];
/// Lists of what a package holds, one a line.
const INFO: &[u8] = b"var/lib/dpkg/info/";
const LISTS: &[&str] = &[".list", ".md5sums", ".conffiles"];
/// A distroless image has a file a package.
const SINGLE: &[u8] = b"var/lib/dpkg/status.d/";

/// C064 for the same stanzas in another order, C060 for each package with another version.
pub(super) fn look(pair: &Pair<'_>) -> Option<Found> {
    let is_below = |directory: &[u8]| pair.path.windows(directory.len()).any(|part| part == directory);
    if is_below(INFO) && pair.has_suffix(LISTS) {
        let lines = |content: &'_ [u8]| {
            let mut lines: Vec<Vec<u8>> = content.split(|&byte| byte == b'\n').map(<[u8]>::to_vec).collect();
            lines.sort_unstable();
            lines
        };
        return (lines(pair.first) == lines(pair.second)).then(|| Found::proven("C064"));
    }
    let has_packages = PACKAGES.iter().any(|place| pair.is_at(place)) || is_below(SINGLE);
    if !has_packages && !STANZAS.iter().any(|place| pair.is_at(place)) {
        return None;
    }
    let [first, second] = pair.both().map(stanzas);
    let (gone, new) = (left_over(&first, &second), left_over(&second, &first));
    if gone.is_empty() && new.is_empty() {
        return Some(Found::proven("C064"));
    }
    if !has_packages {
        return None;
    }
    Found::of(changes(&packages(&first)?, &packages(&second)?, &packages(&[gone, new].concat())?, Scheme::Debian))
}

/// The packages with their versions; none if a stanza is no package.
fn packages(stanzas: &[Stanza<'_>]) -> Option<Packages> {
    let mut packages = Packages::new();
    for stanza in stanzas {
        let (name, version) = (stanza.text("Package")?, stanza.text("Version").unwrap_or_default());
        let name = match stanza.text("Architecture") {
            Some(architecture) => format!("{name}:{architecture}"),
            None => name,
        };
        packages.entry(name).or_default().insert(version);
    }
    Some(packages)
}

#[cfg(test)]
mod tests {
    use crate::explain::look::told;

    const STATUS: &str = "var/lib/dpkg/status";

    fn status(packages: &[(&str, &str)], more: &str) -> Vec<u8> {
        let stanza = |(name, version): &(&str, &str)| {
            format!("Package: {name}\nStatus: install ok installed\nArchitecture: amd64\nVersion: {version}\n{more}\n")
        };
        packages.iter().map(stanza).collect::<String>().into_bytes()
    }

    #[test]
    fn another_order_is_benign_and_another_version_is_a_package() {
        let base = status(&[("bash", "5.2"), ("curl", "7.88"), ("z", "1")], "");
        for (other, want) in [
            (status(&[("bash", "5.2"), ("z", "1"), ("curl", "7.88")], ""), "C064 Proven"),
            (status(&[("bash", "5.2"), ("curl", "7.88.1"), ("z", "1")], ""), "C060 Proven"),
            (status(&[("z", "1"), ("bash", "5.2"), ("curl", "7.87")], ""), "C060 Proven S"),
            (status(&[("bash", "5.2"), ("curl", "7.88")], ""), "C060 Proven"),
            (status(&[("bash", "5.2"), ("curl", "7.88"), ("z", "1")], "Conffiles:\n /etc/x 00\n"), "C120 Possible"),
            (status(&[("bash", "5.2"), ("curl", "7.88"), ("z", "1"), ("z", "1")], ""), "C120 Possible"),
        ] {
            assert_eq!(told(STATUS, &base, &other), want);
        }
        let moved = status(&[("bash", "5.2"), ("z", "1"), ("curl", "7.88")], "");
        assert_eq!(told("rootfs/var/lib/dpkg/available-old", &base, &moved), "C064 Proven");
        assert_eq!(told("opt/status", &base, &moved), "C115 Likely");
    }

    #[test]
    fn lists_of_files_are_sets_and_scripts_are_not() {
        let (one, other) = (b"/usr\n/usr/a\n/usr/b\n", b"/usr\n/usr/b\n/usr/a\n");
        assert_eq!(told("var/lib/dpkg/info/tool.list", one, other), "C064 Proven");
        assert_eq!(told("var/lib/dpkg/info/tool.list", one, b"/usr\n/usr/a\n/usr/c\n"), "C120 Possible");
        assert_eq!(told("var/lib/dpkg/info/tool.postinst", one, other), "C115 Likely");
    }
}
