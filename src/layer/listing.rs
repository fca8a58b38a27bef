//! The entries of one layer, kept for a listing: their headers as they stand there, in bounded memory.

use std::io::{self, Read};

use super::tar::{Kind, Member, Reader};
use crate::digest::{Digest, Hasher};
use crate::limits::Limits;
use crate::store::Spool;

/// Bytes of headers that stay in memory, for each layer.
const MEMORY: usize = 64 << 10;

/// What of the entries of layers is kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Listed {
    /// Nothing.
    #[default]
    Nothing,
    /// Their headers, up to the limit `report-bytes`.
    Headers,
    /// Headers, and what the contents of files are known by, up to the limit `compare-bytes`.
    Contents,
}

/// What the content of a file is known by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fingerprint {
    /// Of all bytes that the archive holds.
    pub digest: Digest,
    /// The first bytes; zeros where there are fewer.
    pub start: [u8; 4],
}

/// Who gets the contents of files while their layer is read.
pub trait Contents: Sync {
    /// The most bytes that a file may have to be given.
    fn most(&self) -> u64;

    /// Takes the content of a file.
    fn take(&self, path: &[u8], digest: &Digest, content: Vec<u8>);
}

/// Entries in the order of their layer, up to a number of bytes.
#[derive(Debug)]
pub struct Listing {
    headers: Spool,
    has_contents: bool,
    most: u64,
    kept: u64,
    left_out: u64,
}

impl Listing {
    /// An empty one; none where nothing is to be listed.
    pub(super) fn of(listed: Listed, limits: &Limits) -> Option<Self> {
        match listed {
            Listed::Nothing => None,
            Listed::Headers => Some(Self::new(limits.report_bytes, false)),
            Listed::Contents => Some(Self::new(limits.compare_bytes, true)),
        }
    }

    /// An empty one for at most `most` bytes of headers.
    fn new(most: u64, has_contents: bool) -> Self {
        Self { headers: Spool::new(MEMORY), has_contents, most, kept: 0, left_out: 0 }
    }

    /// Keeps a member, and what its content is known by if that is wanted, which goes to `contents` then; counts it only
    /// when there is no room left.
    ///
    /// # Errors
    /// When the content or a temporary file fails.
    pub(super) fn add(
        &mut self,
        member: &Member,
        content: impl Read,
        contents: Option<&dyn Contents>,
    ) -> io::Result<()> {
        let length = member.headers.len() as u64;
        if self.left_out > 0 || self.headers.length() + length > self.most {
            self.left_out += 1;
            return Ok(());
        }
        self.headers.append(&length.to_le_bytes())?;
        self.headers.append(&member.headers)?;
        if self.has_contents && member.entry.kind == Kind::File {
            let contents = contents.filter(|contents| member.entry.size <= contents.most());
            let Fingerprint { digest, start } = match contents {
                Some(contents) => {
                    let (content, fingerprint) = whole(content, member.entry.size)?;
                    contents.take(&member.key, &fingerprint.digest, content);
                    fingerprint
                }
                None => fingerprint(content)?,
            };
            self.headers.append(digest.as_bytes())?;
            self.headers.append(&start)?;
        }
        self.kept += 1;
        Ok(())
    }

    /// How many entries were only counted.
    pub fn left_out(&self) -> u64 {
        self.left_out
    }

    /// The kept members, read again from their headers; files with what their contents are known by, where that was
    /// wanted.
    pub fn members(&self, limits: &Limits) -> impl Iterator<Item = io::Result<(Member, Option<Fingerprint>)>> {
        let mut at = 0;
        (0..self.kept).map(move |_| {
            let mut length = [0; 8];
            self.headers.read_at(at, &mut length)?;
            let length = u64::from_le_bytes(length);
            let headers = self.headers.get(at + 8, length)?;
            at += 8 + length;
            // They were read once, so they are read now.
            let member = Reader::new(headers.as_slice(), limits).next()?;
            let member = member.ok_or_else(|| io::Error::from(io::ErrorKind::UnexpectedEof))?;
            if !self.has_contents || member.entry.kind != Kind::File {
                return Ok((member, None));
            }
            let (mut digest, mut start) = ([0; 32], [0; 4]);
            self.headers.read_at(at, &mut digest)?;
            self.headers.read_at(at + 32, &mut start)?;
            at += 36;
            Ok((member, Some(Fingerprint { digest: Digest::from_bytes(digest), start })))
        })
    }
}

/// A content of about `size` bytes, held in memory.
fn whole(mut content: impl Read, size: u64) -> io::Result<(Vec<u8>, Fingerprint)> {
    let mut bytes = Vec::with_capacity(usize::try_from(size).unwrap_or_default());
    content.read_to_end(&mut bytes)?;
    let mut start = [0; 4];
    bytes.iter().zip(&mut start).for_each(|(byte, slot)| *slot = *byte);
    let digest = Digest::of(&bytes);
    Ok((bytes, Fingerprint { digest, start }))
}

fn fingerprint(mut content: impl Read) -> io::Result<Fingerprint> {
    let (mut hasher, mut start) = (Hasher::default(), [0; 4]);
    let mut buffer = vec![0; 1 << 15];
    loop {
        let count = content.read(&mut buffer)?;
        if count == 0 {
            return Ok(Fingerprint { digest: hasher.digest(), start });
        }
        let known = usize::try_from(hasher.length()).unwrap_or(usize::MAX).min(start.len());
        let more = count.min(start.len() - known);
        start[known..known + more].copy_from_slice(&buffer[..more]);
        hasher.update(&buffer[..count]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layer::tar::{Entry, Writer};

    #[test]
    fn members_are_listed_as_they_were_read_and_beyond_the_most_counted() {
        let mut writer = Writer::new(Vec::new());
        for name in ["a".to_owned(), "b/".repeat(150) + "b", "c".to_owned()] {
            writer.append_empty(&Entry::file(name, 0o644, 0)).unwrap();
        }
        let tar = writer.finish().unwrap();
        let limits = Limits::default();
        for (most, want) in [(1 << 20, 3), (2500, 2), (0, 0)] {
            let (mut listing, mut all) = (Listing::new(most, false), Vec::new());
            let mut reader = Reader::new(tar.as_slice(), &limits);
            while let Some(member) = reader.next().unwrap() {
                listing.add(&member, io::empty(), None).unwrap();
                all.push(member);
            }
            let listed: Vec<Member> = listing.members(&limits).map(|read| read.unwrap().0).collect();
            assert_eq!((listed.len(), listing.left_out()), (want, 3 - want as u64));
            for (listed, read) in listed.iter().zip(&all) {
                assert_eq!((&listed.entry, &listed.headers), (&read.entry, &read.headers));
            }
        }
    }

    #[derive(Default)]
    struct Given(std::sync::Mutex<Vec<Vec<u8>>>);

    impl Contents for Given {
        fn most(&self) -> u64 {
            3
        }

        fn take(&self, _path: &[u8], digest: &Digest, content: Vec<u8>) {
            assert_eq!(Digest::of(&content), *digest);
            self.0.lock().unwrap().push(content);
        }
    }

    #[test]
    fn contents_are_known_by_their_digests_and_first_bytes() {
        let mut writer = Writer::new(Vec::new());
        for content in ["", "abc", "#!/bin/sh"] {
            writer
                .append(&Entry::file(content.len().to_string(), 0o644, content.len() as u64), content.as_bytes())
                .unwrap();
        }
        writer.append_empty(&Entry::directory("d", 0o755)).unwrap();
        let tar = writer.finish().unwrap();
        let limits = Limits::default();
        let given = Given::default();
        for contents in [None, Some(&given as &dyn Contents)] {
            let mut listing = Listing::of(Listed::Contents, &limits).unwrap();
            let mut reader = Reader::new(tar.as_slice(), &limits);
            while let Some(member) = reader.next().unwrap() {
                listing.add(&member, reader.content(), contents).unwrap();
            }
            let known: Vec<_> = listing.members(&limits).map(|read| read.unwrap().1).collect();
            let of = |content: &str, start| Some(Fingerprint { digest: Digest::of(content.as_bytes()), start });
            assert_eq!(known, [of("", [0; 4]), of("abc", *b"abc\0"), of("#!/bin/sh", *b"#!/b"), None]);
        }
        // Files that have more bytes than are taken are not held.
        assert_eq!(*given.0.lock().unwrap(), [b"".to_vec(), b"abc".to_vec()]);
    }
}
