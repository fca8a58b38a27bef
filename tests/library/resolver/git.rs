//! Git sources, with the real `git` program and a server of plain files (the "dumb" protocol).

use std::path::{Path, PathBuf};
use std::process::Command;

use repro::parts::lockfile::Pin;
use repro::parts::resolve::{Request, ResolveError, Resolved};
use repro::parts::status::{ExitStatus, Status};

use super::surroundings::Surroundings;
use crate::server::{Reply, Server, closed_port};

struct Repository {
    directory: tempfile::TempDir,
}

impl Repository {
    fn new() -> Self {
        let repository = Self { directory: tempfile::tempdir().unwrap() };
        repository.git(&["init", "--quiet", "--initial-branch=main", "."]);
        repository
    }

    fn git(&self, arguments: &[&str]) -> String {
        let output = Command::new("git")
            .args(["-c", "user.name=t", "-c", "user.email=t@t.example", "-c", "commit.gpgSign=false"])
            .args(arguments)
            .current_dir(self.directory.path())
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_COMMITTER_DATE", "2024-01-02T03:04:05Z")
            .output()
            .unwrap();
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    fn commit(&self, text: &str) -> String {
        std::fs::write(self.directory.path().join("file"), text).unwrap();
        self.git(&["add", "file"]);
        self.git(&["commit", "--quiet", "-m", text]);
        self.git(&["rev-parse", "HEAD"])
    }

    fn serve(&self) -> Server {
        self.git(&["update-server-info"]);
        let root: PathBuf = self.directory.path().join(".git");
        Server::start(move |seen| {
            let path = seen.path().trim_start_matches("/team/lib.git/");
            assert!(!path.contains(".."));
            std::fs::read(Path::new(&root).join(path)).map_or_else(|_| Reply::status(404, ""), Reply::ok)
        })
    }
}

fn resolve(surroundings: &Surroundings, request: String) -> Result<Resolved, ResolveError> {
    surroundings.resolver().resolve(&[Request::Git { request }]).remove(0)
}

#[test]
fn refs_become_commits() {
    let repository = Repository::new();
    let first = repository.commit("first");
    repository.git(&["tag", "light"]);
    repository.git(&["tag", "-a", "-m", "annotated", "v1.0"]);
    let annotated = repository.git(&["rev-parse", "v1.0"]);
    repository.git(&["branch", "feature/x"]);
    let second = repository.commit("second");
    repository.git(&["update-ref", "refs/pull/7/head", &first]);
    let server = repository.serve();
    let surroundings = Surroundings::new();
    for (tail, want) in [
        ("", &second),
        ("#main", &second),
        ("#refs/heads/main", &second),
        ("#light", &first),
        ("#v1.0", &first),
        ("#refs/tags/v1.0:sub", &first),
        ("?tag=v1.0", &first),
        ("#feature/x", &first),
        ("#refs/pull/7/head", &first),
        (&format!("?ref=main&checksum={}", &second[..8]), &second),
        (&format!("#{first}"), &first),
        (&format!("?tag=v1.0&checksum={}", &annotated[..9]), &first),
        (&format!("?tag=v1.0&checksum={first}"), &first),
    ] {
        let request = format!("{}{tail}", server.url("/team/lib.git"));
        let resolved = resolve(&surroundings, request.clone()).unwrap_or_else(|error| panic!("{tail}: {error}"));
        let tag = tail.contains("v1.0").then(|| annotated.clone());
        assert_eq!(resolved.pin, Pin::Git { request, commit: want.clone(), tag });
    }
    for (tail, want, words) in [
        ("#absent", Status::Source, "no branch or tag `absent`"),
        (&format!("#{}", &first[..10]), Status::Source, "no branch or tag"),
        ("?ref=main&checksum=0000000", Status::Source, "it changed"),
        ("#-x", Status::Usage, "not the name"),
    ] {
        let error = resolve(&surroundings, format!("{}{tail}", server.url("/team/lib.git"))).unwrap_err();
        assert_eq!(error.status(), want, "{error}");
        assert!(error.to_string().contains(words), "{error}");
    }
}

#[test]
fn a_mirror_responses_for_a_repository_that_keeps_its_name() {
    let repository = Repository::new();
    let commit = repository.commit("first");
    let server = repository.serve();
    let surroundings =
        Surroundings::with_config(&format!("[mirror]\n\"https://git.example/\" = \"{}\"", server.url("/")));
    let request = "https://git.example/team/lib.git#main".to_owned();
    let resolved = resolve(&surroundings, request.clone()).unwrap();
    assert_eq!(resolved.pin, Pin::Git { request, commit, tag: None });
    assert_eq!(resolved.mirror, Some(server.host()));
}

#[test]
fn what_a_branch_means_its_own_server_says_and_not_a_mirror() {
    let (upstream, mirror) = (Repository::new(), Repository::new());
    let (commit, _) = (upstream.commit("new"), mirror.commit("old"));
    let (own, other) = (upstream.serve(), mirror.serve());
    let surroundings = Surroundings::with_config(&format!("[mirror]\n\"{}\" = \"{}\"", own.url("/"), other.url("/")));
    let request = format!("{}#main", own.url("/team/lib.git"));
    let resolved = resolve(&surroundings, request.clone()).unwrap();
    assert_eq!((resolved.pin, resolved.mirror), (Pin::Git { request, commit, tag: None }, None));
    assert!(other.seen().is_empty());
}

#[test]
fn servers_without_a_repository_are_unavailable_sources() {
    let empty = Server::start(|_| Reply::status(404, ""));
    let html = Server::start(|_| Reply::ok("<html>"));
    let closed = format!("http://127.0.0.1:{}/x.git", closed_port());
    for url in [empty.url("/x.git"), html.url("/x.git"), closed] {
        let error = resolve(&Surroundings::new(), format!("{url}#main")).unwrap_err();
        assert_eq!(error.status(), Status::Source, "{error}");
    }
}

#[test]
fn a_server_can_not_make_git_use_another_protocol() {
    let evil = Server::start(|_| Reply::redirect(302, "file:///etc/"));
    let error = resolve(&Surroundings::new(), format!("{}#main", evil.url("/x.git"))).unwrap_err();
    assert_eq!(error.status(), Status::Source, "{error}");
}

#[test]
fn without_git_the_error_says_what_to_install() {
    let surroundings = Surroundings::new();
    let mut resolver = surroundings.resolver();
    resolver.git = None;
    let request = Request::Git { request: "https://git.example/x.git".to_owned() };
    let error = resolver.resolve(&[request]).remove(0).unwrap_err();
    assert_eq!(error.hint().as_deref(), Some("install the `git` program"));
}
