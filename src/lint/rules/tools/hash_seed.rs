//! R089: a script writes a file while its hashes are in random order.

use super::super::edits::before;
use super::super::python::is_python;
use super::super::written::is_written;
use crate::finding::Severity;
use crate::lint::file::File;
use crate::lint::fix::Fix;
use crate::lint::rule::{Findings, Lock, Rule};
use crate::lint::shell::Word;

/// The rule.
pub static RULE: Rule = Rule {
    code: "R089",
    name: "hash-seed",
    severity: Severity::Note,
    lock: Lock::No,
    ships: false,
    summary: "a script writes a file while its hashes are in random order",
    why: "Python and Perl seed their hashes anew in each process.",
    quiet: "`PYTHONHASHSEED=0`, `PERL_HASH_SEED=0`",
    help: "`ENV PYTHONHASHSEED=0`, or `run-env = { PYTHONHASHSEED = \"0\" }` in repro.toml",
    check,
};

fn check(file: &File<'_>, findings: &mut Findings) {
    for run in &file.runs {
        for (index, command) in run.numbered() {
            let (end, seed) = match command.name.as_str() {
                "perl" => (".pl", "PERL_HASH_SEED"),
                _ if is_python(command) => (".py", "PYTHONHASHSEED"),
                _ => continue,
            };
            let is_script = command.operands().next().is_some_and(|word| word.text().ends_with(end));
            let names_output =
                command.words.iter().map(Word::text).any(|word| {
                    matches!(word, "-o" | "--output" | "--out" | "--outfile") || word.starts_with("--output=")
                });
            let is_set = file.sees(run.stage, run.position, seed)
                || run.commands[..=index].iter().any(|command| command.variable(seed).is_some());
            if is_script && (names_output || is_written(run, index)) && !is_set {
                let fix = Fix::one(format!("set {seed}"), before(file, command, &format!("{seed}=0 ")));
                findings.add_fixable(command.span, "iteration order of hashes is random", fix);
            }
        }
    }
}
