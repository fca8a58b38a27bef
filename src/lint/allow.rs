//! Findings that a comment or the manifest allows.
//!
//! `# repro: allow=R021,R022 reason="…"` above an instruction holds for that instruction, `[[lint.allow]]` for the file.
//! Without a reason nothing is allowed. What allows nothing is told as [`UNUSED`].

use super::file::File;
use super::fix::{Edit, Fix};
use super::rule::{LintFinding, Lock, Rule};
use super::span::Span;
use crate::dockerfile::syntax::Lines;
use crate::finding::Severity;

/// One `[[lint.allow]]` of the manifest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Allow {
    /// The code.
    pub code: String,
    /// Why.
    pub reason: String,
}

/// A comment allows what is not found.
pub static UNUSED: Rule = Rule {
    code: "R198",
    name: "allow-unused",
    severity: Severity::Warning,
    lock: Lock::No,
    ships: false,
    summary: "a comment, or the manifest, allows a rule that finds nothing there",
    why: "What it was written for is gone; it would hide the next one.",
    quiet: "",
    help: "delete it",
    check: |_, _| (),
};

/// A comment allows something and doesn't say why.
pub static WITHOUT_REASON: Rule = Rule {
    code: "R199",
    name: "allow-without-reason",
    severity: Severity::Error,
    lock: Lock::No,
    ships: false,
    summary: "a comment allows a rule without saying why",
    why: "Nobody can tell later whether the reason still holds, so nothing is allowed by it.",
    quiet: "a warning where the finding itself is an error: that stays",
    help: "`# repro: allow=R021 reason=\"base image already points at a snapshot\"`",
    check: |_, _| (),
};

/// A comment that allows something.
struct Comment {
    span: Span,
    codes: Vec<String>,
    reason: Option<String>,
    /// The bytes of the instruction below.
    holds: std::ops::Range<usize>,
}

/// Marks what is allowed, adds what is wrong with the comments, and tells which allows of the manifest are used.
pub(super) fn apply(file: &File<'_>, allows: &[Allow], findings: &mut Vec<LintFinding>) -> Vec<bool> {
    let mut added = Vec::new();
    for comment in comments(file) {
        for code in &comment.codes {
            let matching = || {
                let holds = comment.holds.clone();
                move |finding: &&mut LintFinding| {
                    finding.rule.code.eq_ignore_ascii_case(code) && holds.contains(&finding.span.start)
                }
            };
            match &comment.reason {
                Some(reason) => {
                    let mut count = 0;
                    for finding in findings.iter_mut().filter(matching()) {
                        finding.allowed = Some(reason.clone());
                        count += 1;
                    }
                    if count == 0 {
                        let message = format!("`{code}` is allowed here, and nothing of it is found");
                        let fix = without(file, &comment, code);
                        added.push(LintFinding { fix, ..found(&UNUSED, UNUSED.severity, comment.span, message) });
                    }
                }
                None => {
                    let is_error =
                        findings.iter_mut().filter(matching()).any(|finding| finding.severity == Severity::Error);
                    let severity = if is_error { Severity::Warning } else { Severity::Error };
                    let message = format!("`{code}` is not allowed: the comment gives no reason");
                    added.push(found(&WITHOUT_REASON, severity, comment.span, message));
                }
            }
        }
    }
    findings.extend(added);
    let mut used = vec![false; allows.len()];
    for (allow, used) in allows.iter().zip(&mut used) {
        for finding in findings.iter_mut().filter(|finding| finding.rule.code.eq_ignore_ascii_case(&allow.code)) {
            finding.allowed.get_or_insert_with(|| allow.reason.clone());
            *used = true;
        }
    }
    used
}

fn found(rule: &'static Rule, severity: Severity, span: Span, message: String) -> LintFinding {
    LintFinding { rule, severity, span, message, help: rule.help.to_owned(), allowed: None, locked: false, fix: None }
}

/// Takes the comment away, or one of its codes.
fn without(file: &File<'_>, comment: &Comment, code: &str) -> Option<Fix> {
    if let [_] = comment.codes.as_slice() {
        let lines = &file.dockerfile.bytes;
        let start = lines[..comment.span.start].iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        let rest = &lines[comment.span.end..];
        let end = rest.iter().position(|byte| *byte == b'\n').map_or(lines.len(), |at| comment.span.end + at + 1);
        return Fix::one("delete the comment", Some(Edit::replace(Span { start, end }, "")));
    }
    let text = std::str::from_utf8(file.dockerfile.bytes.get(comment.span.start..comment.span.end)?).ok()?;
    let at = text.find(code)?;
    let behind = &text[at + code.len()..];
    let (start, end) = match behind.trim_start().strip_prefix(',') {
        Some(rest) => (at, text.len() - rest.trim_start().len()),
        None => (text[..at].trim_end().strip_suffix(',')?.trim_end().len(), at + code.len()),
    };
    let span = Span { start: comment.span.start + start, end: comment.span.start + end };
    Fix::one(format!("delete `{code}`"), Some(Edit::replace(span, "")))
}

fn comments(file: &File<'_>) -> Vec<Comment> {
    let dockerfile = file.dockerfile;
    let of_stages = dockerfile.stages.iter().flat_map(|stage| {
        let own = (!stage.comments.is_empty()).then_some(stage.lines);
        own.into_iter().chain(lines_of(&stage.instructions))
    });
    lines_of(&dockerfile.global_args).chain(of_stages).flat_map(|lines| above(file, lines)).collect()
}

fn lines_of(instructions: &[crate::dockerfile::syntax::Instruction]) -> impl Iterator<Item = Lines> {
    instructions.iter().filter(|instruction| !instruction.comments.is_empty()).map(|instruction| instruction.lines)
}

/// The comments right above an instruction that allow something.
fn above(file: &File<'_>, lines: Lines) -> Vec<Comment> {
    let holds = file.offset(lines.start)..file.offset(lines.end + 1);
    let mut found = Vec::new();
    for number in (1..lines.start).rev() {
        let (line, start) = file.line(number);
        let text = String::from_utf8_lossy(line);
        let trimmed = text.trim();
        if trimmed.is_empty() {
            continue;
        }
        let Some(comment) = trimmed.strip_prefix('#') else { break };
        let Some((codes, reason)) = read(comment) else { continue };
        let indent = text.len() - text.trim_start().len();
        let span = Span { start: start + indent, end: start + indent + trimmed.len() };
        found.push(Comment { span, codes, reason, holds: holds.clone() });
    }
    found
}

/// The codes and the reason of `repro: allow=CODE,… reason="…"`; none for other comments.
fn read(comment: &str) -> Option<(Vec<String>, Option<String>)> {
    let rest =
        comment.trim().strip_prefix("repro:")?.trim_start().strip_prefix("allow")?.trim_start().strip_prefix('=')?;
    let (head, tail) = match rest.split_once("reason") {
        Some((head, tail)) => (head, Some(tail)),
        None => (rest, None),
    };
    let codes: Vec<String> = head
        .split([',', ' ', '\t'])
        .map(|code| code.trim_matches('"').to_owned())
        .filter(|code| !code.is_empty())
        .collect();
    let reason = tail
        .and_then(|tail| tail.trim_start().strip_prefix('='))
        .map(|tail| tail.trim().trim_matches(['"', '\'']).trim());
    Some((codes, reason.filter(|reason| !reason.is_empty()).map(str::to_owned)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_comment_allows_with_a_reason() {
        for (comment, want) in [
            (" repro: allow=R021 reason=\"why not\"", Some((vec!["R021"], Some("why not")))),
            ("repro:allow=R021,R022 reason='x'", Some((vec!["R021", "R022"], Some("x")))),
            (" repro: allow=R040", Some((vec!["R040"], None))),
            (" repro: allow=R040 reason=\"\"", Some((vec!["R040"], None))),
            (" repro: allow=R040 reason=\"  \"", Some((vec!["R040"], None))),
            (" repro is good", None),
            (" hadolint ignore=DL3008", None),
        ] {
            let read = read(comment);
            let read = read
                .as_ref()
                .map(|(codes, reason)| (codes.iter().map(String::as_str).collect::<Vec<_>>(), reason.as_deref()));
            assert_eq!(read, want, "{comment}");
        }
    }
}
