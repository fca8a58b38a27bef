//! Parser directives: `# syntax=`, `# escape=` and `# check=` at the top of a Dockerfile.

use super::text::{is_blank, lossy, trim_start};

/// A directive's key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Key {
    Syntax,
    Escape,
    Check,
}

impl Key {
    fn name(self) -> &'static str {
        match self {
            Self::Syntax => "syntax",
            Self::Escape => "escape",
            Self::Check => "check",
        }
    }
}

/// Reads directives line by line until the first line that is none.
pub(super) struct Directives {
    comment: &'static [u8],
    seen: Vec<Key>,
    done: bool,
}

impl Directives {
    pub(super) fn new(comment: &'static str) -> Self {
        Self { comment: comment.as_bytes(), seen: Vec::new(), done: false }
    }

    /// The directive of a line, if it is one and none but directives came before.
    ///
    /// # Errors
    /// A second directive of one key.
    pub(super) fn read<'a>(&mut self, line: &'a [u8]) -> Result<Option<(Key, &'a [u8])>, String> {
        if self.done {
            return Ok(None);
        }
        let Some((key, value)) = line.strip_prefix(self.comment).and_then(key_and_value) else {
            self.done = true;
            return Ok(None);
        };
        if self.seen.contains(&key) {
            return Err(format!("only one {} parser directive can be used", key.name()));
        }
        self.seen.push(key);
        Ok(Some((key, value)))
    }
}

/// `^([a-zA-Z][a-zA-Z0-9]*)\s*=\s*(.+?)\s*$` after white space, with a known key.
fn key_and_value(line: &[u8]) -> Option<(Key, &[u8])> {
    let line = trim_start(line);
    let length = line.iter().position(|byte| !byte.is_ascii_alphanumeric())?;
    let (key, rest) = line.split_at(length);
    let key = match key.to_ascii_lowercase().as_slice() {
        b"syntax" => Key::Syntax,
        b"escape" => Key::Escape,
        b"check" => Key::Check,
        _ => return None,
    };
    let is_space = |byte: &u8| is_blank(*byte) && *byte != 0x0b || *byte == b'\n';
    let skip = rest.iter().position(|byte| !is_space(byte))?;
    let value = rest[skip..].strip_prefix(b"=")?;
    let Some(start) = value.iter().position(|byte| !is_space(byte)) else {
        // Nothing but blanks: the last of them is the value.
        return Some((key, &value[value.len().checked_sub(1)?..]));
    };
    let end = value.iter().rposition(|byte| !is_space(byte)).map_or(start, |last| last + 1);
    Some((key, &value[start..end]))
}

/// The image that `# syntax=` names: what chooses the frontend before the file is parsed.
///
/// Looser than the parser: one `#!` line may come first, `// syntax=` counts too, and a file that is a JSON object with
/// a `syntax` member. The value of a comment ends at its first blank.
pub fn frontend(dockerfile: &[u8]) -> Option<String> {
    let (rest, _) = strip_start(dockerfile);
    let value = find(Key::Syntax, rest, "#").or_else(|| find(Key::Syntax, rest, "//"));
    value.map(|value| first_word(&lossy(value)).to_owned()).or_else(|| syntax_member(rest))
}

/// The file without the line that `# syntax=` stands on, for the daemon's own frontend: a comment takes its place behind
/// the other directives, so that these count and every later line keeps its number.
///
/// Where something else than such a line chooses the frontend, nothing: no other one reads that.
pub fn without_frontend(dockerfile: &[u8]) -> Option<Vec<u8>> {
    let (rest, _) = strip_start(dockerfile);
    let start = dockerfile.len() - rest.len();
    let mut out = dockerfile[..start].to_vec();
    let mut directives = Directives::new("#");
    let mut taken = Vec::new();
    for line in rest.split_inclusive(|byte| *byte == b'\n') {
        let text = line.strip_suffix(b"\n").unwrap_or(line);
        match directives.read(text.strip_suffix(b"\r").unwrap_or(text)) {
            Ok(Some((Key::Syntax, _))) => taken.push(line),
            _ if directives.done => {
                for line in std::mem::take(&mut taken) {
                    out.extend_from_slice(if line.ends_with(b"\n") { b"#\n" } else { b"#" });
                }
                out.extend_from_slice(line);
            }
            _ => out.extend_from_slice(line),
        }
    }
    frontend(&out).is_none().then_some(out)
}

/// The value of `# check=` up to its first blank.
pub(super) fn check_options(dockerfile: &[u8]) -> Option<String> {
    let (rest, _) = strip_start(dockerfile);
    find(Key::Check, rest, "#").map(|value| first_word(&lossy(value)).to_owned())
}

fn first_word(value: &str) -> &str {
    value.split(' ').next().unwrap_or_default()
}

fn strip_start(dockerfile: &[u8]) -> (&[u8], bool) {
    let dockerfile = dockerfile.strip_prefix(b"\xef\xbb\xbf").unwrap_or(dockerfile);
    if !dockerfile.starts_with(b"#!") {
        return (dockerfile, false);
    }
    let end = dockerfile.iter().position(|byte| *byte == b'\n').map_or(dockerfile.len(), |end| end + 1);
    (&dockerfile[end..], true)
}

fn find<'a>(wanted: Key, dockerfile: &'a [u8], comment: &'static str) -> Option<&'a [u8]> {
    let mut directives = Directives::new(comment);
    for line in dockerfile.split(|byte| *byte == b'\n') {
        match directives.read(line.strip_suffix(b"\r").unwrap_or(line)) {
            Ok(Some((key, value))) if key == wanted => return Some(value),
            Ok(Some(_)) => {}
            _ => return None,
        }
    }
    None
}

fn syntax_member(dockerfile: &[u8]) -> Option<String> {
    if !trim_start(dockerfile).starts_with(b"{") {
        return None;
    }
    let value: serde_json::Value = serde_json::from_slice(dockerfile).ok()?;
    value.get("syntax")?.as_str().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_without_its_frontend_keeps_directives_and_lines() {
        for (text, want) in [
            ("# syntax=a/b:1.4\nFROM x\n", Some("#\nFROM x\n")),
            (
                "# escape=`\n#syntax = a\r\n# check=skip=all\n\nFROM x",
                Some("# escape=`\n# check=skip=all\n#\n\nFROM x"),
            ),
            ("# syntax=a\n# escape=`\nFROM x\n", Some("# escape=`\n#\nFROM x\n")),
            ("\u{feff}#!/bin/x\n# syntax=a\n# escape=`\nFROM x\n", Some("\u{feff}#!/bin/x\n# escape=`\n#\nFROM x\n")),
            ("FROM x\n# syntax=a\n", Some("FROM x\n# syntax=a\n")),
            ("# syntax=a\n// syntax=b\nFROM x\n", Some("#\n// syntax=b\nFROM x\n")),
            ("// syntax=b\nFROM x\n", None),
            ("{\"syntax\": \"b\"}", None),
        ] {
            let got = without_frontend(text.as_bytes());
            assert_eq!(got.as_deref().map(lossy).as_deref(), want, "{text}");
        }
    }

    #[test]
    fn the_frontend_is_found_where_buildkit_finds_it() {
        for (text, want) in [
            ("# syntax=a/b:1\n", Some("a/b:1")),
            ("#\tSYNTAX \t=\t a/b:1 \r\n", Some("a/b:1")),
            ("\u{feff}#!/bin/x\n# escape=`\n#syntax=a b\n", Some("a")),
            ("// syntax=a\nFROM b\n", Some("a")),
            ("// escape=`\n// syntax=a\nFROM b\n", Some("a")),
            ("# syntax=a\n# syntax=b\n", Some("a")),
            ("// syntax=a\n# syntax=b\n", Some("a")),
            ("{\"syntax\":\"a\"}", Some("a")),
            (" {\"syntax\":\"a b\", \"x\": [1]}\n", Some("a b")),
            ("{\"syntax\":\"a\"}\nFROM b\n", None),
            ("\n# syntax=a\n", None),
            (" # syntax=a\n", None),
            ("# hello\n# syntax=a\n", None),
            ("# foo=bar\n# syntax=a\n", None),
            ("# escape=`\n# escape=`\n# syntax=a\n", None),
            ("# syntax=\n", None),
            ("# syntax=  \n", Some("")),
        ] {
            assert_eq!(frontend(text.as_bytes()).as_deref(), want, "{text:?}");
        }
    }
}
