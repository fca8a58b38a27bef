//! What people read of a drift: the fact, what is asked for, what the lockfile has.

use std::fmt;

use super::Drift;
use crate::escape;
use crate::lockfile::Fact;

impl fmt::Display for Drift {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(image) = self.image() {
            write!(f, "{}: ", escape::text(image))?;
        }
        match self {
            Self::ImageNotLocked { .. } => write!(f, "the image is not locked"),
            Self::ImageUnused { .. } => write!(f, "the image is locked, but not in the manifest"),
            Self::SourceNotLocked { source, lines, .. } => {
                write!(f, "`{}` ({}) is not locked", escape::text(source), place(lines))
            }
            Self::SourceUnused { source, .. } => {
                write!(f, "`{}` is locked, but nothing uses it", escape::text(source))
            }
            Self::PlatformNotPinned { source, platform, .. } => {
                write!(f, "`{}` is not pinned for {platform}", escape::text(source))
            }
            Self::ChecksumChanged { source, expected, found, .. } => {
                let (source, expected) = (escape::text(source), escape::text(expected));
                write!(f, "the Dockerfile demands {expected} of `{source}`, {found} is locked")
            }
            Self::RequestChanged { fact, expected, found, .. } => {
                let (expected, found) = (shown(expected.as_ref()), shown(found.as_ref()));
                write!(f, "`{}` is {expected}, the pins were made for {found}", escape::text(fact))
            }
            Self::ScrubUnknown { error, .. } => {
                write!(f, "{error}: a newer `repro` made this lockfile, and `repro lock` would go back")
            }
            Self::BuildkitChanged { expected, found } => {
                let named = |reference: &Option<String>| match reference {
                    Some(reference) => format!("`{}`", escape::text(reference)),
                    None => "none".to_owned(),
                };
                write!(f, "the manifest names BuildKit image {}, locked is {}", named(expected), named(found))
            }
            Self::TapeNotLocked { .. } => write!(f, "`network` is `locked`, and RUN's downloads are not recorded"),
            Self::TapeUnused { .. } => write!(f, "a tape is locked, and no RUN has a locked network"),
            Self::TapeMissing { image, expected } => {
                write!(f, "`repro.{}.tape` is not there, {expected} is locked", escape::text(image))
            }
            Self::TapeChanged { image, expected, found } => {
                write!(f, "`repro.{}.tape` is {found}, {expected} is locked", escape::text(image))
            }
            Self::TapePlatform { platform, .. } => write!(f, "the tape lacks {platform}"),
            Self::RecordMissing { .. } => write!(f, "there is no record"),
            Self::RecordPins { expected, found, .. } => {
                write!(f, "the record was made with other pins: {found}, now {expected}")
            }
            Self::RecordContext { context, expected, found, .. } => {
                let name = match context {
                    Some(name) => format!("context `{}`", escape::text(name)),
                    None => "context".to_owned(),
                };
                match (expected, found) {
                    (Some(expected), Some(found)) => {
                        write!(f, "the record was made of another {name}: {found}, now {expected}")
                    }
                    (Some(expected), None) => write!(f, "the record does not know the {name}, now {expected}"),
                    (None, _) => write!(f, "the record was made with a {name}, which is not used now"),
                }
            }
            Self::RecordDockerfile { expected, found, .. } => {
                write!(f, "the record was made of another Dockerfile: {found}, now {expected}")
            }
            Self::RecordEpoch { expected, found, .. } => {
                write!(f, "the record was made with epoch {found}, the manifest gives {expected}")
            }
            Self::RecordPlatform { platform, .. } => write!(f, "the record lacks {platform}"),
        }
    }
}

fn place(lines: &[(u32, u32)]) -> String {
    let each: Vec<String> = lines
        .iter()
        .map(|(first, last)| if first == last { first.to_string() } else { format!("{first}–{last}") })
        .collect();
    match each.len() {
        0 => "frontend".to_owned(),
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
