//! BuildKit's words about a build as the user would write them: what staging changed is changed back.

use std::borrow::Cow;

use super::injected::without_flags;
use super::redirects::Redirects;
use crate::build::Plan;
use crate::tape::true_urls;

/// A line of the log with true URLs, image names and instructions as they were written.
pub fn as_written<'l>(plan: &Plan, redirects: &Redirects, line: &'l str) -> Cow<'l, str> {
    let line = redirects.undo(without_flags(line));
    match &plan.run.tape {
        Some(tape) if line.contains(tape.route.base()) => Cow::Owned(true_urls(&line, tape.route.base())),
        _ => line,
    }
}
