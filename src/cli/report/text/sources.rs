//! The text of `repro sources`.

use std::fmt::Write;

use crate::dockerfile::sources::Origin;
use crate::document::ListedSource;
use crate::escape;

/// One source with its pin.
pub fn show(text: &mut String, ListedSource { source, pin }: &ListedSource) {
    let lines: Vec<u32> = source.lines.iter().map(|lines| lines.start).collect();
    let (kind, what) = match &source.origin {
        Origin::Git { identifier, .. } => ("git", identifier.clone()),
        Origin::Http { url, .. } => ("http", url.clone()),
        Origin::Image { reference, platform, layout: None } => ("image", format!("{reference} ({platform})")),
        Origin::Image { reference, platform, layout: Some(_) } => {
            let name = reference.split('@').next().unwrap_or_default();
            ("layout", format!("{name} ({platform})"))
        }
        Origin::Local { name, paths: None } => ("local", format!("{name}: everything")),
        Origin::Local { name, paths: Some(paths) } => ("local", format!("{name}: {}", paths.join(" "))),
    };
    line(text, kind, &what, pin.as_deref(), &lines);
}

/// One line: what it is, where it is used, what it is pinned to.
pub fn line(text: &mut String, kind: &str, what: &str, pin: Option<&str>, lines: &[u32]) {
    let lines: Vec<String> = lines.iter().map(u32::to_string).collect();
    let place = if lines.is_empty() { String::new() } else { format!("  line {}", lines.join(", ")) };
    let pin = pin.map(|pin| format!("  {pin}")).unwrap_or_default();
    let _ = writeln!(text, "{kind:<8} {}{place}{pin}", escape::text(what));
}
