//! Git sources as Dockerfiles spell them, and what of them may be handed to `git`.

use std::fmt;

use crate::escape;
use crate::http::is_loopback_host;
use crate::status::{ExitStatus, Status};

/// A git source that may be asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GitSource {
    /// URL or `USER@HOST:PATH` for `git`, without fragment and query.
    pub remote: String,
    /// How it is reached.
    pub transport: Transport,
    /// Branch, tag, whole ref or commit.
    pub reference: Option<String>,
    /// Directory inside the repository.
    pub subdir: Option<String>,
    /// Commit, or beginning of one, that must come out (`?checksum=`).
    pub checksum: Option<String>,
}

/// How a repository is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// `https://`
    Https,
    /// `ssh://` or `USER@HOST:PATH`
    Ssh,
    /// `http://`, to this machine or with a mirror
    Http,
    /// `file://`, where the user names it: never in a Dockerfile
    File,
}

impl Transport {
    /// What `GIT_ALLOW_PROTOCOL` has to be: the user's own `insteadOf` may turn https into ssh, nothing into http.
    pub fn allowed(self) -> &'static str {
        match self {
            Self::Https | Self::Ssh => "https:ssh",
            Self::Http => "https:ssh:http",
            Self::File => "https:ssh:file",
        }
    }
}

/// A text that is no git source, or one that may not be asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidGitUrl {
    /// The text.
    pub request: String,
    /// What is wrong with it, safe to print.
    pub reason: String,
}

impl fmt::Display for InvalidGitUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason)
    }
}

impl std::error::Error for InvalidGitUrl {}

impl ExitStatus for InvalidGitUrl {
    fn status(&self) -> Status {
        Status::Usage
    }
}

impl GitSource {
    /// Reads `URL[?QUERY][#REF[:SUBDIR]]`.
    ///
    /// https and ssh only; plain http to this machine or where `http_allowed` says so. Users are for ssh, passwords
    /// for nobody. Commits are whole or not at all: an abbreviation may mean another commit tomorrow.
    pub fn parse(request: &str, http_allowed: impl Fn(&str) -> bool) -> Result<Self, InvalidGitUrl> {
        let wrong = |reason: &str| InvalidGitUrl { request: request.to_owned(), reason: reason.to_owned() };
        if request.starts_with('-') || request.chars().any(|c| c.is_control() || c.is_whitespace()) {
            return Err(wrong("a git URL starts with no `-` and holds no blanks or control characters"));
        }
        let (rest, fragment) = request.split_once('#').unwrap_or((request, ""));
        let (remote, query) = rest.split_once('?').unwrap_or((rest, ""));
        let transport = transport(remote, http_allowed).map_err(|reason| wrong(&reason))?;
        let remote = match remote.strip_prefix("github.com/") {
            Some(path) => format!("https://github.com/{path}"),
            None => remote.to_owned(),
        };
        let (reference, subdir) = fragment.split_once(':').unwrap_or((fragment, ""));
        let some = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        let mut source = Self { remote, transport, reference: some(reference), subdir: some(subdir), checksum: None };
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            source.take_parameter(pair).map_err(|reason| wrong(&reason))?;
        }
        for name in source.reference.iter().chain(&source.checksum) {
            check_ref(name).map_err(|reason| wrong(&reason))?;
        }
        Ok(source)
    }

    /// A repository among the files of this machine, by its absolute path.
    pub fn of_files(path: &str, revision: Option<&str>) -> Result<Self, InvalidGitUrl> {
        let wrong = |reason: &str| InvalidGitUrl { request: format!("file://{path}"), reason: reason.to_owned() };
        if !path.starts_with('/') || path.chars().any(char::is_control) {
            return Err(wrong("expected an absolute path after `file://`"));
        }
        if let Some(revision) = revision {
            check_ref(revision).map_err(|reason| wrong(&reason))?;
        }
        Ok(Self {
            remote: format!("file://{path}"),
            transport: Transport::File,
            reference: revision.map(str::to_owned),
            subdir: None,
            checksum: None,
        })
    }

    fn take_parameter(&mut self, pair: &str) -> Result<(), String> {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        let value = decode(value).ok_or_else(|| format!("the query parameter `{}` is malformed", escape::text(key)))?;
        let below = |directory: &str| {
            if value.starts_with(directory) { value.clone() } else { format!("{directory}{value}") }
        };
        let reference = match key {
            "ref" => value,
            "tag" => below("refs/tags/"),
            "branch" => below("refs/heads/"),
            "subdir" => {
                self.subdir = Some(value);
                return Ok(());
            }
            "checksum" | "commit" => {
                self.checksum = Some(value);
                return Ok(());
            }
            "submodules" | "keep-git-dir" | "mtime" | "fetch-by-commit" => return Ok(()),
            other => return Err(format!("unknown query parameter `{}`", escape::text(other))),
        };
        match &self.reference {
            Some(other) if *other != reference => {
                Err(format!("two refs: `{}` and `{}`", escape::text(other), escape::text(&reference)))
            }
            _ => {
                self.reference = Some(reference);
                Ok(())
            }
        }
    }

    /// The commit, if the reference is one already.
    pub fn commit(&self) -> Option<&str> {
        self.reference.as_deref().filter(|reference| is_commit(reference))
    }
}

/// Whether `text` is a whole commit id: 40 or 64 lower-case hex digits.
pub fn is_commit(text: &str) -> bool {
    matches!(text.len(), 40 | 64) && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

fn transport(remote: &str, http_allowed: impl Fn(&str) -> bool) -> Result<Transport, String> {
    if remote.starts_with("github.com/") {
        return Ok(Transport::Https);
    }
    let (transport, authority) = match remote.split_once("://") {
        Some((scheme, rest)) => {
            let authority = rest.split('/').next().unwrap_or(rest);
            match scheme {
                "https" => (Transport::Https, authority),
                "http" => (Transport::Http, authority),
                "ssh" => (Transport::Ssh, authority),
                other => return Err(format!("git over `{}` is refused: expected https or ssh", escape::text(other))),
            }
        }
        None => match remote.split_once(':') {
            Some((authority, path)) if authority.contains('@') && !path.is_empty() => (Transport::Ssh, authority),
            _ => return Err("expected `https://…`, `ssh://…` or `USER@HOST:PATH`".to_owned()),
        },
    };
    let host = match authority.rsplit_once('@') {
        Some((user, host)) if transport == Transport::Ssh => {
            let word = |b: u8| b.is_ascii_alphanumeric() || b"._-".contains(&b);
            if user.is_empty() || user.starts_with('-') || !user.bytes().all(word) {
                return Err("the user of an ssh URL is a plain word, without password".to_owned());
            }
            host
        }
        Some(_) => return Err("a git URL may not hold a user or password".to_owned()),
        None => authority,
    };
    let name = |b: u8| b.is_ascii_alphanumeric() || b"._-:[]".contains(&b);
    if host.is_empty() || host.starts_with('-') || !host.bytes().all(name) {
        return Err("expected a host name".to_owned());
    }
    // `TRANSPORT::ADDRESS` would make git run a helper program; only an IPv6 address may hold two colons.
    if remote.contains("::") && !host.contains('[') {
        return Err("two colons in a row are refused: git takes them for the name of a helper".to_owned());
    }
    let bare = host.rsplit_once(':').filter(|(_, port)| !port.contains(']')).map_or(host, |(bare, _)| bare);
    if transport == Transport::Http && !is_loopback_host(bare) && !http_allowed(remote) {
        return Err(format!("plain HTTP is refused for `{host}`, which is not this machine"));
    }
    Ok(transport)
}

/// What `git` itself refuses in names, and what it would take for options, patterns or arithmetic.
fn check_ref(name: &str) -> Result<(), String> {
    let shown = escape::text(name);
    let bad = name.starts_with(['-', '/', '.']) || name.ends_with(['/', '.']) || name.ends_with(".lock");
    if bad
        || name.len() > 255
        || name.contains("..")
        || name.contains("@{")
        || name.contains(['~', '^', ':', '?', '*', '[', '\\'])
    {
        return Err(format!("`{shown}` is not the name of a branch, tag or commit"));
    }
    Ok(())
}

/// Undoes percent-encoding; none if it is broken.
fn decode(text: &str) -> Option<String> {
    let mut out = Vec::new();
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b'%' => {
                let digit = |byte: u8| char::from(byte).to_digit(16);
                let value = digit(bytes.next()?)? * 16 + digit(bytes.next()?)?;
                out.push(u8::try_from(value).ok()?);
            }
            b'+' => out.push(b' '),
            other => out.push(other),
        }
    }
    String::from_utf8(out).ok().filter(|text| !text.chars().any(|c| c.is_control() || c.is_whitespace()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<GitSource, InvalidGitUrl> {
        GitSource::parse(text, |_| false)
    }

    #[test]
    fn every_spelling_gives_remote_ref_and_directory() {
        for (text, remote, transport, reference, subdir) in [
            ("https://h.example/a/b.git", "https://h.example/a/b.git", Transport::Https, "", ""),
            ("https://h.example/b.git#v1:sub/x", "https://h.example/b.git", Transport::Https, "v1", "sub/x"),
            ("https://h.example/b.git#:sub", "https://h.example/b.git", Transport::Https, "", "sub"),
            ("git@h.example:a/b.git#main", "git@h.example:a/b.git", Transport::Ssh, "main", ""),
            ("ssh://git@h.example:2222/a/b.git#x", "ssh://git@h.example:2222/a/b.git", Transport::Ssh, "x", ""),
            ("https://h.example/p.git?ref=main&subdir=x", "https://h.example/p.git", Transport::Https, "main", "x"),
            ("https://h.example/p.git?tag=v1", "https://h.example/p.git", Transport::Https, "refs/tags/v1", ""),
            ("https://h.example/p.git?branch=a%2Fb", "https://h.example/p.git", Transport::Https, "refs/heads/a/b", ""),
            ("http://127.0.0.1:8080/p.git#feature/x", "http://127.0.0.1:8080/p.git", Transport::Http, "feature/x", ""),
            ("github.com/a/b", "https://github.com/a/b", Transport::Https, "", ""),
        ] {
            let source = parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
            let got = (source.remote.as_str(), source.transport, source.reference.as_deref().unwrap_or(""));
            assert_eq!(got, (remote, transport, reference), "{text}");
            assert_eq!(source.subdir.as_deref().unwrap_or(""), subdir, "{text}");
        }
    }

    #[test]
    fn what_would_run_something_else_is_refused() {
        for text in [
            "",
            "-uhttps://h",
            "--upload-pack=x",
            "ext::sh -c id",
            "ext::id",
            "fd::17",
            "file:///etc",
            "/etc",
            "./x",
            "git://h.example/x.git",
            "https://u:p@h.example/x.git",
            "https://u@h.example/x.git",
            "ssh://-oX@h.example/x",
            "ssh://u:p@h.example/x",
            "-oProxyCommand=x@h:p",
            "ssh://-oProxyCommand=x/y",
            "https://h.example/x.git#-x",
            "https://h.example/x.git#a b",
            "https://h.example/x.git#a..b",
            "https://h.example/x.git#a^{}",
            "https://h.example/x.git#*",
            "https://h.example/x.git\n",
            "http://h.example/x.git",
            "git@a::",
            "https://h.example/a::b.git",
            "https:///x.git",
            "https://h.example/x.git?x=1",
            "https://h.example/x.git?ref=%zz",
            "https://h.example/x.git?tag=a&branch=b",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
        assert!(GitSource::parse("http://h.example/x.git", |_| true).is_ok());
    }

    proptest::proptest! {
        #[test]
        fn nothing_that_git_takes_for_an_option_gets_through(text in "(https://|ssh://|git@)?[-a-z.:/@#?=%^~*]{0,30}|\\PC{0,30}") {
            if let Ok(source) = parse(&text) {
                for word in [Some(&source.remote), source.reference.as_ref()].into_iter().flatten() {
                    proptest::prop_assert!(!word.starts_with('-') && !word.contains("::") || word.contains('['), "{}", word);
                }
            }
        }
    }

    #[test]
    fn only_whole_commits_are_commits() {
        let commit = "0123456789abcdef0123456789abcdef01234567";
        assert_eq!(parse(&format!("https://h.example/x.git#{commit}")).unwrap().commit(), Some(commit));
        assert_eq!(parse(&format!("https://h.example/x.git#{}", &commit[..12])).unwrap().commit(), None);
    }
}
