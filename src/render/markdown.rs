//! The report as Markdown, for a comment on a pull request: short whatever the images are.

use serde_json::{Value, json};

use super::document::{DetailDocument, DiffDocument, DifferenceDocument};
use super::group::{Packages, groups, versions};
use super::template::{RenderError, render, said, verdict};
use crate::escape;

/// Characters that a report may have; hosts of pull requests take some more.
const MOST: usize = 48_000;
/// Places of one cause that are told.
const PLACES: usize = 10;
/// Lines of one excerpt, and characters of a line.
const LINES: usize = 20;
const WIDTH: usize = 160;

/// The report as Markdown, below 60,000 characters.
///
/// # Errors
/// Those of the template.
pub fn markdown(document: &DiffDocument) -> Result<String, RenderError> {
    let mut room = Room(MOST);
    let mut is_cut = false;
    let mut platforms = Vec::new();
    let index = (!document.index.is_empty()).then_some(("index", "differs", &document.index));
    let others = document.platforms.iter().map(|one| (one.platform.as_str(), said(&one.verdict), &one.differences));
    for (name, said, differences) in index.into_iter().chain(others) {
        let name = json!(code(name));
        is_cut |= !room.take(&name);
        if is_cut {
            break;
        }
        let mut told = Vec::new();
        let packages = Packages::of(differences);
        for group in groups(differences) {
            let value = value(&group, &packages);
            is_cut |= !room.take(&value);
            if is_cut {
                break;
            }
            told.push(value);
        }
        platforms.push(json!({"name": name, "said": said, "groups": told}));
    }
    let side = |side: &Option<super::document::SideDocument>| {
        side.as_ref().map_or_else(String::new, |side| code(&side.source))
    };
    let (first, second) = (side(&document.first), side(&document.second));
    let verdict = verdict(document);
    let mut ignored = Vec::new();
    for rule in &document.ignored {
        let path = rule.path.as_deref().map_or_else(String::new, |path| format!(" {}", code(path)));
        let reason = plain(&rule.reason.chars().take(WIDTH).collect::<String>());
        let value = json!(format!("{} {}{path}: {reason}", rule.matches, plain(&rule.code)));
        is_cut |= !room.take(&value);
        if is_cut {
            break;
        }
        ignored.push(value);
    }
    let values = json!({
        "verdict": verdict,
        "first": first,
        "second": second,
        "platforms": platforms,
        "ignored": ignored,
        "cut": is_cut,
    });
    render("report.md", &values)
}

/// Characters that are still free.
struct Room(usize);

impl Room {
    /// Takes the place that a value needs, if there is that much.
    fn take(&mut self, value: &Value) -> bool {
        // Marks and line ends that the template adds are fewer than the quotes and names of the value.
        let left = self.0.checked_sub(value.to_string().chars().count() + 40);
        self.0 = left.unwrap_or(0);
        left.is_some()
    }
}

fn value(group: &[&DifferenceDocument], packages: &Packages<'_>) -> Value {
    let first = group[0];
    let class = match first.class.as_str() {
        "S" => "security",
        "N" => "content",
        "B" => "benign",
        _ => "packaging",
    };
    let (own, folded) = packages.fold(group);
    let mut places: Vec<String> = own.iter().take(PLACES).map(|difference| place(difference)).collect();
    let of_package = |(package, count): &(&str, usize)| {
        let files = if *count == 1 { "file" } else { "files" };
        format!("{count} {files} of {}", code(package))
    };
    places.extend(folded.iter().take(PLACES).map(of_package));
    let left_out = folded.iter().skip(PLACES).map(|(_, count)| count).sum::<usize>();
    let proof = if first.proof == "proven" { String::new() } else { format!(", {}", plain(&first.proof)) };
    json!({
        "code": plain(&first.code),
        "name": plain(&first.name),
        "class": class,
        "proof": proof,
        "message": plain(&first.message),
        "places": places,
        "more": own.len().saturating_sub(PLACES) + left_out,
        "excerpt": group.iter().find_map(|difference| excerpt(difference)),
        "help": first.fix.as_deref().map_or_else(|| plain(&first.help), code),
    })
}

fn place(difference: &DifferenceDocument) -> String {
    let mut parts = Vec::new();
    parts.extend(difference.layer.map(|layer| format!("layer {layer}")));
    parts.extend(difference.line.map(|line| format!("(Dockerfile line {line})")));
    parts.extend(difference.path.as_deref().map(code));
    parts.extend(difference.field.as_deref().map(code));
    if !difference.aspects.is_empty() {
        parts.push(difference.aspects.join(", "));
    }
    if let Some(DetailDocument::Package { name, first, second, .. }) = &difference.detail {
        parts.push(code(&versions(name, first.as_deref(), second.as_deref())));
    }
    let side = |text: &Option<String>| text.as_deref().map_or_else(|| "nothing".to_owned(), code);
    if difference.detail.is_none() && (difference.first.is_some() || difference.second.is_some()) {
        parts.push(format!("{} → {}", side(&difference.first), side(&difference.second)));
    }
    parts.join(" ")
}

/// Lines that differ, for a block of code.
fn excerpt(difference: &DifferenceDocument) -> Option<String> {
    let Some(DetailDocument::Text { hunks, .. }) = &difference.detail else { return None };
    let lines = hunks.iter().flat_map(|hunk| &hunk.lines).take(LINES);
    // Nothing in it may end the block.
    let lines = lines.map(|line| escape::visible(line).chars().take(WIDTH).collect::<String>().replace("```", "'''"));
    Some(lines.collect::<Vec<_>>().join("\n"))
}

/// A text as code in a line, whatever is in it.
fn code(text: &str) -> String {
    let text: String = escape::text(text).chars().take(WIDTH).collect();
    let text = text.replace('`', "'").replace('|', "\\u{7c}");
    format!("`{text}`")
}

/// A text as it is, with nothing in it that Markdown or HTML would read.
fn plain(text: &str) -> String {
    let text = escape::visible(text);
    let has_pairs = !text.contains("``") && text.matches('`').count().is_multiple_of(2);
    let mut is_code = false;
    let mut out = String::new();
    for c in text.chars() {
        match c {
            '`' if has_pairs => {
                is_code = !is_code;
                out.push(c);
            }
            c if is_code => out.push(c),
            '<' => out.push_str("&lt;"),
            '&' => out.push_str("&amp;"),
            '*' | '_' | '[' | ']' | '|' | '\\' | '#' | '@' | '`' => out.extend(['\\', c]),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::super::document::{RuleDocument, sample};
    use super::*;

    #[test]
    fn code_in_a_sentence_stays_as_it_is_and_all_else_is_no_markup() {
        for (text, want) in [
            ("set `SOURCE_DATE_EPOCH`, <b>", "set `SOURCE_DATE_EPOCH`, &lt;b>"),
            ("a `b_c` d_e", "a `b_c` d\\_e"),
            ("a ` b_c", "a \\` b\\_c"),
            ("``a_b` `c_d", "\\`\\`a\\_b\\` \\`c\\_d"),
        ] {
            assert_eq!(plain(text), want);
        }
    }

    #[test]
    fn a_report_is_short_whatever_differs_and_nothing_in_it_is_read_as_markup() {
        let small = markdown(&sample(1)).unwrap();
        assert!(small.contains("### `linux/amd64`: differs") && small.contains("- layer 1 `dir0/<b>'`"), "{small}");
        let large = markdown(&sample(100_000)).unwrap();
        assert!(large.chars().count() < 60_000 && large.contains("… and 99990 more"), "{}", large.len());
    }

    #[test]
    fn many_causes_with_long_places_are_cut() {
        let mut many = sample(0);
        for code in 0..500 {
            let mut one = sample(1).platforms[0].differences[0].clone();
            one.code = format!("C{code}");
            one.path = Some("x".repeat(4000));
            many.platforms[0].differences.push(one);
        }
        let text = markdown(&many).unwrap();
        assert!(text.chars().count() < 60_000 && text.contains("shortened"), "{}", text.len());
    }

    #[test]
    fn many_platforms_and_rules_are_cut() {
        let mut many = sample(1);
        many.platforms[0].platform = "|".repeat(4000);
        many.platforms = vec![many.platforms[0].clone(); 500];
        let rule = RuleDocument {
            code: "C061".to_owned(),
            path: Some("|".repeat(4000)),
            reason: "<".repeat(4000),
            expires: None,
            matches: 1,
        };
        for count in [500, 0] {
            many.platforms.truncate(count);
            many.ignored = vec![rule.clone(); 50];
            let text = markdown(&many).unwrap();
            assert!(text.chars().count() < 60_000 && text.contains("shortened"), "{}", text.len());
        }
    }
}
