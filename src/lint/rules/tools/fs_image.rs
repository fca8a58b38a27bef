//! R075: a file system image is made.

use super::super::edits::{behind_name, epoch_for};
use super::super::managers::is_alpine;
use super::super::removed::is_gone;
use crate::finding::Severity;
use crate::lint::file::File;
use crate::lint::file::Run;
use crate::lint::fix::Fix;
use crate::lint::rule::{Findings, Lock, Rule};
use crate::lint::shell::Command;

/// The rule.
pub static RULE: Rule = Rule {
    code: "R075",
    name: "fs-image",
    severity: Severity::Warning,
    lock: Lock::No,
    ships: true,
    summary: "a file system image is made",
    why: "It holds an identifier, times, and blocks in the order in which they were taken.",
    quiet: "images in stages that do not ship; mksquashfs with SOURCE_DATE_EPOCH; `cpio --reproducible`; images that are removed again",
    help: "`cpio --reproducible`; `mke2fs -U <uuid> -E hash_seed=<uuid>`; export SOURCE_DATE_EPOCH; sort the input",
    check,
};

fn check(file: &File<'_>, findings: &mut Findings) {
    for run in &file.runs {
        let stage = &file.stages[run.stage];
        for (index, command) in run.numbered() {
            let Some(path) = makes(file, run, command) else { continue };
            let directory = run.directory(index);
            let gone = path
                .as_deref()
                .and_then(|path| stage.absolute(path, directory.as_deref()))
                .is_some_and(|path| is_gone(run, index, &path));
            if !gone && path.map_or(stage.ships, |path| stage.ships_written(&path, directory.as_deref())) {
                let fix = match command.name.as_str() {
                    "cpio" if !is_alpine(file, run.stage) => {
                        Fix::one("add `--reproducible`", behind_name(file, command, " --reproducible"))
                    }
                    "mksquashfs" => Fix::one("declare SOURCE_DATE_EPOCH", epoch_for(file, run).flatten()),
                    _ => None,
                };
                let message = "the file system image holds a UUID, times and allocation order";
                findings.add_fixable(command.span, message, fix);
            }
        }
    }
}

/// The path of an image that a command makes, if it makes one; inner none where the path is not known.
fn makes(file: &File<'_>, run: &Run, command: &Command) -> Option<Option<String>> {
    if command.any_long(&["--help", "--version"]) || command.word("-V") || command.word("-version") {
        return None;
    }
    let operand = |at: usize| command.operands().nth(at).map(|word| word.text().to_owned());
    let last = || command.operands().last().map(|word| word.text().to_owned());
    match command.name.as_str() {
        "mksquashfs" => {
            let has_epoch = file.sees(run.stage, run.position, "SOURCE_DATE_EPOCH")
                || command.variable("SOURCE_DATE_EPOCH").is_some();
            (!has_epoch).then(|| operand(1))
        }
        "genisoimage" | "mkisofs" | "xorrisofs" => Some(command.text_of(&["-o", "-output"]).map(str::to_owned)),
        "xorriso" => Some(command.text_of(&["-o", "-outdev", "-dev"]).map(str::to_owned)),
        "mke2fs" => Some(operand(0)),
        "cpio" => {
            let creates = command.short('o', "FOHCEMRI") || command.long("--create");
            let path = command
                .redirects
                .iter()
                .find(|redirect| redirect.takes_stdout())
                .map(|redirect| redirect.target.text().to_owned());
            (creates && !command.long("--reproducible")).then_some(path)
        }
        "dd" => {
            let output = command.words.iter().find_map(|word| word.text().strip_prefix("of="));
            output.filter(|output| output.ends_with(".img")).map(|output| Some(output.to_owned()))
        }
        name if name.starts_with("mkfs.") || name == "mkfs" => Some(last()),
        _ => None,
    }
}
