//! Who says what a request means: the server that it names, and a mirror of the user's only where that is not reached.
//!
//! What has a digest or a commit's id is judged by that, whoever gives it, and comes from the nearer place first.

use super::{Reason, Resolver};
use crate::escape;
use crate::http::without_user;

impl Resolver {
    /// Asks `own`, the server of `origin`, and only where it is silent `from_mirror`; tells whether the mirror it was.
    pub(super) fn ask_upstream_first<T>(
        &self,
        request: &str,
        origin: &str,
        mirror: &str,
        own: impl FnOnce() -> Result<T, Reason>,
        from_mirror: impl FnOnce() -> Result<T, Reason>,
    ) -> Result<(T, Option<String>), Reason> {
        let reason = match self.registry.silence(origin) {
            Some(reason) => reason,
            None => match own() {
                Ok(found) => return Ok((found, None)),
                Err(error) if !error.is_silence() => return Err(error),
                Err(error) => {
                    let reason = error.to_string();
                    self.registry.keep_silence(origin.to_owned(), reason.clone());
                    reason
                }
            },
        };
        let found = from_mirror()?;
        let (request, mirror) = (escape::text(&without_user(request)).into_owned(), escape::text(mirror));
        let origin = escape::text(origin);
        self.progress().warn(&format!(
            "`{origin}` was not reached; what `{request}` means is what the mirror `{mirror}` says: {reason}"
        ));
        Ok((found, Some(mirror.into_owned())))
    }
}

/// What programs say that did not reach a server, or a server that has no time.
const SILENCES: &[&str] = &[
    "Could not resolve",
    "Failed to connect",
    "Couldn't connect",
    "Connection refused",
    "Connection reset",
    "timed out",
    "unreachable",
    "No route to host",
    "SSL",
    "TLS",
    "returned error: 429",
    "returned error: 5",
];

impl Reason {
    /// Whether the server that was asked had nothing to say, or may not be asked.
    pub(super) fn is_silence(&self) -> bool {
        match self {
            Self::Http(crate::http::HttpError::PlainHttp { .. }) => true,
            Self::Http(error) => error.is_silence(),
            Self::Git { said, .. } => SILENCES.iter().any(|silence| said.contains(silence)),
            _ => false,
        }
    }
}
