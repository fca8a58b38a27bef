//! Package managers of systems: what a command does with packages.

use crate::lint::file::{File, Run};
use crate::lint::shell::{Command, RedirectKind, Word};

use super::text::{holds_date, holds_date_or_commit, holds_stamp, image_name};

/// A family of package managers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Manager {
    Apt,
    Apk,
    Rpm,
    Zypper,
    Pacman,
}

/// Options of apt that take the next word.
pub(super) const APT_VALUES: &[&str] = &[
    "-o",
    "--option",
    "-c",
    "--config-file",
    "-t",
    "--target-release",
    "--default-release",
    "-a",
    "--host-architecture",
    "-S",
    "--snapshot",
];
const APK_VALUES: &[&str] = &[
    "-t",
    "--virtual",
    "-X",
    "--repository",
    "-p",
    "--root",
    "--keys-dir",
    "--repositories-file",
    "--cache-dir",
    "--wait",
    "--arch",
    "-o",
    "--output",
];
const RPM_VALUES: &[&str] = &[
    "-c",
    "--config",
    "-d",
    "-e",
    "-R",
    "-x",
    "--exclude",
    "--repo",
    "--repoid",
    "--enablerepo",
    "--disablerepo",
    "--installroot",
    "--releasever",
    "--setopt",
    "--advisory",
    "--comment",
    "--downloaddir",
    "--forcearch",
    "--repofrompath",
];
const ZYPPER_VALUES: &[&str] = &[
    "-R",
    "--root",
    "--installroot",
    "-r",
    "--repo",
    "--from",
    "-C",
    "--cache-dir",
    "-D",
    "--reposd-dir",
    "-t",
    "--type",
    "-c",
    "--config",
];
const PACMAN_VALUES: &[&str] =
    &["-r", "--root", "-b", "--dbpath", "--config", "--cachedir", "--ignore", "--overwrite", "--arch"];

/// The family that a command belongs to.
pub(super) fn manager(command: &Command) -> Option<Manager> {
    Some(match command.name.as_str() {
        "apt-get" | "apt" | "aptitude" | "apt-fast" => Manager::Apt,
        "apk" => Manager::Apk,
        "dnf" | "dnf5" | "yum" | "microdnf" | "tdnf" | "dnf-3" => Manager::Rpm,
        "zypper" => Manager::Zypper,
        "pacman" | "yay" | "paru" | "pacstrap" => Manager::Pacman,
        _ => return None,
    })
}

fn values(manager: Manager) -> &'static [&'static str] {
    match manager {
        Manager::Apt => APT_VALUES,
        Manager::Apk => APK_VALUES,
        Manager::Rpm => RPM_VALUES,
        Manager::Zypper => ZYPPER_VALUES,
        Manager::Pacman => PACMAN_VALUES,
    }
}

/// The subcommand; for pacman, nothing.
pub(super) fn subcommand(command: &Command) -> &str {
    manager(command)
        .filter(|manager| *manager != Manager::Pacman)
        .map_or("", |manager| command.subcommand(values(manager)))
}

/// pacman works on the sync databases to install or refresh: `-S` without a letter that only asks or cleans.
pub(super) fn is_sync(command: &Command) -> bool {
    let sync = command.short('S', "") || command.long("--sync");
    let asks = ['s', 'i', 'l', 'g', 'c', 'p'].iter().any(|letter| command.short(*letter, ""));
    command.name == "pacstrap"
        || sync && !asks && !command.any_long(&["--search", "--info", "--list", "--groups", "--clean", "--print"])
}

/// The family, if the command installs something.
pub(super) fn installs(command: &Command) -> Option<Manager> {
    let manager = manager(command)?;
    let sub = subcommand(command);
    let asks = command.any_long(&["--help", "--version", "--download-only", "--print-uris", "--simulate", "--dry-run"])
        || manager == Manager::Apt && (command.short('s', "otca") || command.short('d', "otca"));
    let does = match manager {
        Manager::Apt => matches!(
            sub,
            "install"
                | "build-dep"
                | "upgrade"
                | "dist-upgrade"
                | "full-upgrade"
                | "safe-upgrade"
                | "reinstall"
                | "satisfy"
        ),
        Manager::Apk => matches!(sub, "add" | "upgrade"),
        Manager::Rpm => {
            matches!(
                sub,
                "install"
                    | "in"
                    | "reinstall"
                    | "localinstall"
                    | "groupinstall"
                    | "builddep"
                    | "update"
                    | "upgrade"
                    | "distro-sync"
                    | "swap"
                    | "downgrade"
            ) || matches!(sub, "group" | "module" | "groups") && command.word("install")
        }
        Manager::Zypper => matches!(
            sub,
            "install" | "in" | "update" | "up" | "dup" | "dist-upgrade" | "patch" | "source-install" | "si"
        ),
        Manager::Pacman => {
            is_sync(command)
                && (!packages(command).is_empty() || command.short('u', "") || command.long("--sysupgrade"))
        }
    };
    (does && !asks).then_some(manager)
}

/// The packages that are named.
pub(super) fn packages(command: &Command) -> Vec<&Word> {
    let Some(manager) = manager(command) else { return Vec::new() };
    let operands = command.operands_without(values(manager));
    let skip = usize::from(manager != Manager::Pacman);
    operands.into_iter().skip(skip).collect()
}

/// A package's name without version, architecture and release.
pub(super) fn package_name(word: &str) -> &str {
    let end = word.find(['=', '/', ':', '<', '>', '~', '@']).unwrap_or(word.len());
    word[..end].trim_end_matches('+')
}

/// The image that a stage is built from in the end is Alpine or BusyBox: musl, BusyBox tools.
pub(super) fn is_alpine(file: &File<'_>, stage: usize) -> bool {
    let Some(reference) = file.root_image(stage) else { return false };
    let name = image_name(reference);
    let last = name.repository.rsplit('/').next().unwrap_or_default();
    matches!(last, "alpine" | "busybox")
        || name.tag.is_some_and(|tag| tag.contains("alpine"))
        || last.ends_with("-alpine")
}

/// The text that a command writes or passes on: its words, what it reads from a heredoc, and what feeds it.
fn texts<'a>(run: &'a Run, command: &'a Command) -> impl Iterator<Item = &'a str> {
    let feeding = command.reads.and_then(|index| run.commands.get(index));
    [Some(command), feeding].into_iter().flatten().flat_map(|command| {
        let words = command.words.iter().map(Word::text);
        let bodies = command
            .redirects
            .iter()
            .filter(|redirect| matches!(redirect.kind, RedirectKind::Heredoc | RedirectKind::HereString));
        words.chain(bodies.map(|redirect| redirect.target.text()))
    })
}

/// Whether a command names a path with this in it: as a word or as the target of a redirection.
fn names_path(command: &Command, part: &str) -> bool {
    command.words.iter().any(|word| word.text().contains(part))
        || command
            .redirects
            .iter()
            .any(|redirect| redirect.kind != RedirectKind::Heredoc && redirect.target.text().contains(part))
}

/// Whether packages come from a dated archive at a command: the stage pointed the manager's sources at one before.
pub(super) fn is_dated(file: &File<'_>, run: &Run, index: usize, manager: Manager) -> bool {
    let before = file.runs_before(run).flat_map(|run| run.commands.iter().map(move |command| (run, command)));
    let own = run.commands[..index].iter().map(|command| (run, command));
    let by_command = before.chain(own).any(|(run, command)| {
        if manager == Manager::Apt && command.name.starts_with("repro-sources-list") {
            return true;
        }
        let (path, dated): (&str, fn(&str) -> bool) = match manager {
            Manager::Apt => ("/etc/apt/", is_dated_source),
            Manager::Rpm => (".repo", holds_date_or_commit),
            Manager::Zypper => ("/etc/zypp", holds_date_or_commit),
            Manager::Pacman => ("/etc/pacman", holds_date),
            Manager::Apk => return false,
        };
        names_path(command, path) && texts(run, command).any(dated)
    });
    by_command
        || manager == Manager::Apt && run.commands[index].text_of(&["--snapshot", "-S"]).is_some()
        || by_inline_file(file, run, manager)
}

/// A line of apt's sources that names a snapshot, or computes one from the epoch.
fn is_dated_source(text: &str) -> bool {
    holds_stamp(text) || text.contains('$') && (text.contains("snapshot") || text.contains("/archive/debian"))
}

/// An inline file of the stage that is such a source.
fn by_inline_file(file: &File<'_>, run: &Run, manager: Manager) -> bool {
    let ancestry = file.ancestry(run.stage);
    file.transfers().any(|(placed, transfer, _)| {
        let before = ancestry.contains(&placed.stage.index)
            && (placed.stage.index != run.stage || placed.position < run.position);
        let destination = transfer.destination.lossy();
        before
            && transfer.files.iter().any(|inline| {
                let body = inline.body.lossy();
                match manager {
                    Manager::Apt => destination.contains("/etc/apt/") && is_dated_source(&body),
                    Manager::Rpm => destination.contains("/etc/yum.repos.d") && holds_date_or_commit(&body),
                    Manager::Zypper => destination.contains("/etc/zypp") && holds_date_or_commit(&body),
                    Manager::Pacman => destination.contains("/etc/pacman") && holds_date(&body),
                    Manager::Apk => false,
                }
            })
    })
}
