//! Named contexts: what `--build-context` puts in the place of a stage or an image.

use super::git::{self, GitReference, GitWord};
use super::image::normalise;
use super::platform::StagePlatform;
use super::{Image, Question};
use crate::dockerfile::error::DockerfileError;
use crate::dockerfile::syntax::Lines;
use crate::reference::Reference;

/// Files that a named context gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NamedContext {
    /// A directory of the client, by its local name.
    Local(String),
    /// An archive or file behind a URL.
    Http(String),
    /// A git repository.
    Git(Box<GitReference>),
    /// Nothing: `docker-image://scratch`.
    Scratch,
}

/// What stands in for a stage or image.
#[derive(Clone, Debug)]
pub(super) enum Replacement {
    Image(Image),
    Files(NamedContext),
}

/// Looks up the context for a stage's or image's name.
pub(super) fn find(
    question: &Question,
    name: &str,
    platform: &StagePlatform,
    lines: Lines,
) -> Result<Option<Replacement>, DockerfileError> {
    let reserved = name.eq_ignore_ascii_case("scratch") || name.eq_ignore_ascii_case("context");
    if reserved {
        return Ok(None);
    }
    let wrong = |problem: String| DockerfileError::convert(problem).at(lines);
    let normalised = normalise(name).map_err(|error| wrong(format!("invalid context name {name}: {error}")))?;
    let familiar = name.parse::<Reference>().map(|reference| reference.familiar()).unwrap_or(normalised);
    let key = familiar.strip_suffix(":latest").unwrap_or(&familiar);
    let with_platform = format!("{key}::{}", platform.normalised());
    let found = question.contexts.get(&with_platform).or_else(|| question.contexts.get(key));
    let Some(input) = found else { return Ok(None) };
    read(input, name, platform, lines).map(Some).map_err(wrong)
}

fn read(input: &str, name: &str, platform: &StagePlatform, lines: Lines) -> Result<Replacement, String> {
    let invalid = || format!("invalid context specifier {input} for {name}");
    let (scheme, rest) = input.split_once(':').ok_or_else(invalid)?;
    let rest = rest.strip_prefix("//").unwrap_or(rest);
    let image =
        |reference, layout| Replacement::Image(Image { layout, ..Image::new(reference, platform.clone(), lines) });
    match scheme {
        "docker-image" if rest == "scratch" => Ok(Replacement::Files(NamedContext::Scratch)),
        "docker-image" => Ok(image(normalise(rest)?, None)),
        "oci-layout" => {
            let wrong = |problem: &str| format!("oci-layout reference \"{rest}\" has no {problem}");
            let (store, digest) = rest.split_once('@').ok_or_else(|| wrong("digest"))?;
            let store = store.rsplit_once(':').map_or(store, |(store, _)| store);
            if store.is_empty() {
                return Err(wrong("name"));
            }
            let digest = digest.parse().map_err(|_| format!("could not parse oci-layout reference \"{rest}\""))?;
            let named: Reference =
                name.parse().map_err(|_| format!("could not parse oci-layout reference \"{name}\""))?;
            let named = named.with_digest(digest);
            Ok(image(named.to_string(), Some((store.to_owned(), digest.to_string()))))
        }
        "local" => Ok(Replacement::Files(NamedContext::Local(rest.to_owned()))),
        "http" | "https" | "git" => read_remote(input, scheme == "git"),
        scheme if scheme.starts_with("git@") => read_remote(input, true),
        scheme => Err(format!("unsupported context source {scheme} for {name}")),
    }
}

fn read_remote(input: &str, must_be_git: bool) -> Result<Replacement, String> {
    match git::read(input) {
        GitWord::Reference(git) => Ok(Replacement::Files(NamedContext::Git(git))),
        GitWord::Wrong(message) => Err(message),
        _ if must_be_git => Err(format!("invalid git context {input}")),
        _ => Ok(Replacement::Files(NamedContext::Http(input.to_owned()))),
    }
}
