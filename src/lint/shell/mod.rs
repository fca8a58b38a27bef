//! What a RUN executes: the text of a shell becomes a flat list of commands with their places.
//!
//! [`Shell::read`] parses with tree-sitter's grammar of bash. `read` walks the tree: every simple command, wherever it
//! stands (lists, pipelines, groups, branches, functions, substitutions), is one [`Command`] in the order of the text.
//! `word` takes quotes away and puts in the variables that are known; `wrapper` looks behind `sudo`, `env`, `timeout` and
//! their like; a script in a word (`sh -c '…'`, `eval`) or in a heredoc for a shell is read in the same way.
//! `output` tells what becomes of what a command prints, `options` reads the words of one.

mod command;
mod options;
mod output;
mod read;
mod variables;
mod word;
mod wrapper;

pub use command::{Command, Inside, RedirectKind, Word};
pub use output::is_kept;
pub use read::Shell;
pub use variables::Variables;
