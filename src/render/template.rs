//! The templates of reports, and words that they share.

use minijinja::value::Serde;
use minijinja::{AutoEscape, Environment};

use super::document::DiffDocument;

/// The templates by name: how they escape follows from the ending.
const TEMPLATES: [(&str, &str); 3] = [
    ("report.html", include_str!("templates/report.html")),
    ("report.md", include_str!("templates/report.md")),
    ("report.xml", include_str!("templates/report.xml")),
];

/// A template can't be rendered.
#[derive(Debug, thiserror::Error)]
#[error("the template of a report failed: {0}")]
pub struct RenderError(#[from] minijinja::Error);

/// Renders a template.
///
/// # Errors
/// When it uses what it is not given.
pub(super) fn render(name: &str, values: &serde_json::Value) -> Result<String, RenderError> {
    let mut environment = Environment::new();
    // Markdown is escaped where its values are made: it has no escaping of its own that holds everywhere.
    environment
        .set_auto_escape_callback(|name| if name.ends_with(".md") { AutoEscape::None } else { AutoEscape::Html });
    for (name, text) in TEMPLATES {
        environment.add_template(name, text)?;
    }
    Ok(environment.get_template(name)?.render(Serde(values))?)
}

/// A platform's verdict in words.
pub(super) fn said(verdict: &str) -> &'static str {
    match verdict {
        "same" => "the same",
        "packaging" => "the same content, packaged differently",
        "missing" => "only on one side",
        _ => "differs",
    }
}

/// The whole in words.
pub(super) fn verdict(document: &DiffDocument) -> &'static str {
    let is = |verdict: &str| {
        document.platforms.iter().all(|platform| platform.verdict == verdict || platform.verdict == "same")
    };
    match () {
        () if document.error.is_some() => "not compared",
        () if document.same => "the same",
        () if is("packaging") => "the same content, packaged differently",
        () => "differs",
    }
}
