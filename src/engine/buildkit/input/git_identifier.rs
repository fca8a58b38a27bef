//! How BuildKit names a git source in policies: host, path, ref and directory, without scheme and user.

use std::fmt;

/// The identifier of a git source: `git://HOST/PATH[#REF[:DIRECTORY]]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GitIdentifier {
    /// The repository's URL without query and fragment, as git is given it.
    pub url: String,
    /// Host and path, which tell repositories apart whatever way they are fetched.
    pub location: String,
    reference: String,
    /// Directory inside the repository, empty for all of it.
    pub subdirectory: String,
}

impl GitIdentifier {
    /// The identifier of `request`: `URL[#REF[:DIRECTORY]]`, or with `?ref=`, `?tag=`, `?branch=`, `?commit=`, `?subdir=`.
    pub fn of(request: &str) -> Self {
        let (rest, fragment) = request.split_once('#').unwrap_or((request, ""));
        let (url, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (mut reference, mut subdirectory) = match fragment.split_once(':') {
            Some((reference, subdirectory)) => (reference.to_owned(), subdirectory.to_owned()),
            None => (fragment.to_owned(), String::new()),
        };
        for (key, value) in query.split('&').filter_map(|pair| pair.split_once('=')) {
            match key {
                "ref" | "commit" if reference.is_empty() => value.clone_into(&mut reference),
                "tag" => reference = format!("refs/tags/{value}"),
                "branch" => reference = format!("refs/heads/{value}"),
                "subdir" => value.clone_into(&mut subdirectory),
                _ => {}
            }
        }
        let subdirectory = clean(&subdirectory);
        Self { url: url.to_owned(), location: location(url), reference, subdirectory }
    }

    /// The same source at this commit.
    pub fn at(&self, commit: &str) -> Self {
        Self { reference: commit.to_owned(), ..self.clone() }
    }

    /// The same source with this directory of it.
    pub fn below(&self, subdirectory: &str) -> Self {
        Self { subdirectory: subdirectory.to_owned(), ..self.clone() }
    }
}

impl fmt::Display for GitIdentifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "git://{}", self.location)?;
        if !self.reference.is_empty() || !self.subdirectory.is_empty() {
            write!(f, "#{}", self.reference)?;
        }
        if self.subdirectory.is_empty() { Ok(()) } else { write!(f, ":{}", self.subdirectory) }
    }
}

fn location(url: &str) -> String {
    let (host, path) = match url.split_once("://") {
        Some((_, rest)) => rest.split_once('/').unwrap_or((rest, "")),
        None => match url.split_once(':') {
            Some((host, path)) if !host.contains('/') => (host, path),
            _ => url.split_once('/').unwrap_or((url, "")),
        },
    };
    let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
    format!("{host}/{}", clean(path)).trim_end_matches('/').to_owned()
}

/// `path` without empty and `.` components, `..` resolved inside the root, without outer slashes.
fn clean(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    parts.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_are_those_that_buildkit_gives_to_its_policy() {
        for (request, want) in [
            ("https://x.org/a.git", "git://x.org/a.git"),
            ("https://x.org/a.git#v1", "git://x.org/a.git#v1"),
            ("https://x.org/a.git#v1:sub/dir", "git://x.org/a.git#v1:sub/dir"),
            ("https://x.org/a.git#:sub/../dir/", "git://x.org/a.git#:dir"),
            ("https://x.org/a.git?ref=v1", "git://x.org/a.git#v1"),
            ("https://x.org/a.git?tag=v1", "git://x.org/a.git#refs/tags/v1"),
            ("https://x.org/a.git?ref=v1&checksum=11&subdir=s&keep-git-dir=1", "git://x.org/a.git#v1:s"),
            ("git@github.com:a/b.git#v1", "git://github.com/a/b.git#v1"),
            ("ssh://git@example.com:2222/a/b.git#x", "git://example.com:2222/a/b.git#x"),
            ("git://x.org/a", "git://x.org/a"),
            ("https://user@x.org/a.git/", "git://x.org/a.git"),
            ("github.com/a/b.git", "git://github.com/a/b.git"),
        ] {
            assert_eq!(GitIdentifier::of(request).to_string(), want, "{request}");
        }
        let pinned = GitIdentifier::of("https://x.org/a.git#v1:s").at("0123");
        assert_eq!(pinned.to_string(), "git://x.org/a.git#0123:s");
    }
}
