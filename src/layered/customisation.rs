//! The last layer, which `dockerTools` has made before: a directory with `layer.tar` and its sha256 in `checksum`.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{Read, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::error::LayeredError;
use super::member::{Member, Owner};
use super::names;
use super::root::Root;
use super::text::Text;
use crate::digest::Hasher;

/// Bytes of a `checksum` that are looked at; 64 are right.
const CHECKSUM: u64 = 4096;

/// A customisation layer whose bytes have the checksum that it says.
pub struct Customisation {
    /// The sha256 in hex digits.
    pub checksum: String,
    /// Its member of the archive.
    pub member: Member,
    /// Bytes of content.
    pub size: u64,
    shown: String,
    place: PathBuf,
}

impl Customisation {
    /// Reads the layer once and checks it.
    ///
    /// # Errors
    /// Files that can't be read, a checksum that is none or wrong, a layer that is no regular file.
    pub fn open(
        root: &Root,
        directory: &Text,
        mtime: i128,
        check: &dyn Fn() -> Result<(), LayeredError>,
    ) -> Result<Self, LayeredError> {
        let shown = directory.shown();
        let path = |name: &str| {
            let mut path = directory.file_name().unwrap_or_default();
            path.push(if path.is_empty() || path.as_encoded_bytes().ends_with(b"/") { "" } else { "/" });
            path.push(name);
            path
        };
        let read = |what, path: &OsString| LayeredError::read(what, path.as_encoded_bytes());
        let (checksum_path, layer_path) = (path("checksum"), path("layer.tar"));
        let mut text = String::new();
        root.file(&checksum_path)
            .and_then(File::open)
            .and_then(|file| file.take(CHECKSUM).read_to_string(&mut text))
            .map_err(read("read", &checksum_path))?;
        let checksum = text.trim().to_owned();
        let place = root.place(&layer_path).map_err(read("find", &layer_path))?;
        let metadata = fs::symlink_metadata(&place).map_err(read("read", &layer_path))?;
        if !metadata.is_file() {
            let what = "is no regular file";
            return Err(LayeredError::Name { name: crate::escape::bytes(layer_path.as_encoded_bytes()), what });
        }
        let uname = names::of_number(Path::new("/etc/passwd"), metadata.uid());
        let gname = names::of_number(Path::new("/etc/group"), metadata.gid());
        let owner = Owner { uid: metadata.uid().into(), gid: metadata.gid().into(), uname, gname, mtime };
        let size = metadata.size();
        let member =
            Member { owner, mode: metadata.mode(), ..Member::file(&format!("{checksum}/layer.tar"), size, mtime) };
        let layer = Self { checksum, member, size, shown, place };
        layer.write(&mut std::io::sink(), check)?;
        Ok(layer)
    }

    /// Writes the content, and checks it again.
    ///
    /// # Errors
    /// A file that can't be read, or whose bytes are not those that the checksum names; those of `out`.
    pub fn write(
        &self,
        out: &mut impl Write,
        check: &dyn Fn() -> Result<(), LayeredError>,
    ) -> Result<(), LayeredError> {
        let read = || LayeredError::read("read", self.shown.as_bytes());
        let mut file = File::open(&self.place).map_err(read())?.take(self.size);
        let mut sum = Hasher::default();
        let mut buffer = vec![0; 1 << 18];
        loop {
            check()?;
            let count = file.read(&mut buffer).map_err(read())?;
            if count == 0 {
                break;
            }
            sum.update(&buffer[..count]);
            out.write_all(&buffer[..count]).map_err(LayeredError::Write)?;
        }
        let found = sum.digest().hex();
        if file.limit() > 0 || found != self.checksum {
            let expected = crate::escape::text(&self.checksum).into_owned();
            return Err(LayeredError::Checksum { path: self.shown.clone(), expected, found });
        }
        Ok(())
    }
}
