//! An image's table of `repro.toml`, before it is text.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;

use serde_json::Value;
use toml_writer::{ToTomlKey, ToTomlValue, TomlKeyBuilder, TomlStringBuilder};

use super::note::Note;
use crate::limits::Limits;
use crate::manifest::Manifest;

/// The order of the keys, as people write them.
const ORDER: [&str; 16] = [
    "context",
    "dockerfile",
    "target",
    "platforms",
    "source-date-epoch",
    "network",
    "secrets",
    "ssh",
    "repository",
    "tags",
    "args",
    "labels",
    "annotations",
    "index-annotations",
    "contexts",
    "output",
];

/// A value of the table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Entry {
    Text(String),
    Number(u64),
    List(Vec<String>),
    Pairs(BTreeMap<String, String>),
}

/// The keys of one image.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Table(BTreeMap<String, Entry>);

impl Table {
    pub(super) fn of(key: &str, entry: Entry) -> Self {
        Self(BTreeMap::from([(key.to_owned(), entry)]))
    }

    pub(super) fn put(&mut self, key: &str, entry: Entry) {
        self.0.insert(key.to_owned(), entry);
    }

    /// Whether the manifest's reader takes it; else its first complaint, safe to print.
    pub(super) fn check(&self) -> Result<(), String> {
        let text = self.text("image", &[], "");
        let (file, root) = (Path::new("/repro.toml"), Path::new("/"));
        match Manifest::parse_with(&text, file, root, &|_| None, &Limits::default()) {
            Ok(_) => Ok(()),
            Err(errors) => {
                Err(errors.problems().first().map_or_else(|| errors.to_string(), |first| first.message.clone()))
            }
        }
    }

    /// A manifest's text of this image alone, what was not carried over in comments.
    pub fn text(&self, image: &str, notes: &[Note], from: &str) -> String {
        let mut text = String::from("version = 1\n\n");
        if !from.is_empty() {
            let _ = writeln!(text, "# Imported from {}.", crate::escape::text(from));
        }
        self.write(&mut text, image, notes);
        text
    }

    /// Writes the image's table, before it what was not carried over.
    pub(super) fn write(&self, text: &mut String, image: &str, notes: &[Note]) {
        if !notes.is_empty() {
            text.push_str("# Not told there, or not carried over:\n");
        }
        for Note { what, why } in notes {
            let _ = writeln!(text, "# - {what}: {why}");
        }
        let image = key(image);
        let _ = writeln!(text, "[image.{image}]");
        for name in ORDER {
            match self.0.get(name) {
                Some(Entry::Text(value)) => {
                    let _ = writeln!(text, "{name} = {}", quoted(value));
                }
                Some(Entry::Number(value)) => {
                    let _ = writeln!(text, "{name} = {value}");
                }
                Some(Entry::List(values)) => {
                    let values: Vec<String> = values.iter().map(|value| quoted(value)).collect();
                    let _ = writeln!(text, "{name} = [{}]", values.join(", "));
                }
                Some(Entry::Pairs(_)) | None => {}
            }
        }
        for name in ORDER {
            if let Some(Entry::Pairs(pairs)) = self.0.get(name) {
                let _ = writeln!(text, "\n[image.{image}.{name}]");
                for (name, value) in pairs {
                    let _ = writeln!(text, "{} = {}", key(name), quoted(value));
                }
            }
        }
    }

    /// The keys as a JSON document has them.
    pub fn to_json(&self) -> BTreeMap<String, Value> {
        let value = |entry: &Entry| match entry {
            Entry::Text(text) => Value::from(text.as_str()),
            Entry::Number(number) => Value::from(*number),
            Entry::List(list) => Value::from(list.clone()),
            Entry::Pairs(pairs) => {
                pairs.iter().map(|(name, value)| (name.clone(), Value::from(value.as_str()))).collect()
            }
        };
        self.0.iter().map(|(name, entry)| (name.clone(), value(entry))).collect()
    }
}

pub(super) fn quoted(text: &str) -> String {
    TomlStringBuilder::new(text).as_basic().to_toml_value()
}

fn key(name: &str) -> String {
    TomlKeyBuilder::new(name).as_default().to_toml_key()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_a_document_says_the_text_is_one_manifest() {
        let odd = "a\"b\n[image.x]\n\u{1b}";
        let mut table = Table::of("args", Entry::Pairs(BTreeMap::from([("A".to_owned(), "1\n\"2".to_owned())])));
        table.put("dockerfile", Entry::Text("d".to_owned()));
        let text = table.text("app", &[Note::new(odd, odd)], odd);
        let manifest = Manifest::parse(&text, Path::new("/r/repro.toml"), Path::new("/r")).unwrap();
        assert_eq!(manifest.images.keys().collect::<Vec<_>>(), ["app"]);
        assert_eq!(manifest.images["app"].args["A"], "1\n\"2");
        let refused = Table::of("target", Entry::Text("a b".to_owned()));
        assert!(refused.check().is_err());
    }
}
