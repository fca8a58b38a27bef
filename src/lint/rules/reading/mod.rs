//! Rules about what could not be read.

pub(super) mod shell_syntax;
pub(super) mod shell_unknown;
