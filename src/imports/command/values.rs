//! What stands in the value of an option: pairs, fields of comma-separated values, names, annotations, outputs.

use crate::epoch::Epoch;
use crate::imports::requested::{RequestError, RequestedBuild};
use crate::platform::Platform;
use crate::reference::Reference;

/// What a run is told to write, and where: `repro` is told so each time.
const WRITTEN: &str = "where a result goes belongs to a run: `repro build -o FILE` writes one";

/// `NAME=VALUE`; a name alone would take its value from an environment that nobody records.
pub(in crate::imports) fn argument(text: &str) -> Result<(String, String), RequestError> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        Some(_) => Err(RequestError::new("a build argument has no name")),
        None => Err(RequestError::new(format!(
            "the build argument `{text}` has no value here: it would come from the environment, which nobody records"
        ))
        .with_hint(format!("write the value: `--build-arg {}=VALUE`", crate::escape::text(text)))),
    }
}

/// Seconds that no clock has not reached yet.
pub(in crate::imports) fn epoch(what: &str, text: &str, now: u64) -> Result<Epoch, RequestError> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let epoch = text.parse::<Epoch>().ok().filter(|_| digits);
    let epoch = epoch.ok_or_else(|| {
        RequestError::new(format!("{what}: `{text}` is no epoch: expected seconds since 1970, none of them negative"))
    })?;
    not_after(what, epoch, now)
}

/// The epoch, if it is not after `now`.
pub(in crate::imports) fn not_after(what: &str, epoch: Epoch, now: u64) -> Result<Epoch, RequestError> {
    if epoch.seconds() > now {
        return Err(RequestError::new(format!("{what}: the epoch {} lies in the future", epoch.rfc3339())));
    }
    Ok(epoch)
}

/// Platforms, each once.
pub(in crate::imports) fn platforms(what: &str, text: &str, found: &mut Vec<Platform>) -> Result<(), RequestError> {
    for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
        let platform: Platform = part.parse().map_err(|error| RequestError::new(format!("{what}: {error}")))?;
        if !found.contains(&platform) {
            found.push(platform);
        }
    }
    Ok(())
}

/// The name of an image: its repository as it is written, and its tag.
pub(in crate::imports) fn name(what: &str, text: &str) -> Result<(String, String), RequestError> {
    let parsed: Reference = text.parse().map_err(|error| RequestError::new(format!("{what}: {error}")))?;
    if parsed.digest().is_some() {
        return Err(RequestError::new(format!("{what}: `{text}` has a digest, which no image can be given")));
    }
    Ok(match parsed.tag() {
        Some(tag) => (text[..text.len() - tag.len() - 1].to_owned(), tag.to_owned()),
        None => (text.to_owned(), "latest".to_owned()),
    })
}

/// What Go takes for a truth value.
pub(super) fn truth(text: &str) -> Option<bool> {
    match text {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Some(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Some(false),
        _ => None,
    }
}

/// Fields with commas between them; one in double quotes may have commas in it.
pub(in crate::imports) fn fields(text: &str) -> Option<Vec<String>> {
    let mut found = Vec::new();
    let mut rest = text;
    loop {
        let (field, after) = match rest.strip_prefix('"') {
            Some(quoted) => quoted_field(quoted)?,
            None => match rest.split_once(',') {
                Some((field, after)) => (field.to_owned(), Some(after)),
                None => (rest.to_owned(), None),
            },
        };
        found.push(field);
        match after {
            Some(after) => rest = after,
            None => return Some(found),
        }
    }
}

/// A field up to its closing quote, in which two quotes are one.
fn quoted_field(text: &str) -> Option<(String, Option<&str>)> {
    let mut field = String::new();
    let mut rest = text;
    loop {
        let (before, after) = rest.split_once('"')?;
        field.push_str(before);
        match after.strip_prefix('"') {
            Some(more) => {
                field.push('"');
                rest = more;
            }
            None if after.is_empty() => return Some((field, None)),
            None => return Some((field, Some(after.strip_prefix(',')?))),
        }
    }
}

/// The id of `id=NAME,src=FILE`: what a secret is called, never what it holds or where it lies.
pub(in crate::imports) fn secret(text: &str) -> Result<String, RequestError> {
    let fields = fields(text).ok_or_else(|| RequestError::new("`--secret`: its value is no list of fields"))?;
    let id = fields.iter().find_map(|field| {
        let (key, value) = field.split_once('=')?;
        key.trim().eq_ignore_ascii_case("id").then(|| value.to_owned())
    });
    id.filter(|id| !id.is_empty()).ok_or_else(|| RequestError::new("`--secret` has no id: expected `id=NAME,…`"))
}

/// The id of `default`, or of `NAME=SOCKET|KEY`.
pub(in crate::imports) fn agent(text: &str) -> String {
    text.split_once('=').map_or(text, |(id, _)| id).to_owned()
}

/// `[LEVEL[,LEVEL]:]KEY=VALUE`, a level being `manifest` or `index`, or one that a manifest of ours has not.
pub(in crate::imports) fn annotation(build: &mut RequestedBuild, text: &str) -> Result<(), RequestError> {
    let (key, value) = text
        .split_once('=')
        .ok_or_else(|| RequestError::new(format!("the annotation `{text}` has no value: expected KEY=VALUE")))?;
    let (levels, key) = key.split_once(':').unwrap_or(("manifest", key));
    if key.is_empty() {
        return Err(RequestError::new(format!("the annotation `{text}` has no key: expected KEY=VALUE")));
    }
    for level in levels.split(',') {
        match level {
            "manifest" => drop(build.annotations.insert(key.to_owned(), value.to_owned())),
            "index" => drop(build.index_annotations.insert(key.to_owned(), value.to_owned())),
            level if is_other_level(level) => {
                build.note(
                    format!("annotation {key}"),
                    format!(
                        "`{level}:`: annotations are those of all image manifests, or of the index: not carried over"
                    ),
                );
            }
            level => {
                return Err(RequestError::new(format!(
                    "the annotation `{key}` has the level `{level}`: expected manifest, index, manifest-descriptor or index-descriptor"
                )));
            }
        }
    }
    Ok(())
}

/// A level for one platform, or that of a descriptor.
fn is_other_level(level: &str) -> bool {
    let base = level.split_once('[').filter(|(_, rest)| rest.ends_with(']')).map_or(level, |(base, _)| base);
    matches!(base, "manifest" | "index" | "manifest-descriptor" | "index-descriptor")
}

/// `type=TYPE,KEY=VALUE,…`: what the image is like, and where it goes.
pub(in crate::imports) fn output(build: &mut RequestedBuild, text: &str) -> Result<(), RequestError> {
    let wrong = || RequestError::new("`--output`: its value is no list of `KEY=VALUE`");
    let fields = fields(text).ok_or_else(wrong)?;
    let mut kind = "";
    let mut media_types = None;
    let mut left = Vec::new();
    for field in &fields {
        let Some((key, value)) = field.split_once('=') else {
            if fields.len() == 1 {
                build.note("--output", "files of the image, without the image: `repro build` makes images");
                return Ok(());
            }
            return Err(wrong());
        };
        match key.trim() {
            "type" => kind = value.trim(),
            "name" => {
                for name in value.split(',').filter(|name| !name.is_empty()) {
                    build.names.push(self::name("--output", name)?);
                }
            }
            "dest" => build.note("--output", format!("dest={}: {WRITTEN}", crate::http::without_user(value))),
            "push" if truth(value) == Some(true) => pushed(build),
            "oci-mediatypes" => media_types = truth(value),
            "compression" if value == "uncompressed" => build.is_uncompressed = true,
            "compression" if value == "gzip" => {}
            "compression" => build.note(
                "--output",
                format!("compression={value}: layers are compressed with gzip, or not at all (`output.compression`)"),
            ),
            "rewrite-timestamp" if truth(value) == Some(true) => {}
            "rewrite-timestamp" => {
                build.note("--output", "rewrite-timestamp=false: `repro` always lowers times to the epoch");
            }
            "push" | "unpack" | "store" | "tar" => {}
            key => match annotation_option(key) {
                Some(level) => annotation(build, &format!("{level}={value}"))?,
                None => left.push(key.to_owned()),
            },
        }
    }
    if !left.is_empty() {
        build.note("--output", format!("not carried over: {}", left.join(", ")));
    }
    match kind {
        "oci" => build.media_types = Some(if media_types == Some(false) { "docker" } else { "oci" }),
        "docker" => build.media_types = Some(if media_types == Some(true) { "oci" } else { "docker" }),
        "image" => build.media_types = media_types.map(|oci| if oci { "oci" } else { "docker" }).or(build.media_types),
        "registry" => {
            build.media_types = media_types.map(|oci| if oci { "oci" } else { "docker" }).or(build.media_types);
            pushed(build);
        }
        "local" | "tar" | "cacheonly" => {
            build.note("--output", format!("type={kind}: files without the image: `repro build` makes images"));
        }
        other => return Err(RequestError::new(format!("`--output`: the type `{other}` is not known"))),
    }
    Ok(())
}

fn pushed(build: &mut RequestedBuild) {
    build.note("push", "`repro` pushes no images: `repro build -o FILE`, then for example `crane push`");
}

/// The level and key of `annotation[-LEVEL][[PLATFORM]].KEY`.
fn annotation_option(key: &str) -> Option<String> {
    let rest = key.strip_prefix("annotation")?;
    let (level, key) = rest.split_once('.')?;
    let level = level.strip_prefix('-').unwrap_or(level);
    Some(match level.strip_prefix('[') {
        _ if level.is_empty() => format!("manifest:{key}"),
        Some(_) => format!("manifest{level}:{key}"),
        None => format!("{level}:{key}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_those_of_comma_separated_values() {
        for (text, want) in [
            ("a=1,b=2", Some(vec!["a=1", "b=2"])),
            ("a", Some(vec!["a"])),
            ("a=1,\"name=x,y\",c=3", Some(vec!["a=1", "name=x,y", "c=3"])),
            ("\"a\"\"b\"", Some(vec!["a\"b"])),
            ("\"a", None),
            ("\"a\"b", None),
        ] {
            assert_eq!(fields(text), want.map(|want| want.into_iter().map(str::to_owned).collect()), "{text}");
        }
    }

    #[test]
    fn a_name_keeps_its_repository_as_it_is_written() {
        for (text, want) in [
            ("registry.example:5000/a/b:1.2", Some(("registry.example:5000/a/b", "1.2"))),
            ("app", Some(("app", "latest"))),
            ("localhost:5000/app", Some(("localhost:5000/app", "latest"))),
            ("a,b", None),
            ("a/B", None),
        ] {
            let got = name("-t", text).ok();
            assert_eq!(got, want.map(|(one, two)| (one.to_owned(), two.to_owned())), "{text}");
        }
        assert!(name("-t", &format!("a@sha256:{}", "0".repeat(64))).is_err());
    }

    #[test]
    fn annotations_go_to_their_level() {
        let mut build = RequestedBuild::default();
        for text in ["a=1", "index:b=2", "manifest,index:c=x=y", "manifest[linux/arm64]:d=4", "index-descriptor:e=5"] {
            annotation(&mut build, text).unwrap();
        }
        let output = "type=oci,dest=x,annotation.f=6,annotation-index.g=7,annotation-manifest[linux/amd64].h=8";
        super::output(&mut build, output).unwrap();
        assert_eq!(build.annotations.keys().collect::<Vec<_>>(), ["a", "c", "f"]);
        assert_eq!(build.index_annotations.keys().collect::<Vec<_>>(), ["b", "c", "g"]);
        let told: Vec<_> = build.notes.iter().map(|note| note.what.as_str()).collect();
        assert_eq!(told, ["--output", "annotation d", "annotation e", "annotation h"]);
        for text in ["a", "=1", "nonsense:a=1", "index:=1"] {
            assert!(annotation(&mut build, text).is_err(), "{text}");
        }
    }

    #[test]
    fn an_epoch_is_a_number_of_seconds_that_have_passed() {
        for (text, is_one) in [("0", true), ("7", true), ("8", false), ("-1", false), ("+1", false), ("", false)] {
            assert_eq!(epoch("--sde", text, 7).is_ok(), is_one, "{text}");
        }
        assert!(epoch("--sde", "1970-01-01T00:00:01Z", 7).is_err());
    }
}
