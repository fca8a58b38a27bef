//! A RUN: its mounts, its surroundings and its commands.

use super::File;
use super::joined::{bodies, join};
use crate::dockerfile::syntax::{Command, CommandLine, Heredoc, Network};
use crate::lint::shell::{self, Shell, Variables, Word};
use crate::lint::span::{Located, Span};

/// A `RUN`, or the one that an `ONBUILD` stores.
#[derive(Clone, Debug, Default)]
pub struct Run {
    /// Its stage.
    pub stage: usize,
    /// Its place among the stage's instructions.
    pub position: usize,
    /// The instruction word.
    pub keyword: Span,
    /// Its commands, in the order of the text.
    pub commands: Vec<shell::Command>,
    /// Its mounts.
    pub mounts: Vec<Mount>,
    /// Its network.
    pub network: Network,
    /// The flags as they are written, with their places.
    pub flags: Vec<(String, Span)>,
    /// The working directory, if it is known.
    pub workdir: Option<String>,
    /// Its commands are all there: the script could be read.
    pub is_read: bool,
}

/// One `--mount`, variables put in as far as they are known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mount {
    /// `type`, lower-case.
    pub kind: String,
    /// `from`
    pub from: String,
    /// `target`
    pub target: String,
    /// `source`
    pub source: String,
    /// The flag.
    pub span: Span,
}

impl Run {
    /// The directory that a command runs in, as far as `cd` before it tells.
    pub fn directory(&self, index: usize) -> Option<String> {
        let changes = self.commands[..index].iter().filter(|command| command.is(&["cd", "pushd"]));
        changes.fold(self.workdir.clone(), |directory, command| {
            let word = command.operands().next().filter(|word| !word.is_dynamic)?;
            let text = word.text();
            match (text.starts_with('/'), directory) {
                (true, _) => Some(text.to_owned()),
                (false, Some(directory)) if !text.starts_with(['-', '~']) => {
                    Some(format!("{}/{text}", directory.trim_end_matches('/')))
                }
                _ => None,
            }
        })
    }

    /// The commands with their places.
    pub fn numbered(&self) -> impl Iterator<Item = (usize, &shell::Command)> {
        self.commands.iter().enumerate()
    }
}

/// Reads the instruction at a place, if it is a RUN.
pub(super) fn read(file: &mut File<'_>, index: usize, position: usize, shell: &mut Shell) {
    let instruction = &file.dockerfile.stages[index].instructions[position];
    let (text, next) = join(&file.table, instruction.lines, file.dockerfile.escape);
    let (heredocs, skip): (&[Heredoc], usize) = match &instruction.command {
        Command::Run(run) => (&run.heredocs, 0),
        Command::Onbuild(_) => match behind_onbuild(&text) {
            Some(skip) => (&[], skip),
            None => return,
        },
        _ => return,
    };
    let line = Line::read(&text, skip);
    let mut run = Run {
        stage: index,
        position,
        keyword: text.span(skip..skip + 3),
        network: network(&line.flags),
        mounts: line.flags.iter().filter_map(|(flag, span)| mount(file, index, position, flag, *span)).collect(),
        flags: line.flags,
        workdir: file.stages[index].workdir.clone(),
        is_read: true,
        ..Run::default()
    };
    let command = text.part(line.command..text.text().len());
    let read = {
        let get = |name: &str| file.value(index, position, name);
        let mut variables = Variables::new(&get);
        match &instruction.command {
            Command::Run(syntax) if !syntax.command.shell => {
                shell.read_words(exec_words(&syntax.command, &command), &mut variables)
            }
            _ if is_foreign(file.stages[index].shell.as_deref()) => {
                run.is_read = false;
                file.foreign_shells.push(run.keyword);
                Ok(Vec::new())
            }
            _ => {
                let bodies = bodies(&file.table, next, heredocs);
                shell.read(&script(&command, heredocs, bodies), &mut variables)
            }
        }
    };
    match read {
        Ok(commands) => run.commands = commands,
        Err(unread) => {
            run.is_read = false;
            file.unread.push(unread.0);
        }
    }
    file.runs.push(run);
}

/// Where `RUN` begins in `ONBUILD RUN …`.
fn behind_onbuild(text: &Located) -> Option<usize> {
    let rest = text.text().get(7..)?;
    let at = 7 + (rest.len() - rest.trim_start().len());
    let word = text.text()[at..].split_whitespace().next()?;
    word.eq_ignore_ascii_case("run").then_some(at)
}

/// The flags of a RUN, and where its command begins.
struct Line {
    flags: Vec<(String, Span)>,
    command: usize,
}

impl Line {
    fn read(text: &Located, keyword: usize) -> Self {
        let all = text.text();
        let mut at = (keyword + 3).min(all.len());
        let mut flags = Vec::new();
        loop {
            at += all[at..].len() - all[at..].trim_start().len();
            if !all[at..].starts_with("--") {
                break;
            }
            let end = at + word_end(&all[at..]);
            let flag = all[at..end].to_owned();
            let is_end = flag == "--";
            if !is_end {
                flags.push((flag, text.span(at..end)));
            }
            at = end;
            if is_end {
                at += all[at..].len() - all[at..].trim_start().len();
                break;
            }
        }
        Self { flags, command: at }
    }
}

/// The length of a word that may hold quoted blanks.
fn word_end(text: &str) -> usize {
    let mut quote = None;
    for (at, c) in text.char_indices() {
        match quote {
            Some(open) if c == open => quote = None,
            Some(_) => {}
            None if matches!(c, '"' | '\'') => quote = Some(c),
            None if c.is_whitespace() => return at,
            None => {}
        }
    }
    text.len()
}

fn network(flags: &[(String, Span)]) -> Network {
    match flags.iter().rev().find_map(|(flag, _)| flag.strip_prefix("--network=")) {
        Some("none") => Network::None,
        Some("host") => Network::Host,
        _ => Network::Default,
    }
}

fn mount(file: &File<'_>, index: usize, position: usize, flag: &str, span: Span) -> Option<Mount> {
    let value = flag.strip_prefix("--mount=")?;
    let mut mount = Mount { kind: "bind".to_owned(), span, ..Mount::default() };
    for field in value.split(',') {
        let Some((key, value)) = field.trim_matches('"').split_once('=') else { continue };
        let value = file.expand(index, position, value.as_bytes()).text;
        match key.to_ascii_lowercase().as_str() {
            "type" => mount.kind = value.to_ascii_lowercase(),
            "from" => mount.from = value,
            "target" | "dst" | "destination" => mount.target = value,
            "source" | "src" => mount.source = value,
            _ => {}
        }
    }
    Some(mount)
}

/// Whether `SHELL` names none that the parser reads.
fn is_foreign(shell: Option<&[String]>) -> bool {
    let Some(shell) = shell else { return false };
    let name = |word: &String| word.rsplit(['/', '\\']).next().unwrap_or_default().to_lowercase();
    let known = ["sh", "bash", "dash", "ash", "ksh", "mksh", "zsh", "busybox"];
    !shell.iter().take(1).chain(shell.get(1)).map(name).any(|name| known.contains(&name.trim_end_matches(".exe")))
}

/// What the shell is given: a heredoc alone is the script, otherwise the bodies follow the line.
fn script(command: &Located, heredocs: &[Heredoc], bodies: Vec<(Located, Located)>) -> Located {
    let line = command.text().trim();
    let is_alone = heredocs.len() == 1 && line.starts_with("<<") && !line.contains(char::is_whitespace);
    let mut script = Located::default();
    if !is_alone {
        script.push_part(command, 0..command.text().len());
        script.push_all("\n", command.last());
    }
    for (body, end) in bodies {
        let skip = if is_alone { shebang(body.text()) } else { Some(0) };
        // A body for another interpreter is no shell.
        let Some(skip) = skip else { continue };
        script.push_part(&body, skip..body.text().len());
        if !is_alone {
            script.push_part(&end, 0..end.text().len());
            script.push_all("\n", end.last());
        }
    }
    script
}

/// The length of a first line that names a shell, 0 without one; none for other interpreters.
fn shebang(body: &str) -> Option<usize> {
    let Some(line) = body.strip_prefix("#!").map(|rest| rest.lines().next().unwrap_or_default()) else {
        return Some(0);
    };
    let is_shell = line
        .split_whitespace()
        .any(|word| matches!(word.rsplit('/').next(), Some("sh" | "bash" | "dash" | "ash" | "zsh" | "ksh" | "mksh")));
    is_shell.then_some(line.len() + 2)
}

/// The words of a JSON form, each at its place if it stands there without escapes.
fn exec_words(command: &CommandLine, text: &Located) -> Vec<Word> {
    let mut from = 0;
    command
        .words
        .iter()
        .map(|word| {
            let word = word.lossy();
            let quoted = format!("\"{word}\"");
            let mut value = Located::default();
            match text.text().get(from..).and_then(|rest| rest.find(&quoted)) {
                Some(at) => {
                    let start = from + at + 1;
                    value.push_part(text, start..start + word.len());
                    from = start + word.len();
                }
                None => value.push_all(&word, text.span(from..from + 1).start),
            }
            let span = value.whole();
            Word { value, is_dynamic: false, span }
        })
        .collect()
}
