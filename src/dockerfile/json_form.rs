//! The JSON form of an instruction's arguments, `["a", "b"]`, read as Go's `encoding/json` reads it.

use super::text::{Text, lossy, trim_start};

/// What the arguments are.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum JsonForm {
    /// An array of strings.
    Strings(Vec<Text>),
    /// An array with something else in it, which is an error.
    NotStrings,
    /// Not JSON, so another form.
    Other,
}

/// How deep arrays and objects may nest; Go's bound.
const DEPTH: usize = 10_000;

pub(super) fn read(rest: &[u8]) -> JsonForm {
    let rest = trim_start(rest);
    if rest.first() != Some(&b'[') {
        return JsonForm::Other;
    }
    let mut reader = Reader { rest, numbers_fit: true };
    match reader.read_array() {
        Some(members) if reader.numbers_fit => match members.into_iter().collect() {
            Some(strings) => JsonForm::Strings(strings),
            None => JsonForm::NotStrings,
        },
        _ => JsonForm::Other,
    }
}

struct Reader<'a> {
    rest: &'a [u8],
    /// No number is too big for a float, which Go refuses.
    numbers_fit: bool,
}

impl Reader<'_> {
    fn skip_spaces(&mut self) -> Option<u8> {
        while let [b' ' | b'\t' | b'\r' | b'\n', tail @ ..] = self.rest {
            self.rest = tail;
        }
        self.rest.first().copied()
    }

    fn take(&mut self, literal: &[u8]) -> Option<()> {
        self.rest = self.rest.strip_prefix(literal)?;
        Some(())
    }

    /// The whole text as an array; members that are no strings are `None`.
    fn read_array(&mut self) -> Option<Vec<Option<Text>>> {
        self.take(b"[")?;
        let mut members = Vec::new();
        if self.skip_spaces()? == b']' {
            self.take(b"]")?;
        } else {
            loop {
                members.push(if self.skip_spaces()? == b'"' {
                    Some(self.read_string()?.into())
                } else {
                    self.skip_value()?;
                    None
                });
                if self.skip_spaces()? == b']' {
                    self.take(b"]")?;
                    break;
                }
                self.take(b",")?;
            }
        }
        self.skip_spaces().is_none().then_some(members)
    }

    /// Skips a value that is no string, without recursion.
    fn skip_value(&mut self) -> Option<()> {
        let mut open: Vec<u8> = Vec::new();
        loop {
            // A value starts here.
            match self.skip_spaces()? {
                b'"' => drop(self.read_string()?),
                b't' => self.take(b"true")?,
                b'f' => self.take(b"false")?,
                b'n' => self.take(b"null")?,
                start @ (b'[' | b'{') => {
                    self.rest = &self.rest[1..];
                    open.push(start + 2);
                    if open.len() >= DEPTH {
                        return None;
                    }
                    if self.skip_spaces()? != start + 2 {
                        self.skip_key(start + 2)?;
                        continue;
                    }
                }
                _ => self.skip_number()?,
            }
            // A value ended here.
            loop {
                let Some(close) = open.last().copied() else { return Some(()) };
                if self.skip_spaces()? != close {
                    self.take(b",")?;
                    self.skip_key(close)?;
                    break;
                }
                self.rest = &self.rest[1..];
                open.pop();
            }
        }
    }

    fn skip_key(&mut self, close: u8) -> Option<()> {
        if close == b']' {
            return Some(());
        }
        if self.skip_spaces()? != b'"' {
            return None;
        }
        self.read_string()?;
        self.skip_spaces()?;
        self.take(b":")
    }

    fn skip_digits(&mut self) -> Option<()> {
        let length = self.rest.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(self.rest.len());
        self.rest = &self.rest[length..];
        (length > 0).then_some(())
    }

    fn skip_number(&mut self) -> Option<()> {
        let start = self.rest;
        let _ = self.take(b"-");
        if self.take(b"0").is_none() {
            self.skip_digits()?;
        }
        if self.take(b".").is_some() {
            self.skip_digits()?;
        }
        if self.take(b"e").or_else(|| self.take(b"E")).is_some() {
            let _ = self.take(b"+").or_else(|| self.take(b"-"));
            self.skip_digits()?;
        }
        let number = &start[..start.len() - self.rest.len()];
        let value = std::str::from_utf8(number).ok()?.parse::<f64>().ok()?;
        self.numbers_fit &= value.is_finite();
        Some(())
    }

    fn read_string(&mut self) -> Option<String> {
        self.take(b"\"")?;
        let mut out = String::new();
        loop {
            let end = self.rest.iter().position(|byte| matches!(byte, b'"' | b'\\' | ..0x20))?;
            out.push_str(&lossy(&self.rest[..end]));
            let (stop, rest) = self.rest[end..].split_first()?;
            self.rest = rest;
            match stop {
                b'"' => return Some(out),
                b'\\' => out.push(self.read_escape()?),
                _ => return None,
            }
        }
    }

    fn read_escape(&mut self) -> Option<char> {
        let (escape, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(match escape {
            b'"' | b'\\' | b'/' => *escape as char,
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => self.read_code_unit()?,
            _ => return None,
        })
    }

    fn hex4(bytes: &[u8]) -> Option<u32> {
        let digits = bytes.get(..4).filter(|digits| digits.iter().all(u8::is_ascii_hexdigit))?;
        u32::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
    }

    /// After `\u`; half a surrogate pair is U+FFFD.
    fn read_code_unit(&mut self) -> Option<char> {
        let unit = Self::hex4(self.rest)?;
        self.rest = &self.rest[4..];
        if let (0xd800..0xdc00, Some(tail)) = (unit, self.rest.strip_prefix(b"\\u"))
            && let Some(low @ 0xdc00..0xe000) = Self::hex4(tail)
        {
            self.rest = &tail[4..];
            return char::from_u32(0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00));
        }
        Some(char::from_u32(unit).unwrap_or('\u{fffd}'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arrays_of_strings_are_told_from_others() {
        let strings = |words: &[&str]| JsonForm::Strings(words.iter().map(|word| Text::from(*word)).collect());
        for (text, want) in [
            ("[]", strings(&[])),
            (" [\"a\" , \"b\\n\\u00e9\\ud83d\\ude00\\ud800\"] ", strings(&["a", "b\né😀\u{fffd}"])),
            ("[\"a\"", JsonForm::Other),
            ("[\"a\",]", JsonForm::Other),
            ("[\"a\"] x", JsonForm::Other),
            ("['a']", JsonForm::Other),
            ("[ -f x ]", JsonForm::Other),
            ("[1]", JsonForm::NotStrings),
            ("[\"a\",null,{\"x\":[true,-0.5e3]}]", JsonForm::NotStrings),
            ("[1e999]", JsonForm::Other),
            ("[01]", JsonForm::Other),
            ("[\"\\x\"]", JsonForm::Other),
            ("x", JsonForm::Other),
        ] {
            assert_eq!(read(text.as_bytes()), want, "{text}");
        }
        assert_eq!(read("[".repeat(60_000).as_bytes()), JsonForm::Other);
        assert_eq!(read(b"[\"\xff\"]"), strings(&["\u{fffd}"]));
    }
}
