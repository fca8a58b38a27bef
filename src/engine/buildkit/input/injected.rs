//! Variables for RUN as BuildKit takes them: secret mounts in the staged Dockerfile, and files that hold the values.

use std::borrow::Cow;
use std::fs;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use crate::build::{Content, Injection, Plan, Reason, injected};
use crate::dockerfile::{RunPlace, add_run_flags};
use crate::engine::buildkit::failure::BuildKitError;
use crate::status::Failure;

/// How the added flags begin, and the ids in them.
const FLAG: &str = "--mount=type=secret,id=";
const PREFIX: &str = "repro:";
/// The id of the certificate of BuildKit's proxy.
pub const CERTIFICATE: &str = "repro:certificate";

/// The Dockerfile that is staged, and the secrets that its mounts name.
pub struct Surrounded {
    /// The Dockerfile's bytes.
    pub dockerfile: Vec<u8>,
    /// Ids with the files that hold the values.
    pub secrets: Vec<(String, PathBuf)>,
}

/// Gives the variables of `plan` to each RUN; the values are written below `directory`, readable for their owner only.
///
/// Without the `certificate` of BuildKit's proxy, what needs it is left out.
pub fn surround(plan: &Plan, certificate: Option<&str>, directory: &Path) -> Result<Surrounded, Failure> {
    let mut injections = injected(plan);
    injections.retain(|injection| certificate.is_some() || !needs_certificate(injection));
    if injections.is_empty() {
        return Ok(Surrounded { dockerfile: plan.inputs.dockerfile.bytes.clone(), secrets: Vec::new() });
    }
    let dockerfile = add_run_flags(&plan.inputs.dockerfile, |place| flags(&injections, place))?;
    let directory = directory.join("variables");
    fs::create_dir(&directory).map_err(BuildKitError::io(&directory))?;
    let mut secrets = Vec::new();
    for (number, injection) in injections.iter().enumerate() {
        let mut contents = vec![(variable_id(injection), injection.value.clone().into_bytes())];
        match injection.file {
            Some(Content::Text(text)) => {
                let lines = text.lines().filter(|line| certificate.is_some() || !line.contains("proxy.pem"));
                let text: String = lines.map(|line| format!("{line}\n")).collect();
                contents.push((file_id(injection), text.into_bytes()));
            }
            Some(file) => contents.extend(file.bytes().map(|bytes| (file_id(injection), bytes.to_vec()))),
            None => {}
        }
        for (id, content) in contents {
            let path = directory.join(format!("{number}-{}", id.replace(':', "-")));
            write(&path, &content).map_err(BuildKitError::io(&path))?;
            secrets.push((id, path));
        }
    }
    if let Some(certificate) = certificate {
        let path = directory.join("certificate");
        write(&path, certificate.as_bytes()).map_err(BuildKitError::io(&path))?;
        secrets.push((CERTIFICATE.to_owned(), path));
    }
    Ok(Surrounded { dockerfile, secrets })
}

/// Whether a variable leads programs to the certificate, and to nothing else.
fn needs_certificate(injection: &Injection) -> bool {
    injection.file == Some(Content::Certificate) || injection.variable == "WGETRC"
}

/// The flags of one RUN: what a tape needs only where the Dockerfile does not set it itself.
fn flags(injections: &[Injection], place: &RunPlace) -> Vec<String> {
    let mut flags = Vec::new();
    let mut certificate = None;
    for injection in injections {
        let is_set = place.variables.contains(&injection.variable);
        if injection.reason == Reason::Tape && (is_set || !injection.is_for(&place.text)) {
            continue;
        }
        flags.push(format!("{FLAG}{},env={},required", variable_id(injection), injection.variable));
        let file = |id: &str| format!("{FLAG}{id},target={},mode=0444,required", injection.path());
        match injection.file {
            Some(Content::Text(_) | Content::Agent) => flags.push(file(&file_id(injection))),
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
        let place = RunPlace { variables: ["A".to_owned(), "B".to_owned()].into(), text: b"RUN make".to_vec() };
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
