//! R105: a local archive is unpacked with the owners, modes and times in it.

use crate::dockerfile::syntax::Command;
use crate::finding::Severity;
use crate::lint::file::File;
use crate::lint::rule::{Findings, Lock, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    code: "R105",
    name: "add-archive",
    severity: Severity::Note,
    lock: Lock::Part,
    ships: false,
    summary: "a local archive is unpacked with the owners, modes and times in it",
    why: "Whoever packs it again gets others.",
    quiet: "`--unpack=false`; archives behind a URL, which are not unpacked",
    help: "build the archive as R070 says, or commit the tree",
    check,
};

const ENDS: [&str; 10] =
    [".tar", ".tar.gz", ".tgz", ".tar.xz", ".txz", ".tar.bz2", ".tbz2", ".tbz", ".tar.zst", ".taz"];

fn check(file: &File<'_>, findings: &mut Findings) {
    for placed in file.instructions() {
        let Command::Add(add) = &placed.instruction.command else { continue };
        for source in &add.transfer.sources {
            let path = file.expand(placed.stage.index, placed.position, source).text;
            if ENDS.iter().any(|end| path.ends_with(end)) && !path.contains("://") && add.unpack != Some(false) {
                findings.add(placed.span_of(&source.lossy()), "metadata of the archive is taken over");
            }
        }
    }
}
