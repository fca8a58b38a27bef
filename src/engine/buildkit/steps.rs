//! A client's plain log while it runs, as steps of progress: what each does, and how it ended.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use super::failure::REQUESTS;
use crate::process::readable;
use crate::progress::Reporter;

/// Characters of a step's last line that are shown.
const WIDTH: usize = 100;

/// Tells the steps of one build.
pub struct Steps<'a> {
    progress: &'a Reporter,
    known: Mutex<BTreeMap<u64, Step>>,
}

/// One step that began.
struct Step {
    name: String,
    /// Its requests are listed now, which are no words of the program.
    lists_requests: bool,
}

impl<'a> Steps<'a> {
    /// Steps that are told to `progress`.
    pub fn new(progress: &'a Reporter) -> Self {
        Self { progress, known: Mutex::default() }
    }

    /// Takes the next line of the log: `#5 [2/3] RUN make`, `#5 0.123 text`, `#5 DONE 0.2s`.
    pub fn hear(&self, line: &str) {
        let Some((number, rest)) = line.strip_prefix('#').and_then(|line| line.split_once(' ')) else { return };
        let Ok(number) = number.parse::<u64>() else { return };
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if rest.starts_with('[') && !known.contains_key(&number) {
            // What a build does with its own files is no step of anybody's Dockerfile.
            if !rest.starts_with("[internal]") {
                self.progress.step(rest, 0, None);
                known.insert(number, Step { name: rest.to_owned(), lists_requests: false });
            }
            return;
        }
        let Some(step) = known.get_mut(&number) else { return };
        let how = match rest.split_once(' ') {
            Some(("DONE", seconds)) => seconds,
            Some(("ERROR:", _)) => "ERROR",
            None if matches!(rest, "CACHED" | "CANCELED") => rest,
            _ => {
                if let Some(said) = said(rest, &mut step.lists_requests) {
                    self.progress.state(&step.name, &said);
                }
                return;
            }
        };
        self.progress.finished(&step.name, how);
        known.remove(&number);
    }
}

/// What a line of a step says for people: the program's words, or how far a download is.
fn said(rest: &str, lists_requests: &mut bool) -> Option<String> {
    let words = match rest.split_once(' ') {
        Some((time, words)) if time.parse::<f64>().is_ok() => {
            *lists_requests = words == REQUESTS || (*lists_requests && words.starts_with("- "));
            if *lists_requests { None } else { Some(words) }
        }
        _ => Some(rest).filter(|rest| rest.starts_with("sha256:")),
    };
    let line = readable(words?)?;
    Some(line.trim_start().chars().take(WIDTH).collect())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::progress::Progress;

    #[derive(Default)]
    struct Heard(Mutex<Vec<String>>);

    impl Heard {
        fn push(&self, what: String) {
            self.0.lock().unwrap().push(what);
        }
    }

    impl Progress for Heard {
        fn step(&self, what: &str, _done: u64, _total: Option<u64>) {
            self.push(format!("> {what}"));
        }
        fn state(&self, _what: &str, state: &str) {
            self.push(format!("  {state}"));
        }
        fn end(&self, _what: &str) {}
        fn finished(&self, what: &str, how: &str) {
            self.push(format!("< {what} {how}"));
        }
        fn log(&self, _line: &str) {}
        fn warn(&self, _message: &str) {}
        fn note(&self, _message: &str) {}
    }

    #[test]
    fn a_step_begins_says_something_and_ends() {
        let heard = Arc::new(Heard::default());
        let progress: Reporter = heard.clone();
        let steps = Steps::new(&progress);
        for line in [
            "#1 [internal] load build definition",
            "#1 DONE 0.0s",
            "#4 [1/2] FROM registry.example/debian@sha256:0",
            "#4 sha256:aa 3.15MB / 31MB 0.2s",
            "#4 extracting sha256:aa",
            "#4 DONE 1.0s",
            "#5 [2/2] RUN apt-get update",
            "#5 0.123 \\u{1b}[31mGet:1\\u{1b}[0m http://d.example x",
            "#5 0.2 ",
            "#5 0.3 proxy network requests:",
            "#5 0.3 - GET http://d.example/x -> 200",
            "#5 DONE 2.5s",
            "#6 [3/3] RUN x",
            "#6 CACHED",
            "#7 [4/4] RUN y",
            "#7 ERROR: process \"y\"",
            "#8 exporting to image",
            "#x y",
            "",
        ] {
            steps.hear(line);
        }
        assert_eq!(
            *heard.0.lock().unwrap(),
            [
                "> [1/2] FROM registry.example/debian@sha256:0",
                "  sha256:aa 3.15MB / 31MB 0.2s",
                "< [1/2] FROM registry.example/debian@sha256:0 1.0s",
                "> [2/2] RUN apt-get update",
                "  Get:1 http://d.example x",
                "< [2/2] RUN apt-get update 2.5s",
                "> [3/3] RUN x",
                "< [3/3] RUN x CACHED",
                "> [4/4] RUN y",
                "< [4/4] RUN y ERROR",
            ]
        );
    }
}
