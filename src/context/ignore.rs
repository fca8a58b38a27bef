//! Ignore files: their lines.

/// A line that is no pattern.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidPattern {
    /// Docker refuses it as well.
    #[error("`{}` is not a pattern", crate::escape::text(.0))]
    Syntax(String),
    /// `!` without anything behind it.
    #[error("`!` excepts nothing")]
    EmptyException,
    /// A Go regular expression got in through an escape.
    #[error("`{}` uses an escape that no ignore file needs", crate::escape::text(.0))]
    Unsupported(String),
    /// Docker reads lines up to 64 KiB.
    #[error("line {0} is longer than 65535 bytes")]
    LongLine(usize),
}

/// A line of an ignore file that holds a pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Which line it is, from 1.
    pub number: usize,
    /// The pattern, cleaned, behind its `!` if it has one.
    pub pattern: String,
}

impl Line {
    /// Whether this line has the error.
    pub(super) fn is(&self, error: &InvalidPattern) -> bool {
        let text = clean(self.pattern.trim());
        match error {
            InvalidPattern::Syntax(pattern) | InvalidPattern::Unsupported(pattern) => {
                text.strip_prefix('!').unwrap_or(&text) == pattern
            }
            InvalidPattern::EmptyException => text == "!",
            InvalidPattern::LongLine(number) => self.number == *number,
        }
    }
}

impl InvalidPattern {
    /// The pattern, where there is one.
    pub(super) fn pattern(&self) -> &str {
        match self {
            Self::Syntax(pattern) | Self::Unsupported(pattern) => pattern,
            Self::EmptyException | Self::LongLine(_) => "",
        }
    }
}

/// Go's `bufio.Scanner` takes no longer line.
const LONGEST_LINE: usize = 65535;

/// The patterns of an ignore file's text, cleaned as Docker does (spec: `moby/patternmatcher/ignorefile`).
pub fn read_lines(text: &[u8]) -> Result<Vec<Line>, InvalidPattern> {
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    let mut patterns = Vec::new();
    for (index, line) in text.split(|&byte| byte == b'\n').enumerate() {
        if line.len() > LONGEST_LINE {
            return Err(InvalidPattern::LongLine(index + 1));
        }
        if line.starts_with(b"#") {
            continue;
        }
        // Patterns go to BuildKit as JSON, where each stray byte becomes U+FFFD.
        let line = to_text(line);
        let line = line.trim();
        if line.is_empty() {
            continue;
        }
        let (mark, path) = match line.strip_prefix('!') {
            Some(rest) => ("!", rest.trim()),
            None => ("", line),
        };
        let mut path = if path.is_empty() { String::new() } else { clean(path) };
        if path.len() > 1 && path.starts_with('/') {
            path.remove(0);
        }
        patterns.push(Line { number: index + 1, pattern: format!("{mark}{path}") });
    }
    Ok(patterns)
}

fn to_text(line: &[u8]) -> String {
    let mut out = String::with_capacity(line.len());
    for chunk in line.utf8_chunks() {
        out.push_str(chunk.valid());
        out.extend(chunk.invalid().iter().map(|_| '\u{fffd}'));
    }
    out
}

/// Go's `path.Clean`.
pub(super) fn clean(path: &str) -> String {
    let rooted = path.starts_with('/');
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => match parts.last() {
                Some(&last) if last != ".." => {
                    parts.pop();
                }
                _ if rooted => {}
                _ => parts.push(".."),
            },
            part => parts.push(part),
        }
    }
    let joined = parts.join("/");
    match (rooted, joined.is_empty()) {
        (true, _) => format!("/{joined}"),
        (false, true) => ".".to_owned(),
        (false, false) => joined,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn patterns(text: &[u8]) -> Vec<String> {
        read_lines(text).unwrap().into_iter().map(|line| line.pattern).collect()
    }

    #[test]
    fn an_error_is_that_of_its_line() {
        let lines = read_lines(b"# a\nok\n\n!a/../[b\n!\n").unwrap();
        let found = |error: InvalidPattern| lines.iter().find(|line| line.is(&error)).map(|line| line.number);
        assert_eq!(found(InvalidPattern::Syntax("[b".into())), Some(4));
        assert_eq!(found(InvalidPattern::EmptyException), Some(5));
        assert_eq!(found(InvalidPattern::Syntax("[c".into())), None);
    }

    #[test]
    fn lines_are_cleaned_as_docker_does() {
        let text = b"\xef\xbb\xbftest1\n/test2\r\n/a/file/here\n\nlast/../lastfile \n# no\n #yes\n! /inverted/abs/path\n!\n! \n/\n.\n../x\n//y\n/ z\n";
        let want = [
            "test1",
            "test2",
            "a/file/here",
            "lastfile",
            "#yes",
            "!inverted/abs/path",
            "!",
            "!",
            "/",
            ".",
            "../x",
            "y",
            " z",
        ];
        assert_eq!(patterns(text), want);
    }

    #[test]
    fn a_line_that_is_too_long_is_refused() {
        assert_eq!(read_lines(&[b'a'; 70_000]).err(), Some(InvalidPattern::LongLine(1)));
    }
}
