//! R104: files get an owner by name.

use super::super::text::is_number;
use crate::finding::Severity;
use crate::lint::file::File;
use crate::lint::file::Placed;
use crate::lint::rule::{Findings, Lock, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    code: "R104",
    name: "chown-by-name",
    severity: Severity::Warning,
    lock: Lock::No,
    ships: false,
    summary: "files get an owner by name",
    why: "The name is looked up in the image; one that is not known becomes 0:0 without a word.",
    quiet: "numbers; names that the same file creates with a fixed id",
    help: "`--chown=1000:1000`",
    check,
};

fn check(file: &File<'_>, findings: &mut Findings) {
    for (placed, transfer, _) in file.transfers() {
        let owner = file.expand(placed.stage.index, placed.position, transfer.chown.as_bytes());
        if owner.is_dynamic || transfer.chown.is_empty() {
            continue;
        }
        let name = owner
            .text
            .split(':')
            .find(|name| !name.is_empty() && !is_number(name) && *name != "root" && !is_fixed(file, &placed, name));
        if let Some(name) = name {
            findings.add(
                placed.span_of(&format!("--chown={}", transfer.chown)),
                format!("`{name}` is looked up in the image and may become 0:0"),
            );
        }
    }
}

/// A RUN before it makes the account or group with a number.
fn is_fixed(file: &File<'_>, placed: &Placed<'_, '_>, name: &str) -> bool {
    let ancestry = file.ancestry(placed.stage.index);
    let before = file.runs.iter().filter(|run| {
        ancestry.contains(&run.stage) && (run.stage != placed.stage.index || run.position < placed.position)
    });
    before.flat_map(|run| &run.commands).any(|command| {
        let user =
            command.is(&["useradd", "adduser"]) && (command.short('u', "bcdefgGhkKpRPsZ") || command.long("--uid"));
        let group = command.is(&["groupadd", "addgroup"]) && (command.short('g', "KpPRU") || command.long("--gid"));
        (user || group) && command.words.iter().any(|word| word.text() == name)
    })
}
