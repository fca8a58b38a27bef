//! Artifacts, which some registries take as images only.

use std::io;
use std::sync::Arc;

use super::{OpenBlob, Push, ShippedDocument};
use crate::digest::Digest;
use crate::image::Artifact;
use crate::reference::Reference;
use crate::registry::{Registry, RegistryError};

/// What to do with a tape that no registry takes.
const ADVICE: &str = "`repro tape save PATH` writes it as a layout, for another program to copy or for `--tape PATH`; another repository may take it, too";

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

impl Registry {
    /// Pushes an artifact under the reference's tag: every blob first, the document that the tag names last.
    ///
    /// What the repository has is not sent again. Nothing is sent to mirrors.
    pub fn push(&self, reference: &Reference, artifact: &Artifact, open: &OpenBlob) -> Result<Pushed, RegistryError> {
        let push = self.begin_push(reference, open, None, Some(ADVICE))?;
        let tag = reference.tag().unwrap_or("latest");
        let shipped = self.push_blobs(&push, &artifact.files)?;
        let mut pushed = Pushed { blobs: shipped.sent, bytes: shipped.sent_bytes, ..Pushed::default() };
        match self.push_documents(&push, tag, artifact) {
            Ok(is_new) => pushed.is_new = is_new,
            Err(error) if error.is_refused_form() => {
                let plain = artifact.as_an_image();
                self.progress().log(&format!("sent again as an image: {error}"));
                pushed.is_new = self.push_documents(&push, tag, &plain)?;
                pushed.digest = Some(plain.digest());
            }
            Err(error) => return Err(error),
        }
        Ok(pushed)
    }

    /// Pushes the config, then the documents, the one that the tag names last; tells whether that is new.
    fn push_documents(&self, push: &Push<'_>, tag: &str, artifact: &Artifact) -> Result<bool, RegistryError> {
        let config: Arc<[u8]> = artifact.config.as_slice().into();
        let (digest, size) = (Digest::of(&config), config.len() as u64);
        let open: OpenBlob = Arc::new(move |_| Ok(Box::new(io::Cursor::new(Arc::clone(&config)))));
        self.push_blob(push, (digest, size), &open)?;
        let mut is_new = false;
        for (number, (kind, bytes)) in artifact.documents.iter().enumerate() {
            let is_top = number + 1 == artifact.documents.len();
            let name = if is_top { tag.to_owned() } else { Digest::of(bytes).to_string() };
            let document = ShippedDocument { media_type: (*kind).to_owned(), bytes: bytes.clone() };
            is_new = self.push_document(push, &name, &document)?;
        }
        Ok(is_new)
    }
}
