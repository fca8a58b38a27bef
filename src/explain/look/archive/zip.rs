//! Zip archives: jars, wheels, documents.

use std::collections::BTreeMap;

use super::super::bounds::{Bounds, LookError};
use super::super::pair::{Found, Inner, Pair};
use super::super::reason::{Detail, Reason};
use super::inflate::inflate;
use super::zip_directory::{Member, Zip};
use crate::explain::causes::Proof;

const MAGIC: &[u8] = b"PK";
const STORED: u16 = 0;
const DEFLATED: u16 = 8;
/// How well deflate packed, which changes nothing about the content; and that sizes stand behind the data.
const FREE_FLAGS: u16 = 0b1110;
/// Extra fields that hold times: NTFS, Unix in its old form, the extended timestamp.
const TIMES: &[u16] = &[0x000a, 0x5855, 0x5455];
/// Extra fields that hold owners.
const OWNERS: &[u16] = &[0x7855, 0x7875];
/// The extra field with sizes above 4 GiB.
const SIZES: u16 = 1;

/// C083 for times and order, C086 for other packed bytes of the same content; members that differ are looked into.
pub(super) fn look(pair: &Pair<'_>, bounds: &mut Bounds<'_>) -> Result<Option<Found>, LookError> {
    if !pair.start_with(MAGIC) {
        return Ok(None);
    }
    let Some([first, second]) = pair.parsed(Zip::read) else { return Ok(None) };
    if first.comment != second.comment || first.between != second.between {
        return Ok(None);
    }
    let Some((one, other)) = by_name(&first).zip(by_name(&second)) else { return Ok(None) };
    let mut found = Found::default();
    let is_in_order =
        first.members.iter().map(|member| member.name).eq(second.members.iter().map(|member| member.name));
    let (mut times, mut owners, mut streams) = (!is_in_order, false, false);
    for name in one.keys().chain(other.keys().filter(|name| !one.contains_key(*name))) {
        let (Some(a), Some(b)) = (one.get(name), other.get(name)) else {
            found.reasons.push(one_sided(name, one.contains_key(name)));
            continue;
        };
        if counted(a) != counted(b) {
            found.reasons.push(at(name, Reason::unexplained()));
            continue;
        }
        times |= a.times != b.times || of_kind(a, TIMES) != of_kind(b, TIMES);
        owners |= of_kind(a, OWNERS) != of_kind(b, OWNERS);
        if (a.method, a.packed) == (b.method, b.packed) {
            continue;
        }
        match (content(a, bounds)?, content(b, bounds)?) {
            (Some(first), Some(second)) if first == second => streams = true,
            (Some(first), Some(second)) => found.inside.push(Inner { name: name.to_vec(), first, second }),
            _ => found.reasons.push(at(name, Reason::unexplained())),
        }
    }
    if times || owners {
        found.reasons.push(Reason::new("C083", if owners { Proof::Likely } else { Proof::Proven }));
    }
    if streams {
        found.reasons.push(Reason::new("C086", Proof::Proven));
    }
    if found.reasons.is_empty() && found.inside.is_empty() {
        // Nothing but what versions of the writer say about themselves.
        found.reasons.push(Reason::new("C083", Proof::Likely));
    }
    Ok(Some(found))
}

/// The members by name; none if a name comes twice, which readers take in two ways.
fn by_name<'a, 'b>(zip: &'b Zip<'a>) -> Option<BTreeMap<&'a [u8], &'b Member<'a>>> {
    let members: BTreeMap<_, _> = zip.members.iter().map(|member| (member.name, member)).collect();
    (members.len() == zip.members.len()).then_some(members)
}

type Extra<'a> = Vec<(u16, &'a [u8])>;

/// What must be equal in both: rights, flags, comment, and extra fields that are no times.
fn counted<'a>(member: &Member<'a>) -> (u16, u8, u16, u32, &'a [u8], Extra<'a>) {
    let is_free = |kind: u16| TIMES.contains(&kind) || OWNERS.contains(&kind) || kind == SIZES;
    let extra = member.extra.iter().filter(|(kind, _)| !is_free(*kind)).copied().collect();
    let system = member.made_by.to_le_bytes()[1];
    (member.flags & !FREE_FLAGS, system, member.inner_attributes, member.outer_attributes, member.comment, extra)
}

fn of_kind<'a>(member: &Member<'a>, kinds: &[u16]) -> Extra<'a> {
    member.extra.iter().filter(|(kind, _)| kinds.contains(kind)).copied().collect()
}

/// The content of a member; none if it can't be unpacked, or is not what its sum says.
fn content(member: &Member<'_>, bounds: &mut Bounds<'_>) -> Result<Option<Vec<u8>>, LookError> {
    let content = match member.method {
        STORED => {
            bounds.take(member.packed.len() as u64)?;
            Some(member.packed.to_vec())
        }
        DEFLATED => {
            let inflated = inflate(member.packed, bounds)?;
            inflated.filter(|inflated| inflated.packed == member.packed.len()).map(|inflated| inflated.content)
        }
        _ => None,
    };
    Ok(content.filter(|content| content.len() as u64 == member.size && crc32fast::hash(content) == member.sum))
}

fn at(name: &[u8], reason: Reason) -> Reason {
    Reason { place: Some(String::from_utf8_lossy(name).into_owned()), ..reason }
}

fn one_sided(name: &[u8], is_first: bool) -> Reason {
    let show = |is_there: bool| if is_there { "present" } else { "missing" }.to_owned();
    let detail = Detail::Field { name: "member".to_owned(), first: show(is_first), second: show(!is_first) };
    Reason { detail: Some(detail), ..at(name, Reason::unexplained()) }
}

#[cfg(test)]
mod tests {
    use crate::explain::look::told;

    struct Member<'a> {
        name: &'a str,
        content: &'a str,
        time: u16,
        rights: u32,
        extra: &'a [u8],
    }

    fn file<'a>(name: &'a str, content: &'a str) -> Member<'a> {
        Member { name, content, time: 0, rights: 0o100_644 << 16, extra: &[] }
    }

    fn zip(members: &[Member<'_>], between: &[u8], comment: &[u8]) -> Vec<u8> {
        let (mut out, mut directory) = (Vec::new(), Vec::new());
        for Member { name, content, time, rights, extra } in members {
            let size = u32::try_from(content.len()).unwrap();
            let mut head = [20, 0, 0].map(u16::to_le_bytes).concat();
            head.extend([*time, 0x21].map(u16::to_le_bytes).concat());
            head.extend([crc32fast::hash(content.as_bytes()), size, size].map(u32::to_le_bytes).concat());
            head.extend([name.len(), extra.len()].map(|length| u16::try_from(length).unwrap().to_le_bytes()).concat());
            let at = u32::try_from(out.len()).unwrap();
            out.extend([b"PK\x03\x04", &head[..], name.as_bytes(), extra, content.as_bytes()].concat());
            directory.extend([b"PK\x01\x02\x14\x03", &head[..], &[0; 6]].concat());
            directory.extend([*rights, at].map(u32::to_le_bytes).concat());
            directory.extend([name.as_bytes(), extra].concat());
        }
        out.extend(between);
        let (at, size) = (out.len(), directory.len());
        out.extend(directory);
        out.extend(b"PK\x05\x06\0\0\0\0");
        out.extend([members.len(), members.len()].map(|count| u16::try_from(count).unwrap().to_le_bytes()).concat());
        out.extend([size, at].map(|number| u32::try_from(number).unwrap().to_le_bytes()).concat());
        out.extend(u16::try_from(comment.len()).unwrap().to_le_bytes());
        out.extend(comment);
        out
    }

    #[test]
    fn times_and_order_are_named_and_members_are_looked_into() {
        let both = |a, b| zip(&[a, b], b"", b"");
        let base = both(file("a", "one"), file("b", "two"));
        let stamp: &[u8] = b"\x55\x54\x05\0\x01abcd";
        for (other, want) in [
            (both(Member { time: 9, ..file("a", "one") }, file("b", "two")), "C083 Proven"),
            (both(Member { extra: stamp, ..file("a", "one") }, file("b", "two")), "C083 Proven"),
            (both(file("b", "two"), file("a", "one")), "C083 Proven"),
            (both(Member { time: 9, ..file("a", "ono") }, file("b", "two")), "C120 Possible a"),
            (both(Member { rights: 0o104_755 << 16, ..file("a", "one") }, file("b", "two")), "C120 Possible a"),
            (both(Member { extra: b"zz\x01\0!", ..file("a", "one") }, file("b", "two")), "C120 Possible a"),
            (zip(&[Member { time: 9, ..file("a", "one") }], b"", b""), "C120 Possible b"),
            (both(file("b", "two"), file("b", "two")), "C120 Possible"),
            (zip(&[file("a", "one"), file("b", "two")], b"", b"note"), "C120 Possible"),
            (zip(&[file("a", "one"), file("b", "two")], b"hidden", b""), "C120 Possible"),
        ] {
            assert_eq!(told("opt/x.zip", &base, &other), want);
        }
    }

    #[test]
    fn a_sum_that_does_not_hold_is_not_explained() {
        let base = zip(&[file("a", "one")], b"", b"");
        let mut other = zip(&[Member { time: 9, ..file("a", "one") }], b"", b"");
        let at = other.windows(3).position(|bytes| bytes == b"one").unwrap();
        other[at] = b'x';
        assert_eq!(told("x.zip", &base, &other), "C120 Possible a");
    }
}
