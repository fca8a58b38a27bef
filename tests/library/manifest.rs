//! `repro.toml`: its schema, its example, and what people read when it is wrong.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use proptest::prelude::*;
use repro::parts::limits::Limits;
use repro::parts::manifest::{
    Compression, EpochSource, Manifest, ManifestErrors, MediaTypes, NamedContext, Network, render, schema,
};
use repro::parts::status::{ExitStatus, Status};

fn parse(text: &str) -> Result<Manifest, ManifestErrors> {
    let links = |path: &Path| (path == Path::new("/repository/out")).then(|| PathBuf::from("../elsewhere"));
    let file = Path::new("/repository/repro.toml");
    Manifest::parse_with(text, file, Path::new("/repository"), &links, &Limits::default())
}

fn in_project(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn read(path: &str) -> String {
    std::fs::read_to_string(in_project(path)).unwrap()
}

/// The properties of every object in the schema.
fn schema_keys() -> BTreeSet<String> {
    fn walk(value: &serde_json::Value, keys: &mut BTreeSet<String>) {
        if let Some(properties) = value.get("properties").and_then(serde_json::Value::as_object) {
            keys.extend(properties.keys().cloned());
        }
        match value {
            serde_json::Value::Object(members) => members.values().for_each(|member| walk(member, keys)),
            serde_json::Value::Array(items) => items.iter().for_each(|item| walk(item, keys)),
            _ => {}
        }
    }
    let mut keys = BTreeSet::new();
    walk(&serde_json::from_str(&schema()).unwrap(), &mut keys);
    keys
}

/// `SNAPSHOTS=overwrite cargo test` writes the file anew.
#[test]
fn the_committed_schema_is_the_generated_one() {
    snapbox::assert_data_eq!(schema(), snapbox::Data::read_from(&in_project("schema/repro.schema.json"), None).raw());
}

#[test]
fn the_example_is_valid_and_shows_every_key() {
    let text = read("repro.toml.example");
    let manifest = parse(&text).unwrap_or_else(|errors| panic!("{}", render(&errors, false)));
    let image = &manifest.images["app"];
    assert_eq!(image.run.network, Network::Locked);
    assert_eq!(image.files.contexts.len(), 4);
    let keys = schema_keys();
    assert!(keys.len() >= 29, "the schema lost keys: {keys:?}");
    for key in keys {
        let shown = text.lines().any(|line| {
            line.starts_with(&format!("{key} = "))
                || (line.starts_with('[') && line.split(['[', ']', '.']).any(|part| part == key))
        });
        assert!(shown, "the example doesn't show `{key}`");
    }
}

#[test]
fn every_key_that_is_read_is_in_the_schema() {
    let keys = schema_keys();
    for text in
        ["zzzzzzzz = 1", "[buildkit]\nzzzzzzzz = 1", "[image.a]\nzzzzzzzz = 1", "[image.a.output]\nzzzzzzzz = 1"]
    {
        let errors = parse(&format!("version = 1\n{text}")).unwrap_err();
        let help = errors
            .problems()
            .iter()
            .find_map(|problem| problem.help.clone().filter(|help| help.starts_with("known")))
            .unwrap();
        let known: Vec<&str> = help.split('`').skip(1).step_by(2).collect();
        assert!(!known.is_empty());
        for key in known {
            assert!(keys.contains(key), "`{key}` is read but not in the schema");
        }
    }
}

#[test]
fn what_is_left_out_has_its_default() {
    let manifest = parse("version = 1\n[image.app]\ncontext = \"./sub/\"\n").unwrap();
    assert_eq!(manifest.root, Path::new("/repository"));
    assert_eq!(manifest.buildkit.version, semver::VersionReq::parse(">=0.26").unwrap());
    let image = &manifest.images["app"];
    assert_eq!(image.files.context, Path::new("sub"));
    assert_eq!(image.files.dockerfile(), Some(Path::new("sub/Dockerfile")));
    assert_eq!(image.platforms, ["linux/amd64".parse().unwrap()]);
    assert_eq!(image.source_date_epoch, EpochSource::Commit);
    assert_eq!(image.run.network, Network::None);
    assert_eq!((image.output.media_types, image.output.compression), (MediaTypes::Oci, Compression::Gzip));
}

#[test]
fn an_epoch_has_three_spellings() {
    for value in [
        "1700000000",
        "\"1700000000\"",
        "\"2023-11-14T22:13:20Z\"",
        "2023-11-14T22:13:20Z",
        "2023-11-14T23:13:20+01:00",
    ] {
        let manifest = parse(&format!("version = 1\n[image.a]\nsource-date-epoch = {value}")).unwrap();
        let EpochSource::Fixed(epoch) = manifest.images["a"].source_date_epoch else { panic!("{value}") };
        assert_eq!(epoch.seconds(), 1_700_000_000, "{value}");
    }
}

#[test]
fn named_contexts_are_what_buildx_takes_them_for() {
    let digest = format!("sha256:{}", "ab".repeat(32));
    let layout = |path: &str, selector: Option<&str>| NamedContext::Layout {
        path: PathBuf::from(path),
        selector: selector.map(str::to_owned),
    };
    for (value, want) in [
        ("docs", NamedContext::Local("docs".into())),
        ("./docs", NamedContext::Local("docs".into())),
        ("docker-image://alpine", NamedContext::Image("alpine".into())),
        ("https://files.example/a.tar", NamedContext::Http("https://files.example/a.tar".into())),
        ("https://files.example/a.git#main:sub", NamedContext::Git("https://files.example/a.git#main:sub".into())),
        ("git@files.example:a/b", NamedContext::Git("git@files.example:a/b".into())),
        ("ssh://git@files.example/a", NamedContext::Git("ssh://git@files.example/a".into())),
        ("oci-layout://vendor/base", layout("vendor/base", None)),
        ("oci-layout:///srv/base:1.0", layout("/srv/base", Some("1.0"))),
        (&format!("oci-layout://base@{digest}"), layout("base", Some(&digest))),
    ] {
        let manifest = parse(&format!("version = 1\n[image.a]\ncontexts = {{ x = \"{value}\" }}")).unwrap();
        assert_eq!(manifest.images["a"].files.contexts["x"], want, "{value}");
    }
}

/// One line: how a value is refused.
fn refusal(line: &str) -> String {
    let errors = match parse(&format!("version = 1\n[image.a]\n{line}\n")) {
        Ok(_) => return format!("{line}\n    accepted\n"),
        Err(errors) => errors,
    };
    assert_eq!(errors.status(), Status::Usage);
    let lines: Vec<String> = errors
        .problems()
        .iter()
        .map(|problem| {
            let help = problem.help.as_ref().map(|help| format!(" ({help})")).unwrap_or_default();
            format!("    {}{help}\n", problem.message)
        })
        .collect();
    format!("{}\n{}", line.replace('\n', "⏎"), lines.concat())
}

#[test]
fn every_wrong_value_is_refused_with_a_reason() {
    let lines = [
        "context = \"..\"",
        "context = \"../..\"",
        "context = \"out/sub\"",
        "context = \"/etc\"",
        "context = \"\"",
        "context = \"-x\"",
        "context = \"a\\u0000b\"",
        "context = \"https://a.example/b.git\"",
        "dockerfile = 1",
        "target = \"--push\"",
        "target = \"run time\"",
        "platforms = \"linux/amd64\"",
        "platforms = []",
        "platforms = [\"--push\"]",
        "platforms = [\"linux/arm64\", \"linux/arm64/v8\"]",
        "build-platform = \"linux\"",
        "source-date-epoch = \"yesterday\"",
        "source-date-epoch = -1",
        "source-date-epoch = 1.5",
        "source-date-epoch = 99999999999999999999999999",
        "args = { SOURCE_DATE_EPOCH = \"1\" }",
        "args = { BUILDKIT_SYNTAX = \"evil.example/frontend\" }",
        "args = { BUILDKIT_INLINE_CACHE = \"1\" }",
        "args = { \"A B\" = \"1\" }",
        "args = { A = 1 }",
        "args = { A = \"\\u001b[31m\" }",
        "labels = { \"a=b\" = \"x\" }",
        "contexts = { a = \"ftp://a.example/b\" }",
        "contexts = { a = \"https://user:secret@a.example/b\" }",
        "contexts = { a = \"ext::sh -c id\" }",
        "contexts = { a = \"docker-image://UPPER\" }",
        "contexts = { \"a::linux/aarch64\" = \"docs\" }",
        "contexts = { \"a::linux\" = \"docs\" }",
        "contexts = { \"a::\" = \"docs\" }",
        "contexts = { \"::linux/amd64\" = \"docs\" }",
        "contexts = { \"-x\" = \"docs\" }",
        "contexts = { scratch = \"docs\" }",
        "contexts = { a = \"oci-layout://base@sha256:aa/../..\" }",
        "contexts = { a = \"oci-layout://../base\" }",
        "contexts = { a = \"target:base\" }",
        "include = [\"../secrets\"]",
        "include = [\"!a\"]",
        "network = \"lock\"",
        "network = true",
        "run-env = { \"A-B\" = \"1\" }",
        "scrub = [\"apt-cahce\"]",
        "scrub = [\"/var/../etc\"]",
        "secrets = [\"a,dest=/b\"]",
        "secrets = [\"a\", \"a\"]",
        "ssh = [\"--x\"]",
        "allow = [{ what = \"network.host\" }]",
        "allow = [{ what = \"everything\", reason = \"x\" }]",
        "allow = [{ what = \"device\", reason = \" \" }]",
        "repository = \"ghcr.io/example/app:1\"",
        "tags = [\"x;id\"]",
        "output = { compression = \"zstd\" }",
        "output = { media_types = \"oci\" }",
        "args = { A = \"$(rm -rf /)\" }",
        "base = \"alpine\"",
        "config = { user = \"1\" }",
        "layers = []",
        "layers = {}",
        "layers = [{ }]",
        "layers = [{ paths = [], to = \"/\" }]",
        "layers = [{ paths = \"a\", to = \"b\", more = 1 }]",
        "layers = [{ paths = [\"/a\", \"../a\", \"a/*.c\", \"!a\", \"a b /c\", \"-a\"], to = \"/\" }]",
        "layers = [{ paths = [\"a\", \"b/a\", \"./a\"], to = \"/$HOME\" }]",
        "layers = [{ paths = [\"a\"], to = \"/b/../c\", owner = \"root\", mode = \"u+x\" }]",
        "layers = [{ paths = [\"a\"], to = \"/\", owner = \"1:4294967295\", mode = \"4755\" }]",
        "layers = [{ paths.\"linux/arm64\" = [\"a\"], to = \"/\" }]",
        "layers = [{ paths.linux = [\"a\"], to = \"/\" }]",
        "layers = [{ paths = [\"a\"], to = \"/\" }]\ndockerfile = \"Dockerfile\"\ntarget = \"x\"\nargs = { A = \"1\" }",
        "layers = [{ paths = [\"a\"], to = \"/\" }]\nbase = \"UPPER\"\nnetwork = \"locked\"",
        "layers = [{ paths = [\"a\"], to = \"/\" }]\nconfig = { env = { A = \"1\\n2\", \"B-C\" = \"\" }, user = \"a b\" }",
        "layers = [{ paths = [\"a\"], to = \"/\" }]\nconfig = { workdir = \"srv\", volumes = [\"data\"] }",
        "layers = [{ paths = [\"a\"], to = \"/\" }]\nconfig = { exposed-ports = [\"70000\", \"80/http\"] }",
        "layers = [{ paths = [\"a\"], to = \"/\" }]\nconfig = { stop-signal = \"TERM\", cmd = \"sh\" }",
        "layers = [{ paths = [\"a\"], to = \"/\" }]\nlabels = { a = \"1\" }\nconfig = { labels = { a = \"2\" } }",
    ];
    let refusals: String = lines.map(refusal).concat();
    snapbox::assert_data_eq!(refusals, snapbox::file!["snapshots/manifest/refusals.txt"].raw());
}

#[test]
fn errors_point_into_the_file() {
    let cases = [
        ("unknown-keys", "version = 1\n\n[image.app]\nplatfroms = [\"linux/amd64\"]\nzzz = 1\n"),
        ("several", "[buildkit]\nversion = \"newest\"\n[image.App]\ncontext = \"../..\"\ntags = \"1\"\n"),
        ("newer", "version = 2\n[image.app]\nfuture = true\n"),
        ("empty", ""),
        ("duplicate-key", "version = 1\n[image.app]\ncontext = \".\"\ntarget = \"a\"\ncontext = \"sub\"\n"),
        ("syntax", "version = 1\n[image.app\ncontext = \".\"\n"),
        (
            "two-recipes",
            "version = 1\n[image.app]\ndockerfile = \"Dockerfile\"\nlayers = [{ paths = [\"a\"], to = \"/\" }]\n",
        ),
        ("dangerous", "version = 1\n[image.app]\n\"\\u001b[31m\u{202e}\" = 1 # \u{202e}\n"),
    ];
    let shown: String = cases
        .iter()
        .map(|(name, text)| format!("== {name}\n{}\n\n", render(&parse(text).unwrap_err(), false)))
        .collect();
    snapbox::assert_data_eq!(shown, snapbox::file!["snapshots/manifest/errors.txt"].raw());
}

#[test]
fn a_manifest_over_the_limit_is_unsafe_input() {
    let errors = parse(&"#".repeat((1 << 20) + 1)).unwrap_err();
    assert_eq!(errors.status(), Status::Malformed);
    assert!(errors.to_string().contains("limit `manifest-file` of 1048576 exceeded"), "{errors}");
}

#[test]
fn hostile_files_end_quickly_with_errors() {
    let wide = |line: &dyn Fn(usize) -> String| (0..40_000).map(line).collect::<String>();
    let cases: Vec<(&str, String)> = vec![
        ("nested tables", format!("[{}a]", "a.".repeat(100_000))),
        ("nested keys", format!("{}a = 1", "a.".repeat(100_000))),
        ("nested arrays", "a = ".to_owned() + &"[".repeat(100_000)),
        ("nested inline tables", "a = ".to_owned() + &"{a=".repeat(100_000)),
        ("many tables", wide(&|n| format!("[image.a{n}.x]\n"))),
        ("growing tables", wide(&|n| format!("[a.b.c.d.e.f.g.h.i.j.k{n}]\n"))),
        ("array tables", wide(&|_| "[[image.a.allow]]\n".to_owned())),
        ("unknown keys", "version=1\n[image.a]\n".to_owned() + &wide(&|n| format!("platfrom{n}=1\n"))),
        ("long key", format!("version=1\n[image.a]\n{}=1", "p".repeat(1_000_000))),
        ("long line", format!("version=1\n[image.a]\nargs = {{ A = \"{}\\u0000\" }}", "x".repeat(1_000_000))),
        ("deep path", format!("version=1\n[image.a]\ncontext = \"{}\"", "a/".repeat(400_000))),
        ("duplicate tags", format!("version=1\n[image.a]\ntags = [{}]", "\"a\",".repeat(100_000))),
        ("platforms", format!("version=1\n[image.a]\nplatforms = [{}]", "\"linux/arm\",".repeat(50_000))),
        (
            "paths of a layer",
            format!("version=1\n[image.a]\nlayers = [{{ paths = [{}], to = \"/\" }}]", "\"a\",".repeat(200_000)),
        ),
        ("layers", "version=1\n".to_owned() + &wide(&|_| "[[image.a.layers]]\n".to_owned())),
        (
            "layers of platforms",
            format!(
                "version=1\n[image.a]\nplatforms = [{}]\n[[image.a.layers]]\nto = \"/\"\n[image.a.layers.paths]\n{}{}",
                (0..5_000).map(|n| format!("\"linux/a{n}\",")).collect::<String>(),
                (0..5_000).map(|n| format!("\"linux/a{n}\"=[\"a\"]\n")).collect::<String>(),
                "[[image.a.layers]]\nto=\"/\"\npaths=[\"b\"]\n".repeat(15_000),
            ),
        ),
        ("huge number", format!("version={}", "9".repeat(1_000_000))),
        ("quotes", "\"".repeat(1_000_000)),
        ("brackets", "[".repeat(1_000_000)),
        ("newlines", "\n".repeat(1_000_000)),
        ("nul", "\0".repeat(1_000_000)),
    ];
    for (name, text) in cases {
        let start = Instant::now();
        let errors = parse(&text).expect_err(name);
        let shown = render(&errors, true);
        assert!(shown.len() < 20_000, "{name}: {} bytes of message", shown.len());
        let took = start.elapsed();
        assert!(took < Duration::from_secs(30), "{name} took {took:?}");
    }
}

proptest! {
    #[test]
    fn no_text_makes_the_reader_panic(text in ".*") {
        if let Err(errors) = parse(&text) {
            render(&errors, false);
        }
    }

    #[test]
    fn no_mutation_of_the_example_makes_the_reader_panic(
        at in 0usize..3000, length in 0usize..40, insert in "[\\[\\]{}\"'=.,#\n\r\\\\a-z0-9\u{202e}é]{0,6}",
    ) {
        let mut text = read("repro.toml.example");
        let floor = |text: &str, mut at: usize| { at = at.min(text.len()); while !text.is_char_boundary(at) { at -= 1 } at };
        let (start, end) = (floor(&text, at), floor(&text, at + length));
        text.replace_range(start..end, &insert);
        if let Err(errors) = parse(&text) {
            let shown = render(&errors, false);
            let safe = !shown.contains('\u{202e}');
            prop_assert!(safe);
        }
    }
}
