//! What people read of a drift: the fact, what is asked for, what the lockfile has.

use super::Drift;
use crate::escape;
use crate::lockfile::Fact;

/// The reason in one line, without its image.
pub(super) fn of(drift: &Drift) -> String {
    match drift {
        Drift::ImageNotLocked { .. } => "the image is not locked".to_owned(),
        Drift::ImageUnused { .. } => "the image is locked, but not in the manifest".to_owned(),
        Drift::SourceNotLocked { source, lines, is_frontend, .. } => {
            format!("`{}` ({}) is not locked", escape::text(source), place(lines, *is_frontend))
        }
        Drift::SourceUnused { source, .. } => {
            format!("`{}` is locked, but nothing uses it", escape::text(source))
        }
        Drift::PlatformNotPinned { source, platform, .. } => {
            format!("`{}` is not pinned for {platform}", escape::text(source))
        }
        Drift::ChecksumChanged { source, expected, found, .. } => {
            let (source, expected) = (escape::text(source), escape::text(expected));
            format!("the Dockerfile demands {expected} of `{source}`, {found} is locked")
        }
        Drift::RequestChanged { fact, expected, found, .. } => {
            let (expected, found) = (shown(expected.as_ref()), shown(found.as_ref()));
            format!("`{}` is {expected}, the pins were made for {found}", escape::text(fact))
        }
        Drift::ScrubUnknown { error, .. } => {
            format!("{error}: a newer `repro` made this lockfile, and `repro lock` would go back")
        }
        Drift::BuildkitChanged { expected, found } => {
            let named = |reference: &Option<String>| match reference {
                Some(reference) => format!("`{}`", escape::text(reference)),
                None => "none".to_owned(),
            };
            format!("the manifest names BuildKit image {}, locked is {}", named(expected), named(found))
        }
        Drift::TapeNotLocked { .. } => "`network` is `locked`, and RUN's downloads are not recorded".to_owned(),
        Drift::TapeUnused { .. } => "a tape is locked, and no RUN has a locked network".to_owned(),
        Drift::TapeMissing { image, expected } => {
            format!("`repro.{}.tape` is not there, {expected} is locked", escape::text(image))
        }
        Drift::TapeChanged { image, expected, found } => {
            format!("`repro.{}.tape` is {found}, {expected} is locked", escape::text(image))
        }
        Drift::TapePlatform { platform, .. } => format!("the tape lacks {platform}"),
        Drift::RecordMissing { .. } => "there is no record".to_owned(),
        Drift::RecordPins { expected, found, .. } => {
            format!("the record was made with other pins: {found}, now {expected}")
        }
        Drift::RecordContext { context, expected, found, .. } => {
            let name = match context {
                Some(name) => format!("context `{}`", escape::text(name)),
                None => "context".to_owned(),
            };
            match (expected, found) {
                (Some(expected), Some(found)) => {
                    format!("the record was made of another {name}: {found}, now {expected}")
                }
                (Some(expected), None) => format!("the record does not know the {name}, now {expected}"),
                (None, _) => format!("the record was made with a {name}, which is not used now"),
            }
        }
        Drift::RecordDockerfile { expected, found, .. } => {
            format!("the record was made of another Dockerfile or other layers: {found}, now {expected}")
        }
        Drift::RecordEpoch { expected, found, .. } => {
            format!("the record was made with epoch {found}, the manifest gives {expected}")
        }
        Drift::RecordPlatform { platform, .. } => format!("the record lacks {platform}"),
    }
}

fn place(lines: &[(u32, u32)], is_frontend: bool) -> String {
    let each: Vec<String> = lines
        .iter()
        .map(|(first, last)| if first == last { first.to_string() } else { format!("{first}–{last}") })
        .collect();
    match each.len() {
        0 if is_frontend => "frontend".to_owned(),
        0 => "`base`".to_owned(),
        1 => format!("Dockerfile line {}", each.concat()),
        _ => format!("Dockerfile lines {}", each.join(", ")),
    }
}

fn shown(fact: Option<&Fact>) -> String {
    match fact {
        None => "the default".to_owned(),
        Some(Fact::Text(text)) => format!("`{}`", escape::text(text)),
        Some(Fact::List(list)) => {
            let items: Vec<String> = list.iter().map(|item| format!("`{}`", escape::text(item))).collect();
            format!("[{}]", items.join(", "))
        }
    }
}
