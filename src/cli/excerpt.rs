//! Errors in a manifest or Dockerfile, with the lines that they are about.

use std::fmt;
use std::path::Path;

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};

use super::project::shown;
use crate::drift::SurveyError;
use crate::escape;
use crate::manifest::{self, ManifestErrors};
use crate::status::{ExitStatus, Failure, Status};

/// An error that shows where it is.
#[derive(Debug)]
struct Pointed {
    text: String,
    status: Status,
    hint: Option<String>,
}

impl fmt::Display for Pointed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::error::Error for Pointed {}

impl ExitStatus for Pointed {
    fn status(&self) -> Status {
        self.status
    }

    fn hint(&self) -> Option<String> {
        self.hint.clone()
    }
}

/// Shows each place of the manifest that `errors` is about.
pub fn point_into_manifest(errors: &ManifestErrors) -> Failure {
    let rendered = manifest::render(errors, false);
    let text = rendered.strip_prefix("error: ").unwrap_or(&rendered).trim_end().to_owned();
    Pointed { text, status: errors.status(), hint: errors.hint() }.into()
}

/// Shows the lines of the Dockerfile at `path` that `error` is about.
pub fn point(error: SurveyError, path: &Path, dockerfile: &[u8]) -> Failure {
    let SurveyError::Dockerfile(inner) = &error else { return error.into() };
    let name = shown(path);
    let Some(lines) = inner.lines.first().filter(|lines| lines.start > 0) else {
        return Pointed { text: format!("{name}: {inner}"), status: error.status(), hint: error.hint() }.into();
    };
    let source = String::from_utf8_lossy(dockerfile);
    let (first, last) = (lines.start as usize, lines.end as usize);
    let excerpt: Vec<String> = source
        .lines()
        .skip(first - 1)
        .take((last + 1 - first).min(12))
        .map(|line| escape::text(line).chars().take(200).collect())
        .collect();
    let excerpt = excerpt.join("\n");
    let title = format!("{name}:{first}: {inner}");
    let snippet = Snippet::source(&excerpt)
        .path(&name)
        .line_start(first)
        .annotation(AnnotationKind::Primary.span(0..excerpt.len()));
    let rendered = Renderer::plain().render(&[Level::ERROR.primary_title(&title).element(snippet)]);
    let text = rendered.strip_prefix("error: ").unwrap_or(&rendered).trim_end().to_owned();
    Pointed { text, status: error.status(), hint: error.hint() }.into()
}
