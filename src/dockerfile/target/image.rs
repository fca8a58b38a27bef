//! Image names after `FROM` and `--from`, with BuildKit's messages for what is none.

use super::checks::check_digest;
use crate::reference::{InvalidReference, Reference};

/// The full name with `latest` if neither tag nor digest is given.
///
/// Digests other than sha256 are names to BuildKit too, though nobody here can fetch them.
///
/// # Errors
/// The message of the reference library that BuildKit uses.
pub(super) fn normalise(name: &str) -> Result<String, String> {
    match name.parse::<Reference>() {
        Ok(reference) => Ok(reference.with_default_tag().to_string()),
        Err(InvalidReference::Digest { .. }) => {
            let (rest, digest) = name.split_once('@').unwrap_or((name, ""));
            check_digest(digest)?;
            let reference: Reference = rest.parse().map_err(|error| message(rest, &error))?;
            Ok(format!("{reference}@{digest}"))
        }
        Err(error) => Err(message(name, &error)),
    }
}

fn message(name: &str, error: &InvalidReference) -> String {
    const FORMAT: &str = "invalid reference format";
    match error {
        InvalidReference::Empty | InvalidReference::Format(_) | InvalidReference::Digest { .. } => FORMAT.to_owned(),
        InvalidReference::Uppercase(_) => {
            let path = remote_path(name);
            format!("{FORMAT}: repository name ({path}) must be lowercase")
        }
        InvalidReference::TooLong(_) => "repository name must not be more than 255 characters".to_owned(),
        InvalidReference::Identifier(_) => {
            format!("invalid repository name ({name}), cannot specify 64-byte hexadecimal strings")
        }
    }
}

/// The part after the registry, up to the first colon, as the message shows it.
fn remote_path(name: &str) -> String {
    let is_domain =
        |first: &str| first == "localhost" || first.contains(['.', ':']) || first.chars().any(char::is_uppercase);
    let (hub, rest) = match name.split_once('/') {
        Some(("docker.io" | "index.docker.io", rest)) => (true, rest),
        Some((first, rest)) if is_domain(first) => (false, rest),
        _ => (true, name),
    };
    let path = rest.split(':').next().unwrap_or_default();
    if hub && !rest.contains('/') { format!("library/{path}") } else { path.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_made_whole_or_refused() {
        let sha512 = format!("a@sha512:{}", "0".repeat(128));
        let whole = format!("docker.io/library/{sha512}");
        for (name, want) in [
            ("alpine", Ok("docker.io/library/alpine:latest")),
            ("x.example:5000/a/b:1", Ok("x.example:5000/a/b:1")),
            (sha512.as_str(), Ok(whole.as_str())),
            ("Alpine", Err("invalid reference format: repository name (library/Alpine) must be lowercase")),
            ("a/B", Err("invalid reference format: repository name (a/B) must be lowercase")),
            ("docker.io/Foo:1", Err("invalid reference format: repository name (library/Foo) must be lowercase")),
            ("alpine:", Err("invalid reference format")),
            ("a@sha256:abababababababababababababababababab", Err("invalid checksum digest length")),
        ] {
            assert_eq!(normalise(name).as_deref().map_err(String::as_str), want, "{name}");
        }
    }
}
