//! Platforms as `os/arch[/variant]`, normalised as the image tools do.

use std::fmt;
use std::str::FromStr;

use crate::escape;

/// Bytes of a platform, as it is given and as it is written.
const LONGEST: usize = 128;

/// A normalised platform.
///
/// `x86_64` is `amd64`, `aarch64` is `arm64`, `arm64/v8` has no variant, `arm` means `arm/v7`, `amd64/v1` has no variant.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Platform {
    /// Operating system, lower-case (`linux`).
    pub os: String,
    /// Architecture in Go's spelling (`amd64`).
    pub architecture: String,
    /// Variant (`v7`), if any.
    pub variant: Option<String>,
}

/// A text that names no platform.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("`{}` is not a platform: expected `os/arch` or `os/arch/variant`, for example `linux/amd64`", escape::text(.0))]
pub struct InvalidPlatform(pub String);

impl Platform {
    /// The platform of these parts, normalised.
    pub fn new(os: &str, architecture: &str, variant: Option<&str>) -> Self {
        let os = match os.to_ascii_lowercase().as_str() {
            "macos" => "darwin".to_owned(),
            other => other.to_owned(),
        };
        let architecture = architecture.to_ascii_lowercase();
        let variant = variant.unwrap_or("").to_ascii_lowercase();
        let (architecture, variant) = match (architecture.as_str(), variant.as_str()) {
            ("i386", _) => ("386", ""),
            ("x86_64" | "x86-64" | "amd64", "v1") => ("amd64", ""),
            ("x86_64" | "x86-64" | "amd64", v) => ("amd64", v),
            ("aarch64" | "arm64", "8" | "v8") => ("arm64", ""),
            ("aarch64" | "arm64", v) => ("arm64", v),
            ("armhf", _) => ("arm", "v7"),
            ("armel", _) => ("arm", "v6"),
            ("arm", "" | "7") => ("arm", "v7"),
            ("arm", "5") => ("arm", "v5"),
            ("arm", "6") => ("arm", "v6"),
            ("arm", "8") => ("arm", "v8"),
            (a, v) => (a, v),
        };
        Self {
            os,
            architecture: architecture.to_owned(),
            variant: Some(variant).filter(|v| !v.is_empty()).map(str::to_owned),
        }
    }

    /// The platform that a document of an image names; none if nothing runs on it: a part that is missing, `unknown`, or
    /// no word.
    pub fn named(os: &str, architecture: &str, variant: &str) -> Option<Self> {
        let is_known = |part: &str| is_word(part) && part != "unknown" && part.len() <= LONGEST;
        let has_variant = !variant.is_empty();
        let is_named = is_known(os) && is_known(architecture) && (!has_variant || is_known(variant));
        is_named.then(|| Self::new(os, architecture, Some(variant).filter(|_| has_variant)))
    }

    /// The platform of the machine this program was compiled for.
    pub fn of_this_machine() -> Self {
        Self::new(std::env::consts::OS, std::env::consts::ARCH, None)
    }
}

/// Safe to print whatever the parts are.
impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", escape::text(&self.os), escape::text(&self.architecture))?;
        self.variant.iter().try_for_each(|variant| write!(f, "/{}", escape::text(variant)))
    }
}

/// Whether a text can be a part of a platform.
fn is_word(part: &str) -> bool {
    !part.is_empty()
        && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte))
        && !part.starts_with('-')
}

impl FromStr for Platform {
    type Err = InvalidPlatform;

    fn from_str(text: &str) -> Result<Self, InvalidPlatform> {
        let invalid = || InvalidPlatform(text.chars().take(LONGEST).collect());
        let parts: Vec<&str> = text.split('/').collect();
        if text.len() > LONGEST || !parts.iter().all(|part| is_word(part)) {
            return Err(invalid());
        }
        let platform = match parts[..] {
            [os, architecture] => Self::new(os, architecture, None),
            [os, architecture, variant] => Self::new(os, architecture, Some(variant)),
            _ => return Err(invalid()),
        };
        // Its normalised form may be longer, and is what a lockfile has to give back.
        if platform.to_string().len() > LONGEST { Err(invalid()) } else { Ok(platform) }
    }
}

impl serde::Serialize for Platform {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for Platform {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_one_platform_are_equal() {
        for (text, want) in [
            ("linux/amd64", "linux/amd64"),
            ("Linux/x86_64", "linux/amd64"),
            ("linux/amd64/v1", "linux/amd64"),
            ("linux/amd64/v3", "linux/amd64/v3"),
            ("linux/arm64/v8", "linux/arm64"),
            ("linux/aarch64", "linux/arm64"),
            ("linux/arm", "linux/arm/v7"),
            ("linux/arm/v6", "linux/arm/v6"),
        ] {
            assert_eq!(text.parse::<Platform>().unwrap().to_string(), want);
        }
        for text in ["", "linux", "linux//v7", "--push/x", "a/b/c/d", "linux/am d64"] {
            assert!(text.parse::<Platform>().is_err(), "{text}");
        }
    }

    #[test]
    fn what_is_written_is_read_again_however_long() {
        for length in 100..140 {
            for rest in ["/arm", "/armhf", "/amd64"] {
                if let Ok(platform) = format!("{}{rest}", "a".repeat(length)).parse::<Platform>() {
                    assert_eq!(platform.to_string().parse(), Ok(platform), "{length} {rest}");
                }
            }
        }
    }

    #[test]
    fn what_a_document_names_is_a_platform_only_if_it_is_made_of_words() {
        let named = |os, architecture, variant| Platform::named(os, architecture, variant).map(|it| it.to_string());
        assert_eq!(named("linux", "arm64", "v8").as_deref(), Some("linux/arm64"));
        let long = "x".repeat(LONGEST + 1);
        for (os, architecture, variant) in [
            ("", "amd64", ""),
            ("unknown", "unknown", ""),
            ("linux", "a/b", ""),
            ("linux", "amd64", "v 1"),
            ("l\n", "a", ""),
            (&long, "a", ""),
        ] {
            assert_eq!(named(os, architecture, variant), None, "{os:?} {architecture:?} {variant:?}");
        }
        assert_eq!(Platform::new("l\u{1b}[2K\n", "a", Some("\u{202e}")).to_string(), "l\\u{1b}[2k\\u{a}/a/\\u{202e}");
    }
}
