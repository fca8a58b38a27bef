//! Arguments before the first `FROM`, and the predefined ones.

use std::collections::BTreeMap;

use super::scope::Scope;
use super::{Question, StagePlatform};
use crate::dockerfile::error::DockerfileError;
use crate::dockerfile::shell::{Budget, Lexer, Variables};
use crate::dockerfile::syntax::{Argument, Command, Dockerfile, Instruction};

/// The global scope of one build.
#[derive(Debug, Default)]
pub(super) struct Globals {
    /// Predefined and declared arguments with their values.
    pub(super) scope: Scope,
    /// Names that an `ARG` declares, with and without value.
    pub(super) declared: Vec<String>,
}

/// The predefined arguments; a build argument of the same name wins.
pub(super) fn predefined(dockerfile: &Dockerfile, question: &Question) -> Scope {
    let target = match (question.target.as_str(), dockerfile.stages.last()) {
        ("", Some(stage)) => stage.name.as_deref().unwrap_or_default(),
        (name, _) => name,
    };
    let target = if target.is_empty() { "default" } else { target };
    let builder = StagePlatform::from(&question.build_platform);
    let platform = StagePlatform::from(&question.platform);
    let (whole_builder, whole_platform) = (builder.to_string(), platform.to_string());
    let mut scope = Scope::default();
    for (name, value) in [
        ("BUILDPLATFORM", whole_builder.as_str()),
        ("BUILDOS", &builder.os),
        ("BUILDOSVERSION", ""),
        ("BUILDARCH", &builder.architecture),
        ("BUILDVARIANT", &builder.variant),
        ("TARGETPLATFORM", &whole_platform),
        ("TARGETOS", &platform.os),
        ("TARGETOSVERSION", ""),
        ("TARGETARCH", &platform.architecture),
        ("TARGETVARIANT", &platform.variant),
        ("TARGETSTAGE", target),
    ] {
        scope.set(name, question.build_args.get(name).map_or(value, String::as_str));
    }
    scope
}

/// Adds the arguments that the file declares globally.
pub(super) fn declare(
    scope: Scope,
    global_args: &[Instruction],
    build_args: &BTreeMap<String, String>,
    lexer: Lexer,
    budget: &Budget,
) -> Result<Globals, DockerfileError> {
    let mut globals = Globals { scope, declared: Vec::new() };
    for instruction in global_args {
        let Command::Arg(arguments) = &instruction.command else { continue };
        for Argument { name, default } in arguments {
            let name = name.lossy();
            let value = match (build_args.get(&*name), default) {
                (Some(given), _) => Some(given.clone()),
                (None, Some(default)) => {
                    let expansion = lexer.expand(default, &globals.scope, budget);
                    Some(expansion.map_err(|error| DockerfileError::from(error).at(instruction.lines))?.word)
                }
                (None, None) => None,
            };
            if let Some(value) = value {
                globals.scope.set(&name, &value);
            }
            globals.declared.push(name.into_owned());
        }
    }
    Ok(globals)
}

const EPOCH: &str = "SOURCE_DATE_EPOCH";

/// Reads `SOURCE_DATE_EPOCH` from build arguments or globals, and puts its plain form, or nothing, back.
///
/// `context`, a named context or a stage with one remote `ADD` may stand for the time of that source, which only the
/// daemon can tell: then it counts as not set.
pub(super) fn take_epoch(
    dockerfile: &Dockerfile,
    question: &Question,
    build_args: &mut BTreeMap<String, String>,
    globals: &mut Globals,
) -> Result<Option<i64>, DockerfileError> {
    let global = globals.scope.get(EPOCH).filter(|value| !value.is_empty());
    let Some(value) = build_args.get(EPOCH).map(String::as_str).or(global).map(str::to_owned) else {
        return Ok(None);
    };
    let epoch = value.parse::<i64>().ok();
    if epoch.is_none() && !names_a_source(dockerfile, question, &value) {
        return Err(DockerfileError::convert(format!("invalid SOURCE_DATE_EPOCH: {value}")));
    }
    if build_args.remove(EPOCH).is_some()
        && let Some(epoch) = epoch
    {
        build_args.insert(EPOCH.to_owned(), epoch.to_string());
    }
    if globals.scope.get(EPOCH).is_some() {
        match epoch {
            Some(epoch) => globals.scope.set(EPOCH, &epoch.to_string()),
            None => globals.scope.remove(EPOCH),
        }
    }
    Ok(epoch)
}

fn names_a_source(dockerfile: &Dockerfile, question: &Question, value: &str) -> bool {
    let is_stage = dockerfile
        .stages
        .iter()
        .any(|stage| stage.name.as_deref().is_some_and(|name| name.eq_ignore_ascii_case(value)));
    value.is_empty() || value == "context" || question.contexts.contains_key(value) || is_stage
}
