//! A build that somebody asks for: by a command line, a bake file or a compose file.

use std::collections::{BTreeMap, BTreeSet};

use super::note::Note;
use crate::epoch::Epoch;
use crate::platform::Platform;
use crate::status::{ExitStatus, Status};

/// What is asked for, as it was typed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RequestedBuild {
    /// What asks, for people: never with a value.
    pub from: String,
    /// The context directory.
    pub context: String,
    /// Where the Dockerfile is.
    pub dockerfile: RequestedDockerfile,
    /// The stage.
    pub target: Option<String>,
    /// The epoch.
    pub epoch: Option<Epoch>,
    /// Build arguments, the epoch not among them.
    pub args: BTreeMap<String, String>,
    /// Labels.
    pub labels: BTreeMap<String, String>,
    /// Annotations of image manifests.
    pub annotations: BTreeMap<String, String>,
    /// Annotations of the index.
    pub index_annotations: BTreeMap<String, String>,
    /// Platforms; none for the builder's own.
    pub platforms: Vec<Platform>,
    /// Named contexts.
    pub contexts: BTreeMap<String, String>,
    /// Ids of secrets.
    pub secrets: BTreeSet<String>,
    /// Ids of ssh agents.
    pub ssh: BTreeSet<String>,
    /// What RUN may reach.
    pub network: RequestedNetwork,
    /// Names of the image, `REPOSITORY:TAG`.
    pub names: Vec<(String, String)>,
    /// `oci` or `docker`, where that is said.
    pub media_types: Option<&'static str>,
    /// Whether layers are left as they are.
    pub is_uncompressed: bool,
    /// The image of BuildKit.
    pub buildkit: Option<String>,
    /// What is not carried over.
    pub notes: BTreeSet<Note>,
}

/// Where a builder looks for the Dockerfile.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RequestedDockerfile {
    /// The path that is named.
    pub path: Option<String>,
    /// Whether that is looked for in the context too.
    pub may_be_in_context: bool,
    /// Whether that belongs to the context, not to where the user stands.
    pub is_of_context: bool,
    /// Whether `Containerfile` comes before `Dockerfile`.
    pub may_be_containerfile: bool,
}

/// What RUN may reach.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RequestedNetwork {
    /// What the builder gives: everything.
    #[default]
    Default,
    /// Nothing.
    None,
    /// The network of the host, or another one by name.
    Other,
}

impl RequestedBuild {
    /// Adds a note.
    pub(super) fn note(&mut self, what: impl AsRef<str>, why: impl AsRef<str>) {
        self.notes.insert(Note::new(what, why));
    }
}

/// What asks for a build can't be read, or asks for what `repro` refuses. Safe to print.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct RequestError {
    message: String,
    hint: Option<String>,
}

impl RequestError {
    /// An error; its text is made safe here.
    pub(super) fn new(message: impl AsRef<str>) -> Self {
        let message: String = message.as_ref().chars().take(600).collect();
        Self { message: crate::escape::text(&message).into_owned(), hint: None }
    }

    /// The same with what to do next.
    pub(super) fn with_hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }
}

impl ExitStatus for RequestError {
    fn status(&self) -> Status {
        Status::Usage
    }

    fn hint(&self) -> Option<String> {
        self.hint.clone()
    }
}
