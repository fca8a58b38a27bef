//! `repro policy`: the source policy that BuildKit gets.

use super::arguments;
use super::project::{Project, ProjectError};
use super::report::Report;
use super::session::Session;
use crate::engine::buildkit::{Policy, Redirects};
use crate::manifest::NamedContext;
use crate::status::{Failure, Status};

/// Runs the command.
pub fn run(arguments: &arguments::Policy, session: &Session) -> Result<Report, Failure> {
    let project = Project::open(session, None)?;
    let lockfile = project.lockfile(session)?;
    let images = project.images(arguments.image.as_slice())?;
    let [(name, image)] = images[..] else {
        let known = images.into_iter().map(|(name, _)| format!("`{name}`")).collect();
        return Err(ProjectError::WhichImage { known }.into());
    };
    let mut locals = vec!["context", "dockerfile"];
    locals.extend(image.contexts.iter().filter_map(|(name, context)| match context {
        NamedContext::Local(_) => Some(name.as_str()),
        _ => None,
    }));
    let pins: Vec<_> = lockfile.pins_of(name).into_iter().cloned().collect();
    let text = Policy::strict(&pins, locals, &Redirects::default()).to_json();
    Ok(Report::text(Status::Success, text))
}
