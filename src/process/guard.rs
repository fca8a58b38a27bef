//! Children end when this process does, however it ends.
//!
//! No code of ours runs when a process is killed, so the system has to see to it. Linux sends a process a signal when
//! its parent is gone, if the process itself has asked for that, and remembers the wish across `exec`. So a child starts
//! as this very program under another name, asks, and then becomes the program that was meant ([`become_child`]).
//!
//! "Parent" means the thread that started the child; one thread that lives as long as the process starts them all.

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, ExitCode};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Sender};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::thread;

/// The name under which this program starts children.
const NAME: &str = "repro-child";

/// This program, even if its file was replaced meanwhile.
const OURSELVES: &str = "/proc/self/exe";

/// What a shell gives for a program that can't be started.
const NOT_STARTED: u8 = 127;

/// How a child is told that its parent is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Farewell {
    /// It is killed: nobody reads what it writes.
    Kill,
    /// It is asked to end, for it has children of its own to end.
    Ask,
}

/// Whether `main` gave children a way to become one.
static IS_GUARDED: AtomicBool = AtomicBool::new(false);

/// For the start of `main`: becomes the program that these arguments ask for, if they are those of a child.
///
/// Gives a status if that failed, and none to the program proper, whose children are guarded from then on.
pub fn become_child(mut arguments: impl Iterator<Item = OsString>) -> Option<ExitCode> {
    if arguments.next().as_deref() != Some(OsStr::new(NAME)) {
        IS_GUARDED.store(cfg!(target_os = "linux") && Path::new(OURSELVES).exists(), Ordering::Relaxed);
        return None;
    }
    let mut word = || arguments.next().unwrap_or_default();
    let (parent, farewell, program) = (word(), word(), word());
    if !follow_parent(&parent, &farewell) {
        return Some(ExitCode::from(NOT_STARTED));
    }
    let error = Command::new(&program).args(arguments).exec();
    #[expect(clippy::disallowed_methods, reason = "whoever started the child reads this as what the program wrote")]
    let _ = io::Write::write_all(&mut io::stderr(), format!("can't be started: {error}\n").as_bytes());
    Some(ExitCode::from(NOT_STARTED))
}

/// Asks for the signal; false if the parent is gone already.
#[cfg(target_os = "linux")]
fn follow_parent(parent: &OsStr, farewell: &OsStr) -> bool {
    use rustix::process::{Signal, getppid, set_parent_process_death_signal};
    let signal = if farewell == Farewell::Ask.word() { Signal::TERM } else { Signal::KILL };
    let asked = set_parent_process_death_signal(Some(signal)).is_ok();
    let found = getppid().map(|parent| parent.as_raw_nonzero().to_string());
    asked && found.is_some_and(|found| parent == found.as_str())
}

#[cfg(not(target_os = "linux"))]
fn follow_parent(_parent: &OsStr, _farewell: &OsStr) -> bool {
    true
}

impl Farewell {
    fn word(self) -> &'static str {
        match self {
            Self::Kill => "kill",
            Self::Ask => "ask",
        }
    }
}

/// A command that starts `program`, guarded where that can be.
pub(super) fn command(program: &Path, farewell: Farewell) -> Command {
    if !IS_GUARDED.load(Ordering::Relaxed) {
        return Command::new(program);
    }
    let mut command = Command::new(OURSELVES);
    command.arg0(NAME).arg(std::process::id().to_string()).arg(farewell.word()).arg(program);
    command
}

type Order = (Command, Sender<io::Result<Child>>);

/// Starts a child on the thread that lives as long as the process.
pub(super) fn spawn(command: Command) -> io::Result<Child> {
    static STARTER: OnceLock<Mutex<Sender<Order>>> = OnceLock::new();
    let starter = STARTER.get_or_init(|| {
        let (sender, orders) = mpsc::channel::<Order>();
        thread::spawn(move || {
            for (mut command, response) in orders {
                // Whoever asked waits for it.
                let _ = response.send(command.spawn());
            }
        });
        Mutex::new(sender)
    });
    let (sender, response) = mpsc::channel();
    let gone = |_| io::Error::from(io::ErrorKind::BrokenPipe);
    starter.lock().unwrap_or_else(PoisonError::into_inner).send((command, sender)).map_err(|_| gone(()))?;
    response.recv().map_err(|_| gone(()))?
}
