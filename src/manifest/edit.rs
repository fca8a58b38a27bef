//! Changes to a person's `repro.toml` that leave everything else as it was written.

use toml_edit::{Array, DocumentMut, InlineTable, Item, TableLike, Value};

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
    change(text, image, |fields| {
        let list = fields.entry("scrub").or_insert(Item::Value(Value::Array(Array::new())));
        add_to_list(list.as_array_mut().ok_or("scrub")?, rules);
        Ok(())
    })
}

/// The manifest `text` with `variables` added to the `run-env` of an image, those that are there already left as they are.
///
/// # Errors
/// When the text is no TOML, has no such image, or its `run-env` is no table.
pub fn add_run_env(text: &str, image: &str, variables: &[(&str, &str)]) -> Result<String, EditError> {
    change(text, image, |fields| {
        let item = fields.entry("run-env").or_insert(Item::Value(Value::InlineTable(InlineTable::new())));
        let known = item.as_table_like_mut().ok_or("run-env")?;
        for (name, value) in variables {
            if !known.contains_key(name) {
                known.insert(name, Item::Value(Value::from(*value)));
            }
        }
        if let Some(inline) = item.as_inline_table_mut() {
            inline.fmt();
        }
        Ok(())
    })
}

/// Changes the fields of one image; what `change` does not find is named by its key.
fn change(
    text: &str,
    image: &str,
    change: impl FnOnce(&mut dyn TableLike) -> Result<(), &'static str>,
) -> Result<String, EditError> {
    let mut document: DocumentMut = text
        .parse()
        .map_err(|error: toml_edit::TomlError| EditError::Syntax(crate::escape::text(error.message()).into_owned()))?;
    let missing = |key: &str| EditError::Missing(crate::escape::text(key).into_owned());
    let images = table(document.get_mut("image")).ok_or_else(|| missing("image"))?;
    let name = format!("image.{image}");
    let item = images.get_mut(image).ok_or_else(|| missing(&name))?;
    let fields = table(Some(&mut *item)).ok_or_else(|| missing(&name))?;
    change(fields).map_err(|key| missing(&format!("{name}.{key}")))?;
    if let Some(inline) = item.as_inline_table_mut() {
        inline.fmt();
    }
    Ok(document.to_string())
}

fn add_to_list(list: &mut Array, rules: &[&str]) {
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
    fn variables_are_added_where_they_stand_and_known_ones_stay() {
        for (before, after) in [
            ("[image.app]\n", "[image.app]\nrun-env = { A = \"epoch\", B = \"1\" }\n"),
            (
                "[image.app]\nrun-env = { A = \"x\" } # mine\n",
                "[image.app]\nrun-env = { A = \"x\", B = \"1\" } # mine\n",
            ),
            (
                "[image.app]\nscrub = []\n[image.app.run-env]\nC = \"c\"\n",
                "[image.app]\nscrub = []\n[image.app.run-env]\nC = \"c\"\nA = \"epoch\"\nB = \"1\"\n",
            ),
        ] {
            assert_eq!(add_run_env(before, "app", &[("A", "epoch"), ("B", "1")]).unwrap(), after, "{before}");
        }
        assert!(add_run_env("[image.app]\nrun-env = 1\n", "app", &[]).is_err());
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
