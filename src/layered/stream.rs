//! The archive, member by member.

use std::io::Write;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use super::base::Base;
use super::customisation::Customisation;
use super::description::Description;
use super::document::{self, Listed};
use super::error::LayeredError;
use super::json::Json;
use super::layer::{Layer, zeros};
use super::member::{self, Member};
use super::root::Root;
use super::text::Text;
use crate::cancel::Cancel;
use crate::digest::{Digest, Hasher};
use crate::limits::Limits;

/// A layer up to this size is kept from its hashing to its writing, and its files are read once.
const KEPT: usize = 4 << 20;

/// One image to write.
pub struct Stream<'a> {
    /// What it is.
    pub description: &'a Description,
    /// Where its paths are.
    pub root: &'a Root,
    /// Bounds on the base image.
    pub limits: &'a Limits,
    /// Stops the work.
    pub cancel: &'a Cancel,
    /// How many layers are hashed at once.
    pub threads: usize,
    /// Is told which layer is being written, from 1, and of how many.
    pub tell: &'a (dyn Fn(usize, usize) + Sync),
}

/// A layer that was hashed.
struct Hashed {
    checksum: String,
    size: u64,
    content: Content,
}

enum Content {
    Kept(Vec<u8>),
    Again(Digest),
}

impl Stream<'_> {
    /// Writes the archive. Nothing is written before the description, the base's documents and the customisation layer
    /// are known to be right.
    ///
    /// # Errors
    /// Whatever of the image can't be read, and those of `out`; what was written then is no archive.
    pub fn write(&self, out: &mut impl Write) -> Result<(), LayeredError> {
        let description = self.description;
        let check = || self.cancel.check().map_err(LayeredError::from);
        let mtime = description.owner.mtime;
        let base = description.base.as_ref().map(|path| Base::open(self.root, path, self.limits)).transpose()?;
        let config = match &base {
            Some(base) => document::with_environment(&base.config, &description.config)?,
            None => description.config.clone(),
        };
        let customisation = Customisation::open(self.root, &description.customisation, mtime, &check)?;
        let is_over = AtomicBool::new(false);
        let check_worker = || {
            check()?;
            if is_over.load(Ordering::Relaxed) { Err(crate::cancel::Cancelled.into()) } else { Ok(()) }
        };
        thread::scope(|scope| {
            let threads = self.threads.clamp(1, description.layers.len().max(1));
            let mut hashed = Vec::new();
            for first in 0..threads {
                // One layer waits while the next one is hashed.
                let (sender, receiver) = sync_channel(1);
                hashed.push(receiver);
                let check = &check_worker;
                scope.spawn(move || self.hash(first, threads, &sender, check));
            }
            let written = self.write_members(out, base, config, &customisation, &hashed);
            is_over.store(true, Ordering::Relaxed);
            // Wakes those that wait with a layer.
            drop(hashed);
            written
        })
    }

    fn layer<'a>(&'a self, index: usize, check: &'a (dyn Fn() -> Result<(), LayeredError> + Sync)) -> Layer<'a> {
        let Description { layers, owner, .. } = self.description;
        Layer { root: self.root, paths: &layers[index], owner, check }
    }

    /// Hashes every `step`th layer.
    fn hash(
        &self,
        first: usize,
        step: usize,
        sender: &SyncSender<Result<Hashed, LayeredError>>,
        check: &(dyn Fn() -> Result<(), LayeredError> + Sync),
    ) {
        for index in (first..self.description.layers.len()).step_by(step) {
            let mut sum = Sum { digest: Hasher::default(), kept: Some(Vec::new()) };
            let hashed = self.layer(index, check).write(&mut sum).map(|written| Hashed {
                checksum: sum.digest.digest().hex(),
                size: written.size,
                content: sum.kept.map_or(Content::Again(written.seen), Content::Kept),
            });
            let is_last = hashed.is_err();
            if sender.send(hashed).is_err() || is_last {
                return;
            }
        }
    }

    fn write_members(
        &self,
        out: &mut impl Write,
        base: Option<Base>,
        config: Json,
        customisation: &Customisation,
        hashed: &[Receiver<Result<Hashed, LayeredError>>],
    ) -> Result<(), LayeredError> {
        let description = self.description;
        let mtime = description.owner.mtime;
        let check = || self.cancel.check().map_err(LayeredError::from);
        let total = base.as_ref().map_or(0, |base| base.layers.len()) + description.layers.len() + 1;
        let mut layers = Vec::new();
        let mut archive = Members { out, size: 0 };
        if let Some(mut base) = base {
            for index in 0..base.layers.len() {
                (self.tell)(layers.len() + 1, total);
                let layer = &base.layers[index];
                let name = layer.entry.member.name.clone();
                let listed = Listed { checksum: layer.checksum.clone(), paths: vec![name.clone()], name };
                archive.begin(&layer.entry.member)?;
                let size = base.content(index, &mut |piece| {
                    check()?;
                    archive.out.write_all(piece).map_err(LayeredError::Write)
                })?;
                archive.finish(size)?;
                layers.push(listed);
            }
        }
        for (index, paths) in description.layers.iter().enumerate() {
            (self.tell)(layers.len() + 1, total);
            // A sender that is gone was stopped.
            let hashed = hashed[index % hashed.len()].recv().map_err(|_| crate::cancel::Cancelled)??;
            let name = format!("{}/layer.tar", hashed.checksum);
            archive.begin(&Member::file(&name, hashed.size, mtime))?;
            match hashed.content {
                Content::Kept(bytes) => archive.out.write_all(&bytes).map_err(LayeredError::Write)?,
                Content::Again(seen) => {
                    let written = self.layer(index, &check).write(archive.out)?;
                    if written.size != hashed.size || written.seen != seen {
                        return Err(LayeredError::Changed(paths.first().map(Text::shown).unwrap_or_default()));
                    }
                }
            }
            archive.finish(hashed.size)?;
            let checksum = hashed.checksum.as_str().into();
            layers.push(Listed { checksum, name: name.as_str().into(), paths: paths.clone() });
        }
        (self.tell)(total, total);
        archive.begin(&customisation.member)?;
        customisation.write(archive.out, &check)?;
        archive.finish(customisation.size)?;
        layers.push(Listed {
            checksum: customisation.checksum.as_str().into(),
            name: customisation.member.name.clone(),
            paths: vec![description.customisation.clone()],
        });
        let config = document::config(&description.architecture, config, &description.created, &layers);
        let name = format!("{}.json", Digest::of(config.as_bytes()).hex());
        archive.put(&name, config.as_bytes(), mtime)?;
        let manifest = document::manifest(&name, &description.tag, &layers);
        archive.put("manifest.json", manifest.as_bytes(), mtime)?;
        zeros(archive.out, member::end(archive.size))?;
        archive.out.flush().map_err(LayeredError::Write)
    }
}

/// The outer archive.
struct Members<'a, W> {
    out: &'a mut W,
    size: u64,
}

impl<W: Write> Members<'_, W> {
    fn begin(&mut self, member: &Member) -> Result<(), LayeredError> {
        let header = member.header()?;
        self.size += header.len() as u64;
        self.out.write_all(&header).map_err(LayeredError::Write)
    }

    fn finish(&mut self, size: u64) -> Result<(), LayeredError> {
        let padding = member::padding(size);
        self.size += size + padding;
        zeros(self.out, padding)
    }

    fn put(&mut self, name: &str, content: &[u8], mtime: i128) -> Result<(), LayeredError> {
        let size = content.len() as u64;
        self.begin(&Member::file(name, size, mtime))?;
        self.out.write_all(content).map_err(LayeredError::Write)?;
        self.finish(size)
    }
}

/// Hashes what is written, and keeps it while it is small.
struct Sum {
    digest: Hasher,
    kept: Option<Vec<u8>>,
}

impl Write for Sum {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.digest.update(bytes);
        if let Some(kept) = &mut self.kept {
            if kept.len() + bytes.len() > KEPT {
                self.kept = None;
            } else {
                kept.extend_from_slice(bytes);
            }
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
