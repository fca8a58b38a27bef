//! One message of the protocol off a stream: a few header lines, an empty one, and JSON of the length they name.

use std::io::{self, BufRead, Read};

use lsp_server::Message;

use crate::status::{ExitStatus, Status};

/// Bytes of all header lines of a message.
const HEADER: u64 = 4096;

/// What stands on the stream is no message.
#[derive(Debug, thiserror::Error)]
pub enum FrameError {
    /// The stream failed, or ended within a message.
    #[error("cannot read a message: {0}")]
    Read(#[from] io::Error),
    /// A header without a length, or lines without end.
    #[error("a message's header names no `Content-Length`, or is longer than {HEADER} bytes")]
    Header,
    /// More than is read.
    #[error("a message has {found} bytes, at most {limit} are read")]
    TooLarge {
        /// As the header says.
        found: u64,
        /// What is read.
        limit: u64,
    },
}

impl ExitStatus for FrameError {
    fn status(&self) -> Status {
        Status::Malformed
    }
}

/// The next message of at most `limit` bytes: none at the end of the stream, inner none for JSON that is no message.
///
/// # Errors
/// When nothing can be read any more: where the next message begins is not known then.
pub fn read(stream: &mut impl BufRead, limit: u64) -> Result<Option<Option<Message>>, FrameError> {
    let mut left = HEADER;
    let mut length = None;
    let mut is_first = true;
    loop {
        let mut line = Vec::new();
        let read = stream.by_ref().take(left).read_until(b'\n', &mut line)?;
        if read == 0 && is_first {
            return Ok(None);
        }
        is_first = false;
        left -= read as u64;
        if !line.ends_with(b"\n") {
            return Err(FrameError::Header);
        }
        let line = String::from_utf8_lossy(&line);
        let line = line.trim_end();
        if line.is_empty() {
            break;
        }
        if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("content-length")
        {
            length = Some(value.trim().parse::<u64>().map_err(|_| FrameError::Header)?);
        }
    }
    let found = length.ok_or(FrameError::Header)?;
    if found > limit {
        return Err(FrameError::TooLarge { found, limit });
    }
    let mut body = Vec::new();
    if stream.by_ref().take(found).read_to_end(&mut body)? as u64 != found {
        return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
    }
    Ok(Some(serde_json::from_slice(&body).ok()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn method(text: &str) -> String {
        match read(&mut text.as_bytes(), 100) {
            Ok(Some(Some(Message::Notification(notification)))) => notification.method,
            Ok(Some(other)) => format!("{other:?}"),
            Ok(None) => "end".to_owned(),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn messages_are_taken_off_a_stream_and_their_size_is_bounded() {
        let body = r#"{"jsonrpc":"2.0","method":"exit"}"#;
        assert_eq!(method(&format!("Content-Length: {}\r\nX: y\r\n\r\n{body}", body.len())), "exit");
        assert_eq!(method(""), "end");
        assert_eq!(method("content-length: 2\r\n\r\n{}"), "None");
        assert_eq!(method("Content-Length: 4\r\n\r\n{}"), "cannot read a message: unexpected end of file");
        assert!(method("Content-Length: 101\r\n\r\n{}").contains("at most 100"));
        for header in ["\r\n{}", "Content-Length: -1\r\n\r\n", "Content-Length", &"X: y\r\n".repeat(4096)] {
            assert!(method(header).contains("header"), "{header:.20}");
        }
        let deep = "[".repeat(99);
        assert_eq!(method(&format!("Content-Length: 99\r\n\r\n{deep}")), "None");
    }
}
