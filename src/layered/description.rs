//! The JSON description that `dockerTools` hands to its script.

use jiff::tz::TimeZone;

use super::base::Base;
use super::closure::Closure;
use super::date::Date;
use super::error::LayeredError;
use super::json::{self, Json};
use super::member::Owner;
use super::text::Text;

/// What a description does not say itself.
pub struct Surroundings<'a> {
    /// The tag in place of the description's; an empty one is none.
    pub tag: Option<&'a str>,
    /// What `now` means, in seconds since 1970.
    pub now: u64,
    /// Where a time without an offset is.
    pub zone: TimeZone,
    /// Whether the layers come from elsewhere, and `store_layers` need not be there.
    pub is_layered_elsewhere: bool,
}

impl Default for Surroundings<'_> {
    /// In 1970, in UTC.
    fn default() -> Self {
        Self { tag: None, now: 0, zone: TimeZone::UTC, is_layered_elsewhere: false }
    }
}

/// What image to write.
#[derive(Clone, Debug)]
pub struct Description {
    /// Any value; docker wants a text.
    pub architecture: Json,
    /// The config's `config`.
    pub config: Json,
    /// The config's date, as it is printed.
    pub created: String,
    /// Of all entries of the layers.
    pub owner: Owner,
    /// The base image's archive.
    pub base: Option<Text>,
    /// The tag; any value.
    pub tag: Json,
    /// What every path of a layer starts with.
    pub store: Text,
    /// The paths of each layer.
    pub layers: Vec<Vec<Text>>,
    /// The directory of the last layer.
    pub customisation: Text,
}

impl Description {
    /// Reads a description.
    ///
    /// # Errors
    /// Text that is no JSON, a key that is missing or unusable, a path outside the store.
    pub fn read(document: &[u8], surroundings: &Surroundings<'_>) -> Result<Self, LayeredError> {
        let keys = Keys(json::read(document)?);
        let mtime = keys.date("mtime", surroundings)?;
        let mtime = mtime.seconds(&surroundings.zone).ok_or_else(|| keys.error("mtime", "a date"))?;
        let owner = Owner {
            uid: keys.integer("uid")?,
            gid: keys.integer("gid")?,
            uname: keys.text("uname")?,
            gname: keys.text("gname")?,
            mtime: mtime.into(),
        };
        let tag = match surroundings.tag.filter(|tag| !tag.is_empty()) {
            Some(tag) => Json::Text(tag.into()),
            None => keys.get("repo_tag")?.clone(),
        };
        let base = match keys.get("from_image")? {
            Json::Null => None,
            _ => Some(keys.text("from_image")?),
        };
        let store = keys.text("store_dir")?;
        let layers = if surroundings.is_layered_elsewhere { Vec::new() } else { keys.layers()? };
        let description = Self {
            architecture: keys.get("architecture")?.clone(),
            config: keys.get("config")?.clone(),
            created: keys.date("created", surroundings)?.text(),
            owner,
            base,
            tag,
            store,
            layers: Vec::new(),
            customisation: keys.text("customisation_layer")?,
        };
        description.with_layers(layers)
    }

    /// The same with these layers.
    ///
    /// # Errors
    /// A path outside the store.
    pub fn with_layers(mut self, layers: Vec<Vec<Text>>) -> Result<Self, LayeredError> {
        for path in layers.iter().flatten() {
            if !path.code_points().starts_with(self.store.code_points()) {
                return Err(LayeredError::Outside { path: path.shown(), store: self.store.shown() });
            }
        }
        self.layers = layers;
        Ok(self)
    }

    /// The same with the layers of `closure`; there are at most `most`, that of the customisation and the `base`'s among
    /// them.
    ///
    /// # Errors
    /// A path outside the store, no room for it.
    pub fn layered(self, closure: Closure, most: usize, base: Option<&Base>) -> Result<Self, LayeredError> {
        let used = base.map_or(0, |base| base.layers.len()) + 1;
        let left = most.checked_sub(used).filter(|left| *left > 0).ok_or(LayeredError::NoRoom { most, used })?;
        let layers = closure.layers(left, &self.customisation);
        self.with_layers(layers)
    }
}

struct Keys(Json);

impl Keys {
    fn error(&self, key: &'static str, expected: &'static str) -> LayeredError {
        let found = match self.0.get(key) {
            None => "nothing".to_owned(),
            Some(Json::List(_)) => "a list".to_owned(),
            Some(Json::Object(_)) => "an object".to_owned(),
            Some(Json::Text(text)) => format!("`{}`", text.shown()),
            Some(value) => format!("`{}`", value.text()),
        };
        LayeredError::Key { key, expected, found }
    }

    fn get(&self, key: &'static str) -> Result<&Json, LayeredError> {
        self.0.get(key).ok_or_else(|| self.error(key, "a value"))
    }

    fn text(&self, key: &'static str) -> Result<Text, LayeredError> {
        self.get(key)?.as_text().cloned().ok_or_else(|| self.error(key, "a text"))
    }

    fn date(&self, key: &'static str, surroundings: &Surroundings<'_>) -> Result<Date, LayeredError> {
        let text = self.text(key)?.utf8();
        let date = match text.as_deref() {
            Some("now") => Date::from_seconds(surroundings.now),
            text => text.and_then(Date::read),
        };
        date.ok_or_else(|| self.error(key, "`now` or an ISO 8601 date"))
    }

    /// What `int` makes of the value.
    fn integer(&self, key: &'static str) -> Result<i128, LayeredError> {
        let number = match self.get(key)? {
            Json::Bool(is_one) => Some(i128::from(*is_one)),
            Json::Integer(digits) => digits.parse().ok(),
            // Far from the largest number a header's text could hold.
            Json::Float(number) => (number.abs() < 1e30).then_some(*number as i128),
            Json::Text(text) => text.utf8().and_then(|text| integer(&text)),
            _ => None,
        };
        number.ok_or_else(|| self.error(key, "a whole number"))
    }

    fn layers(&self) -> Result<Vec<Vec<Text>>, LayeredError> {
        let error = || self.error("store_layers", "a list of lists of paths");
        let Json::List(layers) = self.get("store_layers")? else { return Err(error()) };
        layers.iter().map(|paths| paths.texts().ok_or_else(error)).collect()
    }
}

/// Decimal digits with blanks around and single `_` between them.
fn integer(text: &str) -> Option<i128> {
    let text = text.trim();
    let is_apart = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if !digits.split('_').all(is_apart) {
        return None;
    }
    text.replace('_', "").parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(change: &str, tag: Option<&str>) -> Result<Description, LayeredError> {
        let text = r#"{"architecture": "amd64", "config": {}, "created": "now", "mtime": "1970-01-01T00:00:01+00:00",
            "uid": "0", "gid": 7, "uname": "root", "gname": "root", "store_dir": "/nix/store", "from_image": null,
            "repo_tag": "a:1", "store_layers": [["/nix/store/a"]], "customisation_layer": "/nix/store/c""#;
        let surroundings = Surroundings { tag, now: 86_400, ..Surroundings::default() };
        Description::read(format!("{text}{change}}}").as_bytes(), &surroundings)
    }

    #[test]
    fn values_are_taken_as_the_script_takes_them() {
        let description = read("", Some("")).expect("a description");
        assert_eq!(description.created, "1970-01-02T00:00:00+00:00");
        assert_eq!((description.owner.uid, description.owner.gid, description.owner.mtime), (0, 7, 1));
        assert_eq!(description.tag, Json::Text("a:1".into()));
        assert_eq!(read("", Some("b:2")).expect("a description").tag, Json::Text("b:2".into()));
        for (text, want) in [(r#"" 1_000 ""#, 1000), (r#""-3""#, -3), ("2.9", 2), ("true", 1)] {
            let change = format!(r#", "uid": {text}"#);
            assert_eq!(read(&change, None).expect("a description").owner.uid, want, "{text}");
        }
    }

    #[test]
    fn what_is_unusable_is_named() {
        for (change, want) in [
            (r#", "uid": "x""#, "the description's `uid`: expected a whole number, found `x`"),
            (r#", "uid": "1__0""#, "the description's `uid`: expected a whole number, found `1__0`"),
            (r#", "uname": null"#, "the description's `uname`: expected a text, found `null`"),
            (r#", "mtime": "soon""#, "the description's `mtime`: expected `now` or an ISO 8601 date, found `soon`"),
            (
                r#", "store_layers": ["/nix/store/a"]"#,
                "the description's `store_layers`: expected a list of lists of paths, found a list",
            ),
            (r#", "store_layers": [["/opt/x"]]"#, "`/opt/x` is outside `/nix/store`"),
        ] {
            assert_eq!(read(change, None).expect_err(change).to_string(), want);
        }
    }
}
