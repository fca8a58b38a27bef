//! What is shown of two contents that differ: lines of text, or bytes around the first difference.

use super::super::pair::Pair;
use super::super::reason::{Detail, Hunk, Line};
use super::edit::edits;

/// Lines of context before and behind what differs.
const CONTEXT: usize = 3;
/// Hunks that are kept.
const HUNKS: usize = 20;
/// Lines of one side that a hunk keeps of what differs.
const LINES: usize = 40;
/// Bytes that are kept of a line.
const WIDTH: usize = 500;
/// Bytes of a window, and those of it that stand before the difference.
const WINDOW: usize = 64;
const BEFORE: usize = 16;
/// Contents above this are shown as bytes.
const MOST: usize = 4 << 20;

/// Hunks of lines where both are text, a window of bytes otherwise.
pub(in super::super) fn detail(pair: &Pair<'_>) -> Option<Detail> {
    let is_text =
        |content: &[u8]| content.len() <= MOST && !content.contains(&0) && std::str::from_utf8(content).is_ok();
    Some(if pair.both().into_iter().all(is_text) { text(pair) } else { window(pair) })
}

fn window(pair: &Pair<'_>) -> Detail {
    let is_alike = |(one, other): &(&u8, &u8)| one == other;
    let differs = pair.first.iter().zip(pair.second).take_while(is_alike).count();
    let at = differs.saturating_sub(BEFORE) / BEFORE * BEFORE;
    let cut = |content: &[u8]| content.iter().skip(at).take(WINDOW).copied().collect();
    Detail::Bytes { at: at as u64, first: cut(pair.first), second: cut(pair.second) }
}

fn text(pair: &Pair<'_>) -> Detail {
    let [first, second] = pair.both().map(lines);
    let edits = edits(&first, &second);
    let (mut hunks, mut more) = (Vec::<Hunk>::new(), 0);
    let mut at = 0;
    while let Some((one, other)) = edits.get(at) {
        // Edits whose contexts touch are one hunk.
        let mut last = at;
        while edits.get(last + 1).is_some_and(|(next, _)| next.start <= edits[last].0.end + 2 * CONTEXT) {
            last += 1;
        }
        let group = &edits[at..=last];
        at = last + 1;
        if hunks.len() == HUNKS {
            more += 1;
            continue;
        }
        let before = CONTEXT.min(one.start);
        let mut hunk = Hunk {
            first: (one.start - before) as u64 + 1,
            second: (other.start - before) as u64 + 1,
            lines: Vec::new(),
        };
        let mut from = one.start - before;
        for (one, other) in group {
            hunk.lines.extend(first[from..one.start].iter().map(|line| Line::Both(cut(line))));
            hunk.lines.extend(first[one.clone()].iter().take(LINES).map(|line| Line::First(cut(line))));
            hunk.lines.extend(second[other.clone()].iter().take(LINES).map(|line| Line::Second(cut(line))));
            from = one.end;
        }
        let end = first.len().min(from + CONTEXT);
        hunk.lines.extend(first[from..end].iter().map(|line| Line::Both(cut(line))));
        hunks.push(hunk);
    }
    Detail::Text { hunks, more }
}

fn lines(content: &[u8]) -> Vec<&[u8]> {
    content.split_inclusive(|&byte| byte == b'\n').collect()
}

fn cut(line: &[u8]) -> Vec<u8> {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    line[..line.len().min(WIDTH)].to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(first: &str, second: &str) -> Vec<String> {
        let pair = Pair { path: b"x", first: first.as_bytes(), second: second.as_bytes() };
        let Some(Detail::Text { hunks, more }) = detail(&pair) else { panic!("no text") };
        let mut out = Vec::new();
        for hunk in hunks {
            out.push(format!("@ {} {}", hunk.first, hunk.second));
            for line in hunk.lines {
                let (sign, line) = match line {
                    Line::Both(line) => (' ', line),
                    Line::First(line) => ('-', line),
                    Line::Second(line) => ('+', line),
                };
                out.push(format!("{sign}{}", String::from_utf8(line).unwrap()));
            }
        }
        out.extend((more > 0).then(|| format!("{more} more")));
        out
    }

    #[test]
    fn lines_are_shown_with_their_context() {
        let text: Vec<String> = (1..=20).map(|number| format!("{number}\n")).collect();
        let mut other = text.clone();
        other[4] = "five\n".into();
        other[6] = String::new();
        other[19] = "20".into();
        let want = [
            "@ 2 2", " 2", " 3", " 4", "-5", "+five", " 6", "-7", " 8", " 9", " 10", "@ 17 16", " 17", " 18", " 19",
            "-20", "+20",
        ];
        assert_eq!(shown(&text.concat(), &other.concat()), want);
        assert_eq!(shown("", "a\n"), ["@ 1 1", "+a"]);
        let many =
            |sign: &str| (0..25).map(|number| format!("{sign}{number}\n{}", "same\n".repeat(9))).collect::<String>();
        assert!(shown(&many("a"), &many("b")).ends_with(&["5 more".to_owned()]));
    }

    #[test]
    fn bytes_are_shown_around_the_first_difference() {
        let (first, mut second) = (vec![0; 200], vec![0; 150]);
        second[100] = 1;
        let Some(Detail::Bytes { at, first, second }) = detail(&Pair { path: b"x", first: &first, second: &second })
        else {
            panic!("no bytes")
        };
        assert_eq!((at, first.len(), second.len(), second[20]), (80, 64, 64, 1));
    }
}
