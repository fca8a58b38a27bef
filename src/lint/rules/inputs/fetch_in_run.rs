//! R009: a RUN downloads bytes that nothing in it checks.

use super::super::checked::is_checked;
use super::super::fetches::fetches;
use super::super::interpreted::is_run;
use crate::finding::Severity;
use crate::lint::file::File;
use crate::lint::rule::{Findings, Lock, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    code: "R009",
    name: "fetch-in-run",
    severity: Severity::Error,
    lock: Lock::Part,
    ships: false,
    summary: "a RUN downloads bytes that nothing in it checks",
    why: "The server may give other bytes tomorrow, and nothing records which ones were used.",
    quiet: "a later command of the RUN checks the file against a digest or a signature; `HEAD` requests; the container's own ports",
    help: "`ADD --checksum=sha256:… <url> /t/x`, or `curl -fsSLo x <url> && echo \"<hex>  x\" | sha256sum -c -`",
    check,
};

fn check(file: &File<'_>, findings: &mut Findings) {
    for run in &file.runs {
        for (index, command) in run.commands.iter().enumerate() {
            // What is run at once is told by `pipe-to-shell`.
            if is_run(run, index) {
                continue;
            }
            let unchecked = fetches(run, index)
                .into_iter()
                .find(|fetch| !fetch.output.as_deref().is_some_and(|output| is_checked(run, index, output)));
            if let Some(fetch) = unchecked {
                findings.add(command.span, format!("`{}` fetches bytes nobody records: {}", command.name, fetch.what));
            }
        }
    }
}
