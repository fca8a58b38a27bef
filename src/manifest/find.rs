//! Where the manifest is.

use std::io;
use std::path::{Path, PathBuf};

/// The manifest's file name.
pub const FILE_NAME: &str = "repro.toml";

/// A manifest that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The file, absolute, its directory free of links.
    pub file: PathBuf,
    /// The repository's root: the nearest directory upward with `.git`; outside git the file's own directory.
    pub root: PathBuf,
}

/// The root of the repository that an absolute directory, free of links, is in; outside git the directory itself.
pub fn root(directory: &Path) -> PathBuf {
    repository(directory).unwrap_or(directory).to_owned()
}

fn repository(start: &Path) -> Option<&Path> {
    start.ancestors().find(|directory| directory.join(".git").exists())
}

/// The nearest `repro.toml` from `start` upward, up to the repository's root.
///
/// A link that leads out of the repository is an error: nobody else's file is read, or shown in messages.
/// Outside a git work tree only `start` itself is looked at: nobody else's file higher up is taken for ours.
pub fn find(start: &Path) -> io::Result<Option<Found>> {
    let start = start.canonicalize()?;
    let root = repository(&start);
    let highest = root.unwrap_or(&start);
    for directory in start.ancestors() {
        let file = directory.join(FILE_NAME);
        if file.try_exists()? {
            if !file.canonicalize()?.starts_with(highest) {
                let problem = format!("`{}` leads out of the repository", crate::escape::text(&file.to_string_lossy()));
                return Err(io::Error::new(io::ErrorKind::InvalidInput, problem));
            }
            return Ok(Some(Found { file, root: root.unwrap_or(directory).to_owned() }));
        }
        if directory == highest {
            break;
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_manifest_of_the_repository_is_found() {
        let temporary = tempfile::tempdir().unwrap();
        let top = temporary.path().canonicalize().unwrap();
        std::fs::create_dir_all(top.join("repository/.git")).unwrap();
        std::fs::create_dir_all(top.join("repository/a/b")).unwrap();
        std::fs::write(top.join(FILE_NAME), "").unwrap();
        let repository = top.join("repository");
        assert_eq!(find(&repository.join("a/b")).unwrap(), None, "a manifest above the repository is not ours");
        for directory in [repository.clone(), repository.join("a")] {
            std::fs::write(directory.join(FILE_NAME), "").unwrap();
            let found = find(&repository.join("a/b")).unwrap().unwrap();
            assert_eq!(found, Found { file: directory.join(FILE_NAME), root: repository.clone() });
        }
        std::fs::remove_file(repository.join("a").join(FILE_NAME)).unwrap();
        std::os::unix::fs::symlink("../../repro.toml", repository.join("a").join(FILE_NAME)).unwrap();
        assert!(find(&repository.join("a")).unwrap_err().to_string().ends_with("leads out of the repository"));
        assert_eq!(find(&top).unwrap().unwrap().root, top, "outside git the manifest's folder is the root");
    }
}
