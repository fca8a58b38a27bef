//! The whole file: from bytes to the syntax tree.

use super::directive::{check_options, frontend};
use super::error::{DockerfileError, Phase};
use super::instruction::{Item, read_item};
use super::lines::read_nodes;
use super::syntax::{Command, Dockerfile};
use super::text::Text;
use crate::limits::{LimitExceeded, Limits};

#[cfg(test)]
thread_local! {
    /// How often this thread has parsed a Dockerfile.
    pub(crate) static PARSED: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
}

/// Reads a Dockerfile as BuildKit's parser does.
///
/// # Errors
/// What BuildKit refuses before it looks at stages, and the limits `dockerfile`, `instructions` and `stages`.
pub fn parse(bytes: &[u8], limits: &Limits) -> Result<Dockerfile, DockerfileError> {
    #[cfg(test)]
    PARSED.with(|count| count.set(count.get() + 1));
    if bytes.is_empty() {
        return Err(DockerfileError::new(Phase::Parse, "the Dockerfile cannot be empty"));
    }
    within(bytes.len(), "dockerfile", limits.dockerfile)?;
    let nodes = read_nodes(bytes)?;
    within(nodes.nodes.len(), "instructions", limits.instructions)?;
    let mut dockerfile = Dockerfile {
        bytes: bytes.to_vec(),
        escape: nodes.escape,
        syntax: frontend(bytes),
        check: check_options(bytes).map(Text::from),
        global_args: Vec::new(),
        stages: Vec::new(),
        empty_continuations: nodes.empty_continuations,
        has_nul: bytes.contains(&0),
    };
    for node in nodes.nodes {
        let line = node.lines.start;
        let lines = node.lines;
        let item = read_item(node).map_err(|error| DockerfileError {
            message: format!("dockerfile parse error on line {line}: {}", error.message),
            ..error
        })?;
        match (item, dockerfile.stages.last_mut()) {
            (Item::Stage(stage), _) => dockerfile.stages.push(*stage),
            (Item::Instruction(instruction), Some(stage)) => stage.instructions.push(*instruction),
            (Item::Instruction(instruction), None) if matches!(instruction.command, Command::Arg(_)) => {
                dockerfile.global_args.push(*instruction);
            }
            _ => return Err(DockerfileError::new(Phase::Instructions, "no build stage in current context").at(lines)),
        }
    }
    within(dockerfile.stages.len(), "stages", limits.stages)?;
    Ok(dockerfile)
}

fn within(count: usize, name: &'static str, limit: u64) -> Result<(), DockerfileError> {
    if count as u64 <= limit {
        return Ok(());
    }
    let exceeded = LimitExceeded { name, limit, object: "the Dockerfile".to_owned() };
    Err(DockerfileError::limit(exceeded.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_told_by_its_name_and_can_be_raised() {
        let text = "FROM scratch\n".repeat(3);
        let lowered = |name: &str| {
            let mut limits = Limits::default();
            assert!(limits.set(name, 2), "{name}");
            limits
        };
        assert!(parse(text.as_bytes(), &Limits::default()).is_ok());
        for name in ["dockerfile", "instructions", "stages"] {
            let error = parse(text.as_bytes(), &lowered(name)).unwrap_err();
            assert!(error.is_limit);
            let told = format!("the Dockerfile: limit `{name}` of 2 exceeded; `--limit {name}=VALUE` raises it");
            assert_eq!(error.to_string(), told);
        }
        let many = "FROM scratch\n".repeat(1001);
        assert!(parse(many.as_bytes(), &Limits::default()).is_err());
        assert!(parse(many.as_bytes(), &Limits { stages: 1001, ..Limits::default() }).is_ok());
    }
}
