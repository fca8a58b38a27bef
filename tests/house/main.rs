//! What the repository promises of itself: its floors hold, what is generated is current, and no test is forgotten.

#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod architecture;
mod forgotten;
mod generated;
