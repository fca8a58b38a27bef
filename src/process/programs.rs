//! Finding programs in a search path that is given as a value.

use std::ffi::OsStr;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

/// The directories in which programs are looked for: the absolute entries of a `PATH`, in its order.
#[derive(Clone, Debug, Default)]
pub struct Programs {
    directories: Vec<PathBuf>,
}

impl Programs {
    /// The absolute entries of `path`; relative and empty ones, which would mean the checkout, are left out.
    pub fn from_path(path: &OsStr) -> Self {
        Self { directories: std::env::split_paths(path).filter(|directory| directory.is_absolute()).collect() }
    }

    /// The path of the first executable file called `name`.
    pub fn find(&self, name: &str) -> Option<PathBuf> {
        let is_program = |path: &PathBuf| {
            path.metadata().is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0)
        };
        self.directories.iter().map(|directory| directory.join(name)).find(is_program)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn only_executables_in_absolute_directories_are_found() {
        let directory = tempfile::tempdir().unwrap();
        let tool = directory.path().join("tool");
        fs::write(&tool, "").unwrap();
        let path = format!(".::bin:{}", directory.path().display());
        let programs = Programs::from_path(OsStr::new(&path));
        assert_eq!(programs.find("tool"), None);
        fs::set_permissions(&tool, fs::Permissions::from_mode(0o755)).unwrap();
        assert_eq!(programs.find("tool"), Some(tool));
        assert_eq!(programs.find("other"), None);
        assert_eq!(Programs::from_path(OsStr::new(".:src:")).find("lib.rs"), None);
    }
}
