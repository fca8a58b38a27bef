//! Where the bodies of a tape come from: the store, saved tapes, the registry, and last the place where they were found.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use crate::digest::Digest;
use crate::http::{HttpError, Request, Url};
use crate::reference::Reference;
use crate::resolve::Resolver;
use crate::store::{BlobWriter, Cache};

/// Places that may have a body, asked in this order; any bytes with the right digest will do.
#[derive(Clone)]
pub struct Bodies {
    /// The store, and the client for everything else.
    pub resolver: Arc<Resolver>,
    /// Folders of saved tapes, as OCI layouts.
    pub saved: Vec<PathBuf>,
    /// Repositories that tapes were pushed to.
    pub registries: Vec<Reference>,
    /// What was found right in this run.
    pub(super) checked: Arc<Mutex<BTreeSet<Digest>>>,
}

impl Bodies {
    /// Bodies from the store of `resolver`, then from saved tapes and registries, then from where they were found.
    pub fn new(resolver: Arc<Resolver>, saved: Vec<PathBuf>, registries: Vec<Reference>) -> Self {
        Self { resolver, saved, registries, checked: Arc::default() }
    }

    /// The store.
    pub fn cache(&self) -> &Cache {
        &self.resolver.cache
    }

    /// The file of a body in the store, checked once a run; none if the store has no such bytes.
    pub fn stored(&self, digest: Digest) -> Option<PathBuf> {
        let known = self.checked.lock().unwrap_or_else(PoisonError::into_inner).contains(&digest);
        if !known {
            self.cache().check(&digest).ok().filter(|good| *good)?;
            self.checked.lock().unwrap_or_else(PoisonError::into_inner).insert(digest);
        }
        self.cache().path(&digest)
    }

    /// The file of a body, fetched into the store from wherever it is to be had; the error tells where it was looked for.
    pub fn find(&self, digest: Digest, size: u64, url: &Url, accept: Option<&str>) -> Result<PathBuf, String> {
        if let Some(path) = self.stored(digest) {
            return Ok(path);
        }
        let mut reasons = Vec::new();
        for folder in &self.saved {
            match self.take_saved(folder, digest, size) {
                Ok(true) => return self.stored(digest).ok_or_else(|| "it vanished from the store".to_owned()),
                Ok(false) => {
                    reasons.push(format!("not in `{}`", crate::escape::bytes(folder.as_os_str().as_encoded_bytes())))
                }
                Err(error) => reasons.push(error.to_string()),
            }
        }
        if !self.resolver.client().settings().offline {
            for reference in &self.registries {
                match self.resolver.fetch_blob(&reference.to_string(), digest, Some(size)) {
                    Ok(_) => return self.stored(digest).ok_or_else(|| "it vanished from the store".to_owned()),
                    Err(error) => reasons.push(error.to_string()),
                }
            }
            match self.take_original(digest, size, url, accept) {
                Ok(()) => return self.stored(digest).ok_or_else(|| "it vanished from the store".to_owned()),
                Err(reason) => reasons.push(reason),
            }
        }
        Err(if reasons.is_empty() { "not in the store".to_owned() } else { reasons.join("; ") })
    }

    /// Copies a body out of a saved tape, checked.
    fn take_saved(&self, folder: &std::path::Path, digest: Digest, size: u64) -> io::Result<bool> {
        let path = folder.join("blobs").join("sha256").join(digest.hex());
        match std::fs::symlink_metadata(&path) {
            Ok(metadata) if metadata.is_file() && metadata.len() == size => {}
            _ => return Ok(false),
        }
        let mut writer = self.cache().writer().map_err(io::Error::other)?;
        io::copy(&mut File::open(&path)?.take(size + 1), &mut writer)?;
        writer.commit(Some(&digest)).map_err(io::Error::other)?;
        Ok(true)
    }

    /// Asks the original place, whose bytes must still be the locked ones.
    fn take_original(&self, digest: Digest, size: u64, url: &Url, accept: Option<&str>) -> Result<(), String> {
        let client = self.resolver.client();
        let asked = match client.settings().config.mirror_of(&url.to_string()) {
            Some(mirror) => Url::parse(&mirror).map_err(|error| error.to_string())?,
            None => url.clone(),
        };
        let mut request = Request::get(asked).of_a_build();
        if let Some(accept) = accept {
            request = request.header("accept", accept);
        }
        let answer = client.send(&request).map_err(|error| error.to_string())?;
        if answer.content_length().is_some_and(|length| length != size) {
            return Err(format!("`{}` has changed: other size", url.shown()));
        }
        let writer = self.cache().writer().map_err(|error| error.to_string())?;
        let writer = copy(answer.into_body().take(size + 1), writer)?;
        writer.commit(Some(&digest)).map_err(|_| format!("`{}` has changed", url.shown()))?;
        Ok(())
    }
}

fn copy(mut from: impl Read, mut to: BlobWriter) -> Result<BlobWriter, String> {
    let mut piece = vec![0; 128 << 10];
    loop {
        let count = from.read(&mut piece).map_err(|error| HttpError::unwrap(error).to_string())?;
        if count == 0 {
            return Ok(to);
        }
        to.write_all(&piece[..count]).map_err(|error| error.to_string())?;
    }
}
