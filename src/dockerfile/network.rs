//! Whether RUN probably needs the network: a guess for a first manifest, never a decision about a build.

use super::syntax::{Command, Dockerfile};

/// Programs whose first argument decides, and those that always fetch.
const FETCHING: &[(&str, &[&str])] = &[
    ("apt-get", &["update", "install", "upgrade", "dist-upgrade", "build-dep"]),
    ("apt", &["update", "install", "upgrade", "full-upgrade"]),
    ("apk", &["add", "update", "upgrade"]),
    ("dnf", &[]),
    ("microdnf", &[]),
    ("yum", &[]),
    ("zypper", &[]),
    ("pacman", &[]),
    ("pip", &["install", "download"]),
    ("pip3", &["install", "download"]),
    ("uv", &[]),
    ("poetry", &["install"]),
    ("npm", &["ci", "install", "i"]),
    ("npx", &[]),
    ("yarn", &[]),
    ("pnpm", &[]),
    ("bun", &["install"]),
    ("cargo", &["build", "fetch", "install", "run", "test"]),
    ("rustup", &[]),
    ("go", &["build", "get", "install", "mod"]),
    ("gem", &["install"]),
    ("bundle", &["install"]),
    ("composer", &["install", "require"]),
    ("mvn", &[]),
    ("gradle", &[]),
    ("./mvnw", &[]),
    ("./gradlew", &[]),
    ("dotnet", &["restore", "build", "publish"]),
    ("git", &["clone", "fetch", "pull", "submodule"]),
    ("curl", &[]),
    ("wget", &[]),
];

/// Whether some RUN names a program that fetches.
pub fn is_needed(dockerfile: &Dockerfile) -> bool {
    let instructions = dockerfile.stages.iter().flat_map(|stage| &stage.instructions);
    instructions
        .filter_map(|instruction| if let Command::Run(run) = &instruction.command { Some(run) } else { None })
        .any(|run| {
            let bodies = run.heredocs.iter().map(|heredoc| &heredoc.body);
            let words: Vec<String> = run
                .command
                .words
                .iter()
                .chain(bodies)
                .flat_map(|text| {
                    text.lossy()
                        .split(|c: char| c.is_whitespace() || ";&|()".contains(c))
                        .map(str::to_owned)
                        .collect::<Vec<_>>()
                })
                .filter(|word| !word.is_empty() && !word.starts_with('-'))
                .collect();
            (0..words.len()).any(|at| fetches(&words[at], words.get(at + 1)))
        })
}

fn fetches(program: &str, argument: Option<&String>) -> bool {
    let name = program.strip_prefix("/usr/bin/").or_else(|| program.strip_prefix("/usr/local/bin/")).unwrap_or(program);
    FETCHING.iter().any(|(known, arguments)| {
        *known == name
            && (arguments.is_empty() || argument.is_some_and(|argument| arguments.contains(&argument.as_str())))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::Limits;

    #[test]
    fn programs_that_fetch_are_recognised_by_name_and_argument() {
        for (run, want) in [
            ("RUN apt-get update && apt-get install -y gcc", true),
            ("RUN apt-get clean", false),
            ("RUN [\"pip\", \"install\", \"x\"]", true),
            ("RUN <<EOF\nset -e\ncurl -fsS https://files.example/x | tar x\nEOF", true),
            ("RUN make && make install", false),
            ("RUN apk --no-cache add git", true),
            ("RUN echo npm", false),
        ] {
            let dockerfile =
                super::super::parse(format!("FROM scratch\n{run}\n").as_bytes(), &Limits::default()).unwrap();
            assert_eq!(is_needed(&dockerfile), want, "{run}");
        }
    }
}
