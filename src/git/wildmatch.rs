//! Git's patterns (`gitignore`, `gitattributes`) with `/` as separator: `*` and `?` stay within a name, `**` crosses.

/// A pattern in parts that follow each other, so that matching is linear in pattern times path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Glob(Vec<Part>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Byte(u8),
    /// `?`
    One,
    /// `*`
    Name,
    /// `**/`: any number of directories, none too.
    Directories,
    /// `**` at the end: all that is left.
    Rest,
    Class {
        negated: bool,
        ranges: Vec<(u8, u8)>,
    },
}

impl Glob {
    /// Reads a pattern; none if it can't match anything.
    pub(super) fn new(pattern: &[u8]) -> Option<Self> {
        let mut parts = Vec::new();
        let mut rest = pattern;
        while let Some((&byte, after)) = rest.split_first() {
            let at_start = rest.len() == pattern.len() || parts.last() == Some(&Part::Byte(b'/'));
            let at_start = at_start || parts.last() == Some(&Part::Directories);
            rest = after;
            let part = match byte {
                b'*' => {
                    let stars = after.iter().take_while(|&&byte| byte == b'*').count();
                    rest = &after[stars..];
                    match (stars > 0 && at_start, rest.first()) {
                        (true, None) => Part::Rest,
                        (true, Some(b'/')) => {
                            rest = &rest[1..];
                            Part::Directories
                        }
                        _ => Part::Name,
                    }
                }
                b'?' => Part::One,
                b'[' => {
                    let (class, after) = class(after)?;
                    rest = after;
                    class
                }
                b'\\' => {
                    let (&literal, after) = after.split_first()?;
                    rest = after;
                    Part::Byte(literal)
                }
                byte => Part::Byte(byte),
            };
            parts.push(part);
        }
        Some(Self(parts))
    }

    /// Whether the whole path matches.
    pub(super) fn matches(&self, path: &[u8]) -> bool {
        let parts = &self.0;
        // State 2i is before part i, 2i + 1 inside it.
        let mut now = vec![false; 2 * parts.len() + 1];
        let mut next = now.clone();
        now[0] = true;
        for at in 0..=path.len() {
            for (index, part) in parts.iter().enumerate() {
                if now[2 * index] && matches!(part, Part::Name | Part::Directories | Part::Rest) {
                    now[2 * index + 2] = true;
                }
            }
            let Some(&byte) = path.get(at) else { break };
            next.fill(false);
            for (index, part) in parts.iter().enumerate() {
                let (before, inside) = (now[2 * index], now[2 * index + 1]);
                match part {
                    Part::Directories if before || inside => {
                        next[2 * index + 1] = true;
                        next[2 * index + 2] |= byte == b'/';
                    }
                    Part::Rest if before => next[2 * index] = true,
                    Part::Name if before && byte != b'/' => next[2 * index] = true,
                    Part::One if before && byte != b'/' => next[2 * index + 2] = true,
                    Part::Byte(wanted) if before && *wanted == byte => next[2 * index + 2] = true,
                    Part::Class { negated, ranges } if before && byte != b'/' => {
                        let listed = ranges.iter().any(|&(low, high)| low <= byte && byte <= high);
                        next[2 * index + 2] |= listed != *negated;
                    }
                    _ => {}
                }
            }
            std::mem::swap(&mut now, &mut next);
        }
        now[2 * parts.len()]
    }
}

fn class(text: &[u8]) -> Option<(Part, &[u8])> {
    let mut rest = text;
    let negated = matches!(rest.first(), Some(b'!' | b'^'));
    if negated {
        rest = &rest[1..];
    }
    let mut ranges = Vec::new();
    let mut first = true;
    loop {
        let (&byte, after) = rest.split_first()?;
        if byte == b']' && !first {
            return Some((Part::Class { negated, ranges }, after));
        }
        first = false;
        if let Some(name) = after.strip_prefix(b":").filter(|_| byte == b'[') {
            let end = name.windows(2).position(|pair| pair == b":]")?;
            ranges.extend_from_slice(named_class(&name[..end])?);
            rest = &name[end + 2..];
            continue;
        }
        let (low, after) = member(rest)?;
        rest = after;
        let mut high = low;
        if let Some(after) = rest.strip_prefix(b"-")
            && after.first().is_some_and(|&byte| byte != b']')
        {
            (high, rest) = member(after)?;
        }
        ranges.push((low, high));
    }
}

fn member(text: &[u8]) -> Option<(u8, &[u8])> {
    let (&byte, rest) = text.split_first()?;
    if byte == b'\\' { rest.split_first().map(|(&byte, rest)| (byte, rest)) } else { Some((byte, rest)) }
}

fn named_class(name: &[u8]) -> Option<&'static [(u8, u8)]> {
    Some(match name {
        b"alnum" => &[(b'0', b'9'), (b'A', b'Z'), (b'a', b'z')],
        b"alpha" => &[(b'A', b'Z'), (b'a', b'z')],
        b"blank" => &[(b' ', b' '), (b'\t', b'\t')],
        b"cntrl" => &[(0, 0x1f), (0x7f, 0x7f)],
        b"digit" => &[(b'0', b'9')],
        b"graph" => &[(0x21, 0x7e)],
        b"lower" => &[(b'a', b'z')],
        b"print" => &[(0x20, 0x7e)],
        b"punct" => &[(b'!', b'/'), (b':', b'@'), (b'[', b'`'), (b'{', b'~')],
        b"space" => &[(b'\t', b'\r'), (b' ', b' ')],
        b"upper" => &[(b'A', b'Z')],
        b"xdigit" => &[(b'0', b'9'), (b'A', b'F'), (b'a', b'f')],
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_as_git_says() {
        for (pattern, yes, no) in [
            ("*.txt", &["a.txt", ".txt"][..], &["d/a.txt", "a.txt2"][..]),
            ("a/*", &["a/b"], &["a/b/c", "a"]),
            ("**/b", &["b", "a/b", "a/x/b"], &["ab", "b/c"]),
            ("a/**", &["a/b", "a/b/c"], &["a", "b"]),
            ("a/**/b", &["a/b", "a/x/b", "a/x/y/b"], &["ab", "a/xb"]),
            ("a**b", &["ab", "axb"], &["a/b"]),
            ("**", &["a", "a/b"], &[]),
            ("[a-c]?", &["ax", "c]"], &["d1", "a/"]),
            ("[!a]", &["b"], &["a", "/"]),
            ("[]a]", &["]", "a"], &["b"]),
            ("[[:digit:]x]", &["1", "x"], &["d", ":"]),
            ("\\*", &["*"], &["a"]),
            ("**/**/b", &["b", "a/b", "a/c/b"], &["ab"]),
        ] {
            let glob = Glob::new(pattern.as_bytes()).unwrap();
            for (paths, want) in [(yes, true), (no, false)] {
                for path in paths {
                    assert_eq!(glob.matches(path.as_bytes()), want, "{pattern} {path}");
                }
            }
        }
        assert_eq!(Glob::new(b"[a"), None);
        assert_eq!(Glob::new(b"a\\"), None);
    }
}
