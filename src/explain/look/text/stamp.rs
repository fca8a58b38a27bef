//! Dates that a tool writes into what it makes.

use super::super::by_path::ByPath;
use super::super::pair::{Found, Pair};
use super::super::reason::{Detail, Reason};
use super::date::{Also, pieces};
use crate::explain::causes::Proof;

/// Documents for people, which no program reads a date from.
static DOCUMENTS: ByPath<()> = ByPath::new(&[
    ("/**/*.html", ()),
    ("/**/*.htm", ()),
    ("/**/*.xhtml", ()),
    ("/**/*.svg", ()),
    ("/**/*.pod", ()),
    ("/**/*.info", ()),
    ("/**/*.3pm", ()),
    ("/**/man/man?/*", ()),
    ("/**/man/*/man?/*", ()),
    ("/**/share/doc/**", ()),
    ("/**/share/info/**", ()),
    ("/**/_remote.repositories", ()),
    ("/**/*.lastUpdated", ()),
    ("/**/perllocal.pod", ()),
]);
/// Starts of lines that are comments.
const COMMENTS: &[&str] = &["#", "//", "/*", "*", ";", "--", "<!--", ".\\\"", "'\\\"", "%", "@rem ", "rem ", "dnl "];
/// Starts of lines that look like comments and are none.
const NO_COMMENTS: &[&str] =
    &["#!", "#define", "#include", "#if", "#elif", "#else", "#endif", "#pragma", "#undef", "#line"];
/// Words in the name of a property that holds when something was made.
const MADE: &[&str] =
    &["build", "built", "compil", "creat", "date", "generat", "made", "packag", "stamp", "time", "written"];
/// Words in the name of a property that means something to its reader.
const MEANT: &[&str] = &["after", "before", "deadline", "end", "expir", "licen", "start", "timeout", "until", "valid"];

/// C087 where nothing but dates differs: proven in comments and documents, likely where a program may read them.
pub(super) fn look(pair: &Pair<'_>) -> Option<Found> {
    let [first, second] =
        pair.parsed(|content| std::str::from_utf8(content).ok().filter(|text| !text.contains('\0')))?;
    let (one, other): (Vec<&str>, Vec<&str>) = (first.split('\n').collect(), second.split('\n').collect());
    if one.len() != other.len() {
        return None;
    }
    let differing: Vec<(&str, &str)> = one.into_iter().zip(other).filter(|(one, other)| one != other).collect();
    if differing.is_empty() {
        return None;
    }
    let is_document = DOCUMENTS.first(pair.path).is_some();
    let is_harmless = |line: &str| {
        is_document
            || is_comment(line)
            || pair.has_suffix(&[".properties", "/MANIFEST.MF"]) && tells_when_it_was_made(line)
    };
    let is_alike = |(one, other): &(&str, &str)| {
        // Where no program reads it, a number may be a time as well.
        let is_free = is_harmless(one) && is_harmless(other);
        let also = Also { times: is_free, numbers: is_free };
        pieces(one.as_bytes(), also) == pieces(other.as_bytes(), also)
    };
    if !differing.iter().all(is_alike) {
        return None;
    }
    let proof = if differing.iter().all(|(line, _)| is_harmless(line)) { Proof::Proven } else { Proof::Likely };
    let detail = differing.first().map(|(first, second)| Detail::Field {
        name: "date".to_owned(),
        first: first.trim().chars().take(200).collect(),
        second: second.trim().chars().take(200).collect(),
    });
    Some(Found::one(Reason { detail, ..Reason::new("C087", proof) }))
}

fn is_comment(line: &str) -> bool {
    let line = line.trim_start().to_ascii_lowercase();
    let starts = |marks: &[&str]| marks.iter().any(|mark| line.starts_with(mark));
    starts(COMMENTS) && !starts(NO_COMMENTS)
}

fn tells_when_it_was_made(line: &str) -> bool {
    let name = line.split(['=', ':']).next().unwrap_or_default().to_ascii_lowercase();
    MADE.iter().any(|word| name.contains(word)) && !MEANT.iter().any(|word| name.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::explain::look::told;

    #[test]
    fn every_pattern_can_be_read() {
        assert!(DOCUMENTS.unreadable().is_empty());
    }

    #[test]
    fn a_date_is_benign_where_nobody_acts_on_it() {
        for (path, first, second, want) in [
            (
                "opt/b.properties",
                "#Tue Nov 14 22:13:20 UTC 2023\nv=1\n",
                "#Wed Nov 15 08:01:02 UTC 2023\nv=1\n",
                "C087 Proven",
            ),
            (
                "opt/b.properties",
                "#Tue Nov 14 22:13:20 UTC 2023\nv=1\n",
                "#Wed Nov 15 08:01:02 UTC 2023\nv=2\n",
                "C120 Possible",
            ),
            ("opt/b.properties", "build.date=2023-11-14\n", "build.date=2023-11-15\n", "C087 Proven"),
            ("x.jar/META-INF/MANIFEST.MF", "Build-Date: 2023-11-14\n", "Build-Date: 2023-11-15\n", "C087 Proven"),
            ("opt/b.properties", "license.until=2023-11-14\n", "license.until=2033-11-14\n", "C087 Likely"),
            ("opt/b.properties", "key.date.expiry=2023-11-14\n", "key.date.expiry=2033-11-14\n", "C087 Likely"),
            (
                "x/index.html",
                "<p>Generated 2023-11-14T22:13:20Z</p>",
                "<p>Generated 2023-11-15T08:01:02Z</p>",
                "C087 Proven",
            ),
            ("x/index.html", "<p>Generated 2023-11-14</p>", "<p>Generates 2023-11-14</p>", "C120 Possible"),
            ("usr/share/man/man1/a.1", ".TH A 1 \"November 2023\"\n", ".TH A 1 \"December 2023\"\n", "C087 Proven"),
            ("opt/a.conf", "until = 2023-11-14\n", "until = 2033-11-14\n", "C087 Likely"),
            ("opt/a.conf", "# made 2023-11-14\n", "# made 2023-11-15\n", "C087 Proven"),
            ("opt/a.h", "#define DAY \"2023-11-14\"\n", "#define DAY \"2023-11-15\"\n", "C087 Likely"),
            ("opt/a.conf", "# made 1700000000\n", "# made 1700086400\n", "C087 Proven"),
            ("opt/a.conf", "made 1700000000\n", "made 1700086400\n", "C120 Possible"),
            ("opt/a.conf", "# v 2023.11.14\n", "# v 2023.11.15\n", "C120 Possible"),
        ] {
            assert_eq!(told(path, first.as_bytes(), second.as_bytes()), want, "{path} {second}");
        }
    }
}
