//! R068: a database is initialised.

use super::super::removed::is_mounted;
use crate::finding::Severity;
use crate::lint::file::File;
use crate::lint::rule::{Findings, Lock, Rule};
use crate::lint::shell::{Command, Word};

/// The rule.
pub static RULE: Rule = Rule {
    code: "R068",
    name: "database-init",
    severity: Severity::Warning,
    lock: Lock::No,
    ships: false,
    summary: "a database is initialised",
    why: "Its files hold random identifiers and times.",
    quiet: "`--help`, `--version`; a data directory on a mount",
    help: "initialise it in the entrypoint",
    check,
};

fn check(file: &File<'_>, findings: &mut Findings) {
    for run in &file.runs {
        for command in &run.commands {
            let directory = command.text_of(&["-D", "--pgdata", "--datadir", "--dbpath", "--data-dir", "--ldata"]);
            if initialises(command) && !directory.is_some_and(|directory| is_mounted(run, directory)) {
                findings.add(command.span, format!("`{}` writes random identifiers and times", command.name));
            }
        }
    }
}

fn initialises(command: &Command) -> bool {
    let asks =
        command.any_long(&["--help", "--version"]) || ["-V", "-?", "-h"].iter().any(|option| command.word(option));
    let does = match command.name.as_str() {
        "initdb" | "pg_createcluster" | "mariadb-install-db" | "mysql_install_db" | "mongod" | "etcd" | "slapadd" => {
            true
        }
        "pg_ctl" => command.word("init") || command.word("initdb"),
        "mysqld" | "mariadbd" => command.words.iter().map(Word::text).any(|word| word.starts_with("--initialize")),
        _ => false,
    };
    does && !asks
}
