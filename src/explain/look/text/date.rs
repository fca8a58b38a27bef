//! Dates and times in text: where they are, and which form they have.
//!
//! [`pieces()`] cuts text into dates and what stands between them. Two texts whose pieces are equal differ in nothing but
//! dates, and write them in one form. What could as well be a version (`2023.11.14`, `20231114`) is no date.

/// What counts as a date besides whole dates.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in super::super) struct Also {
    /// Times of a day that stand alone (`22:13:20`).
    pub(in super::super) times: bool,
    /// Seconds since 1970, or thousandths, millionths, billionths of them.
    pub(in super::super) numbers: bool,
}

/// A piece of text.
#[derive(Debug, PartialEq, Eq)]
pub(in super::super) enum Piece<'a> {
    /// What is no date.
    Text(&'a [u8]),
    /// A date, by its form.
    Date(Vec<u8>),
}

const MONTHS: &[&str] = &[
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];
const DAYS: &[&str] = &["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];

/// The text, cut at its dates.
pub(in super::super) fn pieces(text: &[u8], also: Also) -> Vec<Piece<'_>> {
    let (mut pieces, mut start, mut at) = (Vec::new(), 0, 0);
    while at < text.len() {
        let is_inside = at > 0 && text[at - 1].is_ascii_alphanumeric() && text[at].is_ascii_alphanumeric();
        // A PDF writes `D:` before its dates.
        let found = if is_inside { None } else { date(text, at, also) };
        let Some((end, form)) = found else {
            at += 1;
            continue;
        };
        if start < at {
            pieces.push(Piece::Text(&text[start..at]));
        }
        pieces.push(Piece::Date(form));
        (start, at) = (end, end);
    }
    if start < text.len() {
        pieces.push(Piece::Text(&text[start..]));
    }
    pieces
}

/// The date that starts at `at`: where it ends, and its form.
fn date(text: &[u8], at: usize, also: Also) -> Option<(usize, Vec<u8>)> {
    if !text[at].is_ascii_alphanumeric() {
        return None;
    }
    let end = iso(text, at).or_else(|| compact(text, at));
    let end = end.or_else(|| if also.times { time(text, at) } else { None });
    let end = end.or_else(|| if also.numbers { number(text, at) } else { None });
    let found = match end {
        Some(end) => Some((end, form(&text[at..end]))),
        None => phrase(text, at),
    };
    found.filter(|(end, _)| !text.get(*end).is_some_and(u8::is_ascii_alphanumeric))
}

/// Digits as zeros, and the rest as it is; both signs of a zone alike.
fn form(date: &[u8]) -> Vec<u8> {
    let of = |byte: &u8| match byte {
        b'0'..=b'9' => b'0',
        b'-' | b'+' => b'-',
        byte => *byte,
    };
    date.iter().map(of).collect()
}

/// A number of exactly `length` digits between the bounds.
fn digits(text: &[u8], at: usize, length: usize, from: u32, to: u32) -> Option<u32> {
    let digits = text.get(at..at.checked_add(length)?)?;
    let number = std::str::from_utf8(digits).ok().filter(|_| digits.iter().all(u8::is_ascii_digit))?.parse().ok()?;
    (from..=to).contains(&number).then_some(number)
}

fn year(text: &[u8], at: usize) -> Option<u32> {
    digits(text, at, 4, 1970, 2099)
}

/// `2023-11-14`, `2023/11/14`, each alone or with a time and a zone.
fn iso(text: &[u8], at: usize) -> Option<usize> {
    year(text, at)?;
    let sign = *text.get(at + 4).filter(|sign| b"-/".contains(sign))?;
    digits(text, at + 5, 2, 1, 12)?;
    digits(text, at + 8, 2, 1, 31)?;
    let end = at + 10;
    if text.get(at + 7) != Some(&sign) || text.get(end).is_some_and(u8::is_ascii_digit) {
        return None;
    }
    let with_time = [&b"T"[..], b"t", b" ", b"  ", b"_", b" at "].into_iter().find_map(|between| {
        let rest = text.get(end..)?;
        time(text, end + rest.starts_with(between).then_some(between.len())?)
    });
    Some(with_time.map_or(end, |end| zone(text, end).unwrap_or(end)))
}

/// `22:13`, `22:13:20`, `22:13:20.123456`.
fn time(text: &[u8], at: usize) -> Option<usize> {
    digits(text, at, 2, 0, 23)?;
    let is_colon = |at: usize| text.get(at) == Some(&b':');
    if !is_colon(at + 2) {
        return None;
    }
    digits(text, at + 3, 2, 0, 59)?;
    if !is_colon(at + 5) {
        return Some(at + 5);
    }
    digits(text, at + 6, 2, 0, 60)?;
    let end = at + 8;
    let fraction = text.get(end + 1..).unwrap_or_default().iter().take_while(|byte| byte.is_ascii_digit()).count();
    let has_fraction = fraction > 0 && text.get(end).is_some_and(|sign| b".,".contains(sign));
    Some(if has_fraction { end + 1 + fraction } else { end })
}

/// `Z`, `UTC`, `+01:00`, ` +0100`, and a PDF's `+01'00'`.
fn zone(text: &[u8], at: usize) -> Option<usize> {
    let start = at + text.get(at..)?.iter().take_while(|byte| **byte == b' ').count().min(1);
    let rest = text.get(start..)?;
    if let Some(name) = [&b"UTC"[..], b"GMT", b"Z"].into_iter().find(|name| rest.starts_with(name)) {
        return Some(start + name.len());
    }
    rest.first().filter(|sign| b"+-".contains(sign))?;
    digits(text, start + 1, 2, 0, 14)?;
    let between = usize::from(text.get(start + 3).is_some_and(|sign| b":'".contains(sign)));
    digits(text, start + 3 + between, 2, 0, 59)?;
    let end = start + 5 + between;
    Some(end + usize::from(text.get(end) == Some(&b'\'')))
}

/// `20231114T221320Z`, `20231114221320`, `20231114-221320`.
fn compact(text: &[u8], at: usize) -> Option<usize> {
    year(text, at)?;
    digits(text, at + 4, 2, 1, 12)?;
    digits(text, at + 6, 2, 1, 31)?;
    let between = usize::from(text.get(at + 8).is_some_and(|sign| b"T.-_".contains(sign)));
    let start = at + 8 + between;
    digits(text, start, 2, 0, 23)?;
    digits(text, start + 2, 2, 0, 59)?;
    digits(text, start + 4, 2, 0, 60)?;
    let end = start + 6;
    (!text.get(end).is_some_and(u8::is_ascii_digit)).then(|| zone(text, end).unwrap_or(end))
}

/// Seconds since 1970 between 2001 and 2033, with a fraction or not, or smaller parts of them.
fn number(text: &[u8], at: usize) -> Option<usize> {
    let is_digit = |byte: &&u8| byte.is_ascii_digit();
    let length = text.get(at..)?.iter().take_while(is_digit).count();
    let end = at + length;
    if text[at] != b'1' || !matches!(length, 10 | 13 | 16 | 19) {
        return None;
    }
    let fraction = text.get(end + 1..).unwrap_or_default().iter().take_while(is_digit).count();
    Some(if fraction > 0 && text.get(end) == Some(&b'.') { end + 1 + fraction } else { end })
}

/// `Tue Nov 14 22:13:20 UTC 2023`, `14 Nov 2023`, `November 2023`, `Tue, 14 Nov 2023 20:00:00 +0000`.
fn phrase(text: &[u8], start: usize) -> Option<(usize, Vec<u8>)> {
    let (mut at, mut end, mut form) = (start, start, Vec::new());
    while let Some((next, kind)) = element(text, at) {
        if form.contains(&kind) {
            break;
        }
        form.push(kind);
        end = next;
        let is_between = |byte: &&u8| b" ,-".contains(byte);
        let between = text[next..].iter().take_while(is_between).count();
        if !matches!(&text[next..next + between], b" " | b"  " | b", " | b"-") {
            break;
        }
        at = next + between;
    }
    let has = |kind| form.contains(&kind);
    let is_date = has(b'm') && (has(b'y') || has(b'd') && has(b't')) && form.first() != Some(&b'y');
    (is_date && form.first() != Some(&b't')).then_some((end, form))
}

/// One part of a phrase, and its kind.
fn element(text: &[u8], at: usize) -> Option<(usize, u8)> {
    let rest = text.get(at..)?;
    let first = *rest.first()?;
    if first.is_ascii_alphabetic() {
        let length = rest.iter().take_while(|byte| byte.is_ascii_alphabetic()).count();
        let word = rest[..length].to_ascii_lowercase();
        let is_one = |names: &[&str]| {
            names.iter().any(|name| word == name.as_bytes() || length == 3 && word == name.as_bytes()[..3])
        };
        let kind = if is_one(MONTHS) {
            b'm'
        } else if is_one(DAYS) {
            b'w'
        } else if matches!(&word[..], b"am" | b"pm") {
            b'h'
        } else if rest[..length].iter().all(u8::is_ascii_uppercase)
            && (3..=4).contains(&length)
            && b"ct".contains(&word[length - 1])
        {
            b'z'
        } else {
            return None;
        };
        return Some((at + length, kind));
    }
    if let Some(end) = time(text, at) {
        return Some((end, b't'));
    }
    let length = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    match length {
        0 if b"+-".contains(&first) => digits(text, at + 1, 4, 0, 1400).map(|_| (at + 5, b'z')),
        1 | 2 => {
            digits(text, at, length, 1, 31)?;
            let ending = rest.get(length..length + 2).unwrap_or_default();
            let has_ending = [&b"st"[..], b"nd", b"rd", b"th"].contains(&ending);
            Some((at + length + if has_ending { 2 } else { 0 }, b'd'))
        }
        4 => year(text, at).map(|_| (at + 4, b'y')),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ALL: Also = Also { times: true, numbers: true };

    fn dates(text: &str, also: Also) -> Vec<String> {
        let mut rest = text;
        let mut dates = Vec::new();
        for piece in pieces(text.as_bytes(), also).iter().rev() {
            if let Piece::Text(part) = piece {
                let part = std::str::from_utf8(part).unwrap();
                let at = rest.rfind(part).unwrap();
                dates.extend((at + part.len() < rest.len()).then(|| rest[at + part.len()..].to_owned()));
                rest = &rest[..at];
            }
        }
        dates.extend((!rest.is_empty()).then(|| rest.to_owned()));
        dates.reverse();
        dates
    }

    #[test]
    fn dates_are_found_whole() {
        for date in [
            "2023-11-14",
            "2023/11/14",
            "2023-11-14T22:13:20Z",
            "2023-11-14 22:13:20.123 +0100",
            "2023-11-14T22:13:20+00:00",
            "2023-11-14  22:13:20",
            "20231114T221320Z",
            "20231114221320",
            "20231114221320+00'00'",
            "Tue Nov 14 22:13:20 UTC 2023",
            "Sat Nov  4 22:13:20 2023",
            "Tue, 14 Nov 2023 20:00:00 +0000",
            "14 November 2023",
            "November 14, 2023",
            "November 2023",
            "14-Nov-2023",
            "Nov 14 22:13:20",
            "Nov 14 2023 22:13:20",
            "4th May 2023",
        ] {
            assert_eq!(dates(&format!("[{date}]"), Also::default()), [date]);
        }
        assert_eq!(dates("a 22:13:20 b 1700000000 c 1700000000123", ALL), ["22:13:20", "1700000000", "1700000000123"]);
    }

    #[test]
    fn what_may_be_something_else_is_no_date() {
        for text in [
            "2023.11.14",
            "20231114",
            "1.2.3",
            "2023-13-14",
            "2023-11-41",
            "12023-11-14",
            "x2023-11-14",
            "2023-11-145",
            "22:13:20",
            "1700000000",
            "may 5",
            "march on 14",
            "a Mon b",
            "2023",
            "14 2023",
            "1899-01-01",
            "99:99:99",
        ] {
            assert!(dates(text, Also::default()).is_empty(), "{text}");
        }
    }

    #[test]
    fn one_form_is_needed_on_both_sides() {
        let is_alike = |one: &str, other: &str| pieces(one.as_bytes(), ALL) == pieces(other.as_bytes(), ALL);
        assert!(is_alike("at 2023-11-14.", "at 2024-01-02."));
        assert!(is_alike("Sat Nov  4 22:13:20 2023", "Tue Nov 14 22:13:20 2023"));
        assert!(!is_alike("at 2023-11-14.", "at 2023/11/14."));
        assert!(!is_alike("at 2023-11-14.", "on 2023-11-14."));
        assert!(!is_alike("2023-11-14T22:13:20Z", "2023-11-14T22:13:20"));
        assert!(!is_alike("[2023-11-14]", "[0000-00-00]"));
    }

    proptest! {
        #[test]
        fn pieces_are_the_whole_text(text in "[0-9TZ:. ,+NovMayue-]{0,60}") {
            let total: usize = pieces(text.as_bytes(), ALL).iter().map(|piece| match piece {
                Piece::Text(text) => text.len(),
                Piece::Date(_) => 0,
            }).sum();
            prop_assert!(total <= text.len());
        }
    }
}
