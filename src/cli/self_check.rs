//! `repro build --self-check`: one more build without cache, what differs, and what would mend it.

use std::fmt::Write;
use std::thread;
use std::time::{Duration, Instant};

use super::document::{DifferingLayerDocument, DifferingPathDocument, MendDocument, SelfCheckDocument};
use super::engines::Engines;
use super::job::{Job, Shop};
use super::project::{Project, read_text, shown};
use super::rebuild::{Method, Rebuilt, Round, rebuild};
use super::session::Session;
use super::work::WorkFolder;
use crate::compare::Presence;
use crate::digest::Digest;
use crate::escape;
use crate::manifest::{self, EditError};
use crate::platform::Platform;
use crate::status::{ExitStatus, Failure, Status};
use crate::store::replace_file;
use crate::verify::{DifferingLayer, DifferingPath, Mend, SelfCheck, self_check};

/// Paths and characters of an instruction that people are shown without `-v`.
const SHOWN: usize = 8;
const WIDTH: usize = 100;
/// The clock of the second build shows another second.
const PAUSE: Duration = Duration::from_millis(1100);

/// The self-check of one platform.
pub struct Checked {
    /// The platform.
    pub platform: Platform,
    check: SelfCheck,
    first: Digest,
    /// The scrub rules that the manifest has already.
    given: Vec<String>,
}

/// Two builds of one plan differ.
#[derive(Debug, thiserror::Error)]
#[error(
    "`{image}` {platform} is not reproducible: it is {first}, and {second} when built again without cache; they differ in the {level}"
)]
struct NotReproducible {
    image: String,
    platform: Platform,
    first: Digest,
    second: Digest,
    level: String,
}

impl ExitStatus for NotReproducible {
    fn status(&self) -> Status {
        Status::Differs
    }
}

/// The builds' layers can't be read any more.
#[derive(Debug, thiserror::Error)]
#[error("cannot compare the two builds: {0}")]
struct Incomparable(std::io::Error);

impl ExitStatus for Incomparable {
    fn status(&self) -> Status {
        Status::Engine
    }
}

/// Builds `job` once more without any cache, and holds every platform against `first`.
pub fn run(
    shop: &Shop<'_>,
    engines: &Engines,
    job: &Job<'_>,
    method: &Method<'_>,
    work: &WorkFolder,
    first: &Rebuilt,
) -> Result<Vec<Checked>, Failure> {
    let session = shop.session;
    if job.surveyed.survey.runs > 0 {
        wait(session)?;
    }
    let again = Method { no_cache: true, keep: false, round: Round::Second, ..*method };
    let second = rebuild(shop, engines, job, &again, work)?;
    let mut checked = Vec::new();
    for (one, other) in first.assembled.platforms.iter().zip(&second.assembled.platforms) {
        let image = job.surveyed.image;
        let sees_epoch = image.run_env.contains_key("SOURCE_DATE_EPOCH");
        let check = self_check(one, other, job.scrub(), sees_epoch, &session.limits, &session.cancel);
        session.cancel.check()?;
        checked.push(Checked {
            platform: one.platform.clone(),
            check: check.map_err(Incomparable)?,
            first: one.descriptor.digest,
            given: image.scrub.clone(),
        });
    }
    Ok(checked)
}

fn wait(session: &Session) -> Result<(), Failure> {
    let start = Instant::now();
    while start.elapsed() < PAUSE {
        session.cancel.check()?;
        thread::sleep(Duration::from_millis(50));
    }
    Ok(())
}

/// Adds the profiles that were found to repro.toml.
pub fn fix(session: &Session, project: &Project, image: &str, checked: &[Checked]) -> Result<(), Failure> {
    let Some(lock_path) = &project.lock_path else { return Ok(()) };
    let mut profiles: Vec<&str> = checked.iter().flat_map(|checked| checked.check.profiles.iter().copied()).collect();
    profiles.sort_unstable();
    profiles.dedup();
    if profiles.is_empty() {
        return Ok(());
    }
    let path = lock_path.with_file_name(manifest::FILE_NAME);
    let text = read_text(&path, session.limits.manifest_file)?;
    let text = manifest::add_scrub(&text, image, &profiles).map_err(|error: EditError| Failure::from(error))?;
    replace_file(&path, text.as_bytes())?;
    session.progress.note(&format!(
        "`{}`: added {} to `scrub` of `{image}`; `repro lock` takes it over",
        shown(&session.near(&path)),
        profiles.join(", ")
    ));
    Ok(())
}

impl Checked {
    /// Whether both builds are equal bit for bit.
    pub fn is_reproducible(&self) -> bool {
        self.check.level.is_none()
    }

    /// What went wrong, if both builds are not equal.
    pub fn failure(&self, image: &str) -> Option<Failure> {
        let failure = NotReproducible {
            image: image.to_owned(),
            platform: self.platform.clone(),
            first: self.first,
            second: self.check.second.manifest,
            level: self.check.level?.to_string(),
        };
        Some(failure.into())
    }

    /// A few lines for people; with `all`, every path that is known.
    pub fn describe(&self, text: &mut String, image: &str, all: bool) {
        let (platform, check) = (&self.platform, &self.check);
        let Some(level) = check.level else {
            let _ = writeln!(text, "{image} {platform} is reproducible: built again without cache, it is the same");
            return;
        };
        let second = check.second.manifest;
        let _ = writeln!(text, "{image} {platform} is not reproducible: built again without cache, it is {second}");
        if check.layers.is_empty() {
            let _ = writeln!(text, "  the builds differ in the {level}, in no layer that can be compared");
        }
        for layer in &check.layers {
            describe_layer(text, layer, all);
        }
        if check.profiles.is_empty() {
            return;
        }
        let rules = self.given.iter().map(String::as_str).chain(check.profiles.iter().copied());
        let rules: Vec<String> = rules.map(|rule| format!("\"{}\"", escape::text(rule))).collect();
        let rules = rules.join(", ");
        let effect = if check.is_mended { "makes both builds equal" } else { "mends a part" };
        let _ = writeln!(text, "  tried on both builds, this {effect}: scrub = [{rules}]");
    }

    /// The document of the check.
    pub fn document(&self) -> SelfCheckDocument {
        let check = &self.check;
        SelfCheckDocument {
            reproducible: check.level.is_none(),
            level: check.level.map(|level| level.to_string()),
            second: check.second.manifest.to_string(),
            layers: check.layers.iter().map(layer_document).collect(),
            scrub: check.profiles.iter().map(ToString::to_string).collect(),
            mended: check.is_mended,
        }
    }
}

fn describe_layer(text: &mut String, layer: &DifferingLayer, all: bool) {
    let DifferingLayer { number, count, entries, paths, .. } = layer;
    let made_by = instruction(&layer.created_by);
    if *count == 0 {
        let _ = writeln!(text, "  layer {number}, {made_by}: the same entries in another order or form");
        return;
    }
    let _ = writeln!(text, "  layer {number}, {made_by}: {count} of {entries} entries differ");
    // Paths with the same mends stand together.
    let mut groups: Vec<(&[Mend], Vec<&DifferingPath>)> = Vec::new();
    for path in paths {
        match groups.iter_mut().find(|(mends, _)| *mends == path.mends) {
            Some((_, members)) => members.push(path),
            None => groups.push((&path.mends, vec![path])),
        }
    }
    for (mends, members) in groups {
        let shown = if all { members.len() } else { SHOWN };
        for path in members.iter().take(shown) {
            let _ = writeln!(text, "    /{}: {}", escape::bytes(&path.path), path.difference);
        }
        if members.len() > shown {
            let _ = writeln!(text, "    and {} more", members.len() - shown);
        }
        for mend in mends {
            let _ = writeln!(text, "      {}", advice(mend));
        }
    }
    let unknown = count.saturating_sub(paths.len() as u64);
    if unknown > 0 {
        let _ = writeln!(text, "    {unknown} more that were not looked at");
    }
}

/// The instruction as people wrote it, on one line of bounded width.
fn instruction(created_by: &str) -> String {
    let plain = created_by.strip_suffix(" # buildkit").unwrap_or(created_by);
    let plain = plain.replacen("RUN /bin/sh -c ", "RUN ", 1);
    let words: Vec<&str> = plain.split_whitespace().collect();
    let line = words.join(" ");
    let short: String = line.chars().take(WIDTH).collect();
    let dots = if short.len() < line.len() { "…" } else { "" };
    format!("`{}{dots}`", escape::text(&short))
}

fn advice(mend: &Mend) -> String {
    match mend {
        Mend::Scrub(profile) => format!("the scrub profile `{profile}` mends this"),
        Mend::RunEnv { name, value, effect } => format!("try run-env = {{ {name} = \"{value}\" }}: {effect}"),
        Mend::Dockerfile(change) => (*change).to_owned(),
    }
}

fn layer_document(layer: &DifferingLayer) -> DifferingLayerDocument {
    let paths = layer.paths.iter().map(|path| DifferingPathDocument {
        path: format!("/{}", escape::bytes(&path.path)),
        builds: match path.difference.presence {
            Presence::Both => "both",
            Presence::First => "first",
            Presence::Second => "second",
        }
        .to_owned(),
        differs: path.difference.aspects.iter().map(|aspect| aspect.name().to_owned()).collect(),
        mends: path.mends.iter().map(mend_document).collect(),
    });
    DifferingLayerDocument {
        number: layer.number,
        created_by: layer.created_by.clone(),
        entries: layer.entries,
        differing: layer.count,
        paths: paths.collect(),
    }
}

fn mend_document(mend: &Mend) -> MendDocument {
    let (kind, change) = match mend {
        Mend::Scrub(profile) => ("scrub", (*profile).to_owned()),
        Mend::RunEnv { name, value, .. } => ("run-env", format!("{name} = \"{value}\"")),
        Mend::Dockerfile(change) => ("dockerfile", (*change).to_owned()),
    };
    MendDocument { kind: kind.to_owned(), change }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instruction_is_shown_as_it_was_written_in_one_short_line() {
        for (created_by, want) in [
            ("RUN /bin/sh -c date > /x # buildkit", "`RUN date > /x`"),
            ("COPY a /a # buildkit", "`COPY a /a`"),
            ("RUN |1 V=1 /bin/sh -c a\n  b # buildkit", "`RUN |1 V=1 /bin/sh -c a b`"),
            ("RUN \u{1b}[31m", "`RUN \\u{1b}[31m`"),
        ] {
            assert_eq!(instruction(created_by), want);
        }
        let long = instruction(&"x".repeat(500));
        assert_eq!(long.chars().count(), WIDTH + 3);
    }
}
