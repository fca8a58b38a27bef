//! The syntax tree of a Dockerfile: stages and typed instructions, before any variable is expanded.

use super::text::Text;

/// The lines of a piece of the file, 1-based, both ends included.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Lines {
    /// First line.
    pub start: u32,
    /// Last line; a heredoc's terminator line belongs to the instruction.
    pub end: u32,
}

impl Lines {
    pub(super) fn map(self, of: &dyn Fn(u32) -> u32) -> Self {
        Self { start: of(self.start), end: of(self.end) }
    }
}

/// The character that escapes others and continues lines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Escape {
    /// `\`, the default.
    #[default]
    Backslash,
    /// A backtick, set by `# escape=`.
    Backtick,
}

impl Escape {
    /// The character itself.
    pub fn char(self) -> char {
        match self {
            Self::Backslash => '\\',
            Self::Backtick => '`',
        }
    }
}

/// A Dockerfile that BuildKit's parser accepts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dockerfile {
    /// The file's bytes.
    pub bytes: Vec<u8>,
    /// The escape character.
    pub escape: Escape,
    /// The frontend image that `# syntax=` asks for, as written.
    pub syntax: Option<String>,
    /// The value of `# check=`, if any.
    pub check: Option<Text>,
    /// The `ARG` instructions before the first `FROM`.
    pub global_args: Vec<Instruction>,
    /// The stages in file order. Empty when there is no `FROM`.
    pub stages: Vec<Stage>,
    /// The lines on which an instruction ends that has an empty line inside it.
    pub empty_continuations: Vec<u32>,
    /// The file holds a NUL, which BuildKit takes for a character like any other and this program refuses.
    pub has_nul: bool,
}

impl Dockerfile {
    /// The same with every line `n` called `of(n)`: the text was made of another file's lines.
    pub fn with_lines(mut self, of: &dyn Fn(u32) -> u32) -> Self {
        let instructions = self.stages.iter_mut().flat_map(|stage| &mut stage.instructions);
        for instruction in instructions.chain(&mut self.global_args) {
            instruction.lines = instruction.lines.map(of);
        }
        self.stages.iter_mut().for_each(|stage| stage.lines = stage.lines.map(of));
        self.empty_continuations.iter_mut().for_each(|line| *line = of(*line));
        self
    }
}

/// `FROM` and what follows it up to the next `FROM`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stage {
    /// Lines of the `FROM` instruction.
    pub lines: Lines,
    /// `FROM` as it is written (`from`).
    pub keyword: Text,
    /// `AS` as it is written, if the stage has a name.
    pub as_keyword: Option<Text>,
    /// What it is built from: image, stage or `scratch`, unexpanded.
    pub base: Text,
    /// The name after `AS`, lower-case.
    pub name: Option<String>,
    /// The name after `AS` as it is written.
    pub written_name: Option<Text>,
    /// `--platform`, unexpanded; empty when not given.
    pub platform: String,
    /// The comment lines right above, without `#` and outer blanks.
    pub comments: Vec<Text>,
    /// The instructions of the stage in file order.
    pub instructions: Vec<Instruction>,
}

/// One instruction of a stage, or a global `ARG`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Instruction {
    /// Where it is. Instructions of an `ONBUILD` trigger carry the lines of the `FROM` that fires it.
    pub lines: Lines,
    /// The instruction word as it is written (`Copy`).
    pub keyword: Text,
    /// The instruction as one line, continuations joined, without heredoc bodies and outer blanks.
    pub original: Text,
    /// The comment lines right above, without `#` and outer blanks.
    pub comments: Vec<Text>,
    /// What it says.
    pub command: Command,
}

/// What an instruction says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// `ADD`
    Add(Add),
    /// `ARG`: the arguments in order.
    Arg(Vec<Argument>),
    /// `CMD`
    Cmd(CommandLine),
    /// `COPY`
    Copy(Copy),
    /// `ENTRYPOINT`
    Entrypoint(CommandLine),
    /// `ENV`: the variables in order.
    Env(Vec<Pair>),
    /// `EXPOSE`: the raw words, sorted bytewise.
    Expose(Vec<Text>),
    /// `HEALTHCHECK`
    Healthcheck(Healthcheck),
    /// `LABEL`: the labels in order.
    Label(Vec<Pair>),
    /// `MAINTAINER`: never expanded.
    Maintainer(Text),
    /// `ONBUILD`: the trigger as it is stored, with heredoc bodies.
    Onbuild(Text),
    /// `RUN`
    Run(Run),
    /// `SHELL`: never expanded.
    Shell(Vec<Text>),
    /// `STOPSIGNAL`
    Stopsignal(Text),
    /// `USER`
    User(Text),
    /// `VOLUME`: the paths, trimmed.
    Volume(Vec<Text>),
    /// `WORKDIR`
    Workdir(Text),
}

impl Command {
    /// The instruction word, upper-case.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Add(_) => "ADD",
            Self::Arg(_) => "ARG",
            Self::Cmd(_) => "CMD",
            Self::Copy(_) => "COPY",
            Self::Entrypoint(_) => "ENTRYPOINT",
            Self::Env(_) => "ENV",
            Self::Expose(_) => "EXPOSE",
            Self::Healthcheck(_) => "HEALTHCHECK",
            Self::Label(_) => "LABEL",
            Self::Maintainer(_) => "MAINTAINER",
            Self::Onbuild(_) => "ONBUILD",
            Self::Run(_) => "RUN",
            Self::Shell(_) => "SHELL",
            Self::Stopsignal(_) => "STOPSIGNAL",
            Self::User(_) => "USER",
            Self::Volume(_) => "VOLUME",
            Self::Workdir(_) => "WORKDIR",
        }
    }
}

/// One `NAME` or `NAME=default` of an `ARG`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Argument {
    /// The name, never expanded.
    pub name: Text,
    /// The default, unexpanded.
    pub default: Option<Text>,
}

/// One `key=value` of an `ENV` or `LABEL`, unexpanded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pair {
    /// The key.
    pub key: Text,
    /// The value.
    pub value: Text,
    /// Written in the old way, `KEY value`.
    pub legacy: bool,
}

/// What `ADD` and `COPY` have in common: where from and where to, unexpanded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Transfer {
    /// Paths, URLs and git references, in order.
    pub sources: Vec<Text>,
    /// Inline files, in order; they are copied after the sources.
    pub files: Vec<InlineFile>,
    /// The destination as it is written.
    pub destination: Text,
    /// `--chown`, empty when not given.
    pub chown: String,
    /// `--chmod`, empty when not given.
    pub chmod: String,
    /// `--link`
    pub link: bool,
    /// `--exclude`, in order, never expanded.
    pub exclude: Vec<String>,
}

/// A file written in the Dockerfile as a heredoc.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InlineFile {
    /// The heredoc word without quotes; the file's name.
    pub name: Text,
    /// The body; leading tabs are already gone for `<<-`.
    pub body: Text,
    /// Variables in the body are expanded (the word has no quotes).
    pub expand: bool,
}

/// `ADD`
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Add {
    /// Sources, destination and the shared flags.
    pub transfer: Transfer,
    /// `--keep-git-dir`, if given.
    pub keep_git_dir: Option<bool>,
    /// `--checksum`, empty when not given.
    pub checksum: String,
    /// `--unpack`, if given.
    pub unpack: Option<bool>,
}

/// `COPY`
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Copy {
    /// Sources, destination and the shared flags.
    pub transfer: Transfer,
    /// `--from`, empty when not given; never expanded.
    pub from: String,
    /// `--parents`
    pub parents: bool,
}

/// The command of `CMD`, `ENTRYPOINT` and `RUN`; never expanded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CommandLine {
    /// The words of the JSON form, or one word that holds the rest of the line.
    pub words: Vec<Text>,
    /// The shell form: the shell is to be put before.
    pub shell: bool,
}

/// `HEALTHCHECK`; never expanded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Healthcheck {
    /// `NONE`, or `CMD` with words, or `CMD-SHELL` with one word.
    pub test: Vec<Text>,
    /// `--interval` in nanoseconds, 0 when not given.
    pub interval: i64,
    /// `--timeout` in nanoseconds, 0 when not given.
    pub timeout: i64,
    /// `--start-period` in nanoseconds, 0 when not given.
    pub start_period: i64,
    /// `--start-interval` in nanoseconds, 0 when not given.
    pub start_interval: i64,
    /// `--retries`, 0 when not given.
    pub retries: i32,
}

/// `RUN`
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Run {
    /// The command.
    pub command: CommandLine,
    /// The heredocs in order, bodies untouched.
    pub heredocs: Vec<Heredoc>,
    /// The values of `--mount`, unexpanded.
    pub mounts: Vec<String>,
    /// The names of the devices that `--device` asks for.
    pub devices: Vec<String>,
    /// `--network`
    pub network: Network,
    /// `--security=insecure`
    pub insecure: bool,
}

/// A heredoc as it stands in the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heredoc {
    /// The word, quotes removed; also the terminator.
    pub name: Text,
    /// The lines between, with their line ends.
    pub body: Text,
    /// Written without quotes: the body may be expanded.
    pub expand: bool,
    /// Written with `<<-`: leading tabs are to be dropped.
    pub strip_tabs: bool,
}

/// The network of a `RUN`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Network {
    /// What the build has.
    #[default]
    Default,
    /// None.
    None,
    /// The builder's own.
    Host,
}
