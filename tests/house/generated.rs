//! Generated files are what the types and the command line give; `REPRO_BLESS=1 cargo test --test house generated` renews them.

use std::fs;
use std::path::Path;

use clap::{CommandFactory, ValueEnum};
use repro::parts::cli::arguments::{Arguments, SchemaName};
use repro::parts::cli::command::schema;
use repro::parts::explain::causes;
use repro::parts::lint::RULES;
use repro::parts::scrub::PROFILES;

fn check(path: &str, content: &[u8]) {
    if std::env::var_os("REPRO_BLESS").is_some() {
        fs::create_dir_all(Path::new(path).parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
    let committed = fs::read(path).unwrap_or_default();
    assert!(committed == content, "{path} is not current: run `REPRO_BLESS=1 cargo test --test house generated`");
}

#[test]
fn schemas_are_those_of_the_types() {
    for name in SchemaName::value_variants() {
        let file = match name.to_possible_value().unwrap().get_name() {
            "manifest" => "repro".to_owned(),
            other => other.to_owned(),
        };
        check(&format!("schema/{file}.schema.json"), schema::text(*name).as_bytes());
    }
}

#[test]
fn the_scrub_profiles_are_documented() {
    check_table("docs/scrub.md", "profiles", &profiles());
}

#[test]
fn the_causes_are_documented() {
    check_table("docs/diff.md", "causes", &causes_table());
}

#[test]
fn the_rules_of_lint_are_documented() {
    check_table("docs/lint.md", "rules", &rules_table());
}

/// The table in `docs/lint.md`.
fn rules_table() -> String {
    let cell = |text: &str| text.replace('|', "\\|");
    let mut text = String::from(
        "| code | name | severity | lock | what is found | why | silent for | what removes it |\n|---|---|---|---|---|---|---|---|\n",
    );
    for rule in RULES {
        let severity =
            format!("{}{}", repro::parts::lint::severity_name(rule.severity), if rule.ships { ", ships" } else { "" });
        let cells = [rule.code, rule.name, &severity, rule.lock.name(), rule.summary, rule.why, rule.quiet, rule.help];
        text += &format!("| {} |\n", cells.map(cell).join(" | "));
    }
    text
}

/// Checks what stands between two marks of a page.
fn check_table(path: &str, mark: &str, table: &str) {
    let page = fs::read_to_string(path).unwrap();
    let (start, end) = (format!("<!-- {mark} -->\n"), format!("<!-- /{mark} -->"));
    let (head, rest) = page.split_once(&start).unwrap();
    let (_, tail) = rest.split_once(&end).unwrap();
    check(path, format!("{head}{start}{table}{end}{tail}").as_bytes());
}

/// The table in `docs/diff.md`.
fn causes_table() -> String {
    let mut text = String::from("| code | name | class | what | what to do |\n|---|---|---|---|---|\n");
    for cause in causes() {
        let (code, name, class) = (cause.code, cause.name, cause.class.letter());
        text += &format!("| {code} | {name} | {class} | {} | {} |\n", cause.sentence, cause.help);
    }
    text
}

/// The table in `docs/scrub.md`.
fn profiles() -> String {
    let mut text = String::from("| profile | files | why they differ | without them |\n|---|---|---|---|\n");
    for profile in PROFILES {
        let paths: Vec<String> = profile.paths.iter().map(|path| format!("`{path}`")).collect();
        let (paths, summary, effect) = (paths.join("<br>"), profile.summary, profile.effect);
        text += &format!("| `{}` | {paths} | {summary} | {effect} |\n", profile.numbered());
    }
    text
}

#[test]
fn man_pages_are_those_of_the_command_line() {
    let mut command = Arguments::command().disable_help_subcommand(true);
    command.build();
    page(&command, "repro");
}

fn page(command: &clap::Command, name: &str) {
    let owned: &'static str = name.to_owned().leak();
    let mut text = Vec::new();
    clap_mangen::Man::new(command.clone().name(owned).display_name(owned)).render(&mut text).unwrap();
    check(&format!("docs/man/{name}.1"), &text);
    let after = command.get_after_help().map(ToString::to_string).unwrap_or_default();
    assert!(after.contains("Example") || name == "repro", "`{name} --help` shows no example");
    for sub in command.get_subcommands() {
        page(sub, &format!("{name}-{}", sub.get_name()));
    }
}
