//! What Dockerfile frontends read in two ways: 1.28, which BuildKit brings along since v0.34, and those before it.
//!
//! Which of them recorded an image the lockfile may not know, so this engine builds neither way.

use super::problem::Problem;
use super::refusal::Place;
use crate::build::Plan;
use crate::dockerfile::syntax::Lines;
use crate::dockerfile::target::{Action, Step, Target};
use crate::status::Failure;

/// Refuses owners without a group behind the colon, and escapes between single quotes in a pattern.
pub(super) fn check(plan: &Plan, target: &Target) -> Result<(), Failure> {
    let dockerfile = &plan.inputs.dockerfile;
    let makes_directories = |step: &Step| matches!(step.action, Action::Workdir(_));
    for (number, stage) in &target.stages {
        let elsewhere = target.stages.iter().any(|(n, other)| n != number && other.steps.iter().any(makes_directories));
        for (at, step) in stage.steps.iter().enumerate() {
            let owns = elsewhere || stage.steps[at..].iter().any(makes_directories);
            if lacks_group(step, owns) {
                return Err(refusal(
                    Place::of_step(&plan.inputs.dockerfile_path, step),
                    "the group behind the colon is the user's own since Dockerfile 1.28, and was 0 before; write it \
                     there",
                ));
            }
        }
    }
    let escape = dockerfile.escape.char() as u8;
    let line = dockerfile.bytes.split(|byte| *byte == b'\n').position(|line| has_quoted_escape(line, escape));
    match line {
        Some(at) => {
            let number = at as u32 + 1;
            let place = Place::new(&plan.inputs.dockerfile_path, Lines { start: number, end: number }, "${…}");
            let reason =
                "the escape between quotes in the pattern stands for itself since Dockerfile 1.28, and did not before";
            Err(refusal(place, reason))
        }
        None => Ok(()),
    }
}

fn refusal(place: Place, unproven: &str) -> Failure {
    place.error(Problem::Unproven(unproven.to_owned()))
}

/// Whether an owner has no group behind the colon that somebody could look for; `owns` if directories may become a user's.
fn lacks_group(step: &Step, owns: bool) -> bool {
    match &step.action {
        Action::Transfer(transfer) => transfer.chown.ends_with(':'),
        // It owns what WORKDIR makes.
        Action::User(user) => owns && user.ends_with(':'),
        _ => false,
    }
}

/// Whether a line has `${NAME#…}`, `${NAME%…}` or `${NAME/…}` with an escape behind a single quote; where it ends does
/// not matter, and a line that only looks so is left to others too.
fn has_quoted_escape(line: &[u8], escape: u8) -> bool {
    let starts = line.windows(2).enumerate().filter(|(_, pair)| *pair == b"${").map(|(at, _)| at + 2);
    starts.into_iter().any(|start| {
        let rest = &line[start..];
        let name = rest.iter().take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_').count();
        let Some((b'#' | b'%' | b'/', pattern)) = rest[name..].split_first() else { return false };
        let quote = pattern.iter().position(|byte| *byte == b'\'');
        quote.is_some_and(|quote| pattern[quote..].contains(&escape))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_escapes_behind_a_single_quote_of_a_pattern_count() {
        for (line, want) in [
            (r"ENV A=${S#'\*'}", true),
            (r"ENV A=${S%%'a\b'}", true),
            (r"ENV A=${S//'\.'/x}", true),
            (r"ENV A=${S#\*}", false),
            (r#"ENV A=${S#"\*"}"#, false),
            (r"ENV A=${S:-'\*'}", false),
            (r"ENV A='\*' B=${S}", false),
            (r"RUN echo '${S}' \", false),
        ] {
            assert_eq!(has_quoted_escape(line.as_bytes(), b'\\'), want, "{line}");
        }
    }
}
