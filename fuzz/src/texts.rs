//! What the fuzz targets do with texts: files of a repository, of a person, and heads that a peer sends.

use std::collections::BTreeMap;
use std::path::Path;

use repro::parts::cancel::Cancel;
use repro::parts::context::{Effort, Rules, read_lines};
use repro::parts::dockerfile;
use repro::parts::dockerfile::shell::{Budget, Lexer};
use repro::parts::dockerfile::sources::Sources;
use repro::parts::dockerfile::syntax::Escape;
use repro::parts::dockerfile::target::{Question, UnknownImages, resolve};
use repro::parts::escape::is_dangerous;
use repro::parts::git::Attributes;
use repro::parts::http::Head;
use repro::parts::layered::{Closure, Description, Form, Surroundings};
use repro::parts::lockfile::{Lockfile, Side, merge};
use repro::parts::manifest::{Manifest, Recipe, render};
use repro::parts::platform::Platform;
use repro::parts::registry::choose;
use repro::parts::tape::Tape;

/// The parts of a case, between NUL bytes.
fn parts(data: &[u8]) -> (&[u8], impl Iterator<Item = &[u8]>) {
    let mut parts = data.split(|&byte| byte == 0);
    (parts.next().unwrap_or_default(), parts)
}

fn assert_printable(text: &str) {
    assert!(!text.chars().any(|c| c != '\n' && is_dangerous(c)), "{text:?}");
}

/// Dockerfiles: every stage is resolved for two platforms, and errors can be printed.
pub fn dockerfile(data: &[u8]) {
    let parsed = match dockerfile::parse(data, &super::limits()) {
        Ok(parsed) => parsed,
        Err(error) => return assert_printable(&error.to_string()),
    };
    for platform in ["linux/amd64", "linux/arm/v7"] {
        let platform: Platform = platform.parse().expect("a platform");
        let question = Question {
            target: String::new(),
            build_platform: "linux/amd64".parse().expect("a platform"),
            platform,
            build_args: BTreeMap::from([("VERSION".to_owned(), "1 2".to_owned())]),
            contexts: BTreeMap::new(),
        };
        match resolve(&parsed, &question, &mut UnknownImages) {
            Ok(target) => drop(Sources::of(&target)),
            Err(error) => assert_printable(&error.to_string()),
        }
    }
}

/// Dockerfiles once more, for the rules: every finding stands in the file.
pub fn lint(data: &[u8]) {
    let Ok(parsed) = dockerfile::parse(data, &super::limits()) else { return };
    for (start, end) in repro::parts::lint::spans(&parsed) {
        assert!(start < end && end <= data.len().max(1), "{start}..{end} of {}", data.len());
    }
}

/// Words: what is expanded stays within its bound, and is the same again.
pub fn shell(data: &[u8]) {
    let variables: BTreeMap<String, String> =
        [("A", "a b"), ("EMPTY", ""), ("PATTERN", "*.[a-z]?"), ("LONG", &"x".repeat(300))]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into();
    for lexer in [Lexer::new(Escape::Backslash), Lexer::new(Escape::Backtick), Lexer::of_heredoc_bodies()] {
        let expand = || lexer.expand(data, &variables, &Budget::default());
        let expanded = expand();
        if let Ok(expansion) = &expanded {
            assert!(expansion.word.len() <= 64 << 10);
            assert!(expansion.matched.is_disjoint(&expansion.unmatched));
        }
        assert_eq!(expanded, expand());
    }
}

/// Ignore files, each with the paths behind it: what a directory said is enough for what lies below it.
pub fn ignore(data: &[u8]) {
    let (text, paths) = parts(data);
    let Ok(lines) = read_lines(text) else { return };
    let Ok(patterns) = Rules::new(lines.iter().map(|line| line.pattern.as_str())) else { return };
    let cancel = Cancel::default();
    let effort = Effort::new(u64::MAX, &cancel);
    for path in paths.take(8).chain([&b"a/b.md"[..], b"src/x/y"]) {
        let mut parent = None;
        let ends = path.iter().enumerate().filter(|&(_, &byte)| byte == b'/').map(|(at, _)| at).chain([path.len()]);
        for end in ends {
            let Ok((_, matched)) = patterns.look_at(&path[..end], parent.as_ref(), &effort) else { break };
            parent = Some(matched);
        }
    }
}

/// Manifests: what is refused is told so that it can be printed, and layers stand for a Dockerfile.
pub fn manifest(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let (root, limits) = (Path::new("/srv/project"), super::limits());
    let manifest = match Manifest::parse_with(text, &root.join("repro.toml"), root, &|_| None, &limits) {
        Ok(manifest) => manifest,
        Err(errors) => {
            assert_printable(&errors.to_string());
            return assert_printable(&render(&errors, false));
        }
    };
    for image in manifest.images.values() {
        if let Recipe::Layers(layers) = &image.files.recipe {
            let written = layers.dockerfile(&image.platforms);
            assert_eq!(written.text.lines().count(), written.lines.len(), "{}", written.text);
            if let Err(error) = dockerfile::parse(written.text.as_bytes(), &super::limits()) {
                // A path may be as long as a line.
                assert!(error.is_limit || error.message.contains("too long"), "{error}: {}", written.text);
            }
        }
    }
}

/// Lockfiles, also with conflict markers: what is read is written so that it is read again.
pub fn lockfile(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    match Lockfile::parse(text, &super::limits()) {
        Ok(lockfile) => assert_written_is_read(&lockfile),
        Err(error) => assert_printable(&error.to_string()),
    }
    for side in [None, Some(Side::Ours), Some(Side::Theirs)] {
        match merge(text, side, &super::limits()) {
            Ok(merged) => assert_written_is_read(&merged.lockfile),
            Err(error) => assert_printable(&error.to_string()),
        }
    }
}

fn assert_written_is_read(lockfile: &Lockfile) {
    let text = lockfile.to_text();
    assert_eq!(&Lockfile::parse(&text, &super::limits()).expect("what was written"), lockfile);
    assert!(lockfile.is_canonical(&text), "{text}");
}

/// Tapes: only what is written is read.
pub fn tape(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    match Tape::parse(text, &super::limits()) {
        Ok(tape) => assert_eq!(tape.to_text(), text),
        Err(error) => assert_printable(&error.to_string()),
    }
}

/// Heads of requests: where one ends does not depend on what has come of the next.
pub fn request_head(data: &[u8]) {
    let Ok(Some((head, length))) = Head::parse(data) else { return };
    assert_eq!(Head::parse(&data[..length]).expect("the same bytes"), Some((head, length)));
    assert_eq!(Head::parse(&data[..length - 1]).expect("a beginning"), None);
}

/// `WWW-Authenticate`: a header is taken, whatever it says.
pub fn challenge(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let first = choose(text.lines());
    assert_eq!(first, choose(text.lines().chain(["Basic realm=x"])).filter(|_| first.is_some()));
}

/// Attributes of git, each with the paths behind it.
pub fn attributes(data: &[u8]) {
    let (text, paths) = parts(data);
    let mut attributes = Attributes::default();
    attributes.add(b"", text);
    attributes.add(b"sub", text);
    for path in paths.take(8).chain([&b"a.txt"[..], b"sub/a.txt", b"sub/deep/a.txt"]) {
        assert_eq!(attributes.of(path), attributes.of(path));
    }
}

/// Descriptions of layered images, and the reference graph behind the NUL: every error can be printed, and no more layers are
/// made than were asked for.
pub fn description(data: &[u8]) {
    let (description, mut graphs) = parts(data);
    for is_layered_elsewhere in [false, true] {
        let surroundings = Surroundings { is_layered_elsewhere, ..Surroundings::default() };
        let described = match Description::read(description, &surroundings) {
            Ok(described) => described,
            Err(error) => {
                assert_printable(&error.to_string());
                continue;
            }
        };
        if let Err(error) = Form::oci(&described) {
            assert_printable(&error.to_string());
        }
        match graphs.next().map(Closure::read) {
            Some(Ok(closure)) => match described.layered(closure, 4, None) {
                Ok(described) => {
                    assert!(described.layers.len() <= 3 && described.layers.iter().all(|paths| !paths.is_empty()))
                }
                Err(error) => assert_printable(&error.to_string()),
            },
            Some(Err(error)) => assert_printable(&error.to_string()),
            None => {}
        }
    }
}
