//! R066: a key or a salted password is made.

use crate::finding::Severity;
use crate::lint::file::File;
use crate::lint::rule::{Findings, Lock, Rule};
use crate::lint::shell::{Command, Word};

/// The rule.
pub static RULE: Rule = Rule {
    code: "R066",
    name: "generated-key",
    severity: Severity::Error,
    lock: Lock::No,
    ships: false,
    summary: "a key or a salted password is made",
    why: "It is another in each build, and every user of the image would share it.",
    quiet: "commands that only look at keys",
    help: "move it to the entrypoint",
    check,
};

fn check(file: &File<'_>, findings: &mut Findings) {
    for run in &file.runs {
        for command in &run.commands {
            if !command.any_long(&["--help", "--version"]) && makes(command) {
                findings.add(command.span, "every user of the image would share this secret");
            }
        }
    }
}

fn makes(command: &Command) -> bool {
    let words = || command.words.iter().map(Word::text);
    let has = |text: &str| command.word(text);
    match command.name.as_str() {
        "ssh-keygen" => !words().any(|word| {
            let letters = word.strip_prefix('-').unwrap_or_default();
            letters.starts_with(['l', 'y', 'F', 'R', 'e', 'i', 'H', 'B', 'c', 'p', 'Y', 'Q', 'k', 'L', 's'])
        }),
        "keytool" => words().any(|word| word.starts_with("-genkey") || word == "-genseckey"),
        "openssl" => match words().next().unwrap_or_default() {
            "req" => has("-x509") && !has("-key") || has("-x509") && has("-newkey"),
            "genrsa" | "genpkey" | "gendsa" => true,
            "dhparam" => !has("-in"),
            "ecparam" => has("-genkey"),
            "passwd" => !has("-salt"),
            _ => false,
        },
        "gpg" | "gpg2" => words().any(|word| {
            ["--gen-key", "--generate-key", "--full-gen", "--quick-gen"].iter().any(|option| word.starts_with(option))
        }),
        "dbus-uuidgen" => !words().any(|word| word.starts_with("--get")),
        "make-ssl-cert" | "systemd-machine-id-setup" => true,
        "wg" => matches!(words().next(), Some("genkey" | "genpsk")),
        "htpasswd" => !command.short('v', "C") && !command.short('D', "C"),
        "mkpasswd" => !command.short('S', "mRP") && !command.long("--salt"),
        _ => false,
    }
}
