//! A connection, encrypted or not, that is read and written through one shared reference.

use std::cell::{Cell, RefCell};
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

use rustls::{ServerConfig, ServerConnection, Stream};

/// The server's end of a connection.
pub(super) struct Wire {
    connection: TcpStream,
    tls: Option<RefCell<ServerConnection>>,
    /// How long a read waits, once that was said: the system need not hear it for each request.
    patience: Cell<Option<Duration>>,
}

impl Wire {
    pub fn plain(connection: TcpStream) -> Self {
        Self { connection, tls: None, patience: Cell::new(None) }
    }

    /// The same connection, on which the client now speaks TLS.
    pub fn encrypted(self, config: Arc<ServerConfig>) -> io::Result<Self> {
        let tls = ServerConnection::new(config).map_err(io::Error::other)?;
        Ok(Self { tls: Some(RefCell::new(tls)), ..self })
    }

    pub fn set_read_timeout(&self, time: Duration) -> io::Result<()> {
        if self.patience.replace(Some(time)) == Some(time) {
            return Ok(());
        }
        self.connection.set_read_timeout(Some(time))
    }

    /// Says that nothing more will be sent, as far as TLS has a word for it.
    pub fn finish(&self) {
        let Some(tls) = &self.tls else { return };
        let mut tls = tls.borrow_mut();
        tls.send_close_notify();
        // Whoever is gone does not hear it.
        let _ = tls.write_tls(&mut &self.connection);
    }
}

impl Read for &Wire {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match &self.tls {
            None => (&self.connection).read(buffer),
            Some(tls) => Stream::new(&mut *tls.borrow_mut(), &mut &self.connection).read(buffer),
        }
    }
}

impl Write for &Wire {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &self.tls {
            None => (&self.connection).write(bytes),
            Some(tls) => Stream::new(&mut *tls.borrow_mut(), &mut &self.connection).write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match &self.tls {
            None => (&self.connection).flush(),
            Some(tls) => Stream::new(&mut *tls.borrow_mut(), &mut &self.connection).flush(),
        }
    }
}
