//! Git refs to commits, by the `git` program in an environment of its own.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::git_url::{GitSource, Transport, is_commit};
use super::{Reason, Resolved, Resolver};
use crate::cancel::Cancel;
use crate::escape;
use crate::http::{HttpError, Url, is_loopback_host};
use crate::lockfile::Pin;
use crate::process::{Command, Environment, Finished, PROXIES, Programs, Watch};
use crate::store::TemporaryDirectory;

const TIME: Duration = Duration::from_secs(120);
const LARGEST_OUTPUT: u64 = 16 << 20;
const LOG: u64 = 64 << 10;
const SETTINGS: [&str; 10] = [
    "-c",
    "core.fsmonitor=false",
    "-c",
    "core.hooksPath=/dev/null",
    "-c",
    "protocol.ext.allow=never",
    "-c",
    "credential.interactive=false",
    "-c",
    "gc.auto=0",
];
/// `git`'s code for "no such ref".
const NO_MATCH: i32 = 2;

/// The `git` program and what of the user's environment it sees.
#[derive(Clone, Debug)]
pub struct Git {
    program: PathBuf,
    environment: Environment,
}

impl Git {
    /// The `git` of `programs`, if there is one.
    pub fn find(programs: &Programs, environment: &Environment) -> Option<Self> {
        Some(Self { program: programs.find("git")?, environment: environment.clone() })
    }

    /// `git` for one remote: no terminal, no system configuration, no hooks, no protocol but the one that is meant.
    pub(super) fn command(&self, transport: Transport, directory: &Path) -> Command {
        Command::new(self.program.clone(), self.variables(transport), directory.to_owned()).args(SETTINGS)
    }

    /// `git` upon a repository and its work tree, without anybody's configuration and without a remote.
    pub(super) fn local_command(&self, repository: &Path, work_tree: &Path) -> Command {
        let mut variables = self.variables(Transport::Https);
        for name in ["HOME", "XDG_CONFIG_HOME"] {
            variables.insert(name.into(), repository.into());
        }
        for (name, value) in
            [("GIT_CONFIG_GLOBAL", "/dev/null"), ("GIT_ATTR_NOSYSTEM", "1"), ("GIT_ALLOW_PROTOCOL", "")]
        {
            variables.insert(name.into(), value.into());
        }
        variables.insert("GIT_DIR".into(), repository.into());
        variables.insert("GIT_WORK_TREE".into(), work_tree.into());
        Command::new(self.program.clone(), variables, work_tree.to_owned()).args(SETTINGS)
    }

    fn variables(&self, transport: Transport) -> BTreeMap<OsString, OsString> {
        let mut also = PROXIES.to_vec();
        also.push("SSH_AUTH_SOCK");
        let mut environment = self.environment.for_child(&also);
        for (name, value) in [
            ("GIT_CONFIG_NOSYSTEM", "1"),
            ("GIT_TERMINAL_PROMPT", "0"),
            ("GIT_OPTIONAL_LOCKS", "0"),
            ("GIT_NO_REPLACE_OBJECTS", "1"),
            ("GIT_NO_LAZY_FETCH", "1"),
            ("GIT_ALLOW_PROTOCOL", transport.allowed()),
            ("GIT_SSH_COMMAND", "ssh -o BatchMode=yes"),
            ("GIT_CEILING_DIRECTORIES", "/"),
        ] {
            environment.insert(name.into(), value.into());
        }
        environment
    }
}

impl Resolver {
    pub(super) fn resolve_git(&self, request: &str) -> Result<Resolved, Reason> {
        let source = self.git_source(request)?;
        let (Meaning { commit, tag }, mirror) = self.ask_for_commit(request, &source)?;
        if let Some(checksum) = &source.checksum
            && !std::iter::once(&commit).chain(&tag).any(|id| id.starts_with(checksum.as_str()))
        {
            return Err(Reason::Changed { expected: format!("a commit that starts with {checksum}"), found: commit });
        }
        let mut made = None;
        if self.ages || source.commit().is_some() {
            match self.with_remotes(&source, |remote, transport| self.commit_time(&commit, remote, transport)) {
                Ok(time) => made = Some(time),
                // Servers need not give commits by their ids; whether it is there was not to be found out.
                Err(Reason::Git { said, .. }) if refuses_ids(&said) => self.progress().note(&format!(
                    "`{}` was not checked: the server gives no commits by their ids",
                    escape::text(request)
                )),
                Err(other) => return Err(other),
            }
        }
        let pin = Pin::Git { request: request.to_owned(), commit, tag };
        Ok(Resolved { pin, made: made.filter(|_| self.ages), mirror })
    }

    /// The commit that the source means today; tells which mirror said so where the server was not reached.
    pub(super) fn ask_for_commit(
        &self,
        request: &str,
        source: &GitSource,
    ) -> Result<(Meaning, Option<String>), Reason> {
        if let Some(commit) = source.commit() {
            return Ok((Meaning::of_commit(commit), None));
        }
        self.upstream_first(request, source, |remote, transport| self.commit_of(source, remote, transport))
    }

    /// Asks the source's own server first, and its mirror where that is not reached or may not be asked.
    pub(super) fn upstream_first<T>(
        &self,
        request: &str,
        source: &GitSource,
        ask: impl Fn(&str, Transport) -> Result<T, Reason>,
    ) -> Result<(T, Option<String>), Reason> {
        let Some((mirror, transport)) = self.git_mirror(source) else {
            return Ok((ask(&source.remote, source.transport)?, None));
        };
        let host = Url::parse(&mirror).map_or_else(|_| mirror.clone(), |url| url.authority());
        let own = || match (source.transport, Url::parse(&source.remote)) {
            (Transport::Http, Ok(url)) if !is_loopback_host(url.host()) => {
                Err(HttpError::PlainHttp { url: url.shown(), host: url.authority() }.into())
            }
            _ => ask(&source.remote, source.transport),
        };
        self.ask_upstream_first(request, &source.remote, &host, own, || ask(&mirror, transport))
    }

    /// The mirror of a source's remote, if the user named one.
    fn git_mirror(&self, source: &GitSource) -> Option<(String, Transport)> {
        let mirror = self.client().settings().config.mirror_of(&source.remote)?;
        let transport = if mirror.starts_with("http:") { Transport::Http } else { Transport::Https };
        Some((mirror, transport))
    }

    pub(super) fn git_source(&self, request: &str) -> Result<GitSource, Reason> {
        let config = &self.client().settings().config;
        let allowed = |remote: &str| config.mirror_of(remote).is_some();
        Ok(GitSource::parse(request, allowed)?)
    }

    /// Asks the mirror for what has an id, if there is one, and upstream if there is none or it fails.
    pub(super) fn with_remotes<T>(
        &self,
        source: &GitSource,
        ask: impl Fn(&str, Transport) -> Result<T, Reason>,
    ) -> Result<T, Reason> {
        let Some((mirror, transport)) = self.git_mirror(source) else { return ask(&source.remote, source.transport) };
        match ask(&mirror, transport) {
            Err(error @ Reason::Git { .. }) if source.transport != Transport::Http => {
                ask(&source.remote, source.transport).map_err(|_| error)
            }
            other => other,
        }
    }

    /// The commit that the source means: what BuildKit would check out.
    fn commit_of(&self, source: &GitSource, remote: &str, transport: Transport) -> Result<Meaning, Reason> {
        if let Some(commit) = source.commit() {
            return Ok(Meaning::of_commit(commit));
        }
        let wanted = source.reference.as_deref().unwrap_or("HEAD");
        let git = self.git()?;
        let peeled = format!("{wanted}^{{}}");
        let command =
            git.command(transport, Path::new("/")).args(["ls-remote", "--exit-code", "--", remote, wanted, &peeled]);
        let finished = self.run(&command)?;
        match finished.code {
            Some(0) => {}
            Some(NO_MATCH) => return Err(Reason::NoRef(wanted.to_owned())),
            _ => return Err(failed("ls-remote", &finished)),
        }
        let text = String::from_utf8_lossy(&finished.output);
        if finished.output_cut {
            return Err(Reason::GitResponse(format!("more than {LARGEST_OUTPUT} bytes")));
        }
        let (commit, tag) =
            choose(&text, source.reference.as_deref()).ok_or_else(|| Reason::NoRef(wanted.to_owned()))?;
        match std::iter::once(commit).chain(tag).find(|id| !is_commit(id)) {
            None => Ok(Meaning { tag: tag.map(str::to_owned), ..Meaning::of_commit(commit) }),
            Some(other) => Err(Reason::GitResponse(other.chars().take(80).collect())),
        }
    }

    /// When the commit was made; an error if the server does not have it.
    pub(super) fn commit_time(&self, commit: &str, remote: &str, transport: Transport) -> Result<i64, Reason> {
        let git = self.git()?;
        let directory = TemporaryDirectory::anywhere().map_err(|error| crate::http::HttpError::Local(error.into()))?;
        let run = |arguments: &[&str], name: &'static str| -> Result<Finished, Reason> {
            let finished = self.run(&git.command(transport, directory.path()).args(arguments))?;
            if finished.succeeded() { Ok(finished) } else { Err(failed(name, &finished)) }
        };
        self.init(directory.path(), commit)?;
        let filter = ["fetch", "--quiet", "--depth=1", "--no-tags", "--filter=tree:0", "--", remote, commit];
        run(&filter, "fetch")?;
        let finished = run(&["show", "--no-patch", "--no-show-signature", "--format=%ct", commit], "show")?;
        let text = String::from_utf8_lossy(&finished.output);
        text.trim().parse().map_err(|_| Reason::GitResponse(text.chars().take(80).collect()))
    }

    /// Makes a bare repository in an empty directory, of the kind that the commit is from.
    pub(super) fn init(&self, directory: &Path, commit: &str) -> Result<(), Reason> {
        let format = if commit.len() == 64 { "--object-format=sha256" } else { "--object-format=sha1" };
        let command = self.local_git()?.command(Transport::Https, directory);
        let finished = self.run(&command.args(["init", "--quiet", "--bare", format, "--template=", "."]))?;
        if finished.succeeded() { Ok(()) } else { Err(failed("init", &finished)) }
    }

    pub(super) fn git(&self) -> Result<&Git, Reason> {
        self.client().check_online("git")?;
        self.local_git()
    }

    /// `git` for what asks nobody.
    pub(super) fn local_git(&self) -> Result<&Git, Reason> {
        self.git.as_ref().ok_or(Reason::NoGit)
    }

    pub(super) fn run(&self, command: &Command) -> Result<Finished, Reason> {
        let cancel: &Cancel = &self.client().settings().cancel;
        let watch = Watch { cancel, time: TIME, log: LOG, output: LARGEST_OUTPUT, tell: &|_| {} };
        Ok(command.run(&watch)?)
    }
}

/// What a git source means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Meaning {
    /// The commit, in hex.
    pub(super) commit: String,
    /// The id of the annotated tag that leads to it.
    pub(super) tag: Option<String>,
}

impl Meaning {
    fn of_commit(commit: &str) -> Self {
        Self { commit: commit.to_owned(), tag: None }
    }
}

/// The commit for `wanted`, and the id of the annotated tag that leads to it, in what `ls-remote` prints, in the order in which BuildKit prefers.
///
/// A whole ref below `refs/` first, then a branch, then a tag; an annotated tag is followed to its commit.
fn choose<'a>(lines: &'a str, wanted: Option<&str>) -> Option<(&'a str, Option<&'a str>)> {
    let find = |name: &str| {
        let mut pairs = lines.lines().filter_map(|line| line.split_once('\t'));
        pairs.find(|(_, found)| *found == name).map(|(commit, _)| commit)
    };
    let plain = |name: &str| Some((find(name)?, None));
    let Some(wanted) = wanted else { return plain("HEAD") };
    let below = |directory: &str| format!("{directory}{}", wanted.strip_prefix(directory).unwrap_or(wanted));
    let (whole, branch, tag) = (below("refs/"), below("refs/heads/"), below("refs/tags/"));
    let peeled = |name: &str| match find(&format!("{name}^{{}}")) {
        Some(commit) => Some((commit, find(name))),
        None => plain(name),
    };
    let whole = if whole == tag { None } else { peeled(&whole) };
    whole.or_else(|| plain(&branch)).or_else(|| peeled(&tag))
}

pub(super) fn failed(command: &'static str, finished: &Finished) -> Reason {
    Reason::Git { command, said: finished.log.last(3).join("; ").chars().take(500).collect() }
}

/// Whether the server only gives what its refs name.
pub(super) fn refuses_ids(said: &str) -> bool {
    said.contains("unadvertised object") || said.contains("dumb http transport")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refs_are_preferred_as_buildkit_does() {
        let lines = "1\tHEAD\n2\trefs/heads/x\n3\trefs/tags/x\n4\trefs/tags/v1\n5\trefs/tags/v1^{}\n6\trefs/pull/7/head\n\
                     7\trefs/heads/deep/v1\n8\trefs/x\n";
        for (wanted, want) in [
            (None, Some(("1", None))),
            (Some("x"), Some(("8", None))),
            (Some("refs/heads/x"), Some(("2", None))),
            (Some("refs/tags/x"), Some(("3", None))),
            (Some("heads/x"), Some(("2", None))),
            (Some("v1"), Some(("5", Some("4")))),
            (Some("refs/tags/v1"), Some(("5", Some("4")))),
            (Some("pull/7/head"), Some(("6", None))),
            (Some("deep/v1"), Some(("7", None))),
            (Some("absent"), None),
            (Some("HEAD"), None),
        ] {
            assert_eq!(choose(lines, wanted), want, "{wanted:?}");
        }
    }
}
