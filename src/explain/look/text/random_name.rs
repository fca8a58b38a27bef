//! Names that a tool makes at random for one build, equal after one substitution.

use std::collections::{BTreeMap, BTreeSet};

use super::super::pair::{Found, Pair};
use super::super::reason::{Detail, Reason};
use crate::explain::causes::Proof;

/// What stands before the name where a tool declares it.
const BEFORE: &[&str] = &["ComposerAutoloaderInit", "ComposerStaticInit", "_PhpScoper", "_HumbugBox", "RectorPrefix"];
/// Words before the name where a tool declares it.
const DECLARES: &[&str] = &["debugId", "debug_id"];
/// Where a tool keeps its name in a file of its own, and where it uses it.
const NEXT: &[u8] = b".next/";
/// Characters of such a name, which tells it from the hash of a content.
const NEXT_LENGTH: usize = 21;
/// Characters of the shortest name that counts.
const SHORTEST: usize = 8;

/// C088 where each name of the first stands for one of the second, everywhere.
pub(super) fn look(pair: &Pair<'_>) -> Option<Found> {
    let is_next = pair.path.windows(NEXT.len()).any(|part| part == NEXT);
    let is_build_id = is_next && pair.name() == b"BUILD_ID";
    let [first, second] = pair.both().map(words);
    if first.len() != second.len() {
        return None;
    }
    let (mut there, mut back) = (BTreeMap::new(), BTreeMap::new());
    let (mut declared, mut used, mut kept) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    let mut last: &[u8] = b"";
    for (one, other) in first.into_iter().zip(second) {
        let starts = |mark: &&[u8]| one.starts_with(mark) && other.starts_with(mark);
        let mark = BEFORE.iter().map(|mark| mark.as_bytes()).find(starts);
        let is_named = DECLARES.iter().any(|word| word.as_bytes() == last);
        if one.len() > 1 {
            last = one;
        }
        let start = mark.map_or(0, <[u8]>::len);
        let (name, stands_for) = (&one[start..], &other[start..]);
        if one == other {
            kept.insert(name);
            continue;
        }
        let is_fine = is_random(name) && is_random(stands_for) && name.len() == stands_for.len() || is_build_id;
        if !is_fine
            || *there.entry(name).or_insert(stands_for) != stands_for
            || *back.entry(stands_for).or_insert(name) != name
        {
            return None;
        }
        let is_declared = mark.is_some() || is_named || is_next && name.len() == NEXT_LENGTH || is_build_id;
        if is_declared { &mut declared } else { &mut used }.insert(name);
    }
    if there.keys().any(|name| kept.contains(name)) {
        return None;
    }
    let (one, other) = there.first_key_value()?;
    if !used.is_subset(&declared) || there.len() > 2 || is_next && there.len() > 1 {
        return None;
    }
    let show = |name: &[u8]| String::from_utf8_lossy(name).into_owned();
    let detail = Detail::Field { name: "name".to_owned(), first: show(one), second: show(other) };
    Some(Found::one(Reason { detail: Some(detail), ..Reason::new("C088", Proof::Proven) }))
}

/// Letters, digits, `_` and `-` together, and each other byte alone.
fn words(content: &[u8]) -> Vec<&[u8]> {
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || b"_-".contains(&byte);
    content.chunk_by(|one, other| is_word(*one) && is_word(*other)).collect()
}

/// Whether a name looks made at random: long, of hexadecimal digits or of letters and digits mixed.
fn is_random(name: &[u8]) -> bool {
    let has_digit = name.iter().any(u8::is_ascii_digit);
    let is_mixed = has_digit && name.iter().any(u8::is_ascii_alphabetic);
    name.len() >= SHORTEST && (name.iter().all(u8::is_ascii_hexdigit) || is_mixed)
}

#[cfg(test)]
mod tests {
    use crate::explain::look::told;

    #[test]
    fn a_declared_name_may_differ_everywhere_in_the_same_way() {
        let (one, other) = ("a3f0".repeat(8), "5b1e".repeat(8));
        let php = |name: &str, used: &str| format!("<?php\nclass ComposerAutoloaderInit{name}\n{{ // {used}\n}}\n");
        let base = php(&one, &one);
        for (second, want) in [
            (php(&other, &other), "C088 Proven"),
            (php(&other, &one), "C120 Possible"),
            (php(&one, &other), "C120 Possible"),
            (php(&other, &other).replace("class", "trait"), "C120 Possible"),
            (php(&other, &other[..30]), "C120 Possible"),
        ] {
            assert_eq!(told("app/vendor/composer/autoload_real.php", base.as_bytes(), second.as_bytes()), want);
        }
    }

    #[test]
    fn a_digest_is_no_name() {
        let (one, other) = (format!("sha={}\n", "a3f0".repeat(16)), format!("sha={}\n", "5b1e".repeat(16)));
        assert_eq!(told("opt/x.conf", one.as_bytes(), other.as_bytes()), "C120 Possible");
        let map = |id: &str, text: &str| format!("{{\"debugId\":\"{id}\",\"names\":[\"{text}\"]}}");
        let (one, other) = ("0d6f1c1e-5f0a-4d0c-9e0b-1f7c7f0c0a11", "9b1cf8a2-3c47-4d7e-8a51-77e0a1b2c3d4");
        assert_eq!(told("app/a.js.map", map(one, "x").as_bytes(), map(other, "x").as_bytes()), "C088 Proven");
        assert_eq!(told("app/a.js.map", map(one, "x").as_bytes(), map(other, "y").as_bytes()), "C120 Possible");
        assert_eq!(told("app/.next/BUILD_ID", b"Zk3nq0_x8-Q1w2e3r4t5y", b"q9m-Lk2Jh7_Gf5Dd3Ss1a"), "C088 Proven");
        assert_eq!(told("app/BUILD_ID", b"Zk3nq0_x8-Q1w2e3r4t5y", b"q9m-Lk2Jh7_Gf5Dd3Ss1a"), "C120 Possible");
    }
}
