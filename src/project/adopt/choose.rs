//! What is added to a manifest so that its images come out equal: variables for RUN, scrub profiles.

use super::super::files::{read_text, shown};
use super::super::locked::LockedProject;
use super::super::machine::Machine;
use super::super::open::Project;
use super::super::ready::ReadyImage;
use super::super::rebuilt::Rebuilt;
use super::super::self_check::{self, Checked};
use super::super::survey::Surveyed;
use crate::bounds::Bounds;
use crate::dockerfile::lacks_secret_variables;
use crate::explain::{self, Fix};
use crate::manifest;
use crate::status::{ExitStatus, Failure, Status};
use crate::store::replace_file;

const EPOCH: (&str, &str) = ("SOURCE_DATE_EPOCH", "epoch");

/// What is added for one image.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Additions {
    /// `run-env`: names and values.
    pub variables: Vec<(&'static str, &'static str)>,
    /// `scrub`, by name.
    pub profiles: Vec<&'static str>,
    /// How many of them the manifest has already.
    written: usize,
}

/// A build's layers can't be read any more.
#[derive(Debug, thiserror::Error)]
#[error("cannot look into the build: {0}")]
struct Unreadable(std::io::Error);

impl ExitStatus for Unreadable {
    fn status(&self) -> Status {
        Status::Engine
    }
}

impl Additions {
    /// Whether something is not in the manifest yet.
    pub fn is_new(&self) -> bool {
        self.written < self.variables.len() + self.profiles.len()
    }

    /// Takes what two builds showed: profiles that were tried, and the variables that their causes ask for.
    pub fn take_from(&mut self, ready: &ReadyImage<'_>, checked: &[Checked]) {
        for profile in self_check::profiles(checked) {
            if !self.profiles.contains(&profile) {
                self.profiles.push(profile);
            }
        }
        if may_have_variables(&ready.surveyed) {
            let layers = checked.iter().flat_map(|checked| &checked.check.layers);
            let fixes = layers.flat_map(|layer| &layer.paths).flat_map(|path| &path.fixes);
            self.add_variables(ready, fixes);
        }
    }

    fn add_variables<'f>(&mut self, ready: &ReadyImage<'_>, fixes: impl IntoIterator<Item = &'f Fix>) {
        for fix in fixes {
            let Fix::RunEnv { name, value, .. } = fix else { continue };
            let is_given = ready.surveyed.image.run.env.contains_key(*name);
            if !is_given && !self.variables.iter().any(|(known, _)| known == name) {
                self.variables.push((name, value));
            }
        }
    }
}

/// Adds the epoch to the surroundings of every RUN of a manifest that nobody has edited yet.
pub fn surroundings(machine: &Machine, project: &Project) -> Result<(), Failure> {
    let locked = LockedProject::open(machine, project)?;
    let surveyed = locked.survey(&[])?;
    let with_run = surveyed.iter().filter(|image| image.survey.runs > 0 && may_have_variables(image));
    let mut additions: Vec<_> = with_run
        .map(|image| (image.name.to_owned(), Additions { variables: vec![EPOCH], ..Additions::default() }))
        .collect();
    write(machine, project, additions.iter_mut().map(|(name, added)| (&*name, added)))?;
    Ok(())
}

/// What the first build of an image shows to differ in every build.
pub fn foreseen(machine: &Machine, ready: &ReadyImage<'_>, first: &Rebuilt) -> Result<Additions, Failure> {
    let mut added = Additions::default();
    if ready.surveyed.survey.runs == 0 {
        return Ok(added);
    }
    let bounds = Bounds { limits: &machine.limits, cancel: &machine.cancel };
    for platform in &first.assembled.platforms {
        let fixes = explain::foreseen(platform, machine.now, bounds);
        machine.cancel.check()?;
        let fixes = fixes.map_err(Unreadable)?;
        if may_have_variables(&ready.surveyed) {
            added.add_variables(ready, &fixes);
        }
        if has_manifest(ready) {
            // Profiles that are chosen after both builds would make another context of it.
            for fix in &fixes {
                if let Fix::Scrub(name) = fix
                    && !is_scrubbed(ready, name)
                    && !added.profiles.contains(name)
                {
                    added.profiles.push(name);
                }
            }
        }
    }
    Ok(added)
}

/// Writes what is new of each image into the manifest; whether anything was.
pub fn write<'n>(
    machine: &Machine,
    project: &Project,
    additions: impl Iterator<Item = (&'n String, &'n mut Additions)>,
) -> Result<bool, Failure> {
    let Some(path) = &project.manifest_path else { return Ok(false) };
    let before = read_text(path, machine.limits.manifest_file)?;
    let mut text = before.clone();
    let mut notes = Vec::new();
    for (name, added) in additions {
        if !added.variables.is_empty() {
            text = manifest::add_run_env(&text, name, &added.variables)?;
        }
        if !added.profiles.is_empty() {
            text = manifest::add_scrub(&text, name, &added.profiles)?;
        }
        added.written = added.variables.len() + added.profiles.len();
        notes.push(format!("`{}`: {} of `{name}`", shown(&machine.near(path)), words(added)));
    }
    if text == before {
        return Ok(false);
    }
    replace_file(path, text.as_bytes())?;
    notes.iter().for_each(|note| machine.progress.note(note));
    Ok(true)
}

/// What was added, in words.
fn words(added: &Additions) -> String {
    let variables = added.variables.iter().map(|(name, value)| format!("{name} = \"{value}\"")).collect::<Vec<_>>();
    let parts = [("`run-env`", variables.join(", ")), ("`scrub`", added.profiles.join(", "))];
    let parts = parts.iter().filter(|(_, what)| !what.is_empty()).map(|(key, what)| format!("added {what} to {key}"));
    parts.collect::<Vec<_>>().join(" and ")
}

/// Whether RUN can be given variables: not where a base brings one along, nor by an old frontend.
fn may_have_variables(image: &Surveyed<'_>) -> bool {
    let mut triggered = image.survey.platforms.values().flat_map(|taken| &taken.sources.triggered_runs);
    let is_old =
        image.image.frontend.is_none() && image.dockerfile.syntax.as_deref().is_some_and(lacks_secret_variables);
    triggered.next().is_none() && !is_old
}

fn is_scrubbed(ready: &ReadyImage<'_>, name: &str) -> bool {
    ready.scrub().iter().any(|rule| rule.name().split('/').next() == Some(name))
}

/// Whether the manifest is among the files that the image is made of.
fn has_manifest(ready: &ReadyImage<'_>) -> bool {
    let is_manifest = |path: &[u8]| path.rsplit(|&byte| byte == b'/').next() == Some(manifest::FILE_NAME.as_bytes());
    ready.tree.context.entries.iter().any(|entry| is_manifest(&entry.path))
}
