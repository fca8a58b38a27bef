//! rpm: its database in SQLite form or in its own ("ndb").

use std::collections::BTreeMap;

use super::super::bounds::{Bounds, LookError};
use super::super::cursor::Cursor;
use super::super::pair::{Found, Pair};
use super::super::sqlite::{Database, Met, Value, values};
use super::rpm_header::Header;
use super::version::Scheme;
use super::{Packages, changes};
use crate::explain::causes::Class;

const NAMES: &[&[u8]] = &[b"rpmdb.sqlite", b"Packages.db"];
/// What rpm derives from the packages, or keeps while it works; and its oldest form, which is not read.
const OTHERS: &[&[u8]] = &[b"Index.db", b"Packages", b"rpmdb.sqlite-shm", b"rpmdb.sqlite-wal", b".rpm.lock"];
const DIRECTORIES: &[&[u8]] = &[b"/rpm/", b"/.rpmdb/"];
/// Where a header starts in the database of rpm's own form, and at what each is aligned.
const BLOB: &[u8] = b"BlbS";
const ALIGNMENT: usize = 16;
const OWN_MAGIC: &[u8] = b"RpmP";
/// Keys that rpm trusts are packages of this name.
const KEY: &str = "gpg-pubkey";

/// C066 where all headers are equal but for times of installing, C060 for each package with another version.
pub(super) fn look(pair: &Pair<'_>, bounds: &mut Bounds<'_>) -> Result<Option<Found>, LookError> {
    let is_below = |directory: &[u8]| pair.path.windows(directory.len()).any(|part| part == directory);
    if !DIRECTORIES.iter().any(|directory| is_below(directory)) {
        return Ok(None);
    }
    if OTHERS.contains(&pair.name()) {
        return Ok(Some(Found::likely("C066")));
    }
    if !NAMES.contains(&pair.name()) {
        return Ok(None);
    }
    bounds.take((pair.first.len() + pair.second.len()) as u64)?;
    let Some([first, second]) = pair.parsed(headers) else { return Ok(None) };
    Ok(compare(&first, &second))
}

/// How often each header is there, without what tells when it was installed.
type Headers = BTreeMap<Header, usize>;

fn compare(first: &Headers, second: &Headers) -> Option<Found> {
    if first == second {
        return Some(Found::proven("C066"));
    }
    let packages = |headers: &mut dyn Iterator<Item = &Header>| {
        let mut packages = Packages::new();
        for header in headers {
            packages.entry(header.name()?).or_default().insert(header.version()?);
        }
        Some(packages)
    };
    let (one, other) = (packages(&mut first.keys())?, packages(&mut second.keys())?);
    let differs = |header: &&Header| first.get(*header) != second.get(*header);
    let differing = packages(&mut first.keys().chain(second.keys()).filter(differs))?;
    let mut reasons = changes(&one, &other, &differing, Scheme::Rpm);
    let has_key = differing.keys().any(|name| name.split('.').next() == Some(KEY));
    if has_key {
        reasons.iter_mut().for_each(|reason| reason.class = Some(Class::Security));
    }
    Found::of(reasons)
}

fn headers(content: &[u8]) -> Option<Headers> {
    let mut headers = Headers::new();
    let mut is_fine = true;
    let mut add = |blob: &[u8]| match Header::parse(blob) {
        Some(header) => *headers.entry(header).or_default() += 1,
        None => is_fine = false,
    };
    if content.starts_with(OWN_MAGIC) {
        let mut at = 0;
        while let Some(mut cursor) = Cursor::from(content, at).filter(|cursor| !cursor.rest().is_empty()) {
            at += ALIGNMENT;
            if cursor.take(BLOB.len()) != Some(BLOB) {
                continue;
            }
            cursor.take(8)?;
            let length = cursor.little_length()?;
            add(cursor.take(length)?);
            at = cursor.position().next_multiple_of(ALIGNMENT);
        }
    } else {
        let database = Database::open(content)?;
        let mut met = Met::default();
        let table =
            database.schema(&mut met)?.into_iter().find(|part| part.kind == b"table" && part.name == b"Packages")?;
        database.rows(table.root, &mut met, &mut |_, row| match values(row).as_deref() {
            Some([_, Value::Blob(blob)]) => add(blob),
            _ => add(b""),
        })?;
    }
    is_fine.then_some(headers)
}

#[cfg(test)]
mod tests {
    use super::super::rpm_header::tests::header;
    use super::*;

    fn of(packages: &[(&str, &str, u32, &str)]) -> Headers {
        let mut headers = Headers::new();
        for (name, version, time, digest) in packages {
            *headers.entry(Header::parse(&header(name, version, *time, digest)).unwrap()).or_default() += 1;
        }
        headers
    }

    fn told(first: &Headers, second: &Headers) -> Vec<String> {
        let reasons = compare(first, second).map(|found| found.reasons).unwrap_or_default();
        let letter = |class: Option<Class>| class.map(Class::letter).unwrap_or_default();
        reasons.iter().map(|reason| format!("{} {}", reason.code, letter(reason.class))).collect()
    }

    #[test]
    fn times_are_benign_and_versions_are_packages() {
        let base = of(&[("bash", "5.2", 7, "aa"), ("zlib", "1.3", 7, "bb")]);
        for (other, want) in [
            (of(&[("zlib", "1.3", 9, "bb"), ("bash", "5.2", 8, "aa")]), "C066 "),
            (of(&[("bash", "5.3", 8, "cc"), ("zlib", "1.3", 9, "bb")]), "C060 "),
            (of(&[("bash", "5.1", 8, "cc"), ("zlib", "1.3", 9, "bb")]), "C060 S"),
            (of(&[("bash", "5.2", 8, "cc"), ("zlib", "1.3", 9, "bb")]), "C120 "),
            (of(&[("bash", "5.2", 8, "aa")]), "C060 "),
            (of(&[("bash", "5.2", 8, "aa"), ("zlib", "1.3", 9, "bb"), ("gpg-pubkey", "1", 1, "k")]), "C060 S"),
        ] {
            assert_eq!(told(&base, &other), [want]);
        }
    }

    #[test]
    fn rpms_own_form_is_read() {
        let blob = |number: u32, blob: &[u8]| {
            let length = u32::try_from(blob.len()).unwrap().to_le_bytes();
            let mut out = [BLOB, &number.to_le_bytes(), &[1, 0, 0, 0], &length, blob, &[0; 8], b"BlbE"].concat();
            out.resize(out.len().next_multiple_of(ALIGNMENT), 0);
            out
        };
        let file = |time| {
            let (one, other) = (header("bash", "5.2", time, "aa"), header("zlib", "1.3", time, "bb"));
            [b"RpmP".to_vec(), vec![0; 28], blob(1, &one), blob(2, &other)].concat()
        };
        let (one, other) = (headers(&file(7)).unwrap(), headers(&file(8)).unwrap());
        assert_eq!((one.len(), told(&one, &other)), (2, vec!["C066 ".to_owned()]));
        assert!(headers(&[b"RpmP".to_vec(), vec![0; 12], b"BlbS".to_vec()].concat()).is_none());
    }
}
