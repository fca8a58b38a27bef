//! A layer of an image, and the entries in it.

use schemars::JsonSchema;
use serde::Serialize;

use super::number::Number;
use crate::image::validate::LayerFacts;

/// One layer.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub struct InspectedLayer {
    /// Digest of the stored bytes.
    pub digest: Option<String>,
    /// Its diff ID, by the config.
    pub diff_id: Option<String>,
    /// Its media type; empty in docker archives.
    pub media_type: String,
    /// `uncompressed`, `gzip` or `zstd`; null if it was not read.
    pub compression: Option<String>,
    /// Stored bytes.
    pub size: Number,
    /// Uncompressed bytes; null if it was not read.
    pub uncompressed_size: Option<Number>,
    /// How many entries it has; null if it was not read.
    pub entries: Option<u64>,
    /// The newest modification time of an entry, seconds since 1970.
    pub newest_mtime: Option<Number>,
    /// Its entries, in their order (`--layers`); a layer that images share is listed once.
    pub listing: Option<Vec<EntryDocument>>,
    /// How many entries the listing leaves out, to keep the report within `report-bytes`.
    pub listing_left_out: u64,
}

/// One entry of a layer.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub struct EntryDocument {
    /// Its name; what is not UTF-8 is replaced.
    pub path: String,
    /// The name in base64, where it is not UTF-8.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path_base64: Option<String>,
    /// `file`, `directory`, `symlink`, `hardlink`, `character-device`, `block-device`, `fifo` or `whiteout`.
    pub kind: String,
    /// Permissions in octal.
    pub mode: String,
    /// Owner.
    pub uid: Number,
    /// Group.
    pub gid: Number,
    /// Bytes of content, holes included.
    pub size: Number,
    /// Modification time, seconds since 1970.
    pub mtime: Number,
    /// Where a link leads.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// The target in base64, where it is not UTF-8.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target_base64: Option<String>,
    /// Major and minor number of a device.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub device: Option<[u32; 2]>,
    /// Names of extended attributes.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub xattrs: Vec<String>,
}

/// The entries of one layer that are told.
#[derive(Clone, Debug)]
pub struct Listed {
    /// Those that are.
    pub entries: Vec<EntryDocument>,
    /// How many are not.
    pub left_out: u64,
}

pub fn layer(facts: &LayerFacts, listed: Option<Listed>) -> InspectedLayer {
    let (listing, listing_left_out) = match listed {
        Some(listed) => (Some(listed.entries), listed.left_out),
        None => (None, 0),
    };
    InspectedLayer {
        digest: facts.digest.map(|digest| digest.to_string()),
        diff_id: facts.diff_id.map(|digest| digest.to_string()),
        media_type: facts.media_type.clone(),
        compression: facts.compression.map(str::to_owned),
        size: facts.size.into(),
        uncompressed_size: facts.uncompressed_size.map(Number::from),
        entries: facts.entries,
        newest_mtime: facts.newest_mtime.map(Number::from),
        listing,
        listing_left_out,
    }
}
