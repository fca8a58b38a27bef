//! From nodes to typed instructions: flags and numbers of arguments are checked here.

use super::error::{DockerfileError, wrong};
use super::flags::{Flags, Kind};
use super::health::read_health;
use super::node::{Arguments, KEYWORDS, Node, known_keyword};
use super::quote::quote;
use super::run::read_run;
use super::syntax::{Argument, Command, CommandLine, Instruction, Pair, Stage};
use super::text::{Text, lossy, trim};
use super::transfer::{read_add, read_copy};

/// What a node is.
pub(super) enum Item {
    Stage(Box<Stage>),
    Instruction(Box<Instruction>),
}

/// Understands one node.
pub(super) fn read_item(node: Node) -> Result<Item, DockerfileError> {
    let lines = node.lines;
    read(node).map_err(|error| error.at(lines))
}

fn read(node: Node) -> Result<Item, DockerfileError> {
    let command = match known_keyword(&node.keyword) {
        Some("from") => return Ok(Item::Stage(Box::new(read_from(node)?))),
        Some("add") => Command::Add(read_add(&node)?),
        Some("arg") => Command::Arg(read_arg(&node)?),
        Some("cmd") => Command::Cmd(read_command_line(&node)?),
        Some("copy") => Command::Copy(read_copy(&node)?),
        Some("entrypoint") => Command::Entrypoint(read_command_line(&node)?),
        Some("env") => Command::Env(read_pairs(&node, "ENV")?),
        Some("expose") => Command::Expose(read_expose(&node)?),
        Some("healthcheck") => Command::Healthcheck(read_health(&node)?),
        Some("label") => Command::Label(read_pairs(&node, "LABEL")?),
        Some("maintainer") => Command::Maintainer(read_single(&node, "MAINTAINER", true)?),
        Some("onbuild") => Command::Onbuild(read_onbuild(&node)?),
        Some("run") => Command::Run(read_run(&node)?),
        Some("shell") => Command::Shell(read_shell(&node)?),
        Some("stopsignal") => Command::Stopsignal(read_single(&node, "STOPSIGNAL", false)?),
        Some("user") => Command::User(read_single(&node, "USER", true)?),
        Some("volume") => Command::Volume(read_volume(&node)?),
        Some("workdir") => Command::Workdir(read_single(&node, "WORKDIR", true)?),
        _ => {
            let keyword = node.keyword.lossy();
            return Err(wrong(format!("unknown instruction: {keyword}")).suggest(&keyword.to_lowercase(), KEYWORDS));
        }
    };
    Ok(Item::Instruction(Box::new(Instruction {
        lines: node.lines,
        original: Text::from(trim(&node.original)),
        keyword: node.keyword,
        comments: node.comments,
        command,
    })))
}

fn no_flags(node: &Node) -> Result<(), DockerfileError> {
    Flags::read(&node.flags, &[])?;
    Ok(())
}

fn at_least_one(name: &str) -> DockerfileError {
    wrong(format!("{name} requires at least one argument"))
}

fn read_from(node: Node) -> Result<Stage, DockerfileError> {
    const FLAGS: &[(&str, Kind)] = &[("platform", Kind::Value)];
    let (base, as_keyword, name) = match node.arguments.words.as_slice() {
        [base] => (base, None, None),
        [base, word, name] if word.eq_ignore_ascii_case(b"as") => (base, Some(word), Some(name)),
        _ => return Err(wrong("FROM requires either one or three arguments")),
    };
    let stage_name = match name {
        None => None,
        Some(written) => {
            let lower = written.lossy().to_lowercase();
            let starts_well = lower.starts_with(|c: char| c.is_ascii_lowercase());
            let allowed = |c: char| matches!(c, 'a'..='z' | '0'..='9' | '-' | '_' | '.');
            if !starts_well || !lower.chars().all(allowed) {
                return Err(wrong(format!(
                    "invalid name for build stage: {}, name can't start with a number or contain symbols",
                    quote(written)
                )));
            }
            Some(lower)
        }
    };
    let flags = Flags::read(&node.flags, FLAGS)?;
    Ok(Stage {
        lines: node.lines,
        base: base.clone(),
        as_keyword: as_keyword.cloned(),
        written_name: name.cloned(),
        name: stage_name,
        platform: flags.value("platform"),
        keyword: node.keyword,
        comments: node.comments,
        instructions: Vec::new(),
    })
}

/// `ARG` looks at no flags.
fn read_arg(node: &Node) -> Result<Vec<Argument>, DockerfileError> {
    if node.arguments.words.is_empty() {
        return Err(at_least_one("ARG"));
    }
    let argument = |word: &Text| match word.iter().position(|byte| *byte == b'=') {
        Some(0) => Err(wrong("ARG names can not be blank")),
        Some(end) => Ok(Argument { name: word[..end].into(), default: Some(word[end + 1..].into()) }),
        None => Ok(Argument { name: word.clone(), default: None }),
    };
    node.arguments.words.iter().map(argument).collect()
}

fn read_pairs(node: &Node, name: &str) -> Result<Vec<Pair>, DockerfileError> {
    no_flags(node)?;
    if node.arguments.pairs.is_empty() {
        return Err(at_least_one(name));
    }
    let pair = |(key, value, legacy): &(Text, Text, bool)| match key.is_empty() {
        true => Err(wrong(format!("{name} names can not be blank"))),
        false => Ok(Pair { key: key.clone(), value: value.clone(), legacy: *legacy }),
    };
    node.arguments.pairs.iter().map(pair).collect()
}

/// The rest of the line. `STOPSIGNAL` looks at no flags.
fn read_single(node: &Node, name: &str, checks_flags: bool) -> Result<Text, DockerfileError> {
    let [word] = node.arguments.words.as_slice() else {
        return Err(wrong(format!("{name} requires exactly one argument")));
    };
    if checks_flags {
        no_flags(node)?;
    }
    Ok(word.clone())
}

fn read_command_line(node: &Node) -> Result<CommandLine, DockerfileError> {
    no_flags(node)?;
    Ok(node.arguments.command_line())
}

fn read_expose(node: &Node) -> Result<Vec<Text>, DockerfileError> {
    let mut words = node.arguments.words.clone();
    if words.is_empty() {
        return Err(at_least_one("EXPOSE"));
    }
    no_flags(node)?;
    words.sort();
    Ok(words)
}

fn read_volume(node: &Node) -> Result<Vec<Text>, DockerfileError> {
    if node.arguments.words.is_empty() {
        return Err(at_least_one("VOLUME"));
    }
    no_flags(node)?;
    let volume = |word: &Text| match trim(word) {
        [] => Err(wrong("VOLUME specified can not be an empty string")),
        word => Ok(Text::from(word)),
    };
    node.arguments.words.iter().map(volume).collect()
}

fn read_shell(node: &Node) -> Result<Vec<Text>, DockerfileError> {
    no_flags(node)?;
    match &node.arguments {
        Arguments { words, .. } if words.is_empty() => Err(at_least_one("SHELL")),
        Arguments { words, is_json: true, .. } => Ok(words.clone()),
        _ => Err(wrong("SHELL requires the arguments to be in JSON form")),
    }
}

fn read_onbuild(node: &Node) -> Result<Text, DockerfileError> {
    let Some(word) = node.arguments.words.first() else { return Err(at_least_one("ONBUILD")) };
    no_flags(node)?;
    let trigger = lossy(trim(word)).to_uppercase();
    match trigger.as_str() {
        "ONBUILD" => return Err(wrong("Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed")),
        "MAINTAINER" | "FROM" => return Err(wrong(format!("{trigger} isn't allowed as an ONBUILD trigger"))),
        _ => {}
    }
    let mut expression = strip_onbuild(&node.original).to_vec();
    for heredoc in &node.heredocs {
        expression.push(b'\n');
        expression.extend_from_slice(&heredoc.body);
        expression.extend_from_slice(&heredoc.name);
    }
    Ok(expression.into())
}

/// The line without `ONBUILD` and the blanks around it.
fn strip_onbuild(line: &[u8]) -> &[u8] {
    let skip_blanks = |line: &'_ [u8]| {
        line.iter().position(|byte| !matches!(byte, b'\t' | b'\n' | 0x0c | b'\r' | b' ')).unwrap_or(line.len())
    };
    let start = skip_blanks(line);
    match line[start..].split_at_checked(7) {
        Some((word, rest)) if word.eq_ignore_ascii_case(b"ONBUILD") => &rest[skip_blanks(rest)..],
        _ => line,
    }
}
