//! The commands, one file each: what was typed becomes options, one operation of `project` runs, its value is reported.

mod adopt;
mod attest;
mod build;
mod cache;
mod completions;
mod delta;
mod diff;
mod doctor;
pub mod failure;
mod init;
mod inspect;
mod layer;
mod lint;
mod lock;
mod login;
mod lsp;
mod outdated;
mod policy;
mod report;
pub mod schema;
mod scrub;
mod self_report;
mod serve;
mod ship;
mod sources;
mod stream;
mod tape;
mod vendor;
mod verify;

use super::arguments::Command;
use super::report::Report;
use super::session::Session;
use crate::status::Failure;

/// Runs one command.
pub fn run(command: &Command, session: &Session) -> Result<Report, Failure> {
    match command {
        Command::Adopt(arguments) => adopt::run(arguments, session),
        Command::Attest(arguments) => attest::run(arguments, session),
        Command::Cache(arguments) => cache::run(arguments, session),
        Command::Doctor(arguments) => doctor::run(arguments, session),
        Command::SelfReport(_) => self_report::run(session),
        Command::Completions(arguments) => Ok(completions::run(arguments)),
        Command::Inspect(arguments) => inspect::run(arguments, session),
        Command::Push(arguments) => ship::push(arguments, session),
        Command::Pull(arguments) => ship::pull(arguments, session),
        Command::Copy(arguments) => ship::copy(arguments, session),
        Command::List(arguments) => ship::list(arguments, session),
        Command::Serve(arguments) => serve::run(arguments, session),
        Command::Login(arguments) => login::login(arguments, session),
        Command::Logout(arguments) => login::logout(arguments, session),
        Command::Delta(arguments) => delta::run(arguments, session),
        Command::Diff(arguments) => diff::run(arguments, session),
        Command::Report(arguments) => report::run(arguments, session),
        Command::Layer(arguments) => layer::run(arguments),
        Command::Scrub(arguments) => Ok(scrub::run(arguments)),
        Command::Tape(arguments) => tape::run(arguments, session),
        Command::Vendor(arguments) => vendor::run(arguments, session),
        Command::Schema(arguments) => Ok(schema::run(arguments)),
        Command::Init(arguments) => init::run(arguments, session),
        Command::Sources(arguments) => sources::run(arguments, session),
        Command::Stream(arguments) => stream::run(arguments, session),
        Command::Lint(arguments) => lint::run(arguments, session),
        Command::Lsp(_) => lsp::run(session),
        Command::Lock(arguments) => lock::run(arguments, session),
        Command::Outdated(_) => outdated::run(session),
        Command::Policy(arguments) => policy::run(arguments, session),
        Command::Build(arguments) => build::run(arguments, session),
        Command::Verify(arguments) => verify::run(arguments, session),
    }
}
