//! How much may be read, and whether to go on: what every reader of foreign bytes is given.

use crate::cancel::Cancel;
use crate::limits::Limits;

/// The limits that hold, and the flag that stops the work.
#[derive(Clone, Copy, Debug)]
pub struct Bounds<'a> {
    /// Bounds on what comes from outside.
    pub limits: &'a Limits,
    /// Asked whether to stop.
    pub cancel: &'a Cancel,
}
