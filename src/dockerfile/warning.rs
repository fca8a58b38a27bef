//! BuildKit's own warnings; `# check=error=true` turns them into an error.

use super::directive::{Directives, Key};
use super::error::DockerfileError;
use super::rule::Rule;
use super::syntax::{Command, Dockerfile, Instruction, Lines, Stage};
use super::text::{Text, lossy};
use crate::escape;
use crate::finding::{Finding, Place, Severity};

/// One warning of BuildKit's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    /// The rule.
    pub rule: Rule,
    /// Where.
    pub lines: Lines,
    /// What it is about: a name or a value as written; not yet safe to print.
    pub subject: String,
}

impl Warning {
    /// The warning as a finding in the Dockerfile that people know as `file`, which must be safe to print.
    pub fn finding(&self, file: &str) -> Finding {
        Finding {
            code: self.rule.name(),
            severity: Severity::Warning,
            place: Place::Line { file: file.to_owned(), line: self.lines.start },
            message: self.rule.message(&escape::text(&self.subject)),
            fix: Some(self.rule.fix().to_owned()),
        }
    }
}

/// Which rules apply: the options of `# check=`.
#[derive(Clone, Debug, Default)]
struct Options {
    skip_all: bool,
    skip: Vec<String>,
    experimental_all: bool,
    experimental: Vec<String>,
    error: bool,
}

impl Options {
    /// `skip=A,B;experimental=all;error=true`
    fn parse(text: &str) -> Result<Self, String> {
        let mut options = Self::default();
        if text.trim().is_empty() {
            return Ok(options);
        }
        for part in text.trim().splitn(3, ';') {
            let Some((key, value)) = part.split_once('=') else {
                return Err(format!("invalid check option {}", super::quote::quote(part.as_bytes())));
            };
            let rules = || value.trim().split(',').map(|rule| rule.trim().to_owned()).collect();
            match key.trim() {
                "skip" if value.trim() == "all" => options.skip_all = true,
                "skip" => options.skip = rules(),
                "experimental" if value.trim() == "all" => options.experimental_all = true,
                "experimental" => options.experimental = rules(),
                "error" => {
                    let value = value.trim();
                    options.error = super::mount::parse_bool(value).ok_or_else(|| {
                        let (part, value) =
                            (super::quote::quote(part.as_bytes()), super::quote::quote(value.as_bytes()));
                        format!(
                            "failed to parse check option {part}: strconv.ParseBool: parsing {value}: invalid syntax"
                        )
                    })?;
                }
                key => return Err(format!("invalid check option {}", super::quote::quote(key.as_bytes()))),
            }
        }
        Ok(options)
    }

    fn applies(&self, rule: Rule) -> bool {
        let listed = |rules: &[String]| rules.iter().any(|listed| listed == rule.name());
        match rule {
            Rule::InvalidDefinitionDescription => self.experimental_all || listed(&self.experimental),
            _ => !self.skip_all && !listed(&self.skip),
        }
    }

    /// With the options that a `# check=` among the comments above an instruction adds.
    fn applies_with(&self, comments: &[Text], rule: Rule) -> bool {
        for comment in comments {
            let Ok(Some((Key::Check, value))) = Directives::new("").read(comment) else { continue };
            let value = lossy(value);
            let Ok(more) = Self::parse(value.split(' ').next().unwrap_or_default()) else { break };
            let experimental = rule == Rule::InvalidDefinitionDescription;
            let by_comment = if experimental { more.applies(rule) } else { !more.applies(rule) };
            // Options add up: a rule is skipped, or an experimental one wanted, if either says so.
            return if experimental { self.applies(rule) || by_comment } else { self.applies(rule) && !by_comment };
        }
        self.applies(rule)
    }
}

/// Gathers warnings.
#[derive(Debug, Default)]
pub(super) struct Warnings {
    options: Options,
    found: Vec<Warning>,
}

impl Warnings {
    /// With the options of the file's `# check=`.
    pub(super) fn new(dockerfile: &Dockerfile) -> Result<Self, DockerfileError> {
        let text = dockerfile.check.as_ref().map(|text| text.lossy()).unwrap_or_default();
        let options = Options::parse(&text)
            .map_err(|error| DockerfileError::convert(format!("failed to parse check options: {error}")))?;
        Ok(Self { options, found: Vec::new() })
    }

    pub(super) fn add(&mut self, rule: Rule, lines: Lines, comments: &[Text], subject: impl Into<String>) {
        if self.options.applies_with(comments, rule) {
            self.found.push(Warning { rule, lines, subject: subject.into() });
        }
    }

    /// The warnings, or the error that they are under `# check=error=true`.
    pub(super) fn finish(self) -> Result<Vec<Warning>, DockerfileError> {
        if !self.options.error || self.found.is_empty() {
            return Ok(self.found);
        }
        let mut rules: Vec<&str> = self.found.iter().map(|warning| warning.rule.name()).collect();
        rules.sort();
        rules.dedup();
        let mut error = DockerfileError::convert(format!("lint violation found for rules: {}", rules.join(", ")));
        error.lines = self.found.iter().map(|warning| warning.lines).collect();
        Err(error)
    }

    /// The warnings that need nothing but the syntax tree.
    pub(super) fn look_at(&mut self, dockerfile: &Dockerfile) {
        for line in &dockerfile.empty_continuations {
            self.add(Rule::NoEmptyContinuation, Lines { start: *line, end: *line }, &[], "");
        }
        let mut names: Vec<&str> = Vec::new();
        for instruction in &dockerfile.global_args {
            self.look_at_instruction(instruction);
        }
        for stage in &dockerfile.stages {
            self.look_at_stage(stage);
            if let Some(name) = stage.name.as_deref() {
                if matches!(name, "context" | "scratch") {
                    self.add(Rule::ReservedStageName, stage.lines, &[], name);
                }
                if names.contains(&name) {
                    self.add(Rule::DuplicateStageName, stage.lines, &[], name);
                }
                names.push(name);
            }
            stage.instructions.iter().for_each(|instruction| self.look_at_instruction(instruction));
        }
        self.look_at_casing(dockerfile);
    }

    fn look_at_stage(&mut self, stage: &Stage) {
        let (Some(written), Some(name)) = (&stage.written_name, &stage.name) else { return };
        if **written != *name.as_bytes() {
            self.add(Rule::StageNameCasing, stage.lines, &stage.comments, written.lossy());
        }
        if let (Some(from), Some(word)) = (casing(&stage.keyword), &stage.as_keyword)
            && casing(word) != Some(from)
        {
            self.add(Rule::FromAsCasing, stage.lines, &stage.comments, word.lossy());
        }
        self.look_at_description(stage.lines, &stage.comments, &[name.as_bytes()]);
    }

    fn look_at_instruction(&mut self, instruction: &Instruction) {
        match &instruction.command {
            Command::Maintainer(_) => {
                self.add(Rule::MaintainerDeprecated, instruction.lines, &instruction.comments, "MAINTAINER");
            }
            Command::Arg(arguments) => {
                let names: Vec<&[u8]> = arguments.iter().map(|argument| &*argument.name).collect();
                self.look_at_description(instruction.lines, &instruction.comments, &names);
            }
            _ => {}
        }
    }

    fn look_at_description(&mut self, lines: Lines, comments: &[Text], names: &[&[u8]]) {
        let Some(last) = comments.last() else { return };
        let word = last.split(|byte| *byte == b' ').next().unwrap_or_default();
        if !names.contains(&word) {
            self.add(Rule::InvalidDefinitionDescription, lines, comments, last.lossy());
        }
    }

    fn look_at_casing(&mut self, dockerfile: &Dockerfile) {
        let keywords = || {
            dockerfile.stages.iter().flat_map(|stage| {
                let own = std::iter::once((&stage.keyword, stage.lines));
                own.chain(stage.instructions.iter().map(|instruction| (&instruction.keyword, instruction.lines)))
            })
        };
        let count = |wanted| keywords().filter(|(keyword, _)| casing(keyword) == Some(wanted)).count();
        let majority = if count(Casing::Lower) > count(Casing::Upper) { Casing::Lower } else { Casing::Upper };
        for (keyword, lines) in keywords() {
            if casing(keyword) != Some(majority) {
                self.add(Rule::ConsistentInstructionCasing, lines, &[], keyword.lossy());
            }
        }
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Casing {
    Lower,
    Upper,
}

fn casing(word: &[u8]) -> Option<Casing> {
    if !word.iter().any(u8::is_ascii_uppercase) {
        return Some(Casing::Lower);
    }
    (!word.iter().any(u8::is_ascii_lowercase)).then_some(Casing::Upper)
}

/// Whether a variable's name looks like that of a secret.
pub(super) fn is_secret_name(name: &[u8]) -> bool {
    const SECRETS: [&str; 10] =
        ["apikey", "auth", "credential", "credentials", "key", "password", "pword", "passwd", "secret", "token"];
    const HARMLESS: [&str; 3] = ["public", "file", "version"];
    let lower = lossy(name).to_lowercase();
    let has = |words: &[&str]| lower.split('_').any(|part| words.contains(&part));
    has(&SECRETS) && !has(&HARMLESS)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn warnings(text: &str) -> Result<Vec<String>, String> {
        let dockerfile = crate::dockerfile::parse(text.as_bytes(), &crate::limits::Limits::default())
            .map_err(|error| error.message)?;
        let mut warnings = Warnings::new(&dockerfile).map_err(|error| error.message)?;
        warnings.look_at(&dockerfile);
        let found = warnings.finish().map_err(|error| error.message)?;
        Ok(found.iter().map(|warning| format!("{} {}", warning.rule.name(), warning.lines.start)).collect())
    }

    #[test]
    fn the_syntax_tree_gives_its_warnings() {
        for (text, want) in [
            ("FROM a as b\n", Ok(vec!["FromAsCasing 1"])),
            ("FROM a AS B\nrun x\n", Ok(vec!["StageNameCasing 1", "ConsistentInstructionCasing 2"])),
            ("FROM a AS b\nFROM a AS b\n", Ok(vec!["DuplicateStageName 2"])),
            ("FROM a AS context\nMAINTAINER x\n", Ok(vec!["ReservedStageName 1", "MaintainerDeprecated 2"])),
            ("FROM a\nRUN x \\\n\n y\n", Ok(vec!["NoEmptyContinuation 4"])),
            ("# check=skip=FromAsCasing\nFROM a as b\n", Ok(vec![])),
            ("#\n# check=skip=FromAsCasing\nFROM a as b\n", Ok(vec![])),
            ("# check=experimental=all\n\n# foo\nARG A\nFROM a\n", Ok(vec!["InvalidDefinitionDescription 4"])),
            ("# check=error=true\nFROM a as b\n", Err("lint violation found for rules: FromAsCasing")),
            ("# check=foo\nFROM a\n", Err("failed to parse check options: invalid check option \"foo\"")),
        ] {
            let want = want.map(|w| w.into_iter().map(str::to_owned).collect()).map_err(str::to_owned);
            assert_eq!(warnings(text), want, "{text}");
        }
    }

    #[test]
    fn secrets_are_known_by_their_names() {
        for (name, want) in
            [("API_KEY", true), ("TOKEN", true), ("TOKENS", false), ("KEY_FILE", false), ("KEYS", false)]
        {
            assert_eq!(is_secret_name(name.as_bytes()), want, "{name}");
        }
    }
}
