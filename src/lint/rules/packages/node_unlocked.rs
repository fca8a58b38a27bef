//! R028: packages of npm, yarn, pnpm or bun are resolved when the image is built.

use super::super::edits::{at_end, behind_operand, instead};
use super::super::text::has_exact_version;
use crate::finding::Severity;
use crate::lint::file::File;
use crate::lint::file::Run;
use crate::lint::fix::Fix;
use crate::lint::rule::{Findings, Lock, Rule};
use crate::lint::shell::{Command, Word};

/// The rule.
pub static RULE: Rule = Rule {
    code: "R028",
    name: "node-unlocked",
    severity: Severity::Error,
    lock: Lock::Part,
    ships: false,
    summary: "packages of npm, yarn, pnpm or bun are resolved when the image is built",
    why: "The command reads ranges and takes what the registry has today, instead of what the lock file says.",
    quiet: "`npm ci`, `--frozen-lockfile`, `--immutable`; a global install of exact versions is a warning",
    help: "`npm ci --ignore-scripts`",
    check,
};

/// How a command takes its packages.
enum Taken {
    /// As the lock file says, or none.
    Locked,
    /// Exact versions outside of a project: what they depend on still moves.
    Exact,
    /// Whatever the registry has.
    Resolved,
}

const VALUES: &[&str] = &[
    "--prefix",
    "--registry",
    "--cache",
    "--loglevel",
    "--cwd",
    "--dir",
    "-C",
    "--filter",
    "-F",
    "--userconfig",
    "--omit",
    "--include",
    "-w",
    "--workspace",
    "--cache-folder",
    "--network-timeout",
    "--modules-folder",
    "--mutex",
    "--store-dir",
    "--reporter",
];

fn check(file: &File<'_>, findings: &mut Findings) {
    for run in &file.runs {
        for (index, command) in run.numbered() {
            let message =
                || format!("`{}` resolves versions now instead of reading the lock file", command.brief(VALUES));
            match taken(file, run, index) {
                Taken::Locked => {}
                Taken::Exact => findings.add_as(Severity::Warning, command.span, message()),
                Taken::Resolved => findings.add_fixable(command.span, message(), from_lock_file(file, command)),
            }
        }
    }
}

fn taken(file: &File<'_>, run: &Run, index: usize) -> Taken {
    let command = &run.commands[index];
    let operands = command.operands_without(VALUES);
    let words: Vec<&str> = operands.iter().map(|word| word.text()).collect();
    let sub = words.first().copied().unwrap_or_default();
    let rest = words.get(1..).unwrap_or_default();
    if command.any_long(&["--version", "--help"]) || command.word("-v") && words.is_empty() {
        return Taken::Locked;
    }
    match command.name.as_str() {
        "npm" => match sub {
            "install" | "i" | "add" | "in" | "ins" | "inst" | "isntall" => {
                let is_global = command.short('g', "C")
                    || command.long("--global")
                    || command.text_of(&["--location"]) == Some("global");
                of_packages(is_global, rest)
            }
            "update" | "up" | "upgrade" | "udpate" => Taken::Resolved,
            "exec" | "x" => of_runner(command, rest),
            _ => Taken::Locked,
        },
        "yarn" | "yarnpkg" => match sub {
            "" | "install" => {
                let is_locked = command.any_long(&["--immutable", "--frozen-lockfile", "--immutable-cache"])
                    || is_on(file, run, command, "YARN_ENABLE_IMMUTABLE_INSTALLS");
                locked_if(is_locked)
            }
            "add" | "upgrade" | "up" => Taken::Resolved,
            "global" if rest.first() == Some(&"add") => of_packages(true, &rest[1..]),
            "dlx" => of_runner(command, rest),
            _ => Taken::Locked,
        },
        "pnpm" => match sub {
            "install" | "i" if rest.is_empty() => locked_if(command.any_long(&["--frozen-lockfile"])),
            "install" | "i" | "add" => of_packages(command.short('g', "CF") || command.long("--global"), rest),
            "update" | "up" | "upgrade" => Taken::Resolved,
            "dlx" => of_runner(command, rest),
            _ => Taken::Locked,
        },
        "bun" => match sub {
            "install" | "i" if rest.is_empty() => locked_if(command.long("--frozen-lockfile")),
            "install" | "i" | "add" | "a" => of_packages(command.short('g', "") || command.long("--global"), rest),
            "update" => Taken::Resolved,
            "x" => of_runner(command, rest),
            _ => Taken::Locked,
        },
        "npx" | "pnpx" | "bunx" => of_runner(command, &words),
        "corepack" => corepack(file, run, index, sub, rest),
        _ => Taken::Locked,
    }
}

fn locked_if(is_locked: bool) -> Taken {
    if is_locked { Taken::Locked } else { Taken::Resolved }
}

fn is_on(file: &File<'_>, run: &Run, command: &Command, name: &str) -> bool {
    let own = command.variable(name).map(str::to_owned);
    own.or_else(|| file.value(run.stage, run.position, name))
        .is_some_and(|value| matches!(value.as_str(), "1" | "true"))
}

fn of_packages(is_global: bool, packages: &[&str]) -> Taken {
    let exact = !packages.is_empty() && packages.iter().all(|package| has_exact_version(package) || is_local(package));
    if is_global && exact { Taken::Exact } else { Taken::Resolved }
}

fn is_local(package: &str) -> bool {
    package.starts_with(['.', '/'])
        || package.starts_with("file:")
        || package.ends_with(".tgz") && !package.contains("://")
}

/// `npx`, `dlx`: the first package that is named, or those of `--package`.
fn of_runner(command: &Command, words: &[&str]) -> Taken {
    if command.any_long(&["--no-install", "--no", "--offline"]) {
        return Taken::Locked;
    }
    let named: Vec<&str> = command.text_of(&["--package", "-p"]).into_iter().collect();
    let first = words.iter().copied().find(|word| !named.contains(word));
    let packages = if named.is_empty() { first.into_iter().collect() } else { named };
    let exact = packages.iter().all(|package| has_exact_version(package) || is_local(package));
    if packages.is_empty() || exact { Taken::Locked } else { Taken::Resolved }
}

/// Corepack takes the newest version unless one is named, here or in package.json.
fn corepack(file: &File<'_>, run: &Run, index: usize, sub: &str, rest: &[&str]) -> Taken {
    let names_version = |words: &[&str]| words.iter().any(|word| has_exact_version(word));
    if !matches!(sub, "prepare" | "enable" | "use" | "install") || names_version(rest) {
        return Taken::Locked;
    }
    let package = file.surroundings.context.as_ref().and_then(|context| context.texts.get("package.json"));
    if package.is_some_and(|text| text.contains("\"packageManager\""))
        && !rest.iter().any(|word| word.contains("@latest"))
    {
        return Taken::Locked;
    }
    let others = run.numbered().filter(|(other, command)| *other != index && command.name == "corepack");
    let elsewhere =
        others.into_iter().any(|(_, command)| command.words.iter().any(|word: &Word| has_exact_version(word.text())));
    if sub == "enable" && elsewhere { Taken::Locked } else { Taken::Resolved }
}

/// The same command as the lock file says, where it names no packages.
fn from_lock_file(file: &File<'_>, command: &Command) -> Option<Fix> {
    let operands = command.operands_without(VALUES);
    let sub = operands.first().map_or("", |word| word.text());
    let elsewhere =
        command.any_long(&["--global", "--location", "--no-package-lock", "--no-lockfile", "--lockfile-only"])
            || command.any_long(&["--prefix", "--cwd", "--dir"])
            || command.short('g', "C");
    if operands.len() > 1 || elsewhere {
        return None;
    }
    let (locks, text): (&[&str], _) = match (command.name.as_str(), sub) {
        ("npm", "install" | "i" | "in" | "ins" | "inst") => (&["package-lock.json", "npm-shrinkwrap.json"], "ci"),
        ("yarn" | "yarnpkg", "" | "install") => (&["yarn.lock"], " --frozen-lockfile"),
        ("pnpm", "install" | "i") => (&["pnpm-lock.yaml"], " --frozen-lockfile"),
        ("bun", "install" | "i") => (&["bun.lock", "bun.lockb"], " --frozen-lockfile"),
        _ => return None,
    };
    if !file.surroundings.may_hold(locks) {
        return None;
    }
    let edit = match (sub, text) {
        (_, "ci") => instead(file, operands.first()?, "ci"),
        ("", _) => at_end(file, command, &format!(" install{text}")),
        _ => behind_operand(file, command, sub, text),
    };
    Fix::one(if text == "ci" { "take `npm ci`".to_owned() } else { format!("add{text}") }, edit)
}
