//! What tracked `.gitattributes` say about a path.
//!
//! Only these files count: those of the user, of the system and `.git/info/attributes` are one machine's business.

use std::collections::BTreeMap;

use super::wildmatch::Glob;

/// The `.gitattributes` files of a work tree.
#[derive(Clone, Debug, Default)]
pub struct Attributes {
    /// By directory; the lines in their order.
    files: BTreeMap<Vec<u8>, Vec<Line>>,
    /// `[attr]` definitions of the root's file, and git's own `binary`.
    macros: BTreeMap<String, Vec<(String, Value)>>,
}

#[derive(Clone, Debug)]
struct Line {
    glob: Glob,
    /// Without a slash in it a pattern is matched with the last name only.
    name_only: bool,
    sets: Vec<(String, Value)>,
}

/// An attribute's value.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Value {
    Set,
    Unset,
    /// `!name`: as if nothing had been said.
    Unspecified,
    Text(String),
}

/// What the attributes of one path ask of a checkout.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// Whether the content is text, and with which line ends it is checked out.
    pub text: Text,
    /// Whether `$Id$` is filled in.
    pub ident: bool,
    /// The driver of `filter=`.
    pub filter: Option<String>,
    /// The value of `working-tree-encoding=`, where it changes anything.
    pub encoding: Option<String>,
}

/// What `text` and `eol` come to where no configuration says anything.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Text {
    /// Nothing was said: bytes.
    #[default]
    Unsaid,
    /// `-text`: bytes, also on the way in.
    Binary,
    /// Text with LF.
    Lf,
    /// Text with CRLF.
    CrLf,
    /// LF if it looks like text.
    AutoLf,
    /// CRLF if it looks like text.
    AutoCrLf,
}

/// Git reads no more of a line, and of a file.
const LONGEST_LINE: usize = 2048;
const MOST_BYTES: usize = 100 << 20;

/// Macros that name macros, followed so far.
const DEEPEST_MACRO: usize = 16;

impl Attributes {
    /// Adds the file of one directory (empty: the root of the work tree).
    pub fn add(&mut self, directory: &[u8], text: &[u8]) {
        if text.len() > MOST_BYTES {
            return;
        }
        let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
        let mut lines = Vec::new();
        for line in text.split(|&byte| byte == b'\n').filter(|line| line.len() < LONGEST_LINE) {
            let line = line.trim_ascii_start();
            if line.is_empty() || line[0] == b'#' {
                continue;
            }
            let Some((pattern, rest)) = split_pattern(line) else { continue };
            let sets = read_sets(rest);
            match pattern.strip_prefix(b"[attr]") {
                Some(name) if directory.is_empty() => {
                    self.macros.insert(String::from_utf8_lossy(name).into_owned(), sets);
                }
                Some(_) => {}
                None => lines.extend(read_line(&pattern, sets)),
            }
        }
        self.files.insert(directory.to_vec(), lines);
    }

    /// What a checkout must do with `path`, which is relative to the root of the work tree.
    pub fn of(&self, path: &[u8]) -> Wanted {
        if self.files.is_empty() {
            return Wanted::default();
        }
        let mut found = BTreeMap::new();
        // The nearest file counts first, in it the last line.
        let mut directory = path;
        while !directory.is_empty() {
            let end = directory.iter().rposition(|&byte| byte == b'/');
            directory = &directory[..end.unwrap_or(0)];
            let below = if directory.is_empty() { path } else { &path[directory.len() + 1..] };
            let name = below.rsplit(|&byte| byte == b'/').next().unwrap_or(below);
            for line in self.files.get(directory).into_iter().flatten().rev() {
                if line.glob.matches(if line.name_only { name } else { below }) {
                    self.assign(&line.sets, &mut found, 0);
                }
            }
        }
        wanted(&found)
    }

    /// Takes over what is not decided yet, the last of a line first.
    fn assign<'a>(&'a self, sets: &'a [(String, Value)], found: &mut BTreeMap<&'a str, &'a Value>, depth: usize) {
        for (name, value) in sets.iter().rev() {
            if found.contains_key(name.as_str()) {
                continue;
            }
            found.insert(name, value);
            if *value != Value::Set || depth > DEEPEST_MACRO {
                continue;
            }
            match self.macros.get(name) {
                Some(sets) => self.assign(sets, found, depth + 1),
                None if name == "binary" => {
                    found.entry("text").or_insert(&Value::Unset);
                }
                None => {}
            }
        }
    }
}

/// The patterns of a file that it marks with `export-ignore`, as they are written; those for directories end in `/`.
pub(super) fn not_exported(text: &[u8]) -> Vec<Vec<u8>> {
    let lines =
        text.split(|&byte| byte == b'\n').filter(|line| line.len() < LONGEST_LINE).map(<[u8]>::trim_ascii_start);
    let lines = lines.filter(|line| !line.is_empty() && line[0] != b'#');
    let read = lines.filter_map(split_pattern);
    let marked = |rest: &[u8]| read_sets(rest).contains(&("export-ignore".to_owned(), Value::Set));
    read.filter(|(pattern, rest)| !pattern.starts_with(b"!") && marked(rest)).map(|(pattern, _)| pattern).collect()
}

fn wanted(found: &BTreeMap<&str, &Value>) -> Wanted {
    let get = |name: &str| found.get(name).copied().filter(|value| **value != Value::Unspecified);
    let text_of = |value: Option<&Value>| match value {
        Some(Value::Set) => Some(Text::Lf),
        Some(Value::Unset) => Some(Text::Binary),
        Some(Value::Text(value)) if value == "auto" => Some(Text::AutoLf),
        Some(Value::Text(value)) if value == "input" => Some(Text::Lf),
        _ => None,
    };
    // `crlf` is the old name of `text`.
    let said = text_of(get("text")).or_else(|| text_of(get("crlf")));
    let end = match get("eol") {
        Some(Value::Text(value)) => Some(value.as_str()),
        _ => None,
    };
    let text = match (said.unwrap_or_default(), end) {
        (Text::Binary, _) => Text::Binary,
        (Text::AutoLf, Some("crlf")) => Text::AutoCrLf,
        (Text::AutoLf, _) => Text::AutoLf,
        (_, Some("crlf")) => Text::CrLf,
        (_, Some("lf")) => Text::Lf,
        (said, _) => said,
    };
    let value_of = |name: &str| match get(name) {
        Some(Value::Text(value)) => Some(value.clone()),
        _ => None,
    };
    let is_utf8 = |name: &String| name.eq_ignore_ascii_case("utf-8") || name.eq_ignore_ascii_case("utf8");
    Wanted {
        text,
        ident: get("ident") == Some(&Value::Set),
        filter: value_of("filter"),
        encoding: value_of("working-tree-encoding").filter(|name| !is_utf8(name)),
    }
}

fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n')
}

/// The pattern, perhaps in C's quotes, and what follows it.
fn split_pattern(line: &[u8]) -> Option<(Vec<u8>, &[u8])> {
    if line[0] == b'"' {
        return unquote(&line[1..]);
    }
    let end = line.iter().position(|&byte| is_blank(byte)).unwrap_or(line.len());
    Some((line[..end].to_vec(), &line[end..]))
}

fn unquote(text: &[u8]) -> Option<(Vec<u8>, &[u8])> {
    let mut out = Vec::new();
    let mut rest = text;
    loop {
        let (&byte, after) = rest.split_first()?;
        rest = after;
        match byte {
            b'"' => return Some((out, rest)),
            b'\\' => {
                let (&escaped, after) = rest.split_first()?;
                rest = after;
                out.push(match escaped {
                    b'a' => 7,
                    b'b' => 8,
                    b'f' => 12,
                    b'n' => b'\n',
                    b'r' => b'\r',
                    b't' => b'\t',
                    b'v' => 11,
                    b'\\' | b'"' => escaped,
                    b'0'..=b'3' => {
                        let (digits, after) = rest.split_at_checked(2)?;
                        rest = after;
                        digits.iter().try_fold(escaped - b'0', |value, digit| match digit {
                            b'0'..=b'7' => Some((value << 3) | (digit - b'0')),
                            _ => None,
                        })?
                    }
                    _ => return None,
                });
            }
            byte => out.push(byte),
        }
    }
}

fn read_line(pattern: &[u8], sets: Vec<(String, Value)>) -> Option<Line> {
    // Git takes no negative patterns here, and a pattern for directories matches no file.
    if pattern.starts_with(b"!") || pattern.ends_with(b"/") {
        return None;
    }
    let name_only = !pattern.contains(&b'/');
    let glob = Glob::new(pattern.strip_prefix(b"/").unwrap_or(pattern))?;
    Some(Line { glob, name_only, sets })
}

fn read_sets(text: &[u8]) -> Vec<(String, Value)> {
    let words = text.split(|&byte| is_blank(byte)).filter(|word| !word.is_empty());
    let set = |word: &[u8]| {
        let word = String::from_utf8_lossy(word);
        let (name, value) = match word.split_once('=') {
            Some((name, value)) => (name, Value::Text(value.to_owned())),
            None => match (word.strip_prefix('-'), word.strip_prefix('!')) {
                (Some(name), _) => (name, Value::Unset),
                (_, Some(name)) => (name, Value::Unspecified),
                _ => (word.as_ref(), Value::Set),
            },
        };
        (!name.is_empty()).then(|| (name.to_owned(), value))
    };
    words.filter_map(set).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attributes() -> Attributes {
        let mut attributes = Attributes::default();
        attributes.add(
            b"",
            b"# all\r\n* text=auto\r\n*.bat text eol=crlf\n*.png binary\n*.sh text eol=lf\n/top.txt -text\n\
              docs/** ident\n[attr]win text eol=crlf\n*.ps1 win\n\"a b\" filter=x\n*.bin filter=lfs diff=lfs -text\n\
              d/ filter=y\n!n filter=z\n*.u working-tree-encoding=UTF-16LE\n*.v working-tree-encoding=UTF-8\n*.old crlf=input\n",
        );
        attributes.add(b"sub", b"*.bat !text !eol\n*.bin -filter\n[attr]win -text\n");
        attributes
    }

    #[test]
    fn the_nearest_file_and_the_last_line_count() {
        let wanted = |path: &str| attributes().of(path.as_bytes());
        for (path, text) in [
            ("a", Text::AutoLf),
            ("a.bat", Text::CrLf),
            ("x/y.bat", Text::CrLf),
            ("sub/a.bat", Text::Unsaid),
            ("a.png", Text::Binary),
            ("a.sh", Text::Lf),
            ("top.txt", Text::Binary),
            ("x/top.txt", Text::AutoLf),
            ("a.ps1", Text::CrLf),
            ("sub/a.ps1", Text::CrLf),
            ("a.old", Text::AutoLf),
        ] {
            assert_eq!(wanted(path).text, text, "{path}");
        }
        assert!(wanted("docs/x/y").ident && !wanted("x/docs/y").ident);
        assert_eq!(wanted("x/a b").filter.as_deref(), Some("x"));
        assert_eq!(wanted("a.bin").filter.as_deref(), Some("lfs"));
        assert_eq!(wanted("sub/a.bin").filter, None);
        assert_eq!((wanted("d/x").filter, wanted("n").filter), (None, None));
        assert_eq!(wanted("a.u").encoding.as_deref(), Some("UTF-16LE"));
        assert_eq!(wanted("a.v").encoding, None);
    }

    #[test]
    fn nothing_said_asks_for_nothing() {
        assert_eq!(Attributes::default().of(b"a/b"), Wanted::default());
    }
}
