//! pacman: `/var/lib/pacman/local/*/desc`.

use super::super::by_path::ByPath;
use super::super::pair::{Found, Pair};
use super::change;
use super::version::Scheme;

/// Whether a file describes a package; the other one follows pacman's own keys, which it makes anew each time.
static FILES: ByPath<bool> =
    ByPath::new(&[("/**/var/lib/pacman/local/*/desc", true), ("/**/etc/pacman.d/gnupg/trustdb.gpg", false)]);
const TIME: &[u8] = b"%INSTALLDATE%";
const NAME: &[u8] = b"%NAME%";
const VERSION: &[u8] = b"%VERSION%";

/// C068 where only the time of installing differs, C060 for another version.
pub(super) fn look(pair: &Pair<'_>) -> Option<Found> {
    if !*FILES.first(pair.path)? {
        return Some(Found::likely("C068"));
    }
    let [first, second] = pair.both().map(fields);
    let counts = |(name, values): &&Field<'_>| *name != TIME || !is_number(values);
    if first.iter().filter(counts).eq(second.iter().filter(counts)) {
        return Some(Found::proven("C068"));
    }
    let (first, second) = (stated(&first)?, stated(&second)?);
    let has_changed = first.0 == second.0 && first.1 != second.1;
    has_changed.then(|| Found::one(change(&first.0, Some(first.1), Some(second.1), Scheme::Rpm)))
}

/// The package that a file describes, which only one image has: its name and its version.
pub(super) fn of(path: &[u8], content: &[u8]) -> Option<(String, String)> {
    if *FILES.first(path)? { stated(&fields(content)) } else { None }
}

fn stated(fields: &[Field<'_>]) -> Option<(String, String)> {
    let of = |wanted| {
        let (_, values) = fields.iter().find(|(name, _)| *name == wanted)?;
        values.first().map(|value| String::from_utf8_lossy(value).into_owned())
    };
    Some((of(NAME)?, of(VERSION)?))
}

type Field<'a> = (&'a [u8], Vec<&'a [u8]>);

/// Names between `%`, each with the lines that follow it.
fn fields(content: &[u8]) -> Vec<Field<'_>> {
    let mut fields: Vec<Field<'_>> = vec![(b"", Vec::new())];
    for line in content.split(|&byte| byte == b'\n') {
        let is_name = line.len() > 2 && line.starts_with(b"%") && line.ends_with(b"%");
        match fields.last_mut() {
            Some((_, values)) if !is_name => values.push(line),
            _ => fields.push((line, Vec::new())),
        }
    }
    fields
}

/// Whether the values are one number.
fn is_number(values: &[&[u8]]) -> bool {
    let mut values = values.iter().filter(|value| !value.is_empty());
    let number = values.next().is_some_and(|value| value.iter().all(u8::is_ascii_digit));
    number && values.next().is_none()
}

#[cfg(test)]
mod tests {
    use crate::explain::look::told;

    #[test]
    fn the_time_of_installing_is_benign_and_nothing_else_is() {
        let desc = |version: &str, day: &str, size: &str| {
            format!("%NAME%\nzlib\n\n%VERSION%\n{version}\n\n%INSTALLDATE%\n{day}\n\n%SIZE%\n{size}\n\n").into_bytes()
        };
        let base = desc("1.3-1", "1700000000", "5");
        for (other, want) in [
            (desc("1.3-1", "1700040000", "5"), "C068 Proven"),
            (desc("1.3-2", "1700040000", "5"), "C060 Proven"),
            (desc("1.2-9", "1700040000", "5"), "C060 Proven S"),
            (desc("1.3-1", "1700040000", "6"), "C120 Possible"),
            (desc("1.3-1", "1700040000\nmore", "5"), "C120 Possible"),
        ] {
            assert_eq!(told("var/lib/pacman/local/zlib-1.3-1/desc", &base, &other), want);
        }
    }
}
