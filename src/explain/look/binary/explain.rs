//! Why two ELF files differ.

use std::collections::BTreeSet;
use std::ops::Range;

use super::super::pair::{Found, Pair};
use super::super::reason::Reason;
use super::elf::{self, Section, notes, sections};
use super::go;
use super::strings::{self, Texts};
use crate::explain::causes::Proof;

const GNU_BUILD_ID: u32 = 3;
const GO_BUILD_ID: u32 = 4;
const DEBUG_LINK: &[u8] = b".gnu_debuglink";
/// The checksum at the end of a debug link.
const SUM: usize = 4;

/// A place that a cause names.
struct Named {
    code: &'static str,
    place: Range<usize>,
}

/// The causes of all places that differ; none if one of them has no cause.
pub(super) fn look(pair: &Pair<'_>) -> Option<Found> {
    if !pair.start_with(elf::MAGIC) || pair.first.len() != pair.second.len() {
        return None;
    }
    let [first, second] = pair.parsed(sections)?;
    let differing = strings::runs(pair.first, pair.second)?;
    if first != second || differing.is_empty() {
        return None;
    }
    let mut named = Vec::new();
    for (one, other) in notes(pair.first, &first).iter().zip(&notes(pair.second, &second)) {
        let code = match (one.owner, one.kind) {
            (b"GNU", GNU_BUILD_ID) => "C100",
            (b"Go", GO_BUILD_ID) => "C101",
            _ => continue,
        };
        if one == other {
            named.push(Named { code, place: one.place.clone() });
        }
    }
    let links = first.iter().filter(|section| section.name == DEBUG_LINK && section.place.len() > SUM);
    named.extend(links.map(|section| Named { code: "C100", place: section.place.end - SUM..section.place.end }));
    let [one, other] = pair.both().map(go::changing_lines);
    if one == other {
        named.extend(one.into_iter().map(|place| Named { code: "C102", place }));
    }
    let (mut codes, mut texts, mut is_moved) = (BTreeSet::new(), Texts::default(), false);
    for run in differing {
        let known = named.iter().find(|named| named.place.start <= run.start && run.end <= named.place.end);
        if let Some(named) = known {
            codes.insert(named.code);
            continue;
        }
        let section = section(&first, &run)?;
        match texts.explain(pair, &run, section) {
            Some(code) => _ = codes.insert(code),
            None if section.is_debug() => is_moved = true,
            None => return None,
        }
    }
    // Linkers sort the texts of debug information by their hashes: then the numbers that lead to them differ, too.
    let is_moved = is_moved && strings::is_one_directory([(pair.first, &first), (pair.second, &second)])?;
    if !is_moved && !texts.agree() {
        return None;
    }
    // A build id follows from what differs besides.
    let reason = |code| {
        let is_likely = is_moved && code == "C103";
        Reason::new(code, if is_likely { Proof::Likely } else { Proof::Proven })
    };
    codes.extend(is_moved.then_some("C103"));
    Found::of(codes.into_iter().map(reason).collect())
}

/// The section that holds the run, which is no code.
fn section<'a, 'b>(sections: &'b [Section<'a>], run: &Range<usize>) -> Option<&'b Section<'a>> {
    let mut holding =
        sections.iter().filter(|section| section.place.start <= run.start && run.end <= section.place.end);
    holding.next().filter(|section| !section.is_code)
}

#[cfg(test)]
mod tests {
    use crate::explain::look::told;

    /// An ELF file with a note, code, data and debug text.
    fn program(owner: &str, kind: u32, id: &[u8; 4], code: &[u8; 8], data: &str, debug: &str) -> Vec<u8> {
        let mut note = [4, 4, kind].map(u32::to_le_bytes).concat();
        note.extend([owner.as_bytes(), &[0; 4][..4 - owner.len()], id].concat());
        let parts: [(&str, u32, u64, Vec<u8>); 5] = [
            (".note", 7, 2, note),
            (".text", 1, 6, code.to_vec()),
            (".rodata", 1, 2, data.as_bytes().to_vec()),
            (".debug_str", 1, 0, debug.as_bytes().to_vec()),
            (".shstrtab", 3, 0, b"\0.note\0.text\0.rodata\0.debug_str\0.shstrtab\0".to_vec()),
        ];
        let mut out = vec![0; 64];
        out[..6].copy_from_slice(b"\x7fELF\x02\x01");
        let mut table = vec![0; 64];
        let names = parts[4].3.clone();
        for (name, kind, flags, content) in &parts {
            let at = names.windows(name.len()).position(|part| part == name.as_bytes()).unwrap();
            table.extend([u32::try_from(at).unwrap(), *kind].map(u32::to_le_bytes).concat());
            table.extend([*flags, 0, out.len() as u64, content.len() as u64, 0, 0, 0].map(u64::to_le_bytes).concat());
            table.truncate(table.len() - 8);
            table.extend([0; 8]);
            out.extend(content);
        }
        let start = out.len() as u64;
        out[40..48].copy_from_slice(&start.to_le_bytes());
        out[58..64].copy_from_slice(&[64_u16, 6, 5].map(u16::to_le_bytes).concat());
        out.extend(table);
        out
    }

    #[test]
    fn named_places_are_benign_and_code_is_not() {
        let data = "made Nov 14 2023 at 22:13:20\0/etc/app.conf\0";
        let debug = "/tmp/build.aaa/src/main.c\0";
        let base = program("GNU", 3, b"1234", b"codecode", data, debug);
        let other_day = "made Nov 15 2023 at 08:01:02\0/etc/app.conf\0";
        let other_file = "made Nov 14 2023 at 22:13:20\0/tmp/app.conf\0";
        for (other, want) in [
            (program("GNU", 3, b"1235", b"codecode", data, debug), "C100 Proven"),
            (program("GNU", 3, b"1235", b"codecodf", data, debug), "C120 Possible"),
            (program("GNU", 4, b"1235", b"codecode", data, debug), "C120 Possible"),
            (program("GNU", 3, b"1235", b"codecode", other_day, debug), "C100 Proven, C106 Proven"),
            (program("GNU", 3, b"1235", b"codecode", other_file, debug), "C120 Possible"),
            (program("GNU", 3, b"1235", b"codecode", data, "/tmp/build.bbb/src/main.c\0"), "C100 Proven, C103 Proven"),
            (program("GNU", 3, b"1234", b"codecode", data, "/tmp/build.aaa/src/evil.c\0"), "C120 Possible"),
        ] {
            assert_eq!(told("usr/bin/x", &base, &other), want);
        }
        let debug = |file: &str, directory: &str| {
            program("GNU", 3, b"1234", b"codecode", data, &format!("/tmp/{file}/main.c\0/tmp/{directory}\0"))
        };
        assert_eq!(told("usr/bin/x", &debug("aaa", "aaa"), &debug("bbb", "bbb")), "C103 Proven");
        assert_eq!(told("usr/bin/x", &debug("aaa", "aaa"), &debug("bbb", "ccc")), "C120 Possible");
        assert_eq!(told("usr/bin/x", &debug("aaa", "aaa"), &debug("aaa", "bbb")), "C120 Possible");
        let sorted =
            |code, texts: &str, number: char| program("GNU", 3, b"1234", code, data, &format!("{texts}\0\0{number}"));
        let base = sorted(b"codecode", "/tmp/aaa\0main.c", '\u{1}');
        for (other, want) in [
            (sorted(b"codecode", "main.c\0/tmp/bbb", '\u{1}'), "C103 Likely"),
            (sorted(b"codecode", "evil.c\0/tmp/bbb", '\u{1}'), "C120 Possible"),
            (sorted(b"codecodf", "main.c\0/tmp/bbb", '\u{1}'), "C120 Possible"),
        ] {
            assert_eq!(told("usr/bin/x", &base, &other), want);
        }
        let go = |id: &[u8; 4], code| program("Go", 4, id, code, data, "");
        assert_eq!(told("usr/bin/x", &go(b"1234", b"codecode"), &go(b"1235", b"codecode")), "C101 Proven");
        assert_eq!(told("usr/bin/x", &go(b"1234", b"codecode"), &go(b"1235", b"codecodf")), "C120 Possible");
    }

    #[test]
    fn what_git_says_about_a_go_program_is_benign() {
        let info = |revision: &str, module: &str| {
            let time = "20231114221320";
            let text =
                format!("path\t{module}\nmod\t{module}\tv0.0.0-{time}-{revision}\nbuild\tvcs.revision={revision}00\n");
            let length = u8::try_from(text.len()).unwrap();
            let head = "\u{7f} Go buildinf:\u{8}\u{2}";
            (head.to_owned(), format!("{}\x02go{}{text}\0\0{text}", "\0".repeat(16), char::from(length)))
        };
        let whole = |revision: &str, module: &str| {
            let (head, rest) = info(revision, module);
            let file = program("Go", 4, b"1234", b"codecode", &format!("{head}{rest}"), "");
            let at = file.windows(4).position(|part| part == b"\x7f Go").unwrap();
            [&file[..at], b"\xff", &file[at + 1..]].concat()
        };
        let (one, other) = ("aaaaaaaaaaaa", "bbbbbbbbbbbb");
        let base = whole(one, "example/x");
        assert_eq!(told("usr/bin/x", &base, &whole(other, "example/x")), "C102 Proven");
        assert_eq!(told("usr/bin/x", &base, &whole(other, "example/y")), "C120 Possible");
    }
}
