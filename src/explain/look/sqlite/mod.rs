//! SQLite databases, read without SQLite: `file` walks the pages, `record` reads rows.
//!
//! What is compared is what a dump would show: the schema, and each table's rows in order. Free pages, counters of
//! changes and the pages' own order do not count, and neither do indexes, which follow from the tables.

mod file;
mod record;

use std::collections::{BTreeMap, BTreeSet};

use sha2::{Digest as _, Sha256};

use super::bounds::{Bounds, LookError};
use super::pair::{Found, Pair};
use super::reason::{Detail, Reason};
pub(super) use file::{Database, MAGIC, Met};
pub(super) use record::{Value, values};

/// Tables that are told.
const MOST: usize = 50;

/// C090 where both hold the same rows; else the tables that differ.
pub(super) fn look(pair: &Pair<'_>, bounds: &mut Bounds<'_>) -> Result<Option<Found>, LookError> {
    if !pair.start_with(MAGIC) {
        return Ok(None);
    }
    bounds.take((pair.first.len() + pair.second.len()) as u64)?;
    let Some([(first, one), (second, other)]) = pair.parsed(dump) else { return Ok(None) };
    if first == second && one == other {
        return Ok(Some(Found::proven("C090")));
    }
    let names: BTreeSet<&Vec<u8>> = one.keys().chain(other.keys()).collect();
    let differing = names.into_iter().filter(|name| one.get(*name) != other.get(*name)).take(MOST);
    let told = differing.map(|name| {
        let show = |side: &BTreeMap<Vec<u8>, Object>| match side.get(name) {
            None => "missing".to_owned(),
            Some(object) => format!("{} rows", object.rows),
        };
        let name = format!("table {}", String::from_utf8_lossy(name));
        let detail = Detail::Field { name, first: show(&one), second: show(&other) };
        Reason { detail: Some(detail), ..Reason::unexplained() }
    });
    Ok(Found::of(told.collect()))
}

/// A part of the schema.
#[derive(PartialEq, Eq)]
struct Object {
    sql: Vec<u8>,
    rows: u64,
    digest: [u8; 32],
}

/// Settings of the file, and each part of the schema by its name.
type Dump = ([u32; 4], BTreeMap<Vec<u8>, Object>);

/// What a dump would show.
fn dump(bytes: &[u8]) -> Option<Dump> {
    let database = Database::open(bytes)?;
    let mut objects = BTreeMap::new();
    let mut met = Met::default();
    for part in database.schema(&mut met)? {
        let (mut rows, mut sum) = (0, Sha256::new());
        if part.kind == b"table" && part.root > 0 {
            // Only where a column stands for it, a dump shows the row's number.
            let is_numbered = part.sql.to_ascii_uppercase().windows(19).any(|window| window == b"INTEGER PRIMARY KEY");
            database.rows(part.root, &mut met, &mut |number, row| {
                rows += 1;
                if is_numbered {
                    sum.update(number.to_le_bytes());
                }
                sum.update((row.len() as u64).to_le_bytes());
                sum.update(row);
            })?;
        }
        let object = Object { sql: [part.kind, part.table, part.sql].join(&0), rows, digest: sum.finalize().into() };
        if objects.insert(part.name, object).is_some() {
            return None;
        }
    }
    Some((database.settings()?, objects))
}
