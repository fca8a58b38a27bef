//! What in a Dockerfile will not reproduce, told before anything is built.
//!
//! [`lint`] takes a syntax tree and its [`Surroundings`] as values. [`file::File`] makes of them what rules ask for: stages
//! with their bases and values, RUNs with their commands ([`shell`]), and what reaches the image. Every rule of [`RULES`]
//! then looks at the whole file and adds [`LintFinding`]s, each with the [`span`] of the offending words. [`allow`]
//! silences those that comments and the manifest allow. `settle` says which the lockfile hides or lowers; `mend` makes the
//! edits that remove findings, where rules give them.
//!
//! [`untaped`] tells, of the same values, which commands find no network in a taped build.
//!
//! A new rule is a file in the directory of its section in `rules` and a line in that directory's `mod.rs`.

mod allow;
mod file;
mod fix;
mod mend;
mod rule;
mod rules;
mod settle;
mod shell;
mod span;
mod surroundings;
mod untaped;
mod wildcard;

use crate::dockerfile::syntax::Dockerfile;

pub use allow::Allow;
pub use fix::Edit;
pub use mend::{Mended, mend};
pub use rule::{LintFinding, Rule, severity_name};
pub use rules::RULES;
pub use settle::{LockFacts, settle};
pub use shell::Shell;
pub use span::Span;
pub use surroundings::{ContextFacts, Surroundings};
pub use untaped::{Untaped, untaped};

use file::File;
use rule::Findings;

/// What was found in a Dockerfile.
pub struct Linted {
    /// The findings, in the order of the places.
    pub findings: Vec<LintFinding>,
    /// Which of the manifest's allows silenced something, in their order.
    pub used: Vec<bool>,
}

/// Looks for everything that the rules know; `allows` are those of the manifest that hold for the file.
pub fn lint(dockerfile: &Dockerfile, surroundings: &Surroundings, allows: &[Allow], shell: &mut Shell) -> Linted {
    let file = File::read(dockerfile, surroundings, shell);
    let Some(first) = RULES.first() else { return Linted { findings: Vec::new(), used: Vec::new() } };
    let mut findings = Findings::of(first);
    for rule in RULES {
        findings.turn_to(rule);
        (rule.check)(&file, &mut findings);
    }
    let mut findings = findings.finish();
    let used = allow::apply(&file, allows, &mut findings);
    findings.sort_by_key(|finding| (finding.span.start, finding.rule.code));
    Linted { findings, used }
}

/// The rule of a code or name.
pub fn rule(name: &str) -> Option<&'static Rule> {
    RULES.iter().copied().find(|rule| rule.code.eq_ignore_ascii_case(name) || rule.name == name)
}

/// The 1-based line and column, in characters, of an offset in a file.
pub fn position(bytes: &[u8], offset: usize) -> (u32, u32) {
    let head = &bytes[..offset.min(bytes.len())];
    let line = head.iter().filter(|byte| **byte == b'\n').count() + 1;
    let start = head.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    let column = head[start..].iter().filter(|byte| **byte & 0xc0 != 0x80).count() + 1;
    let number = |value: usize| u32::try_from(value).unwrap_or(u32::MAX);
    (number(line), number(column))
}
