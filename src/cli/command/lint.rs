//! `repro lint`: what in a Dockerfile will not reproduce.

use std::io::Read;
use std::path::PathBuf;

use super::super::arguments;
use super::super::report::{Report, text};
use super::super::session::Session;
use crate::document::{Document, ErrorDocument, FindingDocument, LintDocument};
use crate::lint::rule;
use crate::project::{LintOptions, LintedFile, Project, WrongDockerfile, lint_images, lint_text};
use crate::status::{ExitStatus, Failure, Status};

/// The words ask for something that is not there.
#[derive(Debug, thiserror::Error)]
enum LintError {
    #[error("no rule is called `{}`", crate::escape::text(.0))]
    NoRule(String),
    #[error("cannot read a Dockerfile from stdin: {0}")]
    Stdin(std::io::Error),
}

impl ExitStatus for LintError {
    fn status(&self) -> Status {
        Status::Usage
    }

    fn hint(&self) -> Option<String> {
        matches!(self, Self::NoRule(_)).then(|| "docs/lint.md lists all rules".to_owned())
    }
}

/// Runs the command.
pub fn run(arguments: &arguments::Lint, session: &Session) -> Result<Report, Failure> {
    if let Some(name) = &arguments.explain {
        let rule = rule(name).ok_or_else(|| LintError::NoRule(name.clone()))?;
        return Ok(Report::text(Status::Success, text::lint::explain(rule)));
    }
    let files = files(arguments, session)?;
    let least = arguments.fail_on.severity();
    let mut document = LintDocument::empty();
    let mut text = String::new();
    let mut failures = Vec::new();
    let mut status = Status::Success;
    for mut file in files {
        document.findings.extend(file.findings.iter().map(|finding| FindingDocument::of(&file, finding)));
        text::lint::show(&mut text, &file);
        if file.count(least) > 0 {
            status = status.or(Status::Differs);
        }
        if let Some(failure) = file.failure.take() {
            status = status.or(failure.status());
            document.error.get_or_insert_with(|| ErrorDocument::of(&failure));
            failures.push(failure);
        }
    }
    text::lint::summary(&mut text, &document, session.quiet);
    document.status = status.code();
    Ok(Report { status, text, document: Some(Document::of(&document)), failures })
}

fn files(arguments: &arguments::Lint, session: &Session) -> Result<Vec<LintedFile>, Failure> {
    let (machine, question) = (&session.machine, &arguments.question);
    if question.images == ["-"] {
        let mut bytes = Vec::new();
        let limit = machine.limits.dockerfile;
        std::io::stdin().take(limit + 1).read_to_end(&mut bytes).map_err(LintError::Stdin)?;
        let path = PathBuf::from("-");
        let linted = lint_text(machine, path.clone(), &bytes);
        return Ok(vec![linted.map_err(|error| WrongDockerfile { path, text: bytes, error, hint: None })?]);
    }
    let flags = question.flags();
    let project = Project::open_or_make(machine, flags.as_ref())?;
    let options = LintOptions {
        images: question.names().to_vec(),
        without_lock: arguments.no_lock,
        knows_context: flags.as_ref().is_none_or(|flags| flags.context.is_some()),
    };
    lint_images(machine, &project, &options)
}
