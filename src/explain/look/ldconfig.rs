//! `/var/cache/ldconfig/aux-cache`: which libraries `ldconfig` has seen, with the inode and time of each.

use std::collections::BTreeMap;

use super::cursor::Cursor;
use super::pair::{Found, Pair};

const PLACE: &str = "var/cache/ldconfig/aux-cache";
const MAGIC: &[u8] = b"glibc-ld.so.auxcache-";
/// The magic with the version behind it.
const MAGIC_SIZE: usize = 24;

/// C071 where only inodes, times, devices, padding and the order differ.
pub(super) fn look(pair: &Pair<'_>) -> Option<Found> {
    if !pair.is_at(PLACE) || !pair.start_with(MAGIC) {
        return None;
    }
    let [first, second] = pair.parsed(libraries)?;
    (first == second).then(|| Found::proven("C071"))
}

/// How often each library is there: its name, size, flags and level of the processor.
type Libraries<'a> = BTreeMap<(&'a [u8], u64, u32, u32), usize>;

fn libraries(content: &[u8]) -> Option<Libraries<'_>> {
    let mut cursor = Cursor::from(content, MAGIC_SIZE)?;
    let (count, length) = (cursor.little32()?, cursor.little_length()?);
    let names = content.len().checked_sub(length)?;
    let mut libraries = Libraries::new();
    for _ in 0..count {
        // Inode and time.
        cursor.take(16)?;
        let size = cursor.little64()?;
        // Device.
        cursor.take(8)?;
        let flags = cursor.little32()?;
        let name = cursor.little_length()?;
        let level = cursor.little32()?;
        // Padding: ldconfig writes what its memory held before, even where the libraries are the same files.
        cursor.take(4)?;
        let name = Cursor::from(&content[names..], name)?.until(0)?;
        *libraries.entry((name, size, flags, level)).or_default() += 1;
    }
    (cursor.position() == names).then_some(libraries)
}

#[cfg(test)]
mod tests {
    use crate::explain::look::told;

    fn cache(libraries: &[(&str, u64, u64)]) -> Vec<u8> {
        let names: Vec<u8> = libraries.iter().flat_map(|(name, ..)| [name.as_bytes(), b"\0"].concat()).collect();
        let counts = [libraries.len(), names.len()].map(|count| u32::try_from(count).unwrap().to_le_bytes()).concat();
        let mut out = [b"glibc-ld.so.auxcache-2.0".to_vec(), counts].concat();
        let mut at = 0_u32;
        for (name, inode, size) in libraries {
            out.extend([*inode, *inode, *size, *inode].map(u64::to_le_bytes).concat());
            out.extend([0x303, at, 0, u32::try_from(*inode).unwrap()].map(u32::to_le_bytes).concat());
            at += u32::try_from(name.len()).unwrap() + 1;
        }
        out.extend(names);
        out
    }

    #[test]
    fn inodes_are_benign_and_libraries_are_not() {
        let base = cache(&[("liba.so.1", 1, 9), ("libb.so.2", 2, 9)]);
        for (other, want) in [
            (cache(&[("liba.so.1", 7, 9), ("libb.so.2", 8, 9)]), "C071 Proven"),
            (cache(&[("libb.so.2", 7, 9), ("liba.so.1", 8, 9)]), "C071 Proven"),
            (cache(&[("liba.so.1", 7, 9), ("libc.so.2", 8, 9)]), "C120 Possible"),
            (cache(&[("liba.so.1", 7, 9), ("libb.so.2", 8, 10)]), "C120 Possible"),
            (cache(&[("liba.so.1", 7, 9)]), "C120 Possible"),
        ] {
            assert_eq!(told("var/cache/ldconfig/aux-cache", &base, &other), want);
        }
    }
}
