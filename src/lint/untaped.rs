//! Commands whose way to the network no tape holds: they go past every proxy, or speak something else than HTTP.

use super::file::{File, Run};
use super::position;
use super::shell::{Command, Shell};
use super::surroundings::Surroundings;
use crate::dockerfile::syntax::{Dockerfile, Network};

/// A command that finds no network in a taped build.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Untaped {
    /// Its line in the Dockerfile, from 1.
    pub line: u32,
    /// The program.
    pub program: String,
    /// What it wants, after the program's name.
    pub why: &'static str,
    /// What to do instead.
    pub mend: String,
}

/// Options of git before its subcommand that take the next word.
const GIT_VALUES: &[&str] = &["-C", "-c", "--git-dir", "--work-tree", "--exec-path", "--namespace"];
const KEY_SERVER: &str = "asks a key server past every proxy";
const SSH: &str = "goes over ssh, past every proxy";
const SOCKET: &str = "opens connections of its own, past every proxy";
const OTHER: &str = "speaks another protocol than HTTP";

/// The commands of the target's RUNs that will find no network, in the order of the text.
pub fn untaped(dockerfile: &Dockerfile, surroundings: &Surroundings, shell: &mut Shell) -> Vec<Untaped> {
    let file = File::read(dockerfile, surroundings, shell);
    let runs = file.runs.iter().filter(|run| run.network == Network::Default);
    let found =
        runs.flat_map(|run| run.commands.iter().filter_map(move |command| Some((command, judge(run, command)?))));
    let mut all: Vec<Untaped> = found
        .map(|(command, (why, mend))| Untaped {
            line: position(&dockerfile.bytes, command.span.start).0,
            program: command.name.clone(),
            why,
            mend,
        })
        .collect();
    all.dedup();
    all
}

/// Why a command finds no network, and what to do instead; none if it finds what it wants, or wants nothing.
fn judge(run: &Run, command: &Command) -> Option<(&'static str, String)> {
    let words = || command.words.iter().map(|word| word.text());
    let name = command.name.as_str();
    // An agent is given by BuildKit, and the network all the same is not.
    let over_https = || {
        let https = "ask over https, for instance after `git config --global url.https://HOST/.insteadOf git@HOST:`, or take the \
                     repository with `ADD git@HOST:PATH#REF /path`, which BuildKit fetches itself";
        (SSH, https.to_owned())
    };
    match name {
        "ssh" | "scp" | "sftp" | "ssh-keyscan" => Some(over_https()),
        "rsync" => words().any(is_remote).then(|| (SOCKET, download())),
        "svn" => words().any(|word| word.starts_with("svn")).then(|| (OTHER, download())),
        "ping" | "nslookup" | "dig" | "nc" | "ncat" | "telnet" | "ftp" | "lftp" | "tftp" => Some((SOCKET, download())),
        "gpg" | "gpg2" | "apt-key" | "pacman-key" | "dirmngr" => key_server(command),
        "git" => {
            let does = matches!(
                command.subcommand(GIT_VALUES),
                "clone" | "fetch" | "pull" | "submodule" | "ls-remote" | "lfs" | "push" | "remote"
            );
            let is_plain = |word: &str| word.starts_with("git://");
            let is_ssh = |word: &str| word.starts_with("ssh://") || word.starts_with("git@");
            match does {
                true if words().any(is_ssh) => Some(over_https()),
                true if words().any(is_plain) => Some((OTHER, "ask over https instead of `git://`".to_owned())),
                _ => None,
            }
        }
        "curl" | "wget" | "aria2c" => {
            let is_other = |word: &str| {
                ["ftp://", "ftps://", "sftp://", "ws://", "wss://"].iter().any(|kind| word.starts_with(kind))
            };
            (words().any(is_other) && run.network == Network::Default).then(|| (OTHER, download()))
        }
        _ => None,
    }
}

fn download() -> String {
    "take what it brings with `ADD`, over https, or from the context".to_owned()
}

/// Whether rsync takes a word for a place on another machine.
fn is_remote(word: &str) -> bool {
    word.starts_with("rsync://")
        || word.split('/').next().is_some_and(|first| first.contains(':')) && !word.starts_with('-')
}

/// gpg and what calls it, if they are to ask a key server.
fn key_server(command: &Command) -> Option<(&'static str, String)> {
    const ASKING: [&str; 7] = [
        "--recv-keys",
        "--recv-key",
        "--receive-keys",
        "--search-keys",
        "--refresh-keys",
        "--locate-keys",
        "--auto-key-locate",
    ];
    let mut words = command.words.iter().map(|word| word.text());
    // apt-key's options are gpg's behind `adv`.
    words.by_ref().find(|word| ASKING.iter().any(|asking| word.starts_with(asking)))?;
    let is_id = |word: &str| {
        let hex = word.strip_prefix("0x").unwrap_or(word);
        (8..=40).contains(&hex.len()) && hex.bytes().all(|byte| byte.is_ascii_hexdigit())
    };
    let id = words.find(|word| is_id(word)).map_or("KEY", |word| word.strip_prefix("0x").unwrap_or(word));
    Some((
        KEY_SERVER,
        format!(
            "`ADD --checksum=sha256:… https://keyserver.ubuntu.com/pks/lookup?op=get&options=mr&search=0x{id} /key.asc` and \
             `gpg --import /key.asc`"
        ),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dockerfile::parse;
    use crate::limits::Limits;

    fn found(text: &str) -> Vec<String> {
        let dockerfile = parse(text.as_bytes(), &Limits::default()).unwrap();
        let found = untaped(&dockerfile, &Surroundings::default(), &mut Shell::default());
        found.iter().map(|one| format!("{}: {} {}", one.line, one.program, one.why)).collect()
    }

    #[test]
    fn what_goes_past_the_proxy_is_named_with_its_line() {
        let text = "FROM debian\n\
            RUN apt-get update && \\\n  gpg --batch --keyserver hkps://keys.example --recv-keys 0xABCDEF0123456789\n\
            RUN apt-key adv --keyserver keys.example --recv 12345678 || apt-key adv --recv-keys 12345678\n\
            RUN git clone git@git.example:a/b.git && git clone git://git.example/c && git clone https://git.example/d\n\
            RUN --mount=type=ssh ssh -T git@git.example; rsync -a host:/a /b; rsync -a /a /b; curl -O ftp://h.example/f\n\
            RUN --network=none ssh host; git -C /x remote add origin git@git.example:e; gpg --verify a.asc\n\
            RUN curl https://h.example/a | gpg --import && wget -O - http://h.example/b\n";
        assert_eq!(
            found(text),
            [
                "3: gpg asks a key server past every proxy",
                "4: apt-key asks a key server past every proxy",
                "5: git goes over ssh, past every proxy",
                "5: git speaks another protocol than HTTP",
                "6: ssh goes over ssh, past every proxy",
                "6: rsync opens connections of its own, past every proxy",
                "6: curl speaks another protocol than HTTP",
            ]
        );
    }

    #[test]
    fn the_mend_for_a_key_names_the_key() {
        let text = "FROM debian\nRUN gpg --keyserver keys.example --recv-keys 0xABCDEF0123456789\n";
        let dockerfile = parse(text.as_bytes(), &Limits::default()).unwrap();
        let found = untaped(&dockerfile, &Surroundings::default(), &mut Shell::default());
        assert!(found[0].mend.contains("search=0xABCDEF0123456789 /key.asc"), "{}", found[0].mend);
    }
}
