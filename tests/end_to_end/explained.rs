//! What real tools leave in an image when they run twice, and the causes that `repro diff` names: `tests/explain/cases.toml`.
//!
//! All cases of a base are one image, a layer each. `tests/explain/real.sh` sets `EXPLAIN_CASES`: names, or `all`.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde::Deserialize;

use crate::needs::variable;
use crate::project::Project;

const EPOCH: &str = "1700000000";
const CASES: &str = include_str!("../explain/cases.toml");

#[derive(Deserialize)]
struct Cases {
    case: Vec<Case>,
}

/// One RUN, and what differs after it.
#[derive(Clone, Deserialize)]
struct Case {
    name: String,
    /// What it runs on.
    #[serde(default)]
    base: Base,
    /// All causes of its layer.
    codes: BTreeSet<String>,
    run: String,
}

#[derive(Clone, Copy, Default, Deserialize, PartialEq, Eq, PartialOrd, Ord)]
#[serde(rename_all = "lowercase")]
enum Base {
    /// Debian with the programs of `tests/explain/tools`.
    #[default]
    Tools,
    /// The rig's bare Debian.
    Debian,
    /// The same, with the network, in an image of its own.
    Network,
}

impl Case {
    /// Its instruction. What it is given as `/in` is no part of the image.
    fn instruction(&self) -> String {
        let network = if self.base == Base::Network { "host" } else { "none" };
        format!(
            "RUN --network={network} --mount=type=bind,target=/in <<\"CASE\"\nset -eu\nturn=$(cat /in/turn)\n\
             export PIP_CERT=/in/ca.crt NODE_EXTRA_CA_CERTS=/in/ca.crt\n{}\nCASE\n",
            self.run.trim()
        )
    }
}

/// Builds the cases' image for one turn.
fn build(directory: &Path, cases: &[Case], turn: u32) -> PathBuf {
    let base = if cases[0].base == Base::Tools { "explain/tools:real" } else { "debian:bookworm" };
    let instructions: String = cases.iter().map(Case::instruction).collect();
    fs::write(directory.join("Dockerfile"), format!("FROM registry.example/{base}\n{instructions}")).unwrap();
    fs::write(directory.join("turn"), turn.to_string()).unwrap();
    fs::copy("/etc/ssl/certs/ca-certificates.crt", directory.join("ca.crt")).unwrap();
    let archive = directory.join(format!("{turn}.tar"));
    let at = |name: &str| format!("{name}={}", directory.display());
    let output = Command::new("buildctl")
        .args(["build", "--progress", "plain", "--no-cache", "--allow", "network.host", "--frontend", "dockerfile.v0"])
        .args(["--local", &at("context"), "--local", &at("dockerfile")])
        .args(["--opt", &format!("build-arg:SOURCE_DATE_EPOCH={EPOCH}")])
        .args(["--output", &format!("type=oci,rewrite-timestamp=true,dest={}", archive.display())])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    let end = said.char_indices().rev().nth(4000).map_or(0, |(at, _)| at);
    assert!(output.status.success(), "{}", &said[end..]);
    archive
}

/// The causes that are found in each case's layer, with the paths of each.
fn found(cases: &[Case]) -> Vec<BTreeMap<String, Vec<String>>> {
    let project = Project::bare();
    let [first, second] = [1, 2].map(|turn| build(project.path(), cases, turn));
    let arguments = ["diff", first.to_str().unwrap(), second.to_str().unwrap(), "--format", "json", "--exit-zero"];
    let document = project.repro(&arguments).expect(0).json();
    if let Ok(directory) = std::env::var("EXPLAIN_KEEP") {
        fs::create_dir_all(&directory).unwrap();
        let name = if cases.len() == 1 { &cases[0].name } else { base_name(cases[0].base) };
        fs::write(Path::new(&directory).join(format!("{name}.json")), document.to_string()).unwrap();
        for archive in [&first, &second] {
            let kept = format!("{name}-{}", archive.file_name().unwrap().to_str().unwrap());
            fs::rename(archive, Path::new(&directory).join(&kept))
                .or_else(|_| fs::copy(archive, Path::new(&directory).join(&kept)).map(|_| ()))
                .unwrap();
        }
    }
    let platform = &document["platforms"][0];
    let below = platform["first"]["layers"].as_array().unwrap().len() - cases.len();
    let mut found = vec![BTreeMap::new(); cases.len()];
    for difference in platform["differences"].as_array().unwrap() {
        let text = |key: &str| difference[key].as_str().unwrap_or_default();
        if text("level") != "entry" {
            continue;
        }
        let layer = usize::try_from(difference["layer"].as_u64().unwrap()).unwrap();
        let case: &mut BTreeMap<String, Vec<String>> = &mut found[layer - below - 1];
        let benign = if text("class") == "B" { "" } else { " not benign" };
        case.entry(text("code").to_owned()).or_default().push(format!("{} ({}{benign})", text("path"), text("proof")));
    }
    found
}

fn base_name(base: Base) -> &'static str {
    match base {
        Base::Tools => "tools",
        Base::Debian => "debian",
        Base::Network => "network",
    }
}

/// Runs cases of one base and adds a line each to the table. Gives what is not as expected.
fn judge(cases: &[Case], table: &mut String) -> String {
    let mut wrong = String::new();
    for (case, found) in cases.iter().zip(found(cases)) {
        let codes: BTreeSet<String> = found.keys().cloned().collect();
        let counts: Vec<String> = found.iter().map(|(code, paths)| format!("{code} ({})", paths.len())).collect();
        let verdict = if codes == case.codes { "good" } else { "WRONG" };
        let _ = writeln!(table, "| {} | {} | {verdict} |", case.name, counts.join(", "));
        if codes != case.codes {
            let _ = writeln!(wrong, "{}: expected {:?}, found", case.name, case.codes);
            for (code, paths) in found {
                let more = paths.len().saturating_sub(8);
                let _ = writeln!(
                    wrong,
                    "  {code}: {}{}",
                    paths[..paths.len() - more].join(", "),
                    if more > 0 { " …" } else { "" }
                );
            }
        }
    }
    wrong
}

#[test]
fn every_cause_that_real_tools_make_is_named() {
    if variable("RIG_REGISTRY").is_none() || variable("BUILDKIT_HOST").is_none() {
        return;
    }
    let Cases { case: all } = toml::from_str(CASES).unwrap();
    let wanted = std::env::var("EXPLAIN_CASES").unwrap_or_default();
    let names: Vec<&str> = wanted.split_whitespace().collect();
    let is_wanted = |case: &Case| match names[..] {
        [] => case.base == Base::Debian,
        ["all"] => true,
        _ => names.contains(&case.name.as_str()),
    };
    let mut images: BTreeMap<(Base, &str), Vec<Case>> = BTreeMap::new();
    for case in all.iter().filter(|case| is_wanted(case)) {
        let own = if case.base == Base::Network { case.name.as_str() } else { "" };
        images.entry((case.base, own)).or_default().push(case.clone());
    }
    assert!(!images.is_empty(), "no case is called {wanted}");
    let mut table = String::from("| case | causes (places) | |\n|---|---|---|\n");
    let wrong: String = images.values().map(|cases| judge(cases, &mut table)).collect();
    if !names.is_empty() {
        crate::needs::tell(&table);
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn every_case_expects_causes_that_there_are() {
    let Cases { case: all } = toml::from_str(CASES).unwrap();
    let known = include_str!("../../docs/diff.md");
    let names: BTreeSet<&str> = all.iter().map(|case| case.name.as_str()).collect();
    assert_eq!(names.len(), all.len());
    for case in &all {
        let is_known = |code: &&String| !known.contains(&format!("\n| {code} | "));
        assert_eq!(case.codes.iter().find(is_known), None::<&String>, "{}", case.name);
        assert!(!case.codes.is_empty(), "{}", case.name);
    }
}
