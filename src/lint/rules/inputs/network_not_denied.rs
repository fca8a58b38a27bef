//! R018: a RUN has the network and no command that is known to need it.

use super::super::network::uses_network;
use crate::dockerfile::syntax::Network;
use crate::finding::Severity;
use crate::lint::file::File;
use crate::lint::rule::{Findings, Lock, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    code: "R018",
    name: "network-not-denied",
    severity: Severity::Note,
    lock: Lock::Part,
    ships: false,
    summary: "a RUN has the network and no command that is known to need it",
    why: "A step that says it runs offline is one that nobody has to look at for downloads.",
    quiet: "`--network=none`; commands that are known to use the network; scripts that could not be read",
    help: "`RUN --network=none make install`",
    check,
};

fn check(file: &File<'_>, findings: &mut Findings) {
    for run in &file.runs {
        let is_open = run.network == Network::Default && run.is_read && !run.commands.is_empty();
        if is_open && !run.commands.iter().any(uses_network) {
            findings.add(run.keyword, "this step can run offline, say so");
        }
    }
}
