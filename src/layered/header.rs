//! Tar headers as Python's `tarfile` reads them.

use super::member::{self, Member, Owner};
use super::text::Text;

/// What a header is not.
pub struct Malformed;

/// Names that PAX records hold.
const NAMES: [&[u8]; 4] = [b"path", b"linkpath", b"uname", b"gname"];
/// Old ways to say "regular file", and one that was meant to be contiguous.
const REGULAR: [u8; 3] = [member::REGULAR, 0, b'7'];
/// Types whose size says nothing about bytes that follow.
const WITHOUT_CONTENT: &[u8] = b"123456";

/// Whether the member is a regular file.
pub fn is_regular(kind: u8) -> bool {
    REGULAR.contains(&kind)
}

/// Whether content follows the header.
pub fn has_content(kind: u8) -> bool {
    !WITHOUT_CONTENT.contains(&kind)
}

/// Reads one block.
pub fn read(block: &[u8; member::BLOCK as usize]) -> Result<Member, Malformed> {
    let sum = number(&block[148..156])?;
    let signed = |byte: u8| i128::from(byte.cast_signed());
    let total = |value: &dyn Fn(u8) -> i128| -> i128 {
        let others = block[..148].iter().chain(&block[156..500]).chain(&block[500..]);
        256 + others.map(|byte| value(*byte)).sum::<i128>()
    };
    if sum != total(&|byte| byte.into()) && sum != total(&signed) {
        return Err(Malformed);
    }
    let mut kind = block[156];
    let mut name = until_nul(&block[..100]).to_vec();
    // The oldest tars say "directory" so.
    if kind == 0 && name.ends_with(b"/") {
        kind = member::DIRECTORY;
    }
    if kind == member::DIRECTORY {
        name.truncate(trimmed(&name).len());
    }
    let prefix = until_nul(&block[345..500]);
    if !prefix.is_empty() && !matches!(kind, b'L' | b'K' | b'S') {
        name = [prefix, b"/", &name].concat();
    }
    let owner = Owner {
        uid: number(&block[108..116])?,
        gid: number(&block[116..124])?,
        uname: Text::from_bytes(until_nul(&block[265..297])),
        gname: Text::from_bytes(until_nul(&block[297..329])),
        mtime: number(&block[136..148])?,
    };
    number(&block[329..337]).and(number(&block[337..345]))?;
    Ok(Member {
        name: Text::from_bytes(&name),
        kind,
        // Twelve bits are ever written.
        mode: (number(&block[100..108])? & 0o7777) as u32,
        owner,
        size: number(&block[124..136])?,
        target: Text::from_bytes(until_nul(&block[157..257])),
        device: None,
        records: Vec::new(),
    })
}

/// The bytes before the first NUL.
pub fn until_nul(field: &[u8]) -> &[u8] {
    field.split(|byte| *byte == 0).next().unwrap_or_default()
}

/// A name without the slashes at its end.
pub fn trimmed(mut name: &[u8]) -> &[u8] {
    while let [rest @ .., b'/'] = name {
        name = rest;
    }
    name
}

/// Octal digits, or big-endian bytes after a first one of 0x80 or 0xff.
fn number(field: &[u8]) -> Result<i128, Malformed> {
    let [first, rest @ ..] = field else { return Err(Malformed) };
    if matches!(first, 0x80 | 0xff) {
        let value = rest.iter().fold(0_i128, |sum, byte| sum << 8 | i128::from(*byte));
        return Ok(if *first == 0xff { value - (1 << (8 * rest.len())) } else { value });
    }
    let text = std::str::from_utf8(until_nul(field)).map_err(|_| Malformed)?.trim();
    if text.is_empty() { Ok(0) } else { i128::from_str_radix(text, 8).map_err(|_| Malformed) }
}

/// Reads the records of a PAX header into those known so far; a key that is there keeps its place.
pub fn read_records(content: &[u8], records: &mut Vec<(Text, Text)>) -> Result<(), Malformed> {
    let mut rest = content;
    let mut found: Vec<(&[u8], &[u8])> = Vec::new();
    while rest.first().is_some_and(|byte| *byte != 0) {
        let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let text = std::str::from_utf8(&rest[..digits]).map_err(|_| Malformed)?;
        let length = text.parse::<usize>().ok().filter(|length| *length >= 5).ok_or(Malformed)?;
        let record = rest.get(..length).ok_or(Malformed)?;
        let body = record.get(digits..).and_then(|body| body.strip_prefix(b" ")?.strip_suffix(b"\n"));
        let body = body.ok_or(Malformed)?;
        let equals = body.iter().position(|byte| *byte == b'=').filter(|at| *at > 0).ok_or(Malformed)?;
        found.push((&body[..equals], &body[equals + 1..]));
        rest = &rest[length..];
    }
    for (key, value) in found {
        // What is not UTF-8 goes through surrogates, whether or not the header says so.
        let (key, value) = (Text::from_bytes(key), Text::from_bytes(value));
        match records.iter_mut().find(|(name, _)| *name == key) {
            Some((_, old)) => *old = value,
            None => records.push((key, value)),
        }
    }
    Ok(())
}

/// Puts what records say into a member, which keeps the records.
pub fn apply(records: &[(Text, Text)], member: &mut Member) -> Result<(), Malformed> {
    for (key, value) in records {
        let Some(key) = key.utf8() else { continue };
        let digits = || value.utf8().and_then(|text| text.trim().parse::<i128>().ok()).unwrap_or_default();
        match key.as_str() {
            key if NAMES.contains(&key.as_bytes()) && value.bytes().is_none() => return Err(Malformed),
            "path" => member.name = Text::from_bytes(trimmed(&value.bytes().unwrap_or_default())),
            "linkpath" => member.target = value.clone(),
            "uname" => member.owner.uname = value.clone(),
            "gname" => member.owner.gname = value.clone(),
            "uid" => member.owner.uid = digits(),
            "gid" => member.owner.gid = digits(),
            "size" => member.size = digits(),
            "mtime" => {
                let seconds = value.utf8().and_then(|text| text.trim().parse::<f64>().ok()).unwrap_or_default();
                if !seconds.is_finite() {
                    return Err(Malformed);
                }
                // The header has whole seconds, the record keeps the rest.
                member.owner.mtime = seconds.round_ties_even() as i128;
            }
            _ => {}
        }
    }
    member.records = records.to_vec();
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_that_was_written_is_read() {
        let owner = Owner { uid: 42, gid: 7, uname: "maker".into(), gname: Text::default(), mtime: 99 };
        let member = Member { owner, mode: 0o600, ..Member::file("a/layer.tar", 1234, 0) };
        let mut block: [u8; 512] = member.header().ok().and_then(|bytes| bytes.try_into().ok()).expect("one block");
        assert!(read(&block).is_ok_and(|read| read == member));
        block[0] ^= 1;
        assert!(read(&block).is_err());
    }

    #[test]
    fn numbers_are_octal_or_big_endian_bytes() {
        for (field, want) in [
            (&b"0000644\0"[..], Some(0o644)),
            (b" 17 \0\0\0\0", Some(15)),
            (b"\0\0\0\0\0\0\0\0", Some(0)),
            (b"\x80\0\0\0\0\0\x01\0", Some(256)),
            (b"\xff\xff\xff\xff\xff\xff\xff\xfe", Some(-2)),
            (b"9\0\0\0\0\0\0\0", None),
        ] {
            assert_eq!(number(field).ok(), want, "{field:?}");
        }
    }

    #[test]
    fn records_change_a_member_and_stay_with_it() {
        let mut records = vec![(Text::from("comment"), Text::from("old"))];
        let content = b"20 comment=new text\n21 mtime=1234567.500\n11 path=b/\n\0\0";
        assert!(read_records(content, &mut records).is_ok());
        let mut member = Member::file("a", 0, 0);
        assert!(apply(&records, &mut member).is_ok());
        assert_eq!((member.name, member.owner.mtime), (Text::from("b"), 1_234_568));
        let keys: Vec<_> = member.records.iter().filter_map(|(key, _)| key.utf8()).collect();
        assert_eq!(keys, ["comment", "mtime", "path"]);
        for content in [&b"4 a=\n"[..], b"99 a=b\n", b"6 a=bc\n", b"5 =a\n", b"x", b"6 a b\n"] {
            assert!(read_records(content, &mut Vec::new()).is_err(), "{content:?}");
        }
    }
}
