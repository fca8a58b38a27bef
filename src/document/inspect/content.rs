//! The JSON documents of an image, and how much of their text is told.

use schemars::JsonSchema;
use serde::Serialize;

use super::number::Number;
use crate::image::validate::DocumentFacts;
use crate::limits::Limits;
use crate::project::Inspection;
use crate::status::{ExitStatus, Failure, Status};

/// Characters of a document's content that are told without `--show-contents`.
const SHORT: usize = 600;

/// One JSON document of an image.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub struct ListedDocument {
    /// `index.json`, `manifest.json`, `index`, `manifest` or `config`.
    pub kind: String,
    /// The digest of its bytes.
    pub digest: String,
    /// Its media type by its descriptor; empty for the files at the top.
    pub media_type: String,
    /// Its bytes.
    pub size: Number,
    /// How many documents stand above it.
    pub depth: usize,
    /// The platform by its descriptor.
    pub platform: Option<String>,
    /// Its text, cut after 600 characters without `--show-contents`; null where a report would be too long.
    pub content: Option<String>,
    /// Whether the text was cut.
    pub content_cut: bool,
}

pub fn listed(facts: &DocumentFacts, (content, content_cut): (Option<String>, bool)) -> ListedDocument {
    ListedDocument {
        kind: facts.kind.to_owned(),
        digest: facts.digest.to_string(),
        media_type: facts.media_type.clone(),
        size: facts.size.into(),
        depth: facts.depth,
        platform: facts.platform.clone(),
        content,
        content_cut,
    }
}

/// A temporary file can't be read.
#[derive(Debug, thiserror::Error)]
#[error("cannot read a document again: {0}")]
struct Unreadable(#[from] std::io::Error);

impl ExitStatus for Unreadable {
    fn status(&self) -> Status {
        Status::Usage
    }
}

/// The texts of the documents that are told, and whether each was cut.
pub type Contents = Vec<(Option<String>, bool)>;

/// The texts of the documents that are told; with `whole`, none is cut short.
pub fn contents(
    Inspection { closure, archive, .. }: &Inspection,
    whole: bool,
    limits: &Limits,
) -> Result<Contents, Failure> {
    let mut left = limits.report_bytes;
    let mut contents = Vec::new();
    for facts in closure.documents.iter().take(limits.report_items as usize) {
        let bytes = archive.file(&facts.member).map(|file| archive.bytes(file)).transpose().map_err(Unreadable)?;
        let text = bytes.flatten().map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
        let Some(mut text) = text.filter(|_| left > 0) else {
            contents.push((None, true));
            continue;
        };
        let cut = if whole { None } else { text.char_indices().nth(SHORT) };
        if let Some((at, _)) = cut {
            text.truncate(at);
        }
        let rest = left.checked_sub(text.len() as u64);
        left = rest.unwrap_or(0);
        contents.push((rest.map(|_| text), cut.is_some() || rest.is_none()));
    }
    Ok(contents)
}
