//! Cases from seeds: Dockerfiles that mostly build, over trees that are small and strange.

use std::collections::BTreeMap;

use super::case::{Case, Entry, Kind};
use super::draw::Draw;
use super::files::{archives, base, tree};

/// The case of a seed.
pub fn case(seed: u64) -> Case {
    let mut draw = Draw::new(seed);
    let draw = &mut draw;
    let mut context = tree(draw, 4);
    context.push(Entry::file("trigger.txt", "onbuild\n"));
    let archives = if draw.chance(35) { archives(draw) } else { Vec::new() };
    let mut generator = Generator::new(draw, &context, archives.iter().map(|(name, _)| name.clone()).collect());
    generator.dockerfile();
    let Generator { instructions, stages, uses_made, fixtures, uses_directory, .. } = generator;
    context.extend(archives.into_iter().map(|(name, bytes)| Entry::file(&name, bytes)));
    let mut case = Case {
        name: format!("seed {seed}"),
        instructions,
        ignore: None,
        context,
        directories: BTreeMap::new(),
        base: uses_made.then(|| base(draw)),
        fixtures,
        platforms: "linux/amd64".to_owned(),
        target: None,
        args: BTreeMap::new(),
        labels: BTreeMap::new(),
        annotations: BTreeMap::new(),
        epoch: draw.one(&[1_700_000_000, 1_700_000_000, 1_625_000_000, 0]),
    };
    settings(draw, &mut case, &stages, uses_directory);
    case
}

/// What stands in the manifest or beside the Dockerfile.
fn settings(draw: &mut Draw, case: &mut Case, stages: &[String], uses_directory: bool) {
    if draw.chance(25) {
        let ignore = ignore(draw);
        match draw.chance(60) {
            true => case.context.push(Entry::file(".dockerignore", ignore)),
            false => case.ignore = Some(ignore),
        }
    }
    if uses_directory {
        let mut directory = tree(draw, 3);
        directory.push(Entry::file("always", "in the folder\n"));
        if draw.chance(30) {
            directory.push(Entry::file(".dockerignore", ignore(draw)));
        }
        case.directories.insert("docs".to_owned(), directory);
    }
    if draw.chance(12) && case.base.is_none() && case.fixtures.iter().all(|name| name == "usrmerge") {
        case.platforms = draw.pick(&["linux/arm64", "linux/arm/v7", "linux/amd64,linux/arm64"]).to_owned();
    }
    if draw.chance(15) {
        case.target = Some(draw.one(stages));
    }
    if draw.chance(25) {
        case.args.insert("VERSION".to_owned(), draw.pick(&["2", "", "a b", "x/y", "ü<&>"]).to_owned());
    }
    if draw.chance(10) {
        case.labels.insert("org.label".to_owned(), draw.pick(&["", "<b>", "x y", "\u{2028}\t\""]).to_owned());
        case.annotations.insert("note".to_owned(), "one".to_owned());
    }
}

fn ignore(draw: &mut Draw) -> String {
    let lines = [
        "a",
        "d",
        "*",
        "!d",
        "**/a",
        "d/*",
        "!d/a",
        "*.txt",
        "[a-c]",
        "!**/c.txt",
        "# x",
        "",
        "/d/",
        "d/**",
        "**/d/*",
        "!trigger.txt",
        "!*.tar*",
        ".*",
        "b?",
        "!d/d",
        "  a  ",
        "./a",
        "d//a",
    ];
    let mut text: String = (0..=draw.below(4)).map(|_| format!("{}\n", draw.pick(&lines))).collect();
    text.push_str("!trigger.txt\n");
    text
}

/// Puts something where nothing is: BuildKit's daemon dies of a failed copy that has an image or stage without files on
/// either side (`file.go` takes a reference that is nil for granted), so none is generated.
pub const FIRST: &str = "COPY trigger.txt /first/";

const DESTINATIONS: &[&str] = &[
    "/",
    "/x",
    "/x/",
    "/x/y",
    "/x/y/",
    ".",
    "./",
    "w/",
    "/d/",
    "/a",
    "/tmp/",
    "/tmp",
    "/bin/",
    "/etc/",
    "/usr/lib",
    "/home/app/",
    "/srv/q/",
    "/x/.",
    "/lib/z",
    "/d",
    "/x/d",
    "/bin/n",
    "q",
    "../up/",
    "/$VERSION/",
    "/${VERSION:-v}/x",
    "/l/",
    "/l/in/",
    "/abs/x",
];
const BASE_PATHS: &[&str] = &[
    "/",
    "/etc",
    "/usr",
    "/usr/bin",
    "/home",
    "/tmp",
    "/srv",
    "/bin",
    "/lib",
    "/etc/passwd",
    "/var",
    "/home/app",
    "/etc/*",
    "/usr/*",
    "/*",
    "/l",
    "/abs",
    "/d",
    "/d/*",
    "/x",
];

struct Generator<'a> {
    draw: &'a mut Draw,
    paths: Vec<String>,
    directories: Vec<String>,
    archives: Vec<String>,
    instructions: Vec<String>,
    stages: Vec<String>,
    /// Of each stage, whether nothing may ever have been put into it.
    empty: Vec<bool>,
    /// Of each stage, where something was put.
    filled: Vec<Vec<String>>,
    heredocs: usize,
    uses_made: bool,
    uses_directory: bool,
    fixtures: Vec<String>,
}

impl<'a> Generator<'a> {
    fn new(draw: &'a mut Draw, context: &[Entry], archives: Vec<String>) -> Self {
        // What isn't text can't be named, and control characters BuildKit can't hand on.
        let name = |entry: &Entry| String::from_utf8(entry.path.clone()).ok().filter(|name| !name.contains('\n'));
        let texts = || context.iter().filter_map(|entry| Some((name(entry)?, entry)));
        // Most links lead nowhere.
        let is_link = |entry: &Entry| matches!(entry.kind, Kind::Symlink(_));
        let paths: Vec<String> =
            texts().filter(|(_, entry)| !is_link(entry) || draw.chance(15)).map(|(path, _)| path).collect();
        let mut directories: Vec<String> = Vec::new();
        for (path, entry) in texts() {
            directories.extend(path.match_indices('/').map(|(at, _)| path[..at].to_owned()));
            if matches!(entry.kind, Kind::Directory) {
                directories.push(path);
            }
        }
        directories.sort();
        directories.dedup();
        Self {
            draw,
            paths,
            directories,
            archives,
            instructions: Vec::new(),
            stages: Vec::new(),
            empty: Vec::new(),
            filled: Vec::new(),
            heredocs: 0,
            uses_made: false,
            uses_directory: false,
            fixtures: Vec::new(),
        }
    }

    fn dockerfile(&mut self) {
        if self.draw.chance(5) {
            self.instructions.push("# escape=`".to_owned());
        }
        if self.draw.chance(40) {
            self.instructions
                .push(self.draw.pick(&["ARG VERSION=1", "ARG VERSION", "ARG BASE=usrmerge VERSION=3"]).to_owned());
        }
        for _ in 0..self.draw.one(&[1, 1, 1, 2, 2, 3]) {
            self.stage();
        }
    }

    fn fixture(&mut self, name: &str) -> String {
        if !self.fixtures.iter().any(|known| known == name) {
            self.fixtures.push(name.to_owned());
        }
        format!("base.example/{name}:1")
    }

    fn stage(&mut self) {
        let name = format!("s{}", self.stages.len());
        let base = match self.draw.weighted(&[30, 22, 20, 20, 3, 3, 3, 2]) {
            0 => "scratch".to_owned(),
            1 if !self.stages.is_empty() => self.draw.one(&self.stages),
            1 | 2 => self.fixture("usrmerge"),
            3 => {
                self.uses_made = true;
                "base.example/made:1".to_owned()
            }
            4 => self.fixture("zstd"),
            5 => self.fixture("docker"),
            6 => self.fixture("onbuild"),
            _ => self.fixture("parthistory"),
        };
        let parent = self.stages.iter().position(|stage| *stage == base);
        let is_empty = parent.map_or(base == "scratch", |parent| self.empty[parent]);
        self.instructions.push(format!("FROM {base} AS {name}"));
        if is_empty && self.draw.chance(60) {
            self.instructions.push(FIRST.to_owned());
            self.empty.push(false);
        } else {
            self.empty.push(is_empty);
        }
        if self.draw.chance(30) {
            self.instructions.push(self.draw.pick(&["ARG VERSION", "ARG VERSION=own", "ENV VERSION=env"]).to_owned());
        }
        // What the parent has is here as well.
        self.filled.push(parent.map(|parent| self.filled[parent].clone()).unwrap_or_default());
        for _ in 0..=self.draw.below(4) {
            let instruction = self.instruction();
            self.instructions.push(instruction);
        }
        self.stages.push(name);
    }

    fn instruction(&mut self) -> String {
        match self.draw.weighted(&[40, 18, 11, 8, 10, 13, 10, 3, 2]) {
            0 => self.copy(),
            1 => self.copy_from(),
            2 => self.work_directory(),
            3 => format!("USER {}", self.draw.pick(&["5", "app", "root", "1:2", "nobody", "app:staff", "0", "9:app"])),
            4 => self.heredoc(),
            5 => self.metadata(),
            6 => self.add(),
            7 => self.trigger(),
            _ => self
                .draw
                .pick(&["# a comment", "", "LABEL a=1 \\\n  # inside\n\n  b=2", "copy trigger.txt /low"])
                .to_owned(),
        }
    }

    fn flags(&mut self, is_copy: bool) -> Vec<String> {
        let mut flags = Vec::new();
        let mut flag = |chance: usize, name: &str, values: &[&str]| {
            if self.draw.chance(chance) {
                flags.push(format!("--{name}{}", self.draw.pick(values)));
            }
        };
        flag(
            18,
            "chown=",
            &["1:2", "5", "app", "app:app", ":7", "nobody", "root", "3:app", "0:0", "${VERSION:-4}", "app:8"],
        );
        flag(
            18,
            "chmod=",
            &["700", "0644", "4755", "u+x", "go-rwx", "a=rX", "1777", "0", "u=rwX,go=", "g=u", "+t", "2750"],
        );
        flag(14, "link", &["", "", "=true", "=false"]);
        if is_copy {
            flag(14, "parents", &["", "", "", "=false"]);
        }
        flag(14, "exclude=", &["a", "d", "**/a", "*", "*/b", "d/*", "!a", "**/d", "c.*"]);
        flag(6, "exclude=", &["!d/a", "!a", "b", "!**/b", "*"]);
        flags
    }

    fn source(&mut self) -> String {
        match self.draw.weighted(&[40, 20, 15, 12, 8, 5]) {
            0 => self.draw.one(&self.paths),
            1 if !self.directories.is_empty() => {
                let directory = self.draw.one(&self.directories);
                format!("{directory}{}", self.draw.pick(&["", "/", "/.", "/*", "/./"]))
            }
            2 => self
                .draw
                .pick(&["*", "d/*", "*/*", "?", "[ad]", "**", "d*", ".*", "[^a]*", "*/a", "d/[a-c]*", "nothing*"])
                .to_owned(),
            3 => self
                .draw
                .pick(&["/", "./d", "d/../a", "../a", "/a", "d/./a", "./d/./", "d//a", "**/a", "./**/b"])
                .to_owned(),
            4 => "trigger.txt".to_owned(),
            _ => ".".to_owned(),
        }
    }

    /// A source, many or one, and a destination, in one of both forms.
    fn operands(&mut self, mut sources: Vec<String>) -> String {
        let many = sources.len() > 1;
        let destination = match self.draw.pick(DESTINATIONS) {
            one if many && !one.ends_with('/') && self.draw.chance(90) => format!("{one}/"),
            one => one.to_owned(),
        };
        if destination.starts_with('/')
            && !destination.contains('$')
            && let Some(filled) = self.filled.last_mut()
        {
            filled.push(destination.clone());
        }
        let awkward = |text: &String| text.contains([' ', '\n', '"', '\'', '\\']) || text.starts_with("--");
        // A backslash is quoted once for JSON and once for the expansion of variables.
        sources.push(destination);
        if sources.iter().any(awkward) || self.draw.chance(8) {
            let quoted: Vec<String> =
                sources.iter().map(|text| serde_json::Value::from(text.replace('\\', "\\\\")).to_string()).collect();
            return format!("[{}]", quoted.join(", "));
        }
        sources.join(" ")
    }

    fn copy(&mut self) -> String {
        let mut flags = self.flags(true);
        if self.draw.chance(6) {
            self.uses_directory = true;
            flags.push("--from=docs".to_owned());
            let source = self.draw.pick(&["always", ".", "*", "/", "d", "a*"]).to_owned();
            return format!("COPY {} {}", flags.join(" "), self.operands(vec![source]));
        }
        let sources: Vec<String> = (0..self.draw.one(&[1, 1, 1, 1, 2, 3])).map(|_| self.source()).collect();
        format!("COPY {} {}", flags.join(" "), self.operands(sources))
    }

    fn copy_from(&mut self) -> String {
        let (from, source) = match self.draw.weighted(&[50, 25, 25]) {
            0 if self.empty.iter().take(self.stages.len()).any(|empty| !empty) => {
                let full: Vec<usize> = (0..self.stages.len()).filter(|number| !self.empty[*number]).collect();
                let number = self.draw.one(&full);
                let from = if self.draw.chance(30) { number.to_string() } else { self.stages[number].clone() };
                let filled = self.filled.get(number).cloned().unwrap_or_default();
                let source = match self.draw.weighted(&[if filled.is_empty() { 0 } else { 80 }, 10, 10]) {
                    0 => self.draw.one(&filled),
                    1 => self.draw.pick(DESTINATIONS).trim_start_matches("..").to_owned(),
                    _ => self.draw.pick(BASE_PATHS).to_owned(),
                };
                (from, source)
            }
            0 | 1 => (self.fixture("usrmerge"), self.draw.pick(BASE_PATHS).to_owned()),
            _ => {
                self.uses_made = true;
                ("base.example/made:1".to_owned(), self.draw.pick(BASE_PATHS).to_owned())
            }
        };
        let mut flags = self.flags(true);
        flags.push(format!("--from={from}"));
        format!("COPY {} {}", flags.join(" "), self.operands(vec![source]))
    }

    fn work_directory(&mut self) -> String {
        let places = [
            "/w",
            "/x/y",
            "q",
            "../z",
            "/tmp/t",
            "/bin/w",
            "/home/app/n",
            "/",
            "/srv",
            "/d/../e",
            "//a//b/",
            "$VERSION",
            "/l/w",
            "./.",
            "\"a b\"",
            "/abs",
        ];
        format!("WORKDIR {}", self.draw.pick(&places))
    }

    /// Every inline file has a size of its own: BuildKit loses data where two of one size meet.
    fn heredoc(&mut self) -> String {
        self.heredocs += 1;
        let number = self.heredocs;
        let body = format!(
            "{}{}\n",
            self.draw.pick(&["$VERSION \\$VERSION ", "\t${VERSION:-none}", "'$VERSION' \"x\" "]),
            "x".repeat(50 * number)
        );
        let word = self.draw.pick(&["F", "'F'", "-F", "\"F\"", "-'F'"]);
        let name = format!("F{number}");
        let opening = format!("<<{}", word.replace('F', &name));
        let mut flags = self.flags(true);
        flags.retain(|flag| !flag.starts_with("--parents"));
        let (source, destination) = (self.draw.chance(20), self.draw.pick(DESTINATIONS));
        let destination =
            if source { format!("{}/", destination.trim_end_matches(['/', '.'])) } else { destination.to_owned() };
        let source = if source { "trigger.txt " } else { "" };
        let verb = self.draw.pick(&["COPY", "COPY", "ADD"]);
        format!("{verb} {} {source}{opening} {destination}\n{body}{name}", flags.join(" "))
    }

    fn add(&mut self) -> String {
        let mut flags = self.flags(false);
        if self.draw.chance(12) {
            flags.push(format!("--unpack={}", self.draw.pick(&["true", "false"])));
        }
        let source = match self.archives.is_empty() || self.draw.chance(15) {
            true => self.source(),
            false if self.draw.chance(10) => "*.tar*".to_owned(),
            false => self.draw.one(&self.archives),
        };
        format!("ADD {} {}", flags.join(" "), self.operands(vec![source]))
    }

    fn trigger(&mut self) -> String {
        self.draw
            .pick(&[
                "ONBUILD COPY trigger.txt /onbuild/",
                "ONBUILD ENV FIRED=$VERSION",
                "ONBUILD WORKDIR fired",
                "ONBUILD COPY <<IN /fired\n$VERSION\nIN",
                "ONBUILD RUN never",
            ])
            .to_owned()
    }

    fn metadata(&mut self) -> String {
        self.draw
            .pick(&[
                "ENV A=1 B=\"two $VERSION\" C='$A' D=$A",
                "ENV OLD form  with blanks",
                "ENV E=${VERSION:-unset} F=${VERSION:+set} G=${VERSION#a} H=${VERSION%%b*} I=${VERSION//a/b}",
                "ENV PATH=/opt:$PATH",
                "ENV J=a\\ b K=\"q\\\"q\" L='l\\l' M=\\$VERSION",
                "LABEL x=y \"a b\"=\"<&>\" multi=one\\\ntwo",
                "LABEL x",
                "CMD echo \"hi\" $VERSION",
                "CMD [\"a\", \"b c\", \"\\u00e9<\"]",
                "CMD []",
                "ENTRYPOINT [\"q\"]",
                "ENTRYPOINT exec top -b",
                "SHELL [\"/bin/bash\", \"-c\"]",
                "EXPOSE 80 443/udp 1000-1002 80/TCP",
                "EXPOSE ${PORT:-8080} 0.0.0.0:5:6",
                "VOLUME /v /w",
                "VOLUME [\"/v\", \"/a b\"]",
                "STOPSIGNAL SIGTERM",
                "STOPSIGNAL ${VERSION:+9}0",
                "HEALTHCHECK --interval=5m --timeout=3.5s --retries=7 CMD true",
                "HEALTHCHECK NONE",
                "HEALTHCHECK CMD [\"a\", \"b\"]",
                "MAINTAINER Some One <one@people.example>",
                "ARG Q=2 R=$Q",
                "ARG TARGETARCH",
                "ENV ARCH=$TARGETARCH",
                "ENV BAD=${VERSION:?is needed}",
                "ENV S=${VERSION/a/$A}",
                "USER $VERSION",
                "LABEL \"$VERSION\"=key",
            ])
            .to_owned()
    }
}
