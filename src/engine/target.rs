//! The target that a plan's Dockerfile names, as every engine understands it, and the image that it is built upon.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::base_images::{BaseImage, BaseImagesOf, store_name};
use super::sources::Sources;
use crate::build::{Plan, PlannedContext};
use crate::dockerfile::target::{Base, Question, ResolveError, Target, resolve};
use crate::lockfile::Pin;
use crate::platform::Platform;
use crate::status::Failure;
use crate::survey::context_key;

/// The target with all values known; what its bases say comes from `images`.
pub fn target(plan: &Plan, images: &BaseImagesOf<'_>) -> Result<Target, Failure> {
    let mut build_args = plan.parameters.args.clone();
    build_args.insert("SOURCE_DATE_EPOCH".to_owned(), plan.epoch.to_string());
    let question = Question {
        target: plan.parameters.target.clone().unwrap_or_default(),
        platform: plan.platform.clone(),
        build_platform: plan.parameters.build_platform.clone().unwrap_or_else(Platform::of_this_machine),
        build_args,
        contexts: contexts(plan),
    };
    match resolve(&plan.inputs.dockerfile, &question, &mut &*images) {
        Ok(target) => Ok(target),
        Err(ResolveError::Dockerfile(error)) => Err(error.into()),
        Err(ResolveError::Base { source, .. }) => Err(source),
    }
}

/// The image whose layers the target starts with, through the stages between; none where it starts from nothing.
pub fn base_of(target: &Target, images: &BaseImagesOf<'_>) -> Result<Option<Arc<BaseImage>>, Failure> {
    let mut stage = target.stages.get(&target.target);
    // A stage is built on one of those before it, so there are no more steps than stages.
    for _ in 0..=target.stages.len() {
        match stage.map(|stage| &stage.base) {
            Some(Base::Stage(number)) => stage = target.stages.get(number),
            Some(Base::Image(image)) => return images.image(image).map(Some),
            Some(Base::Scratch | Base::Context(_)) | None => break,
        }
    }
    Ok(None)
}

/// The image that a plan's target is built upon; none where it starts from nothing.
pub fn pinned_base(plan: &Plan, sources: &dyn Sources) -> Result<Option<Arc<BaseImage>>, Failure> {
    let images = BaseImagesOf::new(plan, sources);
    base_of(&target(plan, &images)?, &images)
}

/// The plan's named contexts as BuildKit's clients spell them.
fn contexts(plan: &Plan) -> BTreeMap<String, String> {
    let spell = |(index, (name, context)): (usize, (&String, &PlannedContext))| {
        let value = match context {
            PlannedContext::Local(_) => format!("local:{name}"),
            PlannedContext::Image(reference) => format!("docker-image://{reference}"),
            PlannedContext::Layout(_) => {
                let pinned = |pin: &&Pin| matches!(pin, Pin::Layout { request, .. } if request == name);
                match plan.pins.iter().find(pinned) {
                    Some(Pin::Layout { digest, .. }) => format!("oci-layout://{}@{digest}", store_name(index)),
                    _ => format!("oci-layout://{}", store_name(index)),
                }
            }
            PlannedContext::Http(url) | PlannedContext::Git(url) => url.clone(),
        };
        (context_key(name), value)
    };
    plan.inputs.contexts.iter().enumerate().map(spell).collect()
}
