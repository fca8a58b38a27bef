//! What people read: the texts of commands, whole, as snapshots.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::project::{Project, outcome};
use crate::server::images::Shelf;
use crate::server::{Reply, Server};
use snapbox::{assert_data_eq, str};

const DOCKERFILE: &str = r#"# syntax=registry.example/dockerfile:1
ARG TOOL=registry.example/tool
FROM --platform=$BUILDPLATFORM ${TOOL}:2 AS tool
ADD https://files.example/x.tar.gz /src/
ADD https://git.example/lib.git#v1.0 /lib
RUN --network=none make
FROM registry.example/unused AS unused
FROM registry.example/base@sha256:1111111111111111111111111111111111111111111111111111111111111111
COPY --from=tool /out /
COPY a.txt docs /
COPY --from=assets / /assets
"#;

#[test]
fn sources_are_listed_by_kind_with_line_and_pin() {
    let project = Project::bare();
    project.write("Dockerfile", DOCKERFILE);
    let flags = ["--build-context", "assets=docker-image://registry.example/assets:3", "--platform=linux/arm64"];
    let arguments = [&["sources", "-f", "Dockerfile", "--build-platform=linux/amd64"], &flags[..]].concat();
    let listed = project.repro(&arguments).expect(0);
    assert_data_eq!(
        listed.stdout,
        str![[r#"
frontend registry.example/dockerfile:1
git      git://git.example/lib.git#v1.0  line 5
http     https://files.example/x.tar.gz  line 4
image    registry.example/assets:3 (linux/arm64)  line 11
image    registry.example/base@sha256:1111111111111111111111111111111111111111111111111111111111111111 (linux/arm64)  line 8
image    registry.example/tool:2 (linux/amd64)  line 3
local    context: a.txt docs  line 10

"#]]
    );
    assert_eq!(listed.stderr, "");
}

#[test]
fn buildkits_warnings_about_the_dockerfile_are_told_once() {
    let project = Project::bare();
    let dockerfile = "# check=skip=WorkdirRelativePath\nFROM scratch as base\nWORKDIR srv\nENV A=$UNKNOWN\nCMD run\n";
    project.write("Dockerfile", dockerfile);
    project.write("on-a-base", "FROM registry.example/base\nENV A=$OF_THE_BASE\n");
    project.write("repro.toml", "version = 1\n[image.app]\nplatforms = [\"linux/amd64\", \"linux/arm64\"]\n");
    let told = str![[r#"
warning: Dockerfile:2: `as` is not in the case of its FROM; write both in one case (FromAsCasing)
warning: Dockerfile:4: the variable `UNKNOWN` is not defined; declare it with ARG or ENV, or correct its name (UndefinedVar)
warning: Dockerfile:5: `CMD` in shell form starts a shell, which takes the signals; write its arguments as a JSON list (JSONArgsRecommended)

"#]];
    for command in [&["sources"][..], &["lock", "--offline"], &["lock", "--check"]] {
        assert_data_eq!(project.repro(command).expect(0).stderr, told.clone());
    }
    let unknown = project.repro(&["sources", "-f", "on-a-base"]).expect(0).stderr;
    assert_eq!(unknown, "", "what a base sets is not known yet, and may well be defined");
}

#[test]
fn a_step_that_mounts_a_cache_or_memory_takes_nothing_of_the_context() {
    let project = Project::new();
    project.write("a", "").write("README", "").write(
        "Dockerfile",
        "FROM scratch\nCOPY a /\nRUN --mount=type=cache,target=/c --mount=type=tmpfs,target=/t --mount=type=secret,id=x true\n\
         RUN --mount=type=cache,target=/c --mount=source=a,target=/b true\n",
    );
    let document = project.repro(&["sources", ".", "--format", "json"]).expect(0).json();
    assert_eq!(document["sources"][0]["paths"], serde_json::json!(["a"]), "{document}");
}

#[test]
fn init_writes_a_manifest_that_fits_the_dockerfile() {
    let project = Project::new();
    fs::create_dir(project.path().join("app")).unwrap();
    let app = |arguments: &[&str]| project.repro(&[&["-C", "app"], arguments].concat());
    assert_data_eq!(
        app(&["init"]).expect(2).stderr,
        str![[r#"
error: no Dockerfile at `Dockerfile`
hint: `--dockerfile FILE` names another

"#]]
    );
    project.write("app/docker/Dockerfile", "FROM scratch\nCOPY . /\n");
    let written = app(&["init"]).expect(0);
    assert_data_eq!(
        written.stdout,
        str![[r#"
note: docker/Dockerfile: the context is `docker`, where it lies
wrote repro.toml; next: `repro lock`

"#]]
    );
    assert_data_eq!(
        project.read("app/repro.toml"),
        str![[r#"
version = 1

[image.app]
context = "docker"
dockerfile = "docker/Dockerfile"

"#]]
    );
    assert_data_eq!(
        app(&["init", "--name", "other"]).expect(0).stdout,
        str![[r#"
repro.toml already exists and was kept

"#]]
    );
    fs::remove_file(project.path().join("app/repro.toml")).unwrap();
    project.write("app/Dockerfile", "FROM registry.example/debian\nRUN apt-get update && apt-get install -y make\n");
    project.write("app/main.c", "").write("app/docker/Dockerfile", "FROM scratch\nCOPY main.c /\n");
    let written = app(&["init", "--dockerfile", "docker/Dockerfile"]).expect(0);
    assert!(project.read("app/repro.toml").contains("context = \".\"\n"), "{}", project.read("app/repro.toml"));
    written.prints(
        "note: docker/Dockerfile:2: the context is `.`: it takes `main.c`, which lies there and not in `docker`\n",
    );
    fs::remove_file(project.path().join("app/repro.toml")).unwrap();
    app(&["init", "--name", "web"]).expect(0);
    assert_data_eq!(
        project.read("app/repro.toml"),
        str![[r#"
version = 1

[image.web]
context = "."
dockerfile = "Dockerfile"
network = "locked" # what RUN downloads is recorded once and replayed
# scrub = ["alternatives-log", "apt-cache", "apt-log", "dpkg-backup", "dpkg-log", "ldconfig-cache"] # settles what `repro lint` finds: R050, R051, R052, R053

"#]]
    );
}

#[test]
fn the_way_from_lock_to_verify_reads_well() {
    let shelf = Shelf::default();
    let image = shelf.image("base", "linux/amd64", "2024-01-01T00:00:00Z");
    shelf.index("base", "1", &[image]);
    let serving = shelf.clone();
    let server = Server::start(move |seen| serving.response(seen));
    let project = Project::new();
    let name = format!("{}/base:1", server.host());
    project.write("Dockerfile", format!("FROM {name} AS base\nFROM scratch\nCOPY f /\nCOPY --from=base /a /\n"));
    project.write("repro.toml", "version = 1\n\n[image.app]\n").write("f", "f").commit();
    let host = server.host();
    let port = host.rsplit(':').next().unwrap();
    let say = |arguments: &[&str], status: i32| {
        let outcome = project.repro(arguments).expect(status);
        (outcome.stdout + &outcome.stderr).replace(&server.host(), "HOST").replace(port, "PORT")
    };
    assert_data_eq!(
        say(&["build"], 3),
        str![[r#"
error: no `repro.lock` beside the manifest
hint: `repro lock` writes it

"#]]
    );
    assert_data_eq!(
        say(&["lock", "--dry-run"], 0),
        str![[r#"
added HOST/base:1 sha256:493052699fcd4be2ad8ed8d6ee0eac353812f4adc77f3fae83e233a564a40fa1
repro.lock would change

"#]]
    );
    assert_data_eq!(
        say(&["lock"], 0),
        str![[r#"
added HOST/base:1 sha256:493052699fcd4be2ad8ed8d6ee0eac353812f4adc77f3fae83e233a564a40fa1
wrote repro.lock

"#]]
    );
    assert_data_eq!(
        say(&["lock"], 0),
        str![[r#"
repro.lock is up to date

"#]]
    );
    assert_data_eq!(
        say(&["lock", "--check"], 0),
        str![[r#"
the lockfile is up to date

"#]]
    );
    assert_data_eq!(
        say(&["sources"], 0),
        str![[r#"
image    HOST/base:1 (linux/amd64)  line 1  sha256:493052699fcd4be2ad8ed8d6ee0eac353812f4adc77f3fae83e233a564a40fa1
local    context: f  line 3

"#]]
    );
    assert_data_eq!(
        say(&["policy"], 0),
        str![[r#"
{
  "version": 1,
  "rules": [
    {
      "action": "DENY",
      "selector": {
        "identifier": ".*",
        "match_type": "REGEX"
      }
    },
    {
      "action": "ALLOW",
      "selector": {
        "identifier": "local://context",
        "match_type": "EXACT"
      }
    },
    {
      "action": "ALLOW",
      "selector": {
        "identifier": "local://dockerfile",
        "match_type": "EXACT"
      }
    },
    {
      "action": "CONVERT",
      "selector": {
        "identifier": "^docker-image://127//.0//.0//.1:PORT/base:1$",
        "match_type": "REGEX"
      },
      "updates": {
        "identifier": "docker-image://HOST/base:1@sha256:493052699fcd4be2ad8ed8d6ee0eac353812f4adc77f3fae83e233a564a40fa1"
      }
    },
    {
      "action": "ALLOW",
      "selector": {
        "identifier": "docker-image://HOST/base:1@sha256:493052699fcd4be2ad8ed8d6ee0eac353812f4adc77f3fae83e233a564a40fa1",
        "match_type": "EXACT"
      }
    }
  ]
}

"#]]
    );
    assert_data_eq!(
        say(&["outdated"], 0),
        str![[r#"
no pin is outdated: each is what its source has today

"#]]
    );
    let newer = shelf.image("base", "linux/amd64", "2024-02-02T00:00:00Z");
    shelf.index("base", "1", &[newer]);
    assert_data_eq!(
        say(&["outdated"], 0),
        str![[r#"
outdated HOST/base:1 sha256:493052699fcd4be2ad8ed8d6ee0eac353812f4adc77f3fae83e233a564a40fa1 → sha256:baf0235e039cf28bc373503c4af684dc2068376da81be5d1fecceca79f3ff419
`repro lock --update [SOURCE…]` updates them

"#]]
    );
    assert_data_eq!(
        say(&["lock", "--update"], 0),
        str![[r#"
moved HOST/base:1 sha256:493052699fcd4be2ad8ed8d6ee0eac353812f4adc77f3fae83e233a564a40fa1 → sha256:baf0235e039cf28bc373503c4af684dc2068376da81be5d1fecceca79f3ff419
wrote repro.lock

"#]]
    );
    shelf.remove("base/manifests/1");
    assert_data_eq!(
        say(&["outdated"], 1),
        str![[r#"
gone     HOST/base:1: the tag is gone upstream; the locked digest is still available

"#]]
    );
    assert_data_eq!(
        say(&["lock", "--update", "nothing.example/x"], 2),
        str![[r#"
error: `nothing.example/x` is no source of this manifest
hint: `repro sources` lists them

"#]]
    );
    project.write("Dockerfile", format!("FROM {name} AS base\nFROM scratch\nCOPY f /\n"));
    assert_data_eq!(
        say(&["lock", "--check"], 3),
        str![[r#"
error: the lockfile needs to be updated
  app: `HOST/base:1` is locked, but nothing uses it
hint: run `repro lock`

"#]]
    );
    assert_data_eq!(
        say(&["lock"], 0),
        str![[r#"
removed HOST/base:1 sha256:baf0235e039cf28bc373503c4af684dc2068376da81be5d1fecceca79f3ff419
wrote repro.lock

"#]]
    );
    project.write("untracked", "");
    project.write("Dockerfile", "FROM scratch\nCOPY . /\n");
    assert_data_eq!(
        say(&["build"], 0),
        str![[r#"
app linux/amd64 sha256:f544b55e877c8d90dea6f47a6813a1313b358389f413479440327f3880b24e20
warning: context: left out since git doesn't track it: untracked; `git add`, `include` or ignore it
note: context: modified, used as it is in the work tree: Dockerfile
note: nothing to compare with: app: there is no record; the epoch is 1700000000 (2023-11-14T22:13:20Z)

"#]]
    );
    project.git(&["add", "-A"]);
    assert_data_eq!(
        say(&["verify"], 3),
        str![[r#"
error: the lockfile needs to be updated
  app: there is no record
hint: run `repro build --record app`

"#]]
    );
    assert_data_eq!(
        say(&["build", "--record"], 0),
        str![[r#"
app linux/amd64 sha256:042ccadba92c3b4dc432fd0d3c73586f9baa8d2674706c368c5e69d1fd9eac88

"#]]
    );
    assert_data_eq!(
        say(&["build"], 0),
        str![[r#"
app linux/amd64 sha256:042ccadba92c3b4dc432fd0d3c73586f9baa8d2674706c368c5e69d1fd9eac88

"#]]
    );
    project.commit();
    assert_data_eq!(
        say(&["verify"], 0),
        str![[r#"
app linux/amd64: reproduced sha256:042ccadba92c3b4dc432fd0d3c73586f9baa8d2674706c368c5e69d1fd9eac88
  config sha256:c10fc2a8e70218a64a79aadae7b1d4cb8a1fdaa6eb17110bc4c628c18c6644f3
  rebuilt with native; matches repro.lock; published image not checked (`--against`)

"#]]
    );
    project.write("f", "other");
    assert_data_eq!(
        say(&["verify"], 3),
        str![[r#"
note: context: modified, used as it is in the work tree: f
error: the lockfile needs to be updated
  app: the record was made of another context: sha256:40a9d4b2341a70c264f4c73aa0c89fbd0308b97928f4984d7185cafd6e241843, now sha256:5b90fc2f9c039014c5aa991779b6b3c4ef928f3d32746872f534ef1a4605ce09
hint: run `repro build --record app`

"#]]
    );
    project.write("f", "f");
    let recorded = project.read("repro.lock");
    let config = recorded.lines().find(|line| line.starts_with("config")).unwrap();
    let manifest = recorded.lines().find(|line| line.starts_with("manifest")).unwrap();
    let other = |line: &str| format!("{} = \"sha256:{}\"", line.split(' ').next().unwrap(), "1".repeat(64));
    project.write("repro.lock", recorded.replace(config, &other(config)).replace(manifest, &other(manifest)));
    project.commit();
    assert_data_eq!(
        say(&["verify"], 1),
        str![[r#"
app linux/amd64: differs: the rebuilt image and the record differ in the config
  recorded  sha256:1111111111111111111111111111111111111111111111111111111111111111 config sha256:1111111111111111111111111111111111111111111111111111111111111111
  rebuilt   sha256:042ccadba92c3b4dc432fd0d3c73586f9baa8d2674706c368c5e69d1fd9eac88 config sha256:c10fc2a8e70218a64a79aadae7b1d4cb8a1fdaa6eb17110bc4c628c18c6644f3
  rebuilt with native; compared with repro.lock; published image not checked (`--against`)
app: built again without cache it is the same: the record was made with something else than is here (engine, sources), or is wrong; `--expected FILE` compares with the recorded bytes

"#]]
    );
    assert_data_eq!(
        say(&["build"], 1),
        str![[r#"
app linux/amd64 sha256:042ccadba92c3b4dc432fd0d3c73586f9baa8d2674706c368c5e69d1fd9eac88
error: `app` linux/amd64 differs from its record in the config: recorded sha256:1111111111111111111111111111111111111111111111111111111111111111, built sha256:042ccadba92c3b4dc432fd0d3c73586f9baa8d2674706c368c5e69d1fd9eac88

"#]]
    );
}

#[test]
fn the_readmes_tour_prints_what_the_readme_shows() {
    let server = Server::start(|_| {
        Reply::ok("body { font: 1.1em serif }\n").header("last-modified", "Tue, 14 Nov 2023 22:13:20 GMT")
    });
    let project = Project::new();
    let config = format!("[mirror]\n\"https://files.example/\" = \"http://{}/\"\n", server.host());
    project.write("config.toml", config);
    let readme = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).unwrap();
    let tour = readme.split("## One minute\n").nth(1).unwrap().split("\n## ").next().unwrap();
    let shown: Vec<&str> = tour.lines().filter_map(|line| line.strip_prefix("    ")).collect();
    let dockerfile: Vec<&str> = shown[1..].iter().take_while(|line| !line.starts_with("$ ")).copied().collect();
    project.write("site/Dockerfile", dockerfile.join("\n") + "\n");
    project.write("site/index.html", "<link rel=\"stylesheet\" href=\"style.css\"><p>Hello</p>\n").commit();
    let programs = Path::new(env!("CARGO_BIN_EXE_repro")).parent().unwrap().display();
    let path = format!("{programs}:{}", std::env::var("PATH").unwrap());
    let mut printed = String::new();
    for line in shown.iter().filter_map(|line| line.strip_prefix("$ ")) {
        let mut shell = Command::new("sh");
        shell.args(["-c", &format!("exec 2>&1; {line}")]).current_dir(project.path().join("site")).env_clear();
        shell.env("PATH", &path).env("HOME", project.home()).env("REPRO_CONFIG", project.path().join("config.toml"));
        shell.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_NOSYSTEM", "1");
        for person in ["AUTHOR", "COMMITTER"] {
            shell.env(format!("GIT_{person}_NAME"), "A").env(format!("GIT_{person}_EMAIL"), "a@project.example");
            shell.env(format!("GIT_{person}_DATE"), "1700000000 +0000");
        }
        // The server stands in as a mirror for one that is not there, which is told.
        let told = outcome(&mut shell).stdout;
        let told: Vec<&str> = told.lines().filter(|line| !line.contains("was not reached")).collect();
        printed += &format!("$ {line}\n{}", told.iter().map(|line| format!("{line}\n")).collect::<String>());
    }
    assert_data_eq!(printed, shown.join("\n") + "\n");
}
