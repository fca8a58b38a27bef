//! Which image of an index serves a platform, as containerd's `platforms.Only` decides.

use crate::platform::Platform;

/// The platforms whose images run on `platform`, the best first.
///
/// A newer processor runs what was made for an older one: `arm/v7` takes `v6` and `v5`, `amd64/v3` takes `v2`, `v1`
/// and `386`, `arm64` takes 32-bit `arm`.
pub fn serving(platform: &Platform) -> Vec<Platform> {
    let with = |architecture: &str, variant: &str| {
        Platform::new(&platform.os, architecture, Some(variant).filter(|variant| !variant.is_empty()))
    };
    let number = |variant: &str| variant.strip_prefix('v').unwrap_or(variant).parse::<u32>().ok();
    let variant = platform.variant.as_deref().unwrap_or("");
    match platform.architecture.as_str() {
        "amd64" => {
            let older = (1..number(variant).unwrap_or(1).min(64)).rev().map(|n| with("amd64", &format!("v{n}")));
            [platform.clone()].into_iter().chain(older).chain([with("386", "")]).collect()
        }
        "arm" => arm(platform, number(variant)),
        "arm64" => {
            let Some(series) = arm64_series(if variant.is_empty() { "v8" } else { variant }) else { return Vec::new() };
            let mut found = Vec::new();
            for (major, minor) in series {
                for minor in (0..=minor).rev() {
                    let variant = if minor == 0 { format!("v{major}") } else { format!("v{major}.{minor}") };
                    found.push(with("arm64", &variant));
                }
            }
            found.extend(arm(&with("arm", "v8"), Some(8)));
            found
        }
        _ => vec![platform.clone()],
    }
}

fn arm(platform: &Platform, version: Option<u32>) -> Vec<Platform> {
    let older =
        (5..version.unwrap_or(5).min(64)).rev().map(|n| Platform::new(&platform.os, "arm", Some(&format!("v{n}"))));
    [platform.clone()].into_iter().chain(older).collect()
}

/// Major and highest minor versions that a processor of this variant runs; Arm v9.n includes v8.(n+5).
fn arm64_series(variant: &str) -> Option<Vec<(u32, u32)>> {
    let (major, minor) = match variant.strip_prefix('v')?.split_once('.') {
        Some((major, minor)) => (major, minor.parse().ok()?),
        None => (variant.strip_prefix('v')?, 0),
    };
    match (major, minor) {
        ("8", 0..=9) => Some(vec![(8, minor)]),
        ("9", 0..=7) => Some(vec![(9, minor), (8, (minor + 5).min(9))]),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(platform: &str) -> String {
        let platform = platform.parse().unwrap();
        serving(&platform).iter().map(|p| p.to_string().replacen("linux/", "", 1)).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn newer_processors_run_older_images() {
        for (platform, want) in [
            ("linux/amd64", "amd64 386"),
            ("linux/amd64/v3", "amd64/v3 amd64/v2 amd64 386"),
            ("linux/386", "386"),
            ("linux/arm", "arm/v7 arm/v6 arm/v5"),
            ("linux/arm/v6", "arm/v6 arm/v5"),
            ("linux/arm/v5", "arm/v5"),
            ("linux/arm64", "arm64 arm/v8 arm/v7 arm/v6 arm/v5"),
            ("linux/arm64/v8.2", "arm64/v8.2 arm64/v8.1 arm64 arm/v8 arm/v7 arm/v6 arm/v5"),
            (
                "linux/arm64/v9",
                "arm64/v9 arm64/v8.5 arm64/v8.4 arm64/v8.3 arm64/v8.2 arm64/v8.1 arm64 arm/v8 arm/v7 arm/v6 arm/v5",
            ),
            ("linux/arm64/v7", ""),
            ("linux/riscv64", "riscv64"),
            ("linux/amd64/v4000000000", "amd64/v4000000000"),
        ] {
            assert!(names(platform).starts_with(want), "{platform}: {}", names(platform));
        }
    }
}
