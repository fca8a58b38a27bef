//! The part that sets the name spaces up, waits, and cleans the tree.

use std::fs;
use std::io;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};

use nix::sched::{CloneFlags, unshare};
use rustix::fs::{AtFlags, CWD, Gid, Mode, Uid, chownat};
use rustix::mount::{MountFlags, MountPropagationFlags, mount, mount_change};

use super::description::{BROKEN, Confined, Failure, Layers, Part, Source, Writable, mount_of, root_of};
use super::keeper::status_of;
use super::stubs::Stubs;
use super::{loopback, overlay};

/// What the image's files are hidden by without a mount of the step's own.
const OWN_TARGETS: [&[u8]; 2] = [b"/etc/resolv.conf", b"/etc/hosts"];

/// Sets up, runs, cleans; ends as the step did.
pub(super) fn run(directory: &Path) -> ExitCode {
    let Ok(failure) = Failure::open(directory) else { return ExitCode::from(BROKEN) };
    match confine(directory) {
        Ok(status) => ExitCode::from(status),
        Err(error) => {
            failure.tell(&error.to_string());
            ExitCode::from(BROKEN)
        }
    }
}

fn confine(directory: &Path) -> io::Result<u8> {
    let step = Confined::read(directory)?;
    leave_the_machine().map_err(named("name spaces"))?;
    let root = root_of(directory);
    fs::create_dir(&root)?;
    overlay::mount(&step.root, &root).map_err(named("the overlay"))?;
    rustix::process::umask(Mode::empty());
    for (number, mounted) in step.mounts.iter().enumerate() {
        prepare(&mounted.source, &mount_of(directory, number)).map_err(named("what a step mounts"))?;
    }
    let targets = step.mounts.iter().map(|mounted| mounted.target.as_slice());
    let stubs = Stubs::missing(&root, OWN_TARGETS.into_iter().chain(targets))?;
    let mut keeper = Command::new("/proc/self/exe")
        .args([Part::Keeper.argument().as_ref(), directory.as_os_str()])
        .env_clear()
        // Open for as long as this part lives.
        .stdin(Stdio::piped())
        .spawn()?;
    let held = keeper.stdin.take();
    let status = keeper.wait()?;
    drop(held);
    stubs.remove(&root).map_err(named("mount points"))?;
    Ok(status_of(status))
}

/// Into name spaces of its own, with nothing shared back; the next process starts another process name space.
fn leave_the_machine() -> io::Result<()> {
    unshare(
        CloneFlags::CLONE_NEWNS
            | CloneFlags::CLONE_NEWIPC
            | CloneFlags::CLONE_NEWUTS
            | CloneFlags::CLONE_NEWNET
            | CloneFlags::CLONE_NEWPID,
    )?;
    mount_change("/", MountPropagationFlags::PRIVATE | MountPropagationFlags::REC)?;
    loopback::bring_up()
}

/// Makes a mount's source ready at a path that only these name spaces have.
fn prepare(source: &Source, at: &Path) -> io::Result<()> {
    match source {
        Source::Path(_) | Source::Memory(_) => Ok(()),
        Source::Layers { layers, .. } => {
            fs::create_dir(at)?;
            overlay::mount(layers, at)
        }
        Source::Secret { file, mode, uid, gid } => {
            fs::create_dir(at)?;
            mount("tmpfs", at, "tmpfs", MountFlags::NOSUID | MountFlags::NODEV | MountFlags::NOEXEC, c"mode=700")?;
            let copy = at.join("secret");
            fs::copy(file, &copy)?;
            chownat(CWD, &copy, Some(Uid::from_raw(*uid)), Some(Gid::from_raw(*gid)), AtFlags::SYMLINK_NOFOLLOW)?;
            Ok(rustix::fs::chmod(&copy, Mode::from_raw_mode(*mode))?)
        }
    }
}

/// Tries out what a sandbox needs, in an empty directory.
pub(super) fn probe(directory: &Path) -> ExitCode {
    let Ok(failure) = Failure::open(directory) else { return ExitCode::from(BROKEN) };
    let tried = || -> io::Result<()> {
        leave_the_machine().map_err(named("name spaces"))?;
        let at = |name: &str| directory.join(name);
        for name in ["lower", "upper", "work", "merged"] {
            fs::create_dir(at(name))?;
        }
        let writable = Writable { upper: at("upper"), work: at("work") };
        let layers = Layers { lower: vec![at("lower")], upper: Some(writable) };
        overlay::mount(&layers, &at("merged")).map_err(named("an overlay"))
    };
    match tried() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            failure.tell(&error.to_string());
            ExitCode::from(BROKEN)
        }
    }
}

/// An error that says what was being made.
fn named<E: std::fmt::Display>(what: &str) -> impl FnOnce(E) -> io::Error {
    move |error| io::Error::other(format!("{what}: {error}"))
}
