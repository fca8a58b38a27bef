//! A Dockerfile with more flags at its RUN instructions, everything else byte for byte: no line moves.

use std::collections::{BTreeMap, BTreeSet};

use super::error::{DockerfileError, wrong};
use super::mount::csv_fields;
use super::parse;
use super::syntax::{Command, Dockerfile, Lines, Stage};
use super::text::{Text, trim_start};
use crate::limits::Limits;

/// A RUN instruction that can be given flags.
#[derive(Clone, Debug)]
pub struct RunPlace {
    /// The variables that the Dockerfile sets for it: `ENV` and `ARG` of its stage so far, `ENV` of the stages that it is
    /// built from, and its own secrets. What a base image sets is not among them.
    pub variables: BTreeSet<String>,
    /// The instruction, as it stands in the file.
    pub text: Vec<u8>,
}

/// The Dockerfile with the flags that `flags` gives to each RUN, put right behind the instruction word.
///
/// Triggers (`ONBUILD RUN`) are left as they are, for they stand in the image. A flag must need no quotes.
///
/// # Errors
/// When the word `RUN` is cut by the end of a line.
pub fn add_run_flags(
    dockerfile: &Dockerfile,
    mut flags: impl FnMut(&RunPlace) -> Vec<String>,
) -> Result<Vec<u8>, DockerfileError> {
    let mut added: BTreeMap<u32, (Vec<u8>, Vec<String>)> = BTreeMap::new();
    let table: Vec<&[u8]> = dockerfile.bytes.split_inclusive(|&byte| byte == b'\n').collect();
    let text = |lines: Lines| {
        let at = |number: u32| usize::try_from(number).unwrap_or(usize::MAX);
        table.get(at(lines.start).saturating_sub(1)..at(lines.end).min(table.len())).unwrap_or_default().concat()
    };
    let mut inherited: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for stage in &dockerfile.stages {
        let base = stage.base.lossy().to_lowercase();
        let mut env: BTreeSet<String> = inherited.get(base.as_str()).cloned().unwrap_or_default();
        let mut variables = env.clone();
        for instruction in &stage.instructions {
            match &instruction.command {
                Command::Env(pairs) => {
                    let names = pairs.iter().map(|pair| pair.key.lossy().into_owned());
                    env.extend(names.clone());
                    variables.extend(names);
                }
                Command::Arg(arguments) => {
                    variables.extend(arguments.iter().map(|argument| argument.name.lossy().into_owned()));
                }
                Command::Run(run) => {
                    let secrets = run.mounts.iter().filter_map(|mount| secret_variable(mount));
                    let variables = variables.iter().cloned().chain(secrets).collect();
                    let flags = flags(&RunPlace { variables, text: text(instruction.lines) });
                    if !flags.is_empty() {
                        added.insert(instruction.lines.start, (instruction.keyword.to_vec(), flags));
                    }
                }
                _ => {}
            }
        }
        if let Some(name) = &stage.name {
            inherited.insert(name, env);
        }
    }
    let after = insert(&dockerfile.bytes, &added)?;
    // What was written is read back: the only other parse, and no limit is for what is added here.
    let unlimited = Limits { dockerfile: u64::MAX, instructions: u64::MAX, stages: u64::MAX, ..Limits::default() };
    // What reads the file may have been chosen elsewhere.
    let read_back = Dockerfile { syntax: dockerfile.syntax.clone(), ..parse(&after, &unlimited)? };
    check(dockerfile, &read_back, &added)?;
    Ok(after)
}

/// Puts flags behind the words that start the given lines.
fn insert(dockerfile: &[u8], added: &BTreeMap<u32, (Vec<u8>, Vec<String>)>) -> Result<Vec<u8>, DockerfileError> {
    let mut out = Vec::with_capacity(dockerfile.len() + 64 * added.len());
    for (number, line) in (1..).zip(dockerfile.split_inclusive(|&byte| byte == b'\n')) {
        let Some((word, flags)) = added.get(&number) else {
            out.extend(line);
            continue;
        };
        let mark = if number == 1 && line.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 };
        let text = trim_start(&line[mark..]);
        let Some(rest) = text.strip_prefix(word.as_slice()) else {
            return Err(refused(Lines { start: number, end: number }));
        };
        out.extend(&line[..line.len() - rest.len()]);
        for flag in flags {
            out.push(b' ');
            out.extend(flag.bytes());
        }
        out.extend(rest);
    }
    Ok(out)
}

/// Nothing but the mounts of the given lines may have changed.
fn check(
    before: &Dockerfile,
    after: &Dockerfile,
    added: &BTreeMap<u32, (Vec<u8>, Vec<String>)>,
) -> Result<(), DockerfileError> {
    let mut expected = Dockerfile { bytes: after.bytes.clone(), ..before.clone() };
    let mut found = after.clone();
    for (stage, other) in expected.stages.iter_mut().zip(&mut found.stages) {
        for (instruction, other) in stage.instructions.iter_mut().zip(&mut other.instructions) {
            let Some((_, flags)) = added.get(&instruction.lines.start) else { continue };
            if let Command::Run(run) = &mut instruction.command {
                let mounts = flags.iter().filter_map(|flag| flag.strip_prefix("--mount=").map(str::to_owned));
                run.mounts.splice(0..0, mounts);
            }
            // The joined line holds the new flags.
            instruction.original = Text::default();
            other.original = Text::default();
        }
    }
    let differs = |(one, other): (&Stage, &Stage)| {
        let pairs = one.instructions.iter().zip(&other.instructions);
        pairs.filter(|(one, other)| one != other).map(|(one, _)| one.lines).next()
    };
    match expected == found {
        true => Ok(()),
        false => {
            let lines = expected.stages.iter().zip(&found.stages).find_map(differs);
            Err(refused(lines.unwrap_or_default()))
        }
    }
}

fn refused(lines: Lines) -> DockerfileError {
    wrong("this RUN can't be given variables: write the word `RUN` and what follows it on one line").at(lines)
}

/// The variable that a secret mount sets.
fn secret_variable(mount: &str) -> Option<String> {
    let fields = csv_fields(mount).ok()?;
    fields.iter().find_map(|field| field.strip_prefix("env=").map(str::to_owned))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn add(text: &str) -> Result<String, String> {
        let flags = |place: &RunPlace| {
            if place.variables.contains("X") { vec![] } else { vec!["--mount=type=tmpfs,target=/x".to_owned()] }
        };
        let out = parse(text.as_bytes(), &Limits::default())
            .and_then(|dockerfile| add_run_flags(&dockerfile, flags))
            .map_err(|error| error.to_string())?;
        Ok(String::from_utf8(out).unwrap().replace("--mount=type=tmpfs,target=/x", "+"))
    }

    #[test]
    fn flags_stand_behind_the_word_in_every_form() {
        for (before, after) in [
            ("FROM a\nRUN b\n", "FROM a\nRUN + b\n"),
            ("FROM a\n  run\tb", "FROM a\n  run +\tb"),
            ("FROM a\r\nRUN b\r\n", "FROM a\r\nRUN + b\r\n"),
            ("FROM a\nRUN [\"b\", \"c\"]\n", "FROM a\nRUN + [\"b\", \"c\"]\n"),
            ("FROM a\nRUN --network=none b\n", "FROM a\nRUN + --network=none b\n"),
            ("FROM a\nRUN --mount=type=cache,target=/c b\n", "FROM a\nRUN + --mount=type=cache,target=/c b\n"),
            ("FROM a\nRUN b && \\\n # c\n\n  d\nRUN e", "FROM a\nRUN + b && \\\n # c\n\n  d\nRUN + e"),
            ("FROM a\nRUN\\\n b\n", "FROM a\nRUN +\\\n b\n"),
            ("FROM a\nRUN \\\n --network=none \\\n b\n", "FROM a\nRUN + \\\n --network=none \\\n b\n"),
            ("# escape=`\nFROM a\nRUN b `\n c\n", "# escape=`\nFROM a\nRUN + b `\n c\n"),
            (
                "FROM a\nRUN <<EOF\nRUN x\nEOF\nRUN <<-A cat <<B\nRUN 1\n\tA\nRUN 2\nB\n",
                "FROM a\nRUN + <<EOF\nRUN x\nEOF\nRUN + <<-A cat <<B\nRUN 1\n\tA\nRUN 2\nB\n",
            ),
            ("FROM a\nCOPY <<EOF /x\nRUN x\nEOF\n", "FROM a\nCOPY <<EOF /x\nRUN x\nEOF\n"),
            ("FROM a\nONBUILD RUN b\nCMD RUN b\n#RUN c\n", "FROM a\nONBUILD RUN b\nCMD RUN b\n#RUN c\n"),
            ("FROM a\nRUN --\n", "FROM a\nRUN + --\n"),
        ] {
            assert_eq!(add(before).as_deref(), Ok(after), "{before:?}");
        }
    }

    #[test]
    fn what_the_dockerfile_sets_is_known_at_each_instruction() {
        for (before, after) in [
            ("FROM a\nRUN b\nENV X=1\nRUN c\n", "FROM a\nRUN + b\nENV X=1\nRUN c\n"),
            ("ARG X\nFROM a\nRUN b\nARG X=1\nRUN c\n", "ARG X\nFROM a\nRUN + b\nARG X=1\nRUN c\n"),
            (
                "FROM a AS P\nENV X 1\nARG Y\nFROM p\nRUN b\nFROM a\nRUN c\n",
                "FROM a AS P\nENV X 1\nARG Y\nFROM p\nRUN b\nFROM a\nRUN + c\n",
            ),
            ("FROM a AS p\nARG X\nFROM p\nRUN b\n", "FROM a AS p\nARG X\nFROM p\nRUN + b\n"),
            (
                "FROM a\nRUN --mount=type=secret,id=i,env=X b\nRUN c\n",
                "FROM a\nRUN --mount=type=secret,id=i,env=X b\nRUN + c\n",
            ),
        ] {
            assert_eq!(add(before).as_deref(), Ok(after), "{before:?}");
        }
    }

    #[test]
    fn a_word_that_is_cut_is_refused_with_its_line() {
        for text in ["FROM a\nRU\\\nN b\n", "FROM a\n\\\nRUN b\n"] {
            assert!(add(text).unwrap_err().contains("this RUN can't be given variables"), "{text:?}");
        }
        assert!(add("FROM a\nFOO\n").is_err());
    }
}
