//! The source policy that BuildKit gets.

use super::error::ProjectError;
use super::machine::Machine;
use super::open::Project;
use crate::engine::buildkit::{Policy, Redirects};
use crate::manifest::NamedContext;
use crate::status::Failure;

/// The policy of one image as JSON; without a name, of the only one.
pub fn policy(machine: &Machine, project: &Project, image: Option<&String>) -> Result<String, Failure> {
    let lockfile = project.lockfile(machine)?;
    let images = project.images(image.map_or(&[][..], std::slice::from_ref))?;
    let [(name, image)] = images[..] else {
        let known = images.into_iter().map(|(name, _)| format!("`{name}`")).collect();
        return Err(ProjectError::WhichImage { known }.into());
    };
    let mut locals = vec!["context", "dockerfile"];
    locals.extend(image.files.contexts.iter().filter_map(|(name, context)| match context {
        NamedContext::Local(_) => Some(name.as_str()),
        _ => None,
    }));
    let pins: Vec<_> = lockfile.pins_of(name).into_iter().cloned().collect();
    Ok(Policy::strict(&pins, locals, &Redirects::default()).to_json())
}
