//! Reports about differences, all made of one document: what `repro diff --format json` prints and `repro report` reads.
//!
//! `document` is that document, `tree` its text for a terminal, `group` what they put together. The other forms are files in `templates`, which `template`
//! renders with values that `html`, `markdown` and `junit` make of the document.

mod document;
mod group;
mod html;
mod junit;
mod markdown;
mod template;
mod tree;

pub use document::{
    DiffDocument, DifferenceDocument, ImageDocument, PlatformDocument, QuestionName, ReportError, RuleDocument,
    SideDocument,
};
pub use html::html;
pub use junit::{TestCase, TestSuite, junit, test_suites};
pub use markdown::markdown;
pub use template::RenderError;
pub use tree::tree;
