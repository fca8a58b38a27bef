//! Pushing: the blobs that the repository has not, then the documents that name them.

use std::collections::BTreeMap;
use std::io::{self, Read};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use super::endpoint::{self, Endpoint};
use super::{Registry, RegistryError, header_digest};
use crate::digest::Digest;
use crate::http::{HttpError, Request, Response, Upload};
use crate::image::Artifact;
use crate::progress::Reporter;
use crate::reference::Reference;

/// Blobs that are on their way at the same time.
const WORKERS: usize = 4;
pub(super) const BLOB: &str = "application/octet-stream";

/// Opens a blob that is to be pushed, from its start.
pub type OpenBlob = Arc<dyn Fn(&Digest) -> io::Result<Box<dyn Read + Send>> + Send + Sync>;

/// What a push did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pushed {
    /// Blobs that the repository had not.
    pub blobs: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Whether the tag named other bytes, or nothing, before.
    pub is_new: bool,
    /// What the tag names, if it is not the artifact but its files as an image: the registry takes no artifacts.
    pub digest: Option<Digest>,
}

/// What is being pushed, and how far it is.
pub(super) struct Push<'a> {
    pub endpoint: Endpoint,
    repository: String,
    open: &'a OpenBlob,
    step: String,
    total: u64,
    done: Arc<AtomicU64>,
    /// Whether the registry took a blob in pieces that it did not take whole.
    in_pieces: AtomicBool,
}

impl Registry {
    /// Pushes an artifact under the reference's tag: every blob first, the document that the tag names last.
    ///
    /// What the repository has is not sent again. Nothing is sent to mirrors.
    pub fn push(&self, reference: &Reference, artifact: &Artifact, open: &OpenBlob) -> Result<Pushed, RegistryError> {
        let push = Push {
            endpoint: endpoint::for_pushing(&self.client, reference)?,
            repository: reference.name(),
            open,
            step: format!("push {reference}"),
            total: artifact.bytes(),
            done: Arc::default(),
            in_pieces: AtomicBool::new(false),
        };
        let result = self.push_artifact(&push, reference.tag().unwrap_or("latest"), artifact);
        self.progress().end(&push.step);
        result
    }

    fn push_artifact(&self, push: &Push<'_>, tag: &str, artifact: &Artifact) -> Result<Pushed, RegistryError> {
        let mut pushed = self.push_files(push, &artifact.files)?;
        let config: Arc<[u8]> = artifact.config.as_slice().into();
        let open: OpenBlob = Arc::new(move |_| Ok(Box::new(io::Cursor::new(Arc::clone(&config)))));
        self.push_blob(push, Digest::of(&artifact.config), artifact.config.len() as u64, &open)?;
        if let Err(error) = self.push_documents(push, tag, artifact, &mut pushed) {
            if !error.is_refused_form() {
                return Err(error);
            }
            let plain = artifact.as_an_image();
            self.progress().log(&format!("sent again as an image: {error}"));
            let config: Arc<[u8]> = plain.config.as_slice().into();
            let open: OpenBlob = Arc::new(move |_| Ok(Box::new(io::Cursor::new(Arc::clone(&config)))));
            self.push_blob(push, Digest::of(&plain.config), plain.config.len() as u64, &open)?;
            self.push_documents(push, tag, &plain, &mut pushed)?;
            pushed.digest = Some(plain.digest());
        }
        Ok(pushed)
    }

    /// Pushes the documents, the one that the tag names last.
    fn push_documents(
        &self,
        push: &Push<'_>,
        tag: &str,
        artifact: &Artifact,
        pushed: &mut Pushed,
    ) -> Result<(), RegistryError> {
        let (last, others) = artifact.documents.split_last().map_or((None, &[][..]), |(last, rest)| (Some(last), rest));
        for (kind, bytes) in others {
            self.push_document(push, &Digest::of(bytes).to_string(), kind, bytes)?;
        }
        if let Some((kind, bytes)) = last {
            pushed.is_new = self.push_document(push, tag, kind, bytes)?;
        }
        Ok(())
    }

    /// Pushes several files at a time; the first error ends all.
    fn push_files(&self, push: &Push<'_>, files: &BTreeMap<Digest, u64>) -> Result<Pushed, RegistryError> {
        let files: Vec<(Digest, u64)> = files.iter().map(|(digest, size)| (*digest, *size)).collect();
        let (next, failed) = (AtomicUsize::new(0), AtomicBool::new(false));
        let outcome = Mutex::new((Pushed::default(), None));
        let work = || {
            while let Some((digest, size)) = files.get(next.fetch_add(1, Ordering::Relaxed))
                && !failed.load(Ordering::Relaxed)
            {
                let result = self.push_blob(push, *digest, *size, push.open);
                let mut outcome = outcome.lock().unwrap_or_else(PoisonError::into_inner);
                match result {
                    Ok(false) => push.pass(*size, &*self.client.settings().progress),
                    Ok(true) => {
                        outcome.0.blobs += 1;
                        outcome.0.bytes += size;
                    }
                    Err(error) => {
                        failed.store(true, Ordering::Relaxed);
                        outcome.1.get_or_insert(error);
                    }
                }
            }
        };
        // The first question alone: it finds the login that the others then use.
        if let Some((digest, size)) = files.first() {
            self.has(push, *digest, *size)?;
        }
        thread::scope(|scope| {
            for _ in 0..WORKERS.min(files.len()) {
                scope.spawn(work);
            }
        });
        match outcome.into_inner().unwrap_or_else(PoisonError::into_inner) {
            (_, Some(error)) => Err(error),
            (pushed, None) => Ok(pushed),
        }
    }

    /// Sends a blob unless it is there; tells whether it was sent.
    fn push_blob(&self, push: &Push<'_>, digest: Digest, size: u64, open: &OpenBlob) -> Result<bool, RegistryError> {
        let object = object(digest);
        let mut attempt = 1;
        let mut asked_again = false;
        // Where pieces are no way either, this is what the registry minds.
        let mut refused_whole = None;
        let mut in_pieces = push.in_pieces.load(Ordering::Relaxed);
        loop {
            if self.has(push, digest, size)? {
                return Ok(attempt > 1);
            }
            let place = self.begin_upload(push, &object)?;
            let before = push.done.load(Ordering::Relaxed);
            let result = if in_pieces {
                match self.send_in_pieces(push, &place, (digest, size), open, &object) {
                    Ok(result) => result,
                    Err(error) => return Err(refused_whole.unwrap_or(error)),
                }
            } else {
                self.send_whole(push, &place, (digest, size), open)
            };
            match result {
                Ok(response) if matches!(response.status, 200 | 201 | 204) => {
                    check_digest(&response, digest, &object)?;
                    push.in_pieces.fetch_or(in_pieces, Ordering::Relaxed);
                    return Ok(true);
                }
                // The token ran out on the way.
                Ok(response) if response.status == 401 && !asked_again => asked_again = true,
                // Some take no blob whole, or none as large as this; those that do are asked the usual way.
                Ok(response) if !in_pieces && is_about_the_way(response.status) => {
                    in_pieces = true;
                    self.progress().log(&format!("{object}: status {}, sent again in pieces", response.status));
                    refused_whole = Some(push.refuse(Ok(response), object.clone()));
                }
                result => {
                    if !self.client.wait_after(attempt, &result, &place.url)? {
                        return Err(refused_whole.unwrap_or_else(|| push.refuse(result, object)));
                    }
                    attempt += 1;
                }
            }
            push.done.store(before, Ordering::Relaxed);
        }
    }

    /// Whether the repository has the blob.
    fn has(&self, push: &Push<'_>, digest: Digest, size: u64) -> Result<bool, RegistryError> {
        let object = object(digest);
        let url = push.endpoint.url("blobs", &digest.to_string())?;
        let response = self.ask(&push.endpoint, &Request::head(url)).map_err(|error| push.wrap(error, &object))?;
        match response.status {
            200 => match response.content_length() {
                Some(found) if found != size => {
                    Err(RegistryError::Size { object, url: response.url.shown(), found, expected: size })
                }
                _ => Ok(true),
            },
            404 | 405 | 410 | 501 => Ok(false),
            _ => Err(push.refuse(Ok(response), object)),
        }
    }

    /// Sends a document under `name`, a tag or its digest; tells whether that named something else before.
    fn push_document(
        &self,
        push: &Push<'_>,
        name: &str,
        kind: &'static str,
        bytes: &[u8],
    ) -> Result<bool, RegistryError> {
        let object = format!("manifest `{name}`");
        let digest = Digest::of(bytes);
        let head = |name: &str| -> Result<Response, RegistryError> {
            let url = push.endpoint.url("manifests", name)?;
            let request = Request::head(url).header("accept", kind);
            self.ask(&push.endpoint, &request).map_err(|error| push.wrap(error, &object))
        };
        let there = head(name)?;
        if there.status == 200 && header_digest(&there, &object)? == Some(digest) {
            return Ok(false);
        }
        let url = push.endpoint.url("manifests", name)?;
        let mut attempt = 1;
        let response = loop {
            let request = Request::put(url.clone(), Upload::of_bytes(bytes, kind));
            let result = match self.ask(&push.endpoint, &request) {
                Ok(response) => Ok(response),
                Err(RegistryError::Http(error)) => Err(error),
                Err(error) => return Err(push.wrap(error, &object)),
            };
            match result {
                Ok(response) if matches!(response.status, 200..=204) => break response,
                result => {
                    if !self.client.wait_after(attempt, &result, &url)? {
                        return Err(push.refuse(result, object));
                    }
                    attempt += 1;
                }
            }
        };
        check_digest(&response, digest, &object)?;
        if response.header("docker-content-digest").is_none() && head(&digest.to_string())?.status != 200 {
            let reason = format!("it was taken, but is not there as {digest}");
            return Err(RegistryError::Nonsense { object, url: response.url.shown(), reason });
        }
        Ok(true)
    }
}

fn object(digest: Digest) -> String {
    format!("blob {digest}")
}

/// Whether a refusal may be about how a blob was sent, and not about the blob or who sends it.
fn is_about_the_way(status: u16) -> bool {
    matches!(status, 400 | 404 | 405 | 411 | 413 | 415 | 416 | 501)
}

/// What was taken must be what was sent.
fn check_digest(response: &Response, expected: Digest, object: &str) -> Result<(), RegistryError> {
    match header_digest(response, object)? {
        Some(computed) if computed != expected => {
            Err(RegistryError::Digest { object: object.to_owned(), url: response.url.shown(), computed, expected })
        }
        _ => Ok(()),
    }
}

impl Push<'_> {
    /// The body of a blob, which tells its progress.
    pub fn upload(&self, digest: Digest, size: u64, open: &OpenBlob, progress: &Reporter) -> Upload {
        let (open, progress, done) = (Arc::clone(open), Arc::clone(progress), Arc::clone(&self.done));
        let (step, total) = (self.step.clone(), self.total);
        Upload::new(size, BLOB, move || {
            let (progress, done) = (Arc::clone(&progress), Arc::clone(&done));
            Ok(Box::new(Counted { reader: open(&digest)?, progress, done, step: step.clone(), total }))
        })
    }

    /// Counts what need not be sent.
    pub fn pass(&self, size: u64, progress: &dyn crate::progress::Progress) {
        let done = self.done.fetch_add(size, Ordering::Relaxed) + size;
        progress.step(&self.step, done.min(self.total), Some(self.total));
    }

    /// The error of a response that is none of those that were hoped for, or of none at all.
    pub fn refuse(&self, result: Result<Response, HttpError>, object: String) -> RegistryError {
        let error = result.map_or_else(|error| error, Response::into_error);
        self.wrap(error.into(), &object)
    }

    /// Says of an error what it kept from being done.
    pub fn wrap(&self, error: RegistryError, object: &str) -> RegistryError {
        match error {
            RegistryError::Http(error) => RegistryError::NotTaken {
                object: object.to_owned(),
                repository: self.repository.clone(),
                host: self.endpoint.host(),
                is_redirected: self.endpoint.is_mirror,
                error: Box::new(error),
            },
            other => other,
        }
    }
}

/// A body that tells how much of it was read.
struct Counted {
    reader: Box<dyn Read + Send>,
    progress: Reporter,
    done: Arc<AtomicU64>,
    step: String,
    total: u64,
}

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.reader.read(buffer)?;
        let done = self.done.fetch_add(count as u64, Ordering::Relaxed) + count as u64;
        self.progress.step(&self.step, done.min(self.total), Some(self.total));
        Ok(count)
    }
}
