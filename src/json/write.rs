//! Writing as Go's `encoding/json` does, byte for byte (`Marshal` and `MarshalIndent` with two blanks), or with the least
//! escapes that JSON allows.

use std::borrow::Cow;
use std::collections::BTreeMap;

/// A string as Go holds it: bytes that need not be UTF-8.
///
/// A byte outside valid UTF-8 is written as the escape `\ufffd`; a U+FFFD that is already in the text stays as it is.
pub type Text = Vec<u8>;

/// A document to be written. Members are written in the order given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// An integer.
    Integer(i64),
    /// A string.
    String(Text),
    /// An array.
    Array(Vec<Value>),
    /// An object.
    Object(Vec<(Text, Value)>),
}

impl Value {
    /// A string.
    pub fn string(text: impl AsRef<[u8]>) -> Self {
        Self::String(text.as_ref().to_vec())
    }

    /// An integer; sizes are below 2⁶³.
    pub fn integer(number: u64) -> Self {
        Self::Integer(i64::try_from(number).unwrap_or(i64::MAX))
    }

    /// An array of strings.
    pub fn strings<T: AsRef<[u8]>>(texts: impl IntoIterator<Item = T>) -> Self {
        Self::Array(texts.into_iter().map(Self::string).collect())
    }

    /// An object with the members of `map`, sorted by name as Go sorts maps.
    pub fn map<K: AsRef<[u8]>, V: AsRef<[u8]>>(map: &BTreeMap<K, V>) -> Self {
        let mut members: Vec<_> =
            map.iter().map(|(name, value)| (name.as_ref().to_vec(), Self::string(value))).collect();
        members.sort_by(|a, b| a.0.cmp(&b.0));
        Self::Object(members)
    }

    /// The document without any blanks.
    pub fn to_compact(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.write(&mut out, None, Escapes::AsGo);
        out
    }

    /// The document without any blanks, strings escaped as JSON requires and no more.
    pub fn to_least(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.write(&mut out, None, Escapes::Least);
        out
    }

    /// The document with one member a line, indented by two blanks, without a final newline.
    pub fn to_indented(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.write(&mut out, Some(0), Escapes::AsGo);
        out
    }

    fn write(&self, out: &mut Vec<u8>, indent: Option<usize>, escapes: Escapes) {
        match self {
            Self::Null => out.extend_from_slice(b"null"),
            Self::Bool(value) => out.extend_from_slice(if *value { b"true" } else { b"false" }),
            Self::Integer(number) => out.extend_from_slice(number.to_string().as_bytes()),
            Self::String(text) => write_string(out, text, escapes),
            Self::Array(items) => {
                write_list(out, indent, *b"[]", items, |out, inner, item| item.write(out, inner, escapes));
            }
            Self::Object(members) => write_list(out, indent, *b"{}", members, |out, inner, (name, value)| {
                write_string(out, name, escapes);
                out.extend_from_slice(if inner.is_some() { b": " } else { b":" });
                value.write(out, inner, escapes);
            }),
        }
    }
}

/// Which characters are escaped in strings.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Escapes {
    /// Those that Go escapes, for HTML and JavaScript too.
    AsGo,
    /// Quote, backslash and control characters.
    Least,
}

fn write_list<T>(
    out: &mut Vec<u8>,
    indent: Option<usize>,
    [open, close]: [u8; 2],
    items: &[T],
    write: impl Fn(&mut Vec<u8>, Option<usize>, &T),
) {
    out.push(open);
    let inner = indent.map(|depth| depth + 1);
    let new_line = |out: &mut Vec<u8>, depth: Option<usize>| {
        if let Some(depth) = depth {
            out.push(b'\n');
            out.resize(out.len() + 2 * depth, b' ');
        }
    };
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        new_line(out, inner);
        write(out, inner, item);
    }
    if !items.is_empty() {
        new_line(out, indent);
    }
    out.push(close);
}

fn write_string(out: &mut Vec<u8>, text: &[u8], escapes: Escapes) {
    out.push(b'"');
    for chunk in text.utf8_chunks() {
        for c in chunk.valid().chars() {
            match c {
                '"' => out.extend_from_slice(b"\\\""),
                '\\' => out.extend_from_slice(b"\\\\"),
                '\u{8}' => out.extend_from_slice(b"\\b"),
                '\u{c}' => out.extend_from_slice(b"\\f"),
                '\n' => out.extend_from_slice(b"\\n"),
                '\r' => out.extend_from_slice(b"\\r"),
                '\t' => out.extend_from_slice(b"\\t"),
                '\0'..='\u{1f}' => out.extend_from_slice(format!("\\u{:04x}", c as u32).as_bytes()),
                '<' | '>' | '&' | '\u{2028}' | '\u{2029}' if escapes == Escapes::AsGo => {
                    out.extend_from_slice(format!("\\u{:04x}", c as u32).as_bytes());
                }
                c => out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
            }
        }
        for _ in chunk.invalid() {
            out.extend_from_slice(b"\\ufffd");
        }
    }
    out.push(b'"');
}

/// The text after one trip through JSON: every byte outside valid UTF-8 is a U+FFFD.
pub fn lossy(text: &[u8]) -> Cow<'_, [u8]> {
    if std::str::from_utf8(text).is_ok() {
        return Cow::Borrowed(text);
    }
    let mut out = Vec::with_capacity(text.len() + 8);
    for chunk in text.utf8_chunks() {
        out.extend_from_slice(chunk.valid().as_bytes());
        for _ in chunk.invalid() {
            out.extend_from_slice("\u{fffd}".as_bytes());
        }
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(text: &[u8]) -> String {
        String::from_utf8(Value::string(text).to_compact()).unwrap()
    }

    #[test]
    fn strings_are_escaped_as_go_does() {
        for (text, want) in [
            (b"<a & b>".as_slice(), r#""\u003ca \u0026 b\u003e""#),
            ("\u{2028}\u{2029}".as_bytes(), r#""\u2028\u2029""#),
            (b"\t\n\r\x08\x0c\0\x1b\x7f", "\"\\t\\n\\r\\b\\f\\u0000\\u001b\x7f\""),
            ("é😀\u{fffd}\"\\/".as_bytes(), "\"é😀\u{fffd}\\\"\\\\/\""),
            (b"a\xff\xe2\x82b", r#""a\ufffd\ufffd\ufffdb""#),
        ] {
            assert_eq!(written(text), want);
        }
        let least = String::from_utf8(Value::string("<a & b>\u{2028}\"\u{1}").to_least()).unwrap();
        assert_eq!(least, "\"<a & b>\u{2028}\\\"\\u0001\"");
        assert_eq!(lossy(b"a\xe2\x82b").as_ref(), "a\u{fffd}\u{fffd}b".as_bytes());
    }

    #[test]
    fn indented_documents_have_one_member_a_line_and_empty_ones_stay_closed() {
        let value = Value::Object(vec![
            (b"a".to_vec(), Value::Array(vec![Value::Integer(1), Value::Null])),
            (b"b".to_vec(), Value::Object(vec![])),
            (b"c".to_vec(), Value::Array(vec![])),
            (b"d".to_vec(), Value::Object(vec![(b"e".to_vec(), Value::Bool(true))])),
        ]);
        let want =
            "{\n  \"a\": [\n    1,\n    null\n  ],\n  \"b\": {},\n  \"c\": [],\n  \"d\": {\n    \"e\": true\n  }\n}";
        assert_eq!(String::from_utf8(value.to_indented()).unwrap(), want);
        assert_eq!(value.to_compact(), br#"{"a":[1,null],"b":{},"c":[],"d":{"e":true}}"#);
    }
}
