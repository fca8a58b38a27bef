//! Base images that a rootless daemon can't give: it leaves device nodes out without a word, and has no numbers for some
//! owners.

use std::fs::File;

use super::sources::Sources;
use crate::bounds::Bounds;
use crate::build::Plan;
use crate::escape;
use crate::layer::decompress::Compression;
use crate::layer::tar::{Kind, Member, TarError};
use crate::layer::visit_layer;
use crate::lockfile::Pin;
use crate::status::{ExitStatus, Failure, Status};

/// The highest number of a user or group that a usual range has.
const HIGHEST_OWNER: u64 = 65535;

/// A base image that needs a daemon of root.
#[derive(Debug, thiserror::Error)]
#[error("`{image}` can't be built upon rootless: {reason}")]
struct NeedsRoot {
    image: String,
    reason: String,
}

impl ExitStatus for NeedsRoot {
    fn status(&self) -> Status {
        Status::Engine
    }

    fn hint(&self) -> Option<String> {
        Some(
            "root's podman, `--engine buildctl` with a daemon of root, or `--engine native` where there is no RUN"
                .to_owned(),
        )
    }
}

/// Reads the locked layers of every image that the build takes anything of.
pub fn check(plan: &Plan, sources: &dyn Sources, bounds: Bounds<'_>) -> Result<(), Failure> {
    let frontend = plan.inputs.dockerfile.syntax.as_deref();
    for pin in &plan.pins {
        let (Pin::Image { request, digest, platforms } | Pin::Layout { request, digest, platforms }) = pin else {
            continue;
        };
        if Some(request.as_str()) == frontend {
            continue;
        }
        let manifest = *platforms.get(&plan.platform).unwrap_or(digest);
        let documents = sources.image(pin, manifest)?;
        for layer in &documents.manifest.layers {
            bounds.cancel.check()?;
            let needs_root = |reason| NeedsRoot { image: escape::text(request).into_owned(), reason };
            let Some(compression) = Compression::of_media_type(&layer.media_type) else {
                let reason = format!("layers of type `{}` can't be looked into", escape::text(&layer.media_type));
                return Err(needs_root(reason).into());
            };
            let path = sources.blob(request, layer.digest, layer.size)?;
            let opened = File::open(&path).map_err(|error| needs_root(format!("layer {}: {error}", layer.digest)))?;
            let mut found = None;
            let visited = visit_layer(opened, compression, bounds.limits, |member, _| {
                found = reason(member);
                match found {
                    Some(_) => Err(TarError::from(std::io::Error::other("found"))),
                    None => Ok(()),
                }
            });
            match (found, visited) {
                (Some(reason), _) => return Err(needs_root(reason).into()),
                (None, Err(error)) => return Err(needs_root(format!("layer {}: {error}", layer.digest)).into()),
                (None, Ok(_)) => {}
            }
        }
    }
    Ok(())
}

fn reason(member: &Member) -> Option<String> {
    let entry = &member.entry;
    let path = escape::name(&entry.path);
    match entry.kind {
        Kind::CharacterDevice { .. } | Kind::BlockDevice { .. } => {
            Some(format!("{path} is a {}, which is left out there without a word", entry.kind.name()))
        }
        _ if entry.uid.max(entry.gid) > HIGHEST_OWNER => {
            Some(format!("{path} belongs to {}:{}, expected numbers up to {HIGHEST_OWNER}", entry.uid, entry.gid))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layer::tar::Entry;

    #[test]
    fn device_nodes_and_owners_beyond_the_range_need_root() {
        let member = |kind, uid| Member {
            key: b"dev/x".to_vec(),
            entry: Entry { uid, ..Entry::new("dev/x", kind, 0o600) },
            nanoseconds: 0,
            user: Vec::new(),
            group: Vec::new(),
            sparse_size: None,
            offset: 0,
            headers: Vec::new(),
        };
        let device = Kind::CharacterDevice { major: 1, minor: 3 };
        assert!(reason(&member(device, 0)).is_some_and(|reason| reason.contains("is a character device")));
        assert!(reason(&member(Kind::File, 65536)).is_some_and(|reason| reason.contains("65536:0")));
        assert_eq!(reason(&member(Kind::Fifo, 65535)), None);
    }
}
