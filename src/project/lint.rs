//! What in the images' Dockerfiles will not reproduce, told without building anything.

use std::path::{Path, PathBuf};

use super::lint_context;
use super::machine::Machine;
use super::open::Project;
use super::recipe;
use crate::dockerfile::syntax::Dockerfile;
use crate::dockerfile::{DockerfileError, parse};
use crate::escape;
use crate::finding::Severity;
use crate::lint::{Allow, LintFinding, Linted, LockFacts, Shell, Surroundings, lint, settle};
use crate::lockfile::Lockfile;
use crate::manifest::{Image, LintAllow, Network, Recipe};
use crate::status::Failure;
use crate::survey::SurveyError;

/// A Dockerfile and what was found in it.
pub struct LintedFile {
    /// The Dockerfile, as the user would write it.
    pub path: PathBuf,
    /// Its bytes, which the findings' places are in.
    pub text: Vec<u8>,
    /// What was found, in the order of the places.
    pub findings: Vec<LintFinding>,
    /// Which of the manifest's allows for it silenced something.
    used: Vec<bool>,
    /// Why there is no more.
    pub failure: Option<Failure>,
}

impl LintedFile {
    /// How many findings of at least this severity are not allowed.
    pub fn count(&self, least: Severity) -> usize {
        self.findings.iter().filter(|finding| finding.allowed.is_none() && finding.severity >= least).count()
    }
}

/// How the Dockerfiles are looked at.
#[derive(Clone, Debug, Default)]
pub struct LintOptions {
    /// The images that are asked for; all if none is named.
    pub images: Vec<String>,
    /// What the lockfile settles is told all the same.
    pub without_lock: bool,
    /// The context was named, or a manifest says what it is: its files count.
    pub knows_context: bool,
}

/// Looks at the Dockerfiles of the images that were asked for.
pub fn lint_images(machine: &Machine, project: &Project, options: &LintOptions) -> Result<Vec<LintedFile>, Failure> {
    let lockfile = lockfile(machine, project, !options.without_lock)?;
    let mut shell = Shell::default();
    let mut linted: Vec<LintedFile> = Vec::new();
    let mut used = vec![false; project.manifest.lint.len()];
    for (name, image) in project.images(&options.images)? {
        let Recipe::Dockerfile(_) = &image.files.recipe else { continue };
        let source = recipe::Source::read(machine, project, image)?;
        let path = source.path.clone();
        let facts = lockfile.as_ref().and_then(|lockfile| lock_facts(lockfile, name, image));
        let surroundings = surroundings(project, image, options.knows_context);
        let read = source.parse(&machine.limits);
        linted.push(match read {
            Ok(dockerfile) => {
                let allows = Allows::of(&project.manifest.lint, image);
                let file = looked_at(path, &dockerfile, &surroundings, facts.as_ref(), &allows, &mut shell);
                allows.note(&file, &mut used);
                file
            }
            Err(error) => {
                let failure = source.failure(SurveyError::from(error));
                LintedFile { path, text: source.text, findings: Vec::new(), used: Vec::new(), failure: Some(failure) }
            }
        });
    }
    if options.images.is_empty() {
        for (allow, _) in project.manifest.lint.iter().zip(used).filter(|(_, used)| !used) {
            let path = allow.path.as_deref().map(|path| format!(" in `{}`", escape::text(path))).unwrap_or_default();
            let message = format!("repro.toml: `[[lint.allow]]` of {}{path} allows nothing that is found", allow.code);
            machine.progress.warn(&message);
        }
    }
    Ok(linted)
}

/// The manifest's allows that hold for one Dockerfile.
#[derive(Default)]
struct Allows {
    list: Vec<Allow>,
    /// Where each stands in the manifest.
    indexes: Vec<usize>,
}

impl Allows {
    fn of(all: &[LintAllow], image: &Image) -> Self {
        let own = image.files.dockerfile();
        let mut allows = Self::default();
        for (index, allow) in all.iter().enumerate() {
            let path = allow.path.as_deref().map(|path| Path::new(path.trim_start_matches("./")));
            if path.is_none() || path == own {
                allows.list.push(Allow { code: allow.code.clone(), reason: allow.reason.clone() });
                allows.indexes.push(index);
            }
        }
        allows
    }

    /// Notes which of them a file used.
    fn note(&self, file: &LintedFile, used: &mut [bool]) {
        for (index, was_used) in self.indexes.iter().zip(&file.used) {
            used[*index] |= was_used;
        }
    }
}

/// Looks at a Dockerfile that is given as text.
pub fn lint_text(machine: &Machine, path: PathBuf, text: &[u8]) -> Result<LintedFile, DockerfileError> {
    let dockerfile = parse(text, &machine.limits)?;
    Ok(looked_at(path, &dockerfile, &Surroundings::default(), None, &Allows::default(), &mut Shell::default()))
}

fn looked_at(
    path: PathBuf,
    dockerfile: &Dockerfile,
    surroundings: &Surroundings,
    facts: Option<&LockFacts>,
    allows: &Allows,
    shell: &mut Shell,
) -> LintedFile {
    let Linted { mut findings, used } = lint(dockerfile, surroundings, &allows.list, shell);
    if let Some(facts) = facts {
        settle(&mut findings, facts);
    }
    LintedFile { path, text: dockerfile.bytes.clone(), findings, used, failure: None }
}

/// The lockfile, if it counts and is there.
fn lockfile(machine: &Machine, project: &Project, with_lock: bool) -> Result<Option<Lockfile>, Failure> {
    if !with_lock {
        return Ok(None);
    }
    match project.lock_text(machine)? {
        Some(text) => Ok(Some(Lockfile::parse(&text, &machine.limits)?)),
        None => Ok(None),
    }
}

/// What the lockfile holds fast for an image; none where it does not know the image.
fn lock_facts(lockfile: &Lockfile, name: &str, image: &Image) -> Option<LockFacts> {
    let locked = lockfile.images.get(name)?;
    Some(LockFacts { has_tape: image.run.network == Network::Locked && locked.tape.is_some() })
}

pub(super) fn surroundings(project: &Project, image: &Image, knows_context: bool) -> Surroundings {
    let context = project.manifest.root.join(&image.files.context);
    Surroundings {
        target: image.target.clone().unwrap_or_default(),
        args: image.args.clone(),
        contexts: image.files.contexts.keys().map(|name| name.split("::").next().unwrap_or(name).to_owned()).collect(),
        run_env: image.run.env.keys().cloned().collect(),
        context: knows_context.then(|| lint_context::facts(&context, image.files.dockerfile())),
    }
}
