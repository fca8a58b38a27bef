//! Which Dockerfiles a project has, and which files that say how others build it: for a first manifest.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use crate::manifest;

/// Directories below the project's that are looked into.
const DEPTH: usize = 3;
/// Entries that are looked at.
const ENTRIES: usize = 20_000;
/// Dockerfiles that become images.
const MOST: usize = 64;

/// Directories of others' files.
const OF_OTHERS: [&str; 6] = ["node_modules", "vendor", "target", "third_party", "testdata", "dist"];

/// Endings of files that are no Dockerfiles, whatever they are called before.
const NO_DOCKERFILE: [&str; 12] =
    ["dockerignore", "md", "bak", "orig", "rej", "j2", "tmpl", "template", "tpl", "in", "erb", "sig"];

/// Files that say how others build the project, and how their images are taken over.
const RECIPES: [(&str, &str); 7] = [
    ("compose.yaml", COMPOSE),
    ("compose.yml", COMPOSE),
    ("docker-compose.yaml", COMPOSE),
    ("docker-compose.yml", COMPOSE),
    ("docker-bake.hcl", BAKE),
    ("docker-bake.json", BAKE),
    ("docker-bake.override.hcl", BAKE),
];
const COMPOSE: &str =
    "its services: `docker compose config --format json > compose.json; repro init --from-compose compose.json`";
const BAKE: &str = "its targets: `docker buildx bake --print > bake.json; repro init --from-bake bake.json`";

/// What was found in a project.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// Dockerfiles, those that become images: names of images, and paths below the project's directory.
    pub images: Vec<(String, PathBuf)>,
    /// Dockerfiles further down, where there are some further up.
    pub further: Vec<PathBuf>,
    /// Files that say how others build it, and what to do with them.
    pub recipes: Vec<(&'static str, &'static str)>,
}

/// Looks for Dockerfiles in `directory`, and where it has none in the directories below.
pub fn find(directory: &Path) -> Found {
    let mut dockerfiles: Vec<PathBuf> = Vec::new();
    let mut looked = 0;
    let mut level = vec![PathBuf::new()];
    for _ in 0..=DEPTH {
        let mut next = Vec::new();
        for below in level {
            for entry in fs::read_dir(directory.join(&below)).into_iter().flatten().flatten() {
                looked += 1;
                let (name, kind) = (entry.file_name(), entry.file_type());
                let (Some(name), Ok(kind)) = (name.to_str(), kind) else { continue };
                if looked > ENTRIES || name.starts_with('.') {
                    continue;
                }
                if kind.is_dir() && !OF_OTHERS.contains(&name) {
                    next.push(below.join(name));
                } else if kind.is_file() && is_dockerfile(name) {
                    dockerfiles.push(below.join(name));
                }
            }
        }
        level = next;
    }
    let depth = |path: &Path| path.components().count();
    dockerfiles.sort_by_key(|path| (depth(path), !is_plain(path), path.clone()));
    let is_here = dockerfiles.first().is_some_and(|first| depth(first) == 1);
    let (images, further): (Vec<_>, Vec<_>) = dockerfiles.into_iter().partition(|path| !is_here || depth(path) == 1);
    let is_there = |name: &str| directory.join(name).is_file();
    Found {
        images: named(directory, images.into_iter().take(MOST).collect()),
        further,
        recipes: RECIPES.into_iter().filter(|(name, _)| is_there(name)).collect(),
    }
}

/// `Dockerfile` or `Containerfile`, alone or with a word before or after a dot.
fn is_dockerfile(name: &str) -> bool {
    let parts: Vec<&str> = name.split('.').collect();
    let is_word = |part: &str| matches!(part, "Dockerfile" | "Containerfile" | "dockerfile");
    let is_ending = |part: &&str| NO_DOCKERFILE.contains(part);
    !name.ends_with('~')
        && parts.last().is_some_and(|last| !is_ending(last))
        && (parts.first().is_some_and(|first| is_word(first)) || parts.last().is_some_and(|last| is_word(last)))
}

fn is_plain(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name == "Dockerfile")
}

/// A name of its own for each: the project's for its only or first Dockerfile here, else what tells it from the others.
fn named(directory: &Path, paths: Vec<PathBuf>) -> Vec<(String, PathBuf)> {
    let mut taken = BTreeSet::new();
    let is_only = paths.len() == 1;
    let mut images = Vec::new();
    for path in paths {
        let file = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let words: Vec<&str> =
            file.split('.').filter(|part| !matches!(*part, "Dockerfile" | "Containerfile" | "dockerfile")).collect();
        let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
        let place = parent.map(|parent| parent.to_string_lossy().replace('/', "-"));
        let said = [place.unwrap_or_default(), words.join("-")].join("-");
        let said = said.trim_matches('-');
        let name = match said {
            _ if is_only => manifest::name_from(directory),
            "" => manifest::name_from(directory),
            said => manifest::name_from(Path::new(said)),
        };
        let mut own = name.clone();
        let mut number = 1;
        while !taken.insert(own.clone()) {
            number += 1;
            own = format!("{name}-{number}");
        }
        images.push((own, path));
    }
    images
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(files: &[&str]) -> (Vec<(String, String)>, usize, usize) {
        let directory = tempfile::tempdir().unwrap();
        let project = directory.path().join("shop");
        for file in files {
            let path = project.join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "FROM scratch\n").unwrap();
        }
        let found = find(&project);
        let images = found.images.iter().map(|(name, path)| (name.clone(), path.to_string_lossy().into_owned()));
        (images.collect(), found.further.len(), found.recipes.len())
    }

    fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(name, path)| ((*name).to_owned(), (*path).to_owned())).collect()
    }

    #[test]
    fn every_dockerfile_that_lies_highest_gives_an_image_with_a_name_of_its_own() {
        for (files, want, further) in [
            (&["Dockerfile"][..], &[("shop", "Dockerfile")][..], 0),
            (&["Containerfile"], &[("shop", "Containerfile")], 0),
            (
                &["Dockerfile", "Dockerfile.dev", "worker.Dockerfile", "Dockerfile.dockerignore", "Dockerfile.j2"],
                &[("shop", "Dockerfile"), ("dev", "Dockerfile.dev"), ("worker", "worker.Dockerfile")],
                0,
            ),
            (&["Dockerfile", "tests/Dockerfile"], &[("shop", "Dockerfile")], 1),
            (
                &["web/Dockerfile", "api/Dockerfile", "node_modules/x/Dockerfile", ".git/Dockerfile"],
                &[("api", "api/Dockerfile"), ("web", "web/Dockerfile")],
                0,
            ),
            (&["docker/Dockerfile"], &[("shop", "docker/Dockerfile")], 0),
            (&["dev.Dockerfile", "Dockerfile.dev"], &[("dev", "Dockerfile.dev"), ("dev-2", "dev.Dockerfile")], 0),
            (&["a/b/c/d/Dockerfile", "README.md", "Dockerfile~"], &[], 0),
        ] {
            assert_eq!(found(files), (pairs(want), further, 0), "{files:?}");
        }
    }

    #[test]
    fn files_that_say_how_others_build_it_are_pointed_at() {
        assert_eq!(found(&["compose.yaml", "docker-bake.hcl", "web/Dockerfile"]).2, 2);
    }
}
