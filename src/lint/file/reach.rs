//! What of a stage reaches the image.

use super::File;
use super::stage::Stage;
use crate::lint::wildcard::matches;

/// Marks the stages that ship, and what is copied from the others.
pub(super) fn mark(file: &mut File<'_>) {
    let wanted = file.surroundings.target.to_lowercase();
    let by_name = file.stages.iter().rposition(|stage| stage.name.as_deref() == Some(&wanted));
    let by_number = || wanted.parse().ok().filter(|index| *index < file.stages.len());
    let Some(target) = by_name.or_else(by_number).or(file.stages.len().checked_sub(1)) else { return };
    for index in file.ancestry(target) {
        file.stages[index].ships = true;
    }
    let mut copied = Vec::new();
    for (placed, transfer, from) in file.transfers().filter(|(placed, ..)| placed.stage.ships) {
        let Some(source) = file.stage_named(from, placed.stage.index).filter(|_| !from.is_empty()) else { continue };
        for word in &transfer.sources {
            let path = file.expand(placed.stage.index, placed.position, word);
            copied.push((source, if path.is_dynamic { "/".to_owned() } else { absolute(&path.text, None) }));
        }
    }
    for (source, path) in copied {
        file.stages[source].copied.push(path);
    }
}

/// A path made absolute and plain.
pub(super) fn absolute(path: &str, directory: Option<&str>) -> String {
    let joined = match (path.starts_with('/'), directory) {
        (false, Some(directory)) => format!("{directory}/{path}"),
        _ => path.to_owned(),
    };
    let mut parts: Vec<&str> = Vec::new();
    for part in joined.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    format!("/{}", parts.join("/"))
}

impl File<'_> {
    /// Whether a file at an absolute path of a stage, or one below it, gets into any other stage or into the image.
    pub fn takes(&self, stage: usize, path: &str) -> bool {
        let heirs: Vec<usize> = (0..self.stages.len()).filter(|heir| self.ancestry(*heir).contains(&stage)).collect();
        let is_heir = |from: &str, before: usize| {
            !from.is_empty() && self.stage_named(from, before).is_some_and(|named| heirs.contains(&named))
        };
        let is_copied = self.transfers().filter(|(placed, _, from)| is_heir(from, placed.stage.index)).any(
            |(placed, transfer, _)| {
                transfer.sources.iter().any(|word| {
                    let source = self.expand(placed.stage.index, placed.position, word);
                    let copied = absolute(&source.text, None);
                    source.is_dynamic || covers(&copied, path) || covers(path, &copied)
                })
            },
        );
        let is_mounted = || self.runs.iter().any(|run| run.mounts.iter().any(|mount| is_heir(&mount.from, run.stage)));
        heirs.iter().any(|heir| self.stages[*heir].ships) || is_copied || is_mounted()
    }
}

impl Stage<'_> {
    /// Whether a file at an absolute path reaches the image as a RUN leaves it.
    pub fn ships_path(&self, path: &str) -> bool {
        let is_scrubbed = || self.scrub.iter().any(|rule| rule.matches(path.trim_start_matches('/').as_bytes()));
        (self.ships || self.copied.iter().any(|copied| covers(copied, path))) && !is_scrubbed()
    }

    /// Whether any of these does.
    pub fn ships_any(&self, paths: &[&str]) -> bool {
        paths.iter().any(|path| self.ships_path(path))
    }

    /// A path of a command in this stage, made absolute; none where the directory is not known.
    pub fn absolute(&self, path: &str, directory: Option<&str>) -> Option<String> {
        let directory = directory.or(self.workdir.as_deref());
        (path.starts_with('/') || directory.is_some()).then(|| absolute(path, directory))
    }

    /// Whether a file written by a command reaches the image; what is not known does where the stage ships.
    pub fn ships_written(&self, path: &str, directory: Option<&str>) -> bool {
        self.absolute(path, directory).map_or(self.ships, |path| self.ships_path(&path))
    }
}

/// Whether a copied path, which may hold wildcards, takes a file along.
fn covers(copied: &str, path: &str) -> bool {
    let mut wanted = path.split('/').filter(|part| !part.is_empty());
    copied.split('/').filter(|part| !part.is_empty()).all(|part| wanted.next().is_some_and(|next| matches(part, next)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copied_path_takes_along_what_lies_below_it() {
        for (copied, path, want) in [
            ("/", "/var/log", true),
            ("/var", "/var/log/apt", true),
            ("/var/log/x", "/var/log", false),
            ("/opt/*.gz", "/opt/a.gz", true),
            ("/opt/*.gz", "/opt/a.tar", false),
            ("/out/", "/output", false),
        ] {
            assert_eq!(covers(&absolute(copied, None), path), want, "{copied} {path}");
        }
        assert_eq!(absolute("a/../b", Some("/x")), "/x/b");
    }
}
