//! What in the images' Dockerfiles will not reproduce, told without building anything.

use std::path::{Path, PathBuf};

use rayon::prelude::*;

use super::lint_context;
use super::machine::Machine;
use super::open::Project;
use super::recipe;
use crate::dockerfile::syntax::Dockerfile;
use crate::escape;
use crate::finding::Severity;
use crate::lint::{Allow, LintFinding, Linted, LockFacts, Mended, Shell, Surroundings, lint, mend, settle};
use crate::lockfile::Lockfile;
use crate::manifest::{Image, LintAllow, Network, Recipe};
use crate::scrub::Rule as ScrubRule;
use crate::status::Failure;
use crate::store::rewrite_file;
use crate::survey::SurveyError;

/// A Dockerfile and what was found in it.
pub struct LintedFile {
    /// The Dockerfile, as the user would write it.
    pub path: PathBuf,
    /// Its bytes, which the findings' places are in.
    pub text: Vec<u8>,
    /// What was found, in the order of the places.
    pub findings: Vec<LintFinding>,
    /// What fixes made of it, if they were asked for and there were any.
    pub mended: Option<Mended>,
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

    /// A file that could not be looked at.
    fn failed(path: PathBuf, text: Vec<u8>, failure: Failure) -> Self {
        Self { path, text, findings: Vec::new(), mended: None, used: Vec::new(), failure: Some(failure) }
    }
}

/// What becomes of the edits that remove findings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Fixes {
    /// They are told with the findings.
    #[default]
    Told,
    /// They are made on a copy.
    Tried,
    /// They are made in the file; what is left is told.
    Made,
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
    /// What becomes of fixes.
    pub fixes: Fixes,
}

/// Looks at the Dockerfiles of the images that were asked for.
pub fn lint_images(machine: &Machine, project: &Project, options: &LintOptions) -> Result<Vec<LintedFile>, Failure> {
    let (linted, used) = lint_quietly(machine, project, options)?;
    if options.images.is_empty() {
        for (allow, _) in project.manifest.lint.iter().zip(used).filter(|(_, used)| !used) {
            let path = allow.path.as_deref().map(|path| format!(" in `{}`", escape::text(path))).unwrap_or_default();
            let message = format!("repro.toml: `[[lint.allow]]` of {}{path} allows nothing that is found", allow.code);
            machine.progress.warn(&message);
        }
    }
    Ok(linted)
}

/// The same without a word, and which of the manifest's allows silenced something.
pub(super) fn lint_quietly(
    machine: &Machine,
    project: &Project,
    options: &LintOptions,
) -> Result<(Vec<LintedFile>, Vec<bool>), Failure> {
    let lockfile = match lockfile(machine, project) {
        Err(_) if options.without_lock => None,
        lockfile => lockfile?,
    };
    let mut linted: Vec<LintedFile> = Vec::new();
    let mut used = vec![false; project.manifest.lint.len()];
    let mut judges = Vec::new();
    for (name, image) in project.images(&options.images)? {
        if let Recipe::Dockerfile(path) = &image.files.recipe {
            let mut judge = Judge::of(project, name, image, lockfile.as_ref(), options.knows_context);
            judge.facts = judge.facts.filter(|_| !options.without_lock);
            judges.push((image, project.manifest.root.join(path), judge));
        }
    }
    let look = |shell: &mut Shell, (image, path, judge): &(&Image, PathBuf, Judge)| {
        let source = recipe::Source::read(machine, project, image)?;
        judge.look(machine, source, path, options.fixes, shell)
    };
    // Two images may share a Dockerfile, which one of them changes: then one comes after the other.
    let results: Vec<Result<LintedFile, Failure>> = match options.fixes {
        Fixes::Made => {
            let mut shell = Shell::default();
            judges.iter().map(|judge| look(&mut shell, judge)).collect()
        }
        Fixes::Told | Fixes::Tried => judges.par_iter().map_init(Shell::default, look).collect(),
    };
    for (result, (.., judge)) in results.into_iter().zip(&judges) {
        let file = result?;
        judge.allows.note(&file, &mut used);
        linted.push(file);
    }
    Ok((linted, used))
}

/// Looks at Dockerfiles without a manifest, on all cores; what is wrong with one is in its result.
pub fn lint_files(machine: &Machine, paths: &[PathBuf], fixes: Fixes) -> Vec<LintedFile> {
    let judge = Judge::default();
    let look = |shell: &mut Shell, path: &PathBuf| {
        let near = machine.near(&machine.resolve(path));
        let linted = recipe::Source::of_file(machine, path)
            .and_then(|source| judge.look(machine, source, &machine.resolve(path), fixes, shell));
        linted.unwrap_or_else(|failure| LintedFile::failed(near, Vec::new(), failure))
    };
    paths.par_iter().map_init(Shell::default, look).collect()
}

/// Looks at a Dockerfile that is being written, as the image of repro.toml that it belongs to if there is one; fixes can
/// only be tried.
pub fn lint_document(machine: &Machine, path: &Path, text: &[u8], fixes: Fixes) -> Result<LintedFile, Failure> {
    let directory = path.parent().map_or_else(|| machine.directory.clone(), Path::to_owned);
    let project = Project::open(&Machine { directory, ..machine.clone() }).ok();
    let found = project.as_ref().and_then(|project| {
        let named = |image: &Image| image.files.dockerfile().map(|dockerfile| project.manifest.root.join(dockerfile));
        let (name, image) = project.manifest.images.iter().find(|(_, image)| named(image).as_deref() == Some(path))?;
        Some((Judge::of(project, name, image, lockfile(machine, project).ok().flatten().as_ref(), true), image))
    });
    let frontend = found.as_ref().and_then(|(_, image)| image.frontend.clone());
    let judge = found.map(|(judge, _)| judge).unwrap_or_default();
    let source = recipe::Source::of_text(path.to_owned(), text.to_vec()).read_by(frontend);
    let fixes = if fixes == Fixes::Made { Fixes::Tried } else { fixes };
    judge.look(machine, source, path, fixes, &mut Shell::default())
}

/// What a Dockerfile is judged by.
#[derive(Default)]
struct Judge {
    surroundings: Surroundings,
    facts: Option<LockFacts>,
    allows: Allows,
}

impl Judge {
    /// That of an image.
    fn of(project: &Project, name: &str, image: &Image, lockfile: Option<&Lockfile>, knows_context: bool) -> Self {
        Self {
            surroundings: surroundings(project, image, knows_context, lockfile),
            facts: lockfile.and_then(|lockfile| lock_facts(lockfile, name, image)),
            allows: Allows::of(&project.manifest.lint, image),
        }
    }

    fn judged(&self, dockerfile: &Dockerfile, shell: &mut Shell) -> Linted {
        let mut linted = lint(dockerfile, &self.surroundings, &self.allows.list, shell);
        if let Some(facts) = &self.facts {
            settle(&mut linted.findings, facts);
        }
        linted
    }

    /// Looks at a recipe, and makes its fixes if they are wanted; `path` is where it is written.
    fn look(
        &self,
        machine: &Machine,
        mut source: recipe::Source,
        path: &Path,
        fixes: Fixes,
        shell: &mut Shell,
    ) -> Result<LintedFile, Failure> {
        let mut mended = None;
        if fixes != Fixes::Told {
            let made = mend(&source.text, &mut |text| {
                let dockerfile = source.with_text(text.to_vec()).parse(&machine.limits).ok()?;
                Some(self.judged(&dockerfile, shell).findings)
            });
            mended = Some(made).filter(|made| made.count > 0);
        }
        if let (Fixes::Made, Some(made)) = (fixes, &mended) {
            rewrite_file(path, &made.text)?;
            source = source.with_text(made.text.clone());
        }
        Ok(match source.parse(&machine.limits) {
            Ok(dockerfile) => {
                let Linted { findings, used } = self.judged(&dockerfile, shell);
                LintedFile { path: source.path, text: dockerfile.bytes, findings, mended, used, failure: None }
            }
            Err(error) => {
                let failure = source.failure(SurveyError::from(error));
                LintedFile::failed(source.path, source.text, failure)
            }
        })
    }
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

/// Looks at a Dockerfile that is given as text; fixes can only be tried.
pub fn lint_text(machine: &Machine, path: PathBuf, text: Vec<u8>, fixes: Fixes) -> Result<LintedFile, Failure> {
    let source = recipe::Source::of_text(path.clone(), text);
    let fixes = if fixes == Fixes::Made { Fixes::Tried } else { fixes };
    Judge::default().look(machine, source, &path, fixes, &mut Shell::default())
}

/// The lockfile, if it is there.
fn lockfile(machine: &Machine, project: &Project) -> Result<Option<Lockfile>, Failure> {
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

pub(super) fn surroundings(
    project: &Project,
    image: &Image,
    knows_context: bool,
    lockfile: Option<&Lockfile>,
) -> Surroundings {
    let context = project.manifest.root.join(&image.files.context);
    let pins = lockfile.into_iter().flat_map(|lockfile| &lockfile.sources);
    Surroundings {
        target: image.target.clone().unwrap_or_default(),
        args: image.args.clone(),
        contexts: image.files.contexts.keys().map(|name| name.split("::").next().unwrap_or(name).to_owned()).collect(),
        pins: pins.map(|pin| (pin.key(), pin.result())).collect(),
        run_env: image.run.env.keys().cloned().collect(),
        scrub: image.scrub.iter().filter_map(|rule| ScrubRule::parse(rule).ok()).collect(),
        context: knows_context.then(|| lint_context::facts(&context, image.files.dockerfile())),
    }
}
