//! The document of `repro inspect`, written for people; everything from the image is escaped here.

use std::fmt::Write;

use crate::document::{
    EntryDocument, ImageVerdict, InspectDocument, InspectedImage, InspectedLayer, ListedDocument, Number, RoleName,
};
use crate::escape;

/// The text for stdout; violations are printed on stderr.
pub fn facts(document: &InspectDocument, quiet: bool) -> String {
    let mut text = String::new();
    for listed in &document.documents {
        write_document(&mut text, listed);
    }
    more(&mut text, "", document.more_documents, "documents");
    for image in &document.images {
        write_image(&mut text, image);
    }
    more(&mut text, "", document.more_images, "images");
    if !quiet {
        for note in &document.notes {
            let _ = writeln!(text, "note: {}: {}", note.object, note.what);
        }
        more(&mut text, "", document.more_notes, "notes");
    }
    write_verdict(&mut text, document);
    text
}

fn more(text: &mut String, indent: &str, count: u64, what: &str) {
    if count > 0 {
        let _ = writeln!(text, "{indent}… and {count} more {what}");
    }
}

fn write_document(text: &mut String, document: &ListedDocument) {
    let indent = "  ".repeat(document.depth.min(20));
    let _ = write!(text, "{indent}{} {}", document.kind, document.digest);
    for part in [document.platform.as_deref(), Some(document.media_type.as_str())].into_iter().flatten() {
        if !part.is_empty() {
            let _ = write!(text, " {}", escape::text(part));
        }
    }
    let _ = writeln!(text, " {} bytes", document.size.0);
    let Some(content) = &document.content else { return };
    for line in content.lines() {
        let _ = writeln!(text, "{indent}  | {}", escape::visible(line));
    }
    if document.content_cut {
        let _ = writeln!(text, "{indent}  | … (`--show-contents` shows all)");
    }
}

/// Writes one line, or several of which the first has the name.
fn field<T: AsRef<str>>(text: &mut String, name: &str, values: impl IntoIterator<Item = T>) {
    for (number, value) in values.into_iter().enumerate() {
        let name = if number == 0 { name } else { "" };
        let _ = writeln!(text, "  {name:<11} {}", escape::text(value.as_ref()));
    }
}

fn words(list: &[String]) -> Option<String> {
    (!list.is_empty()).then(|| serde_json::to_string(list).unwrap_or_default())
}

fn filled(value: &str) -> Option<&str> {
    Some(value).filter(|value| !value.is_empty())
}

fn write_image(text: &mut String, image: &InspectedImage) {
    let role = match image.role {
        RoleName::Image => "image",
        RoleName::Attestation => "attestation",
        RoleName::Artifact => "artifact",
    };
    let _ = write!(text, "\n{role}");
    if let Some(name) = image.names.first() {
        // The archive's names are safe to print already.
        let _ = write!(text, " {name}");
    }
    if let Some(platform) = &image.platform {
        let _ = write!(text, " for {}", escape::text(platform));
    }
    text.push('\n');
    for name in image.names.iter().skip(1) {
        let _ = writeln!(text, "  {:<11} {name}", "also called");
    }
    field(text, "manifest", &image.manifest);
    field(text, "config", &image.config);
    field(text, "about", &image.about);
    field(text, "states", &image.predicate_types);
    field(text, "type", &image.artifact_type);
    field(text, "created", &image.created);
    field(text, "author", filled(&image.author));
    field(text, "user", filled(&image.user));
    field(text, "working dir", filled(&image.working_dir));
    // These are written as JSON lists, so only what would move a terminal is escaped.
    for (name, list) in [("entrypoint", &image.entrypoint), ("cmd", &image.cmd)] {
        if let Some(words) = words(list) {
            let _ = writeln!(text, "  {name:<11} {}", escape::visible(&words));
        }
    }
    field(text, "env", &image.env);
    field(text, "labels", image.labels.iter().map(|(name, value)| format!("{name}={value}")));
    field(text, "ports", &image.exposed_ports);
    field(text, "volumes", &image.volumes);
    field(text, "stop signal", filled(&image.stop_signal));
    field(text, "annotations", image.annotations.iter().map(|(name, value)| format!("{name}={value}")));
    let size = match &image.uncompressed_size {
        Some(unpacked) => format!("{} bytes stored, {} bytes uncompressed layers", image.size.0, unpacked.0),
        None => format!("{} bytes stored", image.size.0),
    };
    field(text, "size", [size]);
    let times = match image.times_within_created {
        Some(true) => Some("every entry is as old as `created` or older"),
        Some(false) => Some("there are entries that are newer than `created`"),
        None => None,
    };
    field(text, "times", times);
    if image.shortened {
        field(text, "", ["annotations, history and run settings were left out: see the limit `report-details`"]);
    }
    write_history(text, image);
}

/// The history in its order, each item with the layer that it made.
fn write_history(text: &mut String, image: &InspectedImage) {
    let mut told = 0;
    for item in image.history.iter().flatten() {
        let by = filled(&item.created_by).unwrap_or("(it does not say how)");
        match item.layer.and_then(|number| Some((number, image.layers.get(number - 1)?))) {
            Some((number, layer)) => {
                field(text, &format!("layer {number}"), [by]);
                write_layer(text, layer);
                told = number;
            }
            None => field(text, "no layer", [by]),
        }
    }
    for (number, layer) in image.layers.iter().enumerate().skip(told) {
        field(text, &format!("layer {}", number + 1), [layer.media_type.as_str()]);
        write_layer(text, layer);
    }
}

fn write_layer(text: &mut String, layer: &InspectedLayer) {
    let mut facts: Vec<String> = Vec::new();
    facts.extend(layer.compression.clone());
    facts.push(format!("{} bytes", layer.size.0));
    facts.extend(layer.uncompressed_size.map(|size| format!("{} uncompressed", size.0)));
    facts.extend(layer.entries.map(|count| format!("{count} entries")));
    facts.extend(layer.newest_mtime.map(|newest| format!("newest {}", instant(newest))));
    field(text, "", layer.digest.iter().cloned().chain([facts.join(", ")]));
    field(text, "", layer.diff_id.iter().map(|diff_id| format!("diff ID {diff_id}")));
    for entry in layer.listing.iter().flatten() {
        write_entry(text, entry);
    }
    more(text, "              ", layer.listing_left_out, "entries");
}

fn write_entry(text: &mut String, entry: &EntryDocument) {
    let kind = match entry.kind.as_str() {
        "directory" => 'd',
        "symlink" => 'l',
        "hardlink" => 'h',
        "character-device" => 'c',
        "block-device" => 'b',
        "fifo" => 'p',
        "whiteout" => 'w',
        _ => '-',
    };
    let size = entry.device.map_or_else(|| entry.size.0.to_string(), |[major, minor]| format!("{major},{minor}"));
    let _ = write!(
        text,
        "              {kind}{} {}:{} {size:>10} {} {}",
        entry.mode,
        entry.uid.0,
        entry.gid.0,
        instant(entry.mtime),
        named(&entry.path, entry.path_base64.as_deref())
    );
    if let Some(target) = &entry.target {
        let arrow = if kind == 'h' { "link to" } else { "->" };
        let _ = write!(text, " {arrow} {}", named(target, entry.target_base64.as_deref()));
    }
    for name in &entry.xattrs {
        let _ = write!(text, " [{}]", escape::text(name));
    }
    text.push('\n');
}

/// A name byte by byte, where it is not UTF-8.
fn named(path: &str, base64: Option<&str>) -> String {
    use base64::Engine as _;
    let exact = base64.and_then(|text| base64::engine::general_purpose::STANDARD.decode(text).ok());
    escape::name(exact.as_deref().unwrap_or(path.as_bytes()))
}

/// A time for people; seconds where no calendar reaches.
fn instant(seconds: Number) -> String {
    let known = i64::try_from(seconds.0).ok().and_then(|seconds| jiff::Timestamp::from_second(seconds).ok());
    known.map_or_else(|| seconds.0.to_string(), |time| time.to_string())
}

fn write_verdict(text: &mut String, document: &InspectDocument) {
    if !text.is_empty() {
        text.push('\n');
    }
    if let Some(expected) = document.expected.as_ref().filter(|expected| expected.equal) {
        let _ = writeln!(text, "the image's digest is {}, as expected", expected.found);
    }
    let _ = match document.verdict {
        Some(ImageVerdict::Valid) => {
            writeln!(text, "valid: every document, digest, size, layer and diff ID was checked")
        }
        Some(ImageVerdict::DocumentsValid) => {
            writeln!(text, "the documents are valid; layers were not read (`--fast`)")
        }
        Some(ImageVerdict::Invalid) => {
            let count = document.violations.len() as u64 + document.more_violations;
            let noun = if count == 1 { "fault" } else { "faults" };
            writeln!(text, "invalid: {count} {noun}")
        }
        None => Ok(()),
    };
}
