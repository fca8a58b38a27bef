//! The document of differences. Others rely on its keys: more may come, these stay.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::escape;
use crate::explain::{Detail, Difference, Fix, IgnoreRule, Line};
use crate::image::validate::{ImageFacts, LayerFacts};

/// Why two places differ.
#[derive(Clone, Debug, Deserialize, JsonSchema, Serialize)]
pub struct DiffDocument {
    /// Of this form; 1.
    pub version: u32,
    /// The exit status.
    pub status: u8,
    /// What `repro verify` held the rebuilt image against; absent in documents of `repro diff`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub question: Option<QuestionName>,
    /// Whether nothing differs: exactly with status 0, unless `--ignore` or `--exit-zero` gave that.
    pub same: bool,
    /// The first place.
    pub first: Option<SideDocument>,
    /// The second place.
    pub second: Option<SideDocument>,
    /// How what lists the images differs, attestations among it.
    pub index: Vec<DifferenceDocument>,
    /// The images, by platform.
    pub platforms: Vec<PlatformDocument>,
    /// The rules of `--ignore`, each with how many differences it named.
    pub ignored: Vec<RuleDocument>,
    /// What went wrong; then nothing was compared.
    pub error: Option<ReportError>,
}

/// What a rebuilt image was held against.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum QuestionName {
    /// The published image.
    Published,
    /// The recorded image's bytes.
    Recorded,
    /// A second build.
    SecondBuild,
    /// Nothing: it is the image that was meant.
    Nothing,
}

/// A rule that says which differences are expected.
#[derive(Clone, Debug, Deserialize, JsonSchema, Serialize)]
pub struct RuleDocument {
    /// The cause that it is about.
    pub code: String,
    /// The pattern of paths; null for a cause that has no path.
    pub path: Option<String>,
    /// Why it is expected.
    pub reason: String,
    /// The last day on which it holds.
    pub expires: Option<String>,
    /// How many differences it named.
    pub matches: u64,
}

/// One of the two places.
#[derive(Clone, Debug, Deserialize, JsonSchema, Serialize)]
pub struct SideDocument {
    /// As it was typed, safe to print.
    pub source: String,
}

/// What went wrong.
#[derive(Clone, Debug, Deserialize, JsonSchema, Serialize)]
pub struct ReportError {
    /// The exit status that this error stands for.
    pub status: u8,
    /// One or more lines for people.
    pub message: String,
    /// What to do next.
    pub hint: Option<String>,
}

/// The images of one platform.
#[derive(Clone, Debug, Deserialize, JsonSchema, Serialize)]
pub struct PlatformDocument {
    /// `os/arch[/variant]`, or `unknown`.
    pub platform: String,
    /// `same`: the same digests. `packaging`: the same content in another packaging. `differs`: other content.
    /// `missing`: only one side has an image for the platform.
    pub verdict: String,
    /// The first image; none if there is none for this platform.
    pub first: Option<ImageDocument>,
    /// The second image.
    pub second: Option<ImageDocument>,
    /// How many layers were not read, because both sides name the same blob.
    pub unread: u64,
    /// How they differ, the worst first.
    pub differences: Vec<DifferenceDocument>,
}

/// One image.
#[derive(Clone, Debug, Deserialize, JsonSchema, Serialize)]
pub struct ImageDocument {
    /// Digest of the image manifest; none in docker archives, which have none.
    pub manifest: Option<String>,
    /// Digest of the config.
    pub config: Option<String>,
    /// The layers, base first.
    pub layers: Vec<LayerDocument>,
}

/// One layer.
#[derive(Clone, Debug, Deserialize, JsonSchema, Serialize)]
pub struct LayerDocument {
    /// Of the uncompressed layer.
    #[serde(rename = "diffId")]
    pub diff_id: Option<String>,
    /// Of the stored blob.
    pub digest: Option<String>,
    /// Stored bytes.
    pub size: u64,
    /// The instruction that made it, as the config's history words it.
    pub instruction: Option<String>,
}

/// One difference with its cause.
#[derive(Clone, Debug, Deserialize, JsonSchema, Serialize)]
pub struct DifferenceDocument {
    /// The cause; `docs/diff.md` lists all.
    pub code: String,
    /// The cause in words.
    pub name: String,
    /// `S`: it may matter for security. `N`: content differs. `B`: benign, and proven so. `P`: packaging only.
    pub class: String,
    /// `proven`, `likely` or `possible`.
    pub proof: String,
    /// `index`, `manifest`, `config`, `history`, `layer` or `entry`.
    pub level: String,
    /// The layer, counted from 1, base first: in the first image, or in the second where only that has it.
    pub layer: Option<u64>,
    /// The path without a leading slash; a place inside the file follows after `!/`. What is not UTF-8 is replaced.
    pub path: Option<String>,
    /// The path exactly, where it is not UTF-8.
    #[serde(rename = "pathBase64", skip_serializing_if = "Option::is_none")]
    pub path_base64: Option<String>,
    /// The field of a document, or the key of an annotation or attribute.
    pub field: Option<String>,
    /// Of `content`, `mode`, `owner`, `mtime`, `target`, `kind`, `device`, `attributes`; empty where only one side has
    /// the path.
    pub aspects: Vec<String>,
    /// What the first has there.
    pub first: Option<String>,
    /// What the second has there.
    pub second: Option<String>,
    /// The line of the Dockerfile, where that is at hand.
    pub line: Option<u64>,
    /// What is the matter, for a person.
    pub message: String,
    /// What to do about it.
    pub help: String,
    /// The change that removes it, to be copied.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fix: Option<String>,
    /// What differs in the content.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<DetailDocument>,
    /// Why it is expected, where a rule of `--ignore` names it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ignored: Option<String>,
}

/// What differs in a content.
#[derive(Clone, Debug, Deserialize, JsonSchema, Serialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum DetailDocument {
    /// Lines of text.
    Text {
        /// Some of the places that differ.
        hunks: Vec<HunkDocument>,
        /// How many more there are.
        more: u64,
    },
    /// Bytes around the first difference, as hex digits.
    Bytes {
        /// Where both windows start.
        at: u64,
        /// What the first has there.
        first: String,
        /// What the second has there.
        second: String,
    },
    /// A package.
    Package {
        /// Its name.
        name: String,
        /// Its version in the first.
        first: Option<String>,
        /// Its version in the second.
        second: Option<String>,
        /// Paths that belong to it.
        files: Vec<String>,
    },
    /// A named part.
    Field {
        /// Its name.
        name: String,
        /// What the first has there.
        first: String,
        /// What the second has there.
        second: String,
    },
}

/// Lines around one difference.
#[derive(Clone, Debug, Deserialize, JsonSchema, Serialize)]
pub struct HunkDocument {
    /// The number of its first line in the first file.
    pub first: u64,
    /// The same in the second.
    pub second: u64,
    /// The lines, each behind a blank (in both), `-` (only in the first) or `+` (only in the second).
    pub lines: Vec<String>,
}

impl DiffDocument {
    /// A document of nothing, for what went wrong.
    pub fn of_error(error: ReportError) -> Self {
        Self {
            version: 1,
            status: error.status,
            question: None,
            same: false,
            first: None,
            second: None,
            index: Vec::new(),
            platforms: Vec::new(),
            ignored: Vec::new(),
            error: Some(error),
        }
    }
}

impl RuleDocument {
    /// The document of a rule.
    pub fn of(rule: &IgnoreRule) -> Self {
        let IgnoreRule { code, path, reason, expires, matches, .. } = rule.clone();
        Self { code, path, reason, expires, matches }
    }
}

impl ImageDocument {
    /// The document of an image.
    pub fn of(image: &ImageFacts) -> Self {
        let history = image.config.as_ref().and_then(|config| config.history.as_ref());
        let made = history.into_iter().flatten().filter(|item| !item.is_empty);
        let instructions: Vec<String> = made.map(|item| item.created_by.clone()).collect();
        let layer = |(place, layer): (usize, &LayerFacts)| LayerDocument {
            diff_id: layer.diff_id.map(|digest| digest.to_string()),
            digest: layer.digest.map(|digest| digest.to_string()),
            size: layer.size,
            instruction: instructions.get(place).cloned(),
        };
        Self {
            manifest: image.manifest.map(|digest| digest.to_string()),
            config: image.config_digest.map(|digest| digest.to_string()),
            layers: image.layers.iter().enumerate().map(layer).collect(),
        }
    }
}

impl DifferenceDocument {
    /// The document of a difference.
    pub fn of(difference: &Difference) -> Self {
        let Difference { cause, path, place, .. } = difference;
        let inside = place.as_ref().map_or_else(String::new, |place| format!("!/{place}"));
        let full = path.as_ref().map(|path| [path.as_slice(), inside.as_bytes()].concat());
        let exact = path.as_ref().filter(|path| std::str::from_utf8(path).is_err());
        let layer = difference.layer.map(|layer| layer as u64);
        Self {
            code: cause.code.to_owned(),
            name: cause.name.to_owned(),
            class: difference.class.letter().to_owned(),
            proof: difference.proof.name().to_owned(),
            level: difference.level.name().to_owned(),
            layer,
            path: full.map(|path| String::from_utf8_lossy(&path).into_owned()),
            path_base64: exact.map(|path| STANDARD.encode(path)),
            field: difference.field.clone(),
            aspects: difference.aspects.iter().map(|aspect| aspect.name().to_owned()).collect(),
            first: difference.first.clone(),
            second: difference.second.clone(),
            line: difference.line.map(u64::from),
            message: cause.sentence.to_owned(),
            help: cause.help.to_owned(),
            fix: difference.fix().as_ref().map(fix),
            detail: difference.detail.as_ref().map(DetailDocument::of),
            ignored: difference.ignored.clone(),
        }
    }
}

/// A fix as it stands in a manifest, or what to change in a Dockerfile.
fn fix(fix: &Fix) -> String {
    match fix {
        Fix::Scrub(profile) => format!("scrub = [\"{profile}\"]"),
        Fix::RunEnv { name, value, .. } => format!("run-env = {{ {name} = \"{value}\" }}"),
        Fix::Dockerfile(text) => (*text).to_owned(),
    }
}

impl DetailDocument {
    fn of(detail: &Detail) -> Self {
        let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        match detail {
            Detail::Text { hunks, more } => {
                let line = |line: &Line| match line {
                    Line::Both(text) => format!(" {}", escape::bytes(text)),
                    Line::First(text) => format!("-{}", escape::bytes(text)),
                    Line::Second(text) => format!("+{}", escape::bytes(text)),
                };
                let hunks = hunks.iter().map(|hunk| HunkDocument {
                    first: hunk.first,
                    second: hunk.second,
                    lines: hunk.lines.iter().map(line).collect(),
                });
                Self::Text { hunks: hunks.collect(), more: *more }
            }
            Detail::Bytes { at, first, second } => Self::Bytes { at: *at, first: hex(first), second: hex(second) },
            Detail::Package { name, first, second, files } => Self::Package {
                name: name.clone(),
                first: first.clone(),
                second: second.clone(),
                files: files.iter().map(|path| escape::bytes(path)).collect(),
            },
            Detail::Field { name, first, second } => {
                Self::Field { name: name.clone(), first: first.clone(), second: second.clone() }
            }
        }
    }
}

/// A document of so many differing files with hostile names, for tests of reports.
#[cfg(test)]
pub(super) fn sample(count: usize) -> DiffDocument {
    let difference = |at: usize| DifferenceDocument {
        code: "C120".to_owned(),
        name: "unexplained".to_owned(),
        class: "S".to_owned(),
        proof: "possible".to_owned(),
        level: "entry".to_owned(),
        layer: Some(1),
        path: Some(if at == 0 { "dir0/<b>`".to_owned() } else { format!("dir{}/file{at}", at % 100) }),
        path_base64: None,
        field: None,
        aspects: vec!["content".to_owned()],
        first: Some(format!("10 bytes, sha256:{}", "a".repeat(64))),
        second: Some(format!("12 bytes, sha256:{}", "b".repeat(64))),
        line: None,
        message: "the content differs".to_owned(),
        help: "look at it".to_owned(),
        fix: None,
        detail: None,
        ignored: None,
    };
    let platform = PlatformDocument {
        platform: "linux/amd64".to_owned(),
        verdict: "differs".to_owned(),
        first: None,
        second: None,
        unread: 0,
        differences: (0..count).map(difference).collect(),
    };
    DiffDocument {
        platforms: vec![platform],
        error: None,
        ..DiffDocument::of_error(ReportError { status: 1, message: String::new(), hint: None })
    }
}
