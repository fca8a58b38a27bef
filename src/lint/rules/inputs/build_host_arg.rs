//! R014: the platform of the builder is read.

use super::arg_undefined::names;
use crate::finding::Severity;
use crate::lint::file::File;
use crate::lint::rule::{Findings, Lock, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    code: "R014",
    name: "build-host-arg",
    severity: Severity::Warning,
    lock: Lock::Yes,
    ships: false,
    summary: "the platform of the builder is read",
    why: "An image for one platform then depends on the machine that built it.",
    quiet: "`FROM --platform=$BUILDPLATFORM`; stages that do not ship",
    help: "use `TARGETARCH`; when cross-compiling, keep values of the builder out of written files",
    check,
};

const OF_BUILDER: [&str; 4] = ["BUILDPLATFORM", "BUILDOS", "BUILDARCH", "BUILDVARIANT"];

fn check(file: &File<'_>, findings: &mut Findings) {
    for stage in &file.stages {
        for name in OF_BUILDER.iter().filter(|name| names(&stage.written_base, name)) {
            findings.add(
                crate::lint::file::find(&stage.from, &stage.written_base),
                format!("the builder's own platform reaches the output: `{name}`"),
            );
        }
    }
    for placed in file.instructions().filter(|placed| placed.stage.ships) {
        let bodies = file.bodies(placed.stage.index, placed.position);
        for name in OF_BUILDER {
            let own = names(placed.text.text(), name);
            if own || bodies.iter().any(|body| names(body, name)) {
                let written = if placed.text.text().contains(&format!("${{{name}")) {
                    format!("${{{name}")
                } else {
                    format!("${name}")
                };
                findings
                    .add(placed.span_of(&written), format!("the builder's own platform reaches the output: `{name}`"));
            }
        }
    }
}
