//! Documents that Python reads, and no others.

use std::collections::HashMap;

use super::Json;
use crate::layered::text::Text;

/// Arrays and objects inside each other; Python gives up at about a thousand.
const DEPTH: usize = 300;
/// Digits of an integer; Python refuses longer ones.
const DIGITS: usize = 4300;

/// A document that Python would not read.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("no JSON: {what} at offset {offset}")]
pub struct JsonError {
    what: &'static str,
    offset: usize,
}

/// Reads one document, UTF-8.
pub fn read(document: &[u8]) -> Result<Json, JsonError> {
    let text = std::str::from_utf8(document)
        .map_err(|error| JsonError { what: "bytes that are not UTF-8", offset: error.valid_up_to() })?;
    let mut reader = Reader { text, at: 0, depth: 0 };
    let value = reader.value()?;
    reader.blanks();
    if reader.at < text.len() { Err(reader.error("more text after the value")) } else { Ok(value) }
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
}

impl Reader<'_> {
    fn error(&self, what: &'static str) -> JsonError {
        JsonError { what, offset: self.at }
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn eat(&mut self, byte: u8) -> bool {
        let is_next = self.peek() == Some(byte);
        self.at += usize::from(is_next);
        is_next
    }

    fn eat_word(&mut self, word: &str) -> bool {
        let is_next = self.text.as_bytes()[self.at..].starts_with(word.as_bytes());
        self.at += if is_next { word.len() } else { 0 };
        is_next
    }

    fn blanks(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn value(&mut self) -> Result<Json, JsonError> {
        self.blanks();
        match self.peek() {
            Some(b'{') => self.inside(Self::object),
            Some(b'[') => self.inside(Self::list),
            Some(b'"') => Ok(Json::Text(self.quoted()?)),
            _ => self.word_or_number(),
        }
    }

    fn word_or_number(&mut self) -> Result<Json, JsonError> {
        let words = [
            ("null", Json::Null),
            ("true", Json::Bool(true)),
            ("false", Json::Bool(false)),
            ("NaN", Json::Float(f64::NAN)),
            ("Infinity", Json::Float(f64::INFINITY)),
            ("-Infinity", Json::Float(f64::NEG_INFINITY)),
        ];
        for (word, value) in words {
            if self.eat_word(word) {
                return Ok(value);
            }
        }
        self.number()
    }

    fn inside(&mut self, read: impl FnOnce(&mut Self) -> Result<Json, JsonError>) -> Result<Json, JsonError> {
        self.depth += 1;
        if self.depth > DEPTH {
            return Err(self.error("values too deep inside each other"));
        }
        self.at += 1;
        let value = read(self);
        self.depth -= 1;
        value
    }

    fn list(&mut self) -> Result<Json, JsonError> {
        let mut items = Vec::new();
        self.blanks();
        if self.eat(b']') {
            return Ok(Json::List(items));
        }
        loop {
            items.push(self.value()?);
            self.blanks();
            if self.eat(b']') {
                return Ok(Json::List(items));
            }
            if !self.eat(b',') {
                return Err(self.error("expected `,` or `]`"));
            }
        }
    }

    fn object(&mut self) -> Result<Json, JsonError> {
        let mut members: Vec<(Text, Json)> = Vec::new();
        let mut places: HashMap<Text, usize> = HashMap::new();
        self.blanks();
        if self.eat(b'}') {
            return Ok(Json::Object(members));
        }
        loop {
            self.blanks();
            if self.peek() != Some(b'"') {
                return Err(self.error("expected a key"));
            }
            let key = self.quoted()?;
            self.blanks();
            if !self.eat(b':') {
                return Err(self.error("expected `:`"));
            }
            let value = self.value()?;
            match places.get(&key) {
                Some(place) => members[*place].1 = value,
                None => {
                    places.insert(key.clone(), members.len());
                    members.push((key, value));
                }
            }
            self.blanks();
            if self.eat(b'}') {
                return Ok(Json::Object(members));
            }
            if !self.eat(b',') {
                return Err(self.error("expected `,` or `}`"));
            }
        }
    }

    fn digits(&mut self) -> usize {
        let start = self.at;
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        self.at - start
    }

    /// A number ends where no more of it follows; what stands there is for the caller to refuse.
    fn number(&mut self) -> Result<Json, JsonError> {
        let start = self.at;
        self.eat(b'-');
        let whole = if self.eat(b'0') { 1 } else { self.digits() };
        if whole == 0 {
            self.at = start;
            return Err(self.error("expected a value"));
        }
        let end = self.at;
        let mut is_float = self.eat(b'.') && self.digits() > 0;
        if !is_float {
            self.at = end;
        }
        let end = self.at;
        if self.eat(b'e') || self.eat(b'E') {
            let _ = self.eat(b'+') || self.eat(b'-');
            let has_exponent = self.digits() > 0;
            is_float |= has_exponent;
            if !has_exponent {
                self.at = end;
            }
        }
        let text = &self.text[start..self.at];
        match text {
            _ if is_float => text.parse().map(Json::Float).map_err(|_| self.error("expected a number")),
            "-0" => Ok(Json::Integer("0".to_owned())),
            _ if whole > DIGITS => Err(self.error("an integer of too many digits")),
            _ => Ok(Json::Integer(text.to_owned())),
        }
    }

    fn quoted(&mut self) -> Result<Text, JsonError> {
        self.at += 1;
        let mut points = Vec::new();
        loop {
            let Some(c) = self.text[self.at..].chars().next() else { return Err(self.error("a text without an end")) };
            match c {
                '\0'..='\u{1f}' => return Err(self.error("a control character in a text")),
                '"' => {
                    self.at += 1;
                    return Ok(Text::from_code_points(points));
                }
                '\\' => {
                    self.at += 1;
                    points.push(self.escape()?);
                }
                c => {
                    self.at += c.len_utf8();
                    points.push(u32::from(c));
                }
            }
        }
    }

    fn escape(&mut self) -> Result<u32, JsonError> {
        let c = match self.peek() {
            Some(c @ (b'"' | b'\\' | b'/')) => c,
            Some(b'b') => 8,
            Some(b'f') => 12,
            Some(b'n') => b'\n',
            Some(b'r') => b'\r',
            Some(b't') => b'\t',
            Some(b'u') => {
                let first = self.unit(self.at + 1).ok_or_else(|| self.error("expected four hex digits"))?;
                self.at += 5;
                if (0xd800..0xdc00).contains(&first)
                    && self.text.as_bytes()[self.at..].starts_with(b"\\u")
                    && let Some(second) = self.unit(self.at + 2).filter(|unit| (0xdc00..0xe000).contains(unit))
                {
                    self.at += 6;
                    return Ok(0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00));
                }
                return Ok(first);
            }
            _ => return Err(self.error("an unknown escape")),
        };
        self.at += 1;
        Ok(u32::from(c))
    }

    fn unit(&self, at: usize) -> Option<u32> {
        let digits = self.text.as_bytes().get(at..at + 4)?;
        digits.iter().try_fold(0, |sum, digit| Some(sum << 4 | char::from(*digit).to_digit(16)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_json_is_refused() {
        let deep = "[".repeat(100_000);
        for document in [
            "",
            "01",
            "1.",
            "+1",
            ".5",
            "[1,]",
            "{\"a\":1,}",
            "{a:1}",
            "\"\t\"",
            "\"\\x\"",
            "\"\\u12\"",
            "nul",
            "[] x",
            &deep,
        ] {
            assert!(read(document.as_bytes()).is_err(), "{document:.20}");
        }
        assert!(read(b"\"\xff\"").is_err() && read(b"\xef\xbb\xbf{}").is_err());
    }
}
