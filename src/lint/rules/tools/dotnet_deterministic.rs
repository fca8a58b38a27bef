//! R084: a .NET assembly records a path and a random id.

use super::super::edits::behind_operand;
use crate::finding::Severity;
use crate::lint::file::File;
use crate::lint::fix::Fix;
use crate::lint::rule::{Findings, Lock, Rule};
use crate::lint::shell::Word;

/// The rule.
pub static RULE: Rule = Rule {
    code: "R084",
    name: "dotnet-deterministic",
    severity: Severity::Note,
    lock: Lock::No,
    ships: false,
    summary: "a .NET assembly records a path and a random id",
    why: "Only a build that is told to be one of CI leaves them out.",
    quiet: "`-p:ContinuousIntegrationBuild=true`, also in `Directory.Build.props` or the environment",
    help: "`dotnet publish -c Release -p:ContinuousIntegrationBuild=true`",
    check,
};

fn check(file: &File<'_>, findings: &mut Findings) {
    let props = file.surroundings.context.as_ref().and_then(|context| context.texts.get("Directory.Build.props"));
    let by_props = props.is_some_and(|text| text.contains("ContinuousIntegrationBuild"));
    for run in &file.runs {
        for command in run.commands.iter().filter(|command| command.name == "dotnet") {
            let sub = command.subcommand(&[]);
            if !matches!(sub, "build" | "publish" | "pack") || command.long("--help") {
                continue;
            }
            let says = |text: &str| command.words.iter().map(Word::text).any(|word| word.to_lowercase().contains(text));
            let by_variable = file.value(run.stage, run.position, "ContinuousIntegrationBuild").is_some()
                || command.variable("ContinuousIntegrationBuild").is_some();
            let fixed = says("continuousintegrationbuild=true") || by_variable || by_props;
            if !fixed || says("deterministic=false") {
                let edit = behind_operand(file, command, sub, " -p:ContinuousIntegrationBuild=true");
                let fix = Fix::one("add `-p:ContinuousIntegrationBuild=true`", edit);
                findings.add_fixable(command.span, "the assembly records a path and a random id", fix);
            }
        }
    }
}
