//! Digests and commits that the lockfile knows, written into the Dockerfile.

use crate::dockerfile::syntax::Transfer;
use crate::lint::file::{File, Placed};
use crate::lint::fix::{Edit, Fix};
use crate::lint::span::Span;
use crate::reference::Reference;

/// The image's digest behind its name, which ends these words or stands in them as `from=NAME`.
pub(super) fn with_digest(file: &File<'_>, name: &str, words: Span) -> Option<Fix> {
    let reference: Reference = name.parse().ok()?;
    let digest = file.surroundings.pins.get(&reference.with_default_tag().to_string())?;
    let written = file.dockerfile.bytes.get(words.start..words.end)?;
    let at = written.windows(name.len()).rposition(|window| window == name.as_bytes())? + name.len();
    let ends = written.get(at).is_none_or(|byte| matches!(byte, b',' | b'"'));
    Fix::one("name the digest of repro.lock", ends.then(|| Edit::insert(words.start + at, format!("@{digest}"))))
}

/// `--checksum` of the only source of an `ADD`.
pub(super) fn with_checksum(file: &File<'_>, placed: Placed<'_, '_>, transfer: &Transfer, source: &str) -> Option<Fix> {
    let pin =
        file.surroundings.pins.get(source).filter(|_| transfer.sources.len() == 1 && transfer.files.is_empty())?;
    let is_keyword = placed.text.text().get(..3).is_some_and(|word| word.eq_ignore_ascii_case("add"));
    let at = placed.text.span(0..3).end;
    Fix::one("name the checksum of repro.lock", is_keyword.then(|| Edit::insert(at, format!(" --checksum={pin}"))))
}
