//! The text of `repro build --dry-run`.

use std::fmt::Write;

use crate::build::Content;
use crate::escape;
use crate::project::PlannedBuild;

/// The commands, ready to paste, with what RUN gets as comments.
pub fn commands(planned: &[PlannedBuild]) -> String {
    let mut text = String::new();
    for build in planned {
        let _ = writeln!(text, "# {} {}, with {}", build.image, build.platform, build.engine);
        if build.is_taped {
            text.push_str("# RUN downloads from the tape, which only `repro build` serves\n");
        }
        list_surroundings(&mut text, build);
        if build.commands.is_empty() {
            text.push_str("# builds in this process, runs nothing\n");
        }
        for command in &build.commands {
            let _ = writeln!(text, "{command}");
        }
    }
    text
}

/// What RUN is given, and what is left out of its layers.
fn list_surroundings(text: &mut String, build: &PlannedBuild) {
    for injection in &build.injected {
        let (name, value) = (&injection.variable, escape::text(&injection.value));
        let _ = writeln!(text, "# RUN gets {name}={value}");
        if let Some(Content::Text(content)) = &injection.file {
            let _ = writeln!(text, "#   {value} holds {}", escape::text(content.trim_end()));
        }
    }
    for rule in &build.scrub {
        let _ = writeln!(text, "# scrubbed from new layers: {}", escape::text(rule.name()));
    }
}
