//! Looks into the files that differ: their contents are fetched once a layer, and looked into on all cores.

use std::collections::BTreeMap;
use std::io;

use rayon::prelude::*;

use super::difference::{Difference, DifferenceLevel};
use super::one_sided::is_host_file;
use super::packages::{self, Owners};
use crate::bounds::Bounds;
use crate::compare::layers::{Fetched, PathEntry, Stored, Unlike, fetch};
use crate::compare::{Aspect, Side};
use crate::digest::Digest;
use crate::explain::causes::Proof;
use crate::explain::look::{self, Content, Look, LookError, Reason, look, look_at_one};
use crate::image::validate::LayerFacts;

/// Files on one side are looked into up to this size.
const ONE_SIDED: u64 = 64 << 10;

/// Lists of the files of packages that are to be read on each side: the places of their layers, and their paths there.
pub(super) type Lists = [Vec<(usize, Vec<u8>, Digest)>; 2];

/// A file whose content is to be looked into.
#[derive(Clone, Debug)]
pub(super) struct File {
    /// Where its difference is told.
    pub(super) path: Vec<u8>,
    /// The layer whose number is told, by its place.
    pub(super) place: usize,
    /// On each side: the place of the layer that holds the content, the path there, and what is known of it.
    pub(super) sides: [Option<(usize, Vec<u8>, PathEntry)>; 2],
    /// Both sides have the path, so that something has to be said.
    pub(super) is_pair: bool,
    /// The instruction that made it.
    pub(super) instruction: String,
}

impl File {
    /// What can be said without its bytes.
    fn by_path(&self) -> Option<Difference> {
        let [Some((_, _, one)), Some((_, _, other))] = &self.sides else { return None };
        let is_context = ["COPY ", "ADD "].iter().any(|word| self.instruction.starts_with(word));
        let code = match () {
            () if is_host_file(&self.path) => "C051",
            () if is_context && (one.size == 0) != (other.size == 0) => "C054",
            () => return None,
        };
        Some(self.told(Difference::proven(code, DifferenceLevel::Entry)))
    }

    fn told(&self, difference: Difference) -> Difference {
        let shown = |side: &Option<(usize, Vec<u8>, PathEntry)>| {
            let (_, _, entry) = side.as_ref()?;
            Some(format!("{} bytes, {}", entry.size, entry.content?.digest))
        };
        let [first, second] = self.sides.each_ref().map(shown);
        let aspects: &[Aspect] = if self.is_pair { &[Aspect::Content] } else { &[] };
        difference.at(self.place, &self.path, aspects).between(first, second)
    }

    fn is_wanted(&self) -> bool {
        let is_small = |side: &Option<(usize, Vec<u8>, PathEntry)>| {
            side.as_ref().is_none_or(|(_, _, entry)| entry.size <= ONE_SIDED)
        };
        self.is_pair || self.sides.iter().all(is_small)
    }
}

/// Why the contents of files differ, or what those are that only one side has. For the latter nothing is said where
/// nothing is special about them. `owners` learns what the lists say.
///
/// # Errors
/// When a layer can't be read, or work should stop.
pub(super) fn explain(
    files: &[File],
    lists: &Lists,
    owners: &mut Owners,
    (sides, unlike): ([&Side<'_>; 2], &Unlike),
    layers: [&[LayerFacts]; 2],
    bounds: Bounds<'_>,
) -> io::Result<Vec<Vec<Difference>>> {
    let is_asked: Vec<bool> = files.iter().map(|file| file.by_path().is_none() && file.is_wanted()).collect();
    let gather = |side: usize| {
        let mut wanted: BTreeMap<usize, BTreeMap<Vec<u8>, Digest>> = BTreeMap::new();
        for (file, _) in files.iter().zip(&is_asked).filter(|(_, is_asked)| **is_asked) {
            if let Some((place, path, entry)) = &file.sides[side]
                && let Some(content) = entry.content
            {
                wanted.entry(*place).or_default().insert(path.clone(), content.digest);
            }
        }
        for (place, path, digest) in &lists[side] {
            wanted.entry(*place).or_default().insert(path.clone(), *digest);
        }
        let mut fetched = Fetched::default();
        for (place, mut wanted) in wanted {
            fetched.keep(place, &mut wanted, unlike, bounds.limits)?;
            if wanted.is_empty() {
                continue;
            }
            let Some(layer) = layers[side].get(place) else { continue };
            let (stored, compression) = sides[side].open(layer)?;
            fetch(&mut fetched, place, stored, compression, &wanted, bounds.limits, bounds.cancel)?;
        }
        io::Result::Ok(fetched)
    };
    let (first, second) = rayon::join(|| gather(0), || gather(1));
    let fetched = [first?, second?];
    for (lists, fetched) in lists.iter().zip(&fetched) {
        for (place, path, _) in lists {
            // A list that is longer than may be looked into names no owner.
            let Some(Stored::Whole { start, size }) = fetched.get(*place, path) else { continue };
            let mut content = vec![0; usize::try_from(size).unwrap_or_default()];
            fetched.read_at(start, &mut content)?;
            packages::learn(owners, path, &content);
        }
    }
    files.par_iter().zip(&is_asked).map(|(file, is_asked)| one(file, *is_asked, &fetched, bounds)).collect()
}

fn one(file: &File, is_asked: bool, fetched: &[Fetched; 2], bounds: Bounds<'_>) -> io::Result<Vec<Difference>> {
    if let Some(difference) = file.by_path() {
        return Ok(vec![difference]);
    }
    if !is_asked {
        return Ok(Vec::new());
    }
    let content = |side: usize| {
        let (place, path, _) = file.sides[side].as_ref()?;
        Some(match fetched[side].get(*place, path)? {
            Stored::Whole { start, size } => Ok(Kept { fetched: &fetched[side], start, size }),
            Stored::Exceeded(name) => Err(name),
        })
    };
    let depth = u32::try_from(bounds.limits.look_depth).unwrap_or(u32::MAX);
    let mut left = look::Bounds::new(depth, bounds.limits.look_bytes, bounds.cancel);
    let is_pair = file.is_pair;
    let found = match (content(0), content(1)) {
        (Some(Err(name)), Some(_)) | (Some(_), Some(Err(name))) => Err(LookError::Reached(name)),
        (Some(Ok(mut one)), Some(Ok(mut other))) => look(&file.path, &mut one, &mut other, &mut left),
        (Some(Ok(mut one)), None) if !is_pair => look_at_one(&file.path, &mut one, &mut left),
        (None, Some(Ok(mut one))) if !is_pair => look_at_one(&file.path, &mut one, &mut left).map(Look::turned),
        // Of a pair whose bytes are not at hand, nothing explains the difference.
        _ => Ok(Look::default()),
    };
    let mut reasons = match found {
        Ok(found) => found.causes,
        Err(LookError::Cancelled(cancelled)) => return Err(io::Error::other(cancelled)),
        Err(LookError::Io(error)) => return Err(error),
        Err(LookError::Reached(_)) if !is_pair => Vec::new(),
        Err(LookError::Reached(name)) => {
            let mut reason = Reason::new("C121", Proof::Proven);
            reason.place = None;
            return Ok(vec![Difference { field: Some(name.to_owned()), ..file.told(of(reason, file)) }]);
        }
    };
    if reasons.is_empty() && is_pair {
        reasons.push(Reason::unexplained());
    }
    Ok(reasons.into_iter().map(|reason| file.told_reason(reason)).collect())
}

fn of(reason: Reason, file: &File) -> Difference {
    Difference::of_reason(reason, file.place, &file.path, &[Aspect::Content])
}

impl File {
    fn told_reason(&self, reason: Reason) -> Difference {
        let difference = of(reason, self);
        let class = difference.class;
        // What only one side has is never benign: the other has nothing that it could be equal to.
        self.told(difference).classed(class)
    }
}

/// A content that was fetched.
struct Kept<'a> {
    fetched: &'a Fetched,
    start: u64,
    size: u64,
}

impl Content for Kept<'_> {
    fn size(&self) -> u64 {
        self.size
    }

    fn read_at(&mut self, start: u64, buffer: &mut [u8]) -> io::Result<()> {
        let end = start.checked_add(buffer.len() as u64).filter(|end| *end <= self.size);
        end.ok_or(io::ErrorKind::UnexpectedEof)?;
        self.fetched.read_at(self.start + start, buffer)
    }
}
