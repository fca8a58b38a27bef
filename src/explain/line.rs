//! The line of a Dockerfile that a difference belongs to.
//!
//! A Dockerfile says nothing about layers, but each of its instructions left an item in the image's history. Both are laid
//! side by side from their ends, for what is below the last instructions belongs to the base.

use super::differences::{Difference, DifferenceLevel};
use crate::dockerfile::syntax::{Command, Dockerfile, Instruction, Stage};
use crate::image::validate::{HistoryFacts, ImageFacts};

/// What BuildKit appends to the text of an instruction, and by what buildah notes the time rule that was asked for.
const BUILDKIT: &str = " # buildkit";
const TIME_RULES: &[&str] = &["|force-mtime=", "|clamp-mtime="];
/// What classic builders begin the text of an instruction with that ran nothing.
const NOTHING: &str = "/bin/sh -c #(nop) ";

/// Which instruction sets a field of the config.
const FIELDS: &[(&str, &str)] = &[
    ("Cmd", "CMD"),
    ("Entrypoint", "ENTRYPOINT"),
    ("Env", "ENV"),
    ("ExposedPorts", "EXPOSE"),
    ("Healthcheck", "HEALTHCHECK"),
    ("Labels", "LABEL"),
    ("OnBuild", "ONBUILD"),
    ("Shell", "SHELL"),
    ("StopSignal", "STOPSIGNAL"),
    ("User", "USER"),
    ("Volumes", "VOLUME"),
    ("WorkingDir", "WORKDIR"),
];

/// The instructions that an image is made of, base first.
#[derive(Clone, Debug)]
pub struct Instructions(Vec<Made>);

/// What is known of one instruction.
#[derive(Clone, Debug)]
struct Made {
    word: &'static str,
    /// The script of a RUN without its blanks; none where the history words it in another way.
    script: Option<String>,
    line: u32,
}

impl Instructions {
    /// Those of a stage and of the stages that it starts from; of the last stage if `target` is empty.
    pub fn of(dockerfile: &Dockerfile, target: &str) -> Self {
        let stages = &dockerfile.stages;
        let named = |name: &str| {
            let is_named = |stage: &Stage| stage.name.as_deref().is_some_and(|own| own.eq_ignore_ascii_case(name));
            stages.iter().rposition(is_named).or_else(|| name.parse().ok().filter(|number| *number < stages.len()))
        };
        let mut at = if target.is_empty() { stages.len().checked_sub(1) } else { named(target) };
        let mut made = Vec::new();
        while let Some(stage) = at.and_then(|at| stages.get(at)) {
            made.extend(stage.instructions.iter().rev().map(Made::of));
            // A stage is known to those that come after it.
            let base = stage.base.lossy();
            let is_base = |stage: &Stage| stage.name.as_deref().is_some_and(|own| own.eq_ignore_ascii_case(&base));
            at = at.and_then(|at| stages[..at].iter().rposition(is_base));
        }
        made.reverse();
        Self(made)
    }

    /// The line that each item of a history comes from; none for those of the base, and from where on the Dockerfile is
    /// not the one that made it.
    fn lines(&self, history: &[HistoryFacts]) -> Vec<Option<u32>> {
        let mut lines = vec![None; history.len()];
        let pairs = history.iter().zip(&mut lines).rev().zip(self.0.iter().rev());
        for ((item, line), made) in pairs {
            if !made.is_told_by(&item.created_by) {
                break;
            }
            *line = Some(made.line);
        }
        lines
    }
}

impl Made {
    fn of(instruction: &Instruction) -> Self {
        let script = match &instruction.command {
            Command::Run(run) if run.command.shell && run.heredocs.is_empty() => {
                run.command.words.first().map(|word| dense(&word.lossy()))
            }
            _ => None,
        };
        Self { word: instruction.command.name(), script, line: instruction.lines.start }
    }

    /// Whether an item of a history may be about it.
    fn is_told_by(&self, text: &str) -> bool {
        let is_run = text.strip_prefix(NOTHING).is_none() && word(text).is_none_or(|word| word == "RUN");
        if self.word != "RUN" {
            return !is_run && word(text.strip_prefix(NOTHING).unwrap_or(text)) == Some(self.word);
        }
        let text = text.strip_suffix(BUILDKIT).unwrap_or(text);
        let text = TIME_RULES.iter().filter_map(|rule| text.find(rule)).min().map_or(text, |end| &text[..end]);
        is_run && self.script.as_ref().is_none_or(|script| dense(text).ends_with(script.as_str()))
    }
}

/// The instruction word that a text begins with.
fn word(text: &str) -> Option<&str> {
    let word = text.trim_start().split(' ').next()?;
    let is_word = word.len() > 2 && word.bytes().all(|byte| byte.is_ascii_uppercase());
    is_word.then_some(word)
}

/// A text without blanks: builders differ in which they keep.
fn dense(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace()).collect()
}

/// Finds the line of each difference between two images, as far as either is made by these instructions.
pub fn find_lines(differences: &mut [Difference], images: [Option<&ImageFacts>; 2], instructions: &Instructions) {
    let sides = images.map(|image| {
        let history = image.and_then(|image| image.config.as_ref()?.history.as_deref()).unwrap_or_default();
        (history, instructions.lines(history))
    });
    for difference in differences {
        let is_only_second = difference.first.is_none() && difference.second.is_some();
        let order = if is_only_second { [1, 0] } else { [0, 1] };
        difference.line = order.into_iter().find_map(|side| {
            let (history, lines) = &sides[side];
            of_difference(difference, history, lines)
        });
    }
}

fn of_difference(difference: &Difference, history: &[HistoryFacts], lines: &[Option<u32>]) -> Option<u32> {
    let items = || history.iter().zip(lines);
    if let Some(layer) = difference.layer {
        return *items().filter(|(item, _)| !item.is_empty).nth(layer.checked_sub(1)?)?.1;
    }
    match difference.level {
        DifferenceLevel::History => {
            let is_meant =
                |text: &str| difference.first.as_deref() == Some(text) || difference.second.as_deref() == Some(text);
            *items().find(|(item, _)| is_meant(&item.created_by))?.1
        }
        DifferenceLevel::Config => {
            let field = difference.field.as_deref()?;
            let (_, wanted) = FIELDS.iter().find(|(name, _)| *name == field)?;
            let is_meant = |item: &HistoryFacts| {
                word(item.created_by.strip_prefix(NOTHING).unwrap_or(&item.created_by)) == Some(*wanted)
            };
            *items().rev().find(|(item, line)| is_meant(item) && line.is_some())?.1
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dockerfile::parse;

    fn lines(dockerfile: &str, target: &str, history: &[&str]) -> Vec<Option<u32>> {
        let item = |text: &&str| HistoryFacts { created_by: (*text).to_owned(), ..HistoryFacts::default() };
        let history: Vec<HistoryFacts> = history.iter().map(item).collect();
        Instructions::of(&parse(dockerfile.as_bytes(), &crate::limits::Limits::default()).unwrap(), target)
            .lines(&history)
    }

    #[test]
    fn items_get_the_lines_of_their_instructions_and_those_of_the_base_none() {
        let dockerfile = "FROM base AS one\nRUN a && \\\n  b\nENV X=1\nFROM one\nCOPY a /\nUSER 7\n";
        let history =
            ["RUN /bin/sh -c base", "RUN /bin/sh -c a &&   b # buildkit", "ENV X=1", "COPY a / # buildkit", "USER 7"];
        assert_eq!(lines(dockerfile, "", &history), [None, Some(2), Some(4), Some(6), Some(7)]);
        assert_eq!(lines(dockerfile, "one", &history[..3]), [None, Some(2), Some(4)]);
    }

    #[test]
    fn other_builders_word_the_same_in_other_ways() {
        let dockerfile = "FROM base\nRUN a\nRUN [\"a\", \"b\"]\nRUN <<E\na\nE\nCMD [\"x\"]\n";
        let history = [
            "|1 V=1 /bin/sh -c a",
            "RUN a b # buildkit",
            "RUN /bin/sh -c a # buildkit",
            "/bin/sh -c #(nop)  CMD [\"x\"]",
        ];
        assert_eq!(lines(dockerfile, "", &history), [Some(2), Some(3), Some(4), Some(7)]);
    }

    #[test]
    fn from_where_the_dockerfile_is_another_one_there_is_no_line() {
        let dockerfile = "FROM base\nRUN a\nRUN b\nUSER 7\n";
        assert_eq!(lines(dockerfile, "", &["RUN /bin/sh -c a", "RUN /bin/sh -c c", "USER 7"]), [None, None, Some(4)]);
        assert_eq!(lines(dockerfile, "", &["USER 7"]), [Some(4)]);
        assert_eq!(lines(dockerfile, "", &["RUN /bin/sh -c b", "COPY a /"]), [None, None]);
    }
}
