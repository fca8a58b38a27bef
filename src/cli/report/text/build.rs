//! The text of `repro build`.

use std::fmt::Write;

use super::self_check::{self, Shown};
use crate::project::{Build, BuiltPlatform};

/// The digests of every image, and what a second build showed, so much of it as `shown` says; with `is_verbose`, also
/// what was left out.
pub fn images(build: &Build, is_verbose: bool, shown: Shown) -> String {
    let mut text = String::new();
    for image in &build.images {
        let name = &image.name;
        for platform in &image.platforms {
            let _ = writeln!(text, "{name} {} {}", platform.platform, platform.facts.manifest);
            if is_verbose {
                list_scrubbed(&mut text, platform);
            }
        }
        for checked in image.platforms.iter().filter_map(|platform| platform.checked.as_ref()) {
            self_check::describe(checked, &mut text, name, shown);
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
