//! Accounts: `/etc/passwd`, `group`, `shadow` and their like.

use std::collections::{BTreeMap, BTreeSet};

use super::pair::{Found, Pair};
use super::reason::{Detail, Reason};
use crate::explain::causes::Proof;

/// The files, each with the names of its fields. Beside each may stand a copy with `-` behind its name.
const FILES: &[(&str, &[&str])] = &[
    ("etc/passwd", &["name", "password", "uid", "gid", "comment", "home", "shell"]),
    ("etc/group", &["name", "password", "gid", "members"]),
    (
        SHADOW,
        &["name", "password", "day of change", "minimum", "maximum", "warning", "inactivity", "expiry", "reserved"],
    ),
    ("etc/gshadow", &["name", "password", "administrators", "members"]),
    ("etc/subuid", &["name", "first", "count"]),
    ("etc/subgid", &["name", "first", "count"]),
];
const SHADOW: &str = "etc/shadow";
/// The field of a shadow file that holds the day of the last change.
const DAY: usize = 2;
/// Accounts that are told.
const MOST: usize = 100;

type Fields<'a> = Vec<&'a [u8]>;

/// C069 where only days of the last change differ, C070 for each account that differs otherwise.
pub(super) fn look(pair: &Pair<'_>) -> Option<Found> {
    let original = Pair { path: pair.path.strip_suffix(b"-").unwrap_or(pair.path), ..*pair };
    let (place, fields) = FILES.iter().find(|(place, _)| original.is_at(place))?;
    let [first, second] = pair.both().map(lines);
    if *place == SHADOW && differ_by_day(&first, &second) {
        return Some(Found::proven("C069"));
    }
    let [one, other] = [&first, &second].map(|lines| by_name(lines));
    let mut reasons = Vec::new();
    let names: BTreeSet<&[u8]> = one.keys().chain(other.keys()).copied().collect();
    for name in names {
        let [one, other] = [&one, &other].map(|side| side.get(name).map_or(&[][..], Vec::as_slice));
        reasons.extend(account(name, one, other, *place == SHADOW, fields));
        if reasons.len() >= MOST {
            break;
        }
    }
    if reasons.is_empty() {
        reasons.push(told("order", "accounts stand in one order", "they stand in another order"));
    }
    Found::of(reasons)
}

fn lines(content: &[u8]) -> Vec<Fields<'_>> {
    content.split(|&byte| byte == b'\n').map(|line| line.split(|&byte| byte == b':').collect()).collect()
}

fn by_name<'a>(lines: &[Fields<'a>]) -> BTreeMap<&'a [u8], Vec<Fields<'a>>> {
    let mut accounts: BTreeMap<&[u8], Vec<Fields<'_>>> = BTreeMap::new();
    for line in lines {
        accounts.entry(line.first().copied().unwrap_or_default()).or_default().push(line.clone());
    }
    accounts
}

/// Whether the lines are equal but for positive numbers in the field of the day.
fn differ_by_day(first: &[Fields<'_>], second: &[Fields<'_>]) -> bool {
    let is_day = |field: &[u8]| field.iter().all(u8::is_ascii_digit) && field.iter().any(|&digit| digit != b'0');
    let is_fine = |(one, other): (&Fields<'_>, &Fields<'_>)| {
        one.len() == other.len()
            && one
                .iter()
                .zip(other)
                .enumerate()
                .all(|(number, (one, other))| one == other || number == DAY && is_day(one) && is_day(other))
    };
    first.len() == second.len() && first.iter().zip(second).all(is_fine)
}

/// The first field in which the account differs.
fn account(
    name: &[u8],
    first: &[Fields<'_>],
    second: &[Fields<'_>],
    is_shadow: bool,
    fields: &[&str],
) -> Option<Reason> {
    if first == second {
        return None;
    }
    let name = String::from_utf8_lossy(name);
    let ([one], [other]) = (first, second) else {
        let count = |side: &[Fields<'_>]| match side.len() {
            0 => "missing".to_owned(),
            count => format!("{count} lines"),
        };
        return Some(told(&name, &count(first), &count(second)));
    };
    let differs = |number: &usize| one.get(*number) != other.get(*number);
    // A day that differs beside something else is not what matters.
    let mut numbers = (0..one.len().max(other.len())).filter(differs);
    let number = numbers.find(|number| !is_shadow || *number != DAY).or(Some(DAY))?;
    let field = fields.get(number).copied().unwrap_or("field");
    let show = |line: &Fields<'_>| match (field, line.get(number)) {
        (_, None) => "missing".to_owned(),
        ("password", Some(value)) => password(value).to_owned(),
        (_, Some(value)) => String::from_utf8_lossy(value).into_owned(),
    };
    Some(told(&format!("{name}: {field}"), &show(one), &show(other)))
}

/// What a password field says, without what it holds.
fn password(field: &[u8]) -> &'static str {
    match field {
        b"" => "none is needed",
        b"x" => "in the shadow file",
        [b'!' | b'*', ..] => "locked",
        _ => "a hash",
    }
}

fn told(name: &str, first: &str, second: &str) -> Reason {
    let detail = Detail::Field { name: name.to_owned(), first: first.to_owned(), second: second.to_owned() };
    Reason { detail: Some(detail), ..Reason::new("C070", Proof::Proven) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(path: &str, first: &str, second: &str) -> Vec<String> {
        let pair = Pair { path: path.as_bytes(), first: first.as_bytes(), second: second.as_bytes() };
        let reasons = look(&pair).map(|found| found.reasons).unwrap_or_default();
        let line = |reason: Reason| match reason.detail {
            Some(Detail::Field { name, first, second }) => format!("{} {name}: {first}, {second}", reason.code),
            _ => reason.code.to_owned(),
        };
        reasons.into_iter().map(line).collect()
    }

    #[test]
    fn a_day_of_change_is_benign_and_any_other_field_is_not() {
        let shadow = |day: &str, hash: &str| format!("root:*:19000:0:::::\napp:{hash}:{day}:0:99999:7:::\n");
        let base = shadow("19675", "!");
        for (other, want) in [
            (shadow("19676", "!"), "C069"),
            (shadow("0", "!"), "C070 app: day of change: 19675, 0"),
            (shadow("", "!"), "C070 app: day of change: 19675, "),
            (shadow("19676", ""), "C070 app: password: locked, none is needed"),
            (shadow("19676", "$y$x"), "C070 app: password: locked, a hash"),
            (base.clone() + "eve::1:::::\n", "C070 eve: missing, 1 lines"),
        ] {
            assert_eq!(told("etc/shadow", &base, &other), [want]);
            assert_eq!(told("rootfs/etc/shadow-", &base, &other), [want]);
        }
        assert!(told("etc/shadow.txt", &base, &shadow("19676", "!")).is_empty());
        assert!(told("xetc/shadow", &base, &shadow("19676", "!")).is_empty());
    }

    #[test]
    fn the_account_and_the_field_are_named() {
        for (path, first, second, want) in [
            ("etc/passwd", "a:x:1:1::/:/bin/sh\n", "a:x:1:0::/:/bin/sh\n", "C070 a: gid: 1, 0"),
            ("etc/passwd", "a:x:5:1::/:/bin/sh\n", "a:x:0:1::/:/bin/sh\n", "C070 a: uid: 5, 0"),
            ("etc/group", "sudo:x:27:\n", "sudo:x:27:app\n", "C070 sudo: members: , app"),
            ("etc/subuid", "a:1:5\n", "a:1:6\n", "C070 a: count: 5, 6"),
            (
                "etc/group",
                "a:x:1:\nb:x:2:\n",
                "b:x:2:\na:x:1:\n",
                "C070 order: accounts stand in one order, they stand in another order",
            ),
            ("etc/passwd", "a:x:19000:1::/:\n", "a:x:19001:1::/:\n", "C070 a: uid: 19000, 19001"),
        ] {
            assert_eq!(told(path, first, second), [want]);
        }
    }
}
