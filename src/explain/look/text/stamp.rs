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
/// Starts of comments that end with their line: each in files whose names end so, or in all.
const COMMENTS: &[(&str, &[&str])] = &[
    ("#", &[]),
    ("//", &[]),
    (";", &[".asm", ".cnf", ".el", ".ini", ".lisp", ".scm", ".zone"]),
    ("--", &[".adb", ".ads", ".hs", ".lua", ".sql", ".vhd"]),
    ("%", &[".cls", ".eps", ".erl", ".ps", ".sty", ".tex"]),
    ("*", C_LIKE),
    ("rem ", &[".bat", ".cmd"]),
    ("@rem ", &[".bat", ".cmd"]),
    ("dnl ", &[".ac", ".m4"]),
];
/// Starts of comments with what ends them.
const BLOCKS: &[(&str, &str)] = &[("/*", "*/"), ("<!--", "-->")];
/// Languages in which a line in a block starts with `*`, and in which `#` starts no comment.
const C_LIKE: &[&str] = &[
    ".c", ".cc", ".cpp", ".cs", ".css", ".cxx", ".go", ".h", ".hpp", ".java", ".js", ".kt", ".mjs", ".scala", ".scss",
    ".swift", ".ts",
];
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
    let is_property = pair.has_suffix(&[".properties", "/MANIFEST.MF"]);
    let is_harmless = |(one, other): &(&str, &str)| {
        is_document || differ_in_a_comment(pair, one, other) || is_property && tells_when_it_was_made(one)
    };
    let is_alike = |lines: &(&str, &str)| {
        // Where no program reads it, a number may be a time as well.
        let is_free = is_harmless(lines);
        let also = Also { times: is_free, numbers: is_free };
        pieces(lines.0.as_bytes(), also) == pieces(lines.1.as_bytes(), also)
    };
    if !differing.iter().all(is_alike) {
        return None;
    }
    let proof = if differing.iter().all(is_harmless) { Proof::Proven } else { Proof::Likely };
    let detail = differing.first().map(|(first, second)| Detail::Field {
        name: "date".to_owned(),
        first: first.trim().chars().take(200).collect(),
        second: second.trim().chars().take(200).collect(),
    });
    Some(Found::one(Reason { detail, ..Reason::new("C087", proof) }))
}

/// Whether the lines differ in a comment only.
fn differ_in_a_comment(pair: &Pair<'_>, one: &str, other: &str) -> bool {
    let (one, other) = (one.trim_start(), other.trim_start());
    for (start, end) in BLOCKS {
        if one.starts_with(start) && other.starts_with(start) {
            let behind = |line: &str| line.find(end).unwrap_or(line.len());
            return one[behind(one)..] == other[behind(other)..];
        }
    }
    let line = one.to_ascii_lowercase();
    let is_of = |suffixes: &[&str]| pair.has_suffix(suffixes);
    let counts = |(start, suffixes): &(&str, &[&str])| {
        line.starts_with(start) && (suffixes.is_empty() || is_of(suffixes)) && (*start != "#" || !is_of(C_LIKE))
    };
    COMMENTS.iter().any(counts) && !NO_COMMENTS.iter().any(|start| line.starts_with(start))
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
            ("opt/a.js", "/* made 2023-11-14 */ f();\n", "/* made 2023-11-15 */ f();\n", "C087 Proven"),
            ("opt/a.js", "/* */ until('2023-11-14');\n", "/* */ until('2033-11-15');\n", "C087 Likely"),
            ("opt/a.js", "#until = '2023-11-14';\n", "#until = '2033-11-15';\n", "C087 Likely"),
            ("etc/cron.d/a", "* * * * * root a 2023-11-14\n", "* * * * * root a 2033-11-14\n", "C087 Likely"),
            ("opt/a.h", "#define DAY \"2023-11-14\"\n", "#define DAY \"2023-11-15\"\n", "C087 Likely"),
            ("opt/a.conf", "# made 1700000000\n", "# made 1700086400\n", "C087 Proven"),
            ("opt/a.conf", "made 1700000000\n", "made 1700086400\n", "C120 Possible"),
            ("opt/a.conf", "# v 2023.11.14\n", "# v 2023.11.15\n", "C120 Possible"),
        ] {
            assert_eq!(told(path, first.as_bytes(), second.as_bytes()), want, "{path} {second}");
        }
    }
}
