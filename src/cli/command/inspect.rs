//! `repro inspect`: everything that an image says about itself, checked from its top to the bytes of its layers.

use std::path::Path;

use super::super::arguments;
use super::super::report::{Report, text};
use super::super::session::Session;
use crate::document::{Document, ErrorDocument, InspectDocument};
use crate::escape;
use crate::project::{InspectOptions, inspect};
use crate::status::Failure;

/// Runs the command.
pub fn run(arguments: &arguments::Inspect, session: &Session) -> Result<Report, Failure> {
    let options = InspectOptions {
        source: arguments.source.clone(),
        image: arguments.image.clone(),
        platform: arguments.platform.clone(),
        expected: arguments.expected_image_digest,
        is_listed: arguments.layers,
        is_fast: arguments.fast,
    };
    let inspection = inspect(&session.machine, &options)?;
    let failures = inspection.failures();
    let typed = typed(&arguments.source);
    let document = InspectDocument::of(&typed, &inspection, arguments.show_contents, &session.machine.limits)?;
    let document = InspectDocument { error: ErrorDocument::of_worst(&failures), ..document };
    let text = text::inspect::facts(&document, session.quiet);
    Ok(Report { status: inspection.status(), text, document: Some(Document::of(&document)), failures })
}

/// The place as it was typed, safe to print.
fn typed(source: &Path) -> String {
    if source == Path::new("-") { "stdin".to_owned() } else { escape::name(source.as_os_str().as_encoded_bytes()) }
}
