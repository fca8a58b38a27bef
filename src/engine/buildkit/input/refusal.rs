//! Builds that BuildKit can't do reproducibly, whatever the flags; and steps that need the user's consent.

use std::collections::BTreeMap;

use super::frontend;
use crate::build::{Plan, PlannedContext, Surroundings};
use crate::dockerfile::syntax::{Command, Instruction, Network, Stage, Transfer};
use crate::dockerfile::text::Text;
use crate::engine::buildkit::failure::BuildKitError;
use crate::escape;
use crate::layer::whiteout;
use crate::status::Status;

/// Refuses, before any work, what can't be built reproducibly at `now`, and entitlements that the manifest does not allow.
pub fn check(plan: &Plan, now: u64) -> Result<(), BuildKitError> {
    check_epoch(plan, now)?;
    frontend::check(plan)?;
    check_whiteouts(plan)?;
    for stage in &plan.inputs.dockerfile.stages {
        for instruction in &stage.instructions {
            check_entitlements(plan, instruction)?;
        }
        check_heredocs(plan, stage)?;
    }
    Ok(())
}

/// Warns of what makes the result unverifiable, though it may be done.
pub fn warn(plan: &Plan, surroundings: &Surroundings<'_>) {
    if plan.run.network == crate::manifest::Network::Open {
        let message = format!("image `{}`: RUN has an open network, so nobody can verify the result", plan.image);
        surroundings.progress.warn(&message);
    }
}

/// Refuses epochs that lie ahead.
fn check_epoch(plan: &Plan, now: u64) -> Result<(), BuildKitError> {
    if plan.epoch.seconds() <= now {
        return Ok(());
    }
    Err(BuildKitError::Refused {
        message: format!("the epoch {} ({}) lies in the future", plan.epoch, plan.epoch.rfc3339()),
        fix: "BuildKit only lowers times, so the epoch can't be later than now".to_owned(),
        status: Status::Usage,
    })
}

fn check_entitlements(plan: &Plan, instruction: &Instruction) -> Result<(), BuildKitError> {
    let Command::Run(run) = &instruction.command else { return Ok(()) };
    let host = (run.network == Network::Host).then(|| ("--network=host".to_owned(), "network.host".to_owned()));
    let insecure = run.insecure.then(|| ("--security=insecure".to_owned(), "security.insecure".to_owned()));
    let devices = run.devices.iter().map(|name| (format!("--device={name}"), format!("device={name}")));
    for (flag, needed) in host.into_iter().chain(insecure).chain(devices) {
        let allowed = |what: &str| what == needed || needed.split('=').next() == Some(what);
        if !plan.run.allow.iter().any(|allow| allowed(&allow.what)) {
            let needed = escape::text(&needed).into_owned();
            return Err(BuildKitError::Refused {
                message: format!("{}: `RUN {}` needs `{needed}`", place(plan, instruction), escape::text(&flag)),
                fix: format!(
                    "allow it in the manifest, with a reason: allow = [{{ what = \"{needed}\", reason = \"…\" }}]"
                ),
                status: Status::Usage,
            });
        }
    }
    Ok(())
}

/// Files of a context whose names hide others in an image, which is not what anybody copies them for.
fn check_whiteouts(plan: &Plan) -> Result<(), BuildKitError> {
    let named = plan.inputs.contexts.values().filter_map(|context| match context {
        PlannedContext::Local(tree) => Some(tree),
        _ => None,
    });
    let mut entries = named.chain([&plan.inputs.context]).flat_map(|tree| &tree.entries);
    let is_whiteout = |path: &[u8]| path.split(|byte| *byte == b'/').any(|name| name.starts_with(whiteout::PREFIX));
    match entries.find(|entry| is_whiteout(&entry.path)) {
        None => Ok(()),
        Some(entry) => Err(BuildKitError::Refused {
            message: format!(
                "the name `/{}`: in an image it is no file, but hides the one without `.wh.`",
                escape::bytes(&entry.path)
            ),
            fix: "rename it, or exclude it in the ignore file".to_owned(),
            status: Status::Engine,
        }),
    }
}

/// Two different heredocs of one size at one path: BuildKit takes the second for the first.
fn check_heredocs(plan: &Plan, stage: &Stage) -> Result<(), BuildKitError> {
    let mut written: BTreeMap<Vec<u8>, (u32, Vec<u8>)> = BTreeMap::new();
    let mut directory = b"/".to_vec();
    for instruction in &stage.instructions {
        let transfer = match &instruction.command {
            Command::Copy(copy) => &copy.transfer,
            Command::Add(add) => &add.transfer,
            Command::Workdir(path) => {
                directory = joined(&directory, path);
                continue;
            }
            _ => continue,
        };
        for file in &transfer.files {
            let path = destination(&directory, transfer, &file.name);
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
                    fix: "leave out the first one, or change the length of one of them".to_owned(),
                    status: Status::Engine,
                });
            }
        }
    }
    Ok(())
}

fn destination(directory: &[u8], transfer: &Transfer, name: &Text) -> Vec<u8> {
    let path = joined(directory, &transfer.destination);
    let is_directory = transfer.destination.ends_with(b"/") || transfer.sources.len() + transfer.files.len() > 1;
    if is_directory { joined(&path, name) } else { path }
}

/// `path` seen from `directory`, without empty and `.` components.
fn joined(directory: &[u8], path: &[u8]) -> Vec<u8> {
    let start: &[u8] = if path.starts_with(b"/") { b"" } else { directory };
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
    let path = escape::name(plan.inputs.dockerfile_path.as_os_str().as_encoded_bytes());
    format!("{path}:{}", instruction.lines.start)
}
