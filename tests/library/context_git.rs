//! Contexts in git work trees: what is tracked counts, with the content that a clean checkout has.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex};

use repro::parts::cancel::Cancel;
use repro::parts::context::{self, Content, EntryKind, Error, Request, Surroundings, Tree};
use repro::parts::digest::Digest;
use repro::parts::git;
use repro::parts::limits::Limits;
use repro::parts::progress::{Progress, Reporter};
use repro::parts::status::{ExitStatus, Status};
use tempfile::TempDir;

/// Remembers what a person would be told.
#[derive(Default)]
struct Heard(Mutex<Vec<String>>);

impl Progress for Heard {
    fn step(&self, _what: &str, _done: u64, _total: Option<u64>) {}
    fn end(&self, _what: &str) {}
    fn log(&self, _line: &str) {}
    fn warn(&self, message: &str) {
        self.0.lock().unwrap().push(format!("warning: {message}"));
    }
    fn note(&self, message: &str) {
        self.0.lock().unwrap().push(format!("note: {message}"));
    }
}

struct Reading {
    tree: Result<Tree, Error>,
    heard: Vec<String>,
}

impl Reading {
    fn names(&self) -> Vec<String> {
        self.tree
            .as_ref()
            .unwrap()
            .entries
            .iter()
            .map(|entry| String::from_utf8_lossy(&entry.path).into_owned())
            .collect()
    }

    fn digest(&self) -> Digest {
        self.tree.as_ref().unwrap().digest()
    }

    fn content(&self, path: &str) -> Vec<u8> {
        let entry = self.tree.as_ref().unwrap().entries.iter().find(|entry| entry.path == path.as_bytes()).unwrap();
        match &entry.kind {
            EntryKind::File { content: Content::Bytes(bytes), .. } => bytes.to_vec(),
            EntryKind::File { content: Content::File(path), .. } => fs::read(path).unwrap(),
            EntryKind::Symlink(target) => target.clone(),
            kind => panic!("{kind:?}"),
        }
    }

    fn error(&self) -> &Error {
        self.tree.as_ref().unwrap_err()
    }
}

fn read_with(root: &Path, include: &[&str], paths: Option<&[&str]>) -> Reading {
    read_for(root, None, include, paths)
}

fn read_for(root: &Path, dockerfile: Option<&Path>, include: &[&str], paths: Option<&[&str]>) -> Reading {
    let owned = |list: &[&str]| list.iter().map(|&item| item.to_owned()).collect::<Vec<_>>();
    let (include, paths) = (owned(include), paths.map(owned));
    let request =
        Request { name: "context", root, dockerfile, tracked_only: true, include: &include, paths: paths.as_deref() };
    let heard = Arc::new(Heard::default());
    let progress: Reporter = heard.clone();
    let (limits, cancel) = (Limits::default(), Cancel::default());
    let surroundings = Surroundings { limits: &limits, progress: &progress, cancel: &cancel, cache: None };
    let tree = context::read(&request, &surroundings);
    let heard = heard.0.lock().unwrap().clone();
    Reading { tree, heard }
}

fn read(root: &Path) -> Reading {
    read_with(root, &[], None)
}

fn git(directory: &Path, arguments: &[&str]) {
    let output = Command::new("git")
        .args(["-c", "protocol.file.allow=always", "-c", "core.autocrlf=false"])
        .args(arguments)
        .current_dir(directory)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap())
        .env("HOME", directory)
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .envs([("GIT_AUTHOR_NAME", "a"), ("GIT_AUTHOR_EMAIL", "a@x.example")])
        .envs([("GIT_COMMITTER_NAME", "c"), ("GIT_COMMITTER_EMAIL", "c@x.example")])
        .envs([("GIT_AUTHOR_DATE", "1600000000 +0000"), ("GIT_COMMITTER_DATE", "1700000000 +0200")])
        .output()
        .unwrap();
    assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
}

fn write(root: &Path, files: &[(&str, &str)]) {
    for (path, content) in files {
        let place = root.join(path);
        fs::create_dir_all(place.parent().unwrap()).unwrap();
        fs::write(place, content).unwrap();
    }
}

/// A repository with the files committed.
fn repository(files: &[(&str, &str)]) -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    git(directory.path(), &["init", "-q", "-b", "main"]);
    write(directory.path(), files);
    commit(directory.path());
    directory
}

fn commit(directory: &Path) {
    git(directory, &["add", "-A"]);
    git(directory, &["commit", "-q", "--allow-empty", "-m", "x"]);
}

fn clone_of(origin: &Path, options: &[&str]) -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    let place = directory.path().to_str().unwrap();
    git(directory.path(), &[&["clone", "-q"], options, &[origin.to_str().unwrap(), place]].concat());
    directory
}

#[test]
fn an_untracked_file_is_named_and_left_out() {
    let root = repository(&[("a", "1"), ("d/b", "2"), (".dockerignore", "**/*.log\n"), (".gitignore", "out\n")]);
    let before = read(root.path());
    assert_eq!(before.names(), [".dockerignore", ".gitignore", "a", "d/b"]);
    assert!(before.heard.is_empty(), "{:?}", before.heard);
    write(root.path(), &[("x", ""), ("d/y.log", ""), ("new/deep/z", ""), ("logs/a.log", ""), ("out/o", "")]);
    fs::create_dir(root.path().join("empty")).unwrap();
    let after = read(root.path());
    assert_eq!(after.digest(), before.digest());
    assert_eq!(
        after.heard,
        ["warning: context: left out since git doesn't track them: new/, out/, x; `git add`, `include` or ignore them"]
    );
    // Nobody needs them: nobody is told.
    assert!(read_with(root.path(), &[], Some(&["d"])).heard.is_empty());
}

#[test]
fn included_files_count_though_git_does_not_track_them() {
    let root = repository(&[("a", "1"), (".dockerignore", "dist/no\n"), (".gitignore", "dist\n")]);
    write(
        root.path(),
        &[("dist/app", "x"), ("dist/deep/b", "y"), ("dist/no", ""), ("other/keep", ""), ("other/x", "")],
    );
    fs::set_permissions(root.path().join("dist/app"), PermissionsExt::from_mode(0o755)).unwrap();
    let found = read_with(root.path(), &["dist/**", "other/keep"], None);
    assert_eq!(found.names(), [".dockerignore", ".gitignore", "a", "dist/app", "dist/deep/b", "other/keep"]);
    assert!(matches!(found.tree.unwrap().entries[3].kind, EntryKind::File { executable: true, .. }));
    assert_eq!(found.heard.len(), 1);
    assert!(found.heard[0].contains(": other/x;"), "{:?}", found.heard);
}

#[test]
fn the_digest_is_the_same_in_every_clone() {
    let origin = repository(&[
        (".gitattributes", "*.bat text eol=crlf\n*.txt text=auto\n*.id ident\n*.bin -text\n"),
        ("unix", "a\nb\n"),
        ("mixed", "a\r\nb\n"),
        ("run.bat", "x\ny\n"),
        ("auto.txt", "x\n"),
        ("mixed.bat", "x\r\ny\n"),
        ("mixed.txt", "x\r\ny\n"),
        ("v.id", "$Id$\n"),
        ("raw.bin", "a\n\0"),
        ("script", "#!/bin/sh\n"),
        ("d/e", "1"),
    ]);
    fs::set_permissions(origin.path().join("script"), PermissionsExt::from_mode(0o755)).unwrap();
    symlink("d/e", origin.path().join("link")).unwrap();
    commit(origin.path());
    let plain = clone_of(origin.path(), &[]);
    let want = read(plain.path());
    assert!(want.heard.is_empty(), "{:?}", want.heard);
    assert_eq!(want.content("run.bat"), b"x\r\ny\r\n");
    assert_eq!(want.content("auto.txt"), b"x\n");
    assert!(want.content("v.id").starts_with(b"$Id: "));
    for options in [
        &["-c", "core.autocrlf=true"][..],
        &["-c", "core.autocrlf=input"],
        &["-c", "core.eol=crlf"],
        &["-c", "core.symlinks=false"],
        &["-c", "core.fileMode=false"],
        &["--depth=1", "--no-local"],
    ] {
        let clone = clone_of(origin.path(), options);
        let found = read(clone.path());
        assert_eq!(
            found.tree.as_ref().unwrap().description(),
            want.tree.as_ref().unwrap().description(),
            "{options:?}"
        );
        assert!(found.heard.is_empty(), "{options:?} {:?}", found.heard);
        // Time and umask of a checkout don't count, nor whether git's index still knows the files.
        for path in ["unix", "run.bat", "link"] {
            let _ = rustix::fs::utimensat(
                rustix::fs::CWD,
                clone.path().join(path),
                &rustix::fs::Timestamps {
                    last_access: rustix::fs::Timespec { tv_sec: 1, tv_nsec: 2 },
                    last_modification: rustix::fs::Timespec { tv_sec: 1, tv_nsec: 2 },
                },
                rustix::fs::AtFlags::SYMLINK_NOFOLLOW,
            );
        }
        fs::set_permissions(clone.path().join("unix"), PermissionsExt::from_mode(0o600)).unwrap();
        assert_eq!(read(clone.path()).digest(), want.digest(), "{options:?}");
    }
    // The origin's own files were never checked out: its line ends are those that were typed.
    assert_eq!(read(origin.path()).digest(), want.digest());
}

#[test]
fn an_index_in_two_files_is_read_as_one() {
    for version in ["2", "4"] {
        let root = repository(&[("a", "1"), ("b", "2"), ("d/c", "3"), ("d/gone", "4"), ("z", "5")]);
        let setting = format!("index.version={version}");
        let git = |arguments: &[&str]| {
            git(root.path(), &[&["-c", "core.splitIndex=true", "-c", &setting], arguments].concat())
        };
        git(&["update-index", "--index-version", version, "--split-index"]);
        write(root.path(), &[("b", "changed"), ("d/new", "6"), ("late", "7")]);
        fs::remove_file(root.path().join("d/gone")).unwrap();
        git(&["add", "-A"]);
        let shared = fs::read_dir(root.path().join(".git")).unwrap();
        let shared =
            shared.filter(|entry| entry.as_ref().unwrap().file_name().as_encoded_bytes().starts_with(b"shared"));
        assert!(shared.count() > 0, "the index is split");
        let split = read(root.path());
        assert_eq!(split.names(), ["a", "b", "d/c", "d/new", "late", "z"]);
        assert!(split.heard.is_empty(), "{:?}", split.heard);
        git(&["update-index", "--no-split-index"]);
        assert_eq!(read(root.path()).digest(), split.digest());
    }
}

#[test]
fn an_edited_file_counts_as_it_lies_with_a_note() {
    let root = repository(&[("a", "1"), ("b", "2"), ("c", "3"), ("run", "4")]);
    let committed = read(root.path()).digest();
    write(root.path(), &[("a", "edited")]);
    fs::remove_file(root.path().join("b")).unwrap();
    fs::remove_file(root.path().join("c")).unwrap();
    symlink("a", root.path().join("c")).unwrap();
    fs::set_permissions(root.path().join("run"), PermissionsExt::from_mode(0o755)).unwrap();
    let found = read(root.path());
    assert_eq!(found.names(), ["a", "c", "run"]);
    assert_eq!(found.content("a"), b"edited");
    assert_ne!(found.digest(), committed);
    assert_eq!(
        found.heard,
        [
            "note: context: modified, used as it is in the work tree: a, c",
            "note: context: deleted in the work tree, treated as deleted: b",
            "note: context: executable bit differs from git's index, which is used: run",
        ]
    );
    // Line ends that nobody asked for are an edit like any other.
    let root = repository(&[("a", "1\n2\n")]);
    write(root.path(), &[("a", "1\r\n2\r\n")]);
    assert_eq!(read(root.path()).content("a"), b"1\r\n2\r\n");
}

#[test]
fn only_the_directory_of_the_context_counts() {
    let root = repository(&[("app/a", ""), ("app/b/c", ""), ("app.x", ""), ("other/d", ""), ("app/repro.lock", "")]);
    write(root.path(), &[("other/untracked", ""), ("app/repro.app.tape", "")]);
    let found = read(&root.path().join("app"));
    assert_eq!((found.names(), found.heard), (vec!["a".to_owned(), "b/c".to_owned()], vec![]));
    let inner = root.path().join("app/b");
    assert_eq!(read(&inner).names(), ["c"]);
}

#[test]
fn directories_stay_only_where_rules_emptied_them() {
    let root =
        repository(&[("a/x.log", ""), ("b/c/y.log", ""), ("l/repro.lock", ""), (".dockerignore", "**/*.log\n.*\n")]);
    fs::create_dir(root.path().join("untracked")).unwrap();
    let found = read(root.path());
    assert_eq!(found.names(), ["a", "b/c"]);
    assert!(found.tree.unwrap().entries.iter().all(|entry| entry.kind == EntryKind::Directory));
    // Deleted on top of it, the directory is gone as it would be from a commit.
    fs::remove_file(root.path().join("a/x.log")).unwrap();
    assert_eq!(read(root.path()).names(), ["b/c"]);
}

#[test]
fn rules_that_git_does_not_track_do_not_count() {
    let root = repository(&[("a", ""), ("b", "")]);
    write(root.path(), &[(".dockerignore", "a\n.dockerignore\n")]);
    let found = read(root.path());
    assert_eq!(found.names(), ["a", "b"]);
    assert!(found.heard[0].starts_with("warning: context: `.dockerignore` is not tracked by git"), "{:?}", found.heard);
    // The same for rules beside the Dockerfile, unless that lies outside the repository.
    let outside = tempfile::tempdir().unwrap();
    for (place, want, warnings) in [(root.path(), &["a", "b"][..], 2), (outside.path(), &["a"], 1)] {
        write(place, &[("Containerfile.dockerignore", "b\n")]);
        let found = read_for(root.path(), Some(&place.join("Containerfile")), &[], None);
        assert_eq!(found.names(), want);
        assert_eq!(found.heard.len(), warnings, "{:?}", found.heard);
    }
    commit(root.path());
    let found = read_for(root.path(), Some(&root.path().join("Containerfile")), &[], None);
    assert_eq!(
        (found.names(), found.heard),
        (vec![".dockerignore".into(), "Containerfile.dockerignore".into(), "a".into()], vec![])
    );
}

#[test]
fn submodules_count_with_their_tracked_files() {
    let inner = repository(&[("s", "1"), (".gitattributes", "*.bat eol=crlf\n"), ("x.bat", "a\n")]);
    let root = repository(&[("a", "")]);
    git(root.path(), &["submodule", "add", "-q", inner.path().to_str().unwrap(), "sub"]);
    commit(root.path());
    write(root.path(), &[("sub/untracked", "")]);
    let found = read(root.path());
    assert_eq!(found.names(), [".gitmodules", "a", "sub/.gitattributes", "sub/s", "sub/x.bat"]);
    assert_eq!(found.heard.len(), 1, "{:?}", found.heard);
    let clone = clone_of(root.path(), &[]);
    let error = read(clone.path());
    assert_eq!(error.error().to_string(), "submodule sub is not checked out");
    assert_eq!(error.error().hint().unwrap(), "`git submodule update --init --recursive -- sub`");
    assert_eq!(read_with(clone.path(), &[], Some(&["a"])).names(), ["a"]);
    git(clone.path(), &["submodule", "update", "-q", "--init"]);
    assert_eq!(read(clone.path()).digest(), found.digest());
    assert_eq!(read(&clone.path().join("sub")).names(), [".gitattributes", "s", "x.bat"]);
    // Another commit than the tracked one.
    write(&clone.path().join("sub"), &[("s", "2")]);
    commit(&clone.path().join("sub"));
    let moved = read(clone.path());
    assert_eq!(moved.heard, ["note: context: submodule at another commit than tracked, used as checked out: sub"]);
}

#[test]
fn large_files_count_by_their_content() {
    let content = "large\n".repeat(1000);
    let digest = Digest::of(content.as_bytes());
    let pointer = format!("version https://git-lfs.github.com/spec/v1\noid {digest}\nsize {}\n", content.len());
    let root = repository(&[("f.big", &pointer), ("e.big", ""), (".gitattributes", "*.big filter=lfs -text\n")]);
    let found = read(root.path());
    assert_eq!(found.error().to_string(), "f.big is a pointer of Git LFS, not the file itself");
    assert_eq!(found.error().hint().unwrap(), "`git lfs pull`");
    write(root.path(), &[("f.big", &content)]);
    let found = read(root.path());
    assert_eq!((found.content("f.big"), found.heard), (content.into_bytes(), vec![]));
    write(root.path(), &[("f.big", &"other\n".repeat(1000))]);
    assert_eq!(read(root.path()).heard, ["note: context: modified, used as it is in the work tree: f.big"]);
}

#[test]
fn filters_are_refused_and_never_run() {
    let root = repository(&[("a.enc", "x"), ("b", ""), (".gitattributes", "*.enc filter=crypt\n")]);
    let trap = root.path().join("ran");
    let command = format!("touch {}; cat", trap.display());
    for key in ["filter.crypt.smudge", "filter.crypt.clean", "core.fsmonitor", "core.sshCommand"] {
        git(root.path(), &["config", key, &command]);
    }
    for hook in ["post-checkout", "post-index-change", "fsmonitor-watchman"] {
        let hook = root.path().join(".git/hooks").join(hook);
        fs::write(&hook, format!("#!/bin/sh\n{command}\n")).unwrap();
        fs::set_permissions(&hook, PermissionsExt::from_mode(0o755)).unwrap();
    }
    let found = read(root.path());
    assert_eq!(
        found.error().to_string(),
        "a.enc has the attribute `filter=crypt`: its content depends on a program that is not run here"
    );
    assert_eq!(found.error().status(), Status::Usage);
    assert_eq!(read_with(root.path(), &[], Some(&["b"])).names(), ["b"]);
    assert!(!trap.exists());
}

#[test]
fn sparse_files_are_missed_where_they_are_needed() {
    let root = repository(&[("in/a", ""), ("out/b", ""), ("c", "")]);
    git(root.path(), &["sparse-checkout", "set", "in"]);
    assert_eq!(
        read(root.path()).error().to_string(),
        "out/b is tracked, but a sparse checkout left it out of the work tree"
    );
    assert_eq!(read_with(root.path(), &[], Some(&["in", "c"])).names(), ["c", "in/a"]);
}

#[test]
fn added_but_not_committed_files_count() {
    let root = repository(&[("a", "")]);
    write(root.path(), &[("b", "1"), ("c", "2")]);
    git(root.path(), &["add", "b"]);
    git(root.path(), &["add", "-N", "c"]);
    let found = read(root.path());
    assert_eq!(found.names(), ["a", "b", "c"]);
    assert_eq!(found.heard, ["note: context: modified, used as it is in the work tree: c"]);
}

#[test]
fn the_kinds_of_repositories_are_told_apart() {
    let root = repository(&[("a", "1")]);
    let want = read(root.path()).digest();
    let linked = tempfile::tempdir().unwrap();
    let place = linked.path().join("tree");
    git(root.path(), &["worktree", "add", "-q", "--detach", place.to_str().unwrap()]);
    assert_eq!(read(&place).digest(), want);
    assert_eq!(git::head_commit_time(&place).unwrap().unwrap().seconds(), 1_700_000_000);
    // A repository in the repository is not part of it.
    let inner = root.path().join("inner");
    fs::create_dir(&inner).unwrap();
    git(&inner, &["init", "-q"]);
    write(&inner, &[("n", "")]);
    commit(&inner);
    assert_eq!(read(root.path()).digest(), want);
    assert_eq!(read(&inner).names(), ["n"]);
    let bare = clone_of(root.path(), &["--bare"]);
    assert!(matches!(read(bare.path()).error(), Error::Git(git::Error::NoWorkTree { .. })));
    // Outside git all files count.
    let plain = tempfile::tempdir().unwrap();
    write(plain.path(), &[("x", "")]);
    assert_eq!(read(plain.path()).names(), ["x"]);
    assert_eq!(git::head_commit_time(plain.path()).unwrap(), None);
}

#[test]
fn the_epoch_is_the_committers_time() {
    let root = repository(&[("a", "")]);
    let time = || git::head_commit_time(root.path());
    assert_eq!(time().unwrap().unwrap().seconds(), 1_700_000_000);
    git(root.path(), &["pack-refs", "--all"]);
    git(root.path(), &["gc", "-q"]);
    assert_eq!(time().unwrap().unwrap().seconds(), 1_700_000_000);
    git(root.path(), &["checkout", "-q", "--orphan", "new"]);
    assert!(matches!(time(), Err(git::Error::Head { .. })));
    fs::write(root.path().join(".git/HEAD"), "ref: ../../etc/passwd\n").unwrap();
    assert!(matches!(time(), Err(git::Error::Head { .. })));
}

#[test]
fn a_tracked_directory_that_became_a_link_is_not_followed() {
    let secret = tempfile::tempdir().unwrap();
    write(secret.path(), &[("b", "secret")]);
    let root = repository(&[("a/b", "1"), ("c", "2")]);
    fs::remove_dir_all(root.path().join("a")).unwrap();
    symlink(secret.path(), root.path().join("a")).unwrap();
    let found = read(root.path());
    assert_eq!(found.names(), ["c"]);
    assert!(found.heard[0].contains("deleted in the work tree, treated as deleted: a/b"), "{:?}", found.heard);
}

#[test]
fn names_that_git_would_not_check_out_are_refused() {
    let root = repository(&[("a", "1")]);
    let index = root.path().join(".git/index");
    for name in ["../x", ".git/config", "d/./x", ".GIT/x"] {
        // git itself refuses to write such an index, so the name is put in by hand, with the checksum left out.
        git(root.path(), &["read-tree", "--empty"]);
        let placeholder = "q".repeat(name.len());
        write(root.path(), &[(&placeholder, "")]);
        git(root.path(), &["-c", "index.skipHash=true", "add", &placeholder]);
        let mut bytes = fs::read(&index).unwrap();
        let at = bytes.windows(name.len()).position(|window| window == placeholder.as_bytes()).unwrap();
        bytes[at..at + name.len()].copy_from_slice(name.as_bytes());
        let end = bytes.len() - 20;
        use sha1::{Digest, Sha1};
        let checksum = Sha1::digest(&bytes[..end]);
        bytes[end..].copy_from_slice(&checksum);
        fs::write(&index, bytes).unwrap();
        let found = read(root.path());
        assert_eq!(found.error().status(), Status::Malformed, "{name}: {}", found.error());
        fs::remove_file(root.path().join(&placeholder)).unwrap();
    }
}

#[test]
fn links_are_followed_from_what_counts_only() {
    let root = repository(&[("d/plain", "1"), ("other/deep/file", "2"), ("third", "3")]);
    symlink("../other/deep", root.path().join("d/link")).unwrap();
    commit(root.path());
    // Untracked.
    fs::create_dir(root.path().join("new")).unwrap();
    symlink("../other/deep", root.path().join("new/link")).unwrap();
    symlink("other/deep", root.path().join("loose")).unwrap();
    let names = |include: &[&str], path: &str| read_with(root.path(), include, Some(&[path])).names();
    for path in ["d/link", "d/l*"] {
        assert_eq!(names(&[], path), ["d/link", "other/deep/file"], "{path}");
    }
    for path in ["new/link", "new/l*"] {
        assert_eq!(names(&["new"], path), ["new/link", "other/deep/file"], "{path}");
        assert_eq!(names(&[], path), [""; 0], "{path}");
    }
    assert_eq!(names(&[], "loose"), [""; 0]);
    fs::remove_file(root.path().join("d/link")).unwrap();
    assert_eq!(names(&[], "d/link"), [""; 0], "deleted");
}

#[test]
fn a_repository_with_sha256_ids_is_read_like_any_other() {
    let files = [
        ("Dockerfile", "FROM scratch\n"),
        ("a/text", "1\n2\n"),
        ("a/crlf", "1\n"),
        (".gitattributes", "crlf eol=crlf\n"),
    ];
    let usual = repository(&files);
    let other = tempfile::tempdir().unwrap();
    git(other.path(), &["init", "-q", "-b", "main", "--object-format=sha256"]);
    write(other.path(), &files);
    symlink("a/text", other.path().join("link")).unwrap();
    symlink("a/text", usual.path().join("link")).unwrap();
    commit(usual.path());
    commit(other.path());
    // Many like each other, so that the pack holds changes.
    let long: String = (0..2000).map(|number| format!("line {number}\n")).collect();
    for round in 0..4 {
        for repository in [&usual, &other] {
            write(repository.path(), &[("long", format!("{round}\n{long}").as_str())]);
            commit(repository.path());
        }
    }
    let expected = read(usual.path());
    for change in [&["status"][..], &["gc", "-q", "--aggressive"], &["update-index", "--split-index"]] {
        git(other.path(), change);
        let reading = read(other.path());
        assert_eq!(reading.digest(), expected.digest(), "{change:?}");
        assert_eq!(reading.heard, [""; 0], "{change:?}");
        assert_eq!(
            git::head_commit_time(other.path()).unwrap(),
            git::head_commit_time(usual.path()).unwrap(),
            "{change:?}"
        );
    }
    let packed = clone_of(other.path(), &["--no-local", "-c", "core.autocrlf=true"]);
    assert_eq!(read(packed.path()).digest(), expected.digest());
    fs::write(other.path().join("a/text"), "3\n").unwrap();
    assert_eq!(read(other.path()).heard, ["note: context: modified, used as it is in the work tree: a/text"]);
}
