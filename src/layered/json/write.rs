//! Documents as `json.dumps(…, indent=4)` writes them.

use std::fmt::Write;

use super::Json;
use crate::layered::text::Text;

impl Json {
    /// As `json.dumps(…, indent=4)` writes it.
    pub fn text(&self) -> String {
        let mut out = String::new();
        self.write(&mut out, 0);
        out
    }

    fn write(&self, out: &mut String, depth: usize) {
        match self {
            Self::Null => out.push_str("null"),
            Self::Bool(true) => out.push_str("true"),
            Self::Bool(false) => out.push_str("false"),
            Self::Integer(digits) => out.push_str(digits),
            Self::Float(number) => out.push_str(&float(*number)),
            Self::Text(text) => quoted(out, text),
            Self::List(items) if items.is_empty() => out.push_str("[]"),
            Self::Object(members) if members.is_empty() => out.push_str("{}"),
            Self::List(items) => {
                for (index, item) in items.iter().enumerate() {
                    out.push(if index == 0 { '[' } else { ',' });
                    line(out, depth + 1);
                    item.write(out, depth + 1);
                }
                line(out, depth);
                out.push(']');
            }
            Self::Object(members) => {
                for (index, (key, value)) in members.iter().enumerate() {
                    out.push(if index == 0 { '{' } else { ',' });
                    line(out, depth + 1);
                    quoted(out, key);
                    out.push_str(": ");
                    value.write(out, depth + 1);
                }
                line(out, depth);
                out.push('}');
            }
        }
    }
}

fn line(out: &mut String, depth: usize) {
    out.push('\n');
    for _ in 0..depth {
        out.push_str("    ");
    }
}

fn quoted(out: &mut String, text: &Text) {
    out.push('"');
    for point in text.code_points() {
        match char::from_u32(*point) {
            Some(c @ ('"' | '\\')) => out.extend(['\\', c]),
            Some('\n') => out.push_str("\\n"),
            Some('\r') => out.push_str("\\r"),
            Some('\t') => out.push_str("\\t"),
            Some('\u{c}') => out.push_str("\\f"),
            Some('\u{8}') => out.push_str("\\b"),
            Some(c @ ' '..='~') => out.push(c),
            Some(c) => c.encode_utf16(&mut [0; 2]).iter().for_each(|unit| _ = write!(out, "\\u{unit:04x}")),
            None => _ = write!(out, "\\u{point:04x}"),
        }
    }
    out.push('"');
}

/// The shortest digits that read as the same number, with an exponent below 1e-4 and from 1e16 on.
fn float(number: f64) -> String {
    if number.is_nan() {
        return "NaN".to_owned();
    }
    if number.is_infinite() {
        return if number > 0.0 { "Infinity" } else { "-Infinity" }.to_owned();
    }
    let short = format!("{number:e}");
    let (digits, exponent) = short.split_once('e').unwrap_or((&short, "0"));
    match exponent.parse::<i32>().unwrap_or_default() {
        -4..=15 => format!("{number:?}"),
        exponent => format!("{digits}e{}{:02}", if exponent < 0 { '-' } else { '+' }, exponent.abs()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::read;

    #[test]
    fn values_are_written_as_python_writes_them() {
        for (document, want) in [
            ("1.0", "1.0"),
            ("1e22", "1e+22"),
            ("1E-7", "1e-07"),
            ("0.0001", "0.0001"),
            ("1e16", "1e+16"),
            ("123456789012345.6", "123456789012345.6"),
            ("1e999", "Infinity"),
            ("-0", "0"),
            ("-0.0", "-0.0"),
            ("12345678901234567890123", "12345678901234567890123"),
            (r#""\u00fc\ud83d\udc0b\u007f\/\b\f""#, r#""\u00fc\ud83d\udc0b\u007f/\b\f""#),
            (r#""\udc0b\ud83d""#, r#""\udc0b\ud83d""#),
            ("[ ]", "[]"),
            ("{}", "{}"),
            (r#"{"b":[1,{}],"a":2,"b":null}"#, "{\n    \"b\": null,\n    \"a\": 2\n}"),
            ("[1,[2]]", "[\n    1,\n    [\n        2\n    ]\n]"),
        ] {
            assert_eq!(read(document.as_bytes()).map(|value| value.text()).as_deref(), Ok(want), "{document}");
        }
    }
}
