//! What generated cases found, made small: each built differently once.

use std::collections::BTreeMap;

use serde_json::json;
use tar::EntryType;

use super::case::{Base, Case, Entry, Kind, Member, archive};

/// All of them, by what they are about.
pub fn cases() -> Vec<Case> {
    let mut with_variables = based(
        "an instruction that is right only with the base's variables",
        "STOPSIGNAL ${SIGNAL:?}",
        &[vec![file("f")]],
    );
    if let Some(base) = &mut with_variables.base {
        base.config = json!({ "Env": ["SIGNAL=9"] });
    }
    let mut epoch = case("a default of the epoch's argument is not looked at", &[], &[]);
    epoch.instructions.insert(0, "ARG SOURCE_DATE_EPOCH=${V:?is needed}".to_owned());
    epoch.instructions.push("ARG SOURCE_DATE_EPOCH=${V:?}\nENV EPOCH=$SOURCE_DATE_EPOCH".to_owned());
    let nothing = |name: &str, instructions: &[&str]| {
        let upper = vec![file("n/k"), Member { bytes: Vec::new(), ..file("n/.wh.b") }];
        let mut case = based(name, "", &[vec![file("q/a")], upper]);
        case.instructions = instructions.iter().map(|text| (*text).to_owned()).collect();
        case
    };
    let cut = archive(&[Member { records: vec![("comment", vec![b'x'; 600])], ..file("f") }])[..800].to_vec();
    let noted = archive(&[file("f"), Member { records: vec![("comment", b"c".to_vec())], ..file("g") }]);
    let device = Member { kind: EntryType::Block, bytes: Vec::new(), ..file("dev") };
    let to_device = Member {
        kind: EntryType::Link,
        path: "h".to_owned(),
        link: "dev".to_owned(),
        mode: 0o700,
        uid: 9,
        mtime: 1_590_000_000,
        ..device.clone()
    };
    let far = Member { records: vec![("uid", b"4294967301".to_vec()), ("gid", b"8589934591".to_vec())], ..file("far") };
    let hard = Member { kind: EntryType::Link, link: "l".to_owned(), mtime: 1_590_000_000, ..link("hard", "") };
    let climbing = Member { records: vec![("path", b"a/../..".to_vec())], ..directory("d/", 0o700) };
    let mut whiteout = based(
        "a whiteout in the lowest layer takes away what its own layer has",
        "COPY a /a",
        &[vec![file("f"), Member { bytes: Vec::new(), ..file(".wh.f") }, file("g")]],
    );
    whiteout.instructions.push("COPY --from=base.example/made:1 / /q/".to_owned());
    let chained = |number: usize, instruction: &str| {
        let to = |number: usize| if number == 1 { "d".to_owned() } else { format!("l{}", number - 1) };
        let links = (1..=number).map(|number| link(&format!("l{number}"), &to(number)));
        let members: Vec<Member> = links.chain([file("d/f")]).collect();
        based(&format!("{instruction} through {number} links"), instruction, &[members])
    };
    vec![
        chained(41, "WORKDIR /l41/w"),
        chained(42, "WORKDIR /l42/w"),
        chained(41, "COPY --from=base.example/made:1 /l41/f /x"),
        chained(42, "COPY --from=base.example/made:1 /l42/f /x"),
        whiteout,
        case(
            "the name of an inline file is cleaned",
            &["COPY <<../x /y/\n1\n../x", "COPY <</abs /z\n2\n/abs", "ADD <<a/../c /w/\n3\na/../c"],
            &[],
        ),
        case(
            "a link that other paths lead through as well, where one of them takes all that is behind it",
            &["COPY l l/f /x/", "COPY l/f /y"],
            &[Entry::file("d/f", "f"), Entry { path: b"l".to_vec(), kind: Kind::Symlink("d".to_owned()) }],
        ),
        case(
            "a link to the root that is passed more than once, where a wildcard takes all of it",
            &["COPY --link [\"*/*\", \"/l/in/\"]"],
            &[Entry { path: b"l".to_vec(), kind: Kind::Symlink(".".to_owned()) }, Entry::file("d/f", "f")],
        ),
        case(
            "numbers of users in an archive are cut to 32 bits",
            &["ADD t.tar /t/"],
            &[Entry::file("t.tar", archive(std::slice::from_ref(&far)))],
        ),
        based(
            "numbers of users in a layer are cut to 32 bits",
            "COPY --from=base.example/made:1 /far /n/",
            &[vec![far]],
        ),
        based(
            "a block device is copied as one for characters",
            "COPY --from=base.example/made:1 /dev /dev",
            &[vec![device.clone()]],
        ),
        case(
            "a hard link to a link leaves its time",
            &["ADD t.tar /t/"],
            &[Entry::file("t.tar", archive(&[link("l", "nowhere"), hard.clone()]))],
        ),
        based(
            "a layer that gives a path twice",
            "COPY --from=base.example/made:1 / /n/",
            &[
                vec![file("f"), directory("d/", 0o700), file("d/in"), directory("e/", 0o755), file("e/gone")],
                vec![
                    directory("d/", 0o700),
                    Member { mtime: 1_590_000_000, ..directory("d/", 0o1777) },
                    Member { bytes: b"one".to_vec(), ..file("f") },
                    Member { bytes: b"another".to_vec(), mode: 0o600, ..file("f") },
                    file("e/in"),
                    file("e"),
                ],
            ],
        ),
        based(
            "a hard link to a link in a layer",
            "COPY --from=base.example/made:1 / /n/",
            &[vec![link("l", "nowhere"), hard.clone()]],
        ),
        based(
            "hard links to devices in a layer",
            "COPY --from=base.example/made:1 / /n/",
            &[vec![device.clone(), to_device]],
        ),
        case(
            "a directory entry that leads out of the destination has its say about it",
            &["ADD t.tar /t/"],
            &[Entry::file("t.tar", archive(&[climbing]))],
        ),
        case(
            "an archive may end in the padding of a header's records",
            &["ADD all.tar /all/", "ADD rest.tar /rest/", "ADD inside.tar /inside/"],
            &[
                Entry::file("all.tar", &noted[..2048]),
                Entry::file("rest.tar", &noted[..1600]),
                Entry::file("inside.tar", &noted[..1900]),
            ],
        ),
        case(
            "an archive whose only records are cut in the padding is a file",
            &["ADD records.tar /"],
            &[Entry::file("records.tar", &noted[1024..1700])],
        ),
        with_variables,
        epoch,
        nothing(
            "a whiteout of nothing is in nobody's way",
            &["FROM base.example/made:1", "WORKDIR /n/b", "COPY --from=base.example/made:1 /q/a /z"],
        ),
        nothing(
            "a whiteout of nothing is gone once two layers have its directory",
            &["FROM base.example/made:1 AS one", "COPY a /n/a", "FROM scratch", "COPY --from=one / /x/"],
        ),
        nothing(
            "a whiteout of nothing ends what lists its directory",
            &["FROM scratch", "COPY a /a", "COPY --from=base.example/made:1 /n /x/"],
        ),
        nothing(
            "a whiteout of nothing beside a source ends the copy",
            &["FROM scratch", "COPY a /a", "COPY --from=base.example/made:1 /q /x/"],
        ),
        case(
            "a link that leads nowhere is no source's business below a directory with a slash",
            &["COPY --exclude=z /d/ /x/"],
            &[Entry { path: b"d/l".to_vec(), kind: Kind::Symlink("nope".to_owned()) }],
        ),
        case(
            "a contiguous file is no file to ADD",
            &["ADD t.tar /"],
            &[Entry::file("t.tar", archive(&[Member { kind: EntryType::Continuous, ..file("f") }]))],
        ),
        based(
            "numbers of users are cut to 32 bits",
            "COPY --chown=far:far a /a",
            &[vec![
                Member { bytes: b"far:x:-5:1::/:\n".to_vec(), ..file("etc/passwd") },
                Member { bytes: b"far:x:4294967298:\n".to_vec(), ..file("etc/group") },
            ]],
        ),
        case(
            "an owner of -1 changes nothing",
            &["COPY --chown=-1 a /a", "COPY --chown=-1:5 a /d/b", "ADD --chown=-1 t.tar /t/"],
            &[Entry::file("a", "a"), Entry::file("t.tar", archive(&[file("in")]))],
        ),
        case(
            "an archive that is cut in its first header's records is a file",
            &["ADD cut.tar /"],
            &[Entry::file("cut.tar", cut)],
        ),
        case(
            "a path of --parents has to be there as it is written",
            &["COPY --parents [\"b\\\\\\\\\\\\\\\\s\", \"/x/\"]"],
            &[Entry::file("b\\s", "s")],
        ),
        case("a path is missing before the copy, but for what excludes leave out", &["COPY --exclude=z nope /"], &[]),
        based(
            "links are followed within one layer only",
            "COPY a /a",
            &[
                vec![directory("srv/", 0o755), link("abs", "/srv")],
                vec![Member { kind: EntryType::Fifo, bytes: Vec::new(), ..file("srv") }, file("abs/home/q")],
            ],
        ),
        based(
            "a directory that a layer implies has the attributes of the uppermost layer",
            "COPY a /x/y/a",
            &[
                vec![directory("x/", 0o700), directory("x/y/", 0o711)],
                vec![directory("x/", 0o1777)],
                vec![file("x/y/f")],
            ],
        ),
        based(
            "a whiteout of what its own layer has",
            "COPY a /a",
            &[vec![directory("srv/", 0o755)], vec![file("srv/f"), Member { bytes: Vec::new(), ..file(".wh.srv") }]],
        ),
    ]
}

fn case(name: &str, instructions: &[&str], context: &[Entry]) -> Case {
    let first = ["FROM scratch", super::generate::FIRST];
    Case {
        name: name.to_owned(),
        instructions: first.iter().chain(instructions).map(|text| (*text).to_owned()).collect(),
        ignore: None,
        context: context.iter().cloned().chain([Entry::file("trigger.txt", "onbuild\n")]).collect(),
        directories: BTreeMap::new(),
        base: None,
        fixtures: Vec::new(),
        platforms: "linux/amd64".to_owned(),
        target: None,
        args: BTreeMap::new(),
        labels: BTreeMap::new(),
        annotations: BTreeMap::new(),
        epoch: 1_700_000_000,
    }
}

fn based(name: &str, instruction: &str, layers: &[Vec<Member>]) -> Case {
    Case {
        instructions: vec!["FROM base.example/made:1".to_owned(), instruction.to_owned()],
        base: Some(Base { layers: layers.to_vec(), config: json!({}), compressed: true }),
        ..case(name, &[], &[Entry::file("a", "a")])
    }
}

fn file(path: &str) -> Member {
    Member {
        path: path.to_owned(),
        kind: EntryType::Regular,
        link: String::new(),
        bytes: b"x".to_vec(),
        mode: 0o644,
        uid: 3,
        gid: 4,
        mtime: 1_580_000_000,
        records: Vec::new(),
    }
}

fn directory(path: &str, mode: u32) -> Member {
    Member { kind: EntryType::Directory, bytes: Vec::new(), mode, ..file(path) }
}

fn link(path: &str, target: &str) -> Member {
    Member { kind: EntryType::Symlink, bytes: Vec::new(), link: target.to_owned(), ..file(path) }
}
