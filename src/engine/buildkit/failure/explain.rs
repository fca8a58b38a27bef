//! From what a failed client wrote to what went wrong.
//!
//! Clients end with one message, after the word `error:`, and show before it the lines of the Dockerfile with the
//! failing one marked by `>>>` and the heading of the failed step. The log of a RUN step can hold anything, but only
//! in lines that begin with the step's number or a time, so nothing here looks at those.

use super::error::BuildKitError;
use super::heading;
use super::own_words::own_words;
use crate::context::NOT_IN_CONTEXT;
use crate::dockerfile::syntax::Dockerfile;

const TAIL: usize = 20;
const LONGEST: usize = 1000;
const RULE: &str = "------";

/// The failure that the log of a client tells, for the Dockerfile shown as `shown`.
pub fn explain(log: &[&str], shown: &str, dockerfile: &Dockerfile) -> BuildKitError {
    let message = message(log);
    let place = match failing_line(log, &message).or_else(|| heading::line(step(log), dockerfile)) {
        Some(line) => format!("{shown}:{line}"),
        None => shown.to_owned(),
    };
    if message.starts_with("process \"") {
        return BuildKitError::Step { place, message, log: own_words(log).unwrap_or_else(|| tail(log)), fix: None };
    }
    if message.contains("denied by policy") {
        let source_name = message.split('"').nth(1).unwrap_or("a source").to_owned();
        let place = match line_naming(&source_name, &dockerfile.bytes) {
            Some(line) if place == shown => format!("{shown}:{line}"),
            _ => place,
        };
        return BuildKitError::Denied { place, source_name };
    }
    if let Some((actual, expected)) = digest_mismatch(&message) {
        return BuildKitError::Changed { place: with_step(place, log), expected, actual };
    }
    if let Some(place_in_file) = message.strip_prefix("dockerfile parse error on line ") {
        let line = place_in_file.split(':').next().unwrap_or_default();
        return BuildKitError::Dockerfile { place: format!("{shown}:{line}"), message };
    }
    if let Some(what) = message.strip_suffix(" is not allowed") {
        let what = what.rsplit(' ').next().unwrap_or(what);
        return BuildKitError::Refused {
            message: format!("{place}: a step asks for `{what}`"),
            fix: format!("allow it in the manifest, with a reason: allow = [{{ what = \"{what}\", reason = \"…\" }}]"),
            status: crate::status::Status::Usage,
        };
    }
    if is_lost_connection(&message) {
        return match log.iter().any(|line| line.starts_with("#1 ")) {
            true => BuildKitError::Ended { message, log: tail(log) },
            false => BuildKitError::Unusable {
                message: format!("BuildKit does not respond: {message}"),
                fix: "start `buildkitd`, or name a running one with `--addr` or `BUILDKIT_HOST`".to_owned(),
            },
        };
    }
    if is_unavailable_source(&message, step(log)) {
        return BuildKitError::Source { place: with_step(place, log), message };
    }
    let fix = is_absent(&message, step(log)).then(|| NOT_IN_CONTEXT.to_owned());
    BuildKitError::Step { place, message, log: tail(log), fix }
}

/// Whether an instruction asks for what the context does not hold.
fn is_absent(message: &str, step: &str) -> bool {
    let copies = step.contains("] COPY ") || step.contains("] ADD ");
    copies && !step.contains(" --from=") && message.ends_with("\": not found")
}

/// The client's last word, several lines joined.
fn message(log: &[&str]) -> String {
    let is_last_word = |line: &&str| line.starts_with("error: ") || line.starts_with("ERROR: ");
    let Some(at) = log.iter().rposition(is_last_word) else {
        return "the client ended without an error message".to_owned();
    };
    let lines: Vec<&str> = log[at..].iter().map(|line| line.trim()).filter(|line| !line.is_empty()).collect();
    let mut joined = lines.join("; ");
    for prefix in ["error: ", "ERROR: ", "failed to build: ", "failed to solve: "] {
        if let Some(rest) = joined.strip_prefix(prefix) {
            joined = rest.to_owned();
        }
    }
    joined
}

/// The line that is marked in the Dockerfile's lines before the message, or named by it.
fn failing_line(log: &[&str], message: &str) -> Option<u32> {
    let named = message.split("dockerfile parse error on line ").nth(1).and_then(|rest| rest.split(':').next());
    let marked = log.iter().rev().filter_map(|line| line.split_once(" | >>> ")).map(|(number, _)| number.trim());
    // The first of several marked lines is the one on which the instruction starts.
    let first_marked = marked.clone().map_while(|number| number.parse().ok()).last();
    named.and_then(|number| number.parse().ok()).or(first_marked)
}

/// The only line that names a source as it stands; the policy refuses files and commits without telling theirs.
fn line_naming(source: &str, text: &[u8]) -> Option<u32> {
    let (_, name) = source.split_once("://")?;
    let text = std::str::from_utf8(text).ok()?;
    let mut lines = (1..).zip(text.lines()).filter(|(_, line)| line.contains(name));
    let (line, _) = lines.next()?;
    lines.next().is_none().then_some(line)
}

/// The heading of the failed step (`[2/3] RUN make`).
fn step<'a>(log: &[&'a str]) -> &'a str {
    let heading = |pair: &[&'a str]| match pair {
        [rule, heading] if *rule == RULE => heading.strip_prefix(" > "),
        _ => None,
    };
    let found = log.windows(2).rev().find_map(heading);
    found.unwrap_or_default().trim_end_matches(':')
}

fn with_step(place: String, log: &[&str]) -> String {
    match step(log) {
        "" => place,
        step => format!("{place}: {step}"),
    }
}

/// The two digests of a mismatch: what came first, what was expected second.
fn digest_mismatch(message: &str) -> Option<(String, String)> {
    let (_, rest) = message.split_once("digest mismatch sha256:")?;
    let (actual, expected) = rest.split_once(": sha256:")?;
    let hex = |text: &str| text.chars().take_while(char::is_ascii_hexdigit).collect::<String>();
    Some((format!("sha256:{}", hex(actual)), format!("sha256:{}", hex(expected))))
}

fn is_lost_connection(message: &str) -> bool {
    let signs = [
        "Unavailable: ",
        "code = Unavailable",
        "failed to list workers",
        "error reading from server: EOF",
        "closing transport due to",
        "no active session",
        "failed to receive status",
        "graceful_stop",
    ];
    signs.iter().any(|sign| message.contains(sign))
}

fn is_unavailable_source(message: &str, step: &str) -> bool {
    let signs = [
        "failed to resolve source metadata for",
        "invalid response status",
        "failed to checkout remote",
        "failed to fetch remote",
        "failed to init repo",
        "httpReadSeeker",
        "failed to do request",
        "failed to copy:",
        "unexpected status from",
        "pull access denied",
        "repository does not contain ref",
        "expected checksum to match",
    ];
    let is_remote_add = step.contains("] ADD ") && (step.contains("://") || step.contains("] ADD git@"));
    signs.iter().any(|sign| message.contains(sign)) || is_remote_add
}

fn tail(log: &[&str]) -> Vec<String> {
    let end = log.iter().rposition(|line| *line == RULE).unwrap_or(log.len());
    let start = log[..end].iter().rposition(|line| *line == RULE).map_or(end.saturating_sub(TAIL), |at| at + 1);
    let lines = &log[start.max(end.saturating_sub(TAIL))..end];
    lines.iter().map(|line| (*line).chars().take(LONGEST).collect()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::status::{ExitStatus, Status};

    fn told(text: &str) -> (Status, String) {
        let lines: Vec<&str> = text.lines().collect();
        let dockerfile = crate::dockerfile::parse(b"FROM a\nCOPY b /\n", &crate::limits::Limits::default()).unwrap();
        let error = explain(&lines, "app/Dockerfile", &dockerfile);
        (error.status(), error.to_string())
    }

    #[test]
    fn a_failed_step_is_named_with_its_line_and_the_end_of_its_log() {
        let text = "#5 [2/2] RUN echo x; exit 3\n#5 0.08 x\n#5 0.082 y\n#5 0.082 error: digest mismatch sha256:1: sha256:2\n\
            #5 ERROR: process \"/bin/sh\" …\n------\n > [2/2] RUN echo x; exit 3:\n0.082 y\n------\nDockerfile:2\n--------------------\n   1 |     FROM a\n\
            \x20  2 | >>> RUN echo x; \\\n   3 | >>>   exit 3\n   4 |     \n--------------------\n\
            error: failed to solve: process \"/bin/sh -c echo x; exit 3\" did not complete successfully: exit code: 3\n";
        assert_eq!(
            told(text),
            (
                Status::Build,
                "app/Dockerfile:2: process \"/bin/sh -c echo x; exit 3\" did not complete successfully: exit code: 3\n\
                 \x20   x\n    y\n    error: digest mismatch sha256:1: sha256:2"
                    .to_owned()
            )
        );
    }

    #[test]
    fn a_step_without_marked_lines_is_found_by_its_heading() {
        let text = "------\n > [2/2] COPY b /:\n------\nerror: failed to solve: \"/b\": not found\n";
        let want = "app/Dockerfile:2: \"/b\": not found\n     > [2/2] COPY b /:";
        assert_eq!(told(text), (Status::Build, want.to_owned()));
    }

    #[test]
    fn a_refused_source_has_the_only_line_that_names_it() {
        let text = b"FROM a\nADD https://f.example/q /\nADD https://g.example/r.git#v1 /\n";
        assert_eq!(line_naming("https://f.example/q", text), Some(2));
        assert_eq!(line_naming("git://g.example/r.git#v1", text), Some(3));
        assert_eq!(line_naming("https://h.example/q", text), None);
        assert_eq!(line_naming("https://f.example/q", &text.repeat(2)), None);
    }

    #[test]
    fn each_kind_of_failure_has_its_status() {
        let a = "9".repeat(64);
        let b = "8".repeat(64);
        for (text, status, message) in [
            (
                "error: failed to solve: failed to load LLB: error evaluating the source policy: source \"https://f.example/p\" denied by policy: source denied by policy".to_owned(),
                Status::Source,
                "app/Dockerfile: `https://f.example/p` is not locked, so the build may not use it".to_owned(),
            ),
            (
                format!("------\n > [1/1] ADD https://f.example/p /:\n------\nerror: failed to solve: digest mismatch sha256:{a}: sha256:{b}"),
                Status::Source,
                format!("app/Dockerfile: [1/1] ADD https://f.example/p /: expected sha256:{b}, found sha256:{a}"),
            ),
            (
                "   1 | >>> FROM x\nERROR: failed to build: failed to solve: x: failed to resolve source metadata for x: x: not found".to_owned(),
                Status::Source,
                "app/Dockerfile:1: x: failed to resolve source metadata for x: x: not found".to_owned(),
            ),
            (
                "error: failed to solve: failed to load cache key: invalid response status 404".to_owned(),
                Status::Source,
                "app/Dockerfile: failed to load cache key: invalid response status 404".to_owned(),
            ),
            (
                "error: failed to solve: dockerfile parse error on line 2: unknown instruction: RUNN".to_owned(),
                Status::Usage,
                "app/Dockerfile:2: dockerfile parse error on line 2: unknown instruction: RUNN".to_owned(),
            ),
            (
                "error: failed to solve: failed to load LLB: network.host is not allowed".to_owned(),
                Status::Usage,
                "app/Dockerfile: a step asks for `network.host`".to_owned(),
            ),
            (
                "error: listing workers for Build: failed to list workers: Unavailable: connection refused".to_owned(),
                Status::Engine,
                "BuildKit does not respond: listing workers for Build: failed to list workers: Unavailable: connection refused".to_owned(),
            ),
            (
                "#1 [internal] load\nerror: failed to receive status: rpc error: code = Unavailable desc = error reading from server: EOF".to_owned(),
                Status::Build,
                "BuildKit ended during the build: failed to receive status: rpc error: code = Unavailable desc = error reading from server: EOF\n    #1 [internal] load\n    error: failed to receive status: rpc error: code = Unavailable desc = error reading from server: EOF".to_owned(),
            ),
            (
                "error: failed to solve: failed to compute cache key: \"/nofile\": not found".to_owned(),
                Status::Build,
                "app/Dockerfile: failed to compute cache key: \"/nofile\": not found\n    error: failed to solve: failed to compute cache key: \"/nofile\": not found".to_owned(),
            ),
        ] {
            assert_eq!(told(&text), (status, message));
        }
    }
}
