//! Instructions with all values known, ready to be carried out.

use super::git::GitReference;
use crate::dockerfile::mount::Mount;
use crate::dockerfile::syntax::{CommandLine, Healthcheck, Heredoc, Lines, Network};
use crate::dockerfile::text::Text;

/// One evaluated instruction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// Where it is; for a trigger the `FROM` that fires it.
    pub lines: Lines,
    /// It is a trigger of the base.
    pub is_trigger: bool,
    /// What to do.
    pub action: Action,
}

/// What a step does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// `ADD` and `COPY`
    Transfer(Box<TransferStep>),
    /// `ARG`: names with their values, if they have any.
    Arg(Vec<(Text, Option<String>)>),
    /// `CMD`
    Cmd(CommandLine),
    /// `ENTRYPOINT`
    Entrypoint(CommandLine),
    /// `ENV`
    Env(Vec<(String, String)>),
    /// `EXPOSE`: the ports as `80/tcp`, in the order of the history, with repetitions.
    Expose(Vec<String>),
    /// `HEALTHCHECK`
    Healthcheck(Healthcheck),
    /// `LABEL`
    Label(Vec<(String, String)>),
    /// `MAINTAINER`
    Maintainer(Text),
    /// `ONBUILD`
    Onbuild(Text),
    /// `RUN`
    Run(Box<RunStep>),
    /// `SHELL`
    Shell(Vec<Text>),
    /// `STOPSIGNAL`
    Stopsignal(String),
    /// `USER`
    User(String),
    /// `VOLUME`
    Volume(Vec<String>),
    /// `WORKDIR`: the new working directory, absolute, as config and history show it.
    Workdir(String),
}

/// Where files come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Location {
    /// The build context.
    Context,
    /// A stage, image or named context, by its number in `Target::stages`.
    Stage(usize),
}

/// An evaluated `ADD` or `COPY`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TransferStep {
    /// It is an `ADD`.
    pub is_add: bool,
    /// Where paths among the sources are looked up.
    pub from: Location,
    /// The sources in order, expanded.
    pub sources: Vec<TransferSource>,
    /// Inline files in order.
    pub files: Vec<Body>,
    /// The destination as it is written, expanded; the history shows it.
    pub written_destination: String,
    /// The destination, absolute; a last `/` or `/.` is kept.
    pub destination: String,
    /// `--chown`, empty when not given.
    pub chown: String,
    /// `--chmod`, empty when not given; checked.
    pub chmod: String,
    /// `--link`
    pub link: bool,
    /// `--parents`
    pub parents: bool,
    /// `--exclude`
    pub exclude: Vec<String>,
    /// `--unpack`, if given.
    pub unpack: Option<bool>,
}

/// One source of an `ADD` or `COPY`; `written` is what the history shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TransferSource {
    /// A path, as it is written.
    Path {
        /// The word, expanded.
        written: String,
    },
    /// A file behind a URL.
    Http {
        /// The URL, byte for byte.
        written: String,
        /// `--checksum`, checked.
        checksum: Option<String>,
        /// The name the file gets in a directory.
        file_name: String,
    },
    /// A git repository.
    Git {
        /// The word, expanded.
        written: String,
        /// The repository and the commit that must come.
        git: Box<GitReference>,
        /// `.git` is kept.
        keep_git_dir: bool,
    },
}

impl TransferSource {
    /// The word, expanded, as the history shows it.
    pub fn written(&self) -> &str {
        match self {
            Self::Path { written } | Self::Http { written, .. } | Self::Git { written, .. } => written,
        }
    }
}

/// An inline file, variables expanded if they are to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Body {
    /// Its name.
    pub name: Text,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// An evaluated `RUN`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunStep {
    /// The command, never expanded.
    pub command: CommandLine,
    /// The heredocs.
    pub heredocs: Vec<Heredoc>,
    /// The mounts in order.
    pub mounts: Vec<MountStep>,
    /// The network.
    pub network: Network,
    /// `--security=insecure`
    pub insecure: bool,
}

/// An evaluated `--mount`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MountStep {
    /// The fields, expanded.
    pub mount: Mount,
    /// Where its files come from; none for secrets, agents and empty directories.
    pub from: Option<Location>,
}
