//! Whether RUN probably needs the network: a guess for a first manifest, never a decision about a build.

use super::syntax::{Command, Dockerfile};

/// Programs and the first arguments with which they fetch; none is every argument but those of [`asks_nothing`].
const FETCHING: &[(&str, &[&str])] = &[
    // Packages of distributions.
    ("apt-get", &["update", "install", "upgrade", "dist-upgrade", "build-dep", "source", "download"]),
    ("apt", &["update", "install", "upgrade", "full-upgrade", "build-dep", "source", "download"]),
    ("aptitude", &["update", "install", "upgrade", "safe-upgrade", "full-upgrade"]),
    ("apt-key", &["adv"]),
    ("add-apt-repository", &[]),
    ("debootstrap", &[]),
    ("apk", &["add", "update", "upgrade", "fetch"]),
    ("dnf", &["install", "update", "upgrade", "makecache", "builddep", "groupinstall", "module", "download"]),
    ("microdnf", &["install", "update", "upgrade", "makecache", "module", "download"]),
    ("tdnf", &["install", "update", "upgrade", "makecache"]),
    ("yum", &["install", "update", "upgrade", "makecache", "groupinstall", "localinstall"]),
    ("zypper", &["install", "in", "update", "up", "refresh", "ref", "dup", "patch", "addrepo", "ar"]),
    ("pacman", &["-S", "-Sy", "-Syu", "-Syy", "-Syyu"]),
    ("xbps-install", &[]),
    ("conda", &["install", "create", "update", "env"]),
    ("mamba", &["install", "create", "update", "env"]),
    ("micromamba", &["install", "create", "update", "env"]),
    // Python.
    ("pip", &["install", "download", "wheel"]),
    ("pipx", &["install", "run"]),
    ("pipenv", &["install", "sync"]),
    ("pdm", &["install", "sync"]),
    ("poetry", &["install", "add", "update", "lock"]),
    ("uv", &["sync", "pip", "lock", "run", "tool", "python", "add"]),
    ("easy_install", &[]),
    // JavaScript.
    ("npm", &["ci", "install", "i", "add", "update", "exec", "clean-install"]),
    ("npx", &[]),
    ("yarn", &["install", "add", "global", "dlx"]),
    ("pnpm", &["install", "i", "add", "fetch", "dlx"]),
    ("bun", &["install", "i", "add"]),
    ("bunx", &[]),
    ("deno", &["install", "cache", "run", "compile"]),
    ("corepack", &["prepare", "install", "use"]),
    ("bower", &["install"]),
    // The JVM.
    ("mvn", &[]),
    ("mvnw", &[]),
    ("gradle", &[]),
    ("gradlew", &[]),
    ("sbt", &[]),
    ("lein", &[]),
    ("clojure", &[]),
    ("clj", &[]),
    ("mill", &[]),
    ("ant", &["resolve"]),
    ("sdk", &["install"]),
    // Other languages.
    (
        "cargo",
        &["build", "b", "fetch", "install", "run", "test", "check", "clippy", "chef", "update", "vendor", "binstall"],
    ),
    ("rustup", &["install", "toolchain", "target", "component", "default", "update"]),
    ("go", &["build", "get", "install", "mod", "run", "test", "generate", "vet", "list"]),
    ("gem", &["install", "update"]),
    ("bundle", &["install", "update"]),
    ("bundler", &["install", "update"]),
    ("composer", &["install", "require", "update", "create-project", "global"]),
    ("pecl", &["install"]),
    ("install-php-extensions", &[]),
    ("dotnet", &["restore", "build", "publish", "tool", "test", "add", "run", "workload"]),
    ("nuget", &["restore", "install"]),
    ("mix", &["deps.get", "local.hex", "local.rebar", "archive.install"]),
    ("rebar3", &["compile", "release", "get-deps", "as"]),
    ("stack", &["build", "setup", "install", "update"]),
    ("cabal", &["update", "build", "install", "v2-build", "v2-install"]),
    ("opam", &["install", "init", "update", "switch", "repo", "repository"]),
    ("cpan", &[]),
    ("cpanm", &[]),
    ("luarocks", &["install"]),
    ("swift", &["build", "package", "run", "test"]),
    ("dart", &["pub"]),
    ("flutter", &[]),
    ("install2.r", &[]),
    // Files.
    ("git", &["clone", "fetch", "pull", "submodule", "lfs", "ls-remote"]),
    ("svn", &["checkout", "co", "export"]),
    ("hg", &["clone", "pull"]),
    ("curl", &[]),
    ("wget", &[]),
    ("aria2c", &[]),
    ("gpg", &["--keyserver", "--recv-keys", "--recv-key"]),
];

/// Programs that run the one named after them.
const RUNNERS: &[&str] = &[
    "sudo", "exec", "time", "nice", "env", "command", "sh", "bash", "ash", "then", "do", "else", "if", "while", "!",
    "{",
];

/// A RUN that fetches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Need {
    /// Its first line.
    pub line: u32,
    /// The program that does it; not safe to print.
    pub program: String,
}

/// Whether some RUN names a program that fetches, where a shell looks for programs.
pub fn is_needed(dockerfile: &Dockerfile) -> bool {
    first_need(dockerfile).is_some()
}

/// The first RUN that names a program that fetches, where a shell looks for programs.
pub fn first_need(dockerfile: &Dockerfile) -> Option<Need> {
    let instructions = dockerfile.stages.iter().flat_map(|stage| &stage.instructions);
    instructions
        .filter_map(|instruction| match &instruction.command {
            Command::Run(run) => Some((instruction.lines.start, run)),
            _ => None,
        })
        .find_map(|(line, run)| {
            let words = run.command.words.iter().map(|word| word.lossy().into_owned());
            let text = match run.command.shell {
                true => words.collect::<Vec<_>>().join(" "),
                // A list names one program, and a shell in it may be given a line.
                false => words.filter(|word| !word.starts_with("-c")).collect::<Vec<_>>().join(" "),
            };
            let in_heredocs = || run.heredocs.iter().find_map(|heredoc| fetching_in(&heredoc.body.lossy()));
            fetching_in(&text).or_else(in_heredocs).map(|program| Need { line, program })
        })
}

/// The program of the first of a shell's commands that fetches. Quotes and comments are not looked at.
fn fetching_in(text: &str) -> Option<String> {
    let joined = text.replace("\\\n", " ").replace("\\\r\n", " ");
    joined.split([';', '&', '|', '(', ')', '`', '\n']).find_map(|command| {
        let words: Vec<&str> = command.split_whitespace().map(|word| word.trim_matches(['"', '\''])).collect();
        let name = |word: &str| word.rsplit('/').next().unwrap_or_default().to_owned();
        let is_before = |word: &&&str| RUNNERS.contains(&&*name(word)) || word.starts_with('-') || word.contains('=');
        let start = words.iter().take_while(is_before).count();
        fetches(&words[start..]).then(|| name(words[start]))
    })
}

/// Whether this command fetches: its program, then its arguments.
fn fetches(words: &[&str]) -> bool {
    let Some((program, arguments)) = words.split_first() else { return false };
    let name = program.rsplit('/').next().unwrap_or_default();
    if name.starts_with("python") && arguments.first() == Some(&"-m") {
        return fetches(&arguments[1..]);
    }
    let name = match name {
        "Rscript" | "R" => return arguments.iter().any(|word| word.contains("install")),
        _ if name.starts_with("pip3") || name.starts_with("pip2") => "pip",
        _ => name,
    };
    let Some((_, known)) = FETCHING.iter().find(|(known, _)| *known == name) else { return false };
    if asks_nothing(name, arguments) {
        return false;
    }
    known.is_empty()
        || arguments.iter().any(|argument| argument.starts_with('-') && known.contains(argument))
        || arguments.iter().find(|argument| !argument.starts_with('-')).map_or(name == "yarn", |it| known.contains(it))
        // An option before the argument that decides may have a value of its own (`cargo --color never build`).
        || arguments.iter().take(3).any(|argument| known.contains(argument))
}

/// Whether the arguments keep a program that fetches from doing so.
fn asks_nothing(name: &str, arguments: &[&str]) -> bool {
    let has = |flags: &[&str]| arguments.iter().any(|argument| flags.contains(argument));
    match name {
        "pip" => has(&["--no-index"]),
        "go" => has(&["-mod=vendor"]),
        "cargo" | "mvn" | "mvnw" | "gradle" | "gradlew" | "npm" | "yarn" | "pnpm" | "uv" => has(&["--offline", "-o"]),
        _ => arguments.len() == 1 && has(&["--version", "--help", "-V", "version"]),
    }
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
            ("RUN apt-get purge -y curl wget && rm -f /usr/bin/git", false),
            ("RUN yarn build", false),
            ("RUN yarn", true),
            ("RUN yarn --frozen-lockfile", true),
            ("RUN pip install --no-index ./wheels/x.whl", false),
            ("RUN go build -mod=vendor ./...", false),
            ("RUN CGO_ENABLED=0 go build ./...", true),
            ("RUN cd /src && sh ./gradlew build", true),
            ("RUN /opt/maven/bin/mvn -B package", true),
            ("RUN mvn -o package", false),
            ("RUN sbt assembly", true),
            ("RUN curl --version", false),
            ("RUN set -ex; if [ -n \"$X\" ]; then wget -q https://files.example/x; fi", true),
            ("RUN python3 -m pip install x", true),
            ("RUN [\"/bin/bash\", \"-c\", \"npm ci\"]", true),
            ("RUN cargo --color never build", true),
            ("RUN gpg --batch --keyserver keys.example --recv-keys 0A", true),
            ("RUN x=$(curl -s https://files.example/v) && echo $x", true),
            ("RUN mix deps.get", true),
        ] {
            let dockerfile =
                super::super::parse(format!("FROM scratch\n{run}\n").as_bytes(), &Limits::default()).unwrap();
            assert_eq!(is_needed(&dockerfile), want, "{run}");
        }
        let text = "FROM scratch\nRUN true\nRUN cd /x && \\\n  /usr/bin/curl -O https://files.example/x\n";
        let need = first_need(&super::super::parse(text.as_bytes(), &Limits::default()).unwrap());
        assert_eq!(need, Some(Need { line: 3, program: "curl".to_owned() }));
    }
}
