//! How the sources that a build used differ from those that are locked.

use std::fmt;

use crate::escape;

/// One way in which a build's sources are not the pins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Deviation {
    /// A pin that the build did not use.
    Missing {
        /// The pin's request.
        request: String,
    },
    /// A source that is not among the pins.
    Extra {
        /// The source as BuildKit names it.
        source: String,
        /// Its digest.
        digest: String,
    },
    /// A source with another digest than its pin.
    Different {
        /// The pin's request.
        request: String,
        /// The pin's digest.
        locked: String,
        /// The digest that BuildKit used.
        used: String,
    },
}

impl fmt::Display for Deviation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing { request } => write!(f, "`{}` is locked, but was not used", escape::text(request)),
            Self::Extra { source, digest } => {
                write!(f, "`{}` ({}) was used, but is not locked", escape::text(source), escape::text(digest))
            }
            Self::Different { request, locked, used } => {
                let (request, used) = (escape::text(request), escape::text(used));
                write!(f, "`{request}`: locked as {locked}, but {used} was used")
            }
        }
    }
}
