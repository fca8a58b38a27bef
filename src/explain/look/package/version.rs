//! Which of two versions is the older one.

use std::cmp::Ordering;

/// How versions are ordered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scheme {
    /// dpkg's: `epoch:upstream-revision`, `~` sorts before the end, letters before other signs.
    Debian,
    /// rpm's and pacman's: `epoch:version-release`, numbers after letters, `~` before the end, `^` after it.
    Rpm,
    /// Of everybody else: numbers as numbers, words such as `rc` before the end, others after it.
    Loose,
}

/// What the second version is to the first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    Older,
    Newer,
    /// Written in another way.
    Same,
}

/// Words of versions that come before the release.
const EARLY: &[&str] =
    &["a", "alpha", "b", "beta", "c", "canary", "dev", "m", "next", "nightly", "pre", "preview", "rc", "snapshot"];

impl Scheme {
    /// What `second` is to `first`.
    pub(super) fn order(self, first: &str, second: &str) -> Order {
        let order = match self {
            Self::Debian | Self::Rpm => {
                let (one, other) = (parts(first), parts(second));
                let compare = if self == Self::Debian { debian } else { rpm };
                let epoch = |text: &str| text.parse::<u64>().unwrap_or(0);
                let by_epoch = epoch(one.0).cmp(&epoch(other.0));
                let order = by_epoch.then_with(|| compare(one.1.as_bytes(), other.1.as_bytes()));
                order.then_with(|| compare(one.2.as_bytes(), other.2.as_bytes()))
            }
            Self::Loose => loose(first, second),
        };
        match order {
            Ordering::Less => Order::Newer,
            Ordering::Equal => Order::Same,
            Ordering::Greater => Order::Older,
        }
    }
}

/// Epoch, version, release.
fn parts(version: &str) -> (&str, &str, &str) {
    let (epoch, rest) = version.split_once(':').unwrap_or(("0", version));
    let (version, release) = rest.rsplit_once('-').unwrap_or((rest, "0"));
    (epoch, version, release)
}

/// The number that the text starts with, as digits without leading zeros, and what follows.
fn number(text: &[u8]) -> (&[u8], &[u8]) {
    let end = text.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(text.len());
    let (digits, rest) = text.split_at(end);
    let start = digits.iter().position(|&digit| digit != b'0').unwrap_or(digits.len());
    (&digits[start..], rest)
}

fn by_number(one: &[u8], other: &[u8]) -> Ordering {
    one.len().cmp(&other.len()).then_with(|| one.cmp(other))
}

fn debian(mut one: &[u8], mut other: &[u8]) -> Ordering {
    let weight = |byte: Option<&u8>| match byte {
        Some(b'~') => -1,
        None => 0,
        Some(byte) if byte.is_ascii_digit() => 0,
        Some(byte) if byte.is_ascii_alphabetic() => i32::from(*byte),
        Some(byte) => i32::from(*byte) + 256,
    };
    while !one.is_empty() || !other.is_empty() {
        let is_word = |text: &[u8]| text.first().is_some_and(|byte| !byte.is_ascii_digit());
        while is_word(one) || is_word(other) {
            let order = weight(one.first()).cmp(&weight(other.first()));
            if order != Ordering::Equal {
                return order;
            }
            one = one.get(1..).unwrap_or_default();
            other = other.get(1..).unwrap_or_default();
        }
        let ((digits, rest), (other_digits, other_rest)) = (number(one), number(other));
        let order = by_number(digits, other_digits);
        if order != Ordering::Equal {
            return order;
        }
        (one, other) = (rest, other_rest);
    }
    Ordering::Equal
}

fn rpm(mut one: &[u8], mut other: &[u8]) -> Ordering {
    loop {
        let is_sign = |byte: &u8| !byte.is_ascii_alphanumeric() && !b"~^".contains(byte);
        let skip = |text: &'_ [u8]| text.iter().position(|byte| !is_sign(byte)).unwrap_or(text.len());
        one = &one[skip(one)..];
        other = &other[skip(other)..];
        // `~` is before the end of the other, `^` behind it and before anything else.
        for (sign, is_before) in [(b'~', true), (b'^', false)] {
            let (has, others) = (one.first() == Some(&sign), other.first() == Some(&sign));
            if has && others {
                break;
            }
            if has || others {
                let is_before = is_before || !(if has { other } else { one }).is_empty();
                return if has == is_before { Ordering::Less } else { Ordering::Greater };
            }
        }
        if one.first().is_some_and(|byte| b"~^".contains(byte)) {
            (one, other) = (&one[1..], &other[1..]);
            continue;
        }
        let (Some(first), Some(second)) = (one.first(), other.first()) else { return one.len().cmp(&other.len()) };
        let order = match (first.is_ascii_digit(), second.is_ascii_digit()) {
            (true, true) => {
                let ((digits, rest), (other_digits, other_rest)) = (number(one), number(other));
                (one, other) = (rest, other_rest);
                by_number(digits, other_digits)
            }
            (true, false) => Ordering::Greater,
            (false, true) => Ordering::Less,
            (false, false) => {
                let word = |text: &[u8]| text.iter().position(|byte| !byte.is_ascii_alphabetic()).unwrap_or(text.len());
                let ((word_one, rest), (word_other, other_rest)) =
                    (one.split_at(word(one)), other.split_at(word(other)));
                (one, other) = (rest, other_rest);
                word_one.cmp(word_other)
            }
        };
        if order != Ordering::Equal {
            return order;
        }
    }
}

fn loose(one: &str, other: &str) -> Ordering {
    let pieces = |version: &str| {
        let version = version.strip_prefix('v').unwrap_or(version).to_ascii_lowercase();
        let mut pieces: Vec<String> = Vec::new();
        let mut last = ' ';
        for letter in version.split('+').next().unwrap_or_default().chars() {
            let kind = |letter: char| (letter.is_ascii_digit(), letter.is_alphabetic());
            match pieces.last_mut() {
                Some(piece) if kind(last) == kind(letter) && letter.is_alphanumeric() => piece.push(letter),
                _ if letter.is_alphanumeric() => pieces.push(letter.to_string()),
                _ => {}
            }
            last = letter;
        }
        pieces
    };
    let (one, other) = (pieces(one), pieces(other));
    let rank = |piece: Option<&String>| match piece {
        Some(piece) if piece.starts_with(|letter: char| letter.is_ascii_digit()) => 3,
        Some(piece) if EARLY.contains(&piece.as_str()) => 0,
        Some(_) => 2,
        None => 1,
    };
    for at in 0..one.len().max(other.len()) {
        let (a, b) = (one.get(at), other.get(at));
        let order = rank(a).cmp(&rank(b)).then_with(|| match (a, b) {
            (Some(a), Some(b)) if rank(Some(a)) == 3 => by_number(number(a.as_bytes()).0, number(b.as_bytes()).0),
            (a, b) => a.cmp(&b),
        });
        if order != Ordering::Equal {
            return order;
        }
    }
    Ordering::Equal
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_ordered_as_their_tools_do() {
        use Scheme::{Debian, Loose, Rpm};
        for (scheme, older, newer) in [
            (Debian, "3.0.9-1", "3.0.15-1"),
            (Debian, "1.2-1", "1.2-2"),
            (Debian, "2:1.0", "10:1.0"),
            (Debian, "9.9", "1:0.1"),
            (Debian, "1.0~rc1", "1.0"),
            (Debian, "1.0", "1.0+deb12u1"),
            (Debian, "1.0a", "1.0+"),
            (Debian, "7.88.1-10", "7.88.1-10+b1"),
            (Rpm, "1.0-9", "1.0-10"),
            (Rpm, "1.0~rc1-1", "1.0-1"),
            (Rpm, "1.0-1", "1.0^git1-1"),
            (Rpm, "1.0^git1-1", "1.0.1-1"),
            (Rpm, "1.a", "1.1"),
            (Rpm, "5.0", "1:4.0"),
            (Loose, "1.36.1-r15", "1.36.1-r16"),
            (Loose, "1.9.0", "1.10.0"),
            (Loose, "2.0.0-rc.1", "2.0.0"),
            (Loose, "2.0.0-beta.2", "2.0.0-rc.1"),
            (Loose, "2.0", "2.0.post1"),
            (Loose, "2.0", "2.0.1"),
        ] {
            assert_eq!(scheme.order(older, newer), Order::Newer, "{older} {newer}");
            assert_eq!(scheme.order(newer, older), Order::Older, "{older} {newer}");
        }
        for (scheme, one, other) in
            [(Debian, "1.0", "0:1.0-0"), (Debian, "1.01", "1.1"), (Rpm, "1.0", "1_0"), (Loose, "v1.0", "1.0+build")]
        {
            assert_eq!(scheme.order(one, other), Order::Same, "{one} {other}");
        }
    }
}
