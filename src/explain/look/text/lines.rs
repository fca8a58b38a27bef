//! The same lines with other ends, or in another order.

use super::super::by_path::ByPath;
use super::super::pair::{Found, Pair};

/// Lists: one name, path or digest a line, in no order that means anything.
static LISTS: ByPath<()> = ByPath::new(&[
    ("/**/*.list", ()),
    ("/**/*.lst", ()),
    ("/**/*.md5sums", ()),
    ("/**/*.md5", ()),
    ("/**/*.sha256", ()),
    ("/**/*.sha256sums", ()),
    ("/**/*.sha512sums", ()),
    ("/**/MD5SUMS", ()),
    ("/**/SHA256SUMS", ()),
    ("/**/MANIFEST", ()),
    ("/**/RECORD", ()),
    ("/**/SOURCES.txt", ()),
    ("/**/installed-files.txt", ()),
    ("/**/top_level.txt", ()),
    ("/**/modules.alias", ()),
    ("/**/modules.builtin", ()),
    ("/**/modules.dep", ()),
    ("/**/modules.devname", ()),
    ("/**/modules.symbols", ()),
    ("/**/mimeinfo.cache", ()),
    ("/**/defaults.list", ()),
    ("/**/locale.alias", ()),
    ("/**/usr/share/mime/globs", ()),
    ("/**/usr/share/mime/globs2", ()),
    ("/**/usr/share/mime/types", ()),
    ("/**/usr/share/mime/aliases", ()),
    ("/**/usr/share/mime/subclasses", ()),
]);
/// Lists in which the order decides.
static ORDERED: ByPath<()> = ByPath::new(&[("/**/etc/apt/**", ()), ("/**/etc/**/*.list", ())]);

/// C116 for other line ends, C115 for another order.
pub(super) fn look(pair: &Pair<'_>) -> Option<Found> {
    if pair.both().iter().any(|content| content.contains(&0)) {
        return None;
    }
    let [first, second] = pair.both().map(with_plain_ends);
    if first == second {
        return Some(Found::proven("C116"));
    }
    let [first, second] = pair.both().map(sorted);
    if first != second {
        return None;
    }
    let is_list = LISTS.first(pair.path).is_some() && ORDERED.first(pair.path).is_none();
    Some(if is_list { Found::proven("C115") } else { Found::likely("C115") })
}

fn with_plain_ends(content: &[u8]) -> Vec<u8> {
    let mut lines = content.split_inclusive(|&byte| byte == b'\n');
    let mut plain = Vec::with_capacity(content.len());
    for line in &mut lines {
        match line.strip_suffix(b"\r\n") {
            Some(text) => plain.extend([text, b"\n"].concat()),
            None => plain.extend(line),
        }
    }
    plain
}

fn sorted(content: &[u8]) -> Vec<&[u8]> {
    let mut lines: Vec<&[u8]> = content.strip_suffix(b"\n").unwrap_or(content).split(|&byte| byte == b'\n').collect();
    lines.sort_unstable();
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::explain::look::told;

    #[test]
    fn every_pattern_can_be_read() {
        assert!(LISTS.unreadable().is_empty() && ORDERED.unreadable().is_empty());
    }

    #[test]
    fn order_means_nothing_in_lists_only() {
        for (path, first, second, want) in [
            ("opt/files.list", "b\na\nc\n", "a\nb\nc\n", "C115 Proven"),
            ("opt/files.list", "b\na\nc\n", "a\nb\nd\n", "C120 Possible"),
            ("opt/files.list", "b\na\na\n", "a\nb\nb\n", "C120 Possible"),
            ("opt/run.sh", "b\na\n", "a\nb\n", "C115 Likely"),
            ("etc/apt/sources.list.d/x.list", "b\na\n", "a\nb\n", "C115 Likely"),
            ("opt/modules.order", "b\na\n", "a\nb\n", "C115 Likely"),
            ("opt/run.conf", "a\nb\n", "a\r\nb\r\n", "C116 Proven"),
            ("opt/run.conf", "a\nb\n", "a\r\nc\r\n", "C120 Possible"),
        ] {
            assert_eq!(told(path, first.as_bytes(), second.as_bytes()), want, "{path} {second}");
        }
    }
}
