//! Two contents of one file, and what a look gives about them.

use super::reason::Reason;
use crate::explain::causes::Proof;

/// Two contents of one file, whole, which are not equal.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pair<'a> {
    /// The path in the image; for a member of an archive that of the archive, `/`, and the member's name.
    pub(crate) path: &'a [u8],
    /// What the first has.
    pub(crate) first: &'a [u8],
    /// What the second has.
    pub(crate) second: &'a [u8],
}

impl<'a> Pair<'a> {
    /// Both contents.
    pub(crate) fn both(&self) -> [&'a [u8]; 2] {
        [self.first, self.second]
    }

    /// The last component of the path.
    pub(crate) fn name(&self) -> &'a [u8] {
        self.path.rsplit(|&byte| byte == b'/').next().unwrap_or_default()
    }

    /// Whether the name ends like this.
    pub(crate) fn has_suffix(&self, suffixes: &[&str]) -> bool {
        suffixes.iter().any(|suffix| self.path.ends_with(suffix.as_bytes()))
    }

    /// Whether this is the file at `place`, in the image's root or in a root below another directory.
    pub(crate) fn is_at(&self, place: &str) -> bool {
        let rest = self.path.strip_suffix(place.as_bytes());
        rest.is_some_and(|above| above.is_empty() || above.ends_with(b"/"))
    }

    /// Whether both contents start with `magic`.
    pub(crate) fn start_with(&self, magic: &[u8]) -> bool {
        self.first.starts_with(magic) && self.second.starts_with(magic)
    }

    /// What `parse` makes of both; none if it refuses one.
    pub(crate) fn parsed<T>(&self, parse: impl Fn(&'a [u8]) -> Option<T>) -> Option<[T; 2]> {
        Some([parse(self.first)?, parse(self.second)?])
    }
}

/// What a look found in a pair that is of its kind.
#[derive(Debug, Default)]
pub(crate) struct Found {
    /// Why the bytes differ, apart from what is inside.
    pub(crate) reasons: Vec<Reason>,
    /// Files inside whose bytes differ: all that is not told by the reasons.
    pub(crate) inside: Vec<Inner>,
}

/// A file inside a file, whose bytes differ.
#[derive(Debug)]
pub(crate) struct Inner {
    /// Its name there; empty where the file is packed and holds nothing but this.
    pub(crate) name: Vec<u8>,
    /// What the first has.
    pub(crate) first: Vec<u8>,
    /// What the second has.
    pub(crate) second: Vec<u8>,
}

impl Found {
    /// One reason and nothing else; none of the bytes is left unexplained.
    pub(crate) fn one(reason: Reason) -> Self {
        Self { reasons: vec![reason], inside: Vec::new() }
    }

    /// A cause that explains all that differs.
    pub(crate) fn proven(code: &'static str) -> Self {
        Self::one(Reason::new(code, Proof::Proven))
    }

    /// A cause that the path tells, and that the bytes do not prove.
    pub(crate) fn likely(code: &'static str) -> Self {
        Self::one(Reason::new(code, Proof::Likely))
    }

    /// These reasons; none if there are none.
    pub(crate) fn of(reasons: Vec<Reason>) -> Option<Self> {
        (!reasons.is_empty()).then_some(Self { reasons, inside: Vec::new() })
    }
}
