//! From the heading of a failed step (`[build 2/3] COPY a /`) to the line of its instruction.
//!
//! BuildKit shows the Dockerfile's lines itself, but for steps that stand on a source that a policy changed.

use crate::dockerfile::syntax::{Command, Dockerfile, Instruction, Stage};

/// The first line of the instruction that `heading` names; none when it is not certain.
///
/// BuildKit numbers a stage's steps: `FROM` unless it is `scratch` or a stage, triggers of the base image, then those
/// instructions that change files. So those of the file are counted from the end.
pub fn line(heading: &str, dockerfile: &Dockerfile) -> Option<u32> {
    let (place, text) = heading.strip_prefix('[')?.split_once("] ")?;
    let (name, counter) = match place.rsplit_once('/')?.0.rsplit_once(' ') {
        Some((name, _)) => (name.trim_end(), &place[name.len() + 1..]),
        None => ("", place),
    };
    let (number, count) = counter.split_once('/')?;
    let (number, count): (usize, usize) = (number.trim().parse().ok()?, count.parse().ok()?);
    // A later stage of the same name hides an earlier one, but only from what follows it.
    stages(dockerfile, name).find_map(|stage| line_in(stage, number, count, text))
}

/// The stages that are called `name`, or `stage-2` by their index, the last one first; an only one has no name.
fn stages<'a>(dockerfile: &'a Dockerfile, name: &'a str) -> impl Iterator<Item = &'a Stage> {
    let is_only = dockerfile.stages.len() == 1 && name.is_empty();
    let index = name.strip_prefix("stage-").and_then(|index| index.parse::<usize>().ok());
    let stages = dockerfile.stages.iter().enumerate().rev();
    let called = stages.filter(move |(at, stage)| match &stage.name {
        Some(own) => is_only || own == name,
        None => is_only || index == Some(*at),
    });
    called.map(|(_, stage)| stage)
}

fn line_in(stage: &Stage, number: usize, count: usize, text: &str) -> Option<u32> {
    if text.starts_with("ONBUILD ") {
        return Some(stage.lines.start);
    }
    let steps: Vec<&Instruction> = stage.instructions.iter().filter(|step| changes_files(&step.command)).collect();
    let before = count.checked_sub(steps.len())?;
    // `WORKDIR /` counts, but has no number.
    let mut numbered = steps.iter().filter(|step| !matches!(&step.command, Command::Workdir(path) if **path == *b"/"));
    let step = numbered.nth(number.checked_sub(before + 1)?)?;
    is_said(step, text).then_some(step.lines.start)
}

fn changes_files(command: &Command) -> bool {
    matches!(command, Command::Add(_) | Command::Copy(_) | Command::Run(_) | Command::Workdir(_))
}

/// Whether a heading's text is that of an instruction, as far as no variable or quote changes it.
fn is_said(step: &Instruction, text: &str) -> bool {
    let rest = text.strip_prefix("LINK ").unwrap_or(text).strip_prefix(step.command.name());
    let written = step.original.get(step.keyword.len()..).unwrap_or_default();
    let plain: &[u8] = written.split(|byte| b"$\"'\\`".contains(byte)).next().unwrap_or_default();
    rest.is_some_and(|rest| {
        let common = plain.len().min(rest.len());
        plain[..common] == rest.as_bytes()[..common]
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dockerfile::parse;
    use crate::limits::Limits;

    const DOCKERFILE: &str = "# a comment\n\
                              FROM a AS build\n\
                              WORKDIR /\n\
                              ENV X=y\n\
                              run one && \\\n  two\n\
                              COPY --link $X /x\n\
                              FROM build\n\
                              WORKDIR /x\n\
                              ADD a \\\n /b\n\
                              FROM scratch\n\
                              COPY a /\n\
                              FROM c AS build\n\
                              RUN [\"d\"]\n";

    #[test]
    fn a_step_is_found_by_its_stage_and_number() {
        for (heading, want) in [
            // `WORKDIR /` is one of four, but the second step is the one behind it.
            ("[build 2/4] RUN one &&   two", Some(5)),
            ("[build 2/2] RUN [\"d\"]", Some(15)),
            ("[build 3/3] RUN [\"d\"]", Some(15)),
            ("[build  9/10] RUN [\"d\"]", None),
            ("[build  9/9] RUN [\"d\"]", Some(15)),
            ("[build 2/2] ONBUILD COPY x /", Some(14)),
            ("[stage-1 1/2] WORKDIR /x", Some(9)),
            ("[stage-1 2/2] ADD a  /b", Some(10)),
            ("[stage-1 2/2] ADD c  /b", None),
            ("[stage-1 2/2] COPY a  /b", None),
            ("[stage-2 1/1] COPY a /", Some(13)),
            ("[stage-0 2/4] RUN one &&   two", None),
            ("[stage-7 1/1] COPY a /", None),
            ("[1/1] COPY a /", None),
            ("[internal] load build definition", None),
            ("[stage-2 5/1] COPY a /", None),
            ("[stage-2 0/1] COPY a /", None),
            ("no heading", None),
            ("", None),
        ] {
            assert_eq!(line(heading, &parse(DOCKERFILE.as_bytes(), &Limits::default()).unwrap()), want, "{heading}");
        }
    }

    #[test]
    fn an_only_stage_has_no_name_unless_something_is_copied_from_an_image() {
        let text = DOCKERFILE.split_inclusive('\n').take(7).collect::<String>();
        for (heading, want) in [
            ("[1/4] FROM a", None),
            ("[2/4] RUN one &&   two", Some(5)),
            ("[3/4] COPY --link y /x", Some(7)),
            ("[3/4] LINK COPY --link y /x", Some(7)),
            ("[build 3/4] COPY --link y /x", Some(7)),
            // Two triggers.
            ("[2/6] ONBUILD RUN z", Some(2)),
            ("[5/6] COPY --link y /x", Some(7)),
            ("[4/4] COPY --link y /x", None),
        ] {
            assert_eq!(line(heading, &parse(text.as_bytes(), &Limits::default()).unwrap()), want, "{heading}");
        }
    }

    #[test]
    fn heredocs_count_as_one_step_each() {
        let text = "FROM scratch\nCOPY <<A /f\nRUN no\nA\nRUN <<B\nc\nB\nCOPY d /\n";
        for (heading, want) in
            [("[2/3] RUN <<B (c)", Some(5)), ("[2/3] RUN <<B (c...)", Some(5)), ("[3/3] COPY d /", Some(8))]
        {
            assert_eq!(line(heading, &parse(text.as_bytes(), &Limits::default()).unwrap()), want, "{heading}");
        }
    }
}
