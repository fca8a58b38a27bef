//! A line that removes files at the end of a RUN.

use crate::dockerfile::syntax::Command as Instruction;
use crate::lint::file::{File, Run};
use crate::lint::fix::{Edit, Fix};
use crate::lint::shell::{Command, Inside};
use crate::lint::span::Located;

use super::edits::line_end;

/// Removes these paths once all of the RUN is done: they join an `rm -rf` that ends it, or make one.
pub(super) fn remove_at_end(file: &File<'_>, run: &Run, after: usize, paths: &[&str]) -> Option<Fix> {
    let title = format!("remove {}", paths.join(" "));
    let Instruction::Run(syntax) = &file.stages[run.stage].instructions[run.position].command else { return None };
    if !syntax.command.shell || paths.is_empty() {
        return None;
    }
    let text = &file.stages[run.stage].joined[run.position];
    let paths = paths.join(" ");
    if syntax.heredocs.is_empty() {
        let last = run.commands.len().checked_sub(1).filter(|last| *last > after).map(|last| &run.commands[last]);
        let edit = match last.filter(|last| is_removal(last) && ends(text, last)) {
            Some(last) => Edit::insert(last.span.end, format!(" {paths}")),
            None => appended(file, run, text, &removal(&run.commands[after], &paths))?,
        };
        return Fix::one(title, Some(edit));
    }
    let is_script = text.text().split_whitespace().last().is_some_and(|word| word.starts_with("<<"))
        && syntax.heredocs.len() == 1
        && run.commands.first().is_some_and(|command| command.span.start > text.whole().end);
    let end = file.stages[run.stage].instructions[run.position].lines.end;
    let line = format!("{}{}", removal(&run.commands[after], &paths), line_end(file, end - 1));
    Fix::one(title, is_script.then(|| Edit::insert(file.offset(end), line)))
}

/// The command, run as the one that left the files.
fn removal(installer: &Command, paths: &str) -> String {
    let sudo = if installer.wrappers.iter().any(|wrapper| wrapper == "sudo") { "sudo " } else { "" };
    format!("{sudo}rm -rf {paths}")
}

/// `rm -rf` of named files, and nothing else.
fn is_removal(command: &Command) -> bool {
    command.name == "rm"
        && matches!(command.inside, Inside::Script)
        && command.short('r', "")
        && command.short('f', "")
        && command.redirects.is_empty()
        && command.operands().all(|word| word.text().starts_with('/') && !word.is_dynamic)
}

/// The script ends with the command, which runs whenever what stands before it succeeds.
fn ends(text: &Located, command: &Command) -> bool {
    let Some(start) = text.at(command.span.start) else { return false };
    let Some(last) = text.at(command.span.end - 1) else { return false };
    let before = text.text()[..start].trim_end().trim_end_matches("sudo").trim_end();
    let after = text.text()[last + 1..].trim();
    (before.ends_with("&&") || before.ends_with(';') && !before.ends_with(";;")) && matches!(after, "" | ";")
}

/// One more command at the end of a script of one line or several.
fn appended(file: &File<'_>, run: &Run, text: &Located, command: &str) -> Option<Edit> {
    let script = text.text().trim_end();
    let at = text.span(script.len().checked_sub(1)?..script.len()).end;
    if script.ends_with(['&', '|', '\\']) {
        return None;
    }
    let lines = file.stages[run.stage].instructions[run.position].lines;
    let number = (lines.start..=lines.end).rev().find(|number| file.offset(*number) < at)?;
    let line = file.line(number).0;
    let indent = String::from_utf8_lossy(&line[..line.len() - line.trim_ascii_start().len()]).into_owned();
    let leads = line.trim_ascii_start().starts_with(b"&&");
    let (escape, end) = (file.dockerfile.escape.char(), line_end(file, lines.start));
    let is_list = script.ends_with(';');
    let text = match (number > lines.start, is_list) {
        (false, true) => format!(" {command}"),
        (false, false) => format!(" && {command}"),
        (true, true) => format!(" {escape}{end}{indent}{command}"),
        (true, false) if leads => format!(" {escape}{end}{indent}&& {command}"),
        (true, false) => format!(" && {escape}{end}{indent}{command}"),
    };
    Some(Edit::insert(at, text))
}
