//! A manifest for a build that somebody asks for elsewhere: where its files are here, and what of it is carried over.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Component, Path, PathBuf};

use super::files::{read_file, shown};
use super::init::new_manifest;
use super::machine::Machine;
use crate::dockerfile::{self, network};
use crate::imports::{self, Asked, Builder, Note, Place, RequestedBuild, Variables};
use crate::manifest::{self, Manifest};
use crate::status::{ExitStatus, Failure, Status};
use crate::store::replace_file;

/// What asks for a build.
#[derive(Clone, Debug)]
pub enum Request {
    /// A command line.
    Command(Builder, Vec<OsString>),
    /// A bake file.
    Bake(PathBuf),
    /// A compose file.
    Compose(PathBuf),
}

/// What a request became.
pub struct Requested {
    /// The manifest that was written.
    pub file: PathBuf,
    /// Its images.
    pub images: Vec<Asked>,
    /// The image of BuildKit that it names.
    pub buildkit: Option<String>,
}

/// Nothing was written.
#[derive(Debug, thiserror::Error)]
enum Refused {
    #[error("`{0}` in the command line is not UTF-8")]
    NotText(String),
    #[error("no directory at `{0}`, which is to be the context")]
    NoContext(String),
    #[error("`--name` names one image, and there are {0}")]
    SeveralImages(usize),
    #[error("two images would be called `{0}`")]
    SameName(String),
    #[error("no Dockerfile at `{0}`")]
    NoDockerfile(String),
    #[error("{what} `{path}` lies outside the repository `{root}`")]
    Outside { what: &'static str, path: String, root: String },
}

impl ExitStatus for Refused {
    fn status(&self) -> Status {
        Status::Usage
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::NotText(_) | Self::SeveralImages(_) | Self::SameName(_) => None,
            Self::NoContext(_) | Self::NoDockerfile(_) | Self::Outside { .. } => {
                Some("paths are those that the command has where you are; `-C DIR` starts elsewhere".to_owned())
            }
        }
    }
}

/// Writes a manifest for what is asked for. Nothing is written unless all of it can be read again.
pub fn request(machine: &Machine, request: &Request, name: Option<&str>) -> Result<Requested, Failure> {
    let file = new_manifest(machine)?;
    let directory = file.parent().unwrap_or(&machine.directory);
    let root = manifest::root(directory);
    let (builds, from) = read(machine, request)?;
    let mut images: Vec<Asked> = Vec::new();
    let mut buildkit = None;
    if name.is_some() && builds.len() > 1 {
        return Err(Refused::SeveralImages(builds.len()).into());
    }
    for (own_name, build) in builds {
        let place = place(machine, &build, directory, &root)?;
        let carried = imports::carry_request(&build, &place);
        let default = || own_name.unwrap_or_else(|| manifest::name_from(directory));
        let name = name.map_or_else(default, str::to_owned);
        if images.iter().any(|known| known.name == name) {
            return Err(Refused::SameName(name).into());
        }
        images.push(Asked { name, carried });
        buildkit = buildkit.or(build.buildkit);
    }
    let text = imports::manifest_text(&images, &from, buildkit.as_deref());
    Manifest::parse(&text, &file, &root)?;
    machine.cancel.check()?;
    replace_file(&file, text.as_bytes())?;
    Ok(Requested { file, images, buildkit })
}

type Builds = Vec<(Option<String>, RequestedBuild)>;

fn read(machine: &Machine, request: &Request) -> Result<(Builds, String), Failure> {
    match request {
        Request::Command(builder, words) => {
            let words: Vec<String> = words
                .iter()
                .map(|word| word.to_str().map(str::to_owned).ok_or_else(|| Refused::NotText(shown(Path::new(word)))))
                .collect::<Result<_, _>>()?;
            let variables = Variables::new(&machine.environment);
            let build = imports::read_command(*builder, &words, &variables, machine.now)?;
            let from = build.from.clone();
            Ok((vec![(None, build)], from))
        }
        Request::Bake(file) | Request::Compose(file) => {
            let bytes = read_file(&machine.resolve(file), machine.limits.json_bytes)?;
            let builds = match request {
                Request::Bake(_) => imports::read_bake(&bytes, &machine.limits, machine.now)?,
                _ => imports::read_compose(&bytes, &machine.limits, machine.now)?,
            };
            let named = builds.into_iter().map(|(name, build)| (Some(manifest::name_from(Path::new(&name))), build));
            Ok((named.collect(), shown(file)))
        }
    }
}

/// Where the files of a build are.
fn place(machine: &Machine, build: &RequestedBuild, directory: &Path, root: &Path) -> Result<Place, Failure> {
    let outside = |what, path: &Path| Refused::Outside { what, path: shown(path), root: shown(root) };
    let context = machine.resolve(Path::new(&build.context));
    let relative =
        inside(&context, directory, root).ok_or_else(|| outside("the context", Path::new(&build.context)))?;
    if !context.is_dir() {
        return Err(Refused::NoContext(shown(Path::new(&build.context))).into());
    }
    let dockerfile = dockerfile(machine, build, &context);
    if !dockerfile.is_file() {
        return Err(Refused::NoDockerfile(shown(&machine.near(&dockerfile))).into());
    }
    let dockerfile_relative =
        inside(&dockerfile, directory, root).ok_or_else(|| outside("the Dockerfile", &dockerfile))?;
    let parsed = dockerfile::parse(&read_file(&dockerfile, machine.limits.dockerfile)?, &machine.limits)?;
    let contexts = build.contexts.iter().filter_map(|(name, value)| {
        let (scheme, path) = match value.strip_prefix("oci-layout://") {
            Some(path) => ("oci-layout://", path),
            None if value.contains(':') => return None,
            None => ("", value.as_str()),
        };
        let absolute = machine.resolve(Path::new(path));
        let found = match inside(&absolute, directory, root) {
            // What a layout's path ends with may be a tag.
            Some(_) if scheme.is_empty() && !absolute.is_dir() => Err(format!("no directory at `{path}`")),
            Some(relative) => Ok(format!("{scheme}{relative}")),
            None => Err(format!("`{path}` lies outside the repository")),
        };
        Some((name.clone(), found))
    });
    Ok(Place {
        context: relative,
        dockerfile: dockerfile_relative,
        contexts: contexts.collect(),
        run_needs_network: network::is_needed(&parsed),
    })
}

/// The Dockerfile that a builder would take.
fn dockerfile(machine: &Machine, build: &RequestedBuild, context: &Path) -> PathBuf {
    let asked = &build.dockerfile;
    if let Some(path) = &asked.path {
        let here = if asked.is_of_context { context.join(path) } else { machine.resolve(Path::new(path)) };
        let there = context.join(path);
        return if asked.may_be_in_context && !here.is_file() && there.is_file() { there } else { here };
    }
    let containerfile = context.join("Containerfile");
    if asked.may_be_containerfile && containerfile.is_file() {
        return containerfile;
    }
    context.join("Dockerfile")
}

/// A path as a manifest in `directory` spells it; none if it leads out of `root` or is no text.
fn inside(path: &Path, directory: &Path, root: &Path) -> Option<String> {
    let mut clean = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => drop(clean.pop()),
            part => clean.push(part),
        }
    }
    clean.strip_prefix(root).ok()?;
    let same = directory.components().zip(clean.components()).take_while(|(one, other)| one == other).count();
    let up = directory.components().skip(same).map(|_| Component::ParentDir);
    let relative: PathBuf = up.chain(clean.components().skip(same)).collect();
    let text = relative.to_str()?;
    Some(if text.is_empty() { ".".to_owned() } else { text.to_owned() })
}

impl Requested {
    /// The keys of the manifest: those of its image, or `image.NAME` of several.
    pub fn manifest(&self) -> BTreeMap<String, serde_json::Value> {
        let mut keys = match self.images.as_slice() {
            [one] => one.carried.table.to_json(),
            several => {
                let images = several
                    .iter()
                    .map(|asked| (asked.name.clone(), serde_json::Value::from_iter(asked.carried.table.to_json())));
                BTreeMap::from([("image".to_owned(), images.collect())])
            }
        };
        if let Some(image) = &self.buildkit {
            keys.insert("buildkit".to_owned(), serde_json::json!({ "image": image }));
        }
        keys
    }

    /// What was not carried over, of each image; the names of images stand before it where there are several.
    pub fn notes(&self) -> Vec<Note> {
        let is_one = self.images.len() == 1;
        let of = |asked: &Asked| {
            let name = asked.name.clone();
            let named = move |note: &Note| match is_one {
                true => note.clone(),
                false => Note { what: format!("{name}: {}", note.what), why: note.why.clone() },
            };
            asked.carried.notes.iter().map(named).collect::<Vec<_>>()
        };
        self.images.iter().flat_map(of).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_written_as_the_manifest_sees_it_or_not_at_all() {
        for (path, want) in [
            ("/r/a", Some(".")),
            ("/r/a/.", Some(".")),
            ("/r/a/x/../y", Some("y")),
            ("/r", Some("..")),
            ("/r/b/c", Some("../b/c")),
            ("/r/a/../../x", None),
            ("/elsewhere", None),
            ("/ra", None),
        ] {
            assert_eq!(inside(Path::new(path), Path::new("/r/a"), Path::new("/r")).as_deref(), want, "{path}");
        }
    }
}
