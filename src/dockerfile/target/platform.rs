//! Platforms as `FROM --platform` takes them, looser than elsewhere.

use std::fmt;

use crate::dockerfile::quote::quote;
use crate::platform::Platform;

/// The platform of a stage's base, as BuildKit hands it to the registry.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct StagePlatform {
    /// Operating system, lower-case.
    pub os: String,
    /// Version of the operating system (Windows), empty when not given.
    pub os_version: String,
    /// Architecture in Go's spelling.
    pub architecture: String,
    /// Variant, empty when there is none.
    pub variant: String,
}

impl StagePlatform {
    /// The platform as the rest of the program knows it: normalised, without version.
    pub fn normalised(&self) -> Platform {
        Platform::new(&self.os, &self.architecture, Some(self.variant.as_str()).filter(|variant| !variant.is_empty()))
    }

    /// Reads `os[(version)][/arch[/variant]]` or `arch`; what is left out is taken from `builder`.
    ///
    /// # Errors
    /// The message of the platform library that BuildKit uses.
    pub(super) fn parse(text: &str, builder: &Platform) -> Result<Self, String> {
        let invalid = |problem: String| Err(format!("{problem}: invalid argument"));
        let quoted = quote(text.as_bytes());
        if text.contains('*') {
            return invalid(format!("{quoted}: wildcards not yet supported"));
        }
        let parts: Vec<&str> = text.splitn(4, '/').collect();
        let Some((os, os_version)) = split_os(parts[0]) else {
            let part = quote(parts[0].as_bytes());
            let shape = r#""^([A-Za-z0-9_-]+)(?:\\(([A-Za-z0-9_.%-]*)((?:\\+[A-Za-z0-9_.%-]+)*)\\))?$""#;
            return invalid(format!(
                "{part} is an invalid OS component of {quoted}: OSAndVersion specifier component must match {shape}"
            ));
        };
        for part in &parts[1..] {
            let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte);
            if part.is_empty() || !part.bytes().all(fits) {
                let part = quote(part.as_bytes());
                let shape = r#""^[A-Za-z0-9_.-]+$""#;
                return invalid(format!(
                    "{part} is an invalid component of {quoted}: platform specifier component must match {shape}"
                ));
            }
        }
        let of = |os: &str, architecture: &str, variant: &str, os_version: &str| {
            let platform = Platform::new(os, architecture, Some(variant));
            let variant = platform.variant.unwrap_or_default();
            Self { os: platform.os, os_version: os_version.to_owned(), architecture: platform.architecture, variant }
        };
        match parts[1..] {
            [] if KNOWN_SYSTEMS.contains(&of(os, "", "", "").os.as_str()) => {
                Ok(Self { architecture: builder.architecture.clone(), ..of(os, "", "", os_version) })
            }
            [] => {
                let platform = of(&builder.os, parts[0], "", os_version);
                if !KNOWN_ARCHITECTURES.contains(&platform.architecture.as_str()) {
                    return invalid(format!("{quoted}: unknown operating system or architecture"));
                }
                Ok(platform.without_implied_v7())
            }
            [architecture] => Ok(of(os, architecture, "", os_version).without_implied_v7()),
            [architecture, variant] => {
                let mut platform = of(os, architecture, variant, os_version);
                if platform.architecture == "arm64" && platform.variant.is_empty() {
                    platform.variant = "v8".to_owned();
                }
                Ok(platform)
            }
            _ => invalid(format!("{quoted}: cannot parse platform specifier")),
        }
    }

    /// `arm` without a variant stays so here.
    fn without_implied_v7(mut self) -> Self {
        if self.architecture == "arm" && self.variant == "v7" {
            self.variant.clear();
        }
        self
    }
}

const KNOWN_SYSTEMS: [&str; 17] = [
    "aix",
    "android",
    "darwin",
    "dragonfly",
    "freebsd",
    "hurd",
    "illumos",
    "ios",
    "js",
    "linux",
    "nacl",
    "netbsd",
    "openbsd",
    "plan9",
    "solaris",
    "windows",
    "zos",
];

const KNOWN_ARCHITECTURES: [&str; 24] = [
    "386",
    "amd64",
    "amd64p32",
    "arm",
    "armbe",
    "arm64",
    "arm64be",
    "ppc64",
    "ppc64le",
    "loong64",
    "mips",
    "mipsle",
    "mips64",
    "mips64le",
    "mips64p32",
    "mips64p32le",
    "ppc",
    "riscv",
    "riscv64",
    "s390",
    "s390x",
    "sparc",
    "sparc64",
    "wasm",
];

/// The operating system and the version in parentheses; features after `+` are dropped.
fn split_os(text: &str) -> Option<(&str, &str)> {
    let (os, version) = match text.split_once('(') {
        None => (text, ""),
        Some((os, rest)) => (os, rest.strip_suffix(')')?),
    };
    let word = |byte: u8| byte.is_ascii_alphanumeric() || b"_-".contains(&byte);
    let option = |byte: u8| word(byte) || b".%".contains(&byte);
    let mut options = version.split('+');
    let version = options.next().unwrap_or_default();
    let fits = !os.is_empty()
        && os.bytes().all(word)
        && version.bytes().all(option)
        && options.all(|feature| !feature.is_empty() && feature.bytes().all(option));
    fits.then_some((os, version))
}

impl From<&Platform> for StagePlatform {
    fn from(platform: &Platform) -> Self {
        Self {
            os: platform.os.clone(),
            os_version: String::new(),
            architecture: platform.architecture.clone(),
            variant: platform.variant.clone().unwrap_or_default(),
        }
    }
}

impl fmt::Display for StagePlatform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.os, self.architecture)?;
        if self.variant.is_empty() { Ok(()) } else { write!(f, "/{}", self.variant) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn platforms_are_read_as_loosely_as_buildkit_does() {
        let builder = Platform::new("linux", "amd64", None);
        for (text, want) in [
            ("linux/amd64", "linux/amd64"),
            ("Linux/X86_64/v1", "linux/amd64"),
            ("linux/arm", "linux/arm"),
            ("linux/arm/v7", "linux/arm/v7"),
            ("armhf", "linux/arm"),
            ("arm64", "linux/arm64"),
            ("linux/arm64/v8", "linux/arm64/v8"),
            ("windows(10.0.1)/amd64", "windows/amd64"),
            ("linux", "linux/amd64"),
            ("foo/bar", "foo/bar"),
        ] {
            assert_eq!(StagePlatform::parse(text, &builder).map(|p| p.to_string()).as_deref(), Ok(want), "{text}");
        }
        for (text, want) in [
            ("foo", "\"foo\": unknown operating system or architecture: invalid argument"),
            ("a/b/c/d", "\"a/b/c/d\": cannot parse platform specifier: invalid argument"),
            ("linux/*", "\"linux/*\": wildcards not yet supported: invalid argument"),
        ] {
            assert_eq!(StagePlatform::parse(text, &builder), Err(want.to_owned()));
        }
        assert!(StagePlatform::parse("linux//v7", &builder).is_err());
    }
}
