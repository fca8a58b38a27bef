//! Runs one hostile program in a file tree of its own, with nothing of the machine but what is listed.
//!
//! The way of a step: [`Confined`] says what is run, over which directories, with which mounts. [`Confined::run`] writes it
//! into a private directory and starts this program again under a hidden first argument, three times, one inside the other:
//!
//! - `outside` leaves the machine's mount, network, host name and IPC name spaces, puts the overlay together, and when all
//!   is over takes away the mount points that were missing before (`stubs`);
//! - `keeper` is the first process of a process name space: whatever ends this program ends it, and with it all below;
//! - `inside` is the first process of another one: it mounts (`surface`), pivots into the tree, gives up all that the step
//!   may not have (`identity`, `filter`), and becomes the step.
//!
//! All mounts lie in a name space that ends with its last process: nothing has to be unmounted, however the run ends.
//! Every path of the tree is followed here, name by name, inside the tree (`place`), never by the kernel outside of it.

mod description;
#[cfg(target_os = "linux")]
mod filter;
#[cfg(target_os = "linux")]
mod identity;
#[cfg(target_os = "linux")]
mod inside;
#[cfg(target_os = "linux")]
mod keeper;
#[cfg(target_os = "linux")]
mod loopback;
#[cfg(target_os = "linux")]
mod outside;
#[cfg(target_os = "linux")]
mod overlay;
#[cfg(target_os = "linux")]
mod place;
mod start;
#[cfg(target_os = "linux")]
mod stop;
#[cfg(target_os = "linux")]
mod stubs;
#[cfg(target_os = "linux")]
mod surface;

use std::ffi::OsString;
use std::process::ExitCode;

pub use description::{Confined, Identity, Layers, Mounted, Source, Writable};
pub use start::{SandboxError, Watched, what_is_missing};

/// For the start of `main`: does the part of a sandbox that these arguments ask for; none to the program proper.
#[cfg(target_os = "linux")]
pub fn become_part(mut arguments: impl Iterator<Item = OsString>) -> Option<ExitCode> {
    use description::Part;
    let Some(part) = arguments.nth(1).and_then(|word| Part::of_argument(&word)) else {
        start::may_start();
        return None;
    };
    let directory = std::path::PathBuf::from(arguments.next()?);
    Some(match part {
        Part::Outside => outside::run(&directory),
        Part::Keeper => keeper::run(&directory),
        Part::Inside => inside::run(&directory),
        Part::Probe => outside::probe(&directory),
    })
}

#[cfg(not(target_os = "linux"))]
pub fn become_part(_arguments: impl Iterator<Item = OsString>) -> Option<ExitCode> {
    None
}
