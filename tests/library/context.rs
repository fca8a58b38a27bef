//! Contexts as they lie on disk: which entries remain, and what their digest is.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use repro::parts::cancel::Cancel;
use repro::parts::context::{self, EntryKind, Error, Request, Surroundings, Tree};
use repro::parts::limits::Limits;
use repro::parts::progress::{Reporter, Silent};
use repro::parts::status::{ExitStatus, Status};

fn read(root: &Path, dockerfile: Option<&Path>, paths: Option<&[&str]>) -> Result<Tree, Error> {
    let paths = paths.map(|paths| paths.iter().map(|&path| path.to_owned()).collect::<Vec<_>>());
    let plain = Request { name: "context", root, dockerfile, tracked_only: false, include: &[], paths: None };
    read_within(&Request { paths: paths.as_deref(), ..plain }, &Limits::default())
}

fn read_within(request: &Request<'_>, limits: &Limits) -> Result<Tree, Error> {
    read_with_cache(request, limits, None)
}

fn read_with_cache(request: &Request<'_>, limits: &Limits, cache: Option<&Path>) -> Result<Tree, Error> {
    let progress: Reporter = Arc::new(Silent);
    let cancel = Cancel::default();
    context::read(request, &Surroundings { limits, progress: &progress, cancel: &cancel, cache })
}

/// A directory with files; a path that ends in `/` is a directory, `a -> b` a link.
fn directory(entries: &[(&str, &str)]) -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    for (path, content) in entries {
        let (path, target) = path.split_once(" -> ").map_or((*path, None), |(path, target)| (path, Some(target)));
        let place = directory.path().join(path);
        fs::create_dir_all(place.parent().unwrap()).unwrap();
        match target {
            Some(target) => symlink(target, place).unwrap(),
            None if path.ends_with('/') => fs::create_dir_all(place).unwrap(),
            None => fs::write(place, content).unwrap(),
        }
    }
    directory
}

/// The entries by name: directories end in `/`, links in `@`.
fn names(tree: &Tree) -> Vec<String> {
    let name = |entry: &context::Entry| {
        let path = String::from_utf8_lossy(&entry.path);
        match entry.kind {
            EntryKind::File { .. } => path.into_owned(),
            EntryKind::Directory => format!("{path}/"),
            EntryKind::Symlink(_) => format!("{path}@"),
            EntryKind::HardLink(_) => format!("{path}="),
        }
    };
    tree.entries.iter().map(name).collect()
}

/// Writes the context of a golden case as its list of entries says.
fn write_case_context(case: &Path, entries: &serde_json::Value, target: &Path) {
    for entry in entries.as_array().unwrap() {
        let path = target.join(entry["path"].as_str().unwrap());
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        match entry["type"].as_str().unwrap() {
            "file" => {
                fs::copy(case.join("context").join(entry["path"].as_str().unwrap()), &path).unwrap();
                let mode = u32::from_str_radix(entry["mode"].as_str().unwrap(), 8).unwrap();
                fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            }
            "symlink" => symlink(entry["target"].as_str().unwrap(), &path).unwrap(),
            "dir" => fs::create_dir(&path).unwrap(),
            kind => panic!("{kind}"),
        }
    }
}

#[test]
fn what_remains_is_what_buildkit_copied() {
    let cases = Path::new("tests/cases/native/cases");
    let mut seen = BTreeSet::new();
    for entry in fs::read_dir(cases).unwrap() {
        let case = entry.unwrap().path();
        let name = case.file_name().unwrap().to_str().unwrap().to_owned();
        let dockerfile = case.join("Dockerfile");
        // Only cases that copy the whole context show all that remains.
        if !name.starts_with("ign-") || fs::read_to_string(&dockerfile).unwrap() != "FROM scratch\nCOPY . /c/\n" {
            continue;
        }
        let facts: serde_json::Value = serde_json::from_slice(&fs::read(case.join("case.json")).unwrap()).unwrap();
        let root = tempfile::tempdir().unwrap();
        write_case_context(&case, &facts["context"], root.path());
        let mut found = BTreeSet::new();
        for entry in read(root.path(), Some(&dockerfile), None).unwrap().entries {
            let path = String::from_utf8(entry.path).unwrap();
            for (at, _) in path.match_indices('/') {
                found.insert(format!("c/{}/", &path[..at]));
            }
            let end = if entry.kind == EntryKind::Directory { "/" } else { "" };
            found.insert(format!("c/{path}{end}"));
        }
        let lines = facts["expected"]["layers"][0]["entries"].as_array().unwrap();
        let path = |line: &serde_json::Value| line.as_str().unwrap().rsplit(' ').next().unwrap().to_owned();
        let expected: BTreeSet<_> = lines.iter().map(path).filter(|path| path != "c/").collect();
        assert_eq!(found, expected, "{name}");
        seen.insert(name);
    }
    assert_eq!(seen.len(), 8, "{seen:?}");
}

/// `context_ignore.jsonl`: a tree, then ignore files with what moby/patternmatcher v0.6.1 in BuildKit's client kept of it.
#[test]
fn ignore_files_keep_what_the_client_of_buildkit_keeps() {
    let lines = fs::read_to_string("tests/context_ignore.jsonl").unwrap();
    let mut lines = lines.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    let listed = lines.next().unwrap();
    let listed: Vec<_> = listed["tree"].as_array().unwrap().iter().map(|path| path.as_str().unwrap()).collect();
    let listed: Vec<_> = listed.iter().map(|path| path.replace('@', " -> keep")).collect();
    let root = directory(&listed.iter().map(|path| (path.as_str(), "")).collect::<Vec<_>>());
    let outside = tempfile::tempdir().unwrap();
    let dockerfile = outside.path().join("Dockerfile");
    let mut count = 0;
    for case in lines {
        let ignore = case["ignore"].as_str().unwrap();
        fs::write(outside.path().join("Dockerfile.dockerignore"), ignore).unwrap();
        let found = read(root.path(), Some(&dockerfile), None);
        match case["kept"].as_array() {
            Some(kept) => {
                let kept: Vec<_> = kept.iter().map(|path| path.as_str().unwrap()).collect();
                assert_eq!(names(&found.unwrap()), kept, "{ignore:?}");
            }
            None => assert!(found.is_err(), "{ignore:?}: {}", case["error"]),
        }
        count += 1;
    }
    assert_eq!(count, 202);
}

#[test]
fn the_rules_beside_the_dockerfile_replace_those_of_the_context() {
    let root = directory(&[("a", ""), ("b", ""), (".dockerignore", "a\n")]);
    let outside = directory(&[("Containerfile", ""), ("Containerfile.dockerignore", "b\n")]);
    let dockerfile = outside.path().join("Containerfile");
    assert_eq!(names(&read(root.path(), None, None).unwrap()), [".dockerignore", "b"]);
    assert_eq!(names(&read(root.path(), Some(&dockerfile), None).unwrap()), [".dockerignore", "a"]);
}

#[test]
fn directories_that_only_rules_emptied_stay() {
    let root = directory(&[("gone/a", ""), ("kept/a", ""), ("kept/deep/b", ""), ("empty/", ""), (".dockerignore", "")]);
    fs::write(root.path().join(".dockerignore"), "gone\nkept/a\n**/b\n.dockerignore\n").unwrap();
    assert_eq!(names(&read(root.path(), None, None).unwrap()), ["empty/", "kept/deep/"]);
}

#[test]
fn only_what_the_target_needs_is_listed_with_the_links_on_the_way() {
    let root = directory(&[
        ("readme", ""),
        ("src/a", ""),
        ("src/b", ""),
        ("link -> src", ""),
        ("up -> ../../../readme", ""),
        ("abs/l -> /src/b", ""),
        ("w/one.txt", ""),
        ("w/two.txt -> ../src/a", ""),
        ("w/three.md", ""),
        ("loop -> loop", ""),
        ("round -> round/x", ""),
    ]);
    for (paths, want) in [
        (&["src"][..], &["src/a", "src/b"][..]),
        (&["link"], &["link@", "src/a", "src/b"]),
        (&["link/a"], &["link@", "src/a"]),
        (&["link/a", "link/b"], &["link@", "src/a", "src/b"]),
        (&["up"], &["readme", "up@"]),
        (&["abs"], &["abs/l@"]),
        (&["abs/l"], &["abs/l@", "src/b"]),
        (&["w/*.txt"], &["src/a", "w/one.txt", "w/two.txt@"]),
        // Like BuildKit's client: a wildcard that matches a link on the way takes in all that it matches.
        (&["[w]/one.txt"], &["w/one.txt"]),
        (&["[lw]*/a"], &["link@", "loop@", "src/a", "w/one.txt", "w/three.md", "w/two.txt@"]),
        (&["loop", "round", "missing", "../../readme"], &["loop@", "readme", "round@"]),
        (&[], &[]),
    ] {
        assert_eq!(names(&read(root.path(), None, Some(paths)).unwrap()), want, "{paths:?}");
    }
    let all = names(&read(root.path(), None, None).unwrap());
    assert_eq!(names(&read(root.path(), None, Some(&["src", "."])).unwrap()), all);
}

#[test]
fn lockfile_and_tapes_are_no_part_of_a_context() {
    let root = directory(&[("repro.lock", ""), ("sub/repro.lock", ""), ("repro.app.tape", ""), ("repro.toml", "")]);
    assert_eq!(names(&read(root.path(), None, None).unwrap()), ["repro.toml", "sub/"]);
}

#[test]
fn modes_times_and_place_do_not_reach_the_digest() {
    let content = [("a", "1"), ("run", "2"), ("d/b", "3"), ("l -> a", "")];
    let (one, two) = (directory(&content), directory(&content));
    for (root, plain, executable, directory) in [(&one, 0o600, 0o700, 0o700), (&two, 0o664, 0o775, 0o777)] {
        let set = |path: &str, mode| fs::set_permissions(root.path().join(path), PermissionsExt::from_mode(mode));
        set("a", plain).unwrap();
        set("run", executable).unwrap();
        set("d", directory).unwrap();
    }
    let file = fs::File::options().write(true).open(two.path().join("a")).unwrap();
    file.set_modified(std::time::SystemTime::UNIX_EPOCH).unwrap();
    let (one, two) = (read(one.path(), None, None).unwrap(), read(two.path(), None, None).unwrap());
    assert_eq!(one.digest(), two.digest());
    // The vector of docs/formats.md.
    let want = "sha256:7ce740c77c17115bfb9c8d975883eb42d252e19d4c3c6e0b1341f79b5533f694";
    assert_eq!(one.digest().to_string(), want);
    assert!(fs::read_to_string("docs/formats.md").unwrap().contains(&format!("```text\n{}```", one.description())));
}

#[test]
fn hard_links_name_the_first_of_their_paths() {
    let root = directory(&[("b/first", "x"), ("other", "x")]);
    fs::hard_link(root.path().join("b/first"), root.path().join("b.z")).unwrap();
    fs::hard_link(root.path().join("b/first"), root.path().join("z")).unwrap();
    let tree = read(root.path(), None, None).unwrap();
    assert_eq!(names(&tree), ["b.z", "b/first=", "other", "z="]);
    assert_eq!(tree.entries[3].kind, EntryKind::HardLink(b"b.z".to_vec()));
    // The first name left out, the next one becomes the file.
    let tree = read(root.path(), None, Some(&["b", "z"])).unwrap();
    assert_eq!(names(&tree), ["b/first", "z="]);
}

#[test]
fn what_no_context_can_hold_is_refused_by_name() {
    let root = directory(&[("a", ""), ("d/", ""), (".dockerignore", "")]);
    let fifo = rustix::fs::FileType::Fifo;
    rustix::fs::mknodat(rustix::fs::CWD, root.path().join("d/pipe"), fifo, rustix::fs::Mode::RWXU, 0).unwrap();
    let error = read(root.path(), None, None).unwrap_err();
    assert_eq!(error.to_string(), "d/pipe is a fifo: a context holds files, links and directories only");
    assert_eq!(error.status(), Status::Usage);
    // Not needed, or left out: not refused.
    assert_eq!(names(&read(root.path(), None, Some(&["a"])).unwrap()), ["a"]);
    fs::write(root.path().join(".dockerignore"), "**/pipe").unwrap();
    assert_eq!(names(&read(root.path(), None, None).unwrap()), [".dockerignore", "a", "d/"]);
}

#[test]
fn rules_that_buildkit_would_contradict_are_refused() {
    let root = directory(&[("a/b", "x"), (".dockerignore", "*\n!a/b\na\n")]);
    let error = read(root.path(), None, None).unwrap_err();
    assert!(matches!(error, Error::Contradiction { .. }), "{error}");
}

#[test]
fn limits_are_named() {
    let root = directory(&[("a/b/c", "xyz"), ("d", "x")]);
    for (name, value) in [("context-files", 1), ("context-bytes", 3), ("context-depth", 1), ("ignore-file", 0)] {
        fs::write(root.path().join(".dockerignore"), if name == "ignore-file" { "#" } else { "" }).unwrap();
        let mut limits = Limits::default();
        assert!(limits.set(name, value));
        let root = root.path();
        let request =
            Request { name: "context", root, dockerfile: None, tracked_only: false, include: &[], paths: None };
        let error = read_within(&request, &limits).unwrap_err();
        assert!(error.to_string().contains(&format!("limit `{name}`")), "{error}");
        assert_eq!(error.status(), Status::Malformed);
    }
}

/// Ignore files that are lists of what is not there, as `**/NAME/**`, as a directory of sources has it.
#[test]
fn patterns_that_can_not_match_cost_nothing_and_all_steps_are_bounded() {
    let names: Vec<_> = (0..200).map(|number| format!("packages/a/src/file-{number}.ts")).collect();
    let root = directory(&names.iter().map(|name| (name.as_str(), "x")).collect::<Vec<_>>());
    let rules: String = (0..50).map(|number| format!("**/node_modules{number}/**\n**/[Bb]in{number}/*\n")).collect();
    fs::write(root.path().join(".dockerignore"), rules).unwrap();
    let request = Request {
        name: "context",
        root: root.path(),
        dockerfile: None,
        tracked_only: false,
        include: &[],
        paths: None,
    };
    // 204 names and 100 patterns; the counter is looked at every 8192 steps.
    let limits = Limits { context_steps: 1_000, ..Limits::default() };
    assert_eq!(read_within(&request, &limits).unwrap().entries.len(), 201);
    let rules: String = (0..100).map(|number| format!("**/[pP]*/*s*/**file-?{number}*\n")).collect();
    fs::write(root.path().join(".dockerignore"), rules).unwrap();
    let error = read_within(&request, &limits).map(|tree| tree.entries.len()).unwrap_err();
    assert!(error.to_string().starts_with(".dockerignore: limit `context-steps` of 1000"), "{error}");
    assert_eq!(error.status(), Status::Malformed);
}

#[test]
fn names_of_any_bytes_survive_reading_and_staging() {
    let (root, staged) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    for name in [b"a\xff".as_slice(), b"new\nline", b"back\\slash", "\u{e9}".as_bytes(), b" ", b"\x01"] {
        fs::write(root.path().join(PathBuf::from(std::ffi::OsStr::from_bytes(name))), name).unwrap();
    }
    symlink("..\\\u{7f}", root.path().join("link")).unwrap();
    fs::create_dir_all(root.path().join("deep/er")).unwrap();
    fs::write(root.path().join("two words"), "").unwrap();
    fs::hard_link(root.path().join("two words"), root.path().join("w x")).unwrap();
    let tree = read(root.path(), None, None).unwrap();
    context::stage(&tree, staged.path()).unwrap();
    assert_eq!(read(staged.path(), None, None).unwrap().digest(), tree.digest());
    assert_eq!(tree.entries.len(), 10);
    for directory in [root.path(), staged.path()] {
        let script = Command::new("python3").arg("tests/context_digest.py").arg(directory).output().unwrap();
        assert_eq!(String::from_utf8(script.stdout).unwrap().trim(), tree.digest().to_string());
    }
}

#[test]
fn the_cache_saves_reading_and_never_hides_an_edit() {
    let (root, cache) = (directory(&[("a", "old!"), ("b", "2")]), tempfile::tempdir().unwrap());
    let place = root.path().join("a");
    let request = Request {
        name: "context",
        root: root.path(),
        dockerfile: None,
        tracked_only: false,
        include: &[],
        paths: None,
    };
    let read = || read_with_cache(&request, &Limits::default(), Some(cache.path())).unwrap().digest();
    // Only files that lay still for a moment are remembered.
    std::thread::sleep(std::time::Duration::from_millis(150));
    let old = read();
    let remembered = fs::read_dir(cache.path().join("context")).unwrap().next().unwrap().unwrap().path();
    assert!(fs::metadata(&remembered).unwrap().len() > 250);
    assert_eq!(read(), old);
    // An edit of the same size that puts the old time back.
    let modified = fs::metadata(&place).unwrap().modified().unwrap();
    fs::write(&place, "new!").unwrap();
    fs::File::options().write(true).open(&place).unwrap().set_modified(modified).unwrap();
    let new = read();
    assert_ne!(new, old);
    assert_eq!(read(), new);
    // Another file in its place.
    fs::write(root.path().join("c"), "old!").unwrap();
    fs::rename(root.path().join("c"), &place).unwrap();
    assert_eq!(read(), old);
    fs::write(&remembered, "nonsense").unwrap();
    assert_eq!(read(), old);
}
