//! `repro scrub`: what the profiles leave out.

use super::super::arguments::{Scrub, ScrubAction};
use super::super::report::{Report, text};
use crate::document::{Document, ProfileDocument, ScrubDocument};
use crate::scrub::PROFILES;
use crate::status::Status;

/// Runs the command.
pub fn run(arguments: &Scrub) -> Report {
    let ScrubAction::List = arguments.action;
    let profiles = PROFILES.iter().map(ProfileDocument::of).collect();
    let document = Some(Document::of(&ScrubDocument { version: 1, status: 0, profiles }));
    Report { document, ..Report::text(Status::Success, text::scrub::list()) }
}
