//! One HTML file that holds everything: data, style and script. Nothing is asked of any host.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::document::{DiffDocument, DifferenceDocument, ImageDocument};
use super::group::Packages;
use super::template::{RenderError, render, said};
use crate::digest::Digest;
use crate::escape;

const STYLE: &str = include_str!("templates/report.css");
const SCRIPT: &str = include_str!("templates/report.js");

/// Differences of which both sides and details are shown.
const DETAILED: usize = 20_000;
/// Bytes of details, as JSON.
const DETAILS: usize = 8 << 20;
/// Bytes of all differences, as JSON: what comes beyond is counted only.
const ROWS: usize = 20 << 20;

/// The report as an HTML page.
///
/// # Errors
/// Those of the template.
pub fn html(document: &DiffDocument) -> Result<String, RenderError> {
    let mut data = Data::default();
    let index = !document.index.is_empty();
    let mut platforms = Vec::new();
    let mut table = Vec::new();
    if index {
        data.platform(0, &document.index);
        platforms.push(json!({"name": "index", "verdict": "differs", "first": null, "second": null}));
        table.push(row("index", "differs", "differs", &document.index));
    }
    for platform in &document.platforms {
        let layers = |image: &Option<ImageDocument>| image.as_ref().map(layers);
        data.platform(platforms.len(), &platform.differences);
        let name = escape::visible(&platform.platform);
        platforms.push(json!({
            "name": name,
            "verdict": platform.verdict,
            "first": layers(&platform.first),
            "second": layers(&platform.second),
        }));
        table.push(row(&name, &platform.verdict, said(&platform.verdict), &platform.differences));
    }
    let capped = data.capped();
    // The page draws a tree of them. Those of one path stay in the order of the document.
    data.rows.sort_by(|one, other| components(one).cmp(components(other)));
    let data = json!({"causes": data.causes, "rows": data.rows, "platforms": platforms});
    let side = |side: &Option<super::document::SideDocument>| {
        side.as_ref().map_or_else(String::new, |side| escape::visible(&side.source))
    };
    render(
        "report.html",
        &json!({
            "title": format!("repro diff: {}", super::template::verdict(document)),
            "first": side(&document.first),
            "second": side(&document.second),
            "error": document.error.as_ref().map(|error| escape::visible(&error.message)),
            "platforms": table,
            "capped": capped,
            "style": STYLE,
            "script": SCRIPT,
            "style_digest": digest(STYLE),
            "script_digest": digest(SCRIPT),
            "data": within_script(&data),
        }),
    )
}

/// What a policy names an inline text by.
fn digest(text: &str) -> String {
    STANDARD.encode(Digest::of(text.as_bytes()).as_bytes())
}

/// JSON that can stand in a script element: nothing in it ends the element or begins a comment.
fn within_script(value: &Value) -> String {
    let text = value.to_string();
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => out.push(c),
        }
    }
    out
}

fn row(name: &str, verdict: &str, said: &str, differences: &[DifferenceDocument]) -> Value {
    let count = |letter: &str| differences.iter().filter(|difference| difference.class == letter).count();
    let counts = json!({"S": count("S"), "N": count("N"), "B": count("B"), "P": count("P")});
    json!({"name": name, "verdict": verdict, "said": said, "counts": counts})
}

fn layers(image: &ImageDocument) -> Vec<Value> {
    let layer = |layer: &super::document::LayerDocument| {
        let instruction = layer.instruction.as_deref().map(|text| shown(text, 200));
        json!({"size": layer.size, "instruction": instruction})
    };
    image.layers.iter().map(layer).collect()
}

/// The components of a row's path; none where it has no path.
fn components(row: &Value) -> impl Iterator<Item = &str> {
    row[PATH].as_str().into_iter().flat_map(|path| path.split('/'))
}

fn shown(text: &str, most: usize) -> String {
    let visible = escape::visible(text);
    let mut short: String = visible.chars().take(most).collect();
    if short.len() < visible.len() {
        short.push('…');
    }
    short
}

/// The place of the path in a row.
const PATH: usize = 6;

/// What the page's script reads: causes once each, and a short row a difference.
#[derive(Default)]
struct Data {
    causes: Vec<Value>,
    codes: Vec<String>,
    rows: Vec<Value>,
    bytes: usize,
    details: usize,
    without_details: usize,
    left_out: usize,
}

impl Data {
    fn platform(&mut self, platform: usize, differences: &[DifferenceDocument]) {
        let packages = Packages::of(differences);
        for difference in differences {
            self.add(platform, difference, packages.owner(difference));
        }
    }

    fn add(&mut self, platform: usize, difference: &DifferenceDocument, package: Option<&str>) {
        let known = self.codes.iter().position(|code| *code == difference.code);
        let cause = known.unwrap_or_else(|| {
            self.codes.push(difference.code.clone());
            let DifferenceDocument { code, name, message, help, fix, .. } = difference;
            self.causes.push(json!({"code": code, "name": name, "message": message, "help": help, "fix": fix}));
            self.codes.len() - 1
        });
        let is_detailed = self.rows.len() < DETAILED;
        let side = |text: &Option<String>| {
            text.as_deref().map(|text| if is_detailed { shown(text, 400) } else { String::new() })
        };
        let detail = difference.detail.as_ref().filter(|_| is_detailed);
        let detail = detail.and_then(|detail| {
            let size = serde_json::to_string(detail).map_or(usize::MAX, |text| text.len());
            let left = (DETAILS - self.details).checked_sub(size)?;
            self.details = DETAILS - left;
            Some(detail)
        });
        self.without_details += usize::from(!is_detailed || detail.is_none() && difference.detail.is_some());
        let row = json!([
            platform,
            cause,
            difference.class,
            difference.proof,
            difference.level,
            difference.layer,
            difference.path.as_deref().map(|path| shown(path, 4096)),
            difference.field.as_deref().map(|field| shown(field, 400)),
            difference.aspects,
            side(&difference.first),
            side(&difference.second),
            detail,
            difference.line,
            package.map(|package| shown(package, 400)),
        ]);
        let size = row.to_string().len();
        if self.bytes + size > ROWS {
            self.left_out += 1;
            return;
        }
        self.bytes += size;
        self.rows.push(row);
    }

    /// What is not shown, if anything is not.
    fn capped(&self) -> Option<String> {
        let parts = [
            (self.without_details, "are shown without what is there on both sides"),
            (self.left_out, "are counted above and not shown"),
        ];
        let parts: Vec<String> = parts
            .iter()
            .filter(|(count, _)| *count > 0)
            .map(|(count, what)| format!("{count} differences {what}"))
            .collect();
        (!parts.is_empty()).then(|| format!("{}; the JSON document has all", parts.join(", ")))
    }
}

#[cfg(test)]
mod tests {
    use super::super::document::sample;
    use super::*;

    #[test]
    fn a_page_holds_nothing_that_a_name_could_start_and_asks_nobody() {
        let mut hostile = sample(3);
        hostile.platforms[0].differences[0].path = Some("</script><script>alert(1)</script>".to_owned());
        hostile.first = Some(super::super::document::SideDocument { source: "<img src=x>".to_owned() });
        let page = html(&hostile).unwrap();
        assert_eq!((page.matches("<script").count(), page.matches("</script>").count()), (2, 2));
        assert!(!page.contains("<img") && page.contains("&lt;img"));
        assert!(!page.contains("http:") && !page.contains("https:") && page.contains("default-src 'none'"));
    }

    #[test]
    fn many_differences_stay_below_what_a_browser_takes() {
        let page = html(&sample(100_000)).unwrap();
        assert!(page.len() < 25 << 20, "{}", page.len());
        assert!(page.contains("are shown without what is there on both sides"));
    }
}
