//! The archive: layers hashed ahead of the one that is written, in order.

use std::io::{BufWriter, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use super::base::Base;
use super::customisation::Customisation;
use super::description::Description;
use super::document::{self, Listed};
use super::error::LayeredError;
use super::form::Form;
use super::json::Json;
use super::layer::{Layer, zeros};
use super::member::{self, Member};
use super::root::Root;
use super::sum::Sum;
use super::text::Text;
use crate::cancel::Cancel;
use crate::digest::Digest;

/// One image to write.
pub struct Stream<'a> {
    /// What it is.
    pub description: &'a Description,
    /// Where its paths are.
    pub root: &'a Root,
    /// The form of the archive.
    pub form: &'a Form,
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
    /// Writes the archive of the image upon `base`, which was opened for it. Nothing is written before the customisation
    /// layer is known to be right. Gives the digest of the image manifest, if the form has one.
    ///
    /// # Errors
    /// Whatever of the image can't be read, and those of `out`; what was written then is no archive.
    pub fn write(&self, out: &mut BufWriter<impl Write>, base: Option<Base>) -> Result<Option<Digest>, LayeredError> {
        let description = self.description;
        let check = || self.cancel.check().map_err(LayeredError::from);
        let mtime = description.owner.mtime;
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
            let mut sum = Sum::default();
            let hashed = self.layer(index, check).write(&mut sum).map(|written| {
                let (digest, kept) = sum.finish();
                let content = kept.map_or(Content::Again(written.seen), Content::Kept);
                Hashed { checksum: digest.hex(), size: written.size, content }
            });
            let is_last = hashed.is_err();
            if sender.send(hashed).is_err() || is_last {
                return;
            }
        }
    }

    fn write_members<W: Write>(
        &self,
        out: &mut BufWriter<W>,
        base: Option<Base>,
        config: Json,
        customisation: &Customisation,
        hashed: &[Receiver<Result<Hashed, LayeredError>>],
    ) -> Result<Option<Digest>, LayeredError> {
        let description = self.description;
        let check = || self.cancel.check().map_err(LayeredError::from);
        let total = base.as_ref().map_or(0, |base| base.layers.len()) + description.layers.len() + 1;
        let mut layers: Vec<Listed> = Vec::new();
        let mut archive = Members { out, size: 0 };
        if let Some(mut base) = base {
            for index in 0..base.layers.len() {
                (self.tell)(layers.len() + 1, total);
                let listed = self.base_layer(&mut archive, &mut base, index, &layers)?;
                layers.push(listed);
            }
        }
        for (index, paths) in description.layers.iter().enumerate() {
            (self.tell)(layers.len() + 1, total);
            // A sender that is gone was stopped.
            let hashed = hashed[index % hashed.len()].recv().map_err(|_| crate::cancel::Cancelled)??;
            let (name, size) = (self.form.layer_name(&hashed.checksum), hashed.size);
            let listed = Listed {
                checksum: hashed.checksum.as_str().into(),
                name: name.as_str().into(),
                paths: paths.clone(),
                size,
            };
            if !self.form.has(&layers, &listed) {
                archive.begin(&Member::file(&name, size, self.mtime()))?;
                match hashed.content {
                    Content::Kept(bytes) => archive.out.write_all(&bytes).map_err(LayeredError::Write)?,
                    Content::Again(seen) => {
                        let written = self.layer(index, &check).write(archive.out)?;
                        if written.size != size || written.seen != seen {
                            return Err(LayeredError::Changed(paths.first().map(Text::shown).unwrap_or_default()));
                        }
                    }
                }
                archive.finish(size)?;
            }
            layers.push(listed);
        }
        (self.tell)(total, total);
        let name = self.form.layer_name(&customisation.checksum);
        let listed = Listed {
            checksum: customisation.checksum.as_str().into(),
            name: name.as_str().into(),
            paths: vec![description.customisation.clone()],
            size: customisation.size,
        };
        if !self.form.has(&layers, &listed) {
            match self.form {
                Form::Docker => archive.begin(&customisation.member)?,
                Form::Oci(_) => archive.begin(&Member::file(&name, customisation.size, self.mtime()))?,
            }
            customisation.write(archive.out, &check)?;
            archive.finish(customisation.size)?;
        }
        layers.push(listed);
        let config = document::config(&description.architecture, config, &description.created, &layers);
        let documents = self.form.documents(config, description, &layers)?;
        for (name, content) in &documents.files {
            archive.put(name, content, self.mtime())?;
        }
        zeros(archive.out, member::end(archive.size))?;
        archive.out.flush().map_err(LayeredError::Write)?;
        Ok(documents.manifest)
    }

    /// The time of members that the description has one for.
    fn mtime(&self) -> i128 {
        match self.form {
            Form::Docker => self.description.owner.mtime,
            Form::Oci(_) => 0,
        }
    }

    fn base_layer<W: Write>(
        &self,
        archive: &mut Members<'_, W>,
        base: &mut Base,
        index: usize,
        layers: &[Listed],
    ) -> Result<Listed, LayeredError> {
        let check = || self.cancel.check().map_err(LayeredError::from);
        let as_read = base.layers[index].entry.member.clone();
        let checksum = base.layers[index].checksum.clone();
        let member = match self.form {
            Form::Docker => as_read.clone(),
            Form::Oci(_) => {
                let size = base.check(index, &check)?;
                Member::file(&self.form.layer_name(&checksum.shown()), size, 0)
            }
        };
        let size = u64::try_from(member.size).unwrap_or_default();
        let listed = Listed { checksum, name: member.name.clone(), paths: vec![as_read.name], size };
        if self.form.has(layers, &listed) {
            return Ok(listed);
        }
        archive.begin(&member)?;
        let size = base.content(index, &mut |piece| {
            check()?;
            archive.out.write_all(piece).map_err(LayeredError::Write)
        })?;
        archive.finish(size)?;
        Ok(listed)
    }
}

/// The outer archive.
struct Members<'a, W: Write> {
    out: &'a mut BufWriter<W>,
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
