//! What is wrong with a manifest, and how a person sees it.

use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};

use crate::escape;
use crate::limits::LimitExceeded;
use crate::status::{ExitStatus, Status};

/// How many problems one rendering shows; the rest is counted.
const SHOWN: usize = 20;
/// Characters of a source line that are shown on each side of a problem.
const MARGIN: usize = 60;

/// One thing that is wrong, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The bytes of the manifest that it is about.
    pub span: Range<usize>,
    /// What is wrong, with what was expected and found; safe to print.
    pub message: String,
    /// How to fix it, if that is known; safe to print.
    pub help: Option<String>,
}

impl Problem {
    pub(super) fn new(span: Range<usize>, message: impl Into<String>) -> Self {
        Self { span, message: message.into(), help: None }
    }

    pub(super) fn with_help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

/// Everything that is wrong with one manifest.
#[derive(Debug)]
pub struct ManifestErrors {
    file: PathBuf,
    text: String,
    problems: Vec<Problem>,
    too_large: Option<LimitExceeded>,
}

impl ManifestErrors {
    /// Errors in `text`, in the order of the file.
    pub(super) fn new(file: &Path, text: &str, mut problems: Vec<Problem>) -> Self {
        problems.sort_by_key(|problem| problem.span.start);
        Self { file: file.to_owned(), text: text.to_owned(), problems, too_large: None }
    }

    /// The whole file is too large to be read.
    pub(super) fn too_large(file: &Path, exceeded: LimitExceeded) -> Self {
        Self { file: file.to_owned(), text: String::new(), problems: Vec::new(), too_large: Some(exceeded) }
    }

    /// The problems in the order of the file; none if the file is too large to be looked at.
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    fn shown_file(&self) -> String {
        escape::bytes(self.file.as_os_str().as_encoded_bytes())
    }
}

impl fmt::Display for ManifestErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let file = self.shown_file();
        if let Some(exceeded) = &self.too_large {
            return write!(f, "{exceeded}");
        }
        let mut first = true;
        for problem in self.problems.iter().take(SHOWN) {
            let (line, column) = position(&self.text, problem.span.start);
            let end = if first { "" } else { "\n" };
            write!(f, "{end}{file}:{line}:{column}: {}", problem.message)?;
            first = false;
        }
        match self.problems.len().saturating_sub(SHOWN) {
            0 => Ok(()),
            more => write!(f, "\n{file}: and {more} more"),
        }
    }
}

impl std::error::Error for ManifestErrors {}

impl ExitStatus for ManifestErrors {
    fn status(&self) -> Status {
        if self.too_large.is_some() { Status::Malformed } else { Status::Usage }
    }
}

/// The errors as people read them: each with the line that it is about.
pub fn render(errors: &ManifestErrors, color: bool) -> String {
    let renderer = if color { Renderer::styled() } else { Renderer::plain() };
    let file = errors.shown_file();
    if let Some(exceeded) = &errors.too_large {
        return renderer.render(&[Level::ERROR.primary_title(exceeded.to_string()).elements(NOTHING)]);
    }
    let mut parts = Vec::new();
    for problem in errors.problems.iter().take(SHOWN) {
        let excerpt = excerpt(&errors.text, &problem.span);
        let mut group = Level::ERROR.primary_title(problem.message.as_str()).element(
            Snippet::source(excerpt.source)
                .line_start(excerpt.line)
                .path(file.as_str())
                .annotation(AnnotationKind::Primary.span(excerpt.span)),
        );
        if let Some(help) = &problem.help {
            group = group.element(Level::HELP.message(help.as_str()));
        }
        parts.push(renderer.render(&[group]));
    }
    let more = errors.problems.len().saturating_sub(SHOWN);
    if more > 0 {
        parts.push(renderer.render(&[Level::ERROR.primary_title(format!("and {more} more")).elements(NOTHING)]));
    }
    parts.join("\n\n")
}

const NOTHING: [Snippet<'static, annotate_snippets::Annotation<'static>>; 0] = [];

/// Line and column, both from 1, columns in characters.
fn position(text: &str, offset: usize) -> (usize, usize) {
    let before = text.get(..offset.min(text.len())).unwrap_or(text);
    let line_start = before.rfind('\n').map_or(0, |at| at + 1);
    (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
}

struct Excerpt {
    source: String,
    line: usize,
    span: Range<usize>,
}

/// The line of a span, cut around it and made safe to print: what would move a terminal becomes U+FFFD.
fn excerpt(text: &str, span: &Range<usize>) -> Excerpt {
    let start = floor_boundary(text, span.start);
    let line_start = text[..start].rfind('\n').map_or(0, |at| at + 1);
    let line_end = text[start..].find('\n').map_or(text.len(), |at| start + at);
    let line_end = if text[line_start..line_end].ends_with('\r') { line_end - 1 } else { line_end };
    let start = start.min(line_end);
    let end = floor_boundary(text, span.end).clamp(start, line_end);

    let mut source = String::new();
    let before: Vec<char> = text[line_start..start].chars().rev().take(MARGIN).collect();
    source.extend(before.into_iter().rev().map(printable));
    let marked_start = source.len();
    source.extend(text[start..end].chars().take(2 * MARGIN).map(printable));
    let marked_end = source.len();
    source.extend(text[end..line_end].chars().take(MARGIN).map(printable));
    Excerpt { source, line: text[..line_start].matches('\n').count() + 1, span: marked_start..marked_end }
}

fn printable(c: char) -> char {
    if c == '\t' {
        return ' ';
    }
    let mut buffer = [0; 4];
    let shown = escape::text(c.encode_utf8(&mut buffer));
    if c == '\\' || shown.chars().eq([c]) { c } else { char::REPLACEMENT_CHARACTER }
}

fn floor_boundary(text: &str, offset: usize) -> usize {
    let mut at = offset.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_or_dangerous_line_is_cut_and_made_safe() {
        let text = format!("a = 1\n{}\u{1b}[31m\u{202e}bad{}\n", "x".repeat(500), "y".repeat(500));
        let start = text.find("bad").unwrap();
        let excerpt = excerpt(&text, &(start..start + 3));
        assert_eq!(excerpt.line, 2);
        assert_eq!(&excerpt.source[excerpt.span.clone()], "bad");
        assert!(excerpt.source.chars().count() <= 4 * MARGIN);
        assert!(!excerpt.source.contains(['\u{1b}', '\u{202e}']));
    }

    #[test]
    fn any_span_can_be_shown() {
        for text in ["", "\n", "ä", "a\r\nb", "ä\nö"] {
            for start in 0..6 {
                for end in 0..6 {
                    let errors =
                        ManifestErrors::new(Path::new("repro.toml"), text, vec![Problem::new(start..end, "wrong")]);
                    assert!(render(&errors, false).contains("wrong"));
                }
            }
        }
    }
}
