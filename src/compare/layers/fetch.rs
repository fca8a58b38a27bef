//! The contents of some files of a layer, read into a temporary file.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Read};

use super::unlike::Unlike;
use crate::cancel::Cancel;
use crate::digest::{Digest, Hasher};
use crate::layer::decompress::Compression;
use crate::layer::tar::{Kind, TarError};
use crate::layer::visit_layer;
use crate::limits::Limits;
use crate::store::Spool;

/// Bytes of contents that stay in memory.
const MEMORY: usize = 16 << 20;

/// Contents that were fetched, of all layers of one side.
#[derive(Debug)]
pub struct Fetched {
    spool: Spool,
    /// Where the contents are, by the place of their layer and their path.
    contents: BTreeMap<(usize, Vec<u8>), Stored>,
}

/// Where one content is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stored {
    /// From there on, so many bytes.
    Whole {
        /// Where it starts.
        start: u64,
        /// How many bytes it has.
        size: u64,
    },
    /// Nowhere: this limit is lower.
    Exceeded(&'static str),
}

impl Default for Fetched {
    fn default() -> Self {
        Self { spool: Spool::new(MEMORY), contents: BTreeMap::new() }
    }
}

impl Fetched {
    /// Where the content of a path is, if it was asked for.
    pub fn get(&self, layer: usize, path: &[u8]) -> Option<Stored> {
        self.contents.get(&(layer, path.to_vec())).copied()
    }

    /// Takes the files whose contents were kept when their layer was read first, out of `wanted`.
    ///
    /// # Errors
    /// When a temporary file can't be written.
    pub fn keep(
        &mut self,
        layer: usize,
        wanted: &mut BTreeMap<Vec<u8>, Digest>,
        unlike: &Unlike,
        limits: &Limits,
    ) -> io::Result<()> {
        let mut kept = Vec::new();
        wanted.retain(|path, digest| match unlike.get(digest) {
            Some(content) => {
                kept.push((path.clone(), content));
                false
            }
            None => true,
        });
        for (path, content) in kept {
            let size = content.len() as u64;
            let place = match self.exceeded(size, limits) {
                Some(name) => Stored::Exceeded(name),
                None => Stored::Whole { start: self.spool.append(&content)?, size },
            };
            self.contents.insert((layer, path), place);
        }
        Ok(())
    }

    /// The limit that is lower than another content of so many bytes needs.
    fn exceeded(&self, size: u64, limits: &Limits) -> Option<&'static str> {
        let room = limits.look_files.saturating_sub(self.spool.length());
        match size {
            _ if size > limits.look_file => Some("look-file"),
            _ if size > room => Some("look-files"),
            _ => None,
        }
    }

    /// Fills `buffer` with the bytes from `start` on, counted over all contents.
    ///
    /// # Errors
    /// When there are not that many, or the temporary file can't be read.
    pub fn read_at(&self, start: u64, buffer: &mut [u8]) -> io::Result<()> {
        self.spool.read_at(start, buffer)
    }
}

/// Reads a stored layer and keeps the contents of the `wanted` files, which must have the digests that are given.
///
/// # Errors
/// When the layer can't be read, or is not what it was before.
pub fn fetch(
    fetched: &mut Fetched,
    layer: usize,
    stored: impl Read,
    compression: Compression,
    wanted: &BTreeMap<Vec<u8>, Digest>,
    limits: &Limits,
    cancel: &Cancel,
) -> io::Result<()> {
    let mut left: BTreeSet<&[u8]> = wanted.keys().map(Vec::as_slice).collect();
    visit_layer(stored, compression, limits, |member, content| {
        cancel.check().map_err(io::Error::other)?;
        let (Kind::File, Some(digest)) = (&member.entry.kind, wanted.get(&member.key)) else { return Ok(()) };
        left.remove(member.key.as_slice());
        let size = member.entry.size;
        let place = match fetched.exceeded(size, limits) {
            Some(name) => Stored::Exceeded(name),
            None => {
                let start = keep(&mut fetched.spool, content, digest)?;
                Stored::Whole { start, size }
            }
        };
        fetched.contents.insert((layer, member.key.clone()), place);
        Ok(())
    })?;
    if left.is_empty() { Ok(()) } else { Err(io::Error::other(Changed)) }
}

/// The layer has other bytes than a moment ago.
#[derive(Debug, thiserror::Error)]
#[error("a layer changed while it was read")]
struct Changed;

fn keep(spool: &mut Spool, content: &mut dyn Read, digest: &Digest) -> Result<u64, TarError> {
    let start = spool.length();
    let mut hasher = Hasher::default();
    let mut piece = vec![0; 1 << 15];
    loop {
        let count = content.read(&mut piece)?;
        if count == 0 {
            break;
        }
        hasher.update(&piece[..count]);
        spool.append(&piece[..count])?;
    }
    if hasher.digest() == *digest { Ok(start) } else { Err(io::Error::other(Changed).into()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layer::tar::{Entry, Writer};

    #[test]
    fn wanted_contents_are_kept_and_others_are_not() {
        let mut writer = Writer::new(Vec::new());
        for (name, content) in [("a", "one"), ("b", "two!"), ("c", "three")] {
            writer.append(&Entry::file(name, 0o644, content.len() as u64), content.as_bytes()).unwrap();
        }
        let tar = writer.finish().unwrap();
        let of = |pairs: &[(&str, &str)]| {
            pairs
                .iter()
                .map(|(path, content)| (path.as_bytes().to_vec(), Digest::of(content.as_bytes())))
                .collect::<BTreeMap<_, _>>()
        };
        let limits = Limits { look_file: 4, ..Limits::default() };
        let mut fetched = Fetched::default();
        let mut ask = |wanted: &[(&str, &str)]| {
            fetch(&mut fetched, 1, tar.as_slice(), Compression::None, &of(wanted), &limits, &Cancel::default())
        };
        ask(&[("b", "two!"), ("c", "three")]).unwrap();
        assert!(ask(&[("a", "other")]).is_err() && ask(&[("absent", "")]).is_err());
        assert_eq!(fetched.get(1, b"c"), Some(Stored::Exceeded("look-file")));
        assert_eq!((fetched.get(1, b"absent"), fetched.get(0, b"b")), (None, None));
        let Some(Stored::Whole { start, size }) = fetched.get(1, b"b") else { panic!() };
        let mut bytes = vec![0; usize::try_from(size).unwrap()];
        fetched.read_at(start, &mut bytes).unwrap();
        assert_eq!(bytes, b"two!");
    }

    #[test]
    fn what_was_kept_before_is_not_wanted_any_more() {
        use crate::layer::Contents;

        let unlike = Unlike::default();
        for (side, content) in ["one", "other"].into_iter().enumerate() {
            unlike.side(side).take(b"a", &Digest::of(content.as_bytes()), content.as_bytes().to_vec());
        }
        let of = |content: &str| Digest::of(content.as_bytes());
        let mut wanted = BTreeMap::from([(b"a".to_vec(), of("one")), (b"b".to_vec(), of("two"))]);
        let mut fetched = Fetched::default();
        fetched.keep(3, &mut wanted, &unlike, &Limits::default()).unwrap();
        assert_eq!(wanted.keys().collect::<Vec<_>>(), [b"b"]);
        assert_eq!(fetched.get(3, b"a"), Some(Stored::Whole { start: 0, size: 3 }));
    }
}
