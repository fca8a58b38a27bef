//! The text of `repro lint`.

use std::fmt::Write;

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};

use crate::document::LintDocument;
use crate::escape;
use crate::finding::Severity;
use crate::lint::{LintFinding, Rule, position, severity_name};
use crate::project::{LintedFile, shown};

/// Lines of an excerpt.
const LINES: usize = 6;

/// Shows what was found in a file and is not allowed, each with the lines that it is about.
pub fn show(text: &mut String, file: &LintedFile) {
    for finding in file.findings.iter().filter(|finding| finding.allowed.is_none()) {
        let _ = writeln!(text, "{}\n", excerpt(file, finding));
    }
}

fn excerpt(file: &LintedFile, finding: &LintFinding) -> String {
    let name = shown(&file.path);
    let (line, _) = position(&file.text, finding.span.start);
    let start = file.text[..finding.span.start.min(file.text.len())]
        .iter()
        .rposition(|byte| *byte == b'\n')
        .map_or(0, |at| at + 1);
    let source = String::from_utf8_lossy(&file.text[start..]);
    let lines: Vec<&str> = source.lines().take(LINES).collect();
    let end = finding.span.end.saturating_sub(start);
    let (mut shown_text, mut from, mut to, mut at) = (String::new(), 0, 0, 0);
    for each in lines {
        if at >= end {
            break;
        }
        let column = finding.span.start.saturating_sub(start + at).min(each.len());
        if shown_text.is_empty() {
            from = escape::text(floor(each, column)).len();
        } else {
            shown_text.push('\n');
        }
        to = shown_text.len() + escape::text(floor(each, end - at)).len();
        shown_text.push_str(&escape::text(each));
        at += each.len() + 1;
    }
    let code = format!("{} {}", finding.rule.code, finding.rule.name);
    let message = escape::text(&finding.message);
    let level = match finding.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
        Severity::Note => Level::INFO,
    };
    let title = format!("{message} ({code})");
    let span = from.min(shown_text.len())..to.max(from).min(shown_text.len());
    let snippet = Snippet::source(&shown_text)
        .path(&name)
        .line_start(line as usize)
        .annotation(AnnotationKind::Primary.span(span));
    let group = level.primary_title(&title).element(snippet).element(Level::HELP.message(&finding.help));
    Renderer::styled().render(&[group])
}

/// The start of a line up to a byte, at a border of characters.
fn floor(line: &str, end: usize) -> &str {
    let mut end = end.min(line.len());
    while !line.is_char_boundary(end) {
        end -= 1;
    }
    &line[..end]
}

/// How many of each kind there are, and how many are allowed.
pub fn summary(text: &mut String, document: &LintDocument, quiet: bool) {
    if quiet {
        return;
    }
    let count = |severity: Severity| {
        document
            .findings
            .iter()
            .filter(|finding| !finding.allowed && finding.severity == severity_name(severity))
            .count()
    };
    let allowed = document.findings.iter().filter(|finding| finding.allowed).count();
    let (errors, warnings, notes) = (count(Severity::Error), count(Severity::Warning), count(Severity::Note));
    let fixed = if document.fixed > 0 { format!(", {} fixed", document.fixed) } else { String::new() };
    let fixable = document.findings.iter().filter(|finding| !finding.allowed && finding.fix.is_some()).count();
    let _ = writeln!(text, "{errors} errors, {warnings} warnings, {notes} remarks, {allowed} allowed{fixed}");
    if fixable > 0 {
        let _ = writeln!(text, "{fixable} of them may go with `--fix`; `--fix --dry-run` shows how");
    }
}

/// What a rule is about.
pub fn explain(rule: &Rule) -> String {
    let mut text = format!("{} {}: {}\n\n", rule.code, rule.name, rule.summary);
    let _ = writeln!(text, "severity: {}", severity_name(rule.severity));
    let _ = writeln!(text, "lock: {}", rule.lock.name());
    if rule.ships {
        text.push_str("only where it reaches the image\n");
    }
    let _ = writeln!(text, "\n{}", rule.why);
    if !rule.quiet.is_empty() {
        let _ = writeln!(text, "\nSilent for: {}", rule.quiet);
    }
    let _ = writeln!(text, "\nWhat removes it: {}", rule.help);
    text
}
