//! What a child wrote for people, bounded: its beginning and its end.

use std::collections::VecDeque;

use super::said::readable;

const HEAD: u64 = 1 << 20;

/// Lines that are safe to print: the first MiB of them and the last ones, up to a limit.
#[derive(Clone, Debug)]
pub struct Log {
    head: Vec<String>,
    head_bytes: u64,
    tail: VecDeque<String>,
    tail_bytes: u64,
    limit: u64,
}

impl Log {
    /// A log that keeps at most `limit` bytes.
    pub fn new(limit: u64) -> Self {
        Self { head: Vec::new(), head_bytes: 0, tail: VecDeque::new(), tail_bytes: 0, limit }
    }

    /// Adds a line; the oldest ones after the beginning make room for it.
    pub fn push(&mut self, line: String) {
        let size = line.len() as u64 + 1;
        if self.tail.is_empty() && self.head_bytes + size <= HEAD.min(self.limit) {
            self.head_bytes += size;
            self.head.push(line);
            return;
        }
        self.tail_bytes += size;
        self.tail.push_back(line);
        while self.head_bytes + self.tail_bytes > self.limit
            && let Some(old) = self.tail.pop_front()
        {
            self.tail_bytes -= old.len() as u64 + 1;
        }
    }

    /// The kept lines, oldest first.
    pub fn lines(&self) -> impl DoubleEndedIterator<Item = &str> {
        self.head.iter().chain(&self.tail).map(String::as_str)
    }

    /// The last `count` lines that have something to read, oldest first, without what only moves a terminal about.
    pub fn last_readable(&self, count: usize) -> Vec<String> {
        let mut lines: Vec<String> = self.lines().rev().filter_map(readable).take(count).collect();
        lines.reverse();
        lines
    }

    /// The last `count` lines, oldest first.
    pub fn last(&self, count: usize) -> Vec<&str> {
        let mut lines: Vec<&str> = self.lines().rev().take(count).collect();
        lines.reverse();
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_beginning_and_the_end_are_kept() {
        let mut log = Log::new(HEAD + 20);
        let long = "x".repeat(usize::try_from(HEAD).unwrap() - 3);
        log.push(long.clone());
        for number in 0..100 {
            log.push(format!("line {number}"));
        }
        let lines: Vec<&str> = log.lines().collect();
        assert_eq!(lines, [long.as_str(), "line 98", "line 99"]);
        assert_eq!(log.last(2), ["line 98", "line 99"]);
        let mut said = Log::new(HEAD);
        for line in ["first", "second", "", "\\u{1b}[1mend\\u{1b}[0m", "\\u{1b}[K"] {
            said.push(line.to_owned());
        }
        assert_eq!(said.last_readable(2), ["second", "end"]);
        let mut tiny = Log::new(4);
        tiny.push("too long".to_owned());
        assert_eq!(tiny.lines().count(), 0);
    }
}
