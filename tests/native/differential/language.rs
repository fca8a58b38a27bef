//! Cases about the Dockerfile language: words, forms and flags of every instruction, right and wrong.

use std::collections::BTreeMap;

use super::case::{Case, Entry};
use super::draw::Draw;
use super::generate::FIRST;

/// A Dockerfile whose instructions are mostly metadata, upon nothing or a golden base.
pub fn case(seed: u64) -> Case {
    let mut draw = Draw::new(seed);
    let draw = &mut draw;
    let mut instructions = Vec::new();
    let mut fixtures = Vec::new();
    for directive in ["# escape=`", "# Escape = \\", "#check=skip=all", "# a comment"] {
        if draw.chance(4) {
            instructions.push(directive.to_owned());
        }
    }
    for global in ["ARG V=1", "ARG V", "ARG BASE=scratch W=$V", "ARG V=${W:-x}y"] {
        if draw.chance(25) {
            instructions.push(global.to_owned());
        }
    }
    let stages = draw.one(&[1, 1, 1, 2]);
    for number in 0..stages {
        instructions.push(from(draw, number, &mut fixtures));
        instructions.push(FIRST.to_owned());
        let count = 1 + draw.below(3);
        instructions.extend((0..count).map(|_| spoil(draw, instruction)));
    }
    let mut text: Vec<String> = instructions.into_iter().map(|text| broken_lines(draw, text)).collect();
    if draw.chance(5) {
        text = text.into_iter().map(|text| format!("{}\r", text.replace('\n', "\r\n"))).collect();
    }
    if draw.chance(3) {
        text[0].insert(0, '\u{feff}');
    }
    let context = ["trigger.txt", "f", "g x", "é", "d/f"].map(|path| Entry::file(path, path)).to_vec();
    let platforms = draw.pick(&["linux/amd64", "linux/amd64", "linux/amd64", "linux/arm64", "linux/arm/v6"]).to_owned();
    Case {
        name: format!("language seed {seed}"),
        instructions: text,
        ignore: None,
        context,
        directories: BTreeMap::new(),
        base: None,
        platforms: if fixtures.is_empty() { platforms } else { "linux/amd64".to_owned() },
        fixtures,
        target: draw.chance(6).then(|| draw.pick(&["s0", "s0", "s0", "nope"]).to_owned()),
        args: some(draw, &["V", "W", "BASE_", "TARGETARCH", "HTTP_PROXY"], &["", "2", "a b", "ü$X", "it's", "\"q\""]),
        labels: some(draw, &["k", "a b"], &["", "<v>", "$V"]),
        annotations: some(draw, &["note"], &["<n>", ""]),
        epoch: draw.one(&[1_700_000_000, 0, 1_625_000_000]),
    }
}

fn some(draw: &mut Draw, keys: &[&str], values: &[&str]) -> BTreeMap<String, String> {
    let mut map = BTreeMap::new();
    for key in keys {
        if draw.chance(8) {
            map.insert((*key).to_owned(), draw.pick(values).to_owned());
        }
    }
    map
}

fn from(draw: &mut Draw, number: usize, fixtures: &mut Vec<String>) -> String {
    let before = number.saturating_sub(1);
    match draw.weighted(&[120, 30, 12, 6, 6, 16, 1, 1, 1, 1, 1, 1, 1]) {
        1 => {
            let name = draw.pick(&["usrmerge", "docker", "zstd", "onbuild"]);
            fixtures.push(name.to_owned());
            format!("FROM base.example/{name}:1 AS s{number}")
        }
        2 => format!("FROM ${{NO:-scratch}} AS s{number}"),
        3 => format!("FROM --platform=linux/arm64 scratch AS s{number}"),
        4 => format!("from  --platform=$TARGETPLATFORM\tscratch  as S{number}"),
        5 if number > 0 => format!("FROM S{before} AS s{number}"),
        6 => "FROM scratch AS 1x".to_owned(),
        7 => "FROM scratch AS".to_owned(),
        8 => "FROM scratch IS x".to_owned(),
        9 => "FROM".to_owned(),
        10 => "FROM ${NO:?is not set}".to_owned(),
        11 => "FROM --platform=linux/a/b/c scratch".to_owned(),
        12 => "FROM $NO".to_owned(),
        _ => format!("FROM scratch AS s{number}"),
    }
}

/// Now and then breaks a line or changes a letter's case.
fn broken_lines(draw: &mut Draw, text: String) -> String {
    if !draw.chance(8) || text.contains("<<") || text.starts_with('#') {
        return text;
    }
    let Some(at) = text.match_indices(' ').map(|(at, _)| at).nth(draw.below(3)) else { return text };
    let end = draw.pick(&["\\\n", " \\\n", " \\  \n# note\n   ", " \\\n\n ", "\\\n\t"]);
    format!("{}{end}{}", &text[..at], &text[at..])
}

/// An instruction, now and then with one thing wrong.
fn spoil(draw: &mut Draw, make: fn(&mut Draw) -> String) -> String {
    let text = make(draw);
    match draw.weighted(&[195, 1, 1, 1, 1, 1]) {
        1 => text.split(' ').next().unwrap_or_default().to_owned(),
        2 => format!("{text} extra"),
        3 => text.replacen(' ', " --unknown=1 ", 1),
        4 => text.replacen(' ', " -- ", 1),
        5 => text.to_lowercase(),
        _ => text,
    }
}

fn instruction(draw: &mut Draw) -> String {
    match draw.weighted(&[20, 12, 10, 8, 5, 8, 5, 5, 5, 8, 5, 15, 8, 6, 2]) {
        0 => format!("ENV {}", pairs(draw)),
        1 => format!("LABEL {}", pairs(draw)),
        2 => arguments(draw),
        3 => format!("EXPOSE {}", list(draw, PORTS)),
        4 => format!("STOPSIGNAL {}", draw.pick(SIGNALS)),
        5 => health(draw),
        6 => format!("USER {}", word(draw, 2)),
        7 => format!("WORKDIR {}", word(draw, 2)),
        8 => format!(
            "VOLUME {}",
            if draw.chance(40) { json(draw) } else { list(draw, &["/v", "/a$V", "'q q'", "/v", "é"]) }
        ),
        9 => {
            let verb = draw.pick(&["CMD", "ENTRYPOINT", "CMD", "SHELL"]);
            let text = if draw.chance(60) { json(draw) } else { list(draw, SHELL) };
            format!("{verb} {text}")
        }
        10 => format!("MAINTAINER {}", word(draw, 3)),
        11 => transfer(draw),
        12 => heredocs(draw),
        13 => format!("ONBUILD {}", instruction(draw)),
        _ => draw.pick(&["FOO bar", "# comment", "", "  LABEL in=dented", "\tENV tab=bed", "\\", "ENV"]).to_owned(),
    }
}

const PORTS: &[&str] = &[
    "80",
    "80/tcp",
    "+81",
    "080",
    "90-80",
    "80-90/udp",
    "1.2.3.4:80:90",
    "[::1]:80:90",
    "65535",
    "65536",
    "80:90",
    "80-81:90-91",
    "80-82:90-91",
    "/tcp",
    "80/",
    "80/foo",
    "80/TCP",
    "a",
    "-1",
    "$V",
    "0",
    "80:",
    ":80",
    "::80",
    "1000-1000",
    "1.2.3:80:1",
    "80/sctp",
    "'80'",
    "\"81 82\"",
    "${V:-5}",
    "1-2-3",
    "80/tcp/udp",
    "${NO}",
    "8\\0",
];
const SIGNALS: &[&str] = &[
    "SIGTERM",
    "term",
    "9",
    "0",
    "64",
    "65",
    "-1",
    "RTMIN",
    "RTMIN+3",
    "SIGRTMIN+20",
    "SIGRTMAX-2",
    "SIGRTMAX",
    "SIG",
    "1x",
    "0x9",
    "$V",
    "${V:-HUP}",
    "SIGHUP x",
    "sigKill",
    "'9'",
    "SIGRTMIN-1",
    "SIGSTKFLT",
    "+9",
    "09",
];
const SHELL: &[&str] = &["echo", "$V", "\"a  b\"", "'c'", "&&", "#x", "\\n", "é", "\u{a0}", "<&>", "[\"a\"", "\u{7}"];

fn list(draw: &mut Draw, from: &[&str]) -> String {
    let count = draw.one(&[1, 1, 2, 2, 3]);
    let words: Vec<&str> = (0..count).map(|_| draw.pick(from)).collect();
    words.join(draw.pick(&[" ", " ", " ", "  ", "\t"]))
}

fn json(draw: &mut Draw) -> String {
    const STRINGS: &[&str] = &[
        "a",
        "b c",
        "",
        "\\u0041",
        "\\ud83d\\ude00",
        "\\ud800",
        "\\/",
        "\\b\\f",
        "$V",
        "é",
        "<&>",
        "\\\"",
        "\\\\",
        "\u{200b}",
        "\\u00a0",
        "/x",
        "\\u2028",
    ];
    let count = draw.below(4);
    let quoted: Vec<String> = (0..count).map(|_| format!("\"{}\"", draw.pick(STRINGS))).collect();
    let text = format!("[{}]", quoted.join(draw.pick(&[",", ", ", " , "])));
    match draw.weighted(&[85, 3, 3, 3, 3, 3]) {
        1 => text.replace('"', "'"),
        2 => format!("{text} trailing"),
        3 => text.replacen(']', ", 1]", 1),
        4 => text.replacen('[', "[[\"n\"], ", 1),
        5 => text.replacen(']', ",]", 1),
        _ => text,
    }
}

/// A word of up to `most` pieces, each with its own way of quoting.
fn word(draw: &mut Draw, most: usize) -> String {
    let count = 1 + draw.below(most);
    (0..count).map(|_| piece(draw)).collect()
}

fn piece(draw: &mut Draw) -> String {
    const PLAIN: &[&str] = &[
        "a", "b", "/x", "é", "<&>", "$V", "$W", "${V}", "${NO}", "$Vx", "\\$V", "\\\\", "\\ ", "\\n", "$1", "$@", "$-",
        "\\\"", "\\'", "=", "#", ",", ".", "..", "$VERSION", "\u{2028}", "~", "*", "[x]", "{y}", "$ ", "\u{7}", "`",
        "`$V", "\u{7f}",
    ];
    const BROKEN: &[&str] =
        &["$", "${", "${}", "${:x}", "${V@Q}", "\"", "'", "${V:", "${V:=x}", "\\", "${é}", "${1}", "${@}", "${V V}"];
    match draw.weighted(&[50, 25, 10, 10, 1]) {
        1 => modifier(draw),
        2 => format!("\"{}\"", inner(draw)),
        3 => format!("'{}'", inner(draw)),
        4 => draw.pick(BROKEN).to_owned(),
        _ => draw.pick(PLAIN).to_owned(),
    }
}

fn inner(draw: &mut Draw) -> String {
    match draw.below(4) {
        0 => modifier(draw),
        _ => list(draw, &["a", "b  c", "$V", "\\$V", "\\n", "\\\\", "é", "#", "\u{a0}", "x=y", "`"]),
    }
}

fn modifier(draw: &mut Draw) -> String {
    let name = draw.pick(&["V", "V", "W", "NO", "PATH", "A", "TARGETARCH"]);
    let operator = draw.pick(&[":-", "-", ":+", "+", ":?", "?", "#", "##", "%", "%%", "/", "//", ":-", ":+"]);
    let operand = match operator {
        "/" | "//" => format!("{}/{}", pattern(draw), draw.pick(&["", "r", "$V", "${W:-x}", "\\/", "é", "$0", "a/b"])),
        "#" | "##" | "%" | "%%" => pattern(draw),
        _ => draw.pick(&["", "w", "$W", "${W:-${V}}", "'s q'", "\"d $V\"", "\\}", "a b", "é", "x}"]).to_owned(),
    };
    format!("${{{name}{operator}{operand}}}")
}

fn pattern(draw: &mut Draw) -> String {
    let count = 1 + draw.below(3);
    let parts = [
        "*", "?", "a", "1", "/", "b", "\\*", "\\?", ".", "[a]", "+", "é", "$V", ":", "(", "\\\\", "\\x", "bin", "|",
        "'*'",
    ];
    (0..count).map(|_| draw.pick(&parts)).collect()
}

fn pairs(draw: &mut Draw) -> String {
    const KEYS: &[&str] = &["A", "B", "V", "a.b", "\"k k\"", "$V", "PATH", "é", "x${W}", "'q'"];
    match draw.weighted(&[80, 14, 2, 2, 2]) {
        1 => format!("{} {} {}", draw.pick(KEYS), word(draw, 2), word(draw, 2)),
        2 => draw.pick(KEYS).to_owned(),
        3 => format!("={}", word(draw, 1)),
        4 => format!("A=b C {}", word(draw, 1)),
        _ => {
            let count = draw.one(&[1, 1, 2, 3]);
            let pairs: Vec<String> = (0..count).map(|_| format!("{}={}", draw.pick(KEYS), word(draw, 3))).collect();
            pairs.join(draw.pick(&[" ", " ", "  ", "\t", " \\\n  ", "\u{a0}"]))
        }
    }
}

fn arguments(draw: &mut Draw) -> String {
    const NAMES: &[&str] = &[
        "V",
        "W",
        "Q",
        "TARGETARCH",
        "TARGETPLATFORM",
        "TARGETSTAGE",
        "TARGETVARIANT",
        "HTTP_PROXY",
        "SOURCE_DATE_EPOCH",
    ];
    let count = draw.one(&[1, 1, 2]);
    let one = |draw: &mut Draw| match draw.weighted(&[40, 52, 2, 2, 2, 2, 4]) {
        0 => draw.pick(NAMES).to_owned(),
        2 => "=x".to_owned(),
        3 => "$V=1".to_owned(),
        4 => "\"a b\"=1".to_owned(),
        6 => "SOURCE_DATE_EPOCH".to_owned(),
        5 => "a-b".to_owned(),
        _ => format!("{}={}", draw.pick(NAMES), word(draw, 2)),
    };
    let words: Vec<String> = (0..count).map(|_| one(draw)).collect();
    format!("ARG {}", words.join(" "))
}

fn health(draw: &mut Draw) -> String {
    const TIMES: &[&str] = &[
        "5m", "1h30m", "0", "0s", "1ms", "1us", "0.5ms", "-1s", "3", "3.5s", "1e3s", "", "1d", "$V", "999ns", "100h",
        ".5s", "1m1",
    ];
    let mut text = "HEALTHCHECK".to_owned();
    for flag in ["interval", "timeout", "start-period", "start-interval", "retries"] {
        if draw.chance(25) {
            let value =
                if flag == "retries" { draw.pick(&["0", "3", "-1", "x", "+2", "", "03"]) } else { draw.pick(TIMES) };
            text.push_str(&format!(" --{flag}={value}"));
        }
    }
    let end = match draw.weighted(&[40, 30, 10, 4, 4, 4, 4]) {
        0 => format!("CMD {}", list(draw, SHELL)),
        1 => format!("CMD {}", json(draw)),
        2 => "NONE".to_owned(),
        3 => "none".to_owned(),
        4 => "NONE x".to_owned(),
        5 => "cmd".to_owned(),
        _ => "FOO x".to_owned(),
    };
    format!("{text} {end}")
}

fn transfer(draw: &mut Draw) -> String {
    const FLAGS: &[&str] = &[
        "--chmod=8",
        "--chmod=+x",
        "--chmod=u+xx",
        "--chmod=",
        "--chmod=7777",
        "--chmod=10000",
        "--chmod=u=rw,g",
        "--chmod=$V",
        "--chown=",
        "--chown=a:b:c",
        "--chown=1:",
        "--chown=:",
        "--chown=4294967295",
        "--chown=$V",
        "--chown=-1",
        "--chown=+1",
        "--link=1",
        "--link=maybe",
        "--link=TRUE",
        "--chown=1",
        "--chown=2",
        "--exclude",
        "--exclude=",
        "--exclude=[a",
        "--parents=no",
        "--parents",
        "--checksum=sha256:00",
        "--keep-git-dir",
        "--unpack",
        "--from=9",
        "--from=$V",
        "--from=0",
        "--from=s0",
        "'--chown=1'",
        "--chmod=0x1",
        "--chmod=a-x,u+s",
        "--chmod=ug=o",
        "--chmod=u+X",
        "--chmod=o=u-w",
        "--chmod=0755",
        "--chmod=755x",
        "--exclude=é",
        "--exclude=f",
        "--chmod=\"600\"",
        "--chown=\"5\"",
        "--chown=5\\:6",
    ];
    let mut words = vec![draw.pick(&["COPY", "COPY", "ADD"]).to_owned()];
    for _ in 0..draw.one(&[0, 0, 1, 1, 2]) {
        words.push(draw.pick(FLAGS).to_owned());
    }
    let operand = |draw: &mut Draw| match draw.weighted(&[85, 12, 3]) {
        0 => draw
            .pick(&["f", "d", "d/f", "trigger.txt", "é", "\"g\\ x\"", "g?x", "*", ".", "[f]", "f*", "'f'", "\\f"])
            .to_owned(),
        1 => word(draw, 1),
        _ => draw.pick(&["[", "[]a]", "nope", "..", "\"\"", "git@x", "f:g", "[a", "\\"]).to_owned(),
    };
    if draw.chance(20) {
        let quoted: Vec<String> = (0..2).map(|_| serde_json::Value::from(operand(draw)).to_string()).collect();
        words.push(format!("[{}]", quoted.join(", ")));
        return words.join(" ");
    }
    for _ in 0..draw.one(&[1, 1, 1, 2, 0]) {
        words.push(operand(draw));
    }
    words.push(draw.pick(&["/x/", "/x", ".", "y/", "/$V/", "$NO", "\"a b\"/", "/${W:-w}/z/", "'/'"]).to_owned());
    words.join(" ")
}

/// One or two inline files of different sizes.
fn heredocs(draw: &mut Draw) -> String {
    let verb = draw.pick(&["COPY", "ADD", "COPY --chmod=600", "COPY --link", "COPY --chown=3:4"]);
    let count = draw.one(&[1, 1, 2]);
    let (mut openings, mut bodies) = (Vec::new(), String::new());
    for number in 0..count {
        let name = format!("H{}", draw.below(900) + number);
        let (opening, end) = match draw.weighted(&[50, 15, 15, 10, 3, 3, 2]) {
            0 => (format!("<<{name}"), name.clone()),
            1 => (format!("<<'{name}'"), name.clone()),
            2 => (format!("<<-{name}"), format!("\t{name}")),
            3 => (format!("<<\"{name}\""), name.clone()),
            4 => (format!("3<<{name}"), name.clone()),
            5 => (format!("<<H'{name}'"), format!("H{name}")),
            _ => (format!("<<{name}"), format!("{name} ")),
        };
        openings.push(opening);
        let lines = draw.below(4);
        for _ in 0..lines {
            let line = match draw.below(3) {
                0 => word(draw, 3),
                1 => draw
                    .pick(&[
                        "# no comment",
                        "\tindented",
                        "",
                        "EOF",
                        "\\",
                        "a \\",
                        "\"quoted\" 'single'",
                        "$",
                        "\\$V \\\\",
                    ])
                    .to_owned(),
                _ => modifier(draw),
            };
            bodies.push_str(&format!("{line}\n"));
        }
        // Files of one size in layers that follow one another are lost by BuildKit.
        bodies.push_str(&format!("{}\n{end}\n", "x".repeat(100 + draw.below(5000))));
    }
    let destination = if count > 1 { "/h/" } else { draw.pick(&["/h/", "/h/f", "h", "/h/$V"]) };
    format!("{verb} {} {destination}\n{}", openings.join(" "), bodies.trim_end_matches('\n'))
}
