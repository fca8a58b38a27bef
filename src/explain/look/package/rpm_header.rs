//! A header of rpm, as its database keeps it: tags, each with typed values.

use std::collections::BTreeMap;

use super::super::cursor::Cursor;

const NAME: u32 = 1000;
const VERSION: u32 = 1001;
const RELEASE: u32 = 1002;
const EPOCH: u32 = 1003;
const ARCHITECTURE: u32 = 1022;
/// When it was installed, and in which transaction.
const TIMES: &[u32] = &[1008, 1128];
const MOST_TAGS: u32 = 1 << 16;
const CHAR: u32 = 1;
const BYTE: u32 = 2;
const INT16: u32 = 3;
const INT32: u32 = 4;
const INT64: u32 = 5;
const TEXT: u32 = 6;
const BINARY: u32 = 7;
const TEXTS: u32 = 8;
const TRANSLATED: u32 = 9;

/// The values by tag, without the times of installing.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Header(BTreeMap<u32, (u32, Vec<u8>)>);

impl Header {
    /// Reads a header; none if it is broken or has a tag twice.
    pub(super) fn parse(blob: &[u8]) -> Option<Self> {
        let mut cursor = Cursor::new(blob);
        let (count, size) = (cursor.big32()?, cursor.big_length()?);
        if count > MOST_TAGS {
            return None;
        }
        let mut index = Cursor::new(cursor.take(usize::try_from(count).ok()?.checked_mul(16)?)?);
        let store = cursor.take(size)?;
        let (mut tags, mut left) = (BTreeMap::new(), size);
        for _ in 0..count {
            let (tag, kind) = (index.big32()?, index.big32()?);
            let (at, count) = (index.big_length()?, index.big_length()?);
            let value = value(store.get(at..)?, kind, count)?.to_vec();
            // Values do not overlap, but for the padding before numbers.
            left = left.checked_sub(value.len())?;
            if tags.insert(tag, (kind, value)).is_some() {
                return None;
            }
        }
        TIMES.iter().for_each(|tag| drop(tags.remove(tag)));
        cursor.rest().is_empty().then_some(Self(tags))
    }

    /// Name and architecture.
    pub(super) fn name(&self) -> Option<String> {
        let name = self.text(NAME)?;
        Some(self.text(ARCHITECTURE).map_or(name.clone(), |architecture| format!("{name}.{architecture}")))
    }

    /// Epoch, version and release.
    pub(super) fn version(&self) -> Option<String> {
        let (version, release) = (self.text(VERSION)?, self.text(RELEASE).unwrap_or_default());
        let epoch = self.0.get(&EPOCH).and_then(|(_, value)| Cursor::new(value).big32());
        let epoch = epoch.map(|epoch| format!("{epoch}:")).unwrap_or_default();
        Some(format!("{epoch}{version}-{release}"))
    }

    fn text(&self, tag: u32) -> Option<String> {
        let (_, value) = self.0.get(&tag)?;
        Some(String::from_utf8_lossy(value.strip_suffix(b"\0").unwrap_or(value)).into_owned())
    }
}

/// The bytes that `count` values of a kind take.
fn value(store: &[u8], kind: u32, count: usize) -> Option<&[u8]> {
    let length = match kind {
        0 => 0,
        CHAR | BYTE | BINARY => count,
        INT16 => count.checked_mul(2)?,
        INT32 => count.checked_mul(4)?,
        INT64 => count.checked_mul(8)?,
        TEXT | TEXTS | TRANSLATED => {
            let count = if kind == TEXT { 1 } else { count };
            let mut ends = store.iter().enumerate().filter(|(_, byte)| **byte == 0).map(|(at, _)| at + 1);
            match count.checked_sub(1) {
                Some(last) => ends.nth(last)?,
                None => 0,
            }
        }
        _ => return None,
    };
    store.get(..length)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A header of a package.
    pub(in super::super) fn header(name: &str, version: &str, time: u32, digest: &str) -> Vec<u8> {
        let text = |text: &str| [text.as_bytes(), b"\0"].concat();
        let tags = [
            (NAME, TEXT, text(name)),
            (VERSION, TEXT, text(version)),
            (RELEASE, TEXT, text("1")),
            (1008, INT32, time.to_be_bytes().to_vec()),
            (ARCHITECTURE, TEXT, text("noarch")),
            (269, TEXTS, text(digest)),
        ];
        let (mut index, mut store) = (Vec::new(), Vec::new());
        for (tag, kind, value) in &tags {
            index.extend([*tag, *kind, u32::try_from(store.len()).unwrap(), 1].map(u32::to_be_bytes).concat());
            store.extend(value);
        }
        let counts = [tags.len(), store.len()].map(|count| u32::try_from(count).unwrap().to_be_bytes()).concat();
        [counts, index, store].concat()
    }

    #[test]
    fn a_header_is_its_tags_without_times() {
        let base = Header::parse(&header("bash", "5.2", 7, "aa")).unwrap();
        assert_eq!((base.name().unwrap(), base.version().unwrap()), ("bash.noarch".to_owned(), "5.2-1".to_owned()));
        assert_eq!(base, Header::parse(&header("bash", "5.2", 9, "aa")).unwrap());
        assert_ne!(base, Header::parse(&header("bash", "5.2", 7, "bb")).unwrap());
        let bytes = header("bash", "5.2", 7, "aa");
        (0..bytes.len()).for_each(|end| assert!(Header::parse(&bytes[..end]).is_none(), "{end}"));
    }
}
