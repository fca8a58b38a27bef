//! The content of tracked files: what a checkout without any user configuration holds, or what was edited.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use super::cache::Cache;
use super::content::{Files, read_all};
use super::directory::{Node, Stamp, node_of};
use super::error::{Error, display};
use super::identity::Identity;
use super::open;
use super::select::Kept;
use super::tracked::{Known, Layer};
use super::{Content, Entry, EntryKind, Surroundings};
use crate::cancel::Cancel;
use crate::digest::Digest;
use crate::escape;
use crate::git::{Checkout, ObjectFormat, ObjectId, Pointer, Repository, Tracked, TrackedKind};
use crate::limits::Limits;

/// Files beyond this are not searched for converted line ends; they count as they lie in the work tree.
const LARGEST_TEXT: u64 = 256 << 20;

/// What a person should know about a context of tracked files.
#[derive(Debug, Default)]
pub(super) struct Remarks {
    /// Files that count as edited.
    pub(super) modified: BTreeSet<Vec<u8>>,
    /// Files whose executable bit differs from the index.
    pub(super) modes: BTreeSet<Vec<u8>>,
}

/// The entries of what was selected in a work tree.
pub(super) fn read(
    known: &Known,
    kept: Vec<Kept>,
    surroundings: &Surroundings<'_>,
) -> Result<(Vec<Entry>, Remarks), Error> {
    let cache = surroundings.cache.map(|cache| Cache::open(cache, &known.path));
    let format = known.layers.first().map_or(ObjectFormat::Sha1, |main| main.repository.format());
    let files =
        Files { root: &known.root, path: &known.path, cancel: surroundings.cancel, cache: cache.as_ref(), format };
    let minds_modes = known.layers.iter().all(|layer| layer.repository.minds_executable_bits());
    let mut remarks = Remarks::default();
    for Kept { path, node } in &kept {
        // A link in the place of a file, or another link, was edited.
        if let (Node::Symlink(target), Some((_, entry))) = (node, known.entry(path))
            && (entry.kind != TrackedKind::Symlink || !entry.id.is_of_blob(target))
        {
            remarks.modified.insert(path.clone());
        }
    }
    let shared = Mutex::new(remarks);
    let remark = |change: &dyn Fn(&mut Remarks)| change(&mut shared.lock().unwrap_or_else(PoisonError::into_inner));
    let entries = read_all(kept, surroundings, |path, stamp| {
        let identity = files.hash(path, stamp)?;
        let Some((layer, entry)) = known.entry(path) else {
            return Ok(files.entry(path, stamp, stamp.executable, identity.digest));
        };
        let TrackedKind::File { executable } = entry.kind else {
            remark(&|remarks| _ = remarks.modified.insert(path.to_vec()));
            return Ok(files.entry(path, stamp, stamp.executable, identity.digest));
        };
        if executable != stamp.executable && minds_modes {
            remark(&|remarks| _ = remarks.modes.insert(path.to_vec()));
        }
        let file = TrackedFile { files: &files, layer, entry, path, stamp, identity };
        Ok(match file.content()? {
            Found::AsIs => files.entry(path, stamp, executable, identity.digest),
            Found::Edited => {
                remark(&|remarks| _ = remarks.modified.insert(path.to_vec()));
                files.entry(path, stamp, executable, identity.digest)
            }
            Found::Bytes(bytes) => EntryKind::File {
                executable,
                size: bytes.len() as u64,
                digest: Digest::of(&bytes),
                content: Content::Bytes(bytes.into()),
            },
        })
    })?;
    if let Some(cache) = cache {
        cache.save();
    }
    Ok((entries, shared.into_inner().unwrap_or_else(PoisonError::into_inner)))
}

/// The bytes of a file that is read by itself, as a checkout without any user configuration has them.
///
/// Only line ends that git has made are undone: where `bytes`, the file's own, have no CRLF, they are given back at once,
/// and what is edited, untracked or outside git stays as it is.
pub fn as_checked_out(file: &Path, bytes: Vec<u8>, limits: &Limits) -> Result<Vec<u8>, Error> {
    if !bytes.windows(2).any(|pair| pair == b"\r\n") {
        return Ok(bytes);
    }
    Ok(match by_itself(file, &bytes, limits)? {
        Some((_, Found::Bytes(checked_out))) => checked_out,
        _ => bytes,
    })
}

/// Whether a file's bytes are what a checkout makes of the blob `id`, which must be the tracked one.
pub(super) fn is_checkout_of(file: &Path, bytes: Vec<u8>, id: ObjectId, limits: &Limits) -> Result<bool, Error> {
    let found = by_itself(file, &bytes, limits)?;
    Ok(found.is_some_and(|(tracked, found)| tracked == id && !matches!(found, Found::Edited)))
}

/// What the content of one file is, and the blob that is tracked in its place; none where nothing is tracked.
fn by_itself(file: &Path, bytes: &[u8], limits: &Limits) -> Result<Option<(ObjectId, Found)>, Error> {
    let unreadable = |error| Error::Unreadable { path: display(file), error };
    let file = file.canonicalize().map_err(unreadable)?;
    let Some(repository) = file.parent().map(Repository::find).transpose()?.flatten() else { return Ok(None) };
    let path = repository.work_tree().to_owned();
    let layer = Layer::whole(repository, limits)?;
    let Ok(inner) = file.strip_prefix(&path) else { return Ok(None) };
    let inner = inner.as_os_str().as_encoded_bytes();
    let Some(entry) = layer.entry(inner) else { return Ok(None) };
    let root = open::open_root(&path).map_err(unreadable)?;
    let (directory, name) = open::split(inner);
    let directory = open::open_directory(&root, directory).map_err(unreadable)?;
    let node = node_of(&directory, name).map_err(|error| Error::unreadable(inner, error))?;
    let (Some(Node::File(stamp)), TrackedKind::File { .. }) = (node, entry.kind) else { return Ok(None) };
    let identity = Identity { digest: Digest::of(bytes), id: ObjectId::of_blob(bytes, layer.repository.format()) };
    let cancel = Cancel::default();
    let files = Files { root: &root, path: &path, cancel: &cancel, cache: None, format: layer.repository.format() };
    let tracked = TrackedFile { files: &files, layer: &layer, entry, path: inner, stamp: &stamp, identity };
    Ok(Some((entry.id, tracked.content()?)))
}

/// What the content of a tracked file is.
enum Found {
    /// The work tree's, which is what a checkout gives.
    AsIs,
    /// The work tree's, which differs from what is tracked.
    Edited,
    /// What a checkout gives, where the work tree holds the same in another form.
    Bytes(Vec<u8>),
}

struct TrackedFile<'a> {
    files: &'a Files<'a>,
    layer: &'a Layer,
    entry: &'a Tracked,
    path: &'a [u8],
    stamp: &'a Stamp,
    identity: Identity,
}

impl TrackedFile<'_> {
    fn content(&self) -> Result<Found, Error> {
        let inner = self.layer.inner_path(self.path).unwrap_or_default();
        let wanted = self.layer.attributes.of(&inner);
        let name = || escape::name(self.path);
        match wanted.filter.as_deref() {
            None => {}
            Some("lfs") => return self.large_file(),
            Some(filter) => {
                return Err(Error::Filter { path: name(), filter: escape::text(filter).into_owned() });
            }
        }
        let Some(checkout) = Checkout::new(&wanted) else {
            let encoding = wanted.encoding.unwrap_or_default();
            return Err(Error::Encoding { path: name(), encoding: escape::text(&encoding).into_owned() });
        };
        let is_blob = self.is_blob();
        if is_blob && !checkout.converts() {
            return Ok(Found::AsIs);
        }
        if self.entry.intent_to_add || self.entry.unmerged || self.stamp.size > LARGEST_TEXT {
            return Ok(if is_blob { Found::AsIs } else { Found::Edited });
        }
        if checkout.converts() { self.converted(&checkout, is_blob) } else { self.with_line_ends(&checkout) }
    }

    fn is_blob(&self) -> bool {
        self.identity.id == self.entry.id
    }

    /// A file of LFS: its pointer is what git tracks.
    fn large_file(&self) -> Result<Found, Error> {
        if self.stamp.size < Pointer::LONGEST && Pointer::parse(&self.files.bytes(self.path, self.stamp)?).is_some() {
            return Err(Error::LfsPointer { path: escape::name(self.path) });
        }
        if self.is_blob() {
            return Ok(Found::AsIs);
        }
        if self.entry.intent_to_add || self.entry.unmerged {
            return Ok(Found::Edited);
        }
        let pointer = Pointer::parse(&self.layer.repository.blob(self.entry.id)?);
        let expected = Pointer { digest: self.identity.digest, size: self.stamp.size };
        Ok(if pointer == Some(expected) { Found::AsIs } else { Found::Edited })
    }

    /// A file for which attributes ask for another form than the blob's.
    fn converted(&self, checkout: &Checkout<'_>, is_blob: bool) -> Result<Found, Error> {
        let file = self.files.bytes(self.path, self.stamp)?;
        let blob = if is_blob { file.clone() } else { self.layer.repository.blob(self.entry.id)? };
        let Some(expected) = checkout.write(&blob, self.entry.id) else {
            // Git, too, leaves a file alone that its encoding can't hold.
            return Ok(if is_blob { Found::AsIs } else { Found::Edited });
        };
        if expected == file {
            return Ok(Found::AsIs);
        }
        let line_ends = self.may_have_converted(checkout);
        let is_same = is_blob || checkout.undo(&file, line_ends) == checkout.undo(&expected, line_ends);
        Ok(if is_same { Found::Bytes(expected) } else { Found::Edited })
    }

    /// A file that should be the blob, but isn't: perhaps only its line ends differ.
    fn with_line_ends(&self, checkout: &Checkout<'_>) -> Result<Found, Error> {
        if !self.may_have_converted(checkout) {
            return Ok(Found::Edited);
        }
        let file = self.files.bytes(self.path, self.stamp)?;
        let undone = checkout.undo(&file, true);
        if self.entry.id.is_of_blob(&undone) {
            return Ok(Found::Bytes(undone));
        }
        // A blob with both kinds of line ends can't be told from the file alone.
        let blob = if undone.len() < file.len() { self.layer.repository.blob(self.entry.id).ok() } else { None };
        let blob = blob.filter(|blob| checkout.write_crlf(blob) == file);
        Ok(blob.map_or(Found::Edited, Found::Bytes))
    }

    /// Whether CRLF in the work tree may stand for LF: attributes or configuration say so, or git wrote the file itself.
    fn may_have_converted(&self, checkout: &Checkout<'_>) -> bool {
        let (seconds, nanoseconds) = self.stamp.modified;
        let (size, modified) = self.entry.seen;
        let untouched = size == self.stamp.size as u32 && modified == (seconds as i32, nanoseconds);
        checkout.unifies_line_ends()
            || (checkout.minds_configuration() && (untouched || self.layer.repository.converts_line_ends()))
    }
}
