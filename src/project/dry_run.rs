//! What a build would run.

use super::build::{BuildOptions, images, is_uncached, open};
use super::engines::Engines;
use super::export;
use super::machine::Machine;
use super::open::Project;
use super::scratch::ScratchDirectory;
use super::tape::serve::planned;
use crate::build::{Injection, injected};
use crate::platform::Platform;
use crate::scrub::Rule;
use crate::status::Failure;

/// The commands of one platform's build with one engine.
pub struct PlannedBuild {
    /// The image.
    pub image: String,
    /// The platform.
    pub platform: Platform,
    /// The engine.
    pub engine: &'static str,
    /// Whether RUN has a tape, which is served only while a build runs.
    pub is_taped: bool,
    /// What RUN is given.
    pub injected: Vec<Injection>,
    /// What is left out of new layers.
    pub scrub: Vec<Rule>,
    /// The commands; none where the engine runs in this process.
    pub commands: Vec<String>,
}

/// Plans what was asked for; what the commands read is put where they look for it, and stays there.
pub fn dry_run(machine: &Machine, project: &Project, options: &BuildOptions) -> Result<Vec<PlannedBuild>, Failure> {
    let locked = open(machine, project, options)?;
    let images = images(&locked, options)?;
    let platforms = images.iter().map(|image| image.platforms.len()).sum();
    export::target(machine, options.export.as_ref(), images.len(), platforms)?;
    let engines = Engines::new(&locked, &options.engine)?;
    let work = ScratchDirectory::new(machine)?.on_disk();
    let mut builds = Vec::new();
    for image in &images {
        for platform in &image.platforms {
            let tape = planned(image, platform, &options.engine, is_uncached(options))?;
            let plan = image.plan(project, platform, tape, options.engine.allow, is_uncached(options));
            for checked in engines.choose(machine, &plan)? {
                let directory = work.sub(format!("{}-{}", plan.image, platform.to_string().replace('/', "-")));
                builds.push(PlannedBuild {
                    image: plan.image.clone(),
                    platform: platform.clone(),
                    engine: checked.engine(),
                    is_taped: plan.run.tape.is_some(),
                    injected: injected(&plan),
                    scrub: plan.form.scrub.clone(),
                    commands: checked.commands(&machine.around(&directory))?,
                });
            }
        }
    }
    work.keep();
    Ok(builds)
}
