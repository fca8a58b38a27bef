//! `repro scrub`: what the profiles leave out.

use std::fmt::Write;

use schemars::JsonSchema;
use serde::Serialize;

use super::arguments::{Scrub, ScrubAction};
use super::report::{Document, Report};
use crate::scrub::{Action, PROFILES};
use crate::status::Status;

/// What `repro scrub list` prints.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub struct ScrubDocument {
    /// Of this form; 1.
    pub version: u32,
    /// The exit status.
    pub status: u8,
    /// All lists, sorted by name and number.
    pub profiles: Vec<ProfileDocument>,
}

/// One list of a profile.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub struct ProfileDocument {
    /// The profile's name, as repro.toml takes it.
    pub name: String,
    /// The number of the list.
    pub number: u32,
    /// `drop`: the files are left out; `fix-shadow-days`: each gets a fixed day of the last change.
    pub action: String,
    /// Who writes the files, and why they differ from build to build.
    pub summary: String,
    /// What becomes of whoever looks for them.
    pub effect: String,
    /// The files, as patterns of absolute paths.
    pub paths: Vec<String>,
}

/// Runs the command.
pub fn run(arguments: &Scrub) -> Report {
    let ScrubAction::List = arguments.action;
    let mut text = String::new();
    let mut profiles = Vec::new();
    for profile in PROFILES {
        let _ = writeln!(text, "{}: {}; {}", profile.numbered(), profile.summary, profile.effect);
        profile.paths.iter().for_each(|path| {
            let _ = writeln!(text, "  {path}");
        });
        profiles.push(ProfileDocument {
            name: profile.name.to_owned(),
            number: profile.number,
            action: match profile.action {
                Action::Drop => "drop",
                Action::FixShadowDays => "fix-shadow-days",
            }
            .to_owned(),
            summary: profile.summary.to_owned(),
            effect: profile.effect.to_owned(),
            paths: profile.paths.iter().map(ToString::to_string).collect(),
        });
    }
    let document = Some(Document::of(&ScrubDocument { version: 1, status: 0, profiles }));
    Report { status: Status::Success, text, document, failures: Vec::new() }
}

/// The table in `docs/scrub.md`.
pub fn table() -> String {
    let mut text = String::from("| profile | files | why they differ | without them |\n|---|---|---|---|\n");
    for profile in PROFILES {
        let paths: Vec<String> = profile.paths.iter().map(|path| format!("`{path}`")).collect();
        let (paths, summary, effect) = (paths.join("<br>"), profile.summary, profile.effect);
        let _ = writeln!(text, "| `{}` | {paths} | {summary} | {effect} |", profile.numbered());
    }
    text
}
