//! Commands that are known to use the network.

use crate::lint::shell::Command;

use super::git::git_subcommand;
use super::managers::{manager, subcommand};

/// They use it whatever they are told to do.
const ALWAYS: [&str; 43] = [
    "aria2c",
    "axel",
    "bun",
    "bundle",
    "cabal",
    "composer",
    "conda",
    "corepack",
    "cpan",
    "cpanm",
    "curl",
    "dig",
    "docker",
    "fnm",
    "gem",
    "gradle",
    "gradlew",
    "helm",
    "hg",
    "http",
    "lein",
    "lftp",
    "mamba",
    "micromamba",
    "mvn",
    "mvnw",
    "nvm",
    "npm",
    "npx",
    "nslookup",
    "opam",
    "pipx",
    "playwright",
    "pnpm",
    "poetry",
    "rustup",
    "sbt",
    "scp",
    "sftp",
    "ssh-keyscan",
    "svn",
    "wget",
    "yarn",
];
const ALSO: [&str; 24] = [
    "apt-key",
    "add-apt-repository",
    "asdf",
    "bower",
    "cargo",
    "dotnet",
    "go",
    "luarocks",
    "mix",
    "nix",
    "nix-env",
    "pdm",
    "pear",
    "pecl",
    "pip",
    "pip3",
    "pipenv",
    "ping",
    "pyenv",
    "rbenv",
    "sdk",
    "ssh",
    "stack",
    "uv",
];

/// Whether a command is known to use the network.
pub(super) fn uses_network(command: &Command) -> bool {
    let name = command.name.as_str();
    let by_name = ALWAYS.contains(&name) || ALSO.contains(&name);
    // Helpers for cross-compiling call go, apt and apk.
    if by_name
        || name.starts_with("pip3.")
        || name.starts_with("xx-")
        || matches!(name, "golangci-lint" | "govulncheck")
    {
        return true;
    }
    if manager(command).is_some() {
        return !matches!(subcommand(command), "clean" | "remove" | "purge" | "autoremove" | "del");
    }
    match name {
        "git" => matches!(
            git_subcommand(command),
            "clone" | "fetch" | "pull" | "submodule" | "ls-remote" | "lfs" | "remote" | "push"
        ),
        "gpg" | "gpg2" => command.any_long(&[
            "--recv-keys",
            "--recv-key",
            "--receive-keys",
            "--keyserver",
            "--search-keys",
            "--refresh-keys",
            "--locate-keys",
        ]),
        "rsync" => command.operands().any(|word| word.text().contains(':')),
        "rpm" => command.operands().any(|word| word.text().contains("://")),
        _ if name.starts_with("python") => {
            command.text_of(&["-m"]).is_some_and(|module| matches!(module, "pip" | "pipx" | "ensurepip" | "poetry"))
        }
        _ => false,
    }
}
