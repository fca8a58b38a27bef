//! Tar members as Python's `tarfile` writes them: stream mode, PAX form.
//!
//! A header is ustar without a prefix. What does not fit (long or other than ASCII names, large or negative numbers) stands
//! in PAX records before it, and the header holds what is left of it: `?` for each character, names cut, numbers zero.

use super::error::LayeredError;
use super::text::Text;

/// A tar block.
pub const BLOCK: u64 = 512;
/// An archive is filled up to a multiple of this.
const RECORD: u64 = 20 * BLOCK;

/// A directory's type.
pub const DIRECTORY: u8 = b'5';
/// A regular file's type.
pub const REGULAR: u8 = b'0';
/// A symbolic link's type.
pub const LINK: u8 = b'2';
/// A character device's type.
pub const CHARACTER_DEVICE: u8 = b'3';
/// A block device's type.
pub const BLOCK_DEVICE: u8 = b'4';
/// A FIFO's type.
pub const FIFO: u8 = b'6';

/// Who owns all entries of the store layers, and when they were changed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Owner {
    /// The user's number.
    pub uid: i128,
    /// The group's number.
    pub gid: i128,
    /// The user's name.
    pub uname: Text,
    /// The group's name.
    pub gname: Text,
    /// Seconds since 1970.
    pub mtime: i128,
}

/// One member, without its content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// The name; a directory's ends with a slash.
    pub name: Text,
    /// The header's type byte.
    pub kind: u8,
    /// The mode; twelve bits are written.
    pub mode: u32,
    /// Owner and time.
    pub owner: Owner,
    /// Bytes of content.
    pub size: i128,
    /// What a link points to.
    pub target: Text,
    /// Major and minor number of a device.
    pub device: Option<(u32, u32)>,
    /// PAX records that go before those that are needed.
    pub records: Vec<(Text, Text)>,
}

impl Member {
    /// A regular file of mode 0644 that belongs to 0:0.
    pub fn file(name: &str, size: u64, mtime: i128) -> Self {
        let owner = Owner { mtime, ..Owner::default() };
        Self {
            name: name.into(),
            kind: REGULAR,
            mode: 0o644,
            owner,
            size: size.into(),
            target: Text::default(),
            device: None,
            records: Vec::new(),
        }
    }

    /// All blocks that stand before the content.
    ///
    /// # Errors
    /// A device number, or all records together, that no header can hold; a name that stands for no bytes.
    pub fn header(&self) -> Result<Vec<u8>, LayeredError> {
        let mut records = self.records.clone();
        let has = |records: &[(Text, Text)], key: &Text| records.iter().any(|(name, _)| name == key);
        let texts = [
            ("path", &self.name, 100),
            ("linkpath", &self.target, 100),
            ("uname", &self.owner.uname, 32),
            ("gname", &self.owner.gname, 32),
        ];
        for (key, text, room) in texts {
            let fits = text.code_points().len() <= room && text.code_points().iter().all(|point| *point < 0x80);
            let key = Text::from(key);
            if !fits && !has(&records, &key) {
                records.push((key, text.clone()));
            }
        }
        let numbers = [
            ("uid", self.owner.uid, 7),
            ("gid", self.owner.gid, 7),
            ("size", self.size, 11),
            ("mtime", self.owner.mtime, 11),
        ];
        for (key, number, digits) in numbers {
            let key = Text::from(key);
            if octal(number, digits).is_none() && !has(&records, &key) {
                records.push((key, number.to_string().as_str().into()));
            }
        }
        let mut header = Vec::with_capacity(BLOCK as usize);
        if !records.is_empty() {
            let content = pax_records(&records)
                .ok_or_else(|| LayeredError::Name { name: self.name.shown(), what: "stands for no bytes" })?;
            let size = content.len() as i128;
            let pax = Self { kind: b'x', mode: 0, ..Self::file("././@PaxHeader", 0, 0) };
            header.extend(Self { size, ..pax }.block()?);
            header.extend_from_slice(&content);
            header.resize(header.len().next_multiple_of(BLOCK as usize), 0);
        }
        header.extend(self.block()?);
        Ok(header)
    }

    fn block(&self) -> Result<[u8; BLOCK as usize], LayeredError> {
        let mut block = [0; BLOCK as usize];
        put_text(&mut block[..100], &self.name);
        let number = |number, digits| octal(number, digits).unwrap_or_else(|| "0".repeat(digits));
        put(&mut block[100..107], &number(i128::from(self.mode & 0o7777), 7));
        put(&mut block[108..115], &number(self.owner.uid, 7));
        put(&mut block[116..123], &number(self.owner.gid, 7));
        put(&mut block[124..135], &number(self.size, 11));
        put(&mut block[136..147], &number(self.owner.mtime, 11));
        put(&mut block[148..156], "        ");
        block[156] = self.kind;
        put_text(&mut block[157..257], &self.target);
        put(&mut block[257..265], "ustar\x0000");
        put_text(&mut block[265..297], &self.owner.uname);
        put_text(&mut block[297..329], &self.owner.gname);
        if let Some((major, minor)) = self.device {
            let device = |number: u32| {
                let what = "has a device number that tar can't hold";
                octal(number.into(), 7).ok_or_else(|| LayeredError::Name { name: self.name.shown(), what })
            };
            put(&mut block[329..336], &device(major)?);
            put(&mut block[337..344], &device(minor)?);
        }
        let sum = block.iter().map(|byte| u32::from(*byte)).sum::<u32>();
        put(&mut block[148..155], &format!("{sum:06o}\0"));
        Ok(block)
    }
}

/// A number of `digits` octal digits; none if it does not fit.
fn octal(number: i128, digits: usize) -> Option<String> {
    (0..1 << (3 * digits)).contains(&number).then(|| format!("{number:0digits$o}"))
}

fn put(field: &mut [u8], text: &str) {
    field[..text.len()].copy_from_slice(text.as_bytes());
}

fn put_text(field: &mut [u8], text: &Text) {
    for (byte, point) in field.iter_mut().zip(text.code_points()) {
        *byte = u8::try_from(*point).ok().filter(u8::is_ascii).unwrap_or(b'?');
    }
}

/// The records' bytes; none where a surrogate stands for no byte.
fn pax_records(records: &[(Text, Text)]) -> Option<Vec<u8>> {
    let is_binary = records.iter().any(|(_, value)| value.utf8().is_none());
    let mut content = Vec::new();
    if is_binary {
        content.extend_from_slice(b"21 hdrcharset=BINARY\n");
    }
    for (key, value) in records {
        // Python refuses keys that are not UTF-8.
        let (key, value) = (key.utf8()?, value.bytes()?);
        let rest = key.len() + value.len() + 3;
        // The length counts its own digits.
        let mut length = rest;
        while length != rest + length.to_string().len() {
            length = rest + length.to_string().len();
        }
        content.extend_from_slice(format!("{length} {key}=").as_bytes());
        content.extend_from_slice(&value);
        content.push(b'\n');
    }
    Some(content)
}

/// Zeros after content of `size` bytes.
pub fn padding(size: u64) -> u64 {
    size.next_multiple_of(BLOCK) - size
}

/// Zeros after `size` bytes of members: the end.
pub fn end(size: u64) -> u64 {
    (size + 2 * BLOCK).next_multiple_of(RECORD) - size
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(bytes: &[u8]) -> String {
        String::from_utf8_lossy(bytes).into_owned()
    }

    #[test]
    fn what_does_not_fit_stands_in_records() {
        let long = "n".repeat(101);
        for (name, owner, want) in [
            ("/a", Owner::default(), ""),
            (&long[..100], Owner::default(), ""),
            (&*long, Owner::default(), &*format!("111 path={long}\n")),
            ("/ü", Owner::default(), "12 path=/ü\n"),
            ("/a", Owner { uid: 1 << 21, gid: -1, ..Owner::default() }, "15 uid=2097152\n9 gid=-1\n"),
            ("/a", Owner { mtime: 1 << 33, ..Owner::default() }, "20 mtime=8589934592\n"),
            (
                "/a",
                Owner { uname: "é".into(), gname: long[..33].into(), ..Owner::default() },
                &*format!("12 uname=é\n43 gname={}\n", &long[..33]),
            ),
        ] {
            let header = Member { owner, ..Member::file(name, 0, 0) }.header().expect("a header");
            if want.is_empty() {
                assert_eq!(header.len(), 512, "{name}");
                continue;
            }
            assert_eq!(text(&header[512..512 + want.len()]), want);
            assert_eq!((header[512 + want.len()], header.len()), (0, 1536));
            assert_eq!(text(&header[..14]), "././@PaxHeader");
        }
    }

    #[test]
    fn a_name_that_is_not_utf8_is_marked_and_written_as_it_is() {
        let member = Member { name: Text::from_bytes(b"/\xff"), ..Member::file("", 0, 0) };
        let header = member.header().expect("a header");
        assert!(header[512..].starts_with(b"21 hdrcharset=BINARY\n11 path=/\xff\n"));
        assert_eq!(&header[1024..1027], b"/?\0");
        let lone = Member { name: Text::from_code_points(vec![0xd800]), ..member };
        assert!(lone.header().is_err());
    }

    #[test]
    fn the_end_fills_a_record() {
        for (size, want) in [(0, 10240), (512, 9728), (9216, 1024), (9728, 10752), (10240, 10240)] {
            assert_eq!(end(size), want, "{size}");
        }
    }
}
