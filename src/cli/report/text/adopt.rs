//! The text of `repro adopt`.

use std::fmt::Write;
use std::path::Path;

use super::self_check::{self, Shown};
use super::{notes, verify};
use crate::project::{self, Adopted, AdoptedImage, Machine};

/// What was written, and the verdict on every image or what keeps it from one; with so many paths that differ as `shown` says.
pub fn images(adopted: &Adopted, machine: &Machine, shown: Shown) -> String {
    let mut text = String::new();
    text.push_str(&notes(&adopted.notes));
    if adopted.written {
        let _ = writeln!(text, "wrote {}", project::shown(&machine.near(&adopted.file)));
    }
    for change in &adopted.changes {
        let _ = writeln!(text, "{change}");
    }
    text.push_str(&verify::verdicts(&adopted.verification, Path::new("repro.lock")));
    for image in &adopted.images {
        if adopted.verification.images.iter().any(|verified| verified.name == image.name) {
            builds(&mut text, image);
        } else {
            image.checked.iter().for_each(|checked| self_check::describe(checked, &mut text, &image.name, shown));
        }
    }
    if !adopted.verification.images.is_empty() {
        text.push_str("recorded in repro.lock; next: commit it with repro.toml and the tapes (`repro.*.tape`)\n");
    }
    text
}

/// How often an image was built, and what was added for it.
fn builds(text: &mut String, AdoptedImage { name, builds, added, .. }: &AdoptedImage) {
    let variables = added.variables.iter().map(|(name, value)| format!("{name} = \"{value}\""));
    let profiles = added.profiles.iter().map(|profile| (*profile).to_owned());
    let added: Vec<String> = variables.chain(profiles).collect();
    let added = if added.is_empty() { String::new() } else { format!("; added to repro.toml: {}", added.join(", ")) };
    let _ = writeln!(text, "{name}: built {builds} times without cache{added}");
}
