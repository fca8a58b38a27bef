//! Blobs on their way out, checked against what was promised.

use std::io::{self, Read};

use crate::digest::{AsideHasher, Digest, Hasher};

/// A blob of so many bytes is hashed on a thread of its own.
const LARGE: u64 = 4 << 20;

/// Passes on exactly the bytes that a digest and a size promise; others are an `InvalidData` error.
pub(super) struct Checked<R> {
    inner: R,
    sum: Option<Sum>,
    digest: Digest,
    size: u64,
}

/// The sum over what was passed on: of a large blob it is made while the bytes are written.
enum Sum {
    Here(Hasher),
    Aside(AsideHasher),
}

impl Sum {
    fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Here(hasher) => hasher.update(bytes),
            Self::Aside(hasher) => hasher.update(bytes),
        }
    }

    fn length(&self) -> u64 {
        match self {
            Self::Here(hasher) => hasher.length(),
            Self::Aside(hasher) => hasher.length(),
        }
    }

    fn digest(self) -> Digest {
        match self {
            Self::Here(hasher) => hasher.digest(),
            Self::Aside(hasher) => hasher.finish().digest(),
        }
    }
}

impl<R> Checked<R> {
    pub(super) fn new(inner: R, digest: Digest, size: u64) -> io::Result<Self> {
        let sum = if size < LARGE { Sum::Here(Hasher::default()) } else { Sum::Aside(AsideHasher::start()?) };
        Ok(Self { inner, sum: Some(sum), digest, size })
    }
}

impl<R: Read> Read for Checked<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let wrong = |what: String| Err(io::Error::new(io::ErrorKind::InvalidData, what));
        if buffer.is_empty() {
            return Ok(0);
        }
        let count = self.inner.read(buffer)?;
        let other_size = || format!("blob {} has not the {} bytes that its descriptor says", self.digest, self.size);
        let Some(sum) = &mut self.sum else {
            return if count == 0 { Ok(0) } else { wrong(other_size()) };
        };
        sum.update(&buffer[..count]);
        if sum.length() > self.size || (count == 0 && sum.length() < self.size) {
            return wrong(other_size());
        }
        // The tar writer stops asking once it has all bytes, so the end is known by the size.
        if sum.length() == self.size {
            let found = self.sum.take().map(Sum::digest);
            if found != Some(self.digest) {
                return wrong(format!("blob {} has other bytes than its digest says", self.digest));
            }
        }
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_and_large_blobs_are_checked_alike() {
        for size in [1, LARGE - 1, LARGE, LARGE + (3 << 17) + 1] {
            let good = vec![7; size as usize];
            let copy = |content: &[u8]| io::copy(&mut Checked::new(content, Digest::of(&good), size)?, &mut io::sink());
            assert_eq!(copy(&good).unwrap(), size);
            let changed = |at: u64| {
                let mut content = good.clone();
                content[at as usize] ^= 1;
                content
            };
            for content in [changed(0), changed(size - 1), good[1..].to_vec(), [good.as_slice(), &[7]].concat()] {
                assert_eq!(copy(&content).unwrap_err().kind(), io::ErrorKind::InvalidData, "{size}");
            }
        }
    }
}
