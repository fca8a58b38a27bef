//! BuildKit's warnings about a Dockerfile, told to people.

use std::path::Path;

use super::files::shown;
use super::machine::Machine;
use crate::finding::Finding;
use crate::survey::Survey;

/// Tells the warnings about the Dockerfile at `path`.
pub fn tell(machine: &Machine, survey: &Survey, path: &Path) {
    let file = shown(&machine.near(path));
    for warning in &survey.warnings {
        machine.progress.warn(&line(&warning.finding(&file)));
    }
}

/// A finding in one line: its place, what is found, what removes it, its code.
fn line(finding: &Finding) -> String {
    let fix = finding.fix.as_deref().map_or_else(String::new, |fix| format!("; {fix}"));
    format!("{finding}{fix} ({})", finding.code)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use crate::image::findings::{NOTES, RULES, TAR_RULES};
    use crate::lint;

    /// The codes that the function after `start` gives: its texts of one word.
    fn codes(source: &'static str, start: &str) -> Vec<&'static str> {
        let body = source.split(start).nth(1).unwrap().split("\n    }\n").next().unwrap();
        body.split('"').skip(1).step_by(2).filter(|text| !text.contains(' ')).collect()
    }

    #[test]
    fn no_two_kinds_of_findings_share_a_code() {
        let drift = codes(include_str!("../drift/mod.rs"), "pub fn code");
        let dockerfile = codes(include_str!("../dockerfile/rule.rs"), "fn text");
        let of_lint: Vec<&str> = lint::RULES.iter().flat_map(|rule| [rule.code, rule.name]).collect();
        let mut seen = BTreeSet::new();
        for code in [&drift, &dockerfile, RULES, TAR_RULES, NOTES, &of_lint].into_iter().flatten() {
            assert!(seen.insert(code), "{code} stands for two kinds of findings");
        }
        for (code, known) in [("image-not-locked", &drift), ("record-platform", &drift), ("UndefinedVar", &dockerfile)]
        {
            assert!(known.contains(&code), "{known:?}");
        }
        assert!(drift.iter().chain(NOTES).all(|code| code.chars().all(|c| c.is_ascii_lowercase() || c == '-')));
    }
}
