//! Patterns of paths: `*` and `?` within a name, `**` for whole directories, `\` before a character that stands for itself.

use super::RuleError;

/// A pattern of paths below the image's root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pattern(Vec<Part>);

/// What one component of a path must be.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    /// Exactly this name.
    Name(Vec<u8>),
    /// A name of this form.
    Glob(Vec<Token>),
    /// Any number of directories; at the end, at least one name.
    Directories,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Token {
    Byte(u8),
    Any,
    Many,
}

impl Pattern {
    /// Reads an absolute pattern.
    pub(super) fn parse(text: &str) -> Result<Self, RuleError> {
        let refuse = |what| Err(RuleError::Path { path: text.to_owned(), what });
        let Some(relative) = text.strip_prefix('/') else { return refuse("it does not start with `/`") };
        let mut parts = Vec::new();
        for name in relative.split('/') {
            parts.push(match name {
                "" => return refuse("a name in it is empty, and directories can't be named"),
                "." | ".." => return refuse("`.` and `..` name no file"),
                "**" => Part::Directories,
                name if name.contains("**") => return refuse("`**` stands for whole names only"),
                name => match part(name) {
                    Some(part) => part,
                    None => return refuse("nothing follows the `\\` at a name's end"),
                },
            });
        }
        Ok(Self(parts))
    }

    /// Whether the pattern names the file at `path`, which is relative to the root.
    pub(super) fn matches(&self, path: &[u8]) -> bool {
        if let Some(Part::Name(first)) = self.0.first()
            && !path.starts_with(first)
        {
            return false;
        }
        let names: Vec<&[u8]> = path.split(|&byte| byte == b'/').collect();
        // `open[n]`: the parts so far can stand for the first n names.
        let mut open = vec![false; names.len() + 1];
        open[0] = true;
        for (at, part) in self.0.iter().enumerate() {
            let mut next = vec![false; names.len() + 1];
            match part {
                Part::Directories => {
                    let start = open.iter().position(|&is_open| is_open).unwrap_or(open.len());
                    let is_last = at + 1 == self.0.len();
                    next.iter_mut().skip(start + usize::from(is_last)).for_each(|is_open| *is_open = true);
                }
                part => {
                    for (number, name) in names.iter().enumerate().filter(|(number, _)| open[*number]) {
                        next[number + 1] = part.matches(name);
                    }
                }
            }
            open = next;
        }
        open[names.len()]
    }
}

/// A name of a pattern; none if an escape has nothing behind it.
fn part(name: &str) -> Option<Part> {
    let mut tokens = Vec::new();
    let mut bytes = name.bytes();
    while let Some(byte) = bytes.next() {
        tokens.push(match byte {
            b'*' => Token::Many,
            b'?' => Token::Any,
            b'\\' => Token::Byte(bytes.next()?),
            byte => Token::Byte(byte),
        });
    }
    let plain = tokens.iter().map(|token| match token {
        Token::Byte(byte) => Some(*byte),
        Token::Any | Token::Many => None,
    });
    Some(plain.collect::<Option<Vec<u8>>>().map_or(Part::Glob(tokens), Part::Name))
}

impl Part {
    fn matches(&self, name: &[u8]) -> bool {
        match self {
            Self::Name(wanted) => wanted == name,
            Self::Glob(tokens) => glob(tokens, name),
            Self::Directories => true,
        }
    }
}

/// Steps back to the last `*` only, so the time is bounded by the product of both lengths.
fn glob(tokens: &[Token], name: &[u8]) -> bool {
    let (mut token, mut at) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while at < name.len() {
        match tokens.get(token) {
            Some(Token::Many) => {
                star = Some((token, at));
                token += 1;
            }
            Some(Token::Any) => (token, at) = (token + 1, at + 1),
            Some(Token::Byte(byte)) if *byte == name[at] => (token, at) = (token + 1, at + 1),
            _ => match star {
                Some((many, from)) => {
                    star = Some((many, from + 1));
                    (token, at) = (many + 1, from + 1);
                }
                None => return false,
            },
        }
    }
    tokens[token..].iter().all(|token| *token == Token::Many)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_name_what_they_say() {
        for (pattern, yes, no) in [
            ("/etc/x-", &["etc/x-"][..], &["etc/x", "etc/x-/a", "a/etc/x-", "etc/x--"][..]),
            (
                "/var/lib/app/*.tmp",
                &["var/lib/app/a.tmp", "var/lib/app/.tmp"],
                &["var/lib/app/b/a.tmp", "var/lib/app/a.tm"],
            ),
            ("/a/*b*c", &["a/bc", "a/xbxc", "a/bcbc"], &["a/b", "a/cb", "a/bcx"]),
            ("/a/?", &["a/b"], &["a/", "a/bc"]),
            ("/root/.cache/**", &["root/.cache/a", "root/.cache/a/b"], &["root/.cache", "root/.cachex/a"]),
            (
                "/**/__pycache__/*.pyc",
                &["__pycache__/a.pyc", "a/b/__pycache__/c.pyc"],
                &["a/__pycache__/b/c.pyc", "c.pyc"],
            ),
            ("/a/**/b/**/c", &["a/b/c", "a/x/b/y/z/c", "a/b/b/c"], &["a/c", "a/x/c", "b/c"]),
            ("/**", &["a", "a/b"], &[]),
            ("/a\\*b", &["a*b"], &["axb"]),
            ("/[ab]", &["[ab]"], &["a"]),
        ] {
            let pattern = Pattern::parse(pattern).unwrap();
            yes.iter().for_each(|path| assert!(pattern.matches(path.as_bytes()), "{pattern:?} {path}"));
            no.iter().for_each(|path| assert!(!pattern.matches(path.as_bytes()), "{pattern:?} {path}"));
        }
    }

    #[test]
    fn what_names_no_file_is_refused() {
        for text in ["", "a", "/", "//a", "/a//b", "/a/", "/a/../b", "/./a", "/a**", "/a/b**c", "/a\\"] {
            assert!(Pattern::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn hostile_patterns_end_soon() {
        let pattern = Pattern::parse(&format!("/**/{}", "*a".repeat(1500))).unwrap();
        assert!(!pattern.matches(&[b'a'; 100].repeat(10)));
        let pattern = Pattern::parse(&"/**/*".repeat(800)).unwrap();
        assert!(pattern.matches(&b"a/".repeat(2000)[..3999]));
    }
}
