//! R012: a stage reads an argument that has no value.

use crate::dockerfile::syntax::Command;
use crate::finding::Severity;
use crate::lint::file::File;
use crate::lint::file::Placed;
use crate::lint::rule::{Findings, Lock, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    code: "R012",
    name: "arg-undefined",
    severity: Severity::Warning,
    lock: Lock::Yes,
    ships: false,
    summary: "a stage reads an argument that has no value",
    why: "It is empty here and something else for whoever passes one.",
    quiet: "predefined arguments and SOURCE_DATE_EPOCH; arguments that are only read with a default of their own",
    help: "`ARG NAME=…`, or `args` in repro.toml; an empty value that is meant is `ARG NAME=\"\"`",
    check,
};

fn check(file: &File<'_>, findings: &mut Findings) {
    for placed in file.instructions() {
        let Command::Arg(arguments) = &placed.instruction.command else { continue };
        for argument in arguments.iter().filter(|argument| argument.default.is_none()) {
            let name = argument.name.lossy();
            let is_known = file.value(placed.stage.index, placed.position + 1, &name).is_some()
                || file.surroundings.args.contains_key(&*name);
            if !is_known && !is_predefined(&name) && is_read(file, &placed, &name) {
                findings.add(placed.span_of(&name), format!("`{name}` is empty unless the caller passes it"));
            }
        }
    }
}

/// Arguments that are always there, or meant to be absent.
pub(in crate::lint::rules) fn is_predefined(name: &str) -> bool {
    const PARTS: [&str; 4] = ["PLATFORM", "OS", "ARCH", "VARIANT"];
    const PROXIES: [&str; 5] = ["HTTP_PROXY", "HTTPS_PROXY", "FTP_PROXY", "NO_PROXY", "ALL_PROXY"];
    let platform =
        name.strip_prefix("TARGET").or_else(|| name.strip_prefix("BUILD")).is_some_and(|rest| PARTS.contains(&rest));
    platform
        || PROXIES.contains(&name.to_uppercase().as_str())
        || name.starts_with("BUILDKIT_")
        || matches!(name, "SOURCE_DATE_EPOCH" | "TARGETSTAGE")
}

/// A later instruction of the stage names the variable, other than with a default.
fn is_read(file: &File<'_>, arg: &Placed<'_, '_>, name: &str) -> bool {
    let stage = &file.stages[arg.stage.index];
    let later = stage.instructions.iter().zip(&stage.joined).skip(arg.position + 1);
    let redefined = |command: &Command| match command {
        Command::Env(pairs) => pairs.iter().any(|pair| *pair.key == *name.as_bytes()),
        _ => false,
    };
    for (instruction, text) in later {
        let heredocs = match &instruction.command {
            Command::Run(run) => run.heredocs.iter().map(|heredoc| heredoc.body.lossy().into_owned()).collect(),
            _ => Vec::new(),
        };
        if std::iter::once(text.text()).chain(heredocs.iter().map(String::as_str)).any(|text| names(text, name)) {
            return true;
        }
        if redefined(&instruction.command) {
            return false;
        }
    }
    false
}

/// `$NAME` or `${NAME}` stands in a text.
pub(in crate::lint::rules) fn names(text: &str, name: &str) -> bool {
    text.match_indices('$').any(|(at, _)| {
        let rest = &text[at + 1..];
        let (rest, is_braced) = rest.strip_prefix('{').map_or((rest, false), |rest| (rest, true));
        let Some(rest) = rest.strip_prefix(name) else { return false };
        let next = rest.chars().next();
        match is_braced {
            true => {
                next.is_some_and(|c| {
                    !matches!(c, ':' | '-' | '+' | '?' | '=') && !c.is_ascii_alphanumeric() && c != '_'
                }) || rest.starts_with(':')
                    && !rest.starts_with(":-")
                    && !rest.starts_with(":+")
                    && !rest.starts_with(":?")
                    && !rest.starts_with(":=")
            }
            false => !next.is_some_and(|c| c.is_ascii_alphanumeric() || c == '_'),
        }
    })
}
