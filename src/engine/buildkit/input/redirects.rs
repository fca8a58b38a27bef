//! Mirrors: where bytes are fetched from instead of where a pin names them.

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::config::Config;

/// Where bytes come from instead of where they are named: prefixes of identifiers and what stands in their place.
///
/// For daemons that `repro` did not start, which know nothing of the user's mirrors. It never changes which bytes:
/// every pin keeps its digest.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Redirects {
    /// Registry host, or host and path, to that of its mirror (`docker.io` to `mirror.example/hub`).
    pub images: BTreeMap<String, String>,
    /// Whole URLs of files to those of copies; they go before prefixes.
    pub files: BTreeMap<String, String>,
    /// Prefix of a URL to the prefix that replaces it; for files.
    pub http: BTreeMap<String, String>,
    /// Prefix of a repository's URL to the prefix that replaces it; for git.
    pub git: BTreeMap<String, String>,
    /// Whole URLs of repositories to those that have single commits, each under a reference ([`commit_reference`]); they
    /// go before prefixes.
    pub commits: BTreeMap<String, String>,
}

/// The reference of a commit in a repository of single commits.
///
/// By its id BuildKit would fetch a commit with all that were before it; by a reference it fetches it alone.
pub fn commit_reference(commit: &str) -> String {
    format!("refs/commits/{commit}")
}

impl Redirects {
    /// The user's mirrors of files and repositories.
    ///
    /// Mirrors of registries are not among them: daemons know their own, and fall back to the upstream.
    pub fn of_mirrors(config: &Config) -> Self {
        Self { http: config.mirrors.clone(), git: config.mirrors.clone(), ..Self::default() }
    }

    /// A text in which what is served to the daemon has its own name again.
    pub fn undo<'t>(&self, text: Cow<'t, str>) -> Cow<'t, str> {
        let served = self.files.iter().chain(&self.images).chain(&self.commits);
        served.fold(text, |text, (name, place)| match text.contains(place) {
            true => Cow::Owned(text.replace(place, name)),
            false => text,
        })
    }

    pub(in crate::engine::buildkit) fn image(&self, reference: &str) -> Option<String> {
        longest(&self.images, reference, |rest| rest.starts_with('/'))
    }

    /// Where the file at `url` comes from instead, if from elsewhere.
    pub fn http(&self, url: &str) -> Option<String> {
        self.files.get(url).cloned().or_else(|| longest(&self.http, url, |_| true))
    }

    pub(in crate::engine::buildkit) fn git(&self, url: &str) -> Option<String> {
        self.commits.get(url).cloned().or_else(|| longest(&self.git, url, |_| true))
    }
}

fn longest(prefixes: &BTreeMap<String, String>, text: &str, fits: impl Fn(&str) -> bool) -> Option<String> {
    let matching = prefixes.iter().filter_map(|(from, to)| Some((from, to, text.strip_prefix(from.as_str())?)));
    let (_, to, rest) = matching.filter(|(.., rest)| fits(rest)).max_by_key(|(from, ..)| from.len())?;
    Some(format!("{to}{rest}"))
}
