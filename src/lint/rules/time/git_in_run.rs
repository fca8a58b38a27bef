//! R045: a RUN asks git about the clone.

use super::super::git::{git_subcommand, pins_commit};
use crate::finding::Severity;
use crate::lint::file::{File, Run};
use crate::lint::rule::{Findings, Lock, Rule};
use crate::lint::shell::{Command, Inside, Word};

/// The rule.
pub static RULE: Rule = Rule {
    code: "R045",
    name: "git-in-run",
    severity: Severity::Warning,
    lock: Lock::Part,
    ships: false,
    summary: "a RUN asks git about the clone",
    why: "The answer depends on the depth of the clone, on tags, on changes that are not committed, and on `.git` being there at all.",
    quiet: "a repository that the same RUN cloned at a whole commit id",
    help: "pass the version as a build argument of the manifest and keep `.git` out of the context",
    check,
};

const PLUGINS: [&str; 9] = [
    "setuptools-scm",
    "setuptools_scm",
    "hatch-vcs",
    "hatch_vcs",
    "versioneer",
    "vergen",
    "gradle-git",
    "gradle-git-version",
    "gradle-git-properties",
];

fn check(file: &File<'_>, findings: &mut Findings) {
    for run in &file.runs {
        let is_pinned = run.commands.iter().any(|command| git_subcommand(command) == "clone")
            && run.commands.iter().any(pins_commit);
        for command in &run.commands {
            let sub = git_subcommand(command);
            if matches!(sub, "describe" | "log" | "rev-parse" | "status" | "show")
                && !is_pinned
                && !is_tested(run, command)
            {
                findings.add(command.span, format!("`git {sub}` depends on the clone, not on the files"));
            }
            let plugin =
                command.words.iter().map(Word::text).find_map(|word| PLUGINS.iter().find(|plugin| named(word, plugin)));
            let pretends = file.value(run.stage, run.position, "SETUPTOOLS_SCM_PRETEND_VERSION").is_some()
                || command.variable("SETUPTOOLS_SCM_PRETEND_VERSION").is_some();
            if let Some(plugin) = plugin.filter(|_| !pretends && !command.is(&["echo", "printf", "grep", "sed"])) {
                findings.add(command.span, format!("`{plugin}` takes the version from the clone, not from the files"));
            }
        }
    }
}

/// A test of the shell is all that sees the answer, and `git status` is asked for nothing else then.
fn is_tested(run: &Run, command: &Command) -> bool {
    let Inside::Substitution { outer: Some(outer), .. } = &command.inside else { return false };
    git_subcommand(command) == "status" && run.commands[*outer].is(&["[", "test"])
}

/// A requirement names the plugin: `setuptools-scm`, `setuptools_scm[toml]>=6`.
fn named(word: &str, plugin: &str) -> bool {
    word.strip_prefix(plugin)
        .is_some_and(|rest| !rest.starts_with(|c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '/')))
}
