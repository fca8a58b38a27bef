//! What `repro lint` found, as annotations that GitHub's workflows show beside the lines.

use std::fmt::Write;

use crate::document::{FindingDocument, LintDocument};
use crate::escape;

/// One line a finding that is not allowed.
pub fn all(document: &LintDocument) -> String {
    let mut text = String::new();
    for finding in document.findings.iter().filter(|finding| !finding.allowed) {
        let _ = writeln!(text, "{}", annotation(finding));
    }
    text
}

fn annotation(finding: &FindingDocument) -> String {
    let level = match finding.severity {
        "error" => "error",
        "warn" => "warning",
        _ => "notice",
    };
    let (file, title) = (property(&finding.file), property(&format!("{} {}", finding.code, finding.name)));
    let (line, end_line) = (finding.line, finding.end_line);
    // Columns mean something within one line only.
    let columns = if line == end_line {
        format!(",col={},endColumn={}", finding.column, finding.end_column)
    } else {
        String::new()
    };
    let message = value(&format!("{}\nhelp: {}", finding.message, finding.help));
    format!("::{level} file={file},line={line},endLine={end_line}{columns},title={title}::{message}")
}

/// A message, in which `%` and line breaks are written as `%NN`.
fn value(text: &str) -> String {
    let lines: Vec<String> = text.lines().map(|line| escape::visible(line).replace('%', "%25")).collect();
    lines.join("%0A")
}

/// A property, which also ends with `:` and `,`.
fn property(text: &str) -> String {
    value(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_text_ends_the_annotation() {
        assert_eq!(value("50% a\nb::c"), "50%25 a%0Ab::c");
        assert_eq!(property("a,b:c%"), "a%2Cb%3Ac%25");
    }
}
