//! Where an image is, as it is typed: one reading for all commands.

use std::fmt;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use crate::escape;
use crate::reference::{InvalidReference, Reference};
use crate::status::{ExitStatus, Status};

/// The prefix of references that are sure to be asked for in a registry.
const REGISTRY: &str = "docker://";
/// Prefixes of images that an engine of this machine holds, and its program.
const ENGINES: &[(&str, &str)] = &[("docker-daemon:", "docker"), ("podman:", "podman")];

/// Where an image is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// A stream on stdin.
    Stdin,
    /// An archive, the directory of a layout, or a pipe with a name; as it was typed.
    Path(PathBuf),
    /// An image of a registry.
    Registry(Reference),
    /// What this program saves under a name.
    Engine(&'static str, String),
}

/// What a word without a prefix stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bare {
    /// A file, as where a command reads files first of all.
    Path,
    /// A reference, as where what is published is asked for: no file may stand in for it.
    Reference,
}

/// What was typed names no place, or two.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidPlace {
    /// It should be a reference.
    #[error("`{}` is no reference: {error}", escape::text(text))]
    Reference {
        /// What should be one.
        text: String,
        /// Why it is none.
        error: InvalidReference,
        /// Whether there is a file of this name.
        is_file: bool,
    },
    /// It is a reference and a file.
    #[error("`{}` is a reference, and there is a file of this name", escape::text(.0))]
    Ambiguous(String),
}

impl ExitStatus for InvalidPlace {
    fn status(&self) -> Status {
        Status::Usage
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Reference { is_file: false, .. } => None,
            Self::Reference { text, .. } => Some(format!("`./{}` means the file", escape::text(text))),
            Self::Ambiguous(text) => {
                let text = escape::text(text);
                Some(format!("`{REGISTRY}{text}` asks the registry, `./{text}` means the file"))
            }
        }
    }
}

impl Place {
    /// What `text` means for somebody who stands in `directory`.
    ///
    /// `-` is stdin, `docker://REF` a registry, `docker-daemon:NAME` and `podman:NAME` an engine, and what begins with
    /// `.` or `/`, as no reference does, a path. `bare` says what everything else is. A lone `NAME.tar` that is there is
    /// a file in both cases: as a reference it would be an official image of Docker Hub, which nobody else publishes.
    pub fn parse(text: &Path, bare: Bare, directory: &Path) -> Result<Self, InvalidPlace> {
        if text == Path::new("-") {
            return Ok(Self::Stdin);
        }
        let path = || Ok(Self::Path(text.to_owned()));
        let Some(typed) = text.to_str() else { return path() };
        if let Some(reference) = typed.strip_prefix(REGISTRY) {
            return Self::reference(reference, false);
        }
        for (prefix, program) in ENGINES {
            if let Some(name) = typed.strip_prefix(prefix) {
                return Ok(Self::Engine(program, name.to_owned()));
            }
        }
        if bare == Bare::Path || typed.starts_with(['.', '/']) {
            return path();
        }
        let is_file = fs::symlink_metadata(directory.join(text)).is_ok();
        if is_file && typed.ends_with(".tar") && !typed.contains(['/', ':', '@']) {
            return path();
        }
        match Self::reference(typed, is_file) {
            Ok(_) if is_file => Err(InvalidPlace::Ambiguous(typed.to_owned())),
            other => other,
        }
    }

    fn reference(text: &str, is_file: bool) -> Result<Self, InvalidPlace> {
        let reference = text.parse();
        reference.map(Self::Registry).map_err(|error| InvalidPlace::Reference { text: text.to_owned(), error, is_file })
    }

    /// Whether a registry is to be asked.
    pub fn is_registry(&self) -> bool {
        matches!(self, Self::Registry(_))
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stdin => f.write_str("stdin"),
            Self::Path(path) => f.write_str(&escape::name(path.as_os_str().as_bytes())),
            Self::Registry(reference) => write!(f, "{REGISTRY}{reference}"),
            Self::Engine(program, name) => write!(f, "`{program} save {}`", escape::text(name)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_means_one_place() {
        let directory = tempfile::tempdir().unwrap();
        let here = directory.path();
        let file = |name: &str| {
            let path = here.join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        };
        for name in ["registry.example/app:1.2.3", "docker:/registry.example/app:1.2.3", "app", "app.tar", "App.tar"] {
            file(name);
        }
        for name in ["dist/app.tar", "registry.example/App:1", "docker-daemon:app", "app.tar:1"] {
            file(name);
        }
        let path = |name: &str| Some(Place::Path(name.into()));
        let registry = |name: &str| Some(Place::Registry(name.parse().unwrap()));
        let engine = |program, name: &str| Some(Place::Engine(program, name.to_owned()));
        for (text, as_path, as_reference) in [
            ("-", Some(Place::Stdin), Some(Place::Stdin)),
            ("./app", path("./app"), path("./app")),
            ("../app.tar", path("../app.tar"), path("../app.tar")),
            (".git/app.tar", path(".git/app.tar"), path(".git/app.tar")),
            ("/app", Some(Place::Path("/app".into())), Some(Place::Path("/app".into()))),
            (
                "docker://registry.example/app:1.2.3",
                registry("registry.example/app:1.2.3"),
                registry("registry.example/app:1.2.3"),
            ),
            ("docker://app", registry("app"), registry("app")),
            ("docker-daemon:app", engine("docker", "app"), engine("docker", "app")),
            ("podman:app:1", engine("podman", "app:1"), engine("podman", "app:1")),
            ("app.tar", path("app.tar"), path("app.tar")),
            ("absent.tar", path("absent.tar"), registry("absent.tar")),
            ("registry.example/other:1", path("registry.example/other:1"), registry("registry.example/other:1")),
            // Both a file and a reference, or a file whose name is nearly one.
            ("registry.example/app:1.2.3", path("registry.example/app:1.2.3"), None),
            ("registry.example/App:1", path("registry.example/App:1"), None),
            ("app", path("app"), None),
            ("dist/app.tar", path("dist/app.tar"), None),
            ("app.tar:1", path("app.tar:1"), None),
            ("docker:/registry.example/app:1.2.3", path("docker:/registry.example/app:1.2.3"), None),
            ("docker://No", None, None),
        ] {
            let parse = |bare| Place::parse(Path::new(text), bare, here).ok();
            assert_eq!(parse(Bare::Path), as_path, "{text}");
            assert_eq!(parse(Bare::Reference), as_reference, "{text}");
        }
    }

    #[test]
    fn what_could_be_read_both_ways_is_told_with_both_spellings() {
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join("app"), "").unwrap();
        fs::write(directory.path().join("App"), "").unwrap();
        let hint = |text: &str| {
            let error = Place::parse(Path::new(text), Bare::Reference, directory.path()).unwrap_err();
            assert_eq!(error.status(), Status::Usage);
            error.hint()
        };
        assert_eq!(hint("app").as_deref(), Some("`docker://app` asks the registry, `./app` means the file"));
        assert_eq!(hint("App").as_deref(), Some("`./App` means the file"));
        assert_eq!(hint("Absent"), None);
    }
}
