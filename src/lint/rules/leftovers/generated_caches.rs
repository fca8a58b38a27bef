//! R058: a tool writes a cache of what is installed.

use super::super::managers::{installs, package_name, packages};
use super::super::removed::is_gone;
use crate::finding::Severity;
use crate::lint::file::File;
use crate::lint::rule::{Findings, Lock, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    code: "R058",
    name: "generated-caches",
    severity: Severity::Note,
    lock: Lock::No,
    ships: true,
    summary: "a tool writes a cache of what is installed",
    why: "It follows the order of directories and holds their times.",
    quiet: "removed later in the RUN; stages that do not ship",
    help: "`rm -rf /var/cache/fontconfig /var/cache/man`",
    check,
};

const TOOLS: [(&str, &str); 7] = [
    ("fc-cache", "/var/cache/fontconfig/x.cache-9"),
    ("mandb", "/var/cache/man/x"),
    ("update-mime-database", "/usr/share/mime/mime.cache"),
    ("gtk-update-icon-cache", "/usr/share/icons/x/icon-theme.cache"),
    ("glib-compile-schemas", "/usr/share/glib-2.0/schemas/gschemas.compiled"),
    ("localedef", "/usr/lib/locale/locale-archive"),
    ("update-desktop-database", "/usr/share/applications/mimeinfo.cache"),
];

fn check(file: &File<'_>, findings: &mut Findings) {
    for run in &file.runs {
        for (index, command) in run.numbered() {
            let by_tool =
                TOOLS.iter().find(|(tool, _)| *tool == command.name && !command.any_long(&["--help", "--version"]));
            let by_package = || {
                let named = |word: &str| match package_name(word) {
                    "man-db" => Some("/var/cache/man/x"),
                    "desktop-file-utils" => Some("/usr/share/applications/mimeinfo.cache"),
                    "fontconfig" => Some("/var/cache/fontconfig/x.cache-9"),
                    name if name.starts_with("fonts-") || name.starts_with("ttf-") || name.starts_with("font-") => {
                        Some("/var/cache/fontconfig/x.cache-9")
                    }
                    _ => None,
                };
                installs(command).and_then(|_| {
                    packages(command)
                        .into_iter()
                        .find_map(|word| named(word.text()).map(|path| (word.text().to_owned(), path)))
                })
            };
            let found = by_tool.map(|(tool, path)| ((*tool).to_owned(), *path)).or_else(by_package);
            if let Some((tool, path)) = found
                && file.stages[run.stage].ships_path(path)
                && !is_gone(run, index, path)
            {
                findings
                    .add(command.span, format!("`{tool}` writes a cache that depends on directory order and times"));
            }
        }
    }
}
