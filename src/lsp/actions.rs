//! The edits that remove findings, as actions that an editor offers.

use std::collections::HashMap;

use lsp_types::{
    CodeAction, CodeActionContext, CodeActionKind, CodeActionOrCommand, Range, TextEdit, Uri, WorkspaceEdit,
};

use super::diagnostics::of_finding;
use super::position::Lines;
use crate::lint::LintFinding;
use crate::project::LintedFile;

/// All mechanical fixes of a document in one action.
pub(super) fn fix_all() -> CodeActionKind {
    CodeActionKind::from("source.fixAll.repro".to_owned())
}

/// What can be done about findings that touch a range, and about all of them.
pub(super) fn actions(
    uri: &Uri,
    lines: &Lines<'_>,
    file: &LintedFile,
    range: Range,
    context: &CodeActionContext,
) -> Vec<CodeActionOrCommand> {
    let is_wanted = |kind: &CodeActionKind| {
        let asked = |only: &CodeActionKind| {
            let rest = kind.as_str().strip_prefix(only.as_str());
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.') || only.as_str().is_empty())
        };
        context.only.as_ref().is_none_or(|only| only.iter().any(asked))
    };
    let mut all = Vec::new();
    if is_wanted(&CodeActionKind::QUICKFIX) {
        let open = file.findings.iter().filter(|finding| finding.allowed.is_none());
        all.extend(open.filter_map(|finding| quick_fix(uri, lines, finding, range)));
    }
    // Only on request: an editor that asks what can be done here means one place.
    if let Some(mended) = file.mended.as_ref().filter(|_| context.only.is_some() && is_wanted(&fix_all())) {
        let text = String::from_utf8_lossy(&mended.text).into_owned();
        all.push(CodeAction {
            title: format!("repro: make {} fixes", mended.count),
            kind: Some(fix_all()),
            edit: Some(edit_of(uri, vec![TextEdit { range: lines.whole(), new_text: text }])),
            ..CodeAction::default()
        });
    }
    all.into_iter().map(CodeActionOrCommand::CodeAction).collect()
}

fn quick_fix(uri: &Uri, lines: &Lines<'_>, finding: &LintFinding, range: Range) -> Option<CodeAction> {
    let place = lines.range(finding.span);
    let touches = place.start <= range.end && range.start <= place.end;
    let fix = finding.fix.as_ref().filter(|_| touches)?;
    let edits = fix.edits.iter().map(|edit| TextEdit { range: lines.range(edit.span), new_text: edit.text.clone() });
    Some(CodeAction {
        title: format!("{}: {}", finding.rule.code, crate::escape::visible(&fix.title)),
        kind: Some(CodeActionKind::QUICKFIX),
        diagnostics: Some(vec![of_finding(lines, finding)]),
        edit: Some(edit_of(uri, edits.collect())),
        ..CodeAction::default()
    })
}

#[allow(clippy::mutable_key_type, reason = "the protocol's crate has the map, and no key is changed")]
fn edit_of(uri: &Uri, edits: Vec<TextEdit>) -> WorkspaceEdit {
    WorkspaceEdit { changes: Some(HashMap::from([(uri.clone(), edits)])), ..WorkspaceEdit::default() }
}
