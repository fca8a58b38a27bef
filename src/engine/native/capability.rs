//! `security.capability` of files in archives: what Linux makes of it when it is set and read back.

use std::sync::Arc;

use super::problem::{Problem, failed};
use crate::escape;
use crate::layer::tar::Member;

/// Set in the first number beside the revision.
const EFFECTIVE: u32 = 1;
const REVISION_2: u32 = 0x0200_0000;
const REVISION_3: u32 = 0x0300_0000;

/// The capability that an archive gives the file `name`; one that Linux doesn't take fails.
pub(super) fn of_member(member: &Member, name: &[u8]) -> Result<Option<Arc<[u8]>>, Problem> {
    let Some(value) = member.entry.xattrs.get(b"security.capability".as_slice()) else { return Ok(None) };
    match read_back(value) {
        Some(value) => Ok(Some(Arc::from(value))),
        None => {
            let name = escape::name(name);
            failed(format!("lsetxattr {name}: xattr \"security.capability\": invalid argument"))
        }
    }
}

/// What is read where `value` was written: revisions 2 and 3 are known, in their lengths, and the third without the user
/// whom it names where that is root.
fn read_back(value: &[u8]) -> Option<Vec<u8>> {
    let start = u32::from_le_bytes(*value.first_chunk()?);
    match (start & !EFFECTIVE, value.len()) {
        (REVISION_2, 20) => Some(value.to_vec()),
        (REVISION_3, 24) => match u32::from_le_bytes(*value.last_chunk()?) {
            u32::MAX => None,
            0 => Some([&(REVISION_2 | start & EFFECTIVE).to_le_bytes(), &value[4..20]].concat()),
            _ => Some(value.to_vec()),
        },
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A value with these first and last numbers, and others in between.
    fn value(start: u32, length: usize, last: u32) -> Vec<u8> {
        let middle = (1..).take(length.saturating_sub(8)).collect();
        [start.to_le_bytes().to_vec(), middle, last.to_le_bytes().to_vec()].concat()
    }

    #[test]
    fn known_revisions_are_read_back() {
        for start in [REVISION_2, REVISION_2 | EFFECTIVE] {
            assert_eq!(read_back(&value(start, 20, 7)), Some(value(start, 20, 7)));
        }
        for start in [REVISION_3, REVISION_3 | EFFECTIVE] {
            assert_eq!(read_back(&value(start, 24, 1000)), Some(value(start, 24, 1000)));
        }
    }

    #[test]
    fn the_third_revision_for_root_becomes_the_second() {
        let (old, new) = (value(REVISION_3 | EFFECTIVE, 24, 0), value(REVISION_2 | EFFECTIVE, 20, 0));
        let read = read_back(&old).unwrap();
        assert_eq!((&read[..4], &read[4..]), (&new[..4], &old[4..20]));
    }

    #[test]
    fn everything_else_is_refused() {
        let others = [
            value(REVISION_2, 24, 0),
            value(REVISION_3, 20, 0),
            value(REVISION_3, 24, u32::MAX),
            value(REVISION_2 | 2, 20, 0),
            value(REVISION_3 | 2, 24, 0),
            value(0x0100_0000, 12, 0),
            vec![1, 0],
            Vec::new(),
        ];
        for other in others {
            assert_eq!(read_back(&other), None, "{other:?}");
        }
    }
}
