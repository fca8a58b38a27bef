//! The report for a terminal: a tree by platform and cause, the worst first.

use std::fmt::Write;

use super::document::{DetailDocument, DiffDocument, DifferenceDocument, PlatformDocument};
use crate::escape;

/// Places of one cause that are told unless all are asked for.
const EXAMPLES: usize = 10;
/// Lines of a text's difference that are told unless all are asked for.
const LINES: usize = 12;

/// What the letters of classes stand for, the worst first.
const CLASSES: [(&str, &str); 4] = [("S", "security"), ("N", "content"), ("B", "benign"), ("P", "packaging")];

/// The report, safe to print. `is_whole` tells every place.
pub fn tree(document: &DiffDocument, is_whole: bool) -> String {
    let mut text = String::new();
    if !document.index.is_empty() {
        let _ = writeln!(text, "index: differs");
        causes(&mut text, &document.index, is_whole);
    }
    for platform in &document.platforms {
        heading(&mut text, platform);
        causes(&mut text, &platform.differences, is_whole);
    }
    if document.platforms.is_empty() && document.same {
        text.push_str("the same\n");
    }
    for rule in &document.ignored {
        let path = rule.path.as_deref().map_or_else(String::new, |path| format!(" {}", escape::name(path.as_bytes())));
        let _ = writeln!(text, "ignored: {} {}{path}: {}", rule.matches, rule.code, escape::text(&rule.reason));
    }
    text
}

fn heading(text: &mut String, platform: &PlatformDocument) {
    let name = escape::text(&platform.platform);
    let said = match platform.verdict.as_str() {
        "same" => "the same",
        "packaging" => "the same content, packaged differently",
        "missing" => "only on one side",
        _ => "differs",
    };
    let counts = CLASSES.iter().filter_map(|(letter, word)| {
        let count = platform.differences.iter().filter(|difference| difference.class == *letter).count();
        (count > 0).then(|| format!("{count} {word}"))
    });
    let counts: Vec<String> = counts.collect();
    let counts = if counts.is_empty() { String::new() } else { format!(" ({})", counts.join(", ")) };
    let _ = writeln!(text, "{name}: {said}{counts}");
    for (side, image) in [("first ", &platform.first), ("second", &platform.second)] {
        let digest = image.as_ref().and_then(|image| image.manifest.as_ref().or(image.config.as_ref()));
        if let Some(digest) = digest
            && platform.verdict != "same"
        {
            let _ = writeln!(text, "  {side} {digest}");
        }
    }
    if platform.unread > 0 && platform.verdict != "same" {
        let layers = if platform.unread == 1 { "layer is" } else { "layers are" };
        let _ = writeln!(text, "  {} {layers} the same blob on both sides and not read", platform.unread);
    }
}

/// The differences by class and cause, in their order.
fn causes(text: &mut String, differences: &[DifferenceDocument], is_whole: bool) {
    let mut groups: Vec<Vec<&DifferenceDocument>> = Vec::new();
    for difference in differences.iter().filter(|difference| difference.ignored.is_none()) {
        let is_here = |group: &&mut Vec<&DifferenceDocument>| {
            group.first().is_some_and(|first| first.code == difference.code && first.class == difference.class)
        };
        match groups.iter_mut().find(is_here) {
            Some(group) => group.push(difference),
            None => groups.push(vec![difference]),
        }
    }
    for group in groups {
        let Some(first) = group.first() else { continue };
        let class = CLASSES.iter().find(|(letter, _)| *letter == first.class).map_or("", |(_, word)| word);
        let proof = if first.proof == "proven" { String::new() } else { format!(", {}", first.proof) };
        let message = escape::text(&first.message);
        let _ = writeln!(text, "  {} {} ({class}{proof}): {message}", first.code, first.name);
        let most = if is_whole { usize::MAX } else { EXAMPLES };
        for difference in group.iter().take(most) {
            place(text, difference, is_whole);
        }
        if group.len() > most {
            let _ = writeln!(text, "    … and {} more (`--all`)", group.len() - most);
        }
        let _ = writeln!(text, "    help: {}", escape::text(first.fix.as_ref().unwrap_or(&first.help)));
    }
}

fn place(text: &mut String, difference: &DifferenceDocument, is_whole: bool) {
    let mut parts = Vec::new();
    match difference.layer {
        Some(layer) => parts.push(format!("layer {layer}")),
        None if difference.level != "entry" => parts.push(difference.level.clone()),
        None => {}
    }
    if let Some(path) = &difference.path {
        parts.push(escape::name(path.as_bytes()));
    }
    if let Some(field) = &difference.field {
        parts.push(escape::text(field).into_owned());
    }
    if difference.path.is_some() {
        let presence = match (&difference.first, &difference.second) {
            (Some(_), None) if difference.aspects.is_empty() => "only in the first".to_owned(),
            (None, Some(_)) if difference.aspects.is_empty() => "only in the second".to_owned(),
            _ => difference.aspects.join(", "),
        };
        parts.push(presence);
    }
    let _ = writeln!(text, "    {}", parts.join(" ").trim_end());
    match &difference.detail {
        Some(detail) => self::detail(text, detail, is_whole),
        None => sides(text, difference.first.as_deref(), difference.second.as_deref()),
    }
}

fn sides(text: &mut String, first: Option<&str>, second: Option<&str>) {
    for (sign, side) in [('-', first), ('+', second)] {
        for line in side.into_iter().flat_map(str::lines) {
            let _ = writeln!(text, "      {sign} {}", escape::text(line));
        }
    }
}

fn detail(text: &mut String, detail: &DetailDocument, is_whole: bool) {
    match detail {
        DetailDocument::Text { hunks, more } => {
            let most = if is_whole { usize::MAX } else { LINES };
            let lines = hunks.iter().flat_map(|hunk| {
                let head = format!("@@ -{} +{} @@", hunk.first, hunk.second);
                std::iter::once(head).chain(hunk.lines.iter().cloned())
            });
            let lines: Vec<String> = lines.collect();
            for line in lines.iter().take(most) {
                let _ = writeln!(text, "      {}", escape::visible(line));
            }
            if *more > 0 || lines.len() > most {
                let _ = writeln!(text, "      …");
            }
        }
        DetailDocument::Bytes { at, first, second } => {
            let _ = writeln!(text, "      at byte {at}");
            sides(text, Some(first), Some(second));
        }
        DetailDocument::Package { name, first, second, files } => {
            let version = |version: &Option<String>| {
                version.as_deref().map_or("none".to_owned(), |text| escape::text(text).into_owned())
            };
            let files = if files.is_empty() { String::new() } else { format!(", {} files", files.len()) };
            let _ = writeln!(text, "      {} {} -> {}{files}", escape::text(name), version(first), version(second));
        }
        DetailDocument::Field { name, first, second } => {
            let _ = writeln!(text, "      {}", escape::text(name));
            sides(text, Some(first), Some(second));
        }
    }
}
