//! R090: a property of the build host is written to a file.

use super::super::written::is_written;
use crate::finding::Severity;
use crate::lint::file::File;
use crate::lint::rule::{Findings, Lock, Rule};
use crate::lint::shell::{Command, Word};

/// The rule.
pub static RULE: Rule = Rule {
    code: "R090",
    name: "host-probe",
    severity: Severity::Warning,
    lock: Lock::No,
    ships: false,
    summary: "a property of the build host is written to a file",
    why: "Another machine has other cores, another kernel, another name.",
    quiet: "job counts (`-j$(nproc)`); the architecture (`uname -m`)",
    help: "write a constant",
    check,
};

fn check(file: &File<'_>, findings: &mut Findings) {
    for run in &file.runs {
        for (index, command) in run.numbered() {
            if let Some(what) = probes(command).filter(|_| is_written(run, index) || copies(command)) {
                findings.add(command.span, format!("`{what}` writes a property of the build host"));
            }
        }
    }
}

fn probes(command: &Command) -> Option<&str> {
    let known = match command.name.as_str() {
        "nproc" | "lscpu" | "free" | "df" => true,
        "hostname" | "whoami" => command.operands().next().is_none(),
        // What the platform says is no accident of the host.
        "uname" => {
            command.words.is_empty()
                || ['a', 'r', 'v', 'n'].iter().any(|letter| command.short(*letter, ""))
                || command.any_long(&["--all", "--kernel-release", "--kernel-version", "--nodename"])
        }
        "id" => command.short('n', "") && command.short('u', "") || command.any_long(&["--name"]),
        _ => false,
    };
    if known {
        return (!command.any_long(&["--help", "--version"])).then_some(&command.name);
    }
    let reads = command.is(&["cat", "grep", "head", "awk", "sed", "cp", "cut", "egrep", "tail", "tr"]);
    let is_host = |text: &str| {
        matches!(text, "/proc/cpuinfo" | "/proc/meminfo" | "/proc/version")
            || text.starts_with("/sys/")
            || text == "/sys"
    };
    let named = command
        .words
        .iter()
        .chain(command.redirects.iter().map(|redirect| &redirect.target))
        .map(Word::text)
        .find(|text| is_host(text));
    named.filter(|_| reads)
}

fn copies(command: &Command) -> bool {
    command.name == "cp"
}
