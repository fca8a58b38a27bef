//! What `repro doctor` says.

use std::fmt::Write;

use crate::project::{Health, shown};

/// Engines, configuration and cache.
pub fn health(health: &Health) -> String {
    let mut text = String::new();
    for engine in &health.engines {
        let state = if engine.missing.is_empty() { "usable" } else { "not usable" };
        let _ = writeln!(text, "{}: {state}", engine.engine);
        for (what, value) in &engine.found {
            let _ = writeln!(text, "  {what}: {value}");
        }
        for what in engine.can.iter().filter(|_| engine.missing.is_empty()) {
            let _ = writeln!(text, "  builds: {what}");
        }
        for what in engine.cannot.iter().filter(|_| engine.missing.is_empty()) {
            let _ = writeln!(text, "  not: {what}");
        }
        for missing in &engine.missing {
            let _ = writeln!(text, "  missing: {}\n    {}", missing.what, missing.fix);
        }
    }
    if let Some(configuration) = &health.configuration {
        let state = if configuration.is_there { "" } else { " (not there)" };
        let _ = writeln!(text, "configuration: {}{state}", shown(&configuration.file));
        for (what, names) in [("registries", &configuration.registries), ("mirrors of", &configuration.mirrors)] {
            if !names.is_empty() {
                let _ = writeln!(text, "  {what}: {}", crate::escape::text(&names.join(", ")));
            }
        }
    }
    let _ =
        writeln!(text, "cache: {} blobs, {} bytes in {}", health.usage.blobs, health.usage.bytes, shown(&health.cache));
    text
}
