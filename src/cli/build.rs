//! `repro build`: images from locked sources, compared with the record of their tree, or recorded.

use std::fmt::Write;
use std::path::Path;

use super::arguments;
use super::document::{BuildDocument, BuiltImage, BuiltPlatform, ErrorDocument, built_platform, scrubbed_files};
use super::engines::Engines;
use super::job::{Job, Shop};
use super::output;
use super::project::{Project, shown};
use super::rebuild::{Method, Rebuilt, Round, rebuild};
use super::recording;
use super::report::{Document, Report};
use super::self_check::{self, Checked};
use super::session::Session;
use super::tapes::say_private;
use super::work::WorkFolder;
use crate::build::{AssembledPlatform, Content, Plan, Surroundings, injected};
use crate::compare::{Facts, compare};
use crate::drift::Stale;
use crate::platform::Platform;
use crate::status::{ExitStatus, Failure, Status};

/// What came out is not what the record of this tree says.
#[derive(Debug, thiserror::Error)]
#[error("`{image}` {platform} differs from its record in the {level}: recorded {expected}, built {found}")]
struct Unlike {
    image: String,
    platform: Platform,
    level: String,
    expected: crate::digest::Digest,
    found: crate::digest::Digest,
}

impl ExitStatus for Unlike {
    fn status(&self) -> Status {
        Status::Differs
    }
}

/// A combination of flags that has no meaning.
#[derive(Debug, thiserror::Error)]
enum FlagError {
    #[error("`--record` writes beside a manifest, and there is none: give `--record=FILE`")]
    NowhereToRecord,
    #[error("`--locked` and `{0}` exclude each other")]
    Locked(&'static str),
}

impl ExitStatus for FlagError {
    fn status(&self) -> Status {
        Status::Usage
    }
}

/// Runs the command.
pub fn run(arguments: &arguments::Build, session: &Session) -> Result<Report, Failure> {
    for (flag, is_given) in [("--record", arguments.record.is_some()), ("--fix", arguments.fix)] {
        if session.locked && is_given {
            return Err(FlagError::Locked(flag).into());
        }
    }
    let project = Project::open(session, Some(&arguments.question))?;
    recording::check_images(&project, arguments)?;
    let record_file = arguments.record.as_ref().and_then(Option::as_deref);
    if arguments.record.is_some() && record_file.is_none() && project.lock_path.is_none() {
        return Err(FlagError::NowhereToRecord.into());
    }
    let shop = Shop::open(session, &project)?;
    let record_of = |image: &str| shop.lockfile.images.get(image).and_then(|lock| lock.record.clone());
    let jobs = shop.jobs(&arguments.question, &arguments.engine, record_of)?;
    let platforms = jobs.iter().map(|job| job.platforms.len()).sum();
    let target = output::target(session, arguments.output.as_deref(), arguments.archive, jobs.len(), platforms)?;
    let engines = Engines::new(session, &arguments.engine, &project.manifest, &shop.lockfile, shop.resolver.clone())?;
    let recording = arguments.record.is_some();
    let method = Method {
        engines: &arguments.engine.engine,
        allow: arguments.engine.allow_from_repo,
        no_cache: arguments.no_cache || recording,
        keep: target.is_some(),
        round: Round::First,
    };
    if arguments.dry_run {
        return dry_run(&shop, &engines, &jobs, &method);
    }
    let work = WorkFolder::new(session)?;
    let mut results = Results { is_verbose: session.verbose, ..Results::default() };
    for job in &jobs {
        if session.locked && !recording {
            Stale::unless_empty(job.unrecorded.clone())?;
        }
        let rebuilt = match rebuild(&shop, &engines, job, &method, &work) {
            Ok(rebuilt) => rebuilt,
            Err(failure) => {
                results.fail(failure);
                continue;
            }
        };
        session.cancel.check()?;
        let checked = if arguments.self_check {
            match self_check::run(&shop, &engines, job, &method, &work, &rebuilt) {
                Ok(checked) => checked,
                Err(failure) => {
                    results.fail(failure);
                    continue;
                }
            }
        } else {
            Vec::new()
        };
        let is_reproducible = checked.iter().all(Checked::is_reproducible);
        if recording && !is_reproducible {
            session.progress.note(&format!("`{}` is not recorded: it is not reproducible", job.surveyed.name));
        } else if recording {
            recording::write(&shop, job, &rebuilt.assembled, record_file.map(|file| session.resolve(file)))?;
            if let Some(tape) = &job.tape {
                say_private(&shop, job.surveyed.image, job.surveyed.name, tape);
            }
        } else {
            results.compare(session, job, &rebuilt);
        }
        if let Some(target) = &target {
            let image = job.surveyed.image;
            output::write(target, arguments.archive, image, &rebuilt.assembled, job.epoch, &shop.resolver)?;
        }
        results.add(job, &rebuilt, &checked, recording && is_reproducible, arguments.output.as_deref());
        if arguments.fix {
            self_check::fix(session, &project, job.surveyed.name, &checked)?;
        }
    }
    Ok(results.report())
}

/// Prints what the engines would run.
fn dry_run(shop: &Shop<'_>, engines: &Engines, jobs: &[Job<'_>], method: &Method<'_>) -> Result<Report, Failure> {
    let work = WorkFolder::new(shop.session)?.on_disk();
    let mut text = String::new();
    for job in jobs {
        for platform in &job.platforms {
            let plan = job.plan(shop.project, platform, None, method.allow, method.no_cache);
            for checked in engines.choose(shop.session, method.engines, &plan)? {
                let folder = work.sub(format!("{}-{}", plan.image, platform.to_string().replace('/', "-")));
                let surroundings = Surroundings {
                    work: &folder,
                    progress: shop.session.progress.clone(),
                    cancel: shop.session.cancel.clone(),
                    limits: &shop.session.limits,
                };
                let commands = checked.commands(&surroundings)?;
                let _ = writeln!(text, "# {} {platform}, with {}", plan.image, checked.engine());
                list_surroundings(&mut text, &plan);
                if commands.is_empty() {
                    text.push_str("# builds in this process, runs nothing\n");
                }
                commands.iter().for_each(|command| {
                    let _ = writeln!(text, "{command}");
                });
            }
        }
    }
    work.keep();
    Ok(Report::text(Status::Success, text))
}

/// What RUN is given, and what is left out of its layers.
fn list_surroundings(text: &mut String, plan: &Plan) {
    for injection in injected(plan) {
        let (name, value) = (&injection.variable, crate::escape::text(&injection.value));
        let _ = writeln!(text, "# RUN gets {name}={value}");
        if let Some(Content::Text(content)) = injection.file {
            let _ = writeln!(text, "#   {value} holds {}", crate::escape::text(content.trim_end()));
        }
    }
    for rule in &plan.form.scrub {
        let _ = writeln!(text, "# scrubbed from new layers: {}", crate::escape::text(rule.name()));
    }
}

/// What the scrub rules left out, file by file.
fn list_scrubbed(text: &mut String, platform: &AssembledPlatform) {
    for (rule, scrubbed) in &platform.scrubbed {
        let _ = writeln!(text, "  scrub {rule}: {} files, {} bytes", scrubbed.files, scrubbed.bytes);
        scrubbed.paths.iter().for_each(|path| {
            let _ = writeln!(text, "    {path}");
        });
    }
}

#[derive(Default)]
struct Results {
    is_verbose: bool,
    text: String,
    images: Vec<BuiltImage>,
    failures: Vec<Failure>,
}

impl Results {
    fn fail(&mut self, failure: Failure) {
        self.failures.push(failure);
    }

    /// Compares with the record where the tree is the recorded one; says so where it is not.
    fn compare(&mut self, session: &Session, job: &Job<'_>, rebuilt: &Rebuilt) {
        let name = job.surveyed.name;
        let Some(record) = job.record.as_ref().filter(|_| job.unrecorded.is_empty()) else {
            let reasons: Vec<String> = job.unrecorded.iter().map(ToString::to_string).collect();
            session.progress.note(&format!(
                "nothing to compare with: {}; the epoch is {} ({})",
                reasons.join("; "),
                job.epoch,
                job.epoch.rfc3339()
            ));
            return;
        };
        for built in &rebuilt.assembled.platforms {
            let Some(expected) = record.platforms.get(&built.platform) else { continue };
            let (expected, found) = (recording::facts(expected), built.facts());
            if let Some(difference) = compare(&expected, &found) {
                self.fail(unlike(name, &built.platform, &difference.to_string(), &expected, &found).into());
            }
        }
    }

    fn add(&mut self, job: &Job<'_>, rebuilt: &Rebuilt, checked: &[Checked], recorded: bool, output: Option<&Path>) {
        let name = job.surveyed.name;
        for platform in &rebuilt.assembled.platforms {
            let _ = writeln!(self.text, "{name} {} {}", platform.platform, platform.descriptor.digest);
            if self.is_verbose {
                list_scrubbed(&mut self.text, platform);
            }
        }
        for checked in checked {
            checked.describe(&mut self.text, name, self.is_verbose);
            self.failures.extend(checked.failure(name));
        }
        let index = rebuilt.assembled.index.as_deref().map(crate::digest::Digest::of);
        if let Some(index) = index {
            let _ = writeln!(self.text, "{name} index {index}");
        }
        self.images.push(BuiltImage {
            image: name.to_owned(),
            engine: rebuilt.engines.join(","),
            form: recording::FORM,
            epoch: job.epoch.seconds(),
            recorded: recorded || job.unrecorded.is_empty(),
            index: index.map(|index| index.to_string()),
            output: output.map(shown),
            platforms: rebuilt
                .assembled
                .platforms
                .iter()
                .map(|platform| BuiltPlatform {
                    scrubbed: Some(scrubbed_files(platform)),
                    self_check: checked.iter().find(|one| one.platform == platform.platform).map(Checked::document),
                    ..built_platform(&platform.platform, &platform.facts())
                })
                .collect(),
        });
    }

    fn report(self) -> Report {
        let status = self.failures.iter().fold(Status::Success, |status, failure| status.or(failure.status()));
        let error = ErrorDocument::of_worst(&self.failures);
        let document = BuildDocument { version: 1, status: status.code(), images: self.images, error };
        Report { status, text: self.text, document: Some(Document::of(&document)), failures: self.failures }
    }
}

fn unlike(image: &str, platform: &Platform, level: &str, expected: &Facts, found: &Facts) -> Unlike {
    Unlike {
        image: image.to_owned(),
        platform: platform.clone(),
        level: level.to_owned(),
        expected: expected.manifest,
        found: found.manifest,
    }
}
