//! Carries out the stages of a target, in order.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use super::chmod::Chmod;
use super::content::Content;
use super::context_tree::{context_tree, single_file};
use super::diff::diff;
use super::fetched::{Fetched, Fetcher};
use super::filesystem::{Filesystem, Mtime, Tree};
use super::metadata::StageConfig;
use super::mount::Mount;
use super::owner::WantedOwner;
use super::path;
use super::problem::{Problem, failed};
use super::refusal::Place;
use super::run::{self, Asked, Done, Runner, Variables};
use super::stack::stack;
use super::stage::{Stage, StageLayer, State};
use super::transfer::{Transfer, patterns};
use crate::build::{Plan, PlannedContext, Surroundings};
use crate::context::Effort;
use crate::dockerfile::target::{
    Action, Base, Location, NamedContext, RunStep, Step, Target, TargetStage, TransferSource, TransferStep,
};
use crate::engine::base_images::{BaseImage, BaseImagesOf};
use crate::engine::sources::Sources;
use crate::escape;
use crate::status::Failure;

/// The build of one target.
pub(super) struct Builder<'a> {
    plan: &'a Plan,
    surroundings: &'a Surroundings<'a>,
    sources: &'a dyn Sources,
    fetcher: Fetcher<'a>,
    images: &'a BaseImagesOf<'a>,
    files: Filesystem,
    stages: BTreeMap<usize, Stage>,
    /// Trees of base images by manifest, of contexts by name.
    image_trees: Vec<(Arc<BaseImage>, Option<Tree>)>,
    context: Option<Tree>,
    contexts: BTreeMap<String, Tree>,
    /// Inline files that were made, for their times.
    inline: Vec<(Vec<u8>, Vec<u8>)>,
    spools: usize,
    /// What matching may cost, all instructions together.
    effort: Effort<'a>,
    /// Where unpacked base images are kept, and who runs steps, once there is one.
    store: Option<&'a Path>,
    runner: Option<Runner>,
    /// What each tree was made of, for who runs steps.
    lowers: Vec<(Tree, Option<Tree>)>,
}

impl<'a> Builder<'a> {
    pub(super) fn new(
        plan: &'a Plan,
        surroundings: &'a Surroundings<'a>,
        sources: &'a dyn Sources,
        images: &'a BaseImagesOf<'a>,
        store: Option<&'a Path>,
    ) -> Self {
        Self {
            plan,
            surroundings,
            sources,
            fetcher: Fetcher::new(plan, sources),
            images,
            files: Filesystem::default(),
            stages: BTreeMap::new(),
            image_trees: Vec::new(),
            context: None,
            contexts: BTreeMap::new(),
            inline: Vec::new(),
            spools: 0,
            effort: Effort::new(surroundings.limits.context_steps, &surroundings.cancel),
            store,
            runner: None,
            lowers: Vec::new(),
        }
    }

    /// Carries out all stages and gives the target's, with what weakens a verdict on it.
    pub(super) fn build(mut self, target: &Target) -> Result<(Stage, Vec<String>), Failure> {
        // What only a `--from` names has a higher number than the stage that needs it.
        let (others, stages): (Vec<_>, Vec<_>) = target.stages.iter().partition(|(_, stage)| stage.index.is_none());
        for (number, stage) in others.into_iter().chain(stages) {
            let built = self.stage(stage)?;
            self.stages.insert(*number, built);
        }
        let stage = self.stages.remove(&target.target);
        let stage = stage.ok_or_else(|| Problem::Unproven("the target is no stage".to_owned()))?;
        // What a step starts can't be seen, only that it could have started such a program.
        let is_weaker = self.runner.is_some() && self.files.has_files_with_rights();
        Ok((stage, is_weaker.then(|| run::GAINS_NOTHING.to_owned()).into_iter().collect()))
    }

    fn stage(&mut self, stage: &TargetStage) -> Result<Stage, Failure> {
        let place = Place::new(&self.plan.inputs.dockerfile_path, stage.lines, "FROM");
        let mut built = self.start(stage, &place)?;
        for step in &stage.steps {
            self.surroundings.cancel.check().map_err(Problem::from)?;
            self.step(&mut built, step)?;
        }
        Ok(built)
    }

    fn start(&mut self, stage: &TargetStage, place: &Place) -> Result<Stage, Failure> {
        let epoch = self.plan.epoch;
        let scratch = |state| {
            let config = StageConfig::from_scratch(&self.plan.platform, epoch);
            let variables = Variables::of_config(&config.config.run.env);
            Stage { config, layers: Vec::new(), state, variables }
        };
        Ok(match &stage.base {
            Base::Scratch => scratch(State::Nothing),
            Base::Stage(number) => {
                let Some(base) = self.stages.get(number) else {
                    return Err(place.error(Problem::Unproven("a stage that comes later".to_owned())));
                };
                Stage { config: base.config.child(), ..base.clone() }
            }
            Base::Image(image) => {
                let base = self.images.image(image)?;
                if stage.index.is_some() {
                    base.check_history().map_err(|problem| place.error(problem))?;
                }
                let config = StageConfig::from_image(&base.documents.config, epoch);
                let variables = Variables::of_config(&config.config.run.env);
                let (layers, state) = match base.is_empty() {
                    true => (Vec::new(), State::Nothing),
                    false => (vec![StageLayer::Base(Arc::clone(&base))], State::Image(base)),
                };
                Stage { config, layers, state, variables }
            }
            Base::Context(NamedContext::Scratch) => scratch(State::Nothing),
            Base::Context(NamedContext::Local(name)) if stage.index.is_none() || stage.steps.is_empty() => {
                let tree = self.named_context(name).map_err(|problem| place.error(problem))?;
                scratch(State::Tree(tree))
            }
            Base::Context(_) => {
                return Err(place.error(Problem::Unproven("a named context that is no image as a base".to_owned())));
            }
        })
    }

    fn named_context(&mut self, name: &str) -> Result<Tree, Problem> {
        if let Some(tree) = self.contexts.get(name) {
            return Ok(*tree);
        }
        let Some(PlannedContext::Local(context)) = self.plan.inputs.contexts.get(name) else {
            return failed(format!("named context `{}` is not a directory", escape::text(name)));
        };
        let tree = context_tree(&mut self.files, context)?;
        self.contexts.insert(name.to_owned(), tree);
        Ok(tree)
    }

    fn main_context(&mut self) -> Result<Tree, Problem> {
        if let Some(tree) = self.context {
            return Ok(tree);
        }
        let tree = context_tree(&mut self.files, &self.plan.inputs.context)?;
        self.context = Some(tree);
        Ok(tree)
    }

    /// The tree that a state stands for, unpacked or merged now if `place` is the first to look.
    fn tree(&mut self, state: &State, place: &Place) -> Result<Option<Tree>, Failure> {
        Ok(match state {
            State::Nothing => None,
            State::Tree(tree) => Some(*tree),
            State::Linked(lower, upper) => {
                let lower = self.tree(lower, place)?;
                let stacked = stack(&mut self.files, lower, *upper, &Default::default());
                Some(stacked.map_err(|problem| place.error(problem))?)
            }
            State::Image(image) => {
                let known = self.image_trees.iter().find(|(known, _)| Arc::ptr_eq(known, image));
                if let Some((_, tree)) = known {
                    return Ok(*tree);
                }
                let Surroundings { work, progress, .. } = self.surroundings;
                let bounds = self.surroundings.bounds();
                let tree = image.tree(&mut self.files, self.sources, &work.directory()?, bounds, progress, place)?;
                self.image_trees.push((Arc::clone(image), tree));
                tree
            }
        })
    }

    fn step(&mut self, stage: &mut Stage, step: &Step) -> Result<(), Failure> {
        stage.variables.apply(&step.action);
        if stage.config.apply(&step.action) {
            return Ok(());
        }
        let place = Place::of_step(&self.plan.inputs.dockerfile_path, step);
        match &step.action {
            Action::Workdir(directory) => self.work_directory(stage, directory, &place),
            Action::Transfer(transfer) => self.transfer(stage, transfer, &place),
            Action::Run(run) => self.run(stage, run, &place),
            _ => Err(place.error(Problem::Unproven("an unknown instruction".to_owned()))),
        }
    }

    /// Ends a layer: from `lower` to `upper`.
    fn end_layer(&mut self, stage: &mut Stage, lower: Option<Tree>, upper: Tree) -> Result<(), Problem> {
        let entries = diff(&self.files, lower, upper, self.plan.epoch)?;
        self.lowers.push((upper, lower));
        stage.layers.push(StageLayer::New(Arc::new(entries)));
        Ok(())
    }

    fn work_directory(&mut self, stage: &mut Stage, directory: &str, place: &Place) -> Result<(), Failure> {
        stage.config.config.run.working_dir = directory.into();
        let created_by = [b"WORKDIR ".as_slice(), directory.as_bytes()].concat();
        stage.config.commit(&created_by, directory != "/");
        if directory == "/" {
            return Ok(());
        }
        let lower = self.tree(&stage.state, place)?;
        let mut make = || {
            let user = &stage.config.config.run.user;
            let wanted = (!user.is_empty()).then(|| WantedOwner::parse(user));
            let owner = wanted.map(|wanted| wanted.resolve(&self.files, lower)).transpose()?;
            let mut mount = Mount::new(&mut self.files, lower)?;
            let target = mount.files.root_path(mount.tree, &path::clean(directory.as_bytes()))?;
            let epoch = i64::try_from(self.plan.epoch.seconds()).unwrap_or(i64::MAX);
            mount.make_directories(&target, 0o755, owner, Some(Mtime::seconds(epoch)))?;
            Ok(mount.tree)
        };
        let made: Result<Tree, Problem> = make();
        let upper = made.map_err(|problem| place.error(problem))?;
        self.end_layer(stage, lower, upper).map_err(|problem| place.error(problem))?;
        stage.state = State::Tree(upper);
        Ok(())
    }

    fn run(&mut self, stage: &mut Stage, step: &RunStep, place: &Place) -> Result<(), Failure> {
        let lower = self.tree(&stage.state, place)?;
        let mut sources = Vec::with_capacity(step.mounts.len());
        for mount in &step.mounts {
            sources.push(match mount.from {
                None => None,
                Some(Location::Context) => Some(Some(self.main_context().map_err(|problem| place.error(problem))?)),
                Some(Location::Stage(number)) => {
                    let Some(source) = self.stages.get(&number) else {
                        return Err(place.error(Problem::Unproven("a source that comes later".to_owned())));
                    };
                    let state = source.state.clone();
                    Some(self.tree(&state, place)?)
                }
            });
        }
        let Done { tree, created_by } = {
            let (config, variables) = (&stage.config.config.run, &stage.variables);
            let asked = Asked { step, lower, sources: &sources, config, variables };
            let mut runner = self.runner()?;
            let done = runner.run(&mut self.files, &asked, self.plan, self.surroundings);
            self.runner = Some(runner);
            done.map_err(|problem| place.error(problem))?
        };
        self.end_layer(stage, lower, tree).map_err(|problem| place.error(problem))?;
        stage.config.commit(&created_by, true);
        stage.state = State::Tree(tree);
        Ok(())
    }

    /// Who runs steps, knowing how all trees so far came to be.
    fn runner(&mut self) -> Result<Runner, Failure> {
        let mut runner = match (self.runner.take(), self.store) {
            (Some(runner), _) => runner,
            (None, Some(store)) => Runner::new(store, &self.surroundings.work.directory()?)?,
            (None, None) => return Err(Problem::Unproven("there is no place for base images".to_owned()).into()),
        };
        for (upper, lower) in self.lowers.drain(..) {
            runner.know(upper, lower);
        }
        for (image, tree) in &self.image_trees {
            if let Some(tree) = tree {
                runner.know_base(*tree, &image.documents.config.diff_ids);
            }
        }
        Ok(runner)
    }

    fn transfer(&mut self, stage: &mut Stage, step: &TransferStep, place: &Place) -> Result<(), Failure> {
        // With a mode BuildKit ignores `--link`.
        let link = step.link && step.chmod.is_empty();
        let lower = if link { None } else { self.tree(&stage.state, place)? };
        // A tree that is copied into itself, and one that nothing was ever put into, have no part in BuildKit's cache.
        let mut is_looked_into = true;
        let from = match step.from {
            Location::Context => None,
            Location::Stage(number) => {
                let state = match self.stages.get(&number) {
                    Some(source) => source.state.clone(),
                    None => return Err(place.error(Problem::Unproven("a source that comes later".to_owned()))),
                };
                is_looked_into = !matches!(state, State::Nothing) && (link || !state.is(&stage.state));
                Some(self.tree(&state, place)?)
            }
        };
        let fetched = self.fetcher.fetch(&mut self.files, step, place)?;
        let copied = self.copy(step, from, lower, fetched, is_looked_into, place);
        let upper = copied.map_err(|problem| place.error(problem))?;
        self.end_layer(stage, lower, upper).map_err(|problem| place.error(problem))?;
        stage.state = match std::mem::replace(&mut stage.state, State::Nothing) {
            State::Nothing => State::Tree(upper),
            below if link => State::Linked(Box::new(below), upper),
            _ => State::Tree(upper),
        };
        stage.config.commit_transfer(step);
        Ok(())
    }

    /// Copies all sources into a new layer above `lower`.
    fn copy(
        &mut self,
        step: &TransferStep,
        from: Option<Option<Tree>>,
        lower: Option<Tree>,
        fetched: Vec<Fetched>,
        is_looked_into: bool,
        place: &Place,
    ) -> Result<Tree, Problem> {
        let chmod = if step.chmod.is_empty() { None } else { Some(Chmod::parse(&step.chmod)?) };
        let wanted = (!step.chown.is_empty()).then(|| WantedOwner::parse(step.chown.as_bytes()));
        let owner = wanted.map(|wanted| wanted.resolve(&self.files, lower)).transpose()?;
        let exclude = patterns("excludepatterns", &step.exclude)?;
        let destination = path::clean_keeping_end(step.destination.as_bytes());
        let paths = step.sources.iter().any(|source| matches!(source, TransferSource::Path { .. }));
        let from = match from {
            Some(Some(tree)) => tree,
            Some(None) => Mount::new(&mut self.files, None)?.tree,
            None if paths => self.main_context()?,
            None => Mount::new(&mut self.files, None)?.tree,
        };
        let inline = self.inline_trees(step)?;
        let transfer = Transfer {
            step,
            from,
            is_looked_into,
            destination: &destination,
            chmod: chmod.as_ref(),
            owner,
            exclude: exclude.as_ref(),
            surroundings: self.surroundings,
            effort: &self.effort,
            place,
        };
        let mut mount = Mount::new(&mut self.files, lower)?;
        let mut fetched = fetched.into_iter();
        for source in &step.sources {
            match source {
                TransferSource::Path { written } => transfer.path(&mut mount, written, &mut self.spools)?,
                _ => {
                    let Some(Fetched { tree, name }) = fetched.next() else { continue };
                    transfer.file(&mut mount, tree, &name, step.unpack == Some(true), &mut self.spools)?;
                }
            }
        }
        for (tree, name) in inline {
            transfer.file(&mut mount, tree, &name, false, &mut self.spools)?;
        }
        Ok(mount.tree)
    }

    /// The inline files, each in a tree of its own; the same file has the same time wherever it is written.
    fn inline_trees(&mut self, step: &TransferStep) -> Result<Vec<(Tree, Vec<u8>)>, Problem> {
        let mut trees = Vec::new();
        for file in &step.files {
            let key = (file.name.to_vec(), file.bytes.clone());
            let number = self.inline.iter().position(|known| *known == key).unwrap_or_else(|| {
                self.inline.push(key);
                self.inline.len() - 1
            });
            let mtime = Mtime::Inline(u32::try_from(number).unwrap_or(u32::MAX));
            let content = Content::bytes(Arc::from(file.bytes.as_slice()));
            trees.push((single_file(&mut self.files, &file.name, content, 0o644, mtime)?, file.name.to_vec()));
        }
        Ok(trees)
    }
}
