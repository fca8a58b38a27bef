//! R034: the version of a toolchain is chosen on the day of the build.

use super::super::text::{holds_date, is_exact_version};
use crate::finding::Severity;
use crate::lint::file::File;
use crate::lint::rule::{Findings, Lock, Rule};
use crate::lint::shell::Command;

/// The rule.
pub static RULE: Rule = Rule {
    code: "R034",
    name: "toolchain-floating",
    severity: Severity::Error,
    lock: Lock::No,
    ships: false,
    summary: "the version of a toolchain is chosen on the day of the build",
    why: "`stable`, `latest` and `--lts` are names that move.",
    quiet: "exact versions; a date behind the channel; `rust-toolchain.toml` or `.nvmrc` with an exact version",
    help: "take the toolchain from a pinned image: `COPY --from=rust:1.88@sha256:…`",
    check,
};

fn check(file: &File<'_>, findings: &mut Findings) {
    for run in &file.runs {
        for command in &run.commands {
            if !command.any_long(&["--help"]) && moves(command) {
                findings.add(command.span, "the toolchain version is chosen on the day of the build");
            }
        }
    }
}

fn moves(command: &Command) -> bool {
    let words: Vec<&str> = command
        .operands_without(&[
            "-n",
            "--name",
            "-p",
            "--prefix",
            "-c",
            "--channel",
            "--profile",
            "-t",
            "--target",
            "--component",
            "--default-toolchain",
            "--default-host",
            "-f",
            "--file",
            "--repo",
        ])
        .iter()
        .map(|word| word.text())
        .collect();
    let (sub, rest) = (words.first().copied().unwrap_or_default(), words.get(1..).unwrap_or_default());
    let last = rest.last().copied().unwrap_or_default();
    match command.name.as_str() {
        "rustup" => match (sub, rest.first().copied()) {
            ("toolchain", Some("install" | "add" | "update")) => rest[1..].iter().any(|channel| is_channel(channel)),
            ("install" | "default" | "update" | "up", Some(_)) => rest.iter().any(|channel| is_channel(channel)),
            ("override", Some("set")) => rest[1..].iter().any(|channel| is_channel(channel)),
            ("update" | "up", None) => true,
            ("target" | "component", _) => false,
            _ => false,
        },
        "rustup-init" | "rustup-init.sh" => default_toolchain(command).is_none_or(is_channel),
        "sh" | "bash" => default_toolchain(command).is_some_and(is_channel),
        "nvm" | "fnm" | "volta" | "n" => {
            let names: &[&str] = if command.name == "n" { &words } else { rest };
            let installs = command.name == "n" || sub == "install";
            let floats = |name: &str| {
                let version = name.strip_prefix("node@").unwrap_or(name);
                matches!(version, "node" | "latest" | "stable" | "lts" | "current")
                    || version.starts_with("lts/")
                    || version.starts_with("lts-")
            };
            installs && (command.any_long(&["--lts", "--latest"]) || names.iter().any(|name| floats(name)))
        }
        "pyenv" | "rbenv" | "asdf" | "nodenv" | "goenv" | "mise" => {
            matches!(sub, "install" | "use" | "global")
                && rest.iter().any(|word| *word == "latest" || word.starts_with("latest:") || word.ends_with("@latest"))
        }
        "conda" | "mamba" | "micromamba" => matches!(sub, "install" | "create" | "update") && conda(command, rest),
        "sdk" => sub == "install",
        "playwright" => sub == "install",
        "npx" | "pnpx" | "bunx" => {
            words.windows(2).any(|pair| pair[0].split('@').next() == Some("playwright") && pair[1] == "install")
        }
        "yarn" | "pnpm" => words.windows(2).any(|pair| pair == ["playwright", "install"]),
        "helm" => {
            (matches!(sub, "install" | "pull" | "fetch" | "upgrade")
                || sub == "plugin" && rest.first() == Some(&"install"))
                && !command.long("--version")
        }
        "kubectl" => sub == "krew" && rest.first() == Some(&"install") && !last.is_empty(),
        "kubectl-krew" | "krew" => sub == "install",
        _ if command.name.starts_with("python") => {
            command.text_of(&["-m"]) == Some("playwright") && command.word("install")
        }
        _ => false,
    }
}

/// The value of `--default-toolchain`, which stands behind `--` where a script is read from a pipe.
fn default_toolchain(command: &Command) -> Option<&str> {
    let words: Vec<&str> = command.words.iter().map(|word| word.text()).collect();
    let joined = words.iter().find_map(|word| word.strip_prefix("--default-toolchain="));
    let apart = words.windows(2).find(|pair| pair[0] == "--default-toolchain").map(|pair| pair[1]);
    joined.or(apart)
}

/// A channel without a date.
fn is_channel(name: &str) -> bool {
    let channel = ["stable", "beta", "nightly"].iter().find_map(|channel| name.strip_prefix(channel));
    channel.is_some_and(|rest| (rest.is_empty() || rest.starts_with('-')) && !holds_date(rest))
}

/// Packages without a build: `name=1.2=py312_0` is one.
fn conda(command: &Command, packages: &[&str]) -> bool {
    if command.any_long(&["--file", "--clone", "--offline"]) || command.short('f', "npc") {
        return false;
    }
    let is_explicit = |package: &str| {
        let mut parts = package.trim_matches(['"', '\'']).split('=').filter(|part| !part.is_empty());
        let (_, version, build) = (parts.next(), parts.next(), parts.next());
        package.ends_with(".conda")
            || package.ends_with(".tar.bz2")
            || version.is_some_and(|version| is_exact_version(version) || !version.contains('*'))
                && build.is_some_and(|build| !build.contains('*'))
    };
    command.long("--all") || packages.iter().any(|package| !is_explicit(package))
}
