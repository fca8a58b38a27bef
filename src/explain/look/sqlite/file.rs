//! Pages of a database file: the schema, and the rows of a tree (the file format as sqlite.org documents it).

use std::collections::HashSet;

use super::super::cursor::Cursor;
use super::record::{Value, values, varint};

/// The first bytes.
pub(crate) const MAGIC: &[u8] = b"SQLite format 3\0";
/// Levels of a tree.
const DEPTH: u32 = 40;
const TABLE_LEAF: u8 = 0x0d;
const TABLE_INNER: u8 = 0x05;
const INDEX_LEAF: u8 = 0x0a;
const INDEX_INNER: u8 = 0x02;
const HEADER: usize = 100;

/// A database file.
#[derive(Clone, Copy)]
pub(crate) struct Database<'a> {
    bytes: &'a [u8],
    page: usize,
    usable: usize,
}

/// Pages that were met: none is met twice, in one tree or in two.
#[derive(Default)]
pub(crate) struct Met(HashSet<u32>);

/// A row of the schema.
pub(crate) struct Part {
    /// `table`, `index`, `view` or `trigger`.
    pub(crate) kind: Vec<u8>,
    pub(crate) name: Vec<u8>,
    /// The table that it belongs to.
    pub(crate) table: Vec<u8>,
    /// The page that its tree starts with; 0 where it has none.
    pub(crate) root: u32,
    pub(crate) sql: Vec<u8>,
}

/// A walk through one tree.
struct Walk<'a, 'b> {
    database: Database<'a>,
    met: &'b mut Met,
    visit: &'b mut dyn FnMut(i64, &[u8]),
}

impl<'a> Database<'a> {
    /// The database in `bytes`.
    pub(crate) fn open(bytes: &'a [u8]) -> Option<Self> {
        let mut cursor = Cursor::new(bytes);
        if cursor.take(MAGIC.len())? != MAGIC {
            return None;
        }
        let page = match usize::from(cursor.big16()?) {
            1 => 1 << 16,
            page => page,
        };
        let unused = usize::from(*bytes.get(20)?);
        let is_fine = page.is_power_of_two() && page >= 512 && page - unused >= 480 && bytes.len().is_multiple_of(page);
        is_fine.then_some(Self { bytes, page, usable: page - unused })
    }

    /// What a user of the file sees besides its rows: encoding, format, the version and the number of the application.
    pub(crate) fn settings(&self) -> Option<[u32; 4]> {
        let at = |at: usize| Cursor::from(self.bytes, at)?.big32();
        Some([at(56)?, at(44)?, at(60)?, at(68)?])
    }

    /// The schema.
    pub(crate) fn schema(&self, met: &mut Met) -> Option<Vec<Part>> {
        let mut parts = Some(Vec::new());
        self.rows(1, met, &mut |_, row| match (part(row), &mut parts) {
            (Some(part), Some(parts)) => parts.push(part),
            _ => parts = None,
        })?;
        parts
    }

    /// Gives each row of the tree that starts at page `root`, in order, with its number (0 in an index).
    pub(crate) fn rows(&self, root: u32, met: &mut Met, visit: &mut dyn FnMut(i64, &[u8])) -> Option<()> {
        Walk { database: *self, met, visit }.tree(root, DEPTH)
    }

    fn page(&self, number: u32) -> Option<&'a [u8]> {
        let start = usize::try_from(number).ok()?.checked_sub(1)?.checked_mul(self.page)?;
        self.bytes.get(start..start.checked_add(self.page)?)
    }
}

fn part(row: &[u8]) -> Option<Part> {
    let row = values(row)?;
    let [Value::Text(kind), Value::Text(name), Value::Text(table), root, sql] = &row[..] else { return None };
    let root = match root {
        Value::Integer(root) => u32::try_from(*root).ok()?,
        _ => 0,
    };
    let sql = match sql {
        Value::Text(sql) => sql.to_vec(),
        _ => Vec::new(),
    };
    Some(Part { kind: kind.to_vec(), name: name.to_vec(), table: table.to_vec(), root, sql })
}

impl<'a> Walk<'a, '_> {
    fn meet(&mut self, number: u32) -> Option<&'a [u8]> {
        self.met.0.insert(number).then(|| self.database.page(number)).flatten()
    }

    fn tree(&mut self, number: u32, depth: u32) -> Option<()> {
        let depth = depth.checked_sub(1)?;
        let page = self.meet(number)?;
        let mut header = Cursor::from(page, if number == 1 { HEADER } else { 0 })?;
        let kind = header.byte()?;
        header.take(2)?;
        let count = header.big16()?;
        header.take(3)?;
        let is_inner = matches!(kind, TABLE_INNER | INDEX_INNER);
        let right = if is_inner { Some(header.big32()?) } else { None };
        for _ in 0..count {
            let cell = usize::from(header.big16()?);
            let mut cell = Cursor::from(page, cell)?;
            if is_inner {
                let left = cell.big32()?;
                self.tree(left, depth)?;
            }
            match kind {
                TABLE_INNER => {}
                TABLE_LEAF => {
                    let length = varint(&mut cell)?;
                    let row = varint(&mut cell)?;
                    self.payload(&mut cell, length, row.cast_signed(), true)?;
                }
                INDEX_LEAF | INDEX_INNER => {
                    let length = varint(&mut cell)?;
                    self.payload(&mut cell, length, 0, false)?;
                }
                _ => return None,
            }
        }
        match right {
            Some(right) => self.tree(right, depth),
            None => matches!(kind, TABLE_LEAF | INDEX_LEAF).then_some(()),
        }
    }

    /// Gives one row, which may go on in pages of its own.
    fn payload(&mut self, cell: &mut Cursor<'a>, length: u64, row: i64, is_table: bool) -> Option<()> {
        let usable = self.database.usable;
        let length = usize::try_from(length).ok().filter(|length| *length <= self.database.bytes.len())?;
        let most = if is_table { usable - 35 } else { (usable - 12) * 64 / 255 - 23 };
        if length <= most {
            (self.visit)(row, cell.take(length)?);
            return Some(());
        }
        let least = (usable - 12) * 32 / 255 - 23;
        let here = least + (length - least) % (usable - 4);
        let mut content = cell.take(if here <= most { here } else { least })?.to_vec();
        let mut next = cell.big32()?;
        while content.len() < length {
            let page = self.meet(next)?;
            let mut cursor = Cursor::new(page);
            next = cursor.big32()?;
            content.extend(cursor.take((length - content.len()).min(usable - 4))?);
        }
        (self.visit)(row, &content);
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::explain::look::told;

    /// A database of one table `t` on its second page.
    fn database(rows: &[(u8, &str)], sql: &str, counter: u8, free: u8) -> Vec<u8> {
        tables("t", rows, sql, counter, free)
    }

    /// A database of tables with names of one letter, all on its second page.
    fn tables(names: &str, rows: &[(u8, &str)], sql: &str, counter: u8, free: u8) -> Vec<u8> {
        let page = |start: usize, rows: &[(u8, Vec<u8>)]| {
            let mut page = vec![0; 512];
            page[start] = TABLE_LEAF;
            page[start + 4] = u8::try_from(rows.len()).unwrap();
            let mut end = 512;
            for (at, (number, row)) in rows.iter().enumerate() {
                end -= row.len() + 2;
                page[end] = u8::try_from(row.len()).unwrap();
                page[end + 1] = *number;
                page[end + 2..end + 2 + row.len()].copy_from_slice(row);
                page[start + 8 + 2 * at..start + 10 + 2 * at]
                    .copy_from_slice(&u16::try_from(end).unwrap().to_be_bytes());
            }
            page
        };
        let text = |text: &str| u8::try_from(13 + 2 * text.len()).unwrap();
        let schema =
            |name: u8| [&[6, 23, 15, 15, 1, text(sql)], &b"table"[..], &[name, name, 2], sql.as_bytes()].concat();
        let schema: Vec<_> = names.bytes().zip(1..).map(|(name, number)| (number, schema(name))).collect();
        let rows: Vec<_> =
            rows.iter().map(|(number, value)| (*number, [&[2, text(value)], value.as_bytes()].concat())).collect();
        let mut out = [page(HEADER, &schema), page(0, &rows), vec![free; 512]].concat();
        out[..16].copy_from_slice(MAGIC);
        out[16..18].copy_from_slice(&512_u16.to_be_bytes());
        out[27] = counter;
        out
    }

    #[test]
    fn counters_and_free_pages_are_benign_and_rows_are_not() {
        let base = database(&[(1, "one"), (2, "two")], "CREATE TABLE t(a)", 1, 0);
        for (other, want) in [
            (database(&[(1, "one"), (2, "two")], "CREATE TABLE t(a)", 9, 0), "C090 Proven"),
            (database(&[(1, "one"), (2, "two")], "CREATE TABLE t(a)", 9, 7), "C090 Proven"),
            (database(&[(1, "one"), (4, "two")], "CREATE TABLE t(a)", 9, 0), "C090 Proven"),
            (database(&[(1, "one"), (2, "twi")], "CREATE TABLE t(a)", 9, 0), "C120 Possible"),
            (database(&[(1, "one")], "CREATE TABLE t(a)", 9, 0), "C120 Possible"),
            (database(&[(1, "one"), (2, "two")], "CREATE TABLE t(b)", 9, 0), "C120 Possible"),
        ] {
            assert_eq!(told("var/lib/x.db", &base, &other), want);
        }
        let numbered = |number| database(&[(number, "one")], "CREATE TABLE t(a, b INTEGER PRIMARY KEY)", number, 0);
        assert_eq!(told("x.db", &numbered(1), &numbered(2)), "C120 Possible");
    }

    #[test]
    fn a_file_that_was_cut_is_not_explained() {
        let base = database(&[(1, "one")], "CREATE TABLE t(a)", 1, 0);
        assert_eq!(told("x.db", &base, &base[..1100]), "C120 Possible");
        assert_eq!(told("x.db", &base, &base[..1024]), "C090 Proven", "a free page less");
    }

    #[test]
    fn a_tree_that_holds_itself_ends() {
        let mut base = database(&[], "CREATE TABLE t(a)", 1, 0);
        base[512] = TABLE_INNER;
        base[512 + 11] = 2;
        let mut other = base.clone();
        other[27] = 2;
        assert_eq!(told("x.db", &base, &other), "C120 Possible");
    }

    #[test]
    fn two_tables_never_share_a_page() {
        let two = |counter: u8| tables("tu", &[(1, "one")], "CREATE TABLE", counter, 0);
        assert_eq!(told("x.db", &two(1), &two(2)), "C120 Possible");
    }

    proptest! {
        #[test]
        fn any_bytes_are_taken(changes in prop::collection::vec((16_usize..1536, any::<u8>()), 0..40)) {
            let mut bytes = database(&[(1, "one"), (2, "two")], "CREATE TABLE t(a)", 1, 0);
            changes.into_iter().for_each(|(at, byte)| bytes[at] = byte);
            if let Some(database) = Database::open(&bytes) {
                let mut met = Met::default();
                database.schema(&mut met);
                database.rows(2, &mut met, &mut |_, row| drop(values(row)));
            }
        }
    }
}
