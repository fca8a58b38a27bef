//! `repro verify`: rebuilds without cache and says whether the image is the recorded one, and the published one.

use std::fmt::Write;
use std::path::Path;

use super::arguments;
use super::document::{ErrorDocument, VerdictName, VerifiedImage, VerifiedPlatform, VerifyDocument, built_platform};
use super::engines::Engines;
use super::job::{Job, Shop};
use super::output;
use super::project::{Project, shown};
use super::rebuild::{Method, Rebuilt, Round, rebuild};
use super::recording;
use super::report::{Document, Report};
use super::session::Session;
use super::work::WorkFolder;
use crate::compare::{Difference, compare};
use crate::digest::Digest;
use crate::lockfile::{Pin, Record};
use crate::status::{ExitStatus, Failure, Status};
use crate::verify::{Case, Look, Published, Verdict, judge};

/// What upstream says, for `--fresh`.
#[derive(Debug, thiserror::Error)]
#[error("upstream no longer gives what is locked:{}", .0.iter().map(|line| format!("\n  {line}")).collect::<String>())]
struct Gone(Vec<String>);

impl ExitStatus for Gone {
    fn status(&self) -> Status {
        Status::Source
    }
}

/// Runs the command.
pub fn run(arguments: &arguments::Verify, session: &Session) -> Result<Report, Failure> {
    let project = Project::open(session, Some(&arguments.question))?;
    let shop = Shop::open(session, &project)?;
    let mut unreadable = None;
    let record_of = |image: &str| match &arguments.record {
        Some(file) => recording::read(session, file, image).ok().flatten(),
        None => shop.lockfile.images.get(image).and_then(|lock| lock.record.clone()),
    };
    if let Some(file) = &arguments.record {
        unreadable = recording::read(session, file, "").err();
    }
    if let Some(failure) = unreadable {
        return Err(failure);
    }
    let jobs = shop.jobs(&arguments.question, &arguments.engine, record_of)?;
    for job in &jobs {
        recording::check(&project, job)?;
    }
    let platforms = jobs.iter().map(|job| job.platforms.len()).sum();
    let target = output::target(session, arguments.output.as_deref(), arguments.archive, jobs.len(), platforms)?;
    if arguments.fresh {
        ask_upstream(&shop, &jobs)?;
    }
    let look = Look { resolver: &shop.resolver, limits: &session.limits, cancel: &session.cancel };
    let published = match &arguments.against {
        Some(against) => Some(Published::find(against, &session.directory, &look)?),
        None => None,
    };
    let engines = Engines::new(session, &arguments.engine, &project.manifest, &shop.lockfile, shop.resolver.clone())?;
    let method = Method {
        engines: &arguments.engine.engine,
        allow: arguments.engine.allow_from_repo,
        no_cache: true,
        keep: target.is_some(),
        round: Round::First,
    };
    let work = WorkFolder::new(session)?;
    let mut verdicts = Verdicts { against: arguments.against.clone(), ..Verdicts::default() };
    for job in &jobs {
        let Some(record) = &job.record else { continue };
        match rebuild(&shop, &engines, job, &method, &work) {
            Ok(rebuilt) => {
                session.cancel.check()?;
                if let Some(target) = &target {
                    let image = job.surveyed.image;
                    output::write(target, arguments.archive, image, &rebuilt.assembled, job.epoch, &shop.resolver)?;
                }
                if let Err(failure) = verdicts.add(
                    job,
                    record,
                    &rebuilt,
                    published.as_ref().map(|published| (published, &look)),
                    arguments.output.as_deref(),
                ) {
                    verdicts.fail(failure);
                }
            }
            Err(failure) => verdicts.fail(failure),
        }
    }
    Ok(verdicts.report())
}

/// Asks upstream for every pin of the jobs; 4 where one changed or vanished.
fn ask_upstream(shop: &Shop<'_>, jobs: &[Job<'_>]) -> Result<(), Failure> {
    let mut pins: Vec<Pin> = jobs.iter().flat_map(|job| job.pins.iter().cloned()).collect();
    pins.sort();
    pins.dedup();
    let mut gone = Vec::new();
    for (pin, standing) in pins.iter().zip(shop.resolver.standings(&pins)) {
        let key = crate::escape::text(&pin.key()).into_owned();
        match standing {
            Ok(standing) => {
                gone.extend(standing.missing.iter().map(|missing| format!("{key}: {missing}")));
                if let Some(newer) = standing.newer.filter(|_| standing.missing.is_empty()) {
                    shop.session.progress.note(&format!("{key} now means {newer}"));
                }
            }
            Err(error) => gone.push(error.to_string()),
        }
    }
    if gone.is_empty() { Ok(()) } else { Err(Gone(gone).into()) }
}

#[derive(Default)]
struct Verdicts {
    against: Option<String>,
    text: String,
    images: Vec<VerifiedImage>,
    failures: Vec<Failure>,
    status: Option<Status>,
}

impl Verdicts {
    fn fail(&mut self, failure: Failure) {
        self.count(failure.status());
        self.failures.push(failure);
    }

    fn count(&mut self, status: Status) {
        self.status = Some(self.status.map_or(status, |known| known.or(status)));
    }

    fn add(
        &mut self,
        job: &Job<'_>,
        record: &Record,
        rebuilt: &Rebuilt,
        published: Option<(&Published, &Look<'_>)>,
        output: Option<&Path>,
    ) -> Result<(), Failure> {
        let name = job.surveyed.name;
        let engines = rebuilt.engines.join(" and ");
        let mut platforms = Vec::new();
        for built in &rebuilt.assembled.platforms {
            let Some(expected) = record.platforms.get(&built.platform) else { continue };
            let case = Case {
                platform: built.platform.clone(),
                expected: recording::facts(expected),
                rebuilt: built.facts(),
                published: published.map(|(published, _)| published.platforms.get(&built.platform).cloned()),
            };
            if let (Some((published, look)), Some(Some(facts))) = (published, &case.published)
                && !matches!(compare(facts, &case.rebuilt), None | Some(Difference::Layer(_)))
            {
                let known = built.layers.iter().map(|layer| (layer.descriptor.digest, layer.diff_id)).collect();
                published.confirm(&built.platform, &known, look)?;
            }
            let verdict = judge(&case);
            self.count(verdict.status());
            self.say(name, &case, verdict, &engines);
            platforms.push(document(&case, verdict));
        }
        let index = rebuilt.assembled.index.as_deref().map(Digest::of);
        if job.platforms.len() == job.surveyed.image.platforms.len() {
            self.compare_index(name, record, index, published.map(|(published, _)| published));
        }
        self.images.push(VerifiedImage {
            image: name.to_owned(),
            engines: rebuilt.engines.clone(),
            form: record.form,
            epoch: job.epoch.seconds(),
            recorded: true,
            index: index.map(|index| index.to_string()),
            output: output.map(shown),
            platforms,
        });
        Ok(())
    }

    /// The index around the platforms: a record of the same platforms must have the same one.
    fn compare_index(&mut self, name: &str, record: &Record, rebuilt: Option<Digest>, published: Option<&Published>) {
        let Some(rebuilt) = rebuilt else { return };
        if let Some(expected) = record.index.filter(|expected| *expected != rebuilt) {
            self.count(Status::Differs);
            let _ = writeln!(self.text, "{name} index: differs: recorded {expected}, rebuilt {rebuilt}");
        }
        if let Some(top) = published.and_then(|published| published.top).filter(|top| *top != rebuilt) {
            let _ = writeln!(
                self.text,
                "{name} index: the published one is {top}, the rebuilt one {rebuilt}; only the platforms above were compared"
            );
        }
    }

    fn say(&mut self, name: &str, case: &Case, verdict: Verdict, engines: &str) {
        let platform = &case.platform;
        let _ = match verdict {
            Verdict::Reproduced => {
                writeln!(self.text, "{name} {platform}: reproduced {}", case.rebuilt.manifest)
            }
            Verdict::Packaging(pair) => {
                writeln!(self.text, "{name} {platform}: packaged differently: {pair} have the same content")
            }
            Verdict::Differs(pair, difference) => {
                writeln!(self.text, "{name} {platform}: differs: {pair} differ in the {difference}")
            }
            Verdict::NotPublished => {
                writeln!(self.text, "{name} {platform}: differs: the published image lacks this platform")
            }
        };
        if verdict != Verdict::Reproduced {
            let _ = writeln!(self.text, "  recorded  {}", case.expected.manifest);
            let _ = writeln!(self.text, "  rebuilt   {}", case.rebuilt.manifest);
            if let Some(Some(published)) = &case.published {
                let _ = writeln!(self.text, "  published {}", published.manifest);
            }
        }
        let _ = match (&self.against, &case.published) {
            (Some(against), Some(_)) => writeln!(
                self.text,
                "  rebuilt with {engines}; compared with the record and with {}",
                crate::escape::text(against)
            ),
            _ => writeln!(
                self.text,
                "  rebuilt with {engines}; compared with the record; the published image was not looked at"
            ),
        };
    }

    fn report(self) -> Report {
        let status = self.status.unwrap_or(Status::Success);
        let error = ErrorDocument::of_worst(&self.failures);
        let document = VerifyDocument { version: 1, status: status.code(), images: self.images, error };
        Report { status, text: self.text, document: Some(Document::of(&document)), failures: self.failures }
    }
}

fn document(case: &Case, verdict: Verdict) -> VerifiedPlatform {
    let name = match verdict {
        Verdict::Reproduced => VerdictName::Reproduced,
        Verdict::Packaging(_) => VerdictName::Packaging,
        Verdict::Differs(..) | Verdict::NotPublished => VerdictName::Differs,
    };
    let platform = |facts| built_platform(&case.platform, facts);
    VerifiedPlatform {
        platform: case.platform.to_string(),
        verdict: Some(name),
        level: verdict.level(),
        expected: Some(platform(&case.expected)),
        rebuilt: Some(platform(&case.rebuilt)),
        published: case.published.as_ref().and_then(Option::as_ref).map(platform),
        status: verdict.status().code(),
    }
}
