//! R016: a RUN reads a secret or an SSH agent.

use super::super::checked::is_checked;
use super::super::fetches::fetches;
use super::super::git::pins_commit;
use super::clone_moving::follows;
use crate::finding::Severity;
use crate::lint::file::File;
use crate::lint::rule::{Findings, Lock, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    code: "R016",
    name: "secret-or-ssh-mount",
    severity: Severity::Warning,
    lock: Lock::No,
    ships: false,
    summary: "a RUN reads a secret or an SSH agent",
    why: "A second builder who has not got the secret must get the same bytes.",
    quiet: "all that the RUN downloads is checked, or cloned at a whole commit id",
    help: "use the secret only to fetch what is checked: `curl -H @/run/secrets/t -o x … && echo \"<hex>  x\" | sha256sum -c -`",
    check,
};

fn check(file: &File<'_>, findings: &mut Findings) {
    for run in &file.runs {
        let mut counts = (0, 0);
        for (index, command) in run.commands.iter().enumerate() {
            for fetch in fetches(run, index) {
                counts.0 += 1;
                counts.1 += usize::from(fetch.output.is_some_and(|output| is_checked(run, index, &output)));
            }
            if follows(command) {
                counts.0 += 1;
                counts.1 += usize::from(pins_commit(command) || run.commands[index + 1..].iter().any(pins_commit));
            }
        }
        let is_settled = counts.0 > 0 && counts.0 == counts.1;
        for mount in run.mounts.iter().filter(|mount| matches!(mount.kind.as_str(), "secret" | "ssh") && !is_settled) {
            findings.add(
                mount.span,
                format!(
                    "a second builder without the {} must get the same bytes",
                    if mount.kind == "ssh" { "key" } else { "secret" }
                ),
            );
        }
    }
}
