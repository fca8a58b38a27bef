//! R050: a package manager leaves logs.

use super::super::cleanup::remove_at_end;
use super::super::managers::{Manager, installs};
use super::super::removed::is_gone;
use super::super::text::image_name;
use crate::finding::Severity;
use crate::lint::file::File;
use crate::lint::file::Run;
use crate::lint::rule::{Findings, Lock, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    code: "R050",
    name: "pkg-logs",
    severity: Severity::Warning,
    lock: Lock::No,
    ships: true,
    summary: "a package manager leaves logs",
    why: "They hold times.",
    quiet: "removed later in the RUN; a mount on the directory; scrub profiles; Alpine before 3.23, whose apk writes none",
    help: "append `&& find /var/log -type f -delete`",
    check,
};

fn check(file: &File<'_>, findings: &mut Findings) {
    for run in &file.runs {
        for (index, command) in run.numbered() {
            let Some(manager) = installs(command) else { continue };
            let logs: &[&str] = match manager {
                Manager::Apt => &["/var/log/apt/history.log", "/var/log/dpkg.log", "/var/log/alternatives.log"],
                Manager::Apk if writes_log(file, run) => &["/var/log/apk.log"],
                Manager::Apk => continue,
                Manager::Rpm if command.name == "dnf5" => &["/var/log/dnf5.log"],
                Manager::Rpm => &["/var/log/dnf.log", "/var/log/hawkey.log"],
                Manager::Zypper => &["/var/log/zypp/history", "/var/log/zypper.log"],
                Manager::Pacman => &["/var/log/pacman.log"],
            };
            let left: Vec<&str> = logs
                .iter()
                .copied()
                .filter(|log| !is_gone(run, index, log) && file.stages[run.stage].ships_path(log))
                .collect();
            if !left.is_empty() {
                let all: &[&str] = match manager {
                    Manager::Apt => &["/var/log/apt/*", "/var/log/dpkg.log", "/var/log/alternatives.log"],
                    Manager::Rpm => &["/var/log/dnf*", "/var/log/hawkey.log"],
                    Manager::Zypper => &["/var/log/zypp/*", "/var/log/zypper.log"],
                    Manager::Apk | Manager::Pacman => logs,
                };
                let last = run.numbered().filter(|(_, command)| installs(command) == Some(manager)).last();
                let fix = remove_at_end(file, run, last.map_or(index, |(last, _)| last), all);
                let message = format!("logs with times stay in the layer: {}", left.join(" "));
                findings.add_fixable(command.span, message, fix);
                break;
            }
        }
    }
}

/// apk-tools 3, which Alpine has since 3.23, writes a log.
fn writes_log(file: &File<'_>, run: &Run) -> bool {
    let Some(reference) = file.root_image(run.stage) else { return true };
    let name = image_name(reference);
    let tag = name.tag.unwrap_or_default();
    let version = match name.repository.rsplit('/').next() {
        Some("alpine") => tag,
        _ => tag.split("alpine").nth(1).unwrap_or_default(),
    };
    let mut numbers = version.trim_start_matches('v').split('.').map(|part| part.parse::<u32>().ok());
    match (numbers.next().flatten(), numbers.next().flatten()) {
        (Some(major), Some(minor)) => (major, minor) >= (3, 23),
        _ => true,
    }
}
