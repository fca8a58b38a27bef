//! Arguments before the first `FROM`, and the predefined ones.

use std::collections::{BTreeMap, BTreeSet};

use super::checks::check_digest;
use super::git::{self, GitWord};
use super::scope::Scope;
use super::{Question, StagePlatform};
use crate::dockerfile::error::DockerfileError;
use crate::dockerfile::quote::quote;
use crate::dockerfile::shell::{Budget, Lexer, Variables};
use crate::dockerfile::syntax::{Argument, Command, Dockerfile, Instruction, Stage};

/// The global scope of one build.
#[derive(Debug, Default)]
pub(super) struct Globals {
    /// Predefined and declared arguments with their values.
    pub(super) scope: Scope,
    /// Names that an `ARG` declares, with and without value.
    pub(super) declared: BTreeSet<String>,
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
    let mut globals = Globals { scope, declared: BTreeSet::new() };
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
            globals.declared.insert(name.into_owned());
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
    lexer: Lexer,
    budget: &Budget,
) -> Result<(), DockerfileError> {
    let global = globals.scope.get(EPOCH).filter(|value| !value.is_empty());
    let Some(value) = build_args.get(EPOCH).map(String::as_str).or(global).map(str::to_owned) else {
        return Ok(());
    };
    let epoch = value.parse::<i64>().ok();
    if epoch.is_none() && !value.is_empty() && value != "context" && !question.contexts.contains_key(&value) {
        let named = |stage: &&Stage| stage.name.as_deref().unwrap_or_default().eq_ignore_ascii_case(&value);
        let Some(stage) = dockerfile.stages.iter().find(named) else {
            return Err(DockerfileError::convert(format!("invalid SOURCE_DATE_EPOCH: {value}")));
        };
        let mut scope = globals.scope.clone();
        scope.remove(EPOCH);
        check_source_stage(stage, scope, build_args, lexer, budget).map_err(|error| error.at(stage.lines))?;
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
    Ok(())
}

/// Checks that a stage does nothing but add one file or repository from outside.
fn check_source_stage(
    stage: &Stage,
    mut scope: Scope,
    build_args: &BTreeMap<String, String>,
    lexer: Lexer,
    budget: &Budget,
) -> Result<(), DockerfileError> {
    const ONE_ADD: &str = "SOURCE_DATE_EPOCH stage must contain exactly one remote ADD";
    let wrong = |message: &str| Err(DockerfileError::convert(message));
    let expand = |word: &[u8], scope: &Scope| lexer.expand(word, scope, budget).map(|expansion| expansion.word);
    let base = expand(&stage.base, &scope).map_err(|error| {
        let error = DockerfileError::from(error);
        let base = quote(&stage.base);
        DockerfileError {
            message: format!("failed to process source stage base name {base}: {}", error.message),
            ..error
        }
    })?;
    if base != "scratch" {
        return wrong("SOURCE_DATE_EPOCH stage must use FROM scratch");
    }
    let mut adds = 0;
    for instruction in &stage.instructions {
        match &instruction.command {
            Command::Arg(arguments) => {
                for argument in arguments {
                    let name = argument.name.lossy();
                    match (build_args.get(&*name), &argument.default) {
                        (Some(given), _) => scope.set(&name, given),
                        (None, Some(default)) => {
                            let value = expand(default, &scope)?;
                            scope.set(&name, &value);
                        }
                        (None, None) => {}
                    }
                }
            }
            Command::Add(_) if adds > 0 => return wrong(ONE_ADD),
            Command::Add(add) => {
                adds += 1;
                let ([source], []) = (add.transfer.sources.as_slice(), add.transfer.files.as_slice()) else {
                    return wrong("SOURCE_DATE_EPOCH stage must contain exactly one remote ADD source");
                };
                let source = expand(source, &scope)?;
                let git = git::read(&source);
                let is_git = matches!(git, GitWord::Reference(_));
                let is_http = !is_git
                    && git != GitWord::LooksLocal
                    && (source.starts_with("http://") || source.starts_with("https://"));
                if let GitWord::Wrong(message) = git {
                    return Err(DockerfileError::convert(message));
                }
                if !is_git && !is_http {
                    return wrong("SOURCE_DATE_EPOCH stage source must be a single HTTP(S) or Git ADD");
                }
                if !add.checksum.is_empty() {
                    let checksum = expand(add.checksum.as_bytes(), &scope)?;
                    if is_http {
                        check_digest(&checksum).map_err(DockerfileError::convert)?;
                    }
                }
            }
            _ => {
                return Err(DockerfileError::convert(format!(
                    "SOURCE_DATE_EPOCH stage does not meet source-only requirements: unsupported {} instruction",
                    instruction.keyword.lossy()
                )));
            }
        }
    }
    if adds == 0 { wrong(ONE_ADD) } else { Ok(()) }
}
