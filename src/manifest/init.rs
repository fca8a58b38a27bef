//! The text of a new manifest.

use std::fmt::Write;
use std::path::Path;

use toml_writer::TomlStringBuilder;

use super::grammar;

/// What is known of one image of the project that gets a manifest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Init<'a> {
    /// Name of the image; see [`name_from`].
    pub name: &'a str,
    /// Context directory, relative to the manifest.
    pub context: &'a str,
    /// Dockerfile, relative to the manifest.
    pub dockerfile: &'a str,
    /// RUN of the Dockerfile needs the network.
    pub run_needs_network: bool,
    /// The frontend that the Dockerfile names, where that can't give RUN what a tape needs.
    pub old_frontend: Option<&'a str>,
    /// Lines that the person may want, as comments.
    pub offers: &'a [String],
}

/// The text of a new manifest of these images; the caller writes it where none is.
pub fn init(images: &[Init<'_>]) -> String {
    let images: Vec<String> = images.iter().map(table).collect();
    format!("version = 1\n\n{}", images.join("\n"))
}

fn table(project: &Init<'_>) -> String {
    let mut text = format!("[image.{}]\n", key(project.name));
    let _ = writeln!(text, "context = {}", quoted(project.context));
    let _ = writeln!(text, "dockerfile = {}", quoted(project.dockerfile));
    if project.run_needs_network {
        if let Some(old) = project.old_frontend {
            let old: String = old.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect();
            let _ = writeln!(text, "frontend = \"builtin\" # BuildKit's own; `{old}` can't give RUN what a tape needs");
        }
        text.push_str("network = \"locked\" # what RUN downloads is recorded once and replayed\n");
    }
    for offer in project.offers {
        let _ = writeln!(text, "# {offer}");
    }
    text
}

/// A name for the image of a project in `directory`: its last part, with what a name can't hold replaced.
pub fn name_from(directory: &Path) -> String {
    let last = directory.file_name().map(|name| name.to_string_lossy().to_lowercase()).unwrap_or_default();
    let word = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "._-".contains(c);
    let plain: String = last.chars().map(|c| if word(c) { c } else { '-' }).collect();
    let name: String = plain.trim_matches(['.', '_', '-']).chars().take(63).collect();
    if grammar::image_name(&name).is_ok() { name } else { "app".to_owned() }
}

fn quoted(text: &str) -> String {
    use toml_writer::ToTomlValue;
    TomlStringBuilder::new(text).as_basic().to_toml_value()
}

fn key(name: &str) -> String {
    use toml_writer::ToTomlKey;
    toml_writer::TomlKeyBuilder::new(name).as_default().to_toml_key()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::{Manifest, Network};

    #[test]
    fn a_new_manifest_is_a_valid_one() {
        for (name, network) in [("app", true), ("a.b", false), ("0", false)] {
            let project = Init {
                name,
                context: "sub",
                dockerfile: "sub/Docker \"file\"",
                run_needs_network: network,
                old_frontend: Some("docker/dockerfile:1.4"),
                offers: &["scrub = []".to_owned()],
            };
            let other = Init { name: "other", ..project.clone() };
            let text = init(&[project, other]);
            let manifest = Manifest::parse(&text, Path::new("/r/repro.toml"), Path::new("/r")).unwrap();
            assert_eq!(manifest.images.len(), 2);
            let image = &manifest.images[name];
            assert_eq!(image.files.dockerfile(), Some(Path::new("sub/Docker \"file\"")));
            assert_eq!(image.run.network == Network::Locked, network);
            assert_eq!(image.frontend, network.then_some(crate::manifest::Frontend::Builtin));
        }
    }

    #[test]
    fn a_name_is_made_of_any_directory() {
        for (directory, want) in [
            ("/src/My App", "my-app"),
            ("/", "app"),
            ("/x/.hidden", "hidden"),
            ("/x/\u{e4}", "app"),
            ("/x/v1.2", "v1.2"),
        ] {
            assert_eq!(name_from(Path::new(directory)), want);
        }
    }
}
