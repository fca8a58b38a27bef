//! What commands download.

use crate::lint::file::Run;
use crate::lint::shell::Command;

use super::text::last_part;

/// Options of curl that take the next word.
const CURL_VALUES: &[&str] = &[
    "-A",
    "-b",
    "-c",
    "-C",
    "-d",
    "-D",
    "-e",
    "-E",
    "-F",
    "-h",
    "-H",
    "-K",
    "-m",
    "-o",
    "-P",
    "-Q",
    "-r",
    "-t",
    "-T",
    "-u",
    "-U",
    "-w",
    "-x",
    "-X",
    "-y",
    "-Y",
    "-z",
    "--output",
    "--output-dir",
    "--header",
    "--proto",
    "--retry",
    "--retry-delay",
    "--retry-max-time",
    "--connect-timeout",
    "--max-time",
    "--user",
    "--user-agent",
    "--request",
    "--data",
    "--cacert",
    "--cert",
    "--key",
    "--proxy",
    "--resolve",
    "--write-out",
    "--range",
    "--cookie",
    "--cookie-jar",
    "--referer",
    "--proto-redir",
    "--limit-rate",
    "--max-redirs",
    "--max-filesize",
    "--ciphers",
    "--tls-max",
    "--unix-socket",
    "--form",
    "--data-binary",
    "--data-raw",
    "--data-urlencode",
    "--upload-file",
    "--interface",
    "--config",
    "--dump-header",
    "--etag-save",
    "--etag-compare",
    "--speed-limit",
    "--speed-time",
    "--time-cond",
    "--continue-at",
    "--netrc-file",
];
const WGET_VALUES: &[&str] = &[
    "-O",
    "-o",
    "-a",
    "-P",
    "-T",
    "-t",
    "-w",
    "-U",
    "-i",
    "-B",
    "-e",
    "-Q",
    "--output-document",
    "--output-file",
    "--directory-prefix",
    "--tries",
    "--timeout",
    "--user-agent",
    "--header",
    "--waitretry",
    "--wait",
    "--user",
    "--password",
    "--ca-certificate",
];

/// A download of a command.
pub(super) struct Fetch {
    /// What is fetched, as it is written.
    pub(super) what: String,
    /// Where it goes; none where that is not a file that is known.
    pub(super) output: Option<String>,
}

/// What a command downloads; empty if it downloads nothing.
pub(super) fn fetches(run: &Run, index: usize) -> Vec<Fetch> {
    let found = named(run, index);
    let command = &run.commands[index];
    let by_pipe = found.is_empty() && command.wrappers.iter().any(|wrapper| wrapper == "xargs");
    if by_pipe
        && command.is(&["curl", "wget", "aria2c"])
        && !command.any_long(&["--head", "--spider", "--help", "--version"])
    {
        return vec![Fetch { what: "what it reads".to_owned(), output: None }];
    }
    found
}

/// What the words of a command name.
fn named(run: &Run, index: usize) -> Vec<Fetch> {
    let command = &run.commands[index];
    match command.name.as_str() {
        "curl" => curl(command),
        "wget" | "wget2" => wget(command),
        "aria2c" | "axel" => {
            let output = command.text_of(&["-o", "--out", "--output"]).map(str::to_owned);
            urls(&command.operands_without(&["-o", "-d", "-x", "-s", "-n", "-j", "--out", "--dir", "--output"]))
                .map(|url| Fetch {
                    output: Some(output.clone().unwrap_or_else(|| last_part(&url).to_owned())),
                    what: url,
                })
                .collect()
        }
        "http" | "https" => urls(&command.operands_without(&["-o", "--output", "-a", "--auth"]))
            .map(|what| Fetch { what, output: command.text_of(&["-o", "--output"]).map(str::to_owned) })
            .collect(),
        "lftp" | "sftp" => command
            .operands()
            .next()
            .map(|word| Fetch { what: word.text().to_owned(), output: None })
            .into_iter()
            .collect(),
        "rsync" | "scp" => remote(command),
        "svn" if matches!(command.subcommand(&["--username", "--password", "-r"]), "checkout" | "co" | "export") => {
            command
                .operands()
                .nth(1)
                .map(|word| Fetch { what: word.text().to_owned(), output: None })
                .into_iter()
                .collect()
        }
        "hg" if command.subcommand(&["-R", "--config"]) == "clone" => command
            .operands()
            .nth(1)
            .map(|word| Fetch { what: word.text().to_owned(), output: None })
            .into_iter()
            .collect(),
        _ => Vec::new(),
    }
}

fn urls<'a>(operands: &[&'a crate::lint::shell::Word]) -> impl Iterator<Item = String> + use<'a> {
    let found: Vec<String> =
        operands.iter().map(|word| word.text().to_owned()).filter(|text| !is_own_host(text)).collect();
    found.into_iter()
}

fn stdout_file(command: &Command) -> Option<String> {
    let redirect = command.redirects.iter().rev().find(|redirect| redirect.takes_stdout())?;
    Some(redirect.target.text().to_owned())
}

fn curl(command: &Command) -> Vec<Fetch> {
    let takes = "AbcCdDeEFhHKmoPQrtTuUwxXyYz";
    let is_quiet = command.short('I', takes)
        || command.any_long(&["--head", "--version", "--help", "--unix-socket"])
        || command.short('V', takes);
    if is_quiet || matches!(command.text_of(&["-X", "--request"]), Some("HEAD")) || command.short('T', takes) {
        return Vec::new();
    }
    let explicit = command
        .short('o', takes)
        .then(|| cluster_value(command, 'o', takes))
        .flatten()
        .or_else(|| command.text_of(&["--output"]).map(str::to_owned));
    let named = command.short('O', takes) || command.any_long(&["--remote-name", "--remote-name-all"]);
    let by_option = command.text_of(&["--url"]).map(str::to_owned);
    urls(&operands(command, CURL_VALUES, takes))
        .chain(by_option.filter(|url| !is_own_host(url)))
        .map(|what| {
            let own = named.then(|| last_part(&what).to_owned());
            Fetch { output: explicit.clone().filter(|file| file != "-").or(own).or_else(|| stdout_file(command)), what }
        })
        .collect()
}

fn wget(command: &Command) -> Vec<Fetch> {
    let takes = "OoaPTtwUiBeQ";
    if command.any_long(&["--spider", "--version", "--help"]) || command.short('V', takes) {
        return Vec::new();
    }
    let explicit =
        cluster_value(command, 'O', takes).or_else(|| command.text_of(&["--output-document"]).map(str::to_owned));
    let mut found: Vec<Fetch> = urls(&operands(command, WGET_VALUES, takes))
        .map(|what| {
            let output = match explicit.as_deref() {
                Some("-") => stdout_file(command),
                Some(file) => Some(file.to_owned()),
                None => Some(last_part(&what).to_owned()),
            };
            Fetch { output, what }
        })
        .collect();
    if let Some(list) = command.text_of(&["-i", "--input-file"]) {
        found.push(Fetch { what: list.to_owned(), output: None });
    }
    found
}

/// The words that are neither options nor their values, clusters like `-fsSLo FILE` read.
fn operands<'a>(command: &'a Command, values: &[&str], takes: &str) -> Vec<&'a crate::lint::shell::Word> {
    let mut found = Vec::new();
    let mut skip = false;
    for word in &command.words {
        let text = word.text();
        if std::mem::take(&mut skip) {
            continue;
        }
        if !word.is_option() {
            if text != "-" {
                found.push(word);
            }
        } else if text.starts_with("--") {
            skip = values.contains(&text);
        } else {
            skip = text[1..]
                .char_indices()
                .find(|(_, c)| takes.contains(*c))
                .is_some_and(|(at, c)| 1 + at + c.len_utf8() == text.len());
        }
    }
    found
}

/// The value of a letter in a cluster: the rest of the word or the next one.
fn cluster_value(command: &Command, letter: char, takes: &str) -> Option<String> {
    command.words.iter().enumerate().find_map(|(index, word)| {
        let cluster = word.text().strip_prefix('-').filter(|rest| !rest.starts_with('-'))?;
        let (at, c) = cluster.char_indices().find(|(_, c)| *c == letter || takes.contains(*c))?;
        if c != letter {
            return None;
        }
        let rest = &cluster[at + c.len_utf8()..];
        if rest.is_empty() {
            command.words.get(index + 1).map(|next| next.text().to_owned())
        } else {
            Some(rest.to_owned())
        }
    })
}

/// `host:path` or `rsync://…` among the operands.
fn remote(command: &Command) -> Vec<Fetch> {
    let values = ["-e", "--rsh", "-i", "-P", "-o", "-F", "-l", "--exclude", "--include", "--filter", "--password-file"];
    let operands = command.operands_without(&values);
    let sources = operands.split_last().map_or(&[][..], |(_, sources)| sources);
    let is_remote = |text: &str| {
        text.contains("://") || text.split_once(':').is_some_and(|(host, _)| !host.is_empty() && !host.contains('/'))
    };
    let found = sources.iter().map(|word| word.text()).filter(|text| is_remote(text) && !is_own_host(text));
    found.map(|text| Fetch { what: text.to_owned(), output: None }).collect()
}

/// The URL names this very container, or no host at all.
fn is_own_host(url: &str) -> bool {
    if url.starts_with("file:") {
        return true;
    }
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = host.rsplit('@').next().unwrap_or_default();
    let name = if host.starts_with('[') {
        host.split(']').next().unwrap_or_default()
    } else {
        host.split(':').next().unwrap_or_default()
    };
    matches!(name, "localhost" | "0.0.0.0" | "[::1" | "[::") || name.starts_with("127.") || name.ends_with(".localhost")
}
