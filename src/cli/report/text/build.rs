//! The text of `repro build`.

use std::fmt::Write;

use super::self_check;
use crate::project::{Build, BuiltPlatform};

/// The digests of every image, and what a second build showed; with `all`, also what was left out.
pub fn images(build: &Build, all: bool) -> String {
    let mut text = String::new();
    for image in &build.images {
        let name = &image.name;
        for platform in &image.platforms {
            let _ = writeln!(text, "{name} {} {}", platform.platform, platform.facts.manifest);
            if all {
                list_scrubbed(&mut text, platform);
            }
        }
        for checked in image.platforms.iter().filter_map(|platform| platform.checked.as_ref()) {
            self_check::describe(checked, &mut text, name, all);
        }
        if let Some(index) = image.index {
            let _ = writeln!(text, "{name} index {index}");
        }
        for name in image.pushed.iter().flat_map(|pushed| &pushed.names) {
            let _ = writeln!(text, "pushed {name}");
        }
    }
    text
}

/// What the scrub rules left out, file by file.
fn list_scrubbed(text: &mut String, platform: &BuiltPlatform) {
    for (rule, scrubbed) in &platform.scrubbed {
        let _ = writeln!(text, "  scrub {rule}: {} files, {} bytes", scrubbed.files, scrubbed.bytes);
        scrubbed.paths.iter().for_each(|path| {
            let _ = writeln!(text, "    {path}");
        });
    }
}
