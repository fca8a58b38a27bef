//! What `repro diff` reads: the contents of files, and its own document.

use repro::parts::escape::is_dangerous;
use repro::parts::explain::look_into;
use repro::parts::render::{DiffDocument, html, junit, markdown, tree};

/// Two files of one path: the path up to a line end, the size of the first in two bytes, then both. Something is always
/// said of two that differ, and nothing proven depends on which comes first.
pub fn look(data: &[u8]) {
    let Some(end) = data.iter().position(|byte| *byte == b'\n') else { return };
    let (path, rest) = (&data[..end], &data[end + 1..]);
    let Some((size, contents)) = rest.split_first_chunk::<2>() else { return };
    let size = usize::from(u16::from_le_bytes(*size)).min(contents.len());
    let (first, second) = contents.split_at(size);
    if first == second {
        return;
    }
    let mut told = look_into(path, first, second).expect("memory can be read");
    let mut turned = look_into(path, second, first).expect("memory can be read");
    assert!(!told.is_empty());
    for codes in [&mut told, &mut turned] {
        codes.retain(|(_, proof)| *proof == "proven");
        codes.sort_unstable();
        codes.dedup();
    }
    assert_eq!(told, turned);
}

/// A saved document: every report of it is made, is as short as it has to be, and holds nothing that a name could start.
pub fn report(data: &[u8]) {
    let Ok(document) = serde_json::from_slice::<DiffDocument>(data) else { return };
    for is_whole in [false, true] {
        let text = tree(&document, is_whole);
        let mut plain = String::new();
        let mut rest = text.as_str();
        // Colours are the only sequences that are meant.
        while let Some((before, after)) = rest.split_once("\u{1b}[") {
            let (colour, after) = after.split_once('m').expect("a colour ends");
            assert!(colour.bytes().all(|byte| byte.is_ascii_digit() || byte == b';'), "{colour:?}");
            plain.push_str(before);
            rest = after;
        }
        plain.push_str(rest);
        assert!(!plain.chars().any(|c| c != '\n' && is_dangerous(c)), "{plain:?}");
    }
    assert!(markdown(&document).expect("the template has all it needs").chars().count() < 60_000);
    let page = html(&document).expect("the template has all it needs");
    assert_eq!((page.matches("<script").count(), page.matches("</script>").count()), (2, 2));
    junit(&document).expect("the template has all it needs");
}
