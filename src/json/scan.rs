//! What two common readers could take in two ways is refused before any typed decode.

use std::collections::HashSet;

use super::error::{InvalidJson, MEMBERS, Reason};
use crate::limits::Limits;

/// Checks that `bytes` are exactly one document that every reader takes in the same way.
///
/// Refused: more than `json-bytes`, nesting beyond `json-depth`, strings beyond `json-string`, a byte order mark, bytes that are not UTF-8, lone
/// surrogates, member names that repeat in one object at any depth, and anything after the document.
pub fn scan(bytes: &[u8], limits: &Limits) -> Result<(), InvalidJson> {
    let fail = |offset, reason| Err(InvalidJson { offset, reason });
    if bytes.len() as u64 > limits.json_bytes {
        return fail(0, Reason::TooLong { length: bytes.len(), limit: limits.json_bytes });
    }
    if bytes.starts_with(b"\xef\xbb\xbf") {
        return fail(0, Reason::ByteOrderMark);
    }
    match std::str::from_utf8(bytes) {
        Err(error) => fail(error.valid_up_to(), Reason::NotUtf8),
        Ok(text) => {
            let (depth, longest) = (limits.json_depth, limits.json_string);
            let mut scanner = Scanner { text, at: 0, members: 0, depth, longest };
            scanner.document().map_err(|reason| InvalidJson { offset: scanner.at, reason })
        }
    }
}

/// An object or array that is not closed yet.
enum Open {
    Object(HashSet<String>),
    Array,
}

struct Scanner<'a> {
    text: &'a str,
    at: usize,
    members: usize,
    depth: u64,
    longest: u64,
}

impl Scanner<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn blanks(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn take(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    fn document(&mut self) -> Result<(), Reason> {
        let mut open: Vec<Open> = Vec::new();
        loop {
            self.blanks();
            let opened = self.value(&mut open)?;
            if opened {
                continue;
            }
            // A value ended; close what ends with it, then go on after a comma.
            loop {
                self.blanks();
                let Some(innermost) = open.last_mut() else {
                    return if self.at == self.text.len() { Ok(()) } else { Err(Reason::Trailing) };
                };
                let (end, expected) = match innermost {
                    Open::Object(_) => (b'}', "`,` or `}`"),
                    Open::Array => (b']', "`,` or `]`"),
                };
                if self.take(end) {
                    open.pop();
                    continue;
                }
                if !self.take(b',') {
                    return Err(Reason::Expected(expected));
                }
                self.blanks();
                if let Open::Object(names) = innermost {
                    self.member_name(names)?;
                }
                self.count()?;
                break;
            }
        }
    }

    fn count(&mut self) -> Result<(), Reason> {
        self.members += 1;
        if self.members > MEMBERS { Err(Reason::TooManyMembers) } else { Ok(()) }
    }

    fn member_name(&mut self, names: &mut HashSet<String>) -> Result<(), Reason> {
        if self.peek() != Some(b'"') {
            return Err(Reason::Expected("a member name"));
        }
        let start = self.at;
        let name = self.string()?;
        if !names.insert(name.clone()) {
            self.at = start;
            return Err(Reason::Duplicate(name));
        }
        self.blanks();
        if self.take(b':') { Ok(()) } else { Err(Reason::Expected("`:`")) }
    }

    /// Takes one value; true when it opened an object or array that has something in it.
    fn value(&mut self, open: &mut Vec<Open>) -> Result<bool, Reason> {
        match self.peek() {
            Some(b'"') => self.string().map(|_| false),
            Some(b'-' | b'0'..=b'9') => self.number().map(|()| false),
            Some(b't') => self.word("true"),
            Some(b'f') => self.word("false"),
            Some(b'n') => self.word("null"),
            Some(b'{') => {
                self.enter(open)?;
                if self.take(b'}') {
                    return Ok(false);
                }
                let mut names = HashSet::new();
                self.member_name(&mut names)?;
                self.count()?;
                open.push(Open::Object(names));
                Ok(true)
            }
            Some(b'[') => {
                self.enter(open)?;
                if self.take(b']') {
                    return Ok(false);
                }
                self.count()?;
                open.push(Open::Array);
                Ok(true)
            }
            _ => Err(Reason::Expected("a value")),
        }
    }

    fn enter(&mut self, open: &[Open]) -> Result<(), Reason> {
        if open.len() as u64 >= self.depth {
            return Err(Reason::TooDeep(self.depth));
        }
        self.at += 1;
        self.blanks();
        Ok(())
    }

    fn word(&mut self, word: &str) -> Result<bool, Reason> {
        if !self.text[self.at..].starts_with(word) {
            return Err(Reason::Expected("a value"));
        }
        self.at += word.len();
        Ok(false)
    }

    fn digits(&mut self) -> Result<(), Reason> {
        let start = self.at;
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        if self.at == start { Err(Reason::Expected("a digit")) } else { Ok(()) }
    }

    fn number(&mut self) -> Result<(), Reason> {
        self.take(b'-');
        if !self.take(b'0') {
            self.digits()?;
        }
        if self.take(b'.') {
            self.digits()?;
        }
        if self.take(b'e') || self.take(b'E') {
            let _sign = self.take(b'+') || self.take(b'-');
            self.digits()?;
        }
        Ok(())
    }

    fn string(&mut self) -> Result<String, Reason> {
        self.at += 1;
        let start = self.at;
        let mut out = String::new();
        loop {
            let rest = &self.text[self.at..];
            let Some(end) = rest.bytes().position(|byte| matches!(byte, b'"' | b'\\' | 0..=0x1f)) else {
                self.at = self.text.len();
                return Err(Reason::Expected("the end of a string"));
            };
            out.push_str(&rest[..end]);
            self.at += end;
            if (self.at - start) as u64 > self.longest {
                return Err(Reason::LongString(self.longest));
            }
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(out);
                }
                Some(b'\\') => {
                    self.at += 1;
                    out.push(self.escape()?);
                }
                _ => return Err(Reason::Expected("no control character inside a string")),
            }
        }
    }

    fn escape(&mut self) -> Result<char, Reason> {
        let Some(byte) = self.peek() else { return Err(Reason::Expected("an escape")) };
        self.at += 1;
        Ok(match byte {
            b'"' | b'\\' | b'/' => char::from(byte),
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => {
                let first = self.hex4()?;
                if !(0xd800..0xe000).contains(&first) {
                    return char::from_u32(first).ok_or(Reason::LoneSurrogate);
                }
                if first >= 0xdc00 || !(self.take(b'\\') && self.take(b'u')) {
                    return Err(Reason::LoneSurrogate);
                }
                let second = self.hex4()?;
                if !(0xdc00..0xe000).contains(&second) {
                    return Err(Reason::LoneSurrogate);
                }
                char::from_u32(0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00)).ok_or(Reason::LoneSurrogate)?
            }
            _ => return Err(Reason::Expected("a known escape")),
        })
    }

    fn hex4(&mut self) -> Result<u32, Reason> {
        let digits = self.text.as_bytes().get(self.at..self.at + 4).unwrap_or_default();
        if digits.len() != 4 || !digits.iter().all(u8::is_ascii_hexdigit) {
            return Err(Reason::Expected("four hex digits"));
        }
        self.at += 4;
        Ok(digits.iter().fold(0, |sum, digit| sum * 16 + char::from(*digit).to_digit(16).unwrap_or(0)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reason(text: &[u8]) -> Option<Reason> {
        scan(text, &Limits::default()).err().map(|error| error.reason)
    }

    #[test]
    fn what_every_reader_takes_in_the_same_way_passes() {
        for text in
            ["{}", " [] ", "null", "-0.5e+3", r#"{"a":[{"a":1},{"a":2}],"b":"\ud83d\ude00é"}"#, r#"[[],{},""]"#, "\"\""]
        {
            assert_eq!(reason(text.as_bytes()), None, "{text}");
            serde_json::from_str::<serde_json::Value>(text).unwrap();
        }
    }

    #[test]
    fn what_readers_could_take_in_two_ways_is_refused() {
        for (text, want) in [
            (r#"{"a":1,"a":2}"#.as_bytes(), Reason::Duplicate("a".into())),
            (r#"{"x":[{"layers":1,"l\u0061yers":2}]}"#.as_bytes(), Reason::Duplicate("layers".into())),
            (b"\xef\xbb\xbf{}", Reason::ByteOrderMark),
            (b"\"\xff\"", Reason::NotUtf8),
            (br#""\ud800""#, Reason::LoneSurrogate),
            (br#""\ude00\ud83d""#, Reason::LoneSurrogate),
            (br#""\ud800\u0041""#, Reason::LoneSurrogate),
            (b"{} {}", Reason::Trailing),
            (b"{}\0", Reason::Trailing),
            (b"", Reason::Expected("a value")),
            (b"NaN", Reason::Expected("a value")),
            (b"Infinity", Reason::Expected("a value")),
            (b"[1,]", Reason::Expected("a value")),
            (b"{\"a\":1,}", Reason::Expected("a member name")),
            (b"{'a':1}", Reason::Expected("a member name")),
            (b"01", Reason::Trailing),
            (b"+1", Reason::Expected("a value")),
            (b"\"a", Reason::Expected("the end of a string")),
            (b"\"\n\"", Reason::Expected("no control character inside a string")),
        ] {
            assert_eq!(reason(text), Some(want), "{}", String::from_utf8_lossy(text));
        }
    }

    #[test]
    fn nesting_length_and_members_are_bounded() {
        assert_eq!(reason(&b"[".repeat(100_000)), Some(Reason::TooDeep(128)));
        assert_eq!(reason(&[b"[".repeat(128), b"]".repeat(128)].concat()), None);
        assert_eq!(reason(&vec![b' '; (4 << 20) + 1]), Some(Reason::TooLong { length: (4 << 20) + 1, limit: 4 << 20 }));
        assert_eq!(reason(format!("[{}1]", "1,".repeat(100_000)).as_bytes()), Some(Reason::TooManyMembers));
        let long = format!("\"{}\"", "a".repeat((1 << 20) + 1));
        assert_eq!(reason(long.as_bytes()), Some(Reason::LongString(1 << 20)));
    }
}
