//! Variables for RUN as BuildKit takes them: secret mounts in the staged Dockerfile, and files that hold the values.

use std::borrow::Cow;
use std::fs;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use semver::Version;

use crate::build::{Content, Injection, Plan, Reason, injected};
use crate::dockerfile::{RunPlace, add_run_flags, frontend};
use crate::engine::buildkit::failure::BuildKitError;
use crate::reference::Reference;
use crate::status::{Failure, Status};

/// How the added flags begin, and the ids in them.
const FLAG: &str = "--mount=type=secret,id=";
const PREFIX: &str = "repro:";
/// The id of the certificate of BuildKit's proxy.
pub const CERTIFICATE: &str = "repro:certificate";
/// The first BuildKit whose own frontend, Dockerfile 1.10, gives secrets as variables.
const BUILDKIT: Version = Version::new(0, 16, 0);
/// The first such frontend of its own.
const FRONTEND: (u64, u64) = (1, 10);

/// The Dockerfile that is staged, and the secrets that its mounts name.
pub struct Surrounded {
    /// The Dockerfile's bytes.
    pub dockerfile: Vec<u8>,
    /// Ids with the files that hold the values.
    pub secrets: Vec<(String, PathBuf)>,
}

/// Gives the variables of `plan` to each RUN; the values are written below `folder`, readable for their owner only.
///
/// Without the `certificate` of BuildKit's proxy, what needs it is left out.
pub fn surround(plan: &Plan, certificate: Option<&str>, folder: &Path) -> Result<Surrounded, Failure> {
    let mut injections = injected(plan);
    injections.retain(|injection| certificate.is_some() || !needs_certificate(injection));
    if injections.is_empty() {
        return Ok(Surrounded { dockerfile: plan.dockerfile.clone(), secrets: Vec::new() });
    }
    let dockerfile = add_run_flags(&plan.dockerfile, |place| flags(&injections, place))?;
    let folder = folder.join("variables");
    fs::create_dir(&folder).map_err(BuildKitError::io(&folder))?;
    let mut secrets = Vec::new();
    for (number, injection) in injections.iter().enumerate() {
        let mut contents = vec![(variable_id(injection), injection.value.clone())];
        if let Some(Content::Text(text)) = injection.file {
            let lines = text.lines().filter(|line| certificate.is_some() || !line.contains("proxy.pem"));
            contents.push((file_id(injection), lines.map(|line| format!("{line}\n")).collect()));
        }
        for (id, content) in contents {
            let path = folder.join(format!("{number}-{}", id.replace(':', "-")));
            write(&path, content.as_bytes()).map_err(BuildKitError::io(&path))?;
            secrets.push((id, path));
        }
    }
    if let Some(certificate) = certificate {
        let path = folder.join("certificate");
        write(&path, certificate.as_bytes()).map_err(BuildKitError::io(&path))?;
        secrets.push((CERTIFICATE.to_owned(), path));
    }
    Ok(Surrounded { dockerfile, secrets })
}

/// Whether a variable leads programs to the certificate, and to nothing else.
fn needs_certificate(injection: &Injection) -> bool {
    injection.file == Some(Content::Certificate) || injection.variable == "WGETRC"
}

/// Refuses frontends that don't know secrets as variables.
pub fn check_frontend(plan: &Plan) -> Result<(), BuildKitError> {
    if injected(plan).is_empty() {
        return Ok(());
    }
    let named = plan.args.get("BUILDKIT_SYNTAX").cloned().or_else(|| frontend(&plan.dockerfile));
    let Some(named) = named.filter(|name| is_too_old(name)) else { return Ok(()) };
    Err(BuildKitError::Refused {
        message: format!(
            "image `{}`: the frontend `{}` can't give variables to RUN, expected Dockerfile {}.{} or newer",
            plan.image,
            crate::escape::text(&named),
            FRONTEND.0,
            FRONTEND.1,
        ),
        mend: "write `# syntax=docker/dockerfile:1.10` or a newer one, or leave the line out".to_owned(),
        status: Status::Engine,
    })
}

/// Refuses a daemon whose own frontend does not know secrets as variables.
pub fn check_version(plan: &Plan, version: &str) -> Result<(), BuildKitError> {
    let uses_own = frontend(&plan.dockerfile).is_none() && !plan.args.contains_key("BUILDKIT_SYNTAX");
    let known = Version::parse(version.trim_start_matches('v')).ok();
    if injected(plan).is_empty() || !uses_own || known.is_none_or(|version| version >= BUILDKIT) {
        return Ok(());
    }
    Err(BuildKitError::Unusable {
        message: format!(
            "BuildKit is `{}`, which can't give variables to RUN: expected v{BUILDKIT} or newer",
            crate::escape::text(version)
        ),
        mend: "start a newer BuildKit, or leave `run-env` out".to_owned(),
    })
}

/// Whether a reference names Docker's frontend by the tag of an old release (`docker/dockerfile:1.4-labs`).
fn is_too_old(name: &str) -> bool {
    let Ok(reference) = name.parse::<Reference>() else { return false };
    if !reference.path().rsplit('/').next().is_some_and(|last| last.starts_with("dockerfile")) {
        return false;
    }
    let tag = reference.tag().unwrap_or_default();
    let mut numbers = tag.split('-').next().unwrap_or_default().split('.').map(|part| part.parse::<u64>().ok());
    match (numbers.next().flatten(), numbers.next().flatten()) {
        (Some(major), Some(minor)) => (major, minor) < FRONTEND,
        (Some(major), None) => major < FRONTEND.0,
        (None, _) => false,
    }
}

/// The flags of one RUN: what a tape needs only where the Dockerfile does not set it itself.
fn flags(injections: &[Injection], place: &RunPlace) -> Vec<String> {
    let mut flags = Vec::new();
    let mut certificate = None;
    for injection in injections {
        if injection.reason == Reason::Tape && place.variables.contains(&injection.variable) {
            continue;
        }
        flags.push(format!("{FLAG}{},env={},required", variable_id(injection), injection.variable));
        let file = |id: &str| format!("{FLAG}{id},target={},mode=0444,required", injection.value);
        match injection.file {
            Some(Content::Text(_)) => flags.push(file(&file_id(injection))),
            Some(Content::Certificate) => certificate = Some(file(CERTIFICATE)),
            None => {}
        }
    }
    flags.extend(certificate);
    flags
}

/// A line of a log without the flags that [`surround`] added, so that instructions read as their author wrote them.
pub fn without_flags(line: &str) -> Cow<'_, str> {
    let start = format!("{FLAG}{PREFIX}");
    if !line.contains(&start) {
        return Cow::Borrowed(line);
    }
    Cow::Owned(line.split(' ').filter(|word| !word.starts_with(&start)).collect::<Vec<_>>().join(" "))
}

/// Ids with a colon are none that a manifest can name.
fn variable_id(injection: &Injection) -> String {
    format!("{PREFIX}{}", injection.variable)
}

fn file_id(injection: &Injection) -> String {
    format!("{PREFIX}file:{}", injection.variable)
}

fn write(path: &Path, content: &[u8]) -> std::io::Result<()> {
    let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(content)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_frontends_are_known_by_their_tag() {
        for (name, want) in [
            ("docker/dockerfile:1.4", true),
            ("docker.io/docker/dockerfile:1.9.0-labs", true),
            ("docker/dockerfile:0.12", true),
            ("docker/dockerfile:1.10", false),
            ("docker/dockerfile:1", false),
            ("docker/dockerfile:1-labs", false),
            ("docker/dockerfile:latest", false),
            ("docker/dockerfile-upstream:1.3", true),
            ("registry.example/frontend:0.1", false),
            ("docker/dockerfile", false),
        ] {
            assert_eq!(is_too_old(name), want, "{name}");
        }
    }

    #[test]
    fn instructions_are_shown_as_they_were_written() {
        let line = "#5 [2/2] RUN --mount=type=secret,id=repro:A,env=A,required --mount=type=secret,id=mine,env=B  make";
        assert_eq!(without_flags(line), "#5 [2/2] RUN --mount=type=secret,id=mine,env=B  make");
        assert_eq!(without_flags("a  b"), "a  b");
    }

    #[test]
    fn the_dockerfile_wins_over_the_tape_and_the_manifest_over_the_dockerfile() {
        let injection = |variable: &str, reason| Injection {
            variable: variable.to_owned(),
            value: "/dev/.repro/x".to_owned(),
            file: (reason == Reason::Tape).then_some(Content::Text("y")),
            reason,
        };
        let place = RunPlace { lines: Default::default(), variables: ["A".to_owned(), "B".to_owned()].into() };
        let certificate = |variable: &str| Injection {
            value: "/dev/.repro/c".to_owned(),
            file: Some(Content::Certificate),
            ..injection(variable, Reason::Tape)
        };
        let all = [
            injection("A", Reason::Tape),
            injection("B", Reason::RunEnv),
            injection("C", Reason::Tape),
            certificate("D"),
            certificate("E"),
        ];
        assert_eq!(
            flags(&all, &place),
            [
                "--mount=type=secret,id=repro:B,env=B,required",
                "--mount=type=secret,id=repro:C,env=C,required",
                "--mount=type=secret,id=repro:file:C,target=/dev/.repro/x,mode=0444,required",
                "--mount=type=secret,id=repro:D,env=D,required",
                "--mount=type=secret,id=repro:E,env=E,required",
                "--mount=type=secret,id=repro:certificate,target=/dev/.repro/c,mode=0444,required",
            ]
        );
    }
}
