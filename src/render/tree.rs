//! The report for a terminal: a tree by platform and cause, the worst first.

use std::fmt::Write;

use anstyle::{AnsiColor, Style};

use super::document::{DetailDocument, DiffDocument, DifferenceDocument, PlatformDocument};
use super::group::{Packages, groups, versions};
use super::template::said;
use crate::escape;

/// Places of one cause that are told unless all are asked for.
const EXAMPLES: usize = 10;
/// Lines of a text's difference that are told unless all are asked for.
const LINES: usize = 12;
/// Lines after which causes are told shorter, so that a first screen has all of them.
const SCREEN: usize = 40;
/// Lines after which only the number of places is told of what is no matter of security.
const SCREENS: usize = 80;

/// What the letters of classes stand for, the worst first, and how they look.
const CLASSES: [(&str, &str, Style); 4] = [
    ("S", "security", AnsiColor::Red.on_default().bold()),
    ("N", "content", AnsiColor::Yellow.on_default()),
    ("B", "benign", AnsiColor::Green.on_default()),
    ("P", "packaging", AnsiColor::Cyan.on_default()),
];
const STRONG: Style = Style::new().bold();
const PATH: Style = AnsiColor::Cyan.on_default();
const FIRST: Style = AnsiColor::Red.on_default();
const SECOND: Style = AnsiColor::Green.on_default();
const PLACE: Style = AnsiColor::Magenta.on_default();

/// The report, safe to print where colours may be: whoever prints takes them away elsewhere. `is_whole` tells every place.
pub fn tree(document: &DiffDocument, is_whole: bool) -> String {
    let mut text = String::new();
    if !document.index.is_empty() {
        let _ = writeln!(text, "{}: differs", painted(STRONG, "index"));
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

fn painted(style: Style, text: &str) -> String {
    format!("{style}{text}{style:#}")
}

fn heading(text: &mut String, platform: &PlatformDocument) {
    let name = painted(STRONG, &escape::text(&platform.platform));
    let counts = CLASSES.iter().filter_map(|(letter, word, style)| {
        let count = platform.differences.iter().filter(|difference| difference.class == *letter).count();
        (count > 0).then(|| painted(*style, &format!("{count} {word}")))
    });
    let counts: Vec<String> = counts.collect();
    let counts = if counts.is_empty() { String::new() } else { format!(" ({})", counts.join(", ")) };
    let _ = writeln!(text, "{name}: {}{counts}", said(&platform.verdict));
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

/// The differences by class and cause, in their order; shorter the more lines there are before them.
fn causes(text: &mut String, differences: &[DifferenceDocument], is_whole: bool) {
    let packages = Packages::of(differences);
    let mut used = 0;
    for group in groups(differences) {
        let size = match used {
            _ if is_whole => Size::Whole,
            used if used < SCREEN => Size::Usual,
            used if used < SCREENS || group[0].class == "S" => Size::Short,
            _ => Size::Counted,
        };
        let mut told = String::new();
        self::group(&mut told, &group, &packages, size);
        used += told.lines().count();
        text.push_str(&told);
    }
}

/// How much is told of a cause.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Size {
    Whole,
    Usual,
    /// One place, without what is there.
    Short,
    /// How many places there are.
    Counted,
}

fn group(text: &mut String, group: &[&DifferenceDocument], packages: &Packages<'_>, size: Size) {
    let first = group[0];
    let (class, style) = CLASSES
        .iter()
        .find(|(letter, ..)| *letter == first.class)
        .map_or(("", STRONG), |(_, word, style)| (*word, *style));
    let proof = if first.proof == "proven" { String::new() } else { format!(", {}", first.proof) };
    let message = escape::text(&first.message);
    let code = painted(style, &format!("{} {}", first.code, first.name));
    let _ = write!(text, "  {code} ({class}{proof}): {message}");
    if size == Size::Counted {
        let places = if group.len() == 1 { "place" } else { "places" };
        let _ = writeln!(text, ": {} {places} (`--all`)", group.len());
        return;
    }
    text.push('\n');
    let (own, folded) = if size == Size::Whole { (group.to_vec(), Vec::new()) } else { packages.fold(group) };
    let most = match size {
        Size::Whole => usize::MAX,
        Size::Usual => EXAMPLES,
        _ => 1,
    };
    for difference in own.iter().take(most) {
        place(text, difference, size);
    }
    if own.len() > most {
        let _ = writeln!(text, "    … and {} more (`--all`)", own.len() - most);
    }
    for (package, count) in folded.iter().take(most) {
        let files = if *count == 1 { "file" } else { "files" };
        let _ = writeln!(text, "    {count} {files} of {}", package);
    }
    if folded.len() > most {
        let _ = writeln!(text, "    … and those of {} more packages (`--all`)", folded.len() - most);
    }
    let _ = writeln!(text, "    help: {}", escape::text(first.fix.as_ref().unwrap_or(&first.help)));
}

fn place(text: &mut String, difference: &DifferenceDocument, size: Size) {
    let mut parts = Vec::new();
    match difference.layer {
        Some(layer) => parts.push(format!("layer {layer}")),
        None if difference.level != "entry" => parts.push(difference.level.clone()),
        None => {}
    }
    if let Some(path) = &difference.path {
        parts.push(painted(PATH, &escape::name(path.as_bytes())));
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
    let line = difference.line.map_or_else(String::new, |line| format!(" (Dockerfile line {line})"));
    let _ = writeln!(text, "    {}{line}", parts.join(" ").trim_end());
    match &difference.detail {
        Some(package @ DetailDocument::Package { .. }) => detail(text, package, size),
        _ if size == Size::Short => {}
        Some(detail) => self::detail(text, detail, size),
        None => sides(text, difference.first.as_deref(), difference.second.as_deref()),
    }
}

fn sides(text: &mut String, first: Option<&str>, second: Option<&str>) {
    for (sign, style, side) in [('-', FIRST, first), ('+', SECOND, second)] {
        for line in side.into_iter().flat_map(str::lines) {
            let _ = writeln!(text, "      {}", painted(style, &format!("{sign} {}", escape::text(line))));
        }
    }
}

fn detail(text: &mut String, detail: &DetailDocument, size: Size) {
    match detail {
        DetailDocument::Text { hunks, more } => {
            let most = if size == Size::Whole { usize::MAX } else { LINES };
            let lines = hunks.iter().flat_map(|hunk| {
                let head = (PLACE, format!("@@ -{} +{} @@", hunk.first, hunk.second));
                let line = |line: &String| match line.as_bytes().first() {
                    Some(b'-') => (FIRST, line.clone()),
                    Some(b'+') => (SECOND, line.clone()),
                    _ => (Style::new(), line.clone()),
                };
                std::iter::once(head).chain(hunk.lines.iter().map(line))
            });
            let lines: Vec<(Style, String)> = lines.collect();
            for (style, line) in lines.iter().take(most) {
                let _ = writeln!(text, "      {}", painted(*style, &escape::visible(line)));
            }
            if *more > 0 || lines.len() > most {
                let _ = writeln!(text, "      …");
            }
        }
        DetailDocument::Bytes { at, first, second } => {
            let _ = writeln!(text, "      at byte {at}");
            sides(text, Some(first), Some(second));
        }
        DetailDocument::Package { name, first, second, .. } => {
            let _ = writeln!(text, "      {}", escape::text(&versions(name, first.as_deref(), second.as_deref())));
        }
        DetailDocument::Field { name, first, second } => {
            let _ = writeln!(text, "      {}", escape::text(name));
            sides(text, Some(first), Some(second));
        }
    }
}
