//! The check as a whole: which views there are, what each says, and what nobody refers to.

use std::io;

use super::facts::{Closure, Form};
use super::selection::Selection;
use super::walk::Walk;
use crate::escape;
use crate::image::archive::{Archive, Content, Held};
use crate::image::findings::Findings;
use crate::limits::Limits;

/// Bytes that `oci-layout` may have.
const MARKER_BYTES: u64 = 4096;

/// Checks everything that the archive's documents say about each other and about its blobs.
///
/// The archive's own findings come first. Without an image that was checked there is a violation, since a check of nothing
/// must not succeed; a selection that fits no image gives an empty list of images and no such violation.
///
/// # Errors
/// When a temporary file can't be read.
pub fn check(archive: &mut Archive, selection: &Selection, limits: &Limits) -> io::Result<Closure> {
    let findings = std::mem::replace(&mut archive.findings, Findings::new(limits.report_items));
    let archive = &*archive;
    let has = |name: &[u8]| archive.members.contains_key(name);
    let is_oci = has(b"index.json") || has(b"oci-layout");
    let form = match (is_oci, has(b"manifest.json")) {
        (true, true) => Form::Combined,
        (true, false) => Form::Oci,
        (false, true) => Form::Docker,
        (false, false) => Form::None,
    };
    let mut walk = Walk::new(archive, selection, limits, findings);
    if is_oci {
        walk.marker()?;
        walk.top()?;
        walk.graph.find_roots();
    }
    if has(b"manifest.json") {
        walk.docker(form == Form::Combined)?;
    }
    match form {
        Form::None if walk.findings.are_none() => {
            let what = "neither `index.json` nor `manifest.json`: not an image archive";
            walk.findings.violation("V3", "archive", what);
        }
        Form::None => {}
        _ => {
            walk.names(form);
            if walk.graph.images.is_empty() && walk.findings.are_none() && walk.left_out.is_nothing() {
                walk.findings.violation("V3", "archive", "it holds no image, so there is nothing to check");
            }
        }
    }
    if form == Form::Oci {
        walk.no_links();
        if has(b"repositories") {
            let what = "without `manifest.json` old programs load what this names, and not what `index.json` does";
            walk.findings.violation("V11", "repositories", what);
        }
    }
    if selection.image.is_none() {
        walk.graph.unattested(&mut walk.findings);
        walk.unused_links();
        walk.unused();
    }
    let tops = walk.graph.tops.iter().map(|top| top.claim.digest).collect();
    walk.budget.tell_exhaustion(&mut walk.findings);
    Ok(Closure {
        form,
        documents: walk.documents.told,
        images: walk.graph.images,
        tops,
        entries: walk.graph.entries,
        referrers: walk.graph.referrers,
        names: walk.left_out.names,
        needs_both_sums: walk.examinations.needs_both_sums,
        examined: walk.examinations.kept,
        findings: walk.findings,
    })
}

impl Walk<'_> {
    /// `oci-layout` says version 1.0.0.
    fn marker(&mut self) -> io::Result<()> {
        let Some(file) = self.top_file("oci-layout") else { return Ok(()) };
        if file.size > MARKER_BYTES {
            self.findings.violation("V3", "oci-layout", format!("{} bytes are more than {MARKER_BYTES}", file.size));
            return Ok(());
        }
        let Some((_, value)) = self.parse(file, "oci-layout")? else { return Ok(()) };
        let findings = &mut self.findings;
        let known = ["imageLayoutVersion"];
        let spelling = super::fields::Spelling::Exact;
        let Some(fields) = super::fields::Fields::of(&value, "oci-layout", &known, spelling, findings) else {
            return Ok(());
        };
        match fields.required_string("imageLayoutVersion", findings) {
            None | Some("1.0.0") => {}
            Some(other) => {
                let what = format!("expected `1.0.0`, found `{}`", escape::text(other));
                findings.violation("V3", "oci-layout imageLayoutVersion", what);
            }
        }
        Ok(())
    }

    /// Notes what nobody refers to.
    fn unused(&mut self) {
        let mut others = 0_u64;
        for (name, held) in &self.archive.members {
            let Held::File(file) = held else { continue };
            if self.used.contains(name.as_slice()) {
                continue;
            }
            let Some(claimed) = blob_name(name) else {
                others += 1;
                continue;
            };
            let digest = file.sums.as_ref().and_then(|sums| sums.in_algorithm(claimed.algorithm()));
            let what = match digest {
                Some(digest) if digest != claimed => format!("no image refers to it, and its bytes are {digest}"),
                _ if matches!(file.content, Content::Skipped) => "no image refers to it".to_owned(),
                _ => "no image refers to it; only its digest was checked".to_owned(),
            };
            self.findings.note("unreferenced-blob", format!("blob {claimed}"), what);
        }
        if others > 0 {
            let files = if others == 1 { "file" } else { "files" };
            self.findings.note(
                "unreferenced-files",
                "archive",
                format!("{others} {files} beside the image, which no image refers to"),
            );
        }
    }
}

/// The digest that a blob's name stands for.
fn blob_name(name: &[u8]) -> Option<crate::digest::AnyDigest> {
    let rest = std::str::from_utf8(name.strip_prefix(b"blobs/")?).ok()?;
    rest.replacen('/', ":", 1).parse().ok()
}
