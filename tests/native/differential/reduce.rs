//! Makes a case that shows a difference smaller, as long as it shows one of the same sort.

use super::case::Case;
use super::generate;
use super::{Outcome, try_case};

/// The smallest case that was found, with its difference, as text.
pub fn tell_smallest(mut case: Case) -> String {
    let Outcome::Differs(mut told) = try_case(&case) else {
        return format!("== {}: differed once, but not again", case.name);
    };
    while let Some((smaller, difference)) = steps(&case).into_iter().find_map(|smaller| same_sort(smaller, &told)) {
        (case, told) = (smaller, difference);
    }
    format!("== {case}\n{told}")
}

fn same_sort(case: Case, told: &str) -> Option<(Case, String)> {
    let sort = |text: &str| text.split_once(": ").filter(|(start, _)| start.starts_with("only")).map(|(s, _)| s.len());
    match try_case(&case) {
        Outcome::Differs(difference) if sort(&difference) == sort(told) => Some((case, difference)),
        _ => None,
    }
}

/// The case with one thing less, each in turn.
fn steps(case: &Case) -> Vec<Case> {
    let mut smaller = Vec::new();
    for number in 0..case.instructions.len() {
        if case.instructions[number] == generate::FIRST {
            continue;
        }
        let mut less = case.clone();
        less.instructions.remove(number);
        smaller.push(less);
    }
    for number in 0..case.context.len() {
        if case.context[number].path == b"trigger.txt" {
            continue;
        }
        let mut less = case.clone();
        less.context.remove(number);
        smaller.push(less);
    }
    if let Some(base) = &case.base {
        for (layer, members) in base.layers.iter().enumerate() {
            for member in 0..members.len() {
                let mut less = case.clone();
                if let Some(base) = &mut less.base {
                    base.layers[layer].remove(member);
                }
                smaller.push(less);
            }
        }
    }
    if case.ignore.is_some() {
        smaller.push(Case { ignore: None, ..case.clone() });
    }
    // A hard link must not be left without its file.
    smaller.retain(|case| case.context.iter().all(|entry| has_first(case, entry)));
    smaller
}

fn has_first(case: &Case, entry: &super::case::Entry) -> bool {
    match &entry.kind {
        super::case::Kind::HardLink(first) => case.context.iter().any(|other| other.path == *first),
        _ => true,
    }
}
