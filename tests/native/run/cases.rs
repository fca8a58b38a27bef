//! The cases of `tests/cases/native-run`, each as a user builds it.

use std::fs;
use std::sync::Mutex;
use std::thread;

use crate::binary::{ARCHIVE, build, set_up, top};
use crate::golden::Case;

use super::{can_run, corpus};

/// Cases whose layers show what this engine gives otherwise on purpose.
const OTHERWISE: [(&str, &str); 1] = [("proc-caps-user", "it stores NoNewPrivs, which is 1 here")];

/// How the outcome differs from what BuildKit gave.
fn difference(case: &Case) -> Option<String> {
    let project = set_up(case);
    let outcome = build(&project);
    let expected = &case.json["expected"];
    if !expected["error"].is_null() {
        let told = format!("{}{}", outcome.stdout, outcome.stderr);
        let names = |status: &str| told.split(|c: char| !c.is_ascii_alphanumeric()).any(|word| word == status);
        let status = expected["status"].as_u64().map(|status| status.to_string());
        let right = (2..=6).contains(&outcome.status) && status.is_none_or(|status| names(&status));
        return (!right).then(|| format!("ends with {}: {}", outcome.status, outcome.stderr));
    }
    if outcome.status != 0 {
        return Some(format!("ends with {}: {}", outcome.status, outcome.stderr));
    }
    let found = top(&fs::read(project.path().join(ARCHIVE)).unwrap());
    (found != expected["manifest_digest"]).then(|| format!("gives {found}, wanted {}", expected["manifest_digest"]))
}

#[test]
fn every_case_with_run_gives_what_buildkit_gave() {
    if !can_run() {
        return;
    }
    let cases = Case::all_in(&corpus(), 152);
    let (rest, differences) = (Mutex::new(cases.iter()), Mutex::new(Vec::new()));
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                loop {
                    let Some(case) = rest.lock().unwrap().next() else { break };
                    let known = OTHERWISE.iter().find(|(name, _)| *name == case.name);
                    match (difference(case), known) {
                        (Some(_), Some(_)) | (None, None) => {}
                        (Some(difference), None) => {
                            differences.lock().unwrap().push(format!("== {}: {difference}", case.name));
                        }
                        (None, Some((name, why))) => {
                            differences.lock().unwrap().push(format!("== {name} is equal, though {why}"));
                        }
                    }
                }
            });
        }
    });
    let mut differences = differences.into_inner().unwrap();
    differences.sort();
    assert!(differences.is_empty(), "{} of {} cases\n{}", differences.len(), cases.len(), differences.join("\n"));
}
