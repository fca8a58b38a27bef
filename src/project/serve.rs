//! A registry over a layout or an archive, for the time of one command.

use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::thread;
use std::time::Duration;

use super::machine::Machine;
use super::online;
use crate::http::server::Server;
use crate::serve::{Holding, Named, Registry};
use crate::status::{ExitStatus, Failure, Status};

const LOOK: Duration = Duration::from_millis(50);

/// What is served where.
#[derive(Clone, Debug)]
pub struct ServeOptions {
    /// A layout or an archive.
    pub path: PathBuf,
    /// Where to listen.
    pub listen: SocketAddr,
    /// Whether it takes what is pushed.
    pub is_writable: bool,
}

/// The address can't be listened at.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen at {address}: {error}")]
struct Deaf {
    address: SocketAddr,
    error: std::io::Error,
}

impl ExitStatus for Deaf {
    fn status(&self) -> Status {
        Status::Usage
    }
}

/// Serves until the user interrupts; `tell` hears the address and what is there once it can be asked for.
pub fn serve(
    machine: &Machine,
    options: &ServeOptions,
    tell: impl FnOnce(SocketAddr, &[Named]),
) -> Result<(), Failure> {
    let holding = Holding::open(&options.path, options.is_writable, &online::reader(machine, None))?;
    let deaf = |error| Deaf { address: options.listen, error };
    let listener = TcpListener::bind(options.listen).map_err(deaf)?;
    let address = listener.local_addr().map_err(deaf)?;
    if !address.ip().is_loopback() {
        let may = if options.is_writable { "read and write" } else { "read" };
        machine.progress.warn(&format!("whoever reaches {address} can {may} everything: there is no login and no TLS"));
    }
    let registry = Registry::new(holding, machine.limits.clone());
    let named = registry.named();
    let server = Server::start(listener, "serve", Box::new(registry)).map_err(deaf)?;
    tell(address, &named);
    while !machine.cancel.is_cancelled() {
        thread::sleep(LOOK);
    }
    drop(server);
    Ok(())
}
