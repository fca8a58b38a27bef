//! R107: `--chmod` copies into a directory that is not there yet.

use crate::dockerfile::syntax::Command;
use crate::finding::Severity;
use crate::lint::file::File;
use crate::lint::file::{Base, Placed};
use crate::lint::rule::{Findings, Lock, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    code: "R107",
    name: "parent-mode",
    severity: Severity::Note,
    lock: Lock::Yes,
    ships: false,
    summary: "`--chmod` copies into a directory that is not there yet",
    why: "Created parents are 0755 before BuildKit 0.21 and take the mode since.",
    quiet: "directories that every base has, or that were made before",
    help: "`RUN mkdir -p DIR` or `WORKDIR DIR` first",
    check,
};

const KNOWN: [&str; 42] = [
    "/",
    "/bin",
    "/boot",
    "/dev",
    "/etc",
    "/home",
    "/lib",
    "/lib64",
    "/media",
    "/mnt",
    "/opt",
    "/proc",
    "/root",
    "/run",
    "/sbin",
    "/srv",
    "/sys",
    "/tmp",
    "/usr",
    "/usr/bin",
    "/usr/include",
    "/usr/lib",
    "/usr/libexec",
    "/usr/local",
    "/usr/local/bin",
    "/usr/local/etc",
    "/usr/local/include",
    "/usr/local/lib",
    "/usr/local/sbin",
    "/usr/local/share",
    "/usr/local/src",
    "/usr/sbin",
    "/usr/share",
    "/usr/src",
    "/var",
    "/var/cache",
    "/var/lib",
    "/var/log",
    "/var/run",
    "/var/spool",
    "/var/tmp",
    "/etc/ssl",
];

fn check(file: &File<'_>, findings: &mut Findings) {
    for (placed, transfer, _) in file.transfers() {
        let destination = file.expand(placed.stage.index, placed.position, &transfer.destination);
        if transfer.chmod.is_empty() || destination.is_dynamic || !destination.text.starts_with('/') {
            continue;
        }
        let path = destination.text.as_str();
        let several = transfer.sources.len() + transfer.files.len() > 1;
        let parent = if path.ends_with('/') || several {
            path.trim_end_matches('/')
        } else {
            path.rsplit_once('/').map_or("/", |(parent, _)| parent)
        };
        let parent = if parent.is_empty() { "/" } else { parent };
        if !exists(file, &placed, parent) {
            findings.add(
                placed.span_of(&transfer.destination.lossy()),
                format!("the mode of `{parent}` depends on the builder version"),
            );
        }
    }
}

fn exists(file: &File<'_>, placed: &Placed<'_, '_>, parent: &str) -> bool {
    let root = file.ancestry(placed.stage.index).last().map(|root| &file.stages[*root].base);
    let is_known = KNOWN.contains(&parent) && !matches!(root, Some(Base::Scratch)) || parent == "/";
    let below = |path: &str| {
        let path = path.trim_end_matches('/');
        path == parent || path.strip_prefix(parent).is_some_and(|rest| rest.starts_with('/'))
    };
    let ancestry = file.ancestry(placed.stage.index);
    let by_run = file
        .runs
        .iter()
        .filter(|run| {
            ancestry.contains(&run.stage) && (run.stage != placed.stage.index || run.position < placed.position)
        })
        .flat_map(|run| &run.commands)
        .any(|command| {
            command.is(&["mkdir", "install", "cp", "mv", "tar", "useradd", "adduser", "git"])
                && command.words.iter().any(|word| below(word.text()))
        });
    let by_instruction =
        file.instructions_before(placed.stage.index, placed.position).any(|before| match &before.instruction.command {
            Command::Workdir(directory) => below(&file.expand(before.stage.index, before.position, directory).text),
            Command::Copy(copy) => below(&copy.transfer.destination.lossy()),
            Command::Add(add) => below(&add.transfer.destination.lossy()),
            Command::Volume(paths) => paths.iter().any(|path| below(&path.lossy())),
            _ => false,
        });
    is_known || by_run || by_instruction
}
