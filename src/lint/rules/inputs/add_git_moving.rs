//! R008: `ADD` takes a git reference that can move.

use super::super::pins::with_checksum;
use super::super::text::is_commit;
use crate::dockerfile::syntax::Command;
use crate::finding::Severity;
use crate::lint::file::File;
use crate::lint::rule::{Findings, Lock, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    code: "R008",
    name: "add-git-moving",
    severity: Severity::Error,
    lock: Lock::Yes,
    ships: false,
    summary: "`ADD` takes a git reference that can move",
    why: "Branches move, and tags can be moved.",
    quiet: "a whole commit id; `--checksum`",
    help: "`ADD --checksum=<commit> https://host/org/repo.git#v1.2.0 /src`",
    check,
};

fn check(file: &File<'_>, findings: &mut Findings) {
    for placed in file.instructions() {
        let Command::Add(add) = &placed.instruction.command else { continue };
        if !add.checksum.is_empty() {
            continue;
        }
        for word in &add.transfer.sources {
            let expanded = file.expand(placed.stage.index, placed.position, word);
            if !is_git(&expanded.text) || expanded.is_dynamic && expanded.text.contains('#') {
                continue;
            }
            let (url, reference) = reference(&expanded.text);
            if !reference.as_deref().is_some_and(is_commit) {
                let reference = reference.unwrap_or_else(|| "the default branch".to_owned());
                let fix = with_checksum(file, placed, &add.transfer, &expanded.text);
                findings.add_fixable(placed.span_of(&word.lossy()), format!("`{reference}` of `{url}` can move"), fix);
            }
        }
    }
}

/// The word names a git repository, as BuildKit sees it.
pub(in crate::lint::rules) fn is_git(word: &str) -> bool {
    let address = word.split(['#', '?']).next().unwrap_or_default();
    let is_http = address.starts_with("http://") || address.starts_with("https://");
    let scp = || {
        address
            .split_once(':')
            .is_some_and(|(head, path)| head.contains('@') && !head.contains('/') && !path.starts_with("//"))
    };
    is_http && address.ends_with(".git") || address.starts_with("git://") || address.starts_with("ssh://") || scp()
}

/// The address and what is asked of it: after `#`, up to `:`, or in the query.
fn reference(word: &str) -> (&str, Option<String>) {
    let address = word.split(['#', '?']).next().unwrap_or_default();
    let query = word.split_once('?').map_or("", |(_, rest)| rest.split('#').next().unwrap_or_default());
    for key in ["checksum", "commit", "ref", "tag", "branch"] {
        let found = query.split('&').find_map(|pair| pair.split_once('=').filter(|(name, _)| *name == key));
        if let Some((_, value)) = found {
            return (address, Some(value.to_owned()));
        }
    }
    let fragment = word.split_once('#').map(|(_, fragment)| fragment.split(':').next().unwrap_or_default());
    (address, fragment.filter(|fragment| !fragment.is_empty()).map(str::to_owned))
}
