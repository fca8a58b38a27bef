//! Changes to a person's `repro.toml` that leave everything else as it was written.

use toml_edit::{Array, DocumentMut, Item, TableLike, Value};

use crate::status::{ExitStatus, Status};

/// The manifest can't be changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EditError {
    /// It is no TOML any more.
    #[error("`repro.toml` can't be changed: {0}")]
    Syntax(String),
    /// It has no such image, or what stands there is something else.
    #[error("`repro.toml` can't be changed: `{0}` is not where it should be")]
    Missing(String),
}

impl ExitStatus for EditError {
    fn status(&self) -> Status {
        Status::Usage
    }
}

/// The manifest `text` with `rules` added to the `scrub` of an image, those that are there already left out.
///
/// # Errors
/// When the text is no TOML, has no such image, or its `scrub` is no list.
pub fn add_scrub(text: &str, image: &str, rules: &[&str]) -> Result<String, EditError> {
    let mut document: DocumentMut = text
        .parse()
        .map_err(|error: toml_edit::TomlError| EditError::Syntax(crate::escape::text(error.message()).into_owned()))?;
    let missing = |key: &str| EditError::Missing(crate::escape::text(key).into_owned());
    let images = table(document.get_mut("image")).ok_or_else(|| missing("image"))?;
    let name = format!("image.{image}");
    let item = images.get_mut(image).ok_or_else(|| missing(&name))?;
    let fields = table(Some(&mut *item)).ok_or_else(|| missing(&name))?;
    let list = fields.entry("scrub").or_insert(Item::Value(Value::Array(Array::new())));
    let list = list.as_array_mut().ok_or_else(|| missing(&format!("{name}.scrub")))?;
    for rule in rules {
        if list.iter().any(|known| known.as_str() == Some(rule)) {
            continue;
        }
        // A list with a line an entry stays one.
        let before = list.iter().last().and_then(|last| Some(last.decor().prefix()?.as_str()?.to_owned()));
        let mut value = Value::from(*rule);
        if let Some(before) = before.filter(|before| before.contains('\n')) {
            value.decor_mut().set_prefix(before);
            list.push_formatted(value);
        } else {
            list.push(value);
        }
    }
    if let Some(inline) = item.as_inline_table_mut() {
        inline.fmt();
    }
    Ok(document.to_string())
}

fn table(item: Option<&mut Item>) -> Option<&mut dyn TableLike> {
    item.and_then(Item::as_table_like_mut)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_list_changes() {
        let head = "# mine\nversion = 1\n\n[image.app] # the app\n";
        let tail = "\n[image.app.output]\ncompression = \"gzip\"\n";
        for (before, after) in [
            ("context = \".\"\n", "context = \".\"\nscrub = [\"a\", \"b\"]\n"),
            ("scrub = [] # noise\n", "scrub = [\"a\", \"b\"] # noise\n"),
            ("scrub = [\"b\"]\n", "scrub = [\"b\", \"a\"]\n"),
            ("scrub = [\n    \"b\", # why\n]\n", "scrub = [\n    \"b\",\n    \"a\", # why\n]\n"),
            (
                "scrub = [\n    \"x\",\n    \"y\",\n]\n",
                "scrub = [\n    \"x\",\n    \"y\",\n    \"a\",\n    \"b\",\n]\n",
            ),
        ] {
            let text = add_scrub(&format!("{head}{before}{tail}"), "app", &["a", "b"]).unwrap();
            assert_eq!(text, format!("{head}{after}{tail}"));
        }
        for (before, after) in [
            ("image.app.context = \".\"\n", "image.app.context = \".\"\nimage.app.scrub = [\"a\"]\n"),
            ("[image]\napp = { context = \".\" }\n", "[image]\napp = { context = \".\", scrub = [\"a\"] }\n"),
        ] {
            assert_eq!(add_scrub(before, "app", &["a"]).unwrap(), after);
        }
    }

    #[test]
    fn what_is_not_as_it_should_be_is_left_alone() {
        for (text, want) in [
            ("image = 1", "`repro.toml` can't be changed: `image` is not where it should be"),
            ("[image.other]", "`repro.toml` can't be changed: `image.app` is not where it should be"),
            ("[image.app]\nscrub = 1", "`repro.toml` can't be changed: `image.app.scrub` is not where it should be"),
        ] {
            assert_eq!(add_scrub(text, "app", &["a"]).unwrap_err().to_string(), want);
        }
        assert!(matches!(add_scrub("=", "app", &["a"]), Err(EditError::Syntax(_))));
    }
}
