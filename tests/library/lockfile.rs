//! `repro.lock`: the vectors of `docs/formats.md`, what is refused, merges and updates.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::{Duration, Instant};

use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;
use repro::parts::digest::{DiffId, Digest};
use repro::parts::epoch::Epoch;
use repro::parts::limits::Limits;
use repro::parts::lockfile::{
    BuildkitPin, Fact, ImageLock, Lockfile, LockfileError, Lookup, MergeError, Pin, PlatformRecord, Record, Request,
    Selection, Side, SourceKind, Wanted, WantedImage, WantedSource, fact_key, lookups, merge, update,
};
use repro::parts::platform::Platform;
use repro::parts::status::{ExitStatus, Status};

fn page() -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/formats.md")).unwrap()
}

/// The text of the first fenced block of a kind after a heading.
fn vector(heading: &str, kind: &str) -> String {
    let page = page();
    let chapter = page.split(&format!("## {heading}")).nth(1).unwrap();
    let block = chapter.split(&format!("```{kind}\n")).nth(1).unwrap();
    block.split("```").next().unwrap().to_owned()
}

fn lockfile_text() -> String {
    vector("Lockfile, version 1", "toml")
}

#[test]
fn the_page_s_lockfile_is_read_and_written_back_byte_for_byte() {
    let text = lockfile_text();
    let lockfile = Lockfile::parse(&text, &Limits::default()).unwrap();
    assert_eq!(lockfile.to_text(), text);
    assert!(lockfile.is_canonical(&text));
    assert_eq!((lockfile.sources.len(), lockfile.images.len()), (5, 2));
    let facts = &lockfile.images["app"].request.facts;
    assert_eq!(facts["labels.\"org.opencontainers.image.title\""], Fact::Text("line one\nline \"two\"".to_owned()));
    let modified = lockfile.sources.iter().find_map(|pin| match pin {
        Pin::Http { modified, .. } => *modified,
        _ => None,
    });
    assert_eq!(modified, Some(1_704_164_645));
}

#[test]
fn pins_digests_are_those_of_the_page() {
    let lockfile = Lockfile::parse(&lockfile_text(), &Limits::default()).unwrap();
    let page = page();
    let mut digests = page.split("That of `app` above is").nth(1).unwrap().split('`').skip(1).step_by(2);
    assert_eq!(lockfile.pins_digest("app").unwrap().to_string(), digests.next().unwrap());
    assert_eq!(digests.next(), Some("tools"));
    assert_eq!(lockfile.pins_digest("tools").unwrap().to_string(), digests.next().unwrap());
    assert_eq!(lockfile.pins_digest("other"), None);
    assert_eq!(lockfile.images["app"].record.as_ref().unwrap().pins, lockfile.pins_digest("app").unwrap());
}

#[test]
fn a_pins_digest_knows_only_its_own_image() {
    let lockfile = Lockfile::parse(&lockfile_text(), &Limits::default()).unwrap();
    let before = lockfile.pins_digest("app").unwrap();
    let mut other = lockfile.clone();
    other.images.remove("tools");
    other.sources.retain(|pin| pin.request() != "registry.example/tools:1");
    other.images.get_mut("app").unwrap().record = None;
    assert_eq!(other.pins_digest("app").unwrap(), before);
    let mut own = lockfile;
    own.images.get_mut("app").unwrap().tape = None;
    assert_ne!(own.pins_digest("app").unwrap(), before);
}

#[test]
fn the_page_s_tape_has_the_digest_it_names() {
    let tape = vector("Tape file, version 1", "text");
    let digest = page().split("This file's digest is `").nth(1).unwrap().split('`').next().unwrap().to_owned();
    assert_eq!(Digest::of(tape.as_bytes()).to_string(), digest);
}

#[test]
fn line_ends_order_and_quotes_may_differ() {
    let text = lockfile_text();
    let lockfile = Lockfile::parse(&text, &Limits::default()).unwrap();
    let crlf = text.replace('\n', "\r\n");
    assert_eq!(Lockfile::parse(&crlf, &Limits::default()).unwrap(), lockfile);
    assert!(lockfile.is_canonical(&crlf));
    let free =
        text.replace("form = 1\n", "").replace("epoch = 1700000000\n", "epoch = 1_700_000_000 # then\nform = 1\n");
    assert_eq!(Lockfile::parse(&free, &Limits::default()).unwrap(), lockfile);
    assert!(!lockfile.is_canonical(&free));
}

#[test]
fn what_no_writer_writes_is_refused_with_its_line() {
    let digest = |c: &str| format!("sha256:{}", c.repeat(64));
    let traversal = "sha256:aa/../..";
    let changes: Vec<(&str, String, String)> = vec![
        ("digest with a path", digest("1"), traversal.to_owned()),
        ("digest in capitals", digest("4"), digest("A")),
        ("other algorithm", digest("7"), format!("sha512:{}", "7".repeat(128))),
        ("unknown kind of source", "git = ".into(), "svn = ".into()),
        ("two kinds", "size = 123456".into(), "size = 123456\ngit = \"https://files.example/x\"".into()),
        ("no kind", "layout = \"example.org/base:1\"\n".into(), String::new()),
        ("no digest", format!("digest = \"{}\"\nsize", digest("7")), "size".into()),
        ("no size", "size = 123456\n".into(), String::new()),
        ("negative size", "size = 123456".into(), "size = -1".into()),
        ("size of an image", "layout = ".into(), "size = 1\nlayout = ".into()),
        ("short commit", "0123456789abcdef0123456789abcdef01234567".into(), "0123456".into()),
        ("date with a zone", "03:04:05Z".into(), "03:04:05+01:00".into()),
        ("unknown key", "form = 1".into(), "form = 1\ncommand = \"sh\"".into()),
        ("unknown table", "[buildkit]".into(), "[builder]".into()),
        ("unknown fact", "target = ".into(), "goal = ".into()),
        ("fact of another kind", "network = \"locked\"".into(), "network = [\"locked\"]".into()),
        ("deep fact", "args.VERSION".into(), "args.VERSION.x".into()),
        ("control character in a name", "files.example/tool".into(), "files.example/\\u001b[31mtool".into()),
        ("control character in a fact", "1.2.3".into(), "1.2.3\\u0007".into()),
        ("key twice", "form = 1".into(), "form = 1\nform = 1".into()),
        (
            "reference of another result",
            "alpine:3.20\"\ndigest".into(),
            format!("alpine:3.20@{}\"\ndigest", digest("9")),
        ),
        (
            "reference not normalised",
            "image = \"docker.io/library/alpine:3.20\"".into(),
            "image = \"alpine:3.20\"".into(),
        ),
        ("commit of another result", "#v1.0\"\ncommit".into(), format!("#{}\"\ncommit", "9".repeat(40))),
        ("credentials", "https://files.example/tool".into(), "https://me:secret@files.example/tool".into()),
        ("file scheme", "http = \"https://".into(), "http = \"file:///".into()),
        ("platform not normalised", "platform.\"linux/arm64\"".into(), "platform.\"linux/aarch64\"".into()),
        ("platform that is an option", "platform.\"linux/arm64\"".into(), "platform.\"--push\"".into()),
        ("negative epoch", "1700000000".into(), "-1".into()),
        ("epoch too high", "1700000000".into(), "1099511627776".into()),
        ("form 0", "form = 1".into(), "form = 0".into()),
        ("layers as a text", "layers = []".into(), "layers = \"none\"".into()),
        (
            "one request, two results",
            "[image.app]".into(),
            format!(
                "[[source]]\nhttp = \"https://files.example/tool.tar.gz\"\ndigest = \"{}\"\nsize = 1\n\n[image.app]",
                digest("8")
            ),
        ),
        ("broken quotes", "network = \"locked\"".into(), "network = \"locked".into()),
        ("version as text", "version = 1".into(), "version = \"1\"".into()),
        ("no version", "version = 1\n".into(), String::new()),
        ("version 0", "version = 1\n".into(), "version = 0\n".into()),
    ];
    let mut shown = String::new();
    for (name, from, to) in changes {
        let text = lockfile_text();
        assert!(text.contains(&from), "{name}: the vector lost `{from}`");
        let changed = text.replacen(&from, &to, 1);
        match Lockfile::parse(&changed, &Limits::default()) {
            Ok(_) => panic!("{name} is accepted"),
            Err(error) => {
                assert_eq!(error.status(), Status::Malformed, "{name}: {error}");
                assert!(!error.to_string().contains('\u{1b}'));
                shown.push_str(&format!("{name}\n    {error}\n"));
            }
        }
    }
    snapbox::assert_data_eq!(shown, snapbox::file!["snapshots/lockfile/refusals.txt"].raw());
}

#[test]
fn files_of_the_future_and_conflicts_are_stale() {
    let text = lockfile_text();
    let table = [
        (text.replace("version = 1\n", "version = 99\n"), "version 99 was written by a newer `repro`"),
        ("version = 2\nthis is [not what = today's TOML".to_owned(), "version 2 was written by a newer `repro`"),
        (text.replace("revision = 0", "revision = 3"), "revision 3 was written by a newer `repro`"),
        (text.replace("form = 1", "form = 2"), "image form 2 was written by a newer `repro`"),
        (text.replace("version = 1\n", "version = 99999999999999999999\n"), "version 99999999999999999999 was"),
        (text.replace("[image.app]", "<<<<<<< HEAD\n[image.app]"), "line 35: merge conflict"),
    ];
    for (text, want) in table {
        let error = Lockfile::parse(&text, &Limits::default()).unwrap_err();
        assert!(error.to_string().contains(want), "{error}");
        assert_eq!(error.status(), Status::Lock);
        assert!(error.hint().is_some());
    }
}

#[test]
fn hostile_files_end_quickly_with_errors() {
    let head = "version = 1\nrevision = 0\n";
    let cases: Vec<(&str, String)> = vec![
        ("over the limit", "#".repeat((8 << 20) + 1)),
        ("nested tables", format!("{head}[{}a]", "a.".repeat(1_000_000))),
        ("nested arrays", format!("{head}a = {}", "[".repeat(1_000_000))),
        ("nested facts", format!("{head}[image.a.request]\nargs.{}b = 1", "a.".repeat(1_000_000))),
        ("many sources", head.to_owned() + &"[[source]]\n".repeat(300_000)),
        ("one source often", head.to_owned() + &"[[source]]\nlayout = \"a\"\ncommit = \"\"\n".repeat(100_000)),
        ("long text", format!("{head}[buildkit]\nrequest = \"{}\"\ndigest = \"x\"", "x".repeat(4_000_000))),
        ("huge number", format!("{head}[image.a.record]\nepoch = {}", "9".repeat(1_000_000))),
        ("nul", "\0".repeat(1_000_000)),
        ("equals", "=\n".repeat(1_000_000)),
    ];
    for (name, text) in cases {
        let start = Instant::now();
        let error = Lockfile::parse(&text, &Limits::default()).expect_err(name);
        assert_eq!(error.status(), Status::Malformed, "{name}");
        assert!(error.to_string().len() < 2000, "{name}");
        assert!(start.elapsed() < Duration::from_secs(30), "{name} took {:?}", start.elapsed());
    }
}

fn digests() -> impl Strategy<Value = Digest> {
    any::<[u8; 32]>().prop_map(Digest::from_bytes)
}

fn platforms() -> impl Strategy<Value = Platform> {
    "(linux|windows)/(amd64|arm64|arm/v6|riscv64|x-y)".prop_map(|text| text.parse().unwrap())
}

fn children() -> impl Strategy<Value = BTreeMap<Platform, Digest>> {
    btree_map(platforms(), digests(), 0..3)
}

fn pins() -> impl Strategy<Value = Pin> {
    let word = "[a-z0-9]{1,8}";
    prop_oneof![
        (word, word, digests(), children()).prop_map(|(path, tag, digest, platforms)| Pin::Image {
            request: format!("registry.example/{path}:{tag}"),
            digest,
            platforms
        }),
        ("[^\\p{C}]{1,20}", digests(), children()).prop_map(|(request, digest, platforms)| Pin::Layout {
            request,
            digest,
            platforms
        }),
        ("[^\\p{C}@]{0,20}", digests(), any::<u64>(), option::of(0u64..253_402_300_800)).prop_map(
            |(path, digest, size, modified)| Pin::Http {
                url: format!("https://files.example/{path}"),
                digest,
                size: size >> 1,
                modified
            }
        ),
        ("[^\\p{C}#-][^\\p{C}#]{0,20}", "[0-9a-f]{40}", option::of("[0-9a-f]{40}"))
            .prop_map(|(request, commit, tag)| Pin::Git { request, commit, tag }),
    ]
}

fn requests() -> impl Strategy<Value = Request> {
    let free = "[^\\p{C}]{0,10}[\n\t\"\\\\é\u{202e}\u{2028}]?[^\\p{C}]{0,10}";
    let named = (prop_oneof![Just("args"), Just("labels"), Just("contexts"), Just("run-env")], "[^\\p{C}]{1,10}", free)
        .prop_map(|(group, name, text)| (fact_key(group, &name), Fact::Text(text)));
    let texts =
        (prop_oneof![Just("target"), Just("network")], free).prop_map(|(key, text)| (key.to_owned(), Fact::Text(text)));
    let lists = (prop_oneof![Just("platforms"), Just("scrub")], vec(free, 0..3))
        .prop_map(|(key, list)| (key.to_owned(), Fact::List(list)));
    vec(prop_oneof![named, texts, lists], 0..6).prop_map(|facts| Request { facts: facts.into_iter().collect() })
}

fn records() -> impl Strategy<Value = Record> {
    let frontend = option::of(Just("1.28.0".to_owned()));
    let built = (digests(), any::<u32>(), digests(), frontend, vec(any::<[u8; 32]>(), 0..3)).prop_map(
        |(manifest, size, config, frontend, layers)| PlatformRecord {
            manifest,
            size: size.into(),
            config,
            frontend,
            layers: layers.into_iter().map(DiffId::from_bytes).collect(),
        },
    );
    let built = btree_map(platforms(), built, 1..3);
    let contexts = btree_map("[^\\p{C}]{1,8}", digests(), 0..2);
    (0i64..(1 << 33), digests(), digests(), digests(), contexts, option::of(digests()), built).prop_map(
        |(epoch, pins, context, dockerfile, contexts, index, platforms)| Record {
            form: 1,
            epoch: Epoch::from_seconds(epoch).unwrap(),
            pins,
            context,
            dockerfile,
            contexts,
            index,
            platforms,
        },
    )
}

fn lockfiles() -> impl Strategy<Value = Lockfile> {
    let image = (vec("[^\\p{C}]{1,12}", 0..3), option::of(digests()), requests(), option::of(records())).prop_map(
        |(sources, tape, request, record)| ImageLock {
            sources: sources.into_iter().collect::<BTreeSet<_>>().into_iter().collect(),
            tape,
            request,
            record,
        },
    );
    let buildkit = option::of(digests()).prop_map(|digest| {
        digest.map(|digest| BuildkitPin { request: "docker.io/moby/buildkit:v0.32.2".to_owned(), digest })
    });
    let sources = vec(pins(), 0..6).prop_map(|pins| {
        let unique: BTreeMap<(SourceKind, String), Pin> =
            pins.into_iter().map(|pin| ((pin.kind(), pin.request().to_owned()), pin)).collect();
        unique.into_values().collect()
    });
    (buildkit, sources, btree_map("[a-z0-9][a-z0-9._-]{0,5}", image, 0..3))
        .prop_map(|(buildkit, sources, images)| Lockfile { buildkit, sources, images, ..Lockfile::default() })
}

proptest! {
    #[test]
    fn reading_what_was_written_gives_the_same_facts(lockfile in lockfiles()) {
        let text = lockfile.to_text();
        let read = Lockfile::parse(&text, &Limits::default()).map_err(|error| TestCaseError::fail(format!("{error}\n{text}")))?;
        prop_assert_eq!(&read, &lockfile);
        prop_assert_eq!(read.to_text(), text);
    }

    #[test]
    fn no_text_makes_the_reader_panic(text in ".*") {
        let _ = Lockfile::parse(&text, &Limits::default());
        let _ = merge(&text, None, &Limits::default());
    }

    #[test]
    fn no_mutation_makes_the_reader_panic(
        at in 0usize..3000, length in 0usize..60, insert in "[\\[\\]{}\"'=.,#\n\r\\\\a-z0-9\u{202e}é<>|]{0,8}",
    ) {
        let mut text = lockfile_text();
        let (start, end) = (at.min(text.len()), (at + length).min(text.len()));
        text.replace_range(start..end, &insert);
        if let Ok(lockfile) = Lockfile::parse(&text, &Limits::default()) {
            prop_assert_eq!(Lockfile::parse(&lockfile.to_text(), &Limits::default()).unwrap(), lockfile);
        }
    }

    #[test]
    fn a_merge_with_oneself_changes_nothing(lockfile in lockfiles()) {
        let mut lockfile = lockfile;
        for name in lockfile.images.keys().cloned().collect::<Vec<_>>() {
            let pins = lockfile.pins_digest(&name).unwrap();
            if let Some(record) = &mut lockfile.images.get_mut(&name).unwrap().record {
                record.pins = pins;
            }
        }
        let text = lockfile.to_text();
        let conflict = format!("<<<<<<< ours\n{text}||||||| base\n=======\n{text}>>>>>>> theirs\n");
        let merged = merge(&conflict, None, &Limits::default()).unwrap();
        prop_assert_eq!(merged.lockfile, lockfile);
        prop_assert!(merged.dropped_records.is_empty());
    }
}

fn image_pin(request: &str, byte: u8, platforms: &[&str]) -> Pin {
    Pin::Image {
        request: request.to_owned(),
        digest: Digest::from_bytes([byte; 32]),
        platforms: platforms.iter().map(|name| (name.parse().unwrap(), Digest::from_bytes([byte + 1; 32]))).collect(),
    }
}

fn file_pin(url: &str, byte: u8) -> Pin {
    Pin::Http { url: url.to_owned(), digest: Digest::from_bytes([byte; 32]), size: 1, modified: None }
}

fn one_image(pins: &[Pin]) -> Lockfile {
    let image = ImageLock { sources: pins.iter().map(Pin::key).collect(), ..ImageLock::default() };
    let images = BTreeMap::from([("app".to_owned(), image)]);
    Lockfile { sources: pins.to_vec(), images, ..Lockfile::default() }
}

fn with_record(mut lockfile: Lockfile) -> Lockfile {
    let built = PlatformRecord {
        manifest: Digest::from_bytes([9; 32]),
        size: 1,
        config: Digest::from_bytes([9; 32]),
        frontend: None,
        layers: vec![],
    };
    let any = Digest::from_bytes([9; 32]);
    let record = Record {
        form: 1,
        epoch: Epoch::from_seconds(0).unwrap(),
        pins: lockfile.pins_digest("app").unwrap(),
        context: any,
        dockerfile: any,
        contexts: BTreeMap::new(),
        index: None,
        platforms: BTreeMap::from([("linux/amd64".parse().unwrap(), built)]),
    };
    lockfile.images.get_mut("app").unwrap().record = Some(record);
    lockfile
}

/// A conflict as git writes it: the lines that differ between markers, equal lines outside.
fn conflict(ours: &Lockfile, theirs: &Lockfile, diff3: bool) -> String {
    let (ours, theirs) = (ours.to_text(), theirs.to_text());
    let common = ours.lines().zip(theirs.lines()).take_while(|(a, b)| a == b).count();
    let after = |text: &str| text.lines().skip(common).map(|line| format!("{line}\n")).collect::<String>();
    let head: String = ours.lines().take(common).map(|line| format!("{line}\n")).collect();
    let base = if diff3 { "||||||| 1234567\nold = \"base\"\n" } else { "" };
    format!("{head}<<<<<<< HEAD\n{}{base}=======\n{}>>>>>>> branch\n", after(&ours), after(&theirs))
}

#[test]
fn a_conflict_is_read_as_two_lockfiles() {
    let alpine = image_pin("docker.io/library/alpine:3", 1, &["linux/amd64"]);
    let ours = one_image(&[alpine.clone(), file_pin("https://files.example/a", 3)]);
    let theirs = one_image(&[
        image_pin("docker.io/library/alpine:3", 1, &["linux/arm64"]),
        file_pin("https://files.example/b", 4),
    ]);
    for diff3 in [false, true] {
        let merged = merge(&conflict(&ours, &theirs, diff3), None, &Limits::default()).unwrap();
        let joined = image_pin("docker.io/library/alpine:3", 1, &["linux/amd64", "linux/arm64"]);
        let want = one_image(&[joined, file_pin("https://files.example/a", 3), file_pin("https://files.example/b", 4)]);
        assert_eq!(merged.lockfile, want);
        assert!(merged.chosen.is_empty() && merged.dropped_records.is_empty());
    }
}

#[test]
fn pins_that_differ_need_a_choice_and_records_go() {
    let ours = with_record(one_image(&[image_pin("docker.io/library/alpine:3", 1, &["linux/amd64"])]));
    let theirs = with_record(one_image(&[image_pin("docker.io/library/alpine:3", 5, &["linux/amd64"])]));
    let text = conflict(&ours, &theirs, false);
    let error = merge(&text, None, &Limits::default()).unwrap_err();
    let MergeError::NeedsChoice(differences) = &error else { panic!("{error}") };
    assert_eq!(differences[0].key, "docker.io/library/alpine:3");
    assert_eq!(error.status(), Status::Lock);
    assert_eq!(error.hint().unwrap(), "run `repro lock --ours` or `repro lock --theirs`");
    for (side, want) in [(Side::Ours, &ours), (Side::Theirs, &theirs)] {
        let merged = merge(&text, Some(side), &Limits::default()).unwrap();
        assert_eq!(merged.lockfile.sources, want.sources);
        assert_eq!(merged.chosen.len(), 1);
        assert_eq!(merged.dropped_records, ["app"]);
    }
}

#[test]
fn a_record_of_one_side_stays_only_with_its_pins() {
    let a = file_pin("https://files.example/a", 3);
    let recorded = with_record(one_image(std::slice::from_ref(&a)));
    let same = one_image(std::slice::from_ref(&a));
    let merged = merge(&conflict(&recorded, &same, false), None, &Limits::default()).unwrap();
    assert_eq!(merged.lockfile, recorded);
    let more = one_image(&[a, file_pin("https://files.example/b", 4)]);
    let merged = merge(&conflict(&recorded, &more, false), None, &Limits::default()).unwrap();
    assert_eq!(merged.dropped_records, ["app"]);
}

#[test]
fn markers_that_do_not_belong_together_are_named() {
    let text = lockfile_text();
    for (damage, line) in [
        ("<<<<<<< HEAD\n", 35),
        (">>>>>>> branch\n", 35),
        ("=======\n", 35),
        ("<<<<<<<HEAD\n", 35),
        ("<<<<<<< HEAD\n<<<<<<< HEAD\n", 36),
        ("<<<<<<< HEAD\n=======\n", 35),
    ] {
        let error =
            merge(&text.replacen("[image.app]\n", &format!("{damage}[image.app]\n"), 1), None, &Limits::default())
                .unwrap_err();
        let MergeError::Markers(LockfileError::BrokenConflict { line: found }) = error else { panic!("{error}") };
        assert_eq!(found, line, "{damage}");
        assert_eq!(error.status(), Status::Lock);
    }
}

fn wanted_source(kind: SourceKind, request: &str, platforms: &[&str]) -> WantedSource {
    WantedSource {
        kind,
        request: request.to_owned(),
        platforms: platforms.iter().map(|name| name.parse().unwrap()).collect(),
        checksum: None,
        lines: vec![(1, 1)],
    }
}

fn wanted(sources: Vec<WantedSource>) -> Wanted {
    let image = WantedImage { sources, request: Request::default() };
    Wanted { images: BTreeMap::from([("app".to_owned(), image)]), ..Wanted::default() }
}

const ALPINE: &str = "docker.io/library/alpine:3";

#[test]
fn only_what_is_missing_or_selected_is_resolved() {
    let old = one_image(&[image_pin(ALPINE, 1, &["linux/amd64"]), file_pin("https://files.example/a", 3)]);
    let file = || wanted_source(SourceKind::Http, "https://files.example/a", &[]);
    let alpine = |platforms: &[&str]| wanted_source(SourceKind::Image, ALPINE, platforms);
    let asked = |wanted: &Wanted, selection: &Selection| -> Vec<(String, bool)> {
        lookups(&old, wanted, selection)
            .into_iter()
            .map(|Lookup { source, at, .. }| (source.request, at.is_some()))
            .collect()
    };
    let same = wanted(vec![alpine(&["linux/amd64"]), file()]);
    let (image, file_url) = (ALPINE.to_owned(), "https://files.example/a".to_owned());
    let named = |name: &str| Selection::Named(vec![name.to_owned()]);
    assert_eq!(asked(&same, &Selection::None), []);
    assert_eq!(asked(&same, &Selection::All), [(image.clone(), false), (file_url.clone(), false)]);
    for name in ["alpine:3", "alpine", ALPINE] {
        assert_eq!(asked(&same, &named(name)), [(image.clone(), false)], "{name}");
    }
    assert_eq!(asked(&same, &named("https://files.example/a")), [(file_url.clone(), false)]);
    assert_eq!(named("debian").unmatched(&same), ["debian"]);
    assert_eq!(named("alpine").unmatched(&same), Vec::<String>::new());
    let more = wanted(vec![alpine(&["linux/amd64"]), alpine(&["linux/arm64"]), file()]);
    assert_eq!(asked(&more, &Selection::None), [(image, true)], "platforms are completed at the pinned digest");
    let lookup = &lookups(&old, &more, &Selection::None)[0];
    assert_eq!((lookup.source.request.as_str(), lookup.at), (ALPINE, Some(Digest::from_bytes([1; 32]))));
    let checked = WantedSource { checksum: Some(format!("sha256:{}", "00".repeat(32))), ..file() };
    assert_eq!(asked(&wanted(vec![checked]), &Selection::None), [(file_url, false)]);
}

#[test]
fn the_id_of_an_annotated_tag_is_pinned_where_a_checksum_demands_it_and_nowhere_else() {
    let request = "https://files.example/lib.git#v1";
    let pin = |has_tag: bool| Pin::Git {
        request: request.to_owned(),
        commit: "1".repeat(40),
        tag: has_tag.then(|| "2".repeat(40)),
    };
    let source = |checksum: &str| WantedSource {
        checksum: Some(checksum.to_owned()).filter(|checksum| !checksum.is_empty()),
        ..wanted_source(SourceKind::Git, request, &[])
    };
    for (checksums, is_demanded) in [(&[""][..], false), (&["111"], false), (&["222"], true), (&["111", "222"], true)] {
        let wanted = wanted(checksums.iter().copied().map(source).collect());
        let (locked, _) = update(&Lockfile::default(), &wanted, &[pin(true)]);
        assert_eq!(locked.sources, [pin(is_demanded)], "{checksums:?}");
        assert_eq!(lookups(&locked, &wanted, &Selection::None), []);
        let asked = lookups(&one_image(&[pin(false)]), &wanted, &Selection::None);
        assert_eq!(asked.len(), usize::from(is_demanded), "{checksums:?}");
        let text = locked.to_text();
        assert_eq!(text.contains("revision = 1"), is_demanded, "{text}");
        assert_eq!(Lockfile::parse(&text, &Limits::default()).unwrap(), locked);
    }
}

#[test]
fn locking_keeps_adds_moves_and_drops() {
    let alpine = image_pin(ALPINE, 1, &["linux/amd64"]);
    let old = with_record(one_image(&[alpine.clone(), file_pin("https://files.example/a", 3)]));
    let source = wanted_source(SourceKind::Image, ALPINE, &["linux/amd64"]);
    let a = wanted_source(SourceKind::Http, "https://files.example/a", &[]);
    let b = wanted_source(SourceKind::Http, "https://files.example/b", &[]);
    let cases: Vec<(&str, Wanted, Vec<Pin>)> = vec![
        ("same", wanted(vec![source.clone(), a.clone()]), vec![]),
        ("file dropped", wanted(vec![source.clone()]), vec![]),
        ("file added", wanted(vec![source.clone(), a.clone(), b]), vec![file_pin("https://files.example/b", 4)]),
        ("image moved", wanted(vec![source.clone(), a.clone()]), vec![image_pin(ALPINE, 7, &["linux/amd64"])]),
        (
            "platform added",
            wanted(vec![wanted_source(SourceKind::Image, ALPINE, &["linux/amd64", "linux/arm64"]), a.clone()]),
            vec![image_pin(ALPINE, 1, &["linux/arm64"])],
        ),
        ("image of the manifest gone", Wanted::default(), vec![]),
        (
            "other target",
            Wanted {
                images: BTreeMap::from([(
                    "app".to_owned(),
                    WantedImage {
                        sources: vec![source, a],
                        request: Request { facts: BTreeMap::from([("target".to_owned(), Fact::Text("x".to_owned()))]) },
                    },
                )]),
                ..Wanted::default()
            },
            vec![],
        ),
        ("kept for another command", Wanted { kept: BTreeSet::from(["app".to_owned()]), ..Wanted::default() }, vec![]),
    ];
    let mut shown = String::new();
    for (name, wanted, resolved) in cases {
        let (new, changes) = update(&old, &wanted, &resolved);
        assert_eq!(new == old, changes.is_empty(), "{name}");
        let (again, none) = update(&new, &wanted, &resolved);
        assert_eq!((again, none), (new, vec![]), "{name}: locking twice is locking once");
        shown.push_str(&format!("{name}\n"));
        changes.iter().for_each(|change| shown.push_str(&format!("    {change}\n")));
    }
    snapbox::assert_data_eq!(shown, snapbox::file!["snapshots/lockfile/changes.txt"].raw());
}

#[test]
fn the_buildkit_image_is_locked_like_a_source() {
    let request = "docker.io/moby/buildkit:v0.32.2".to_owned();
    let wanted = Wanted { buildkit: Some(request.clone()), ..Wanted::default() };
    let none = Lockfile::default();
    assert_eq!(lookups(&none, &wanted, &Selection::None).len(), 1);
    let (locked, changes) = update(&none, &wanted, &[image_pin(&request, 1, &[])]);
    assert_eq!(locked.buildkit.as_ref().unwrap().digest, Digest::from_bytes([1; 32]));
    assert!(locked.sources.is_empty(), "it is no source of an image");
    assert_eq!(changes.len(), 1);
    assert_eq!(lookups(&locked, &wanted, &Selection::None), []);
    let (dropped, _) = update(&locked, &Wanted::default(), &[]);
    assert_eq!(dropped, none);
}
