//! Builds that BuildKit can't do reproducibly, whatever the flags; and steps that need the user's consent.

use std::collections::BTreeMap;

use crate::build::Plan;
use crate::dockerfile;
use crate::dockerfile::syntax::{Command, Instruction, Network, Stage, Transfer};
use crate::dockerfile::text::Text;
use crate::engine::buildkit::failure::BuildKitError;
use crate::escape;
use crate::image::{Config, InvalidDocument};
use crate::status::Status;

const APPENDED: &str = "buildkit.exporter.image.v0";

/// Refuses what is known to go wrong, and entitlements that the manifest does not allow.
pub fn check(plan: &Plan) -> Result<(), BuildKitError> {
    // A Dockerfile that can't be read was refused when it was locked; BuildKit says so again.
    let Ok(file) = dockerfile::parse(&plan.dockerfile) else { return Ok(()) };
    for stage in &file.stages {
        for instruction in &stage.instructions {
            check_entitlements(plan, instruction)?;
        }
        check_heredocs(plan, stage)?;
    }
    Ok(())
}

fn check_entitlements(plan: &Plan, instruction: &Instruction) -> Result<(), BuildKitError> {
    let Command::Run(run) = &instruction.command else { return Ok(()) };
    let host = (run.network == Network::Host).then(|| ("--network=host".to_owned(), "network.host".to_owned()));
    let insecure = run.insecure.then(|| ("--security=insecure".to_owned(), "security.insecure".to_owned()));
    let devices = run.devices.iter().map(|name| (format!("--device={name}"), format!("device={name}")));
    for (flag, needed) in host.into_iter().chain(insecure).chain(devices) {
        let allowed = |what: &str| what == needed || needed.split('=').next() == Some(what);
        if !plan.allow.iter().any(|allow| allowed(&allow.what)) {
            let needed = escape::text(&needed).into_owned();
            return Err(BuildKitError::Refused {
                message: format!("{}: `RUN {}` needs `{needed}`", place(plan, instruction), escape::text(&flag)),
                mend: format!(
                    "allow it in the manifest, with a reason: allow = [{{ what = \"{needed}\", reason = \"…\" }}]"
                ),
                status: Status::Usage,
            });
        }
    }
    Ok(())
}

/// Two different heredocs of one size at one path: BuildKit takes the second for the first.
fn check_heredocs(plan: &Plan, stage: &Stage) -> Result<(), BuildKitError> {
    let mut written: BTreeMap<Vec<u8>, (u32, Vec<u8>)> = BTreeMap::new();
    let mut folder = b"/".to_vec();
    for instruction in &stage.instructions {
        let transfer = match &instruction.command {
            Command::Copy(copy) => &copy.transfer,
            Command::Add(add) => &add.transfer,
            Command::Workdir(path) => {
                folder = joined(&folder, path);
                continue;
            }
            _ => continue,
        };
        for file in &transfer.files {
            let path = destination(&folder, transfer, &file.name);
            let body = file.body.to_vec();
            let before = written.insert(path.clone(), (instruction.lines.start, body.clone()));
            if let Some((line, earlier)) = before
                && earlier.len() == body.len()
                && earlier != body
                && line != instruction.lines.start
            {
                return Err(BuildKitError::Refused {
                    message: format!(
                        "{}: writes {} again with other content of the same size as on line {line}, which BuildKit loses",
                        place(plan, instruction),
                        escape::name(&path),
                    ),
                    mend: "leave out the first one, or change the length of one of them".to_owned(),
                    status: Status::Engine,
                });
            }
        }
    }
    Ok(())
}

fn destination(folder: &[u8], transfer: &Transfer, name: &Text) -> Vec<u8> {
    let path = joined(folder, &transfer.destination);
    let is_folder = transfer.destination.ends_with(b"/") || transfer.sources.len() + transfer.files.len() > 1;
    if is_folder { joined(&path, name) } else { path }
}

/// `path` seen from `folder`, without empty and `.` components.
fn joined(folder: &[u8], path: &[u8]) -> Vec<u8> {
    let start: &[u8] = if path.starts_with(b"/") { b"" } else { folder };
    let mut parts: Vec<&[u8]> = Vec::new();
    for part in start.split(|byte| *byte == b'/').chain(path.split(|byte| *byte == b'/')) {
        match part {
            b"" | b"." => {}
            b".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    [b"/".as_slice(), &parts.join(&b'/')].concat()
}

fn place(plan: &Plan, instruction: &Instruction) -> String {
    let path = escape::name(plan.dockerfile_path.as_os_str().as_encoded_bytes());
    format!("{path}:{}", instruction.lines.start)
}

/// Refuses a result whose history BuildKit made up: it depends on the cache and on the mirror that was used.
pub fn check_history(config: &Config, plan: &Plan) -> Result<(), BuildKitError> {
    let made_up = config.history.iter().any(|item| &*item.comment == APPENDED.as_bytes());
    if made_up { Err(incomplete_history(&plan.image)) } else { Ok(()) }
}

/// The base's config can't be used: mostly a history that does not speak of all layers.
pub fn unusable_base(engine: &'static str, error: &InvalidDocument) -> BuildKitError {
    match error {
        InvalidDocument::Rule(_) => incomplete_history("the base image"),
        error => BuildKitError::Malformed {
            engine,
            object: "the config of the base image".to_owned(),
            reason: error.to_string(),
        },
    }
}

fn incomplete_history(what: &str) -> BuildKitError {
    BuildKitError::Refused {
        message: format!(
            "{what}: the history of a base image does not speak of all its layers, and BuildKit fills the gaps with names that depend on its cache"
        ),
        mend: "build the base image again with a builder that writes its whole history".to_owned(),
        status: Status::Engine,
    }
}
