//! R032: composer or pecl resolves versions when the image is built.

use super::super::edits::instead;
use crate::finding::Severity;
use crate::lint::file::File;
use crate::lint::fix::Fix;
use crate::lint::rule::{Findings, Lock, Rule};
use crate::lint::shell::Command;

/// The rule.
pub static RULE: Rule = Rule {
    code: "R032",
    name: "php-unlocked",
    severity: Severity::Warning,
    lock: Lock::Part,
    ships: false,
    summary: "composer or pecl resolves versions when the image is built",
    why: "The newest version that fits is taken.",
    quiet: "`composer install` with a lock file; `pecl install` of a version",
    help: "`composer install --no-dev --no-interaction` with `composer.lock` copied first",
    check,
};

fn check(file: &File<'_>, findings: &mut Findings) {
    for run in &file.runs {
        for command in &run.commands {
            let Some(words) = composer(command) else {
                if command.name == "pecl"
                    && let Some(package) = pecl(command)
                {
                    findings.add(command.span, format!("`pecl install {package}` takes the newest version"));
                }
                continue;
            };
            let sub = match words.first() {
                Some(&"global") => words.get(1),
                first => first,
            };
            if let Some(sub) = sub
                .filter(|sub| matches!(**sub, "update" | "u" | "upgrade" | "require" | "req" | "r" | "create-project"))
            {
                let fix = installed(file, command, sub);
                findings.add_fixable(command.span, format!("`composer {sub}` resolves versions now"), fix);
            }
        }
    }
}

/// The words of composer, called as a program or through php.
fn composer(command: &Command) -> Option<Vec<&str>> {
    let words: Vec<&str> = command.operands_without(&["-d", "--working-dir"]).iter().map(|word| word.text()).collect();
    match command.name.as_str() {
        "composer" | "composer.phar" => Some(words),
        "php" => words
            .first()
            .is_some_and(|script| script.ends_with("composer.phar") || script.ends_with("/composer"))
            .then(|| words[1..].to_vec()),
        _ => None,
    }
}

/// A package of `pecl install` without a version.
fn pecl(command: &Command) -> Option<&str> {
    let words: Vec<&str> =
        command.operands_without(&["-D", "--configureoptions"]).iter().map(|word| word.text()).collect();
    let versioned = |word: &str| {
        word.rsplit_once('-').is_some_and(|(_, version)| version.starts_with(|c: char| c.is_ascii_digit() || c == '$'))
            || word.ends_with(".tgz")
            || word.ends_with(".xml")
    };
    matches!(words.first(), Some(&"install" | &"upgrade"))
        .then(|| words[1..].iter().copied().find(|word| !versioned(word)))?
}

/// `composer install` instead, where no packages are named and no option means an update alone.
fn installed(file: &File<'_>, command: &Command, sub: &str) -> Option<Fix> {
    const SHARED: [&str; 14] = [
        "-n",
        "-o",
        "-q",
        "-v",
        "--classmap-authoritative",
        "--ignore-platform-reqs",
        "--no-dev",
        "--no-interaction",
        "--no-plugins",
        "--no-progress",
        "--no-scripts",
        "--optimize-autoloader",
        "--prefer-dist",
        "--quiet",
    ];
    let is_plain = command.words.iter().all(|word| word.text() == sub || SHARED.contains(&word.text()));
    let word = command.words.iter().find(|word| word.text() == sub)?;
    let fits = is_plain && matches!(sub, "update" | "u" | "upgrade") && file.surroundings.may_hold(&["composer.lock"]);
    Fix::one("take `composer install`", instead(file, word, "install").filter(|_| fits))
}
