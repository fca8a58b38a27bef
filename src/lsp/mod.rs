//! What `repro lint` finds, told to an editor while somebody types: the Language Server Protocol 3.17 over two streams.
//!
//! [`read`] takes one message off a stream, of bounded size, `Message::write` of `lsp_server` writes one. [`Server`] holds
//! the documents that are open and answers each message with messages: `diagnostics` makes them of findings and of what is
//! wrong with a manifest, `actions` offers the edits that remove findings, `position` counts as the protocol does.

mod actions;
mod diagnostics;
mod frame;
mod position;
mod server;

pub use frame::{FrameError, read};
pub use server::Server;
