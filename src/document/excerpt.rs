//! Errors in a manifest or Dockerfile, with the lines that they are about.

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};

use crate::escape;
use crate::manifest;
use crate::project::{ProjectError, WrongDockerfile, shown};
use crate::status::Failure;

/// The message of a failure that lies in a manifest or Dockerfile; none for others.
pub fn of(failure: &Failure) -> Option<String> {
    let error: &(dyn std::error::Error + 'static) = &**failure;
    if let Some(ProjectError::Manifest(errors)) = error.downcast_ref() {
        return Some(plain(&manifest::render(errors, false)));
    }
    error.downcast_ref().map(of_dockerfile)
}

/// Shows the lines of the Dockerfile that the error is about.
fn of_dockerfile(WrongDockerfile { path, text, error, .. }: &WrongDockerfile) -> String {
    let name = shown(path);
    let Some(lines) = error.lines.first().filter(|lines| lines.start > 0) else { return format!("{name}: {error}") };
    let source = String::from_utf8_lossy(text);
    let (first, last) = (lines.start as usize, lines.end as usize);
    let excerpt: Vec<String> = source
        .lines()
        .skip(first - 1)
        .take((last + 1 - first).min(12))
        .map(|line| escape::text(line).chars().take(200).collect())
        .collect();
    let excerpt = excerpt.join("\n");
    let title = format!("{name}:{first}: {error}");
    let snippet = Snippet::source(&excerpt)
        .path(&name)
        .line_start(first)
        .annotation(AnnotationKind::Primary.span(0..excerpt.len()));
    plain(&Renderer::plain().render(&[Level::ERROR.primary_title(&title).element(snippet)]))
}

/// A rendering without the label, which is added where it is printed.
fn plain(rendered: &str) -> String {
    rendered.strip_prefix("error: ").unwrap_or(rendered).trim_end().to_owned()
}
