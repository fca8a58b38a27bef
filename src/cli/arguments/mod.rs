//! What can be typed: one file a command.
//!
//! A command line becomes [`Arguments`]: `global` holds what every command takes, [`Command`] leads to the file of the
//! command. `question`, `engine` and `archive` are options that several commands share. A value that has a form of its
//! own is read by the parser beside its option.

mod adopt;
mod archive;
mod attest;
mod attesting;
mod build;
mod cache;
mod completions;
mod delta;
mod diff;
mod doctor;
mod engine;
mod global;
mod init;
mod inspect;
mod layer;
mod lint;
mod lock;
mod login;
mod lsp;
mod outdated;
mod policy;
mod question;
mod report;
mod schema;
mod scrub;
mod self_report;
mod serve;
mod ship;
mod sources;
mod stream;
mod tape;
mod vendor;
mod verify;

use std::ffi::OsString;

use clap::{Args, FromArgMatches, Parser, Subcommand};

pub use adopt::Adopt;
pub use archive::Archive;
pub use attest::{
    Accept, Attest, AttestAction, AttestAggregate, AttestSign, AttestVerify, Counting, KeyTypeName, Pushing,
    StatementName,
};
pub use attesting::Attesting;
pub use build::Build;
pub use cache::{Cache, CacheAction};
pub use completions::Completions;
pub use delta::{Delta, DeltaAction};
pub use diff::Diff;
pub use doctor::Doctor;
pub use engine::EngineChoice;
pub use global::{Color, Format, Global};
pub use init::Init;
pub use inspect::Inspect;
pub use layer::{Layer, LayerAction};
pub use lint::Lint;
pub use lock::Lock;
pub use login::{Login, Logout};
pub use lsp::Lsp;
pub use outdated::Outdated;
pub use policy::Policy;
pub use question::Question;
pub use report::ReportFile;
pub use schema::{Schema, SchemaName};
pub use scrub::{Scrub, ScrubAction};
pub use self_report::SelfReport;
pub use serve::Serve;
pub use ship::{Copy, List, Part, Pull, Push};
pub use sources::Sources;
pub use stream::Stream;
pub use tape::{Tape, TapeAction};
pub use vendor::{FromVendor, Vendor};
pub use verify::Verify;

/// Makes any Dockerfile reproducible bit for bit, and proves it.
#[derive(Debug, Parser)]
#[command(name = "repro", version, max_term_width = 100, arg_required_else_help = true)]
#[command(after_help = "Start here:
  repro adopt            does all of the following, with fewer builds
  repro init             writes repro.toml for the Dockerfile that is here
  repro lock             pins every outside source in repro.lock
  repro build --record   builds, and records the expected digests
  repro verify           rebuilds and compares; says what differs

Exit status: 0 reproduced, 1 differs, 2 usage or manifest, 3 lockfile, 4 source, 5 build failed,
6 malformed input, 7 engine, 130 interrupted.")]
pub struct Arguments {
    /// What holds for every command.
    #[command(flatten)]
    pub global: Global,
    /// The command.
    #[command(subcommand)]
    pub command: Command,
}

impl Arguments {
    /// Reads a command line, the program's name first.
    ///
    /// # Errors
    /// Those of clap, help and version among them.
    pub fn read(words: &[OsString]) -> Result<Self, clap::Error> {
        let read = Self::of_frequent(words).map_or_else(|| Self::try_parse_from(words), Ok)?;
        let excluded = match &read.command {
            Command::Build(build) if build.fix && build.question.is_without_manifest() => {
                Err("`--fix` needs repro.toml".to_owned())
            }
            Command::Verify(verify) => verify.question.check(),
            Command::Build(build) => build.question.check(),
            Command::Lint(Lint { question, .. }) | Command::Sources(Sources { question, .. }) => question.check(),
            _ => Ok(()),
        };
        excluded
            .map_err(|message| clap::Error::raw(clap::error::ErrorKind::ArgumentConflict, format!("{message}\n")))?;
        let is_stream = matches!(read.command, Command::Stream(_));
        if read.global.format == Format::Oci && !is_stream {
            let message = "`--format oci` is a form of `repro stream`; `repro build` has `--archive oci`\n";
            return Err(clap::Error::raw(clap::error::ErrorKind::InvalidValue, message));
        }
        let is_extract = matches!(&read.command, Command::Attest(Attest { action: AttestAction::Extract { .. } }));
        if read.global.format == Format::Sigstore && !is_extract {
            let message = "`--format sigstore` is a form of `repro attest extract`\n";
            return Err(clap::Error::raw(clap::error::ErrorKind::InvalidValue, message));
        }
        let is_of_lint = matches!(read.global.format, Format::Sarif | Format::Github | Format::Gitlab);
        if is_of_lint && !matches!(read.command, Command::Lint(_)) {
            let message = "`--format sarif`, `github` and `gitlab` are forms of `repro lint`\n";
            return Err(clap::Error::raw(clap::error::ErrorKind::InvalidValue, message));
        }
        Ok(read)
    }

    /// The form of results on stdout: no document where an archive goes there.
    pub fn format(&self) -> Format {
        match &self.command {
            Command::Stream(Stream { output: None, .. }) => Format::Text,
            Command::Stream(_) if self.global.format == Format::Oci => Format::Text,
            Command::Attest(_) if self.global.format == Format::Sigstore => Format::Text,
            _ => self.global.format,
        }
    }

    /// Reads the line of a frequent command without making the options of all others, which takes longer than a cached
    /// build has. None where anything is wrong: then all of them are wanted for the message.
    fn of_frequent(words: &[OsString]) -> Option<Self> {
        let (name, augment): (_, fn(_) -> _) = match words.get(1)?.to_str()? {
            "build" => ("build", Build::augment_args),
            "lock" => ("lock", Lock::augment_args),
            "verify" => ("verify", Verify::augment_args),
            _ => return None,
        };
        let command = Global::augment_args(clap::Command::new("repro"));
        let matches = command.subcommand(augment(clap::Command::new(name))).try_get_matches_from(words).ok()?;
        Self::from_arg_matches(&matches).ok()
    }
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Write repro.toml for the Dockerfile that is here
    Init(Init),
    /// Take a Dockerfile to a record in one go: init, lock, build twice, record, verify
    Adopt(Adopt),
    /// List every outside source that an image needs
    Sources(Sources),
    /// Tell what in a Dockerfile will not reproduce
    Lint(Lint),
    /// Tell an editor what in a Dockerfile will not reproduce
    Lsp(Lsp),
    /// Pin every outside source in repro.lock
    Lock(Lock),
    /// Tell which pins upstream has moved on from
    Outdated(Outdated),
    /// Print the source policy made from repro.lock, as BuildKit gets it
    Policy(Policy),
    /// Build images from locked sources
    Build(Box<Build>),
    /// Rebuild images and compare them with their record
    Verify(Box<Verify>),
    /// Check an image completely and show what it says about itself
    #[command(visible_alias = "analyze")]
    Inspect(Inspect),
    /// Push an image to a registry, byte for byte
    Push(Push),
    /// Pull an image into an archive or a layout, byte for byte
    Pull(Pull),
    /// Copy an image between registries, archives and layouts, byte for byte
    Copy(Copy),
    /// List the tags of a repository, or the platforms and blobs of an image
    List(List),
    /// Log in to a registry
    Login(Login),
    /// Forget the login for a registry
    Logout(Logout),
    /// Serve a layout or an archive as a registry
    Serve(Serve),
    /// Tell why two images differ
    Diff(Diff),
    /// Make and apply deltas, which give an image's every digest back
    Delta(Delta),
    /// Verify, show, sign and push verdicts that others can check
    Attest(Attest),
    /// Render a saved document of `repro diff`
    Report(ReportFile),
    /// Show what scrub profiles leave out of new layers
    Scrub(Scrub),
    /// Show, check or save what RUN downloads
    Tape(Tape),
    /// Gather everything that builds take from outside in one folder
    Vendor(Vendor),
    /// Tell which engines are here, and what mends those that are not
    Doctor(Doctor),
    /// Say in one paragraph what a bug report should say of this program
    SelfReport(SelfReport),
    /// Show, check or clear the cache of fetched blobs
    Cache(Cache),
    /// Print a completion script for a shell
    Completions(Completions),
    /// Work on single layers
    Layer(Layer),
    /// Write a layered image from a description of store paths, as nixpkgs' script does
    Stream(Stream),
    /// Print the JSON schema of repro.toml or of a result document
    Schema(Schema),
}

/// `NAME=VALUE` with a name.
fn pair(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("expected NAME=VALUE")?;
    if name.is_empty() {
        return Err("the name is empty".to_owned());
    }
    Ok((name.to_owned(), value.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Vec<OsString> {
        line.split(' ').map(OsString::from).collect()
    }

    #[test]
    fn a_frequent_commands_line_means_the_same_without_the_other_commands() {
        for line in [
            "repro build",
            "repro build app web --engine native -o FILE --format json -qC DIR --build-arg A=b --platform linux/arm64",
            "repro build --record=FILE --no-cache --limit layer-bytes=5 --locked",
            "repro build -vv -- app",
            "repro lock app --check --offline",
            "repro verify --engine native,buildctl --against REFERENCE",
        ] {
            let words = words(line);
            let full = Arguments::try_parse_from(&words).map(|read| format!("{read:?}"));
            let frequent = Arguments::of_frequent(&words).map(|read| format!("{read:?}"));
            assert_eq!(full.ok(), frequent, "{line}");
            assert!(frequent.is_some(), "{line}");
        }
    }

    #[test]
    fn what_is_no_plain_line_of_a_frequent_command_is_left_to_the_whole() {
        for line in
            ["repro", "repro -q build", "repro build --help", "repro build --no", "repro build -V", "repro bulid"]
        {
            assert!(Arguments::of_frequent(&words(line)).is_none(), "{line}");
        }
    }
}
