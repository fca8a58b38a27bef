//! What a lockfile that fits does to findings.

use super::rule::{LintFinding, Lock};
use crate::finding::Severity;

/// What the lockfile holds fast, beyond that it fits.
#[derive(Clone, Debug, Default)]
pub struct LockFacts {
    /// RUN's downloads come from the tape.
    pub has_tape: bool,
}

/// Rules whose effect only the tape removes.
const OF_TAPE: [&str; 16] = [
    "R009", "R010", "R011", "R018", "R021", "R024", "R025", "R026", "R027", "R028", "R029", "R030", "R031", "R032",
    "R033", "R035",
];

/// Takes out what the lockfile removes, and lowers and marks what it makes smaller.
pub fn settle(findings: &mut Vec<LintFinding>, facts: &LockFacts) {
    findings.retain_mut(|finding| {
        let code = finding.rule.code;
        let by_tape = OF_TAPE.contains(&code);
        if by_tape && facts.has_tape {
            return false;
        }
        match finding.rule.lock {
            Lock::Yes => false,
            Lock::Part if !by_tape => {
                finding.locked = true;
                finding.severity = lower(finding.severity);
                true
            }
            _ => true,
        }
    });
}

fn lower(severity: Severity) -> Severity {
    match severity {
        Severity::Error => Severity::Warning,
        Severity::Warning | Severity::Note => Severity::Note,
    }
}
