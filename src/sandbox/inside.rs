//! The part that becomes the step: the first process of its process name space.

use std::ffi::{CString, OsStr};
use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use rustix::fs::{Access, AtFlags, CWD, Mode, accessat};
use rustix::mount::{UnmountFlags, unmount};
use rustix::process::{chdir, pivot_root, setsid, umask};

use super::description::{BROKEN, Confined, Failure, root_of};
use super::stop::Stop;
use super::{filter, identity, surface};

/// What a runtime ends with that can't start what it is asked to.
const REFUSED: u8 = 1;

/// Becomes the step, or says why not.
pub(super) fn run(directory: &Path) -> ExitCode {
    close_inherited();
    let Ok(failure) = Failure::open(directory) else { return ExitCode::from(BROKEN) };
    match become_step(directory) {
        Stop::Step(message) => {
            // It belongs to the step's log; without a reader the status says as much.
            let _ = rustix::io::write(rustix::stdio::stderr(), format!("{message}\n").as_bytes());
            ExitCode::from(REFUSED)
        }
        Stop::Machine(message) => {
            failure.tell(&message);
            ExitCode::from(BROKEN)
        }
    }
}

/// Closes what this program was started with beside its three streams.
fn close_inherited() {
    let Ok(entries) = fs::read_dir("/proc/self/fd") else { return };
    let numbers = entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
    for number in numbers.filter(|number| *number > 2).collect::<Vec<_>>() {
        // The listing's own is closed already.
        let _ = nix::unistd::close(number);
    }
}

fn become_step(directory: &Path) -> Stop {
    let step = match Confined::read(directory) {
        Ok(step) => step,
        Err(error) => return Stop::machine("the step")(error),
    };
    match enter(directory, &step).and_then(|()| start(&step)) {
        Ok(never) => match never {},
        Err(stop) => stop,
    }
}

/// Into the tree, with everything mounted.
fn enter(directory: &Path, step: &Confined) -> Result<(), Stop> {
    umask(Mode::empty());
    surface::mount_all(directory, step)?;
    let pivot = || -> rustix::io::Result<()> {
        chdir(root_of(directory))?;
        pivot_root(".", ".")?;
        unmount(".", UnmountFlags::DETACH)?;
        chdir("/")?;
        rustix::system::sethostname(step.host_name.as_bytes())?;
        setsid()?;
        Ok(())
    };
    pivot().map_err(Stop::machine("the file tree"))?;
    let working = Path::new(OsStr::from_bytes(&step.directory));
    let made = fs::DirBuilder::new().recursive(true).mode(0o755).create(working);
    made.and_then(|()| Ok(chdir(working)?)).map_err(Stop::step(&step.directory))
}

/// Gives up what the step may not have and becomes it.
fn start(step: &Confined) -> Result<std::convert::Infallible, Stop> {
    reset_signals().map_err(Stop::machine("signals"))?;
    umask(Mode::from_raw_mode(0o022));
    identity::assume(&step.identity).map_err(Stop::machine("the user"))?;
    let name = step.arguments.first().map(Vec::as_slice).unwrap_or_default();
    let program = find(name, &step.environment).map_err(Stop::step(name))?;
    let text = |bytes: &Vec<u8>| CString::new(bytes.as_slice());
    let texts = |all: &[Vec<u8>]| all.iter().map(text).collect::<Result<Vec<_>, _>>().map_err(Stop::step(name));
    let program = CString::new(program.as_os_str().as_bytes()).map_err(Stop::step(name))?;
    let (arguments, environment) = (texts(&step.arguments)?, texts(&step.environment)?);
    filter::install().map_err(Stop::machine("the filter of system calls"))?;
    nix::unistd::execve(&program, &arguments, &environment).map_err(Stop::step(name))
}

/// Lets the step start with every signal at its default: what has a handler gets it back when a program is started.
fn reset_signals() -> io::Result<()> {
    use signal_hook::consts::{SIGALRM, SIGCHLD, SIGHUP, SIGINT, SIGPIPE, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2};
    for signal in [SIGALRM, SIGCHLD, SIGHUP, SIGINT, SIGPIPE, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2] {
        signal_hook::flag::register(signal, Arc::new(AtomicBool::new(false)))?;
    }
    Ok(())
}

/// The file of a program: its own path, or the first of that name in the environment's `PATH` that can be run.
fn find(name: &[u8], environment: &[Vec<u8>]) -> io::Result<PathBuf> {
    let is_program = |path: &Path| {
        let there = fs::metadata(path)?;
        let runs = there.is_file() && there.permissions().mode() & 0o111 != 0;
        match runs && accessat(CWD, path, Access::EXEC_OK, AtFlags::EACCESS).is_ok() {
            true => Ok(path.to_owned()),
            false => Err(io::Error::from(io::ErrorKind::PermissionDenied)),
        }
    };
    if name.contains(&b'/') {
        return is_program(Path::new(OsStr::from_bytes(name)));
    }
    let path = environment.iter().find_map(|item| item.strip_prefix(b"PATH=")).unwrap_or_default();
    let directories = path.split(|byte| *byte == b':').filter(|directory| directory.starts_with(b"/"));
    let mut found = directories.filter_map(|directory| {
        let directory = Path::new(OsStr::from_bytes(directory));
        is_program(&directory.join(OsStr::from_bytes(name))).ok()
    });
    found.next().filter(|_| !name.is_empty()).ok_or_else(|| io::Error::other("executable file not found in $PATH"))
}
