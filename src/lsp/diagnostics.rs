//! What is found in a document, as diagnostics.

use lsp_types::{Diagnostic, DiagnosticSeverity, NumberOrString, Range};

use super::position::Lines;
use crate::escape;
use crate::finding::Severity;
use crate::lint::{LintFinding, Span};
use crate::manifest::ManifestErrors;
use crate::project::{LintedFile, WrongDockerfile};

/// Who says it.
const SOURCE: &str = "repro";

/// Findings that nobody allowed, or why the Dockerfile can't be read.
pub(super) fn of_dockerfile(lines: &Lines<'_>, file: &LintedFile) -> Vec<Diagnostic> {
    let findings = file.findings.iter().filter(|finding| finding.allowed.is_none());
    let mut all: Vec<Diagnostic> = findings.map(|finding| of_finding(lines, finding)).collect();
    if let Some(failure) = &file.failure {
        let error: &(dyn std::error::Error + 'static) = &**failure;
        let wrong = error.downcast_ref::<WrongDockerfile>().map(|wrong| &wrong.error);
        let place = wrong.and_then(|error| error.lines.first()).filter(|place| place.start > 0);
        let range = place.map_or(lines.lines(1, 1), |place| lines.lines(place.start as usize, place.end as usize));
        let message = wrong.map_or_else(|| error.to_string(), ToString::to_string);
        all.push(plain(range, DiagnosticSeverity::ERROR, message));
    }
    all
}

/// One finding.
pub(super) fn of_finding(lines: &Lines<'_>, finding: &LintFinding) -> Diagnostic {
    let severity = match finding.severity {
        Severity::Error => DiagnosticSeverity::ERROR,
        Severity::Warning => DiagnosticSeverity::WARNING,
        Severity::Note => DiagnosticSeverity::INFORMATION,
    };
    let message = format!("{}\nhelp: {}", escape::visible(&finding.message), finding.help);
    let code = Some(NumberOrString::String(finding.rule.code.to_owned()));
    Diagnostic { code, ..plain(lines.range(finding.span), severity, message) }
}

/// What is wrong with a manifest.
pub(super) fn of_manifest(lines: &Lines<'_>, errors: &ManifestErrors) -> Vec<Diagnostic> {
    if errors.problems().is_empty() {
        return vec![plain(lines.lines(1, 1), DiagnosticSeverity::ERROR, errors.to_string())];
    }
    let problems = errors.problems().iter().map(|problem| {
        let help = problem.help.as_ref().map(|help| format!("\nhelp: {help}")).unwrap_or_default();
        let span = Span { start: problem.span.start, end: problem.span.end };
        plain(lines.range(span), DiagnosticSeverity::ERROR, format!("{}{help}", problem.message))
    });
    problems.collect()
}

fn plain(range: Range, severity: DiagnosticSeverity, message: String) -> Diagnostic {
    Diagnostic { range, severity: Some(severity), source: Some(SOURCE.to_owned()), message, ..Diagnostic::default() }
}
