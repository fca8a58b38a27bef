//! R061: a Java keystore is written.

use super::super::managers::{installs, package_name, packages};
use super::super::removed::is_gone;
use crate::finding::Severity;
use crate::lint::file::File;
use crate::lint::rule::{Findings, Lock, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    code: "R061",
    name: "java-cacerts",
    severity: Severity::Warning,
    lock: Lock::No,
    ships: true,
    summary: "a Java keystore is written",
    why: "Each entry stores the time of its import, to the millisecond.",
    quiet: "removed later in the RUN",
    help: "copy a keystore that was built once from a pinned PEM bundle, or remove `/etc/ssl/certs/java/cacerts` where Java reads PEM",
    check,
};

const STORES: [&str; 2] = ["/etc/ssl/certs/java/cacerts", "/etc/pki/ca-trust/extracted/java/cacerts"];

fn check(file: &File<'_>, findings: &mut Findings) {
    for run in &file.runs {
        let stage = &file.stages[run.stage];
        for (index, command) in run.numbered() {
            let by_package =
                installs(command).is_some() && packages(command).iter().any(|word| is_java(package_name(word.text())));
            let by_tool = command.name == "update-ca-trust"
                || command.name == "keytool"
                    && command
                        .words
                        .iter()
                        .any(|word| matches!(word.text(), "-importcert" | "-import" | "-importkeystore"));
            let ships = stage.ships_any(&STORES)
                || by_tool && command.name == "keytool" && stage.ships_any(&["/opt/java/openjdk/lib/security/cacerts"]);
            if (by_package || by_tool) && ships && !STORES.iter().any(|store| is_gone(run, index, store)) {
                findings.add(command.span, "the Java keystore stores the time of import");
            }
        }
    }
}

fn is_java(package: &str) -> bool {
    ["default-jre", "default-jdk", "openjdk"].iter().any(|start| package.starts_with(start))
        || matches!(package, "ca-certificates-java" | "java-cacerts")
        || package.starts_with("java-") && package.contains("openjdk")
}
