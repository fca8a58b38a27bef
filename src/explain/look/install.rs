//! What an installer notes about how it installed.

use serde_json::Value;

use super::by_path::ByPath;
use super::pair::{Found, Pair};
use super::text::{Also, pieces};

/// How a file is judged.
#[derive(Clone, Copy)]
enum Form {
    /// JSON whose `url` names a local directory.
    LocalUrl,
    /// A list of files with their digests, of which those of the installer's own notes may differ.
    Record,
    /// Lines of `Name: value`, of which this one may differ.
    Line(&'static str),
    /// A log of commands.
    Log,
}

static FILES: ByPath<Form> = ByPath::new(&[
    ("/**/*.dist-info/direct_url.json", Form::LocalUrl),
    ("/**/*.dist-info/RECORD", Form::Record),
    ("/**/*.dist-info/INSTALLER", Form::Log),
    ("/**/*.dist-info/REQUESTED", Form::Log),
    ("/**/node_modules/.package-lock.json", Form::Log),
    ("/**/gem_make.out", Form::Log),
    ("/**/mkmf.log", Form::Log),
    ("/**/gems/*/ext/**/Makefile", Form::Log),
    ("/**/library/*/DESCRIPTION", Form::Line("Built:")),
    ("/**/site-library/*/DESCRIPTION", Form::Line("Built:")),
    ("/**/library/*/Meta/package.rds", Form::Log),
    ("/**/site-library/*/Meta/package.rds", Form::Log),
]);
/// Files whose digests in a RECORD follow from where and when it was installed.
const NOTES: &[&str] = &["direct_url.json", "INSTALLER", "REQUESTED", ".pyc", "RECORD"];

/// C089: proven where nothing else differs.
pub(super) fn look(pair: &Pair<'_>) -> Option<Found> {
    let form = FILES.first(pair.path)?;
    let is_proven = match form {
        Form::LocalUrl => {
            let [first, second] = pair.parsed(without_local_url)?;
            first == second
        }
        Form::Record => {
            // Only its order: that is told as such.
            let [one, other] = pair.both().map(sorted_lines);
            let [first, second] = pair.both().map(without_notes);
            first == second && one != other
        }
        Form::Line(name) => {
            let [first, second] = pair.both().map(|content| without_line(content, name));
            first == second
        }
        Form::Log => {
            let also = Also { times: true, numbers: true };
            let is_text = pair.both().iter().all(|content| !content.contains(&0));
            let is_proven = is_text && pieces(pair.first, also) == pieces(pair.second, also);
            return Some(if is_proven { Found::proven("C089") } else { Found::likely("C089") });
        }
    };
    is_proven.then(|| Found::proven("C089"))
}

/// The document without the URL of a local directory; none if it has another one.
fn without_local_url(content: &[u8]) -> Option<Value> {
    let mut document: Value = serde_json::from_slice(content).ok()?;
    let url = document.as_object_mut()?.remove("url")?;
    url.as_str()?.starts_with("file:///").then_some(document)
}

/// The lines of a RECORD, without the digests of notes, sorted.
fn without_notes(content: &[u8]) -> Vec<&[u8]> {
    let line = |line: &'_ [u8]| -> usize {
        let path = line.split(|&byte| byte == b',').next().unwrap_or_default();
        if NOTES.iter().any(|note| path.ends_with(note.as_bytes())) { path.len() } else { line.len() }
    };
    let mut lines: Vec<&[u8]> = content.split(|&byte| byte == b'\n').map(|text| &text[..line(text)]).collect();
    lines.sort_unstable();
    lines
}

fn sorted_lines(content: &[u8]) -> Vec<&[u8]> {
    let mut lines: Vec<&[u8]> = content.split(|&byte| byte == b'\n').collect();
    lines.sort_unstable();
    lines
}

fn without_line<'a>(content: &'a [u8], name: &str) -> Vec<&'a [u8]> {
    content.split(|&byte| byte == b'\n').filter(|line| !line.starts_with(name.as_bytes())).collect()
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
    fn notes_are_benign_where_nothing_else_differs() {
        let url = |url: &str| format!(r#"{{"dir_info": {{}}, "url": "{url}"}}"#);
        let record =
            |note: &str, code: &str| format!("a.py,sha256={code},5\nx.dist-info/direct_url.json,sha256={note},9\n");
        for (path, first, second, want) in [
            ("x.dist-info/direct_url.json", url("file:///tmp/a/src"), url("file:///tmp/b/src"), "C089 Proven"),
            ("x.dist-info/direct_url.json", url("file:///tmp/a/src"), url("https://e.example/src"), "C120 Possible"),
            ("x.dist-info/RECORD", record("1", "2"), record("3", "2"), "C089 Proven"),
            ("x.dist-info/RECORD", record("1", "2"), record("3", "4"), "C120 Possible"),
            ("x.dist-info/RECORD", "a,1\nb,2\n".into(), "b,2\na,1\n".into(), "C115 Proven"),
            ("usr/lib/R/library/x/DESCRIPTION", "A: 1\nBuilt: x\n".into(), "A: 1\nBuilt: y\n".into(), "C089 Proven"),
            ("usr/lib/R/library/x/DESCRIPTION", "A: 1\nBuilt: x\n".into(), "A: 2\nBuilt: y\n".into(), "C120 Possible"),
            ("var/lib/gems/x/gems/x-1/ext/Makefile", "a = .gem.7-ab\n".into(), "a = .gem.8-b\n".into(), "C089 Likely"),
            ("gems/x/gem_make.out", "make -j4\n".into(), "make -j8\n".into(), "C089 Likely"),
        ] {
            assert_eq!(told(path, first.as_bytes(), second.as_bytes()), want, "{path} {second}");
        }
    }
}
