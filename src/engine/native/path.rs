//! Paths as Go's `path` package handles them, on bytes.

/// The shortest path with the same meaning, without looking at any file: Go's `Clean`.
pub(super) fn clean(path: &[u8]) -> Vec<u8> {
    let rooted = path.first() == Some(&b'/');
    let mut parts: Vec<&[u8]> = Vec::new();
    for part in path.split(|byte| *byte == b'/') {
        match part {
            b"" | b"." => {}
            b".." => match parts.last() {
                Some(last) if *last != b".." => {
                    parts.pop();
                }
                None if rooted => {}
                _ => parts.push(part),
            },
            _ => parts.push(part),
        }
    }
    let mut out = if rooted { b"/".to_vec() } else { Vec::new() };
    out.extend(parts.join(&b'/'));
    if out.is_empty() { b".".to_vec() } else { out }
}

/// Joins and cleans: Go's `Join`.
pub(super) fn join(base: &[u8], rest: &[u8]) -> Vec<u8> {
    match (base.is_empty(), rest.is_empty()) {
        (true, true) => Vec::new(),
        (true, false) => clean(rest),
        (false, true) => clean(base),
        (false, false) => clean(&[base, b"/", rest].concat()),
    }
}

/// Everything up to and with the last slash, and what follows it: Go's `Split`.
pub(super) fn split(path: &[u8]) -> (&[u8], &[u8]) {
    let at = path.iter().rposition(|byte| *byte == b'/').map_or(0, |at| at + 1);
    path.split_at(at)
}

/// All but the last element: Go's `Dir`.
pub(super) fn parent(path: &[u8]) -> Vec<u8> {
    clean(split(path).0)
}

/// The last element: Go's `Base`.
pub(super) fn base(path: &[u8]) -> &[u8] {
    let end = path.iter().rposition(|byte| *byte != b'/');
    match end {
        None if path.is_empty() => b".",
        None => b"/",
        Some(end) => split(&path[..=end]).1,
    }
}

/// The elements of a clean absolute path.
pub(super) fn elements(path: &[u8]) -> impl Iterator<Item = &[u8]> {
    path.split(|byte| *byte == b'/').filter(|part| !part.is_empty())
}

/// An absolute clean path that still ends in `/` or `/.` if `path` does, for copies tell those apart.
pub(super) fn clean_keeping_end(path: &[u8]) -> Vec<u8> {
    let mut out = clean(&[b"/", path].concat());
    let root = out == b"/";
    if path.ends_with(b"/.") {
        out.extend_from_slice(if root { b"." } else { b"/." });
    } else if path.ends_with(b"/") && !root {
        out.push(b'/');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_cleaned_and_split_as_go_does() {
        for (path, want) in [
            ("", "."),
            ("a//b/./c/..", "a/b"),
            ("/../a", "/a"),
            ("../a/../..", "../.."),
            ("/", "/"),
            ("a/..", "."),
            ("//a//b/../c", "/a/c"),
        ] {
            assert_eq!(clean(path.as_bytes()), want.as_bytes(), "{path}");
        }
        for (path, directory, last) in [("/a/b", "/a", "b"), ("a", ".", "a"), ("/a/", "/a", "a"), ("/", "/", "/")] {
            assert_eq!(parent(path.as_bytes()), directory.as_bytes(), "{path}");
            assert_eq!(base(path.as_bytes()), last.as_bytes(), "{path}");
        }
        assert_eq!(join(b"/a", b"../b"), b"/b");
        assert_eq!(join(b"", b"b/"), b"b");
    }

    #[test]
    fn the_end_of_a_destination_is_remembered() {
        for (path, want) in [("a/.", "/a/."), ("/", "/"), ("a/b/", "/a/b/"), ("./.", "/."), ("a/..", "/")] {
            assert_eq!(clean_keeping_end(path.as_bytes()), want.as_bytes(), "{path}");
        }
    }
}
