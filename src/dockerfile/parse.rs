//! The whole file: from bytes to the syntax tree.

use super::directive::{check_options, frontend};
use super::error::{DockerfileError, Phase};
use super::instruction::{Item, read_item};
use super::lines::read_nodes;
use super::syntax::{Command, Dockerfile};
use super::text::Text;

/// Bytes of a Dockerfile.
const FILE: usize = 1 << 20;
/// Instructions of a Dockerfile, `FROM` included.
const INSTRUCTIONS: usize = 10_000;
/// Stages of a Dockerfile.
const STAGES: usize = 1000;

#[cfg(test)]
thread_local! {
    /// How often this thread has parsed a Dockerfile.
    pub(crate) static PARSED: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
}

/// Reads a Dockerfile as BuildKit's parser does.
///
/// # Errors
/// What BuildKit refuses before it looks at stages, and the limits: 1 MiB, 10,000 instructions, 1000 stages.
pub fn parse(bytes: &[u8]) -> Result<Dockerfile, DockerfileError> {
    #[cfg(test)]
    PARSED.with(|count| count.set(count.get() + 1));
    if bytes.is_empty() {
        return Err(DockerfileError::new(Phase::Parse, "the Dockerfile cannot be empty"));
    }
    if bytes.len() > FILE {
        return Err(DockerfileError::limit(format!("the Dockerfile has more than {FILE} bytes")));
    }
    let nodes = read_nodes(bytes)?;
    if nodes.nodes.len() > INSTRUCTIONS {
        return Err(DockerfileError::limit(format!("the Dockerfile has more than {INSTRUCTIONS} instructions")));
    }
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
    if dockerfile.stages.len() > STAGES {
        return Err(DockerfileError::limit(format!("the Dockerfile has more than {STAGES} stages")));
    }
    Ok(dockerfile)
}
