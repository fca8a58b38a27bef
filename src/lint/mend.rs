//! A file mended by the fixes of its findings.

use std::collections::BTreeMap;

use super::fix::{Edit, Fix};
use super::rule::LintFinding;
use super::span::Span;

/// A file after its fixes.
pub struct Mended {
    /// Its bytes.
    pub text: Vec<u8>,
    /// How many findings were removed by edits.
    pub count: usize,
}

/// Rounds of edits on one file; in each, fixes are made that don't touch each other.
const ROUNDS: usize = 64;
/// Fixes that are tried one by one after a round that did not come out as it should.
const SINGLE: usize = 256;

/// Makes the fixes of findings that are not allowed, until none is left. `look` gives what is found in a text, nothing if
/// it can't be read: a fix counts only where its finding is gone then and no other is there that was not before.
pub fn mend(text: &[u8], look: &mut dyn FnMut(&[u8]) -> Option<Vec<LintFinding>>) -> Mended {
    let mut mended = Mended { text: text.to_vec(), count: 0 };
    let Some(mut findings) = look(text) else { return mended };
    let mut refused: Vec<(&'static str, Fix, Vec<u8>)> = Vec::new();
    let mut single = 0;
    for _ in 0..ROUNDS {
        let wanted: Vec<&LintFinding> = findings
            .iter()
            .filter(|finding| finding.allowed.is_none() && finding.fix.is_some())
            .filter(|finding| !refused.iter().any(|known| *known == identity(&mended.text, finding)))
            .collect();
        let chosen = apart(&wanted);
        if chosen.is_empty() {
            break;
        }
        if let Some((text, left)) = tried(&mended.text, &findings, &chosen, look) {
            mended = Mended { text, count: mended.count + chosen.len() };
            findings = left;
            continue;
        }
        // One of them is no good: the first that is makes the next round, the others before it are out.
        let mut next = None;
        for finding in chosen {
            single += 1;
            if single > SINGLE {
                return mended;
            }
            if let Some(found) = tried(&mended.text, &findings, &[finding], look) {
                next = Some(found);
                break;
            }
            refused.push(identity(&mended.text, finding));
        }
        if let Some((text, left)) = next {
            mended = Mended { text, count: mended.count + 1 };
            findings = left;
        }
    }
    mended
}

/// Fixes whose edits don't touch each other, in the order of the findings.
fn apart<'f>(wanted: &[&'f LintFinding]) -> Vec<&'f LintFinding> {
    let mut taken: BTreeMap<usize, usize> = BTreeMap::new();
    let mut chosen = Vec::new();
    for finding in wanted {
        let edits = finding.fix.iter().flat_map(|fix| &fix.edits);
        let is_free = edits
            .clone()
            .all(|edit| taken.range(..=edit.span.end).next_back().is_none_or(|(_, end)| *end < edit.span.start));
        if is_free {
            taken.extend(edits.map(|edit| (edit.span.start, edit.span.end)));
            chosen.push(*finding);
        }
    }
    chosen
}

/// The text after some fixes and what is found in it, if they do what they should.
fn tried(
    text: &[u8],
    before: &[LintFinding],
    fixed: &[&LintFinding],
    look: &mut dyn FnMut(&[u8]) -> Option<Vec<LintFinding>>,
) -> Option<(Vec<u8>, Vec<LintFinding>)> {
    let edits = fixed.iter().filter_map(|finding| finding.fix.as_ref()).flat_map(|fix| &fix.edits);
    let text = applied(text, edits)?;
    let after = look(&text)?;
    let (had, has) = (numbers(before), numbers(&after));
    let is_new = has.iter().any(|(code, number)| had.get(code).is_none_or(|before| number > before));
    let gone = numbers_of(fixed.iter().copied());
    let is_left = gone.iter().any(|(code, number)| {
        let (had, has) = (had.get(code).copied().unwrap_or(0), has.get(code).copied().unwrap_or(0));
        has + number > had
    });
    (!is_new && !is_left).then_some((text, after))
}

fn numbers(findings: &[LintFinding]) -> BTreeMap<&'static str, usize> {
    numbers_of(findings.iter())
}

fn numbers_of<'f>(findings: impl Iterator<Item = &'f LintFinding>) -> BTreeMap<&'static str, usize> {
    findings.fold(BTreeMap::new(), |mut numbers, finding| {
        *numbers.entry(finding.rule.code).or_default() += 1;
        numbers
    })
}

/// What a fix is known by while places move: its rule, what it puts where, and the words of the finding.
fn identity(text: &[u8], finding: &LintFinding) -> (&'static str, Fix, Vec<u8>) {
    let start = finding.span.start.min(text.len());
    let words = text[start..finding.span.end.clamp(start, text.len())].to_vec();
    let mut fix = finding.fix.clone().unwrap_or_else(|| Fix { title: String::new(), edits: Vec::new() });
    for edit in &mut fix.edits {
        edit.span = Span::default();
    }
    (finding.rule.code, fix, words)
}

/// The text with some edits made; none where they lie outside of it or touch each other.
pub fn applied<'e>(text: &[u8], edits: impl Iterator<Item = &'e Edit>) -> Option<Vec<u8>> {
    let mut edits: Vec<&Edit> = edits.collect();
    edits.sort_by_key(|edit| edit.span);
    let mut out = Vec::with_capacity(text.len() + edits.iter().map(|edit| edit.text.len()).sum::<usize>());
    let mut at = 0;
    for edit in edits {
        out.extend_from_slice(text.get(at..edit.span.start)?);
        out.extend_from_slice(edit.text.as_bytes());
        at = edit.span.end;
    }
    out.extend_from_slice(text.get(at..)?);
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dockerfile::parse;
    use crate::limits::Limits;
    use crate::lint::{RULES, Shell, Surroundings, lint, rule};

    #[test]
    fn edits_are_made_from_the_front_and_refused_where_they_touch() {
        let edit = |start, end, text: &str| Edit::replace(Span { start, end }, text);
        let made = |edits: &[Edit]| applied(b"abcdef", edits.iter()).map(|text| String::from_utf8(text).unwrap());
        assert_eq!(made(&[edit(4, 5, "E"), edit(0, 0, ">"), edit(6, 6, "<")]).as_deref(), Some(">abcdEf<"));
        assert_eq!(made(&[edit(1, 4, ""), edit(3, 5, "")]), None);
        assert_eq!(made(&[edit(5, 9, "")]), None);
    }

    fn finding(code: &str, start: usize, edit: Edit) -> LintFinding {
        LintFinding {
            rule: rule(code).unwrap(),
            severity: RULES[0].severity,
            span: Span { start, end: start + 1 },
            message: String::new(),
            help: String::new(),
            allowed: None,
            locked: false,
            fix: Fix::one("", Some(edit)),
        }
    }

    /// Finds each `x`, whose fix is a `y`; each `y` is another finding if it stands behind a `!`.
    fn look(text: &[u8]) -> Option<Vec<LintFinding>> {
        let span = |at| Span { start: at, end: at + 1 };
        let found = text.iter().enumerate().filter_map(|(at, byte)| match byte {
            b'x' => Some(finding("R072", at, Edit::replace(span(at), "y"))),
            b'y' if at > 0 && text[at - 1] == b'!' => Some(finding("R070", at, Edit::replace(span(at), "y"))),
            _ => None,
        });
        Some(found.collect())
    }

    #[test]
    fn a_fix_that_makes_another_finding_is_left_out_and_the_others_are_made() {
        let mended = mend(b"x !x x", &mut look);
        assert_eq!((mended.text.as_slice(), mended.count), (b"y !x y".as_slice(), 2));
        let mended = mend(b"x", &mut |text| if text == b"x" { look(text) } else { None });
        assert_eq!((mended.text.as_slice(), mended.count), (b"x".as_slice(), 0));
    }

    #[test]
    fn mending_ends_where_fixes_never_do() {
        let mut number = 1000;
        let mended = mend(b"x", &mut |text| {
            number -= 1;
            Some((0..number).map(|_| finding("R072", 0, Edit::insert(text.len(), "x"))).collect())
        });
        assert_eq!(mended.text.len(), 1 + ROUNDS);
    }

    /// The corpus' Dockerfiles, as far as they can be read.
    fn corpus() -> Vec<(String, Vec<u8>)> {
        let cases = include_str!("../../tests/cases/lint/cases.jsonl").lines();
        let case = |line| serde_json::from_str::<serde_json::Value>(line).unwrap();
        let text = |case: &serde_json::Value, key: &str| case[key].as_str().unwrap().to_owned();
        cases.map(case).map(|case| (text(&case, "name"), text(&case, "dockerfile").into_bytes())).collect()
    }

    #[test]
    fn every_fix_in_the_corpus_alone_removes_its_finding_and_brings_no_other() {
        let surroundings = Surroundings::default();
        let mut shell = Shell::default();
        let mut look = |text: &[u8]| {
            let dockerfile = parse(text, &Limits::default()).ok()?;
            Some(lint(&dockerfile, &surroundings, &[], &mut shell).findings)
        };
        let (mut wrong, mut codes) = (Vec::new(), BTreeMap::<&str, usize>::new());
        for (name, text) in corpus() {
            let Some(findings) = look(&text) else { continue };
            for finding in findings.iter().filter(|finding| finding.fix.is_some()) {
                match tried(&text, &findings, &[finding], &mut look) {
                    Some(_) => *codes.entry(finding.rule.code).or_default() += 1,
                    None => wrong.push(format!("{name} {}: {:?}", finding.rule.code, finding.fix)),
                }
            }
            let mended = mend(&text, &mut look);
            let left = look(&mended.text).unwrap();
            let fixable = left.iter().filter(|finding| finding.allowed.is_none() && finding.fix.is_some());
            wrong.extend(fixable.map(|finding| format!("{name} {} stays: {:?}", finding.rule.code, finding.fix)));
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
        let expected = [
            "R028", "R029", "R031", "R032", "R035", "R040", "R041", "R042", "R046", "R050", "R051", "R052", "R053",
            "R054", "R057", "R060", "R070", "R072", "R073", "R074", "R075", "R076", "R077", "R084", "R087", "R088",
            "R089", "R198",
        ];
        let missing: Vec<_> = expected.into_iter().filter(|code| !codes.contains_key(code)).collect();
        assert!(missing.is_empty(), "no fix is given for {missing:?}; for {codes:?}");
    }
}
