//! The spellings of single values: what each may look like, and why another spelling is refused.
//!
//! All functions response with what is wrong, ready to stand after the key's name.

use crate::context::Patterns;
use crate::reference::Reference;

use super::table::shown;

/// Longest path, as file systems bound it.
const LONGEST_PATH: usize = 4096;
/// Longest name of an image.
const LONGEST_NAME: usize = 63;
/// Longest name of a build stage: BuildKit has no bound.
const LONGEST_STAGE: usize = 255;

/// Name of an image in the manifest: part of the tape's file name and of command lines.
pub(super) fn image_name(text: &str) -> Result<(), String> {
    lower_name(text).map_err(|()| format!("`{}` is no name for an image: expected {LOWER_NAME}", shown(text)))
}

/// A build stage: its name, in either case, or its number.
pub(super) fn stage(text: &str) -> Result<(), String> {
    let first = text.bytes().next().is_some_and(|byte| byte.is_ascii_alphanumeric());
    let rest = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte));
    if first && rest && text.len() <= LONGEST_STAGE {
        return Ok(());
    }
    let expected = "1 to 255 letters, digits, `.`, `_` and `-`, a letter or digit first";
    Err(format!("`{}` is no build stage: expected {expected}", shown(text)))
}

const LOWER_NAME: &str = "1 to 63 lower-case letters, digits, `.`, `_` and `-`, a letter or digit first";

fn lower_name(text: &str) -> Result<(), ()> {
    let word = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let first = text.bytes().next().is_some_and(word);
    let rest = text.bytes().all(|byte| word(byte) || b"._-".contains(&byte));
    if first && rest && text.len() <= LONGEST_NAME { Ok(()) } else { Err(()) }
}

/// Name of a build argument or environment variable.
pub(super) fn variable(text: &str) -> Result<(), String> {
    let first = |byte: u8| byte.is_ascii_alphabetic() || byte == b'_';
    if text.bytes().next().is_some_and(first) && text.bytes().all(|byte| first(byte) || byte.is_ascii_digit()) {
        Ok(())
    } else {
        Err(format!("`{}` is no variable name: expected letters, digits and `_`, no digit first", shown(text)))
    }
}

/// Id of a secret or of an ssh agent.
pub(super) fn id(text: &str) -> Result<(), String> {
    let first = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    let rest = |byte: u8| first(byte) || b".-".contains(&byte);
    if text.bytes().next().is_some_and(first) && text.bytes().all(rest) && text.len() <= 128 {
        Ok(())
    } else {
        Err(format!("`{}` is no id: expected letters, digits, `.`, `_` and `-`", shown(text)))
    }
}

/// A tag of the distribution protocol.
pub(super) fn tag(text: &str) -> Result<(), String> {
    let first = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    let rest = |byte: u8| first(byte) || b".-".contains(&byte);
    if text.bytes().next().is_some_and(first) && text.bytes().all(rest) && text.len() <= 128 {
        Ok(())
    } else {
        Err(format!(
            "`{}` is no tag: expected 1 to 128 letters, digits, `.`, `_` and `-`, no `.` or `-` first",
            shown(text)
        ))
    }
}

/// What reads a Dockerfile: `builtin`, or the reference of an image.
pub(super) fn frontend(text: &str) -> Result<(), String> {
    let expected = |error: String| format!("{error}, expected `builtin` or the reference of an image");
    reference(text).map(drop).map_err(expected)
}

/// An image reference, returned as it is written.
pub(super) fn reference(text: &str) -> Result<Reference, String> {
    text.parse::<Reference>().map_err(|error| error.to_string())
}

/// A repository: an image reference without tag and digest.
pub(super) fn repository(text: &str) -> Result<(), String> {
    let parsed = reference(text)?;
    if parsed.tag().is_some() || parsed.digest().is_some() {
        return Err(format!("`{}` has a tag or digest, expected a repository only", shown(text)));
    }
    Ok(())
}

/// Key of a label; blanks may be in it, as BuildKit has it.
pub(super) fn label_key(text: &str) -> Result<(), String> {
    if text.is_empty() || text.contains(['=', '\t', '\n']) {
        return Err(format!("`{}` is no key: expected a text without `=` and control characters", shown(text)));
    }
    key_text(text)
}

/// Key of an annotation.
pub(super) fn annotation_key(text: &str) -> Result<(), String> {
    if text.is_empty() || text.contains(['=', ' ', '\t', '\n']) {
        return Err(format!("`{}` is no key: expected a text without `=` and blanks", shown(text)));
    }
    key_text(text)
}

fn key_text(text: &str) -> Result<(), String> {
    if text.starts_with('-') {
        return Err(leading_dash(text));
    }
    free_text(text)
}

/// Any text that a person may have written: no control characters but tab and newline.
pub(super) fn free_text(text: &str) -> Result<(), String> {
    match text.chars().find(|c| c.is_control() && !matches!(c, '\n' | '\t')) {
        Some(control) => Err(format!("the control character U+{:04X} is refused", control as u32)),
        None => Ok(()),
    }
}

/// A text of one line that is not empty.
pub(super) fn line(text: &str) -> Result<(), String> {
    if text.trim().is_empty() {
        return Err("expected a text, found an empty one".to_owned());
    }
    match text.chars().find(|c| c.is_control()) {
        Some(control) => Err(format!("the control character U+{:04X} is refused", control as u32)),
        None => Ok(()),
    }
}

/// What every path obeys, relative or absolute.
pub(super) fn path(text: &str) -> Result<(), String> {
    if text.is_empty() {
        return Err("expected a path, found an empty text; `.` is this directory".to_owned());
    }
    if text.len() > LONGEST_PATH {
        return Err(format!("a path may have {LONGEST_PATH} bytes, found {}", text.len()));
    }
    if text.starts_with('-') {
        return Err(format!("{}; write `./{}`", leading_dash(text), shown(text)));
    }
    if text.contains("://") || text.contains("::") {
        return Err(format!("`{}` is an address, expected a path", shown(text)));
    }
    line(text)
}

/// A pattern of files below the context.
pub(super) fn pattern(text: &str) -> Result<(), String> {
    line(text)?;
    if text.starts_with('/') || text.split('/').any(|part| part == "..") {
        return Err(format!("`{}` may lead out of the context, expected a pattern relative to it", shown(text)));
    }
    if text.starts_with('!') {
        return Err(format!("`{}` would take files out, which `.dockerignore` does", shown(text)));
    }
    if text.len() > LONGEST_PATH {
        return Err(format!("a pattern may have {LONGEST_PATH} bytes, found {}", text.len()));
    }
    Patterns::new([text]).map(drop).map_err(|error| error.to_string())
}

/// An URL with host and without credentials.
pub(super) fn url(text: &str) -> Result<(), String> {
    if let Some(bad) = text.chars().find(|c| c.is_control() || c.is_whitespace() || *c == '\\') {
        return Err(format!("the character U+{:04X} is refused in an address", bad as u32));
    }
    let Some((scheme, rest)) = text.split_once("://") else {
        return Err(format!("`{}` is no address: expected `https://HOST/PATH`", shown(text)));
    };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or("");
    let host = match authority.rsplit_once('@') {
        None => authority,
        Some((user, host)) if scheme == "ssh" && !user.is_empty() && !user.contains(':') => host,
        Some(_) => return Err("credentials in an address are refused; log in with your tool instead".to_owned()),
    };
    let plain = |c: char| c.is_ascii_alphanumeric() || ".-:[]_".contains(c);
    if host.is_empty() || host.starts_with(['-', '.', ':']) || !host.chars().all(plain) || authority.starts_with('-') {
        return Err(format!("`{}` is no address: expected a host after `{scheme}://`", shown(text)));
    }
    Ok(())
}

/// The complaint about a value that a program would take for one of its options.
pub(super) fn leading_dash(text: &str) -> String {
    format!("`{}` starts with `-`, which a program would take for an option", shown(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    type Grammar = fn(&str) -> Result<(), String>;

    #[test]
    fn each_grammar_takes_its_words_and_no_others() {
        let table: [(&str, Grammar, &[&str], &[&str]); 9] = [
            (
                "stage",
                stage,
                &["runtime", "Runtime", "0", "a.b_c-d", &"x".repeat(255)],
                &["", "-x", "a b", "--push", &"x".repeat(256)],
            ),
            ("variable", variable, &["A", "_x1"], &["", "1A", "A-B", "A=B", "Ä"]),
            ("tag", tag, &["1.2.3", "_a", "A"], &["", ".a", "-a", "x;id", "a/b", &"x".repeat(129)]),
            ("repository", repository, &["ghcr.io/example/app"], &["a:1", "a/B", "", "-x"]),
            ("id", id, &["npmrc", "default"], &["", "a,src=/b", "--x", "a b"]),
            ("label", label_key, &["org.example.key"], &["", "a=b", "--x", "a\u{1b}"]),
            ("path", path, &[".", "../docs", "/x"], &["", "-f", "a\0b", "x://y", "ext::sh", "a\nb"]),
            ("pattern", pattern, &["dist/**", "*.txt", "[ab]"], &["", "/x", "../x", "a/../b", "!a", "[", "a/[]"]),
            (
                "url",
                url,
                &["https://a.example/x", "ssh://git@a.example/x", "http://127.0.0.1:80/x", "https://[::1]:5/x"],
                &["https://", "https://u:p@a/x", "https://u@a/x", "https://-o/x", "https://a b/", "x", "ssh://a:b@c/"],
            ),
        ];
        for (name, grammar, good, bad) in table {
            for text in good {
                assert_eq!(grammar(text), Ok(()), "{name}: {text}");
            }
            for text in bad {
                assert!(grammar(text).is_err(), "{name}: {text}");
            }
        }
    }
}
