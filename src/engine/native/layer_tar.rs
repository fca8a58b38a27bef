//! A layer's tar, made from its entries whenever it is wanted.

use std::fmt;
use std::io::{self, Read, Write};

use super::diff::LayerEntry;
use crate::build::Produce;
use crate::layer::tar;

/// The entries of one new layer.
pub(super) struct LayerTar {
    pub(super) entries: Vec<LayerEntry>,
}

impl LayerTar {
    /// Bytes of the tar, without the headers of long names and attributes.
    pub(super) fn size(&self) -> u64 {
        let blocks = |entry: &LayerEntry| 1 + entry.content.as_ref().map_or(0, |content| content.size.div_ceil(512));
        self.entries.iter().map(blocks).fold(2, u64::saturating_add).saturating_mul(512)
    }
}

impl fmt::Debug for LayerTar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LayerTar").field("entries", &self.entries.len()).finish()
    }
}

impl Produce for LayerTar {
    fn write_to(&self, out: &mut dyn Write) -> io::Result<()> {
        let mut writer = tar::Writer::new(out);
        for LayerEntry { entry, content } in &self.entries {
            match content {
                Some(content) => {
                    let in_file = |error: io::Error| {
                        io::Error::new(error.kind(), format!("{}: {error}", crate::escape::name(&entry.path)))
                    };
                    let reader: Box<dyn Read> = content.open().map_err(in_file)?;
                    writer.append(entry, reader).map_err(in_file)?;
                }
                None => writer.append_empty(entry)?,
            }
        }
        writer.finish().map(|_| ())
    }
}
