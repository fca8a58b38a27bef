//! The document of `repro scrub list`.

use schemars::JsonSchema;
use serde::Serialize;

use crate::scrub::{Action, Profile};

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
    /// `drop`: the files are left out; `fix-shadow-days`: each gets a fixed day of the last change; `forget-clone`: git's
    /// index loses what the file system said of each file, the others are left out.
    pub action: String,
    /// Who writes the files, and why they differ from build to build.
    pub summary: String,
    /// What becomes of whoever looks for them.
    pub effect: String,
    /// The files, as patterns of absolute paths.
    pub paths: Vec<String>,
}

impl ProfileDocument {
    /// The document of a list.
    pub fn of(profile: &Profile) -> Self {
        Self {
            name: profile.name.to_owned(),
            number: profile.number,
            action: match profile.action {
                Action::Drop => "drop",
                Action::FixShadowDays => "fix-shadow-days",
                Action::ForgetClone => "forget-clone",
            }
            .to_owned(),
            summary: profile.summary.to_owned(),
            effect: profile.effect.to_owned(),
            paths: profile.paths.iter().map(ToString::to_string).collect(),
        }
    }
}
