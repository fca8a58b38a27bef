//! One build as documents tell it, whatever their form.

use std::collections::{BTreeMap, BTreeSet};

use super::note::Note;
use super::output::WrittenOutput;
use crate::lockfile::Claim;
use crate::platform::Platform;

/// What a document knows of the request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Told {
    /// Whether it tells target and contexts.
    pub request: bool,
    /// Whether it tells build arguments and labels, and so the epoch.
    pub arguments: bool,
    /// Whether it tells the ids of secrets and of ssh agents.
    pub secrets: bool,
    /// Whether it names the sources.
    pub sources: bool,
}

/// The id of a secret or of an ssh agent.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Id {
    /// The id.
    pub id: String,
    /// Whether the build would have gone on without it.
    pub optional: bool,
}

/// One build, for one platform or several.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RecordedBuild {
    /// What is told at all.
    pub told: Told,
    /// The frontend's attributes (`build-arg:A`, `target`), as BuildKit spells them.
    pub attributes: BTreeMap<String, String>,
    /// Secrets that steps may have seen.
    pub secrets: BTreeSet<Id>,
    /// Agents that steps may have used.
    pub ssh: BTreeSet<Id>,
    /// Names of local directories.
    pub locals: BTreeSet<String>,
    /// Where the main context came from, if from elsewhere.
    pub context: Option<String>,
    /// The commit or digest of that context, as it is told.
    pub context_digest: Option<String>,
    /// The Dockerfile's name.
    pub dockerfile: Option<String>,
    /// The Dockerfile's bytes.
    pub dockerfile_text: Option<Vec<u8>>,
    /// The platforms of the images that came out.
    pub platforms: BTreeSet<Platform>,
    /// Platforms that sources were taken for, which may be those of the result.
    pub source_platforms: BTreeSet<Platform>,
    /// What is said of each source.
    pub claims: BTreeSet<Claim>,
    /// The version of the Dockerfile frontend.
    pub frontend_version: Option<String>,
    /// The commit that the local context was at, as buildx tells it.
    pub revision: Option<String>,
    /// How the image was written.
    pub output: WrittenOutput,
    /// What was seen on the way.
    pub notes: BTreeSet<Note>,
}

impl RecordedBuild {
    /// Adds a note.
    pub(super) fn note(&mut self, what: impl AsRef<str>, why: impl AsRef<str>) {
        self.notes.insert(Note::new(what, why));
    }
}

/// One build of several statements, one a platform. What they disagree about is left out, and said.
pub fn unite(builds: Vec<RecordedBuild>) -> RecordedBuild {
    let mut builds = builds.into_iter();
    let mut united = builds.next().unwrap_or_default();
    for build in builds {
        united.told.request &= build.told.request;
        united.told.arguments &= build.told.arguments;
        united.told.secrets &= build.told.secrets;
        united.told.sources |= build.told.sources;
        let keys: BTreeSet<String> = united.attributes.keys().chain(build.attributes.keys()).cloned().collect();
        for key in keys {
            if united.attributes.get(&key) != build.attributes.get(&key) && !is_of_one_platform(&key) {
                united.attributes.remove(&key);
                united.note(shown_key(&key), "differs between the platforms: not carried over");
            }
        }
        for (what, same) in [
            ("dockerfile", united.dockerfile == build.dockerfile && united.dockerfile_text == build.dockerfile_text),
            ("context", united.context == build.context),
        ] {
            if !same {
                united.note(what, "differs between the platforms: that of the first is taken");
            }
        }
        united.secrets.extend(build.secrets);
        united.ssh.extend(build.ssh);
        united.locals.extend(build.locals);
        united.platforms.extend(build.platforms);
        united.source_platforms.extend(build.source_platforms);
        united.claims.extend(build.claims);
        united.notes.extend(build.notes);
        united.output.join(build.output);
        united.frontend_version =
            united.frontend_version.filter(|version| Some(version) == build.frontend_version.as_ref());
        united.revision = united.revision.or(build.revision);
    }
    drop_contradictions(&mut united);
    united
}

/// Attributes that name the platform, or the session.
fn is_of_one_platform(key: &str) -> bool {
    key == "platform" || key.starts_with("local-session")
}

/// An attribute as a note names it: never with its value.
pub(super) fn shown_key(key: &str) -> String {
    for (prefix, table) in [("build-arg:", "args"), ("label:", "labels"), ("context:", "contexts")] {
        if let Some(name) = key.strip_prefix(prefix) {
            return format!("{table}.{name}");
        }
    }
    key.to_owned()
}

/// A source that is said to have been two things is no pin.
fn drop_contradictions(build: &mut RecordedBuild) {
    let mut counts: BTreeMap<(crate::lockfile::SourceKind, String), usize> = BTreeMap::new();
    for claim in &build.claims {
        *counts.entry((claim.kind, claim.request.clone())).or_default() += 1;
    }
    counts.retain(|_, count| *count > 1);
    build.claims.retain(|claim| !counts.contains_key(&(claim.kind, claim.request.clone())));
    for (_, request) in counts.keys() {
        build.note(request, "two different digests are told for this source: `repro lock` asks for it anew");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn build(arguments: &[(&str, &str)], platform: &str) -> RecordedBuild {
        RecordedBuild {
            told: Told { request: true, arguments: true, secrets: true, sources: true },
            attributes: arguments.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect(),
            platforms: BTreeSet::from([platform.parse().unwrap()]),
            ..RecordedBuild::default()
        }
    }

    #[test]
    fn what_platforms_disagree_about_is_left_out_by_name() {
        let one = build(&[("build-arg:A", "1"), ("build-arg:B", "x")], "linux/amd64");
        let other = build(&[("build-arg:A", "2"), ("build-arg:B", "x")], "linux/arm64");
        let united = unite(vec![one, other]);
        assert_eq!(united.attributes.keys().collect::<Vec<_>>(), ["build-arg:B"]);
        assert_eq!(united.platforms.len(), 2);
        assert!(united.notes.iter().any(|note| note.what == "args.A" && !note.why.contains('2')));
    }
}
