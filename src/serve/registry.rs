//! The registry: requests and what they get.

use std::io::{self, Read, Write};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::json;

use super::answer::{Header, Refusal, with_type};
use super::holding::Holding;
use super::manifest::Known;
use super::names::{self, Named};
use super::route::{Query, Route, is_tag};
use super::upload::Uploads;
use crate::digest::Digest;
use crate::http::server::{Body, Head, Reply, Respond};
use crate::image::Index;
use crate::image::media_type::OCI_INDEX;
use crate::limits::Limits;
use crate::store::{Replacement, replace_file};

/// A client that does not go on for so long is cut off.
const PATIENCE: Duration = Duration::from_secs(60);
/// Tags on one page.
const PAGE: usize = 1000;
/// A body that nobody wants is read to its end up to this size: whoever sends it hears the answer then.
const UNWANTED: u64 = 1 << 20;

/// A registry over what is held.
pub struct Registry {
    held: Mutex<Holding>,
    uploads: Uploads,
    limits: Limits,
}

/// What a request gets that is no refusal.
enum Answer {
    /// A status with headers and nothing else.
    Status(u16, Vec<Header>),
    /// A document made for it.
    Document(Vec<Header>, Vec<u8>),
    /// Something that is held, of so many bytes.
    Held(Vec<Header>, Digest, u64),
}

type Answered = Result<Answer, Refusal>;

impl Registry {
    /// A registry over `holding`.
    pub fn new(holding: Holding, limits: Limits) -> Self {
        Self { held: Mutex::new(holding), uploads: Uploads::default(), limits }
    }

    /// Everything that has a name.
    pub fn named(&self) -> Vec<Named> {
        names::all(&self.held().repositories)
    }

    fn held(&self) -> MutexGuard<'_, Holding> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn answer(&self, head: &Head, body: &mut Body<'_>) -> Answered {
        let (route, query) = Route::of(&head.target);
        let method = head.method.as_str();
        if !matches!(method, "GET" | "HEAD") && self.held().directory.is_none() {
            return Err(Refusal::ReadOnly);
        }
        match (method, route) {
            ("GET" | "HEAD", Route::Root) => Ok(Answer::Document(with_type("application/json"), b"{}".to_vec())),
            ("GET" | "HEAD", Route::Catalog) => {
                let repositories: Vec<String> = self.held().repositories.keys().cloned().collect();
                Ok(json_document(json!({ "repositories": repositories })))
            }
            ("GET" | "HEAD", Route::Manifest(name, reference)) => self.manifest(&name, &reference),
            ("GET" | "HEAD", Route::Blob(name, digest)) => self.blob(&name, &digest),
            ("GET" | "HEAD", Route::Tags(name)) => self.tags(&name, &query),
            ("GET" | "HEAD", Route::Referrers(_, digest)) => self.referrers(&digest, &query),
            ("GET" | "HEAD", Route::Upload(name, upload)) => self.progress(&name, &upload, 204),
            ("POST", Route::Uploads(name)) => self.begin(&name, &query, body),
            ("PATCH", Route::Upload(name, upload)) => self.go_on(&name, &upload, head, body),
            ("PUT", Route::Upload(name, upload)) => self.finish(&name, &upload, &query, head, body),
            ("DELETE", Route::Upload(_, upload)) => match self.uploads.end(&upload) {
                Some(_) => Ok(Answer::Status(204, Vec::new())),
                None => Err(Refusal::BlobUploadUnknown),
            },
            ("PUT", Route::Manifest(name, reference)) => self.put_manifest(&name, &reference, head, body),
            (_, Route::Unknown) => Err(Refusal::NameUnknown),
            _ => Err(Refusal::Unsupported),
        }
    }

    fn manifest(&self, name: &str, reference: &str) -> Answered {
        let held = self.held();
        let repository = held.repositories.get(name).ok_or(Refusal::NameUnknown)?;
        let digest = match reference.parse::<Digest>() {
            Ok(digest) => Some(digest).filter(|digest| repository.documents.contains(digest)),
            Err(_) => repository.tags.get(reference).copied(),
        };
        let (digest, known) =
            digest.and_then(|digest| Some((digest, held.documents.get(&digest)?))).ok_or(Refusal::ManifestUnknown)?;
        Ok(Answer::Held(of_digest(&known.media_type, digest), digest, known.size))
    }

    fn blob(&self, name: &str, digest: &str) -> Answered {
        let digest: Digest = digest.parse().map_err(|_| Refusal::DigestInvalid)?;
        let held = self.held();
        if !held.repositories.contains_key(name) && held.directory.is_none() {
            return Err(Refusal::NameUnknown);
        }
        let size = held.size(&digest).ok_or(Refusal::BlobUnknown)?;
        Ok(Answer::Held(of_digest("application/octet-stream", digest), digest, size))
    }

    fn tags(&self, name: &str, query: &Query) -> Answered {
        let held = self.held();
        let repository = held.repositories.get(name).ok_or(Refusal::NameUnknown)?;
        let most = query.get("n").and_then(|n| n.parse().ok()).unwrap_or(PAGE).min(PAGE);
        let last = query.get("last").unwrap_or_default();
        let mut tags: Vec<&String> = repository.tags.keys().filter(|tag| tag.as_str() > last).take(most + 1).collect();
        let is_more = tags.len() > most;
        tags.truncate(most);
        let Answer::Document(mut headers, bytes) = json_document(json!({"name": name, "tags": tags})) else {
            return Err(Refusal::Broken);
        };
        if let Some(last) = tags.last().filter(|_| is_more) {
            headers.push(("Link", format!("</v2/{name}/tags/list?n={most}&last={last}>; rel=\"next\"")));
        }
        Ok(Answer::Document(headers, bytes))
    }

    fn referrers(&self, subject: &str, query: &Query) -> Answered {
        let subject: Digest = subject.parse().map_err(|_| Refusal::DigestInvalid)?;
        let held = self.held();
        let about = held.documents.iter().filter(|(_, known)| known.subject == Some(subject));
        let mut manifests: Vec<_> = about.map(|(digest, known)| known.as_referrer(*digest)).collect();
        let mut headers = with_type(OCI_INDEX);
        if let Some(wanted) = query.get("artifactType") {
            manifests.retain(|descriptor| descriptor.artifact_type.as_deref() == Some(wanted));
            headers.push(("OCI-Filters-Applied", "artifactType".to_owned()));
        }
        let index = Index { media_type: Some(OCI_INDEX.to_owned()), manifests, annotations: Default::default() };
        Ok(Answer::Document(headers, index.to_compact_bytes()))
    }

    fn begin(&self, name: &str, query: &Query, body: &mut Body<'_>) -> Answered {
        if let Some(digest) = query.get("mount").and_then(|digest| digest.parse::<Digest>().ok())
            && self.held().size(&digest).is_some()
        {
            return Ok(stored(name, "blobs", digest));
        }
        let directory = self.held().directory.clone().ok_or(Refusal::ReadOnly)?;
        let (upload, shared) = self.uploads.begin(&directory)?;
        let Some(digest) = query.get("digest") else { return self.progress(name, &upload, 202) };
        let digest = digest.parse::<Digest>().map_err(|_| Refusal::DigestInvalid);
        let taken = digest.and_then(|digest| {
            shared.lock().unwrap_or_else(PoisonError::into_inner).take(body, self.limits.blob)?;
            self.keep(name, &upload, digest)
        });
        self.uploads.end(&upload);
        taken
    }

    fn progress(&self, name: &str, upload: &str, status: u16) -> Answered {
        let shared = self.uploads.get(upload).ok_or(Refusal::BlobUploadUnknown)?;
        let length = shared.lock().unwrap_or_else(PoisonError::into_inner).length();
        Ok(Answer::Status(status, of_upload(name, upload, length)))
    }

    fn go_on(&self, name: &str, upload: &str, head: &Head, body: &mut Body<'_>) -> Answered {
        self.take(upload, head, body)?;
        self.progress(name, upload, 202)
    }

    fn take(&self, upload: &str, head: &Head, body: &mut Body<'_>) -> Result<(), Refusal> {
        let shared = self.uploads.get(upload).ok_or(Refusal::BlobUploadUnknown)?;
        let mut upload = shared.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(range) = head.header("content-range") {
            let first = range.trim().trim_start_matches("bytes ").split('-').next().and_then(|n| n.parse().ok());
            if first != Some(upload.length()) {
                return Err(Refusal::BlobUploadInvalid);
            }
        }
        upload.take(body, self.limits.blob)
    }

    fn finish(&self, name: &str, upload: &str, query: &Query, head: &Head, body: &mut Body<'_>) -> Answered {
        let digest = query.get("digest").and_then(|digest| digest.parse().ok()).ok_or(Refusal::DigestInvalid)?;
        self.take(upload, head, body)?;
        let kept = self.keep(name, upload, digest);
        self.uploads.end(upload);
        kept
    }

    fn keep(&self, name: &str, upload: &str, digest: Digest) -> Answered {
        let shared = self.uploads.get(upload).ok_or(Refusal::BlobUploadUnknown)?;
        let place = self.held().path(&digest).ok_or(Refusal::ReadOnly)?;
        shared.lock().unwrap_or_else(PoisonError::into_inner).keep(digest, &place)?;
        Ok(stored(name, "blobs", digest))
    }

    fn put_manifest(&self, name: &str, reference: &str, head: &Head, body: &mut Body<'_>) -> Answered {
        let mut bytes = Vec::new();
        let read = body.take(self.limits.json_bytes + 1).read_to_end(&mut bytes);
        read.map_err(|_| Refusal::SizeInvalid)?;
        if bytes.len() as u64 > self.limits.json_bytes {
            return Err(Refusal::TooLarge);
        }
        let digest = Digest::of(&bytes);
        let tag = match reference.contains(':') {
            true if reference.parse() == Ok(digest) => None,
            true => return Err(Refusal::DigestInvalid),
            false if is_tag(reference) => Some(reference.to_owned()),
            false => return Err(Refusal::NameInvalid),
        };
        let media_type = head.header("content-type").unwrap_or_default().split(';').next().unwrap_or_default().trim();
        let known = Known::read(&bytes, media_type, &self.limits).ok_or(Refusal::ManifestInvalid)?;
        let mut held = self.held();
        let has_blob = |blob: &crate::image::Descriptor| held.size(&blob.digest) == Some(blob.size);
        let has_document = |one: &crate::image::Descriptor| held.documents.contains_key(&one.digest);
        if !known.blobs.iter().all(has_blob) || !known.documents.iter().all(has_document) {
            return Err(Refusal::ManifestBlobUnknown);
        }
        let path = held.path(&digest).ok_or(Refusal::ReadOnly)?;
        write_document(&path, &bytes).map_err(|_| Refusal::Broken)?;
        let subject = known.subject;
        held.documents.insert(digest, known);
        let repository = held.repositories.entry(name.to_owned()).or_default();
        repository.documents.insert(digest);
        if let Some(tag) = tag {
            repository.tags.insert(tag, digest);
        }
        write_index(&held).map_err(|_| Refusal::Broken)?;
        let Answer::Status(status, mut headers) = stored(name, "manifests", digest) else {
            return Err(Refusal::Broken);
        };
        headers.extend(subject.map(|subject| ("OCI-Subject", subject.to_string())));
        Ok(Answer::Status(status, headers))
    }
}

impl Respond for Registry {
    fn respond(&self, head: &Head, reply: Reply<'_>) -> io::Result<()> {
        let _ = head;
        Refusal::Unsupported.send(reply, &[])
    }

    fn respond_to(&self, head: &Head, body: &mut Body<'_>, reply: Reply<'_>) -> io::Result<()> {
        let answer = self.answer(head, body);
        if !body.is_done() {
            // What is left then ends the connection.
            let _ = body.skip(UNWANTED);
        }
        match answer {
            Ok(Answer::Status(status, headers)) => reply.bytes(status, &headers, b""),
            Ok(Answer::Document(headers, bytes)) => reply.bytes(200, &headers, &bytes),
            Ok(Answer::Held(headers, digest, size)) => {
                reply.part(200, headers, size, |first| self.held().open_at(&digest, first).map(Some))
            }
            Err(refusal) => {
                let (Route::Upload(name, upload), _) = Route::of(&head.target) else {
                    return refusal.send(reply, &[]);
                };
                // How far an upload is helps whoever goes on with it.
                match self.progress(&name, &upload, 204) {
                    Ok(Answer::Status(_, headers)) => refusal.send(reply, &headers),
                    _ => refusal.send(reply, &[]),
                }
            }
        }
    }

    fn patience(&self) -> Duration {
        PATIENCE
    }
}

fn json_document(value: serde_json::Value) -> Answer {
    Answer::Document(with_type("application/json"), value.to_string().into_bytes())
}

fn of_digest(media_type: &str, digest: Digest) -> Vec<Header> {
    let mut headers = with_type(media_type);
    headers.push(("Docker-Content-Digest", digest.to_string()));
    headers.push(("ETag", format!("\"{digest}\"")));
    headers
}

fn of_upload(name: &str, upload: &str, length: u64) -> Vec<Header> {
    vec![
        ("Location", format!("/v2/{name}/blobs/uploads/{upload}")),
        ("Range", format!("0-{}", length.saturating_sub(1))),
        ("Docker-Upload-UUID", upload.to_owned()),
    ]
}

fn stored(name: &str, kind: &str, digest: Digest) -> Answer {
    let headers =
        vec![("Location", format!("/v2/{name}/{kind}/{digest}")), ("Docker-Content-Digest", digest.to_string())];
    Answer::Status(201, headers)
}

fn write_document(path: &std::path::Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = Replacement::start(path).map_err(io::Error::other)?;
    file.write_all(bytes)?;
    file.finish_unsynced().map_err(io::Error::other)
}

/// Writes `index.json` anew: whole, or not at all.
fn write_index(held: &Holding) -> io::Result<()> {
    let Some(directory) = &held.directory else { return Ok(()) };
    let below: std::collections::BTreeSet<Digest> =
        held.documents.values().flat_map(|known| known.documents.iter().map(|child| child.digest)).collect();
    let describe = |digest: &Digest| held.documents.get(digest).map(|known| known.descriptor(*digest));
    let bytes = names::write(&held.repositories, describe, |digest| below.contains(digest));
    replace_file(&directory.join("index.json"), &bytes).map(drop).map_err(io::Error::other)
}
