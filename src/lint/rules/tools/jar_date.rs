//! R073: a jar is packed with the time of each entry.

use super::super::edits::{at_end, epoch_for};
use super::super::text::image_name;
use crate::finding::Severity;
use crate::lint::file::File;
use crate::lint::file::Run;
use crate::lint::fix::Fix;
use crate::lint::rule::{Findings, Lock, Rule};
use crate::lint::shell::{Command, Word};

/// The rule.
pub static RULE: Rule = Rule {
    code: "R073",
    name: "jar-date",
    severity: Severity::Warning,
    lock: Lock::No,
    ships: true,
    summary: "a jar is packed with the time of each entry",
    why: "The times are those of this build.",
    quiet: "`--date`; `project.build.outputTimestamp`; Gradle 9",
    help: "`jar --create --date=2024-01-01T00:00:00Z --file x.jar -C d .`; Maven: `-Dproject.build.outputTimestamp=…`",
    check,
};

fn check(file: &File<'_>, findings: &mut Findings) {
    let texts = file.surroundings.context.as_ref().map(|context| &context.texts);
    let in_text =
        |name: &str, part: &str| texts.and_then(|texts| texts.get(name)).is_some_and(|text| text.contains(part));
    for run in &file.runs {
        let stage = &file.stages[run.stage];
        for (index, command) in run.numbered() {
            let words = || command.words.iter().map(Word::text);
            let packs = match command.name.as_str() {
                "jar" => {
                    let first = words().next().unwrap_or_default();
                    let creates = command.long("--create")
                        || !first.starts_with("--") && first.trim_start_matches('-').starts_with('c');
                    let path = command
                        .text_of(&["--file", "-f"])
                        .or_else(|| command.operands().nth(1).map(|word| word.text()));
                    creates
                        && !command.long("--date")
                        && path.is_none_or(|path| stage.ships_written(path, run.directory(index).as_deref()))
                }
                "mvn" | "mvnw" | "mvnd" => {
                    let goal = words().any(|word| matches!(word, "package" | "install" | "verify" | "deploy"));
                    goal && !words().any(|word| word.contains("project.build.outputTimestamp"))
                        && !in_text("pom.xml", "project.build.outputTimestamp")
                        && built(file, run)
                }
                "gradle" | "gradlew" => {
                    let task = words().any(|word| {
                        matches!(
                            word.rsplit(':').next(),
                            Some("build" | "assemble" | "jar" | "bootJar" | "shadowJar" | "installDist" | "war")
                        )
                    });
                    let fixed = ["build.gradle", "build.gradle.kts"].iter().any(|name| {
                        in_text(name, "preserveFileTimestamps") || in_text(name, "isPreserveFileTimestamps")
                    });
                    task && !fixed && !is_gradle_9(file, run, command) && built(file, run)
                }
                _ => false,
            };
            if packs {
                findings.add_fixable(command.span, "the jar records the time of each entry", dated(file, run, command));
            }
        }
    }
}

/// What the build wrote below its directory reaches the image.
fn built(file: &File<'_>, run: &Run) -> bool {
    let stage = &file.stages[run.stage];
    let directory = run.workdir.as_deref().unwrap_or("/");
    stage.ships
        || stage.copied.iter().any(|path| {
            path == "/"
                || path.starts_with(directory.trim_end_matches('/'))
                || path.contains(".jar")
                || path.contains(".war")
                || path.contains("target")
                || path.contains("build")
        })
}

fn is_gradle_9(file: &File<'_>, run: &Run, command: &Command) -> bool {
    let Some(reference) = file.root_image(run.stage).filter(|_| command.name == "gradle") else { return false };
    let name = image_name(reference);
    let major = name.tag.and_then(|tag| tag.split(['.', '-']).next()?.parse::<u32>().ok());
    name.repository.ends_with("gradle") && major.is_some_and(|major| major >= 9)
}

/// Maven is told the time; jar's own option needs a version that is not known here.
fn dated(file: &File<'_>, run: &Run, command: &Command) -> Option<Fix> {
    let is_maven = command.is(&["mvn", "mvnw", "mvnd"]);
    let edit = at_end(file, command, " -Dproject.build.outputTimestamp=$SOURCE_DATE_EPOCH").filter(|_| is_maven);
    Some(Fix::one("set `project.build.outputTimestamp`", edit)?.with(epoch_for(file, run)?))
}
