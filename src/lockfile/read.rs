//! The reader: what no writer can have produced is refused, and so is what a newer one wrote.
//!
//! The check is of facts, not of bytes: order, quoting and line ends may differ, unknown keys and impossible values may
//! not. [`Lockfile::to_text`] of what was read tells whether the text was canonical.

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::{Spanned, Value};

use super::claim::{RawClaim, claim};
use super::facts::{fact_key, is_group, is_list, is_text};
use super::value::{
    Text, Wrong, commit, date, digest, git_request, http_url, image_request, parsed, plain, platform, shown, wrong,
};
use super::write::{REVISION, VERSION};
use super::{BuildkitPin, Fact, ImageLock, Lockfile, LockfileError, Pin, PlatformRecord, Record, Request};
use crate::digest::Digest;
use crate::epoch::Epoch;
use crate::limits::{LimitExceeded, Limits};
use crate::platform::Platform;

/// The highest image form that a record may have.
const FORM: u32 = 1;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawLockfile {
    #[expect(dead_code, reason = "looked at before everything else is")]
    version: i64,
    #[serde(default)]
    #[expect(dead_code, reason = "looked at before everything else is")]
    revision: i64,
    buildkit: Option<RawBuildkit>,
    #[serde(default)]
    source: Vec<Spanned<RawSource>>,
    #[serde(default)]
    claim: Vec<Spanned<RawClaim>>,
    #[serde(default)]
    image: BTreeMap<Spanned<String>, RawImage>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawBuildkit {
    request: Text,
    digest: Text,
    mirror: Option<Text>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawSource {
    image: Option<Text>,
    layout: Option<Text>,
    http: Option<Text>,
    git: Option<Text>,
    digest: Option<Text>,
    #[serde(default)]
    platform: BTreeMap<Spanned<String>, Text>,
    size: Option<u64>,
    modified: Option<Text>,
    commit: Option<Text>,
    tag: Option<Text>,
    mirror: Option<Text>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawImage {
    sources: Vec<Text>,
    tape: Option<Text>,
    #[serde(default)]
    request: BTreeMap<Spanned<String>, Value>,
    record: Option<Spanned<RawRecord>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawRecord {
    form: u32,
    epoch: Spanned<i64>,
    pins: Text,
    context: Text,
    dockerfile: Text,
    #[serde(default)]
    contexts: BTreeMap<Spanned<String>, Text>,
    index: Option<Text>,
    #[serde(default)]
    platform: BTreeMap<Spanned<String>, RawPlatform>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawPlatform {
    manifest: Text,
    size: u64,
    config: Text,
    frontend: Option<Text>,
    layers: Vec<Text>,
}

impl Lockfile {
    /// Reads a lockfile's text.
    ///
    /// Line ends may be CRLF. Errors: see [`LockfileError`].
    pub fn parse(text: &str, limits: &Limits) -> Result<Self, LockfileError> {
        if text.len() as u64 > limits.lock_file {
            let exceeded = LimitExceeded { name: "lock-file", limit: limits.lock_file, object: "lockfile".to_owned() };
            return Err(exceeded.into());
        }
        if let Some(line) = first_conflict(text) {
            return Err(LockfileError::Conflict { line });
        }
        check_numbers(text)?;
        let impossible =
            |wrong: Wrong| LockfileError::Impossible { line: line_of(text, wrong.offset), problem: wrong.problem };
        let raw: RawLockfile = toml::from_str(text).map_err(|error| {
            let offset = error.span().map_or(0, |span| span.start);
            let first_line = error.message().lines().next().unwrap_or("");
            impossible(Wrong { offset, problem: shown(first_line) })
        })?;
        for image in raw.image.values() {
            if let Some(record) = &image.record {
                check_form(record.get_ref().form)?;
            }
        }
        lockfile(raw).map_err(impossible)
    }

    /// The first line, from 1, in which `text` is not what is written for these facts; line ends aside.
    pub fn first_deviation(&self, text: &str) -> Option<usize> {
        let (found, expected) = (text.replace("\r\n", "\n"), self.to_text());
        if found == expected {
            return None;
        }
        let same = found.lines().zip(expected.lines()).take_while(|(found, expected)| found == expected).count();
        Some(same + 1)
    }
}

/// Line of the first conflict marker.
fn first_conflict(text: &str) -> Option<usize> {
    text.lines().position(is_like_a_marker).map(|at| at + 1)
}

/// Whether a line begins as those around a conflict do; no line of a lockfile does.
pub(super) fn is_like_a_marker(line: &str) -> bool {
    line.starts_with("<<<<<<<") || line.starts_with(">>>>>>>")
}

/// Looks at version and revision before anything else: a newer file may be of any shape.
///
/// They stand before the first table, one a line.
fn check_numbers(text: &str) -> Result<(), LockfileError> {
    let mut version = None;
    for (at, line) in text.lines().enumerate() {
        if line.trim_start().starts_with('[') {
            break;
        }
        let Some((key, value)) = line.split_once('=') else { continue };
        let known = match key.trim() {
            "version" => VERSION,
            "revision" => REVISION,
            _ => continue,
        };
        let what = if key.trim() == "version" { "version" } else { "revision" };
        let number = value.split('#').next().unwrap_or("").trim();
        let digits = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
        if !digits {
            let problem = format!("`{what}` is `{}`, expected a number", shown(number));
            return Err(LockfileError::Impossible { line: at + 1, problem });
        }
        if number.parse::<u32>().is_ok_and(|number| number <= known) {
            if what == "version" {
                version = number.parse::<u32>().ok();
            }
            continue;
        }
        return Err(LockfileError::Newer { what, found: shown(number), known });
    }
    match version {
        Some(VERSION) => Ok(()),
        Some(old) => Err(LockfileError::Impossible { line: 1, problem: format!("there is no version {old}") }),
        None => Err(LockfileError::Impossible { line: 1, problem: "`version` is missing".to_owned() }),
    }
}

fn check_form(form: u32) -> Result<(), LockfileError> {
    if form <= FORM {
        return Ok(());
    }
    Err(LockfileError::Newer { what: "image form", found: form.to_string(), known: FORM })
}

fn lockfile(raw: RawLockfile) -> Result<Lockfile, Wrong> {
    let mut mirrors = BTreeMap::new();
    let mirror = raw.buildkit.as_ref().and_then(|buildkit| buildkit.mirror.as_ref()).map(plain).transpose()?;
    let buildkit = raw.buildkit.map(buildkit).transpose()?;
    mirrors.extend(buildkit.iter().zip(mirror).map(|(pin, mirror)| (pin.request.clone(), mirror)));
    let mut sources: BTreeMap<(super::SourceKind, String), Pin> = BTreeMap::new();
    for source in raw.source {
        let offset = source.span().start;
        let mirror = source.get_ref().mirror.as_ref().map(plain).transpose()?;
        let pin = pin(source)?;
        mirrors.extend(mirror.map(|mirror| (pin.key(), mirror)));
        let key = (pin.kind(), pin.request().to_owned());
        if let Some(other) = sources.insert(key, pin.clone())
            && other != pin
        {
            return wrong(offset, format!("`{}` is pinned twice, to different things", shown(pin.request())));
        }
    }
    let mut images = BTreeMap::new();
    for (name, image) in raw.image {
        plain(&name)?;
        images.insert(name.get_ref().clone(), image_lock(image)?);
    }
    let mut claims = raw.claim.into_iter().map(claim).collect::<Result<Vec<_>, _>>()?;
    claims.sort();
    claims.dedup();
    Ok(Lockfile { buildkit, sources: sources.into_values().collect(), images, mirrors, claims })
}

fn buildkit(raw: RawBuildkit) -> Result<BuildkitPin, Wrong> {
    let digest = digest(&raw.digest)?;
    let request = image_request(&raw.request, digest)?;
    Ok(BuildkitPin { request, digest })
}

fn pin(source: Spanned<RawSource>) -> Result<Pin, Wrong> {
    let offset = source.span().start;
    let raw = source.into_inner();
    let needs = |value: Option<Text>, key: &str| match value {
        Some(value) => Ok(value),
        None => wrong(offset, format!("a source without `{key}`")),
    };
    let refuse = |present: bool, key: &str, kind: &str| match present {
        true => wrong(offset, format!("`{key}` does not belong to a source of kind `{kind}`")),
        false => Ok(()),
    };
    let no_file = |kind| {
        refuse(raw.size.is_some(), "size", kind)?;
        refuse(raw.modified.is_some(), "modified", kind)
    };
    let no_commit = |kind| {
        refuse(raw.commit.is_some(), "commit", kind)?;
        refuse(raw.tag.is_some(), "tag", kind)
    };
    match (raw.image, raw.layout, raw.http, raw.git) {
        (Some(request), None, None, None) => {
            no_file("image")?;
            no_commit("image")?;
            let digest = digest(&needs(raw.digest, "digest")?)?;
            Ok(Pin::Image { request: image_request(&request, digest)?, digest, platforms: platforms(raw.platform)? })
        }
        (None, Some(request), None, None) => {
            no_file("layout")?;
            no_commit("layout")?;
            let digest = digest(&needs(raw.digest, "digest")?)?;
            Ok(Pin::Layout { request: plain(&request)?, digest, platforms: platforms(raw.platform)? })
        }
        (None, None, Some(url), None) => {
            no_commit("http")?;
            refuse(!raw.platform.is_empty(), "platform", "http")?;
            let Some(size) = raw.size else { return wrong(offset, "a source without `size`") };
            let digest = digest(&needs(raw.digest, "digest")?)?;
            let modified = raw.modified.as_ref().map(date).transpose()?;
            Ok(Pin::Http { url: http_url(&url)?, digest, size, modified })
        }
        (None, None, None, Some(request)) => {
            no_file("git")?;
            refuse(raw.digest.is_some(), "digest", "git")?;
            refuse(!raw.platform.is_empty(), "platform", "git")?;
            let tag = raw.tag.as_ref().map(commit).transpose()?;
            let commit = commit(&needs(raw.commit, "commit")?)?;
            Ok(Pin::Git { request: git_request(&request, &commit)?, commit, tag })
        }
        _ => wrong(offset, "a source is one of `image`, `layout`, `http` and `git`"),
    }
}

fn image_lock(raw: RawImage) -> Result<ImageLock, Wrong> {
    let mut sources = raw.sources.iter().map(plain).collect::<Result<Vec<_>, _>>()?;
    sources.sort();
    sources.dedup();
    Ok(ImageLock {
        sources,
        tape: raw.tape.as_ref().map(digest).transpose()?,
        request: Request { facts: facts(raw.request)? },
        record: raw.record.map(record).transpose()?,
    })
}

fn facts(raw: BTreeMap<Spanned<String>, Value>) -> Result<BTreeMap<String, Fact>, Wrong> {
    let mut facts = BTreeMap::new();
    for (name, value) in raw {
        let offset = name.span().start;
        let name = name.into_inner();
        match value {
            Value::Table(group) if is_group(&name) => {
                for (inner, value) in group {
                    readable(&inner, &name, offset)?;
                    facts.insert(fact_key(&name, &inner), Fact::Text(fact_text(value, &name, offset)?));
                }
            }
            Value::Array(list) if is_list(&name) => {
                let list = list.into_iter().map(|value| fact_text(value, &name, offset));
                facts.insert(name.clone(), Fact::List(list.collect::<Result<_, _>>()?));
            }
            value if is_text(&name) => {
                let text = fact_text(value, &name, offset)?;
                facts.insert(name, Fact::Text(text));
            }
            _ => return wrong(offset, format!("unknown fact `{}`", shown(&name))),
        }
    }
    Ok(facts)
}

fn fact_text(value: Value, name: &str, offset: usize) -> Result<String, Wrong> {
    let Value::String(text) = value else {
        return wrong(offset, format!("`{}` holds something that is no text", shown(name)));
    };
    readable(&text, name, offset)?;
    Ok(text)
}

/// No control characters but those that a manifest may hold.
fn readable(text: &str, name: &str, offset: usize) -> Result<(), Wrong> {
    match text.chars().find(|c| c.is_control() && !matches!(c, '\n' | '\t')) {
        Some(control) => wrong(offset, format!("`{}` has the control character U+{:04X}", shown(name), control as u32)),
        None => Ok(()),
    }
}

fn record(raw: Spanned<RawRecord>) -> Result<Record, Wrong> {
    let offset = raw.span().start;
    let raw = raw.into_inner();
    let Ok(epoch) = Epoch::from_seconds(*raw.epoch.get_ref()) else {
        return wrong(raw.epoch.span().start, format!("`epoch` is {}, which is no epoch", raw.epoch.get_ref()));
    };
    if raw.form == 0 {
        return wrong(offset, "there is no image form 0");
    }
    if raw.platform.is_empty() {
        return wrong(offset, "a record without a platform");
    }
    let mut contexts = BTreeMap::new();
    for (name, context) in &raw.contexts {
        contexts.insert(plain(name)?, digest(context)?);
    }
    let mut platforms = BTreeMap::new();
    for (name, built) in &raw.platform {
        let layers = built.layers.iter().map(parsed).collect::<Result<_, _>>()?;
        let built = PlatformRecord {
            manifest: digest(&built.manifest)?,
            size: built.size,
            config: digest(&built.config)?,
            frontend: built.frontend.as_ref().map(plain).transpose()?,
            layers,
        };
        platforms.insert(platform(name)?, built);
    }
    Ok(Record {
        form: raw.form,
        epoch,
        pins: digest(&raw.pins)?,
        context: digest(&raw.context)?,
        dockerfile: digest(&raw.dockerfile)?,
        contexts,
        index: raw.index.as_ref().map(digest).transpose()?,
        platforms,
    })
}

fn platforms(raw: BTreeMap<Spanned<String>, Text>) -> Result<BTreeMap<Platform, Digest>, Wrong> {
    raw.iter().map(|(name, child)| Ok((platform(name)?, digest(child)?))).collect()
}

fn line_of(text: &str, offset: usize) -> usize {
    text.bytes().take(offset).filter(|byte| *byte == b'\n').count() + 1
}
