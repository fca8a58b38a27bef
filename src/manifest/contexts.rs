//! Named contexts, spelled as buildx spells them.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::path::{Place, inside};
use super::problem::Problem;
use super::table::{Problems, Table, Text, Value, shown};
use super::{NamedContext, grammar};
use crate::digest::Digest;
use crate::platform::Platform;

/// Checks the table `contexts`.
pub(super) fn check_contexts(
    value: Option<Value<'_>>,
    place: Place<'_>,
    problems: &mut Problems,
) -> BTreeMap<String, NamedContext> {
    let mut found = BTreeMap::new();
    for (name, value) in value.and_then(|value| value.table(problems)).into_iter().flat_map(Table::into_entries) {
        problems.keep(context_name(name.text).map_err(|message| name.problem(message)));
        let Some(text) = value.text(problems) else { continue };
        if let Some(context) = problems.keep(named_context(&text, place)) {
            found.insert(name.text.to_owned(), context);
        }
    }
    found
}

/// A stage's name, or an image reference; after `::` the one platform that it is for.
fn context_name(text: &str) -> Result<(), String> {
    if text.starts_with('-') {
        return Err(grammar::leading_dash(text));
    }
    if text.eq_ignore_ascii_case("scratch") || text.eq_ignore_ascii_case("context") {
        return Err(format!("`{text}` is BuildKit's own name and can't be replaced"));
    }
    let (name, platform) = text.split_once("::").map_or((text, None), |(name, platform)| (name, Some(platform)));
    grammar::reference(name).map_err(|_| {
        format!("`{}` is no name of a context: expected a stage's name or an image reference", shown(text))
    })?;
    match platform.map(str::parse::<Platform>) {
        // BuildKit looks for the one spelling.
        Some(Ok(platform)) if text != format!("{name}::{platform}") => {
            Err(format!("`{}`: BuildKit spells this platform `{platform}`", shown(text)))
        }
        Some(Err(error)) => Err(format!("`{}`: {error}", shown(text))),
        _ => Ok(()),
    }
}

fn named_context(text: &Text<'_>, place: Place<'_>) -> Result<NamedContext, Problem> {
    let value = text.text;
    let checked = |result: Result<(), String>| result.map_err(|message| text.problem(message));
    if let Some(reference) = value.strip_prefix("docker-image://") {
        checked(grammar::reference(reference).map(|_| ()))?;
        return Ok(NamedContext::Image(reference.to_owned()));
    }
    if let Some(layout) = value.strip_prefix("oci-layout://") {
        return layout_context(text, layout, place);
    }
    if let Some(stage) = value.strip_prefix("target:") {
        let message = format!("`target:{}` belongs to bake files; name the stage in the Dockerfile", shown(stage));
        return Err(text.problem(message));
    }
    if value.starts_with("http://") || value.starts_with("https://") {
        checked(grammar::url(value))?;
        return Ok(if is_git_over_http(value) {
            NamedContext::Git(value.to_owned())
        } else {
            NamedContext::Http(value.to_owned())
        });
    }
    if value.starts_with("git://") || value.starts_with("ssh://") {
        checked(grammar::url(value))?;
        return Ok(NamedContext::Git(value.to_owned()));
    }
    if is_scp_like(value) {
        checked(grammar::line(value))?;
        return Ok(NamedContext::Git(value.to_owned()));
    }
    if value.contains("://") {
        let known = "`docker-image://`, `oci-layout://`, `https://`, `http://`, `ssh://` and `git://`";
        return Err(text.problem(format!("`{}` has an unknown scheme: known are {known}", text.shown())));
    }
    inside(text, value, place).map(NamedContext::Local)
}

/// An address whose path ends in `.git`, as BuildKit tells git from other HTTP.
fn is_git_over_http(url: &str) -> bool {
    url.split(['#', '?']).next().is_some_and(|address| address.ends_with(".git"))
}

/// `user@host:path`.
fn is_scp_like(value: &str) -> bool {
    let word = |text: &str| {
        text.bytes().next().is_some_and(|byte| byte.is_ascii_alphanumeric())
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
    };
    value
        .split_once('@')
        .and_then(|(user, rest)| Some((user, rest.split_once(':')?)))
        .is_some_and(|(user, (host, path))| word(user) && word(host) && !path.is_empty() && !path.starts_with('-'))
}

fn layout_context(text: &Text<'_>, layout: &str, place: Place<'_>) -> Result<NamedContext, Problem> {
    let after_directory = layout.rfind('/').map_or(0, |at| at + 1);
    let (path, selector) = if let Some((path, digest)) = layout.rsplit_once("@sha256:") {
        let digest = format!("sha256:{digest}");
        digest.parse::<Digest>().map_err(|error| text.problem(error))?;
        (path, Some(digest))
    } else if let Some(at) = layout[after_directory..].find(':') {
        let (path, tag) = (&layout[..after_directory + at], &layout[after_directory + at + 1..]);
        grammar::tag(tag).map_err(|message| text.problem(message))?;
        (path, Some(tag.to_owned()))
    } else {
        (layout, None)
    };
    let path = if path.starts_with('/') {
        grammar::path(path).map_err(|message| text.problem(message))?;
        PathBuf::from(path)
    } else {
        inside(text, path, place)?
    };
    Ok(NamedContext::Layout { path, selector })
}
