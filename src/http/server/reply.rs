//! Writing one response.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;

use super::head::Head;
use super::range::Range;
use super::wire::Wire;

const PIECE: usize = 64 << 10;

/// A header's name and value.
pub type Header = (&'static str, String);

/// The response to one request, to be written once.
pub struct Reply<'a> {
    connection: &'a Wire,
    head: &'a Head,
}

impl<'a> Reply<'a> {
    pub(super) fn new(connection: &'a Wire, head: &'a Head) -> Self {
        Self { connection, head }
    }

    /// Whether less than the whole body is asked for.
    pub fn wants_part(&self) -> bool {
        self.head.header("range").is_some()
    }

    /// Whether nothing but the head is asked for.
    pub fn is_for_head(&self) -> bool {
        self.head.method == "HEAD"
    }

    /// Hands out the file at `path` of `size` bytes, or what is asked for of it; an empty body needs no file.
    ///
    /// `headers` are those of the whole, `ETag` and `Last-Modified` among them by which `If-Range` is judged.
    pub fn file(self, status: u16, headers: Vec<Header>, path: Option<&Path>, size: u64) -> io::Result<()> {
        self.part(status, headers, size, |first| {
            let Some(path) = path else { return Ok(None) };
            let mut file = File::open(path)?;
            file.seek(SeekFrom::Start(first))?;
            Ok(Some(Box::new(file)))
        })
    }

    /// The same of any body, which `open` gives from a byte on.
    pub fn part(
        self,
        status: u16,
        mut headers: Vec<Header>,
        size: u64,
        open: impl FnOnce(u64) -> io::Result<Option<Box<dyn Read + Send>>>,
    ) -> io::Result<()> {
        let range = if status == 200 { Range::of(self.range(&headers), size) } else { Range::Whole };
        let (status, first, length) = match range {
            Range::Whole => (status, 0, size),
            Range::Part(first, last) => {
                headers.push(("Content-Range", format!("bytes {first}-{last}/{size}")));
                (206, first, last - first + 1)
            }
            Range::Outside => {
                return self.head(416, &[("Content-Range", format!("bytes */{size}"))], Some(0));
            }
        };
        if matches!(status, 200 | 206) {
            headers.push(("Accept-Ranges", "bytes".to_owned()));
        }
        let reader = if length > 0 { open(first)? } else { None };
        let Some(reader) = reader.filter(|_| self.head.method != "HEAD") else {
            return self.head(status, &headers, Some(length));
        };
        let mut reader = reader.take(length);
        if length > PIECE as u64 {
            self.head(status, &headers, Some(length))?;
            return copy(&mut reader, self.connection, length);
        }
        // Most bodies are small: with their head they go out at once.
        let mut whole = self.head_text(status, &headers, Some(length)).into_bytes();
        let head = whole.len();
        reader.read_to_end(&mut whole)?;
        if (whole.len() - head) as u64 != length {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        (&mut &*self.connection).write_all(&whole)
    }

    /// Responds with these bytes.
    pub fn bytes(self, status: u16, headers: &[Header], body: &[u8]) -> io::Result<()> {
        self.head(status, headers, Some(body.len() as u64))?;
        if self.head.method == "HEAD" { Ok(()) } else { (&mut &*self.connection).write_all(body) }
    }

    /// Responds with a line of text.
    pub fn text(self, status: u16, text: &str) -> io::Result<()> {
        let body = format!("{text}\n");
        let headers = [("Content-Type", "text/plain; charset=utf-8".to_owned())];
        self.head(status, &headers, Some(body.len() as u64))?;
        if self.head.method == "HEAD" { Ok(()) } else { (&mut &*self.connection).write_all(body.as_bytes()) }
    }

    /// Begins a response whose body is still to come; `length` is its size if that is known.
    pub fn begin(self, status: u16, headers: &[Header], length: Option<u64>) -> io::Result<Stream<'a>> {
        self.head(status, headers, length)?;
        let chunks = length.is_none() && self.head.chunks;
        Ok(Stream { connection: self.connection, chunks, silent: self.head.method == "HEAD" })
    }

    /// The range that is asked for, unless it is asked for of other bytes than these.
    fn range(&self, headers: &[Header]) -> Option<&str> {
        let is = |name: &str, value: &str| headers.iter().any(|(known, found)| *known == name && found == value);
        let of = self.head.header("if-range");
        let fits = of.is_none_or(|of| is("ETag", of) || is("Last-Modified", of));
        self.head.header("range").filter(|_| fits)
    }

    fn head(&self, status: u16, headers: &[Header], length: Option<u64>) -> io::Result<()> {
        (&mut &*self.connection).write_all(self.head_text(status, headers, length).as_bytes())
    }

    fn head_text(&self, status: u16, headers: &[Header], length: Option<u64>) -> String {
        let mut head = format!("HTTP/1.1 {status} {}\r\n", reason(status));
        for (name, value) in headers {
            // Values come from other servers and from files: nothing may end the line early.
            let clean: String = value.chars().filter(|c| !c.is_control()).collect();
            head += &format!("{name}: {clean}\r\n");
        }
        match length {
            Some(_) if status == 204 => {}
            Some(length) => head += &format!("Content-Length: {length}\r\n"),
            None if self.head.chunks => head += "Transfer-Encoding: chunked\r\n",
            None => {}
        }
        if !self.head.keep_alive {
            head += "Connection: close\r\n";
        }
        head + "\r\n"
    }
}

/// A body on its way to the client; only [`Stream::finish`] makes it a whole one.
pub struct Stream<'a> {
    connection: &'a Wire,
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

fn copy(from: &mut impl Read, mut to: &Wire, length: u64) -> io::Result<()> {
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
        201 => "Created",
        202 => "Accepted",
        204 => "No Content",
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
