//! A user without rights: files that can't be read, directories that can't be written.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

use super::locked;
use crate::project::{Outcome, Project, outcome};

const NOBODY: u32 = 65534;

/// The binary where an unprivileged user can run it, run on a project that belongs to that user.
struct Nobody<'a> {
    project: &'a Project,
    directory: TempDir,
}

impl<'a> Nobody<'a> {
    fn new(project: &'a Project) -> Self {
        let directory = tempfile::tempdir().unwrap();
        fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o755)).unwrap();
        // By another process: what this one has open for writing, other tests' children have, too, and it can't be run.
        let copied = Command::new("cp").arg(env!("CARGO_BIN_EXE_repro")).arg(directory.path().join("repro")).status();
        assert!(copied.unwrap().success());
        let nobody = Self { project, directory };
        nobody.give(project.path());
        nobody.give(project.home());
        nobody
    }

    /// Tests that run without root already have no rights.
    fn is_root(&self) -> bool {
        fs::metadata(self.directory.path()).unwrap().uid() == 0
    }

    fn give(&self, path: &Path) {
        if !self.is_root() {
            return;
        }
        let mut paths = vec![path.to_owned()];
        while let Some(path) = paths.pop() {
            chown(&path, Some(NOBODY), Some(NOBODY)).unwrap();
            if fs::symlink_metadata(&path).unwrap().is_dir() {
                paths.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
            }
        }
    }

    fn repro(&self, arguments: &[&str], more: &[(&str, PathBuf)]) -> Outcome {
        let mut command = Command::new(self.directory.path().join("repro"));
        command.args(arguments).current_dir(self.project.path()).env_clear().stdin(Stdio::null());
        command.env("PATH", std::env::var_os("PATH").unwrap()).env("HOME", self.project.home());
        command.envs(more.iter().map(|(name, value)| (name, value)));
        if self.is_root() {
            command.uid(NOBODY).gid(NOBODY);
        }
        outcome(&mut command)
    }
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn a_file_of_the_context_that_cannot_be_read_is_named() {
    let project = locked("FROM scratch\nCOPY . /\n", &[("secret/key", "k"), ("other", "o")]);
    let nobody = Nobody::new(&project);
    for path in ["secret/key", "secret"] {
        let mode = fs::metadata(project.path().join(path)).unwrap().mode();
        set_mode(&project.path().join(path), 0o000);
        for command in ["build", "verify"] {
            nobody.repro(&[command], &[]).expect(2).says(&format!("can't read {path}")).says("Permission denied");
        }
        set_mode(&project.path().join(path), mode);
    }
    nobody.repro(&["build"], &[]).expect(0);
    set_mode(&project.path().join("Dockerfile"), 0o000);
    nobody.repro(&["build"], &[]).expect(2).says("Dockerfile").says("Permission denied");
}

#[test]
fn a_project_that_cannot_be_written_can_be_built_and_stays_as_it_is() {
    let project = locked("FROM scratch\nCOPY f /\n", &[("f", "f")]);
    let nobody = Nobody::new(&project);
    let before = project.read("repro.lock");
    set_mode(project.path(), 0o555);
    nobody.repro(&["build"], &[]).expect(0);
    let lockfile = "repro.lock`: Permission denied (os error 13)\n";
    nobody.repro(&["build", "--record"], &[]).expect(2).says(lockfile);
    nobody.repro(&["build", "-o", "app.tar"], &[]).expect(2).says("app.tar`: Permission denied (os error 13)\n");
    nobody.repro(&["build", "-o", "app/"], &[]).expect(2).says("app/`: Permission denied");
    set_mode(project.path(), 0o755);
    assert_eq!(project.read("repro.lock"), before);
    fs::remove_file(project.path().join("repro.lock")).unwrap();
    set_mode(project.path(), 0o555);
    nobody.repro(&["lock"], &[]).expect(2).says(lockfile);
    set_mode(project.path(), 0o755);
    let left = fs::read_dir(project.path()).unwrap().count();
    assert_eq!(left, 4, ".git, Dockerfile, f and repro.toml");
}

#[test]
fn a_cache_that_cannot_be_written_is_named_with_the_variable_that_moves_it_where_it_is_needed() {
    let mut archive = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_ustar();
    header.set_size(1);
    archive.append_data(&mut header, "member", &b"m"[..]).unwrap();
    let archive = String::from_utf8(archive.into_inner().unwrap()).unwrap();
    let dockerfile = "FROM scratch AS plain\nCOPY f /\nFROM scratch\nADD f.tar /\n";
    let project = locked(dockerfile, &[("f", &"f".repeat(300_000)), ("f.tar", &archive)]);
    project.write("repro.toml", "version = 1\n[image.app]\n[image.plain]\ntarget = \"plain\"\n").commit();
    project.repro(&["lock"]).expect(0);
    let nobody = Nobody::new(&project);
    let cache = project.home().join("read-only");
    fs::create_dir(&cache).unwrap();
    set_mode(&cache, 0o555);
    for directory in [cache.clone(), cache.join("below"), PathBuf::from("/proc/nowhere")] {
        let outcome = nobody.repro(&["build", "app"], &[("REPRO_CACHE", directory.clone())]);
        outcome.expect(2).says(directory.to_str().unwrap()).says("hint: `REPRO_CACHE=DIR`");
        nobody.repro(&["build", "plain"], &[("REPRO_CACHE", directory.clone())]).expect(0);
        // The packed layer is too large for memory.
        let outcome = nobody.repro(&["build", "plain", "-o", "app.tar"], &[("REPRO_CACHE", directory.clone())]);
        outcome.expect(2).says(directory.to_str().unwrap()).says("hint: `REPRO_CACHE=DIR`");
        assert!(!project.path().join("app.tar").exists());
        nobody.repro(&["sources"], &[("REPRO_CACHE", directory.clone())]).expect(0);
        nobody.repro(&["lock", "--check"], &[("REPRO_CACHE", directory)]).expect(0);
    }
}
