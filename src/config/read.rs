//! Reading and checking `config.toml`.

use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};

use semver::Version;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::{Config, Mirror, Registry};
use crate::escape;
use crate::status::{ExitStatus, Status};

/// A configuration that can't be used, and where it goes wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidConfig {
    /// The file.
    pub path: PathBuf,
    /// Line, from 1.
    pub line: usize,
    /// Character in the line, from 1.
    pub column: usize,
    /// Bytes of the text that the message is about.
    pub span: Range<usize>,
    /// What is wrong, safe to print.
    pub message: String,
}

impl fmt::Display for InvalidConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = escape::name(self.path.as_os_str().as_encoded_bytes());
        write!(f, "{path}:{}:{}: {}", self.line, self.column, self.message)
    }
}

impl std::error::Error for InvalidConfig {}

impl ExitStatus for InvalidConfig {
    fn status(&self) -> Status {
        Status::Usage
    }
}

/// What is wrong, and the bytes that are.
type Wrong = (Range<usize>, String);

impl Config {
    /// Reads the text of the configuration file at `path`; certificates named in it are relative to its directory.
    pub fn parse(text: &str, path: &Path) -> Result<Self, InvalidConfig> {
        let directory = path.parent().unwrap_or(Path::new(""));
        parse(text, directory).map_err(|(span, message)| {
            let before = text.get(..span.start).unwrap_or(text);
            let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
            InvalidConfig {
                path: path.to_owned(),
                line: before.matches('\n').count() + 1,
                column: before[line_start..].chars().count() + 1,
                span,
                message,
            }
        })
    }
}

fn parse(text: &str, directory: &Path) -> Result<Config, Wrong> {
    let document = DeTable::parse(text)
        .map_err(|error| (error.span().unwrap_or_default(), escape::text(error.message()).into_owned()))?;
    let mut config = Config::default();
    for (key, value) in document.get_ref() {
        match key.get_ref().as_ref() {
            "registry" => {
                for (host, settings) in table(value, "a table of hosts")? {
                    if !is_authority(host.get_ref()) {
                        return Err(wrong_value(host, "`HOST[:PORT]`", host.get_ref()));
                    }
                    config.registries.insert(host.get_ref().to_ascii_lowercase(), registry(settings, directory)?);
                }
            }
            "mirror" => {
                for (prefix, target) in table(value, "a table of URL prefixes")? {
                    if !is_prefix(prefix.get_ref(), &["https://", "http://", "ssh://"]) {
                        return Err(wrong_value(prefix, "a URL prefix that ends in `/`", prefix.get_ref()));
                    }
                    let text = string(target)?;
                    if !is_prefix(text, &["https://", "http://"]) {
                        return Err(wrong_value(target, "an http or https URL that ends in `/`", text));
                    }
                    config.mirrors.insert(prefix.get_ref().to_string(), text.to_owned());
                }
            }
            "buildkit" => config.allow_shared_before = buildkit(value)?,
            other => return Err(unknown_key(key, other, &["registry", "mirror", "buildkit"])),
        }
    }
    Ok(config)
}

/// The version in `allow-shared-before`.
fn buildkit(value: &Spanned<DeValue<'_>>) -> Result<Option<Version>, Wrong> {
    let mut version = None;
    for (key, value) in table(value, "a table")? {
        match key.get_ref().as_ref() {
            "allow-shared-before" => {
                let text = string(value)?;
                let parsed = Version::parse(text.strip_prefix('v').unwrap_or(text));
                version = Some(parsed.map_err(|_| wrong_value(value, "a version, as `0.33.1`", text))?);
            }
            other => return Err(unknown_key(key, other, &["allow-shared-before"])),
        }
    }
    Ok(version)
}

fn registry(value: &Spanned<DeValue<'_>>, directory: &Path) -> Result<Registry, Wrong> {
    let mut registry = Registry::default();
    for (key, value) in table(value, "a table")? {
        match key.get_ref().as_ref() {
            "mirrors" => {
                for place in strings(value)? {
                    registry.mirrors.push(mirror(place)?);
                }
            }
            "push" => registry.push = Some(mirror(value)?),
            "http" => match value.get_ref() {
                DeValue::Boolean(http) => registry.http = Some(*http),
                other => return Err((value.span(), format!("expected true or false, found {}", other.type_str()))),
            },
            "ca" => {
                for file in strings(value)? {
                    registry.ca.push(directory.join(string(file)?));
                }
            }
            "insecure" => {
                let message = "`insecure` is not supported: name the certificate with `ca`, or use `http = true`";
                return Err((key.span(), message.to_owned()));
            }
            other => return Err(unknown_key(key, other, &["mirrors", "push", "http", "ca"])),
        }
    }
    Ok(registry)
}

fn mirror(value: &Spanned<DeValue<'_>>) -> Result<Mirror, Wrong> {
    let text = string(value)?;
    let (host, path) = text.split_once('/').unwrap_or((text, ""));
    let path = path.trim_matches('/');
    if !is_authority(host) || !path.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-/".contains(&b)) {
        return Err(wrong_value(value, "`HOST[:PORT][/PATH]`", text));
    }
    Ok(Mirror { host: host.to_ascii_lowercase(), path: path.to_owned() })
}

fn table<'a, 'i>(value: &'a Spanned<DeValue<'i>>, expected: &str) -> Result<&'a DeTable<'i>, Wrong> {
    match value.get_ref() {
        DeValue::Table(table) => Ok(table),
        other => Err((value.span(), format!("expected {expected}, found {}", other.type_str()))),
    }
}

fn strings<'a, 'i>(value: &'a Spanned<DeValue<'i>>) -> Result<&'a [Spanned<DeValue<'i>>], Wrong> {
    match value.get_ref() {
        DeValue::Array(array) => Ok(array),
        other => Err((value.span(), format!("expected an array of strings, found {}", other.type_str()))),
    }
}

fn string<'a>(value: &'a Spanned<DeValue<'_>>) -> Result<&'a str, Wrong> {
    match value.get_ref() {
        DeValue::String(text) => Ok(text),
        other => Err((value.span(), format!("expected a string, found {}", other.type_str()))),
    }
}

fn wrong_value<T>(at: &Spanned<T>, expected: &str, found: &str) -> Wrong {
    (at.span(), format!("expected {expected}, found `{}`", escape::text(found)))
}

fn unknown_key<T>(at: &Spanned<T>, found: &str, known: &[&str]) -> Wrong {
    let near = known.iter().map(|key| (distance(key, found), key)).min().filter(|(distance, _)| *distance <= 2);
    let hint = match near {
        Some((_, key)) => format!("did you mean `{key}`?"),
        None => format!("expected one of `{}`", known.join("`, `")),
    };
    (at.span(), format!("unknown key `{}`: {hint}", escape::text(found)))
}

/// How many characters must be added, removed or changed to turn `a` into `b`.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().take(64).collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let changed = diagonal + usize::from(x != *y);
            diagonal = row[j + 1];
            row[j + 1] = changed.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

/// `HOST[:PORT]`, the host a name, an IPv4 address, or an IPv6 address in brackets.
fn is_authority(text: &str) -> bool {
    let (host, port) = match text.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
        _ => (text, None),
    };
    let name = |host: &str| host.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b));
    let host_is_good = match host.strip_prefix('[') {
        Some(rest) => rest.strip_suffix(']').is_some_and(|address| address.parse::<std::net::Ipv6Addr>().is_ok()),
        None => !host.is_empty() && !host.starts_with('-') && name(host),
    };
    host_is_good && port.is_none_or(|port| port.parse::<u16>().is_ok() && !port.starts_with('+'))
}

fn is_prefix(text: &str, schemes: &[&str]) -> bool {
    let rest = schemes.iter().find_map(|scheme| text.strip_prefix(scheme));
    let authority = rest.and_then(|rest| rest.split_once('/')).map(|(authority, _)| authority);
    let user_or_none = authority.map(|a| a.strip_prefix("git@").filter(|_| text.starts_with("ssh:")).unwrap_or(a));
    text.ends_with('/')
        && user_or_none.is_some_and(is_authority)
        && text.chars().all(|c| c.is_ascii_graphic() && !matches!(c, '#' | '?' | '"' | '\\'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Config, String> {
        Config::parse(text, Path::new("/etc/repro/config.toml")).map_err(|error| error.to_string())
    }

    #[test]
    fn every_key_is_read() {
        let config = read(
            "[registry.\"docker.io\"]\nmirrors = [\"mirror.example\", \"c.example:5000/hub/x/\", \"[::1]:5000\"]\npush = \"c.example:5000\"\n\
             [registry.\"c.example:5000\"]\nhttp = true\nca = [\"own.pem\", \"/abs.pem\"]\n\
             [mirror]\n\"https://files.example/\" = \"http://127.0.0.1:80/\"\n\
             [buildkit]\nallow-shared-before = \"0.33.1\"\n",
        )
        .unwrap();
        let mirror = |host: &str, path: &str| Mirror { host: host.to_owned(), path: path.to_owned() };
        let hub = config.host("docker.io").unwrap();
        assert_eq!(
            hub.mirrors,
            [mirror("mirror.example", ""), mirror("c.example:5000", "hub/x"), mirror("[::1]:5000", "")]
        );
        assert_eq!(hub.push, Some(mirror("c.example:5000", "")));
        let own = config.host("c.example:5000").unwrap();
        assert_eq!((own.http, own.ca.clone()), (Some(true), vec!["/etc/repro/own.pem".into(), "/abs.pem".into()]));
        assert_eq!(config.mirrors["https://files.example/"], "http://127.0.0.1:80/");
        assert_eq!(config.allow_shared_before, Some(Version::new(0, 33, 1)));
        assert_eq!(read("").unwrap(), Config::default());
    }

    #[test]
    fn mistakes_are_pointed_at() {
        for (text, want) in [
            ("[registri]", "1:2: unknown key `registri`: did you mean `registry`?"),
            ("[registry.x]\nmirors = []", "2:1: unknown key `mirors`: did you mean `mirrors`?"),
            ("[registry.x]\nfoo = 1", "2:1: unknown key `foo`: expected one of `mirrors`, `push`, `http`, `ca`"),
            ("[registry.x]\nhttp = 1", "2:8: expected true or false, found integer"),
            ("[registry.x]\nca = \"a\"", "2:6: expected an array of strings, found string"),
            (
                "[registry.x]\ninsecure = true",
                "2:1: `insecure` is not supported: name the certificate with `ca`, or use `http = true`",
            ),
            ("[registry]\n\"https://x\" = {}", "2:1: expected `HOST[:PORT]`, found `https://x`"),
            ("[registry.x]\nmirrors = [\"a\", \"user@b\"]", "2:17: expected `HOST[:PORT][/PATH]`, found `user@b`"),
            ("[mirror]\n\"https://a.example\" = \"http://b/\"", "2:1: expected a URL prefix"),
            ("[mirror]\n\"https://a.example/\" = \"file:///b/\"", "2:24: expected an http"),
            ("[mirror]\n\"https://a.example/\" = \"http://u:p@b/\"", "2:24: expected"),
            ("[buildkit]\nallow-shared = \"0.33.1\"", "2:1: unknown key `allow-shared`"),
            ("[buildkit]\nallow-shared-before = \"always\"", "2:23: expected a version, as `0.33.1`, found `always`"),
            ("a = 1\na = 2", "2:1: "),
        ] {
            let error = read(text).unwrap_err();
            assert!(error.starts_with(&format!("/etc/repro/config.toml:{want}")), "{text}: {error}");
        }
    }
}
