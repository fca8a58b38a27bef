//! `--layers`: the entries of layers, as documents tell them.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::layer::{EntryDocument, Listed};
use crate::layer::tar::{Kind, Member};
use crate::layer::whiteout::Whiteout;
use crate::limits::Limits;
use crate::project::Inspection;
use crate::status::{ExitStatus, Failure, Status};

/// A temporary file can't be read.
#[derive(Debug, thiserror::Error)]
#[error("cannot read the entries of a layer again: {0}")]
struct Unreadable(#[from] std::io::Error);

impl ExitStatus for Unreadable {
    fn status(&self) -> Status {
        Status::Usage
    }
}

/// The entries of every layer that is told, by its member; together at most `report-bytes`.
pub fn of(inspection: &Inspection, limits: &Limits) -> Result<BTreeMap<Vec<u8>, Listed>, Failure> {
    let mut listings: BTreeMap<Vec<u8>, Listed> = BTreeMap::new();
    let mut left = limits.report_bytes;
    for layer in inspection.images().flat_map(|image| &image.layers) {
        let Some(examined) = inspection.closure.examined(&inspection.archive, layer) else { continue };
        let Some(listing) = &examined.listing else { continue };
        if listings.contains_key(&layer.member) {
            continue;
        }
        let mut listed = Listed { entries: Vec::new(), left_out: listing.left_out() };
        for member in listing.members(limits) {
            let (member, _) = member.map_err(Unreadable)?;
            let entry = entry(&member);
            let cost = 200 + entry.path.len() + entry.target.as_ref().map_or(0, String::len);
            match left.checked_sub(cost as u64) {
                Some(rest) if listed.left_out == listing.left_out() => left = rest,
                _ => {
                    listed.left_out += 1;
                    continue;
                }
            }
            listed.entries.push(entry);
        }
        listings.insert(layer.member.clone(), listed);
    }
    Ok(listings)
}

fn entry(member: &Member) -> EntryDocument {
    let entry = &member.entry;
    let lossy = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let exact = |bytes: &[u8]| std::str::from_utf8(bytes).is_err().then(|| STANDARD.encode(bytes));
    let (kind, target, device) = match &entry.kind {
        Kind::File => ("file", None, None),
        Kind::Directory => ("directory", None, None),
        Kind::Symlink { target } => ("symlink", Some(target), None),
        Kind::HardLink { target } => ("hardlink", Some(target), None),
        Kind::CharacterDevice { major, minor } => ("character-device", None, Some([*major, *minor])),
        Kind::BlockDevice { major, minor } => ("block-device", None, Some([*major, *minor])),
        Kind::Fifo => ("fifo", None, None),
    };
    let name = member.key.rsplit(|byte| *byte == b'/').next().unwrap_or_default();
    let kind = if matches!(Whiteout::parse(name), Ok(Some(_))) { "whiteout" } else { kind };
    EntryDocument {
        path: lossy(&entry.path),
        path_base64: exact(&entry.path),
        kind: kind.to_owned(),
        mode: format!("{:04o}", entry.mode),
        uid: entry.uid.into(),
        gid: entry.gid.into(),
        size: member.sparse_size.unwrap_or(entry.size).into(),
        mtime: entry.mtime.into(),
        target: target.map(|target| lossy(target)),
        target_base64: target.and_then(|target| exact(target)),
        device,
        xattrs: entry.xattrs.keys().map(|name| lossy(name)).collect(),
    }
}
