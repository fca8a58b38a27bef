//! The document of `repro lint`.

use schemars::JsonSchema;
use serde::Serialize;

use super::failure::ErrorDocument;
use crate::lint::{Edit, LintFinding, position, severity_name};
use crate::project::{LintedFile, shown};

/// What `repro lint` prints.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub struct LintDocument {
    /// Of this form; 1.
    pub version: u32,
    /// The exit status: 1 if a finding at or above `--fail-on` is not allowed.
    pub status: u8,
    /// What was found, in the order of files and places; after `--fix`, what is left.
    pub findings: Vec<FindingDocument>,
    /// How many findings `--fix` removed.
    pub fixed: usize,
    /// What went wrong, if anything.
    pub error: Option<ErrorDocument>,
}

impl LintDocument {
    /// A document without findings.
    pub fn empty() -> Self {
        Self { version: 1, status: 0, findings: Vec::new(), fixed: 0, error: None }
    }
}

/// One finding.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub struct FindingDocument {
    /// The rule's code, `R` and three digits.
    pub code: String,
    /// The rule's name, in kebab-case.
    pub name: String,
    /// How grave it is.
    #[schemars(with = "SeverityName")]
    pub severity: &'static str,
    /// The Dockerfile.
    pub file: String,
    /// The line where the offending words begin, 1-based.
    pub line: u32,
    /// The column where they begin, in characters, 1-based.
    pub column: u32,
    /// The line where they end.
    pub end_line: u32,
    /// The column behind their end.
    pub end_column: u32,
    /// What is found there.
    pub message: String,
    /// What removes it.
    pub help: String,
    /// A comment or the manifest allows it.
    pub allowed: bool,
    /// Why it is allowed.
    pub reason: Option<String>,
    /// The lockfile makes it less grave.
    pub locked: bool,
    /// Edits of the file that remove it, where they are mechanical.
    pub fix: Option<FixDocument>,
}

/// Edits that together remove a finding.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub struct FixDocument {
    /// What they do, in a few words.
    pub title: String,
    /// The edits; none touches another.
    pub edits: Vec<EditDocument>,
}

/// One replacement of a piece of the file.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub struct EditDocument {
    /// The first byte that is replaced, counted from 0.
    pub start: usize,
    /// The byte behind the last; equal to `start` where something is inserted.
    pub end: usize,
    /// The line of the first byte, 1-based.
    pub line: u32,
    /// Its column, in characters, 1-based.
    pub column: u32,
    /// The line of the byte behind the last.
    pub end_line: u32,
    /// Its column.
    pub end_column: u32,
    /// What stands there then.
    pub text: String,
}

/// Severities in documents.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "only the schema is made of it")]
#[schemars(rename_all = "lowercase")]
pub enum SeverityName {
    /// Breaks reproduction in practice.
    Error,
    /// Breaks it under common conditions.
    Warn,
    /// A risk or an improvement.
    Info,
}

impl FindingDocument {
    /// The document of a finding in a file.
    pub fn of(file: &LintedFile, finding: &LintFinding) -> Self {
        let (line, column) = position(&file.text, finding.span.start);
        let (end_line, end_column) = position(&file.text, finding.span.end);
        Self {
            code: finding.rule.code.to_owned(),
            name: finding.rule.name.to_owned(),
            severity: severity_name(finding.severity),
            file: shown(&file.path),
            line,
            column,
            end_line,
            end_column,
            message: crate::escape::visible(&finding.message),
            help: finding.help.clone(),
            allowed: finding.allowed.is_some(),
            reason: finding.allowed.as_deref().map(crate::escape::visible),
            locked: finding.locked,
            fix: finding.fix.as_ref().map(|fix| FixDocument {
                title: crate::escape::visible(&fix.title),
                edits: fix.edits.iter().map(|edit| EditDocument::of(file, edit)).collect(),
            }),
        }
    }
}

impl EditDocument {
    fn of(file: &LintedFile, edit: &Edit) -> Self {
        let (line, column) = position(&file.text, edit.span.start);
        let (end_line, end_column) = position(&file.text, edit.span.end);
        let (start, end) = (edit.span.start, edit.span.end);
        Self { start, end, line, column, end_line, end_column, text: edit.text.clone() }
    }
}
