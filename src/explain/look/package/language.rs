//! Packages of languages: what each one says about itself where it is installed.

use serde_json::{Map, Value};

use super::super::by_path::ByPath;
use super::super::pair::{Found, Pair};
use super::super::reason::Reason;
use super::stanza::stanzas;
use super::version::Scheme;
use super::{Packages, change, changes};

/// How a file names its package and its version.
#[derive(Clone, Copy)]
enum Form {
    /// Lines of `Name: value`: the two names.
    Fields(&'static str, &'static str),
    /// A JSON object with `name` and `version`.
    Json,
    /// A JSON object of `packages`, by path or as a list.
    JsonList,
    /// A line that sets a version: what stands before it.
    Assigned(&'static str),
}

static FILES: ByPath<Form> = ByPath::new(&[
    ("/**/*.dist-info/METADATA", Form::Fields("Name", "Version")),
    ("/**/*.egg-info/PKG-INFO", Form::Fields("Name", "Version")),
    ("/**/*.egg-info", Form::Fields("Name", "Version")),
    ("/**/META-INF/MANIFEST.MF", Form::Fields("Implementation-Title", "Implementation-Version")),
    ("/**/META-INF/MANIFEST.MF", Form::Fields("Bundle-SymbolicName", "Bundle-Version")),
    ("/**/site-library/*/DESCRIPTION", Form::Fields("Package", "Version")),
    ("/**/library/*/DESCRIPTION", Form::Fields("Package", "Version")),
    ("/**/node_modules/*/package.json", Form::Json),
    ("/**/node_modules/@*/*/package.json", Form::Json),
    ("/**/conda-meta/*.json", Form::Json),
    ("/**/node_modules/.package-lock.json", Form::JsonList),
    ("/**/vendor/composer/installed.json", Form::JsonList),
    ("/**/specifications/*.gemspec", Form::Assigned("s.version = ")),
    ("/**/META-INF/maven/*/*/pom.properties", Form::Assigned("version=")),
]);

/// C060 where the version differs. What else differs goes with the version.
pub(super) fn look(pair: &Pair<'_>) -> Option<Found> {
    FILES.all(pair.path).find_map(|form| Found::of(by_form(pair, *form)?))
}

fn by_form(pair: &Pair<'_>, form: Form) -> Option<Vec<Reason>> {
    if let Form::JsonList = form {
        let [first, second] = pair.parsed(listed)?;
        return Some(changes(&first, &second, &Packages::new(), Scheme::Loose));
    }
    let [first, second] = pair.parsed(|content| stated(pair.path, content, form))?;
    let has_changed = first.0 == second.0 && first.1 != second.1;
    has_changed.then(|| vec![change(&first.0, Some(first.1), Some(second.1), Scheme::Loose)])
}

/// The package that a file is of, which only one image has: its name and its version.
pub(super) fn of(path: &[u8], content: &[u8]) -> Option<(String, String)> {
    FILES.all(path).find_map(|form| stated(path, content, *form))
}

/// The name and the version that the file states.
fn stated(path: &[u8], content: &[u8], form: Form) -> Option<(String, String)> {
    match form {
        Form::JsonList => None,
        Form::Json => named(&serde_json::from_slice(content).ok()?),
        Form::Fields(name, version) => {
            let stanzas = stanzas(content);
            let first = stanzas.first()?;
            Some((first.text(name).unwrap_or_else(|| file_name(path)), first.text(version)?))
        }
        Form::Assigned(before) => {
            let lines = content.split(|&byte| byte == b'\n');
            let value = lines.map(<[u8]>::trim_ascii).find_map(|line| line.strip_prefix(before.as_bytes()))?;
            let value = String::from_utf8_lossy(value);
            let value = value.trim_matches(['"', '\'']).trim_end_matches(".freeze").trim_matches(['"', '\'']);
            Some((file_name(path), value.to_owned()))
        }
    }
}

/// A name for a package that its file does not tell.
fn file_name(path: &[u8]) -> String {
    let name = path.rsplit(|&byte| byte == b'/').next().unwrap_or_default();
    String::from_utf8_lossy(name).trim_end_matches(".gemspec").to_owned()
}

fn named(value: &Value) -> Option<(String, String)> {
    let text = |key| Some(value.get(key)?.as_str()?.to_owned());
    Some((text("name")?, text("version")?))
}

/// The packages of a list by name, or of an object by path.
fn listed(content: &[u8]) -> Option<Packages> {
    let document: Map<String, Value> = serde_json::from_slice(content).ok()?;
    let mut packages = Packages::new();
    let mut add = |name: &str, version: &str| {
        packages.entry(name.to_owned()).or_default().insert(version.to_owned());
    };
    match document.get("packages")? {
        Value::Object(by_path) => by_path.iter().for_each(|(path, package)| {
            if let Some(version) = package.get("version").and_then(Value::as_str) {
                add(path.strip_prefix("node_modules/").unwrap_or(path), version);
            }
        }),
        Value::Array(list) => list.iter().filter_map(named).for_each(|(name, version)| add(&name, &version)),
        _ => return None,
    }
    Some(packages)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::explain::look::told;

    #[test]
    fn every_pattern_can_be_read() {
        assert!(FILES.unreadable().is_empty());
    }

    #[test]
    fn another_version_is_a_package() {
        for (path, first, second, want) in [
            (
                "app/node_modules/x/package.json",
                r#"{"name":"x","version":"1.9.0"}"#,
                r#"{"name":"x","version":"1.10.0","a":1}"#,
                "C060 Proven",
            ),
            (
                "app/node_modules/@a/x/package.json",
                r#"{"name":"@a/x","version":"2.0.0"}"#,
                r#"{"name":"@a/x","version":"1.0.0"}"#,
                "C060 Proven S",
            ),
            (
                "app/node_modules/x/package.json",
                r#"{"name":"x","version":"1.9.0"}"#,
                r#"{"name":"x","version":"1.9.0","a":1}"#,
                "C120 Possible",
            ),
            (
                "app/package.json",
                r#"{"name":"x","version":"1.9.0"}"#,
                r#"{"name":"x","version":"1.10.0"}"#,
                "C120 Possible",
            ),
            ("v/x-1.dist-info/METADATA", "Name: x\nVersion: 1.0\n", "Name: x\nVersion: 1.1\n", "C060 Proven"),
            ("v/x-1.dist-info/METADATA", "Name: x\nVersion: 1.0\n", "Name: y\nVersion: 1.1\n", "C120 Possible"),
            (
                "g/specifications/a-1.gemspec",
                "  s.version = \"1.0\".freeze\n",
                "  s.version = \"1.2\".freeze\n",
                "C060 Proven",
            ),
            (
                "app/vendor/composer/installed.json",
                r#"{"packages":[{"name":"a/b","version":"1.0"},{"name":"c/d","version":"2"}]}"#,
                r#"{"packages":[{"name":"a/b","version":"1.1"},{"name":"c/d","version":"2"}]}"#,
                "C060 Proven",
            ),
        ] {
            assert_eq!(told(path, first.as_bytes(), second.as_bytes()), want, "{path} {second}");
        }
    }
}
