//! A body that is sent: opened anew for each attempt, and read as it goes out.

use std::fmt;
use std::io::{self, Read};
use std::sync::Arc;
use std::time::Duration;

use ureq::http::request::Builder;
use ureq::{Agent, SendBody};

use super::timeouts::Timeouts;
use crate::cancel::Cancel;

/// From this size on the server is asked first whether it wants the body: it may refuse without reading it.
const ASKED_FIRST: u64 = 1 << 20;
/// How long that question waits: a server that does not know it says nothing.
const LONGEST_QUESTION: Duration = Duration::from_secs(1);
/// The slowest that a body may go out, in bytes a second.
const SLOWEST: u64 = 16 << 10;
/// The slowest that a server may look at a body that it has, in bytes a second.
const SLOWEST_LOOK: u64 = 4 << 20;

type Open = dyn Fn() -> io::Result<Box<dyn Read + Send>> + Send + Sync;

/// A body of known size and media type.
#[derive(Clone)]
pub struct Upload {
    size: u64,
    media_type: String,
    open: Arc<Open>,
}

impl fmt::Debug for Upload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes of {}", self.size, self.media_type)
    }
}

impl Upload {
    /// A body of exactly `size` bytes, which `open` gives from their start.
    pub fn new(
        size: u64,
        media_type: &str,
        open: impl Fn() -> io::Result<Box<dyn Read + Send>> + Send + Sync + 'static,
    ) -> Self {
        Self { size, media_type: media_type.to_owned(), open: Arc::new(open) }
    }

    /// A body that is in memory.
    pub fn of_bytes(bytes: &[u8], media_type: &str) -> Self {
        let bytes: Arc<[u8]> = bytes.into();
        let size = bytes.len() as u64;
        Self::new(size, media_type, move || Ok(Box::new(io::Cursor::new(Arc::clone(&bytes)))))
    }

    pub(super) fn open(&self, cancel: &Cancel) -> io::Result<SendBody<'static>> {
        let reader = (self.open)()?.take(self.size);
        Ok(SendBody::from_owned_reader(Stoppable { reader, cancel: cancel.clone() }))
    }

    pub(super) fn describe(&self, builder: Builder) -> Builder {
        let builder = builder.header("content-length", self.size).header("content-type", &self.media_type);
        if self.size >= ASKED_FIRST { builder.header("expect", "100-continue") } else { builder }
    }

    /// The request with times that fit the body's size.
    pub(super) fn within(
        &self,
        agent: &Agent,
        request: ureq::http::Request<SendBody<'static>>,
        timeouts: &Timeouts,
    ) -> ureq::http::Request<SendBody<'static>> {
        let response = timeouts.response + Duration::from_secs(self.size / SLOWEST_LOOK);
        agent
            .configure_request(request)
            .timeout_await_100(Some(LONGEST_QUESTION.min(timeouts.idle / 2)))
            .timeout_per_read(Some(response))
            .timeout_send_body(Some(timeouts.idle + Duration::from_secs(self.size / SLOWEST)))
            .timeout_recv_response(Some(response))
            .build()
    }
}

/// Ends when the user interrupts.
struct Stoppable<R> {
    reader: R,
    cancel: Cancel,
}

impl<R: Read> Read for Stoppable<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.cancel.check().map_err(io::Error::other)?;
        self.reader.read(buffer)
    }
}
