//! What a look found.

use crate::explain::causes::{Class, Proof};

/// What a look found: the reasons, the nearest first.
#[derive(Debug, Default)]
pub struct Look {
    /// Why the bytes differ. Several where several causes are there at once, or for several places inside.
    pub causes: Vec<Reason>,
}

impl Look {
    /// The same, where what was found is of the second.
    pub(crate) fn turned(mut self) -> Self {
        for reason in &mut self.causes {
            if let Some(Detail::Package { first, second, .. }) = &mut reason.detail {
                std::mem::swap(first, second);
            }
        }
        self
    }
}

/// One reason why the bytes differ.
#[derive(Debug)]
pub struct Reason {
    /// The code of its cause.
    pub code: &'static str,
    /// How sure it is.
    pub proof: Proof,
    /// Another class than the table's, where what was found is graver: a package that was downgraded.
    pub class: Option<Class>,
    /// The place inside the file, such as a member of an archive: what follows its path and `!/`.
    pub place: Option<String>,
    /// What differs, to be shown.
    pub detail: Option<Detail>,
}

impl Reason {
    /// A reason about the whole file.
    pub fn new(code: &'static str, proof: Proof) -> Self {
        Self { code, proof, class: None, place: None, detail: None }
    }

    /// A bound was reached, and what follows was not looked at.
    pub(crate) fn stopped(bound: &str) -> Self {
        let (first, second) = (bound.to_owned(), bound.to_owned());
        let detail = Some(Detail::Field { name: "limit".to_owned(), first, second });
        Self { detail, ..Self::new("C121", Proof::Proven) }
    }

    /// The same, inside the file called `name`; an empty name stands for the file that holds it.
    pub(crate) fn inside(self, name: &[u8]) -> Self {
        let name = String::from_utf8_lossy(name);
        let place = match (&*name, self.place) {
            ("", place) => place,
            (name, None) => Some(name.to_owned()),
            (name, Some(place)) => Some(format!("{name}!/{place}")),
        };
        Self { place, ..self }
    }

    /// Nothing explains it.
    pub fn unexplained() -> Self {
        Self::new("C120", Proof::Possible)
    }
}

/// What differs, small enough to be shown; its texts are not safe to print.
#[derive(Debug)]
pub enum Detail {
    /// Lines of text.
    Text {
        /// Some of the places that differ, in order.
        hunks: Vec<Hunk>,
        /// How many more places there are.
        more: u64,
    },
    /// Bytes around the first difference.
    Bytes {
        /// Where both windows start.
        at: u64,
        /// What the first has there.
        first: Vec<u8>,
        /// What the second has there.
        second: Vec<u8>,
    },
    /// A package, in two versions or on one side only.
    Package {
        /// Its name.
        name: String,
        /// Its version in the first.
        first: Option<String>,
        /// Its version in the second.
        second: Option<String>,
        /// Paths that belong to it, without leading `/`; at most 1000.
        files: Vec<Vec<u8>>,
    },
    /// A named part, such as a header's field or an account's shell.
    Field {
        /// Its name.
        name: String,
        /// What the first has there.
        first: String,
        /// What the second has there.
        second: String,
    },
}

/// Lines around one difference.
#[derive(Debug)]
pub struct Hunk {
    /// The number of its first line in the first file, from 1 on.
    pub first: u64,
    /// The same in the second.
    pub second: u64,
    /// The lines, without their ends.
    pub lines: Vec<Line>,
}

/// One line of a hunk.
#[derive(Debug)]
pub enum Line {
    /// In both.
    Both(Vec<u8>),
    /// Only in the first.
    First(Vec<u8>),
    /// Only in the second.
    Second(Vec<u8>),
}
