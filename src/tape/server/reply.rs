//! Writing one response.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::net::TcpStream;
use std::path::Path;

use super::super::entry::Recorded;
use super::super::responses::headers;
use super::head::Head;
use super::range::Range;
use crate::http::date;

const PIECE: usize = 64 << 10;

/// The response to one request, to be written once.
pub struct Reply<'a> {
    connection: &'a TcpStream,
    head: &'a Head,
}

impl<'a> Reply<'a> {
    pub(super) fn new(connection: &'a TcpStream, head: &'a Head) -> Self {
        Self { connection, head }
    }

    /// Whether less than the whole body is asked for.
    pub fn wants_part(&self) -> bool {
        self.head.header("range").is_some()
    }

    /// Hands out a recorded response, whose body is the file at `path`; an empty body needs none.
    pub fn stored(self, recorded: &Recorded, path: Option<&Path>) -> io::Result<()> {
        let range = if recorded.status == 200 { Range::of(self.range(recorded), recorded.size) } else { Range::Whole };
        let mut lines = headers(recorded);
        let (status, first, length) = match range {
            Range::Whole => (recorded.status, 0, recorded.size),
            Range::Part(first, last) => {
                lines.push(("Content-Range", format!("bytes {first}-{last}/{}", recorded.size)));
                (206, first, last - first + 1)
            }
            Range::Outside => {
                let lines = [("Content-Range", format!("bytes */{}", recorded.size))];
                return self.head(416, &lines, Some(0));
            }
        };
        if recorded.status == 200 {
            lines.push(("Accept-Ranges", "bytes".to_owned()));
        }
        let file = match path.filter(|_| length > 0) {
            Some(path) => {
                let mut file = File::open(path)?;
                file.seek(SeekFrom::Start(first))?;
                Some(file)
            }
            None if length > 0 => return self.refuse(502, "the body is gone"),
            None => None,
        };
        self.head(status, &lines, Some(length))?;
        if let Some(mut file) = file.filter(|_| self.head.method != "HEAD") {
            copy(&mut (&mut file).take(length), self.connection, length)?;
        }
        Ok(())
    }

    /// Says no, in a line of text.
    pub fn refuse(self, status: u16, text: &str) -> io::Result<()> {
        let body = format!("{text}\n");
        let lines = [("Content-Type", "text/plain; charset=utf-8".to_owned())];
        self.head(status, &lines, Some(body.len() as u64))?;
        if self.head.method == "HEAD" { Ok(()) } else { (&mut &*self.connection).write_all(body.as_bytes()) }
    }

    /// Begins a response whose body is still to come; `length` is its size if that is known.
    pub fn begin(self, recorded: &Recorded, length: Option<u64>) -> io::Result<Stream<'a>> {
        self.head(recorded.status, &headers(recorded), length)?;
        let chunks = length.is_none() && self.head.chunks;
        Ok(Stream { connection: self.connection, chunks, silent: self.head.method == "HEAD" })
    }

    /// The range that is asked for, unless it is asked for of other bytes than these.
    fn range(&self, recorded: &Recorded) -> Option<&str> {
        let of = self.head.header("if-range");
        let modified = recorded.modified.and_then(date::write);
        let fits = of.is_none_or(|of| recorded.etag.as_deref() == Some(of) || modified.as_deref() == Some(of));
        self.head.header("range").filter(|_| fits)
    }

    fn head(&self, status: u16, lines: &[(&'static str, String)], length: Option<u64>) -> io::Result<()> {
        let mut head = format!("HTTP/1.1 {status} {}\r\n", reason(status));
        for (name, value) in lines {
            // Values come from other servers and from files: nothing may end the line early.
            let clean: String = value.chars().filter(|c| !c.is_control()).collect();
            head += &format!("{name}: {clean}\r\n");
        }
        match length {
            Some(length) => head += &format!("Content-Length: {length}\r\n"),
            None if self.head.chunks => head += "Transfer-Encoding: chunked\r\n",
            None => {}
        }
        if !self.head.keep_alive {
            head += "Connection: close\r\n";
        }
        (&mut &*self.connection).write_all((head + "\r\n").as_bytes())
    }
}

/// A body on its way to the client; only [`Stream::finish`] makes it a whole one.
pub struct Stream<'a> {
    connection: &'a TcpStream,
    chunks: bool,
    silent: bool,
}

impl Stream<'_> {
    /// Sends a piece.
    pub fn send(&mut self, piece: &[u8]) -> io::Result<()> {
        if self.silent || piece.is_empty() {
            return Ok(());
        }
        let mut connection = self.connection;
        if !self.chunks {
            return connection.write_all(piece);
        }
        connection.write_all(format!("{:x}\r\n", piece.len()).as_bytes())?;
        connection.write_all(piece)?;
        connection.write_all(b"\r\n")
    }

    /// Says that the body is whole.
    pub fn finish(self) -> io::Result<()> {
        let mut connection = self.connection;
        if self.chunks && !self.silent { connection.write_all(b"0\r\n\r\n") } else { Ok(()) }
    }
}

fn copy(from: &mut impl Read, mut to: &TcpStream, length: u64) -> io::Result<()> {
    let mut piece = vec![0; PIECE];
    let mut done = 0;
    loop {
        let count = from.read(&mut piece)?;
        if count == 0 {
            break;
        }
        to.write_all(&piece[..count])?;
        done += count as u64;
    }
    // A file that became shorter: the client must not take what came for the whole.
    if done == length { Ok(()) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
}

fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        206 => "Partial Content",
        301 => "Moved Permanently",
        302 => "Found",
        303 => "See Other",
        304 => "Not Modified",
        307 => "Temporary Redirect",
        308 => "Permanent Redirect",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        410 => "Gone",
        416 => "Range Not Satisfiable",
        429 => "Too Many Requests",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        _ => "Other",
    }
}
