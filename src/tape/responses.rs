//! What stands behind the server: a request comes in as [`Asked`] and goes out through a [`Reply`].

use std::fmt;
use std::io;

use super::asked::Asked;
use super::reply::Reply;

/// Answers requests, several at once.
pub trait Responses: Send + Sync {
    /// Answers one request; an error ends the connection.
    fn response(&self, asked: &Asked, reply: Reply<'_>) -> io::Result<()>;

    /// Is told of a request that nothing can be made of: what it asked for, safe to print, and why.
    fn unreadable(&self, wanted: &str, why: &str);
}

impl fmt::Debug for dyn Responses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("responses")
    }
}
