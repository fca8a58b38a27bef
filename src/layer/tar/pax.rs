//! PAX records: `LENGTH key=value\n`.

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};

use super::decimal::decimal;
use super::error::{Refusal, Severity};
use super::sparse::SparseRecords;

/// The prefix of extended attributes, as written by star, Go and GNU tar.
pub(super) const SCHILY_XATTR: &[u8] = b"SCHILY.xattr.";

/// Appends one record; its length counts its own digits.
pub(super) fn append_record(body: &mut Vec<u8>, key: &[u8], value: &[u8]) {
    let rest = key.len() + value.len() + " =\n".len();
    let mut length = rest + digits(rest);
    if rest + digits(length) > length {
        length += 1;
    }
    body.extend(length.to_string().bytes());
    body.push(b' ');
    body.extend(key);
    body.push(b'=');
    body.extend(value);
    body.push(b'\n');
}

fn digits(number: usize) -> usize {
    number.checked_ilog10().map_or(1, |log| log as usize + 1)
}

/// The prefix of extended attributes as libarchive writes them: name percent-encoded, value in base64.
const LIBARCHIVE_XATTR: &[u8] = b"LIBARCHIVE.xattr.";
const MAX_XATTRS: usize = 64;

/// What the records before an entry say about it.
#[derive(Default, Debug)]
pub(super) struct Records {
    pub(super) path: Option<Vec<u8>>,
    pub(super) link: Option<Vec<u8>>,
    pub(super) size: Option<u64>,
    pub(super) uid: Option<u64>,
    pub(super) gid: Option<u64>,
    pub(super) user: Option<Vec<u8>>,
    pub(super) group: Option<Vec<u8>>,
    /// Seconds, rounded down, and nanoseconds.
    pub(super) mtime: Option<(i64, u32)>,
    pub(super) xattrs: BTreeMap<Vec<u8>, Vec<u8>>,
    pub(super) sparse: SparseRecords,
}

const fn malformed(what: &'static str) -> Refusal {
    (Severity::Malformed, 4, what)
}

const fn ambiguous(what: &'static str) -> Refusal {
    (Severity::Unsafe, 4, what)
}

impl Records {
    /// Reads the body of an extension header.
    pub(super) fn parse(body: &[u8], xattr_limit: u64) -> Result<Self, Refusal> {
        let mut records = Self::default();
        let mut seen = BTreeSet::new();
        for_each_record(body, |key, value| {
            if !SparseRecords::may_repeat(key) && !seen.insert(key.to_vec()) {
                return Err(ambiguous("a record occurs twice in one PAX header"));
            }
            records.set(key, value, xattr_limit)
        })?;
        Ok(records)
    }

    fn set(&mut self, key: &[u8], value: &[u8], xattr_limit: u64) -> Result<(), Refusal> {
        match key {
            b"path" | b"linkpath" | b"uname" | b"gname" => {
                if value.contains(&0) {
                    return Err(ambiguous("a PAX text contains a NUL byte"));
                }
                if value.is_empty() && (key == b"path" || key == b"linkpath") {
                    return Err(ambiguous("a PAX path is empty"));
                }
                let slot = match key {
                    b"path" => &mut self.path,
                    b"linkpath" => &mut self.link,
                    b"uname" => &mut self.user,
                    _ => &mut self.group,
                };
                *slot = Some(value.to_vec());
            }
            b"size" => self.size = Some(decimal(value)?),
            b"uid" => self.uid = Some(decimal(value)?),
            b"gid" => self.gid = Some(decimal(value)?),
            b"mtime" => self.mtime = Some(time(value).ok_or(malformed("a PAX time is no decimal number"))?),
            // Of no use, but Go's reader takes no archive in which they are wrong.
            b"atime" | b"ctime" if value.is_empty() || time(value).is_some() => {}
            b"atime" | b"ctime" => return Err(malformed("a PAX time is no decimal number")),
            _ => {
                if let Some(name) = key.strip_prefix(SCHILY_XATTR) {
                    return self.set_xattr(name.to_vec(), value.to_vec(), xattr_limit);
                }
                if let Some(name) = key.strip_prefix(LIBARCHIVE_XATTR) {
                    let engine = if value.contains(&b'=') { &STANDARD } else { &STANDARD_NO_PAD };
                    let value = engine.decode(value).map_err(|_| malformed("an attribute is no base64"))?;
                    return self.set_xattr(percent_decoded(name), value, xattr_limit);
                }
                return self.sparse.set(key, value);
            }
        }
        Ok(())
    }

    fn set_xattr(&mut self, name: Vec<u8>, value: Vec<u8>, limit: u64) -> Result<(), Refusal> {
        let refused = |what| Err((Severity::Unsafe, 11, what));
        if name.is_empty() {
            return refused("an extended attribute has no name");
        }
        match self.xattrs.get(&name) {
            // libarchive writes each under two keys; readers that know one of them find the same as those that know both.
            Some(known) if *known == value => return Ok(()),
            Some(_) => return refused("an extended attribute occurs twice, with two values"),
            None => {}
        }
        if value.len() as u64 > limit || self.xattrs.len() == MAX_XATTRS {
            return refused("extended attributes exceed the limit `xattr`, or 64 an entry");
        }
        self.xattrs.insert(name, value);
        Ok(())
    }
}

/// Checks the records of a global header: it may say nothing that changes an entry.
pub(super) fn check_global(body: &[u8]) -> Result<(), Refusal> {
    for_each_record(body, |key, _| {
        let changes = matches!(key, b"path" | b"linkpath" | b"size" | b"uid" | b"gid" | b"mtime")
            || key.starts_with(b"GNU.sparse.")
            || key.starts_with(SCHILY_XATTR)
            || key.starts_with(LIBARCHIVE_XATTR);
        if changes { Err((Severity::Unsafe, 3, "a global PAX header changes later entries")) } else { Ok(()) }
    })
}

fn for_each_record(mut body: &[u8], mut take: impl FnMut(&[u8], &[u8]) -> Result<(), Refusal>) -> Result<(), Refusal> {
    while !body.is_empty() {
        let blank = body.iter().take(20).position(|&byte| byte == b' ').ok_or(malformed("a record has no length"))?;
        let length = decimal(&body[..blank]).map_err(|_| malformed("a record's length is no decimal number"))?;
        let record = usize::try_from(length).ok().and_then(|length| body.get(..length));
        let record = record.ok_or(malformed("a record is longer than the PAX header"))?;
        let Some((b'\n', text)) = record.get(blank + 1..).and_then(<[u8]>::split_last) else {
            return Err(malformed("a record does not end with a newline"));
        };
        let border = text.iter().position(|&byte| byte == b'=').ok_or(malformed("a record has no `=`"))?;
        let (key, value) = (&text[..border], &text[border + 1..]);
        if key.is_empty() || key.contains(&0) {
            return Err(malformed("a record has no valid key"));
        }
        take(key, value)?;
        body = &body[record.len()..];
    }
    Ok(())
}

/// Seconds and nanoseconds of a decimal number with sign and fraction, rounded down.
fn time(text: &[u8]) -> Option<(i64, u32)> {
    let (is_negative, text) = text.strip_prefix(b"-").map_or((false, text), |rest| (true, rest));
    let mut parts = text.splitn(2, |&byte| byte == b'.');
    let whole = parts.next().filter(|whole| !whole.is_empty() && whole.iter().all(u8::is_ascii_digit))?;
    let fraction = parts.next().unwrap_or_default();
    if !fraction.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let seconds: i64 = std::str::from_utf8(whole).ok()?.parse().ok()?;
    let digits = fraction.iter().copied().chain(std::iter::repeat(b'0')).take(9);
    let nanoseconds = digits.fold(0, |sum, digit| sum * 10 + u32::from(digit - b'0'));
    match (is_negative, nanoseconds) {
        (false, _) => Some((seconds, nanoseconds)),
        (true, 0) => Some((-seconds, 0)),
        (true, _) => Some((-seconds - 1, 1_000_000_000 - nanoseconds)),
    }
}

fn percent_decoded(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((&byte, tail)) = rest.split_first() {
        let hex = (byte == b'%').then(|| tail.get(..2).and_then(|hex| std::str::from_utf8(hex).ok())).flatten();
        match hex.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(decoded) => {
                out.push(decoded);
                rest = &tail[2..];
            }
            None => {
                out.push(byte);
                rest = tail;
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(records: &[(&str, &[u8])]) -> Result<Records, Refusal> {
        let mut body = Vec::new();
        for (key, value) in records {
            append_record(&mut body, key.as_bytes(), value);
        }
        Records::parse(&body, 100)
    }

    #[test]
    fn records_say_what_the_header_cannot_hold() {
        let records = parse(&[
            ("path", b"a/b"),
            ("size", b"8589934592"),
            ("mtime", b"-1.5"),
            ("SCHILY.xattr.security.capability", b"\x01\0"),
            ("LIBARCHIVE.xattr.user.a%3Db", b"AQI"),
            ("comment", b""),
        ]);
        let records = records.unwrap();
        assert_eq!(records.path.as_deref(), Some(b"a/b".as_slice()));
        assert_eq!((records.size, records.mtime), (Some(1 << 33), Some((-2, 500_000_000))));
        assert_eq!(records.xattrs[b"security.capability".as_slice()], [1, 0]);
        assert_eq!(records.xattrs[b"user.a=b".as_slice()], [1, 2]);
    }

    #[test]
    fn times_that_nobody_uses_are_times_all_the_same() {
        for key in ["atime", "ctime", "mtime"] {
            for broken in [b"zz".as_slice(), b".5", b"1.5.5", b"99999999999999999999"] {
                assert!(parse(&[(key, broken)]).is_err(), "{key}");
            }
            assert!(parse(&[(key, b"-1.5")]).is_ok());
        }
        assert!(parse(&[("atime", b"")]).is_ok());
    }

    #[test]
    fn records_that_readers_take_differently_are_refused() {
        for (body, want) in [
            (b"5 a=\n5 a=\n".as_slice(), "twice"),
            (b"40 path=short\n", "longer"),
            (b"11 path=abcd", "newline"),
            (b"+9 path=x\n", "length"),
            (b"09 path=x\n", "length"),
            (b"8 path=\n", "empty"),
            (b"8 size=\n", "empty"),
            (b"11 size=+1\n", "plain"),
            (b"11 size=01\n", "plain"),
            (b"12 path=a\0b\n", "NUL"),
            (b"7 path\n", "`=`"),
            (b"4 =\n", "key"),
            (b"pathpathpathpathpathpath", "length"),
            (b"12 mtime=1e\n", "time"),
            (b"19 SCHILY.xattr.a=\n26 LIBARCHIVE.xattr.a=AQI\n", "attribute occurs twice, with two values"),
        ] {
            let (_, _, what) = Records::parse(body, 100).unwrap_err();
            assert!(what.contains(want), "{}: {what}", body.escape_ascii());
        }
    }

    #[test]
    fn an_attribute_under_the_keys_of_two_programs_is_one_attribute() {
        for base64 in [b"AAo=".as_slice(), b"AAo"] {
            let both = [("SCHILY.xattr.user.k", b"\0\n".as_slice()), ("LIBARCHIVE.xattr.user.k", base64)];
            for records in [both, [both[1], both[0]]] {
                let xattrs = parse(&records).unwrap().xattrs;
                assert_eq!(xattrs.into_iter().collect::<Vec<_>>(), [(b"user.k".to_vec(), b"\0\n".to_vec())]);
            }
        }
    }

    #[test]
    fn a_global_header_may_only_comment() {
        assert_eq!(check_global(b"13 comment=x\n"), Ok(()));
        assert!(check_global(b"9 size=1\n").is_err());
    }

    #[test]
    fn the_length_of_a_record_counts_its_own_digits() {
        for (key, value, want) in [
            ("a", "", "5 a=\n".to_owned()),
            ("path", "x", "9 path=x\n".to_owned()),
            ("path", "xy", "11 path=xy\n".to_owned()),
            ("p", "xyz", "8 p=xyz\n".to_owned()),
            ("p", "xyzu", "9 p=xyzu\n".to_owned()),
            ("p", "xyzuv", "11 p=xyzuv\n".to_owned()),
            ("path", &"n".repeat(90), format!("99 path={}\n", "n".repeat(90))),
            ("path", &"n".repeat(91), format!("101 path={}\n", "n".repeat(91))),
        ] {
            let mut body = Vec::new();
            append_record(&mut body, key.as_bytes(), value.as_bytes());
            assert_eq!(String::from_utf8(body).unwrap(), want);
            assert_eq!(want.split(' ').next().unwrap().parse::<usize>().unwrap(), want.len());
        }
    }
}
