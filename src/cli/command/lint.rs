//! `repro lint`: what in a Dockerfile will not reproduce.

use std::io::Read;
use std::path::{Path, PathBuf};

use super::super::arguments::{self, Format};
use super::super::report::{Report, text};
use super::super::session::Session;
use crate::document::{Document, ErrorDocument, FindingDocument, LintDocument, code_quality, sarif};
use crate::lint::rule;
use crate::project::{Fixes, LintOptions, LintedFile, Machine, Project, lint_files, lint_images, lint_text};
use crate::status::{ExitStatus, Failure, Status};

/// The words ask for something that is not there.
#[derive(Debug, thiserror::Error)]
enum LintError {
    #[error("no rule is called `{}`", crate::escape::text(.0))]
    NoRule(String),
    #[error("`--fix` can't change what it reads from stdin")]
    NoFile,
    #[error("cannot read a Dockerfile from stdin: {0}")]
    Stdin(std::io::Error),
}

impl ExitStatus for LintError {
    fn status(&self) -> Status {
        Status::Usage
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::NoRule(_) => Some("docs/lint.md lists all rules".to_owned()),
            Self::NoFile => Some("`--fix --dry-run` prints a patch".to_owned()),
            Self::Stdin(_) => None,
        }
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
    let (mut text, mut patch) = (String::new(), String::new());
    let mut failures = Vec::new();
    let mut status = Status::Success;
    for mut file in files {
        document.findings.extend(file.findings.iter().map(|finding| FindingDocument::of(&file, finding)));
        match (&file.mended, arguments.fixes()) {
            (Some(mended), Fixes::Made) => document.fixed += mended.count,
            (Some(mended), _) => text::patch::show(&mut patch, &file, &mended.text),
            (None, _) => {}
        }
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
    let text = match session.format {
        Format::Sarif => Document::of(&sarif(&document)).text().to_owned(),
        Format::Gitlab => Document::of(&code_quality(&document)).text().to_owned(),
        Format::Github => text::annotations::all(&document),
        _ if arguments.dry_run => patch,
        _ => text,
    };
    Ok(Report { status, text, document: Some(Document::of(&document)), failures })
}

fn files(arguments: &arguments::Lint, session: &Session) -> Result<Vec<LintedFile>, Failure> {
    let (machine, question) = (&session.machine, &arguments.question);
    let fixes = arguments.fixes();
    if question.images == ["-"] {
        if fixes == Fixes::Made {
            return Err(LintError::NoFile.into());
        }
        let mut bytes = Vec::new();
        let limit = machine.limits.dockerfile;
        std::io::stdin().take(limit + 1).read_to_end(&mut bytes).map_err(LintError::Stdin)?;
        return Ok(vec![lint_text(machine, PathBuf::from("-"), bytes, fixes)?]);
    }
    if let Some(paths) = paths(question, machine) {
        return Ok(lint_files(machine, &paths, fixes));
    }
    let flags = question.flags();
    let project = Project::open_or_make(machine, flags.as_ref())?;
    let options = LintOptions {
        images: question.names().to_vec(),
        without_lock: arguments.no_lock,
        knows_context: flags.as_ref().is_none_or(|flags| flags.context.is_some()),
        fixes,
    };
    lint_images(machine, &project, &options)
}

/// The Dockerfiles that stand in the place of images: words that name files and could be no image's name.
fn paths(question: &arguments::Question, machine: &Machine) -> Option<Vec<PathBuf>> {
    let is_recipe = |word: &String| {
        let name = word.rsplit('/').next().unwrap_or_default().to_lowercase();
        let is_path = word.contains('/') || name.contains("dockerfile") || name.contains("containerfile");
        is_path && machine.resolve(Path::new(word)).is_file()
    };
    let are_all = !question.images.is_empty() && question.dockerfile.is_none() && question.images.iter().all(is_recipe);
    are_all.then(|| question.images.iter().map(PathBuf::from).collect())
}
