//! `repro sources`: every outside source that a target needs.

use std::fmt::Write;

use super::arguments;
use super::document::{ErrorDocument, ListedSource, SourcesDocument, SourcesError};
use super::excerpt::point;
use super::online;
use super::project::{Project, read_file};
use super::report::{Document, Report};
use super::session::Session;
use super::wanted::platforms;
use crate::dockerfile::sources::{self, Origin, Source};
use crate::dockerfile::{frontend, parse};
use crate::drift::{LockedBases, Survey, SurveyError, build_platform, survey, wanted_sources};
use crate::escape;
use crate::lockfile::Lockfile;
use crate::manifest::Image;
use crate::platform::Platform;
use crate::status::{ExitStatus, Failure, Status};

/// Runs the command; an error of the Dockerfile is part of the document.
pub fn run(arguments: &arguments::Sources, session: &Session) -> Result<Report, Failure> {
    let question = &arguments.question;
    let project = Project::open(session, Some(question))?;
    let lockfile = project.lock_text(session)?.and_then(|text| Lockfile::parse(&text).ok()).unwrap_or_default();
    let resolver = online::offline_resolver(session, &project)?;
    let mut listing = Listing::default();
    for (name, image) in project.images(&question.images)? {
        let path = project.manifest.root.join(&image.dockerfile);
        let bytes = read_file(&path, session.limits.dockerfile)?;
        let mut bases = LockedBases { lockfile: &lockfile, resolver: resolver.as_ref(), offline: true };
        let machine = Platform { os: "linux".to_owned(), ..Platform::of_this_machine() };
        let build_platform = build_platform(image, lockfile.images.get(name), &machine);
        let platforms = platforms(name, image, &question.platforms)?;
        let surveyed = parse(&bytes)
            .map_err(SurveyError::from)
            .and_then(|dockerfile| survey(image, &dockerfile, &platforms, &build_platform, &mut bases));
        match surveyed {
            Ok(survey) => listing.add(image, &survey, &lockfile),
            Err(error) => listing.fail(error, &session.near(&path), &bytes),
        }
    }
    Ok(listing.report())
}

#[derive(Default)]
struct Listing {
    text: String,
    syntax: Option<String>,
    sources: Vec<ListedSource>,
    resolved_only: Vec<ListedSource>,
    runs: usize,
    error: Option<SourcesError>,
    status: Option<Status>,
    failures: Vec<Failure>,
}

impl Listing {
    fn add(&mut self, image: &Image, survey: &Survey, lockfile: &Lockfile) {
        if let Some(frontend) = &survey.frontend {
            let pin = survey.sources.last().and_then(|source| lockfile.pin(&source.key())).map(|pin| pin.result());
            self.add_frontend(frontend, pin.as_deref());
        }
        self.runs = self.runs.max(survey.runs);
        for sources in survey.platforms.values() {
            for source in &sources.used {
                let listed = describe(image, source, lockfile);
                if !self.sources.contains(&listed) {
                    self.show(&listed);
                    self.sources.push(listed);
                }
            }
            for source in &sources.resolved_only {
                let listed = describe(image, source, lockfile);
                if !self.resolved_only.contains(&listed) {
                    self.resolved_only.push(listed);
                }
            }
        }
    }

    fn add_frontend(&mut self, frontend: &str, pin: Option<&str>) {
        self.syntax = Some(frontend.to_owned());
        self.line("frontend", frontend, pin, &[]);
    }

    fn show(&mut self, ListedSource { source, pin }: &ListedSource) {
        let lines: Vec<u32> = source.lines.iter().map(|lines| lines.start).collect();
        let (kind, what) = match &source.origin {
            Origin::Git { identifier, .. } => ("git", identifier.clone()),
            Origin::Http { url, .. } => ("http", url.clone()),
            Origin::Image { reference, platform, layout: None } => ("image", format!("{reference} ({platform})")),
            Origin::Image { reference, platform, layout: Some(_) } => {
                let name = reference.split('@').next().unwrap_or_default();
                ("layout", format!("{name} ({platform})"))
            }
            Origin::Local { name, paths: None } => ("local", format!("{name}: everything")),
            Origin::Local { name, paths: Some(paths) } => ("local", format!("{name}: {}", paths.join(" "))),
        };
        self.line(kind, &what, pin.as_deref(), &lines);
    }

    fn line(&mut self, kind: &str, what: &str, pin: Option<&str>, lines: &[u32]) {
        let lines: Vec<String> = lines.iter().map(u32::to_string).collect();
        let place = if lines.is_empty() { String::new() } else { format!("  line {}", lines.join(", ")) };
        let pin = pin.map(|pin| format!("  {pin}")).unwrap_or_default();
        let _ = writeln!(self.text, "{kind:<8} {}{place}{pin}", escape::text(what));
    }

    fn fail(&mut self, error: SurveyError, path: &std::path::Path, dockerfile: &[u8]) {
        let status = error.status();
        self.status = Some(self.status.map_or(status, |known| known.or(status)));
        // BuildKit looks for the frontend first: what comes after may be in that one's own language.
        if let Some(frontend) = frontend(dockerfile) {
            self.add_frontend(&frontend, None);
        }
        let dockerfile_error = match &error {
            SurveyError::Dockerfile(error) => Some(error.clone()),
            SurveyError::Frontend(_) | SurveyError::Base(_) => None,
        };
        let failure = point(error, path, dockerfile);
        let mut document = SourcesError { error: ErrorDocument::of(&failure), stage: None, lines: Vec::new() };
        if let Some(error) = dockerfile_error {
            document.lines = sources::pairs(&error.lines);
            document.stage = Some(error.phase.name().to_owned());
            document.error.message = error.message;
        }
        self.error.get_or_insert(document);
        self.failures.push(failure);
    }

    fn report(self) -> Report {
        let status = self.status.unwrap_or(Status::Success);
        let failed = status != Status::Success;
        let document = SourcesDocument {
            version: 1,
            status: status.code(),
            syntax: self.syntax,
            sources: if failed { Vec::new() } else { self.sources },
            resolved_only: if failed { Vec::new() } else { self.resolved_only },
            exec_ops: self.runs,
            error: self.error,
        };
        Report { status, text: self.text, document: Some(Document::of(&document)), failures: self.failures }
    }
}

/// A source with its pin.
fn describe(image: &Image, source: &Source, lockfile: &Lockfile) -> ListedSource {
    let only = sources::Sources { used: vec![source.clone()], ..Default::default() };
    let wanted = wanted_sources(image, &only);
    let pin = wanted.first().and_then(|wanted| lockfile.pin(&wanted.key())).map(|pin| pin.result());
    ListedSource { source: source.clone(), pin }
}
