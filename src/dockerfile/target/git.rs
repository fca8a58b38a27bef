//! Git repositories as sources: what BuildKit takes for one, and what it asks of it.

use super::paths;
use super::url::{Url, parse_query};
use crate::dockerfile::mount::parse_bool;
use crate::dockerfile::quote::quote;
use crate::dockerfile::text::lossy;

/// A git repository and the part of it that is wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct GitReference {
    /// The repository's address without options.
    pub remote: String,
    /// What the source policy calls it: `git://host/path#ref:subdir`, without scheme and user.
    pub identifier: String,
    /// Branch, tag or commit; empty for the remote's own choice.
    pub reference: String,
    /// A directory inside; empty for all of it.
    pub subdir: String,
    /// The commit that must come, whole or its start.
    pub checksum: Option<String>,
    /// Whether `.git` is kept, if said in the address.
    pub keep_git_dir: Option<bool>,
    /// Whether submodules are fetched, if said in the address.
    pub submodules: Option<bool>,
    /// File times: `checkout` or `commit`, if said in the address.
    pub mtime: Option<String>,
    /// The commit is fetched without a look at the reference.
    pub fetch_by_commit: bool,
}

/// What a source word is to git.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum GitWord {
    /// Not a git address.
    No,
    /// A git address with a mistake in its options.
    Wrong(String),
    /// `github.com/…`, taken for a path.
    LooksLocal,
    /// A git address.
    Reference(Box<GitReference>),
}

/// Where a repository is, before the options of its address are understood.
struct Address {
    scheme: String,
    host: Vec<u8>,
    path: Vec<u8>,
    remote: String,
    query: Vec<(String, String)>,
    fragment: Vec<u8>,
}

/// Looks at a source of `ADD` or a named context.
pub(super) fn read(word: &str) -> GitWord {
    if word.starts_with("./") || word.starts_with("../") {
        return GitWord::No;
    }
    let looks_local = word.starts_with("github.com/");
    let address = if looks_local { Url::parse(word).ok().map(of_url) } else { read_address(word) };
    let Some(address) = address else { return GitWord::No };
    let is_web = matches!(address.scheme.as_str(), "http" | "https");
    if !looks_local && is_web && !address.path.ends_with(b".git") {
        return GitWord::No;
    }
    let fragment = lossy(&address.fragment);
    let (reference, subdir) = fragment.split_once(':').unwrap_or((&fragment, ""));
    let rooted = paths::join(&["/", subdir]);
    let mut git = GitReference {
        remote: address.remote.clone(),
        reference: reference.to_owned(),
        subdir: rooted.trim_start_matches('/').to_owned(),
        ..GitReference::default()
    };
    if let Err(message) = git.read_options(&address.query) {
        return GitWord::Wrong(message);
    }
    if looks_local {
        return GitWord::LooksLocal;
    }
    let mut identifier = format!("git://{}{}", lossy(&address.host), paths::join(&["/", &lossy(&address.path)]));
    if !git.reference.is_empty() || !git.subdir.is_empty() {
        identifier.push('#');
        identifier.push_str(&git.reference);
    }
    if !git.subdir.is_empty() {
        identifier.push(':');
        identifier.push_str(&git.subdir);
    }
    git.identifier = identifier;
    GitWord::Reference(Box::new(git))
}

fn read_address(word: &str) -> Option<Address> {
    let length = word.bytes().take_while(u8::is_ascii_alphanumeric).count();
    if length > 0 && word[length..].starts_with("://") {
        let known = matches!(word[..length].to_ascii_lowercase().as_str(), "http" | "https" | "ssh" | "git");
        return known.then(|| Url::parse(word).ok().map(of_url))?;
    }
    of_scp_style(word)
}

fn of_url(url: Url) -> Address {
    let (query, _) = parse_query(&url.query);
    Address {
        remote: url.without_options(),
        query,
        scheme: url.scheme,
        host: url.host,
        path: url.path,
        fragment: url.fragment,
    }
}

/// `user@host:path?query#fragment`.
fn of_scp_style(word: &str) -> Option<Address> {
    let (user, rest) = word.split_once('@')?;
    let (host, rest) = rest.split_once(':')?;
    let is_user = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    let is_host = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.');
    let fits = !user.is_empty() && user.bytes().all(is_user) && !host.is_empty() && host.bytes().all(is_host);
    if !fits || rest.contains('\n') {
        return None;
    }
    let end = rest.find(['?', '#']).unwrap_or(rest.len());
    let (path, options) = rest.split_at(end);
    let (query, fragment) = match options.strip_prefix('?') {
        Some(options) => options.split_once('#').unwrap_or((options, "")),
        None => ("", options.strip_prefix('#').unwrap_or(options)),
    };
    let (pairs, problem) = parse_query(query);
    if problem.is_some() {
        return None;
    }
    Some(Address {
        scheme: "ssh".to_owned(),
        host: host.as_bytes().to_vec(),
        path: path.as_bytes().to_vec(),
        remote: format!("{user}@{host}:{path}"),
        query: pairs,
        fragment: fragment.as_bytes().to_vec(),
    })
}

impl GitReference {
    /// The options of an address' query; of several mistakes the first in the order of the keys is reported.
    fn read_options(&mut self, query: &[(String, String)]) -> Result<(), String> {
        let mut keys: Vec<&str> = query.iter().map(|(key, _)| key.as_str()).collect();
        keys.sort_unstable();
        keys.dedup();
        let (mut tag, mut branch) = (None, None);
        for key in keys {
            let values: Vec<&str> = query.iter().filter(|(k, _)| k == key).map(|(_, value)| value.as_str()).collect();
            let [value] = values.as_slice() else {
                return Err(format!("query {} has multiple values", quote(key.as_bytes())));
            };
            let switch = || match *value {
                "" => Ok(true),
                value => parse_bool(value).ok_or_else(|| format!("invalid {key} value: {}", quote(value.as_bytes()))),
            };
            match key {
                "keep-git-dir" => self.keep_git_dir = Some(switch()?),
                "submodules" => self.submodules = Some(switch()?),
                "fetch-by-commit" => self.fetch_by_commit = switch()?,
                _ if value.is_empty() => return Err(format!("query {} has no value", quote(key.as_bytes()))),
                "ref" => set(&mut self.reference, "ref", value)?,
                "tag" => tag = Some(with_prefix("refs/tags/", value)),
                "branch" => branch = Some(with_prefix("refs/heads/", value)),
                "subdir" => set(&mut self.subdir, "subdir", value)?,
                "checksum" | "commit" => self.checksum = Some((*value).to_owned()),
                "mtime" if matches!(*value, "checkout" | "commit") => self.mtime = Some((*value).to_owned()),
                "mtime" => {
                    let value = quote(value.as_bytes());
                    return Err(format!("invalid mtime value: {value} (must be \"checkout\" or \"commit\")"));
                }
                _ => return Err(format!("unexpected query {}", quote(key.as_bytes()))),
            }
        }
        if let Some(tag) = &tag {
            set(&mut self.reference, "ref", tag)?;
        }
        match branch {
            Some(_) if tag.is_some() => Err("branch conflicts with tag".to_owned()),
            Some(branch) => set(&mut self.reference, "ref", &branch),
            None => Ok(()),
        }
    }
}

fn set(slot: &mut String, name: &str, value: &str) -> Result<(), String> {
    if !slot.is_empty() && slot != value {
        return Err(format!("{name} conflicts: {} vs {}", quote(slot.as_bytes()), quote(value.as_bytes())));
    }
    value.clone_into(slot);
    Ok(())
}

fn with_prefix(prefix: &str, value: &str) -> String {
    if value.starts_with(prefix) { value.to_owned() } else { format!("{prefix}{value}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_told_from_paths_and_urls() {
        for (word, want) in [
            ("https://x.example/a.git", "git://x.example/a.git"),
            ("https://x.example/a.git#v1:s/../t/", "git://x.example/a.git#v1:t"),
            ("https://x.example/a.git?tag=v1&subdir=s", "git://x.example/a.git#refs/tags/v1:s"),
            ("git@x.example:a/b.git#v1", "git://x.example/a/b.git#v1"),
            ("ssh://git@x.example:2222/a.git", "git://x.example:2222/a.git"),
            ("git://x.example/a", "git://x.example/a"),
            ("foo@bar:baz", "git://bar/baz"),
            ("https://x.example/a.git/", "no"),
            ("https://x.example/a", "no"),
            ("github.com/a/b", "local"),
            ("ftp://x.example/a.git", "no"),
            ("./a@b:c", "no"),
            ("a", "no"),
            ("https://x.example/a.git?x=1", "unexpected query \"x\""),
            ("https://x.example/a.git?ref=a&ref=b", "query \"ref\" has multiple values"),
            ("https://x.example/a.git?ref=a#b", "ref conflicts: \"b\" vs \"a\""),
            ("https://x.example/a.git?tag=a&branch=b", "branch conflicts with tag"),
            ("github.com/a?x=1", "unexpected query \"x\""),
        ] {
            let got = match read(word) {
                GitWord::No => "no".to_owned(),
                GitWord::LooksLocal => "local".to_owned(),
                GitWord::Wrong(message) => message,
                GitWord::Reference(git) => git.identifier,
            };
            assert_eq!(got, want, "{word}");
        }
    }
}
