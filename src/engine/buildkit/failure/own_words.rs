//! The last lines that the program of a failed step wrote itself, from the whole log.

use crate::process::readable;

/// The line that comes before the requests of a step, which BuildKit adds to what its program wrote.
pub const REQUESTS: &str = "proxy network requests:";

const LINES: usize = 20;
const LONGEST: usize = 1000;

/// The last lines of the step that failed: without times, BuildKit's list of requests, empty lines, and sequences for
/// terminals. None where the log doesn't tell which step that is, or it wrote nothing.
pub fn own_words(log: &[&str]) -> Option<Vec<String>> {
    // A program can write anything, but only behind its step's number and a time.
    let number = log.iter().rev().find_map(|line| {
        let (number, rest) = line.strip_prefix('#')?.split_once(' ')?;
        rest.starts_with("ERROR: process ").then_some(number)
    })?;
    let mut lines: Vec<String> = Vec::new();
    let mut lists_requests = false;
    for line in log {
        let Some((at, rest)) = line.strip_prefix('#').and_then(|line| line.split_once(' ')) else { continue };
        let Some((time, words)) = rest.split_once(' ').filter(|_| at == number) else { continue };
        if time.parse::<f64>().is_err() {
            continue;
        }
        lists_requests = words == REQUESTS || (lists_requests && words.starts_with("- "));
        if let Some(line) = readable(words).filter(|_| !lists_requests) {
            lines.push(line.chars().take(LONGEST).collect());
        }
    }
    let last = lines.split_off(lines.len().saturating_sub(LINES));
    (!last.is_empty()).then_some(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_the_failed_program_wrote_is_told() {
        let log = [
            "#5 [2/3] RUN make",
            "#6 [other 2/2] RUN true",
            "#5 0.1 first",
            "#6 0.1 of another step",
            "#5 0.2 ",
            "#5 0.3 \\u{1b}[31mred\\u{1b}[0m",
            "#5 0.3 #6 ERROR: process is no step",
            "#5 0.4 proxy network requests:",
            "#5 0.4 - GET https://h.example/a -> 200",
            "#5 0.4 - POST https://h.example/b -> 403",
            "#5 ERROR: process \"/bin/sh -c make\" did not complete successfully: exit code: 2",
            "------",
            " > [2/3] RUN make:",
            "0.4 - GET https://h.example/a -> 200",
        ];
        assert_eq!(own_words(&log).unwrap(), ["first", "red", "#6 ERROR: process is no step"]);
        assert_eq!(own_words(&log[..10]), None);
        assert_eq!(own_words(&["#5 ERROR: process \"x\""]), None);
        let many: Vec<String> = (0..50).map(|number| format!("#5 0.1 {number}")).collect();
        let mut many: Vec<&str> = many.iter().map(String::as_str).collect();
        many.push("#5 ERROR: process \"x\"");
        let told = own_words(&many).unwrap();
        assert_eq!((told.len(), told[0].as_str(), told[19].as_str()), (20, "30", "49"));
    }
}
