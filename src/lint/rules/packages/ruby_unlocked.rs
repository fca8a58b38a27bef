//! R031: gems are resolved when the image is built.

use super::super::edits::before;
use crate::finding::Severity;
use crate::lint::file::File;
use crate::lint::file::Run;
use crate::lint::fix::Fix;
use crate::lint::rule::{Findings, Lock, Rule};
use crate::lint::shell::Command;

/// The rule.
pub static RULE: Rule = Rule {
    code: "R031",
    name: "ruby-unlocked",
    severity: Severity::Warning,
    lock: Lock::Part,
    ships: false,
    summary: "gems are resolved when the image is built",
    why: "The newest version that fits is taken.",
    quiet: "`bundle install` with a frozen or deployment setting; `gem install` of a version is a remark, what it depends on still moves",
    help: "`BUNDLE_FROZEN=true bundle install`",
    check,
};

const VALUES: &[&str] = &[
    "-v",
    "--version",
    "-i",
    "--install-dir",
    "-n",
    "--bindir",
    "-s",
    "--source",
    "-p",
    "--platform",
    "--gemfile",
    "--path",
    "-j",
    "--jobs",
    "--without",
    "--with",
    "--retry",
];

fn check(file: &File<'_>, findings: &mut Findings) {
    for run in &file.runs {
        for (index, command) in run.numbered() {
            let operands = command.operands_without(VALUES);
            let sub = operands.first().map_or("", |word| word.text());
            let gems = operands.get(1..).unwrap_or_default();
            match (command.name.as_str(), sub) {
                ("gem", "install" | "i" | "update") => {
                    let is_local = command.long("--local")
                        || command.short('l', "vinsp")
                        || !gems.is_empty() && gems.iter().all(|gem| gem.text().ends_with(".gem"));
                    let is_pinned = command.short('v', "insp")
                        || command.long("--version")
                        || !gems.is_empty() && gems.iter().all(|gem| gem.text().contains(':'));
                    let message = "gem versions are resolved now";
                    match (is_local, is_pinned && sub != "update") {
                        (true, _) => {}
                        (false, true) => {
                            findings.add_as(Severity::Note, command.span, "what the gem depends on is resolved now")
                        }
                        (false, false) => findings.add(command.span, message),
                    }
                }
                ("bundle" | "bundler", "" | "install")
                    if !command.any_long(&["--frozen", "--deployment", "--version", "--help", "--local"])
                        && !is_frozen(file, run, index) =>
                {
                    let edit = before(file, command, "BUNDLE_FROZEN=true ");
                    let has_lock = file.surroundings.may_hold(&["Gemfile.lock", "gems.locked"]);
                    let fix = Fix::one("set BUNDLE_FROZEN", edit.filter(|_| has_lock));
                    findings.add_fixable(command.span, "gem versions are resolved now", fix);
                }
                ("bundle" | "bundler", "update" | "add") => findings.add(command.span, "gem versions are resolved now"),
                _ => {}
            }
        }
    }
}

/// A setting before the command: a variable, or `bundle config`.
fn is_frozen(file: &File<'_>, run: &Run, index: usize) -> bool {
    let command = &run.commands[index];
    let by_variable = ["BUNDLE_FROZEN", "BUNDLE_DEPLOYMENT"].iter().any(|name| {
        let exported = run.commands[..index]
            .iter()
            .rev()
            .find_map(|command| command.variable(name).filter(|_| command.words.is_empty()));
        let own = command.variable(name).or(exported).map(str::to_owned);
        own.or_else(|| file.value(run.stage, run.position, name))
            .is_some_and(|value| matches!(value.as_str(), "1" | "true" | "yes"))
    });
    let configures = |command: &Command| {
        let words: Vec<&str> = command.operands().map(|word| word.text()).collect();
        command.is(&["bundle", "bundler"])
            && words.first() == Some(&"config")
            && words
                .windows(2)
                .any(|pair| matches!(pair[0], "frozen" | "deployment") && matches!(pair[1], "true" | "1" | "yes"))
    };
    by_variable || file.runs_before(run).flat_map(|run| &run.commands).chain(&run.commands[..index]).any(configures)
}
