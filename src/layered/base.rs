//! The image that a layered one starts from: a docker archive's first image.

use std::io::Read;

use super::archive::{Archive, ArchiveError, Entry};
use super::error::LayeredError;
use super::json::{self, Json};
use super::root::Root;
use super::text::Text;
use crate::digest::Hasher;
use crate::limits::Limits;

/// A base image.
pub struct Base {
    archive: Archive,
    shown: String,
    /// Its layers, in order.
    pub layers: Vec<BaseLayer>,
    /// The config's `config`.
    pub config: Json,
}

/// A layer of a base image.
pub struct BaseLayer {
    /// The diff ID without `sha256:`, as the base's config says.
    pub checksum: Text,
    /// The member.
    pub entry: Entry,
}

impl Base {
    /// Reads the documents and finds the layers.
    ///
    /// # Errors
    /// An archive that can't be read or is malformed, documents that don't say what is needed, layers that are not there.
    pub fn open(root: &Root, path: &Text, limits: &Limits) -> Result<Self, LayeredError> {
        let shown = path.shown();
        let wrong = |what: &str| LayeredError::Base { path: shown.clone(), what: what.to_owned() };
        let name = path.file_name().ok_or_else(|| wrong("that is no path"))?;
        let place = root.file(&name).map_err(LayeredError::read("find", name.as_encoded_bytes()))?;
        let named = |error| named(&shown, error);
        let mut archive = Archive::open(&place, limits).map_err(named)?;
        let mut document = |name: &Text| {
            let content = archive.document(name, limits).map_err(named)?;
            json::read(content.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&content))
                .map_err(|error| wrong(&format!("`{}` is {error}", name.shown())))
        };
        let manifest = document(&"manifest.json".into())?;
        let image = manifest.first().ok_or_else(|| wrong("`manifest.json` names no image"))?;
        let config_name = image.get("Config").and_then(Json::as_text);
        let config = document(config_name.ok_or_else(|| wrong("`manifest.json` names no config"))?)?;
        let layers = image.get("Layers").and_then(Json::texts);
        let layers = layers.ok_or_else(|| wrong("`manifest.json` lists no layers"))?;
        let checksums = config.get("rootfs").and_then(|rootfs| rootfs.get("diff_ids")).and_then(Json::texts);
        let checksums = checksums.ok_or_else(|| wrong("its config lists no diff IDs"))?;
        let config = match config.get("config") {
            Some(config @ Json::Object(_)) => config.clone(),
            _ => return Err(wrong("its config has no `config`")),
        };
        let layer = |(name, checksum): (&Text, &Text)| {
            let entry = archive.find(name).ok_or_else(|| wrong(&format!("no layer `{}` in it", name.shown())))?;
            if !(entry.is_plain() || entry.is_link() && archive.has_target(&entry)) {
                return Err(wrong(&format!("layer `{}` is neither a file nor a link to one", name.shown())));
            }
            let scheme = Text::from("sha256:");
            let points = checksum.code_points();
            let checksum = points.strip_prefix(scheme.code_points()).unwrap_or(points);
            Ok(BaseLayer { checksum: Text::from_code_points(checksum.to_vec()), entry })
        };
        let layers = layers.iter().zip(&checksums).map(layer).collect::<Result<_, _>>()?;
        Ok(Self { archive, shown, layers, config })
    }

    /// Reads a layer to see that it is the one that its diff ID names, and gives its size.
    ///
    /// # Errors
    /// Those of [`Base::content`]; a link, which has no content of its own, and another diff ID.
    pub fn check(&mut self, index: usize, check: &dyn Fn() -> Result<(), LayeredError>) -> Result<u64, LayeredError> {
        let BaseLayer { checksum, entry } = &self.layers[index];
        let (path, name, expected) = (self.shown.clone(), entry.member.name.shown(), checksum.shown());
        if entry.is_link() {
            let what = format!("layer `{name}` is a link, whose content an OCI archive would need");
            return Err(LayeredError::Base { path, what });
        }
        let mut sum = Hasher::default();
        let size = self.content(index, &mut |piece| {
            sum.update(piece);
            check()
        })?;
        let found = sum.digest().hex();
        if found != expected {
            let what = format!("layer `{name}` has the diff ID {found}, its config says {expected}");
            return Err(LayeredError::Base { path, what });
        }
        Ok(size)
    }

    /// Shows the content of a layer in pieces, and gives its size; a link has none.
    ///
    /// # Errors
    /// An archive that has changed since it was opened; those of `see`.
    pub fn content(
        &mut self,
        index: usize,
        see: &mut dyn FnMut(&[u8]) -> Result<(), LayeredError>,
    ) -> Result<u64, LayeredError> {
        let entry = &self.layers[index].entry;
        if entry.is_link() {
            return Ok(0);
        }
        let size = u64::try_from(entry.member.size).unwrap_or_default();
        let shown = &self.shown;
        let mut content = self.archive.content(entry).map_err(|error| named(shown, error))?;
        let mut buffer = vec![0; 1 << 18];
        let mut rest = size;
        while rest > 0 {
            let count = content.read(&mut buffer).map_err(|error| named(shown, error.into()))?;
            if count == 0 {
                return Err(LayeredError::Base { path: shown.clone(), what: "it ends in the middle".to_owned() });
            }
            see(&buffer[..count])?;
            rest -= count as u64;
        }
        Ok(size)
    }
}

fn named(path: &str, error: ArchiveError) -> LayeredError {
    let path = path.to_owned();
    match error {
        ArchiveError::Limit(error) => error.into(),
        // What a decoder finds wrong has no number of the system.
        ArchiveError::Read(error) if error.raw_os_error().is_some() => LayeredError::Read { what: "read", path, error },
        error => LayeredError::Base { path, what: error.to_string() },
    }
}
