//! What a checkout makes of a blob, and what git would make of a file when it is added.
//!
//! These are git's own conversions (`convert.c`) for the attributes `text`, `eol`, `ident` and
//! `working-tree-encoding`, as they are on Linux without any configuration. Filters are never run.

use super::ObjectId;
use super::attributes::{Text, Wanted};

/// The conversions for one path.
#[derive(Clone, Copy, Debug)]
pub struct Checkout<'a> {
    wanted: &'a Wanted,
    encoding: Option<Encoding>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Encoding {
    Utf16 { little: bool, mark: bool },
    Utf32 { little: bool, mark: bool },
    Latin1,
}

/// Counts by which git tells text from other content.
#[derive(Default)]
struct Statistics {
    nul: bool,
    lone_cr: bool,
    crlf: bool,
    lone_lf: bool,
    printable: usize,
    other: usize,
}

impl<'a> Checkout<'a> {
    /// The conversions that the attributes ask for; none if they name an encoding that isn't supported.
    pub fn new(wanted: &'a Wanted) -> Option<Self> {
        let encoding = match &wanted.encoding {
            Some(name) => Some(Encoding::named(name)?),
            None => None,
        };
        Some(Self { wanted, encoding })
    }

    /// Whether a checkout may differ from the blob.
    pub fn converts(&self) -> bool {
        matches!(self.wanted.text, Text::CrLf | Text::AutoCrLf) || self.wanted.ident || self.encoding.is_some()
    }

    /// Whether git takes CRLF for LF when the file is added.
    pub fn unifies_line_ends(&self) -> bool {
        !matches!(self.wanted.text, Text::Unsaid | Text::Binary)
    }

    /// Whether the user's configuration may convert line ends, since the attributes don't say.
    pub fn minds_configuration(&self) -> bool {
        self.wanted.text == Text::Unsaid
    }

    /// What a checkout of the blob holds; none if the blob can't be put into its encoding.
    pub fn write(&self, blob: &[u8], id: ObjectId) -> Option<Vec<u8>> {
        let mut bytes = if self.wanted.ident { fill_in_ident(blob, id) } else { blob.to_vec() };
        let statistics = Statistics::of(&bytes);
        let convert = match self.wanted.text {
            Text::CrLf => statistics.lone_lf,
            Text::AutoCrLf => {
                statistics.lone_lf && !statistics.lone_cr && !statistics.crlf && !statistics.looks_binary()
            }
            _ => false,
        };
        if convert {
            bytes = to_crlf(&bytes);
        }
        match self.encoding {
            // An empty file gets no byte order mark.
            Some(encoding) if !bytes.is_empty() => encoding.write(std::str::from_utf8(&bytes).ok()?),
            _ => Some(bytes),
        }
    }

    /// What a checkout holds where the user's configuration asks for CRLF.
    pub fn write_crlf(&self, blob: &[u8]) -> Vec<u8> {
        to_crlf(blob)
    }

    /// The file with everything undone that a checkout, with or without configuration, may have done to it.
    pub fn undo(&self, file: &[u8], line_ends: bool) -> Vec<u8> {
        let mut bytes = match self.encoding {
            Some(encoding) => encoding.read(file).map_or_else(|| file.to_vec(), String::into_bytes),
            None => file.to_vec(),
        };
        if line_ends {
            bytes = to_lf(&bytes);
        }
        if self.wanted.ident { empty_ident(&bytes) } else { bytes }
    }
}

impl Statistics {
    fn of(bytes: &[u8]) -> Self {
        let mut counts = Self::default();
        let mut rest = bytes.iter().peekable();
        while let Some(&byte) = rest.next() {
            match byte {
                b'\r' if rest.next_if_eq(&&b'\n').is_some() => counts.crlf = true,
                b'\r' => counts.lone_cr = true,
                b'\n' => counts.lone_lf = true,
                0 => {
                    counts.nul = true;
                    counts.other += 1;
                }
                8 | 9 | 12 | 27 => counts.printable += 1,
                0..32 | 127 => counts.other += 1,
                _ => counts.printable += 1,
            }
        }
        // An end-of-file mark of DOS doesn't count.
        if bytes.last() == Some(&26) {
            counts.other -= 1;
        }
        counts
    }

    fn looks_binary(&self) -> bool {
        self.lone_cr || self.nul || (self.printable >> 7) < self.other
    }
}

/// CRLF as LF.
fn to_lf(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    for (at, &byte) in bytes.iter().enumerate() {
        if byte != b'\r' || bytes.get(at + 1) != Some(&b'\n') {
            out.push(byte);
        }
    }
    out
}

/// LF without CR before it as CRLF.
fn to_crlf(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len() + bytes.len() / 16);
    for &byte in bytes {
        if byte == b'\n' && out.last() != Some(&b'\r') {
            out.push(b'\r');
        }
        out.push(byte);
    }
    out
}

fn fill_in_ident(bytes: &[u8], id: ObjectId) -> Vec<u8> {
    replace_ident(bytes, &format!("$Id: {id} $"), false)
}

fn empty_ident(bytes: &[u8]) -> Vec<u8> {
    replace_ident(bytes, "$Id$", true)
}

/// Puts `with` in place of `$Id$` and `$Id: … $`; on the way out one with spaces inside is another system's and stays.
fn replace_ident(bytes: &[u8], with: &str, any_value: bool) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len() + with.len());
    let mut rest = bytes;
    while let Some(at) = rest.iter().position(|&byte| byte == b'$') {
        out.extend_from_slice(&rest[..at]);
        rest = &rest[at..];
        let length = match rest.strip_prefix(b"$Id") {
            Some([b'$', ..]) => Some("$Id$".len()),
            Some([b':', value @ ..]) => value.iter().position(|&byte| byte == b'$').and_then(|end| {
                let value = &value[..end];
                let inner = value.get(1..).unwrap_or_default();
                let foreign = inner.iter().position(|&byte| byte == b' ').is_some_and(|at| at + 1 < inner.len());
                (!value.contains(&b'\n') && (any_value || !foreign)).then_some("$Id:".len() + end + 1)
            }),
            _ => None,
        };
        match length {
            Some(length) => {
                out.extend_from_slice(with.as_bytes());
                rest = &rest[length..];
            }
            None => {
                out.push(b'$');
                rest = &rest[1..];
            }
        }
    }
    out.extend_from_slice(rest);
    out
}

impl Encoding {
    fn named(name: &str) -> Option<Self> {
        Some(match name.to_ascii_uppercase().as_str() {
            "UTF-16" | "UTF16" | "UTF-16LE-BOM" => Self::Utf16 { little: true, mark: true },
            "UTF-16LE" | "UTF16LE" => Self::Utf16 { little: true, mark: false },
            "UTF-16BE" | "UTF16BE" => Self::Utf16 { little: false, mark: false },
            "UTF-16BE-BOM" => Self::Utf16 { little: false, mark: true },
            "UTF-32" | "UTF32" => Self::Utf32 { little: true, mark: true },
            "UTF-32LE" | "UTF32LE" => Self::Utf32 { little: true, mark: false },
            "UTF-32BE" | "UTF32BE" => Self::Utf32 { little: false, mark: false },
            "ISO-8859-1" | "LATIN1" | "LATIN-1" => Self::Latin1,
            _ => return None,
        })
    }

    fn write(self, text: &str) -> Option<Vec<u8>> {
        let marked = |mark: bool| mark.then_some('\u{feff}').into_iter().chain(text.chars());
        Some(match self {
            Self::Utf16 { little, mark } => {
                let text: String = marked(mark).collect();
                let units = text.encode_utf16();
                units.flat_map(|unit| if little { unit.to_le_bytes() } else { unit.to_be_bytes() }).collect()
            }
            Self::Utf32 { little, mark } => {
                let units = marked(mark).map(u32::from);
                units.flat_map(|unit| if little { unit.to_le_bytes() } else { unit.to_be_bytes() }).collect()
            }
            Self::Latin1 => text.chars().map(|c| u8::try_from(u32::from(c)).ok()).collect::<Option<_>>()?,
        })
    }

    fn read(self, bytes: &[u8]) -> Option<String> {
        let text: String = match self {
            Self::Utf16 { little, .. } => {
                let unit = |pair: &[u8]| {
                    let pair = [pair[0], pair[1]];
                    if little { u16::from_le_bytes(pair) } else { u16::from_be_bytes(pair) }
                };
                bytes.len().is_multiple_of(2).then_some(())?;
                char::decode_utf16(bytes.chunks_exact(2).map(unit)).collect::<Result<_, _>>().ok()?
            }
            Self::Utf32 { little, .. } => {
                let unit = |four: &[u8]| {
                    let four = [four[0], four[1], four[2], four[3]];
                    char::from_u32(if little { u32::from_le_bytes(four) } else { u32::from_be_bytes(four) })
                };
                bytes.len().is_multiple_of(4).then_some(())?;
                bytes.chunks_exact(4).map(unit).collect::<Option<_>>()?
            }
            Self::Latin1 => bytes.iter().map(|&byte| char::from(byte)).collect(),
        };
        let marked = matches!(self, Self::Utf16 { mark: true, .. } | Self::Utf32 { mark: true, .. });
        Some(if marked { text.trim_start_matches('\u{feff}').to_owned() } else { text })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: ObjectId = ObjectId::Sha1([0xab; 20]);

    fn write(wanted: Wanted, blob: &[u8]) -> Vec<u8> {
        Checkout::new(&wanted).unwrap().write(blob, ID).unwrap()
    }

    fn text(text: Text) -> Wanted {
        Wanted { text, ..Wanted::default() }
    }

    #[test]
    fn line_ends_are_those_of_a_checkout() {
        for (wanted, blob, want) in [
            (Text::CrLf, &b"a\nb\n"[..], &b"a\r\nb\r\n"[..]),
            (Text::CrLf, b"a\r\nb\n", b"a\r\nb\r\n"),
            (Text::AutoCrLf, b"a\r\nb\n", b"a\r\nb\n"),
            (Text::AutoCrLf, b"a\nb", b"a\r\nb"),
            (Text::AutoCrLf, b"a\0\nb", b"a\0\nb"),
            (Text::Lf, b"a\r\nb\n", b"a\r\nb\n"),
            (Text::AutoLf, b"a\nb\n", b"a\nb\n"),
            (Text::Binary, b"a\nb\n", b"a\nb\n"),
        ] {
            assert_eq!(write(text(wanted), blob), want, "{wanted:?}");
        }
    }

    #[test]
    fn ident_is_filled_in_and_emptied() {
        let wanted = Wanted { ident: true, ..Wanted::default() };
        let id = "abababababababababababababababababababab";
        for (blob, want) in [
            ("x $Id$ y", format!("x $Id: {id} $ y")),
            ("$Id: 12 $", format!("$Id: {id} $")),
            ("$Id: other system $", "$Id: other system $".to_owned()),
            ("$Idx$ $", "$Idx$ $".to_owned()),
            ("$Id: a\nb $", "$Id: a\nb $".to_owned()),
        ] {
            assert_eq!(write(wanted.clone(), blob.as_bytes()), want.as_bytes(), "{blob}");
        }
        let filled = write(wanted.clone(), b"a $Id$ b");
        assert_eq!(Checkout::new(&wanted).unwrap().undo(&filled, false), b"a $Id$ b");
    }

    #[test]
    fn encodings_are_written_and_undone() {
        for (name, want) in [
            ("UTF-16LE", &b"\xe9\x00\n\x00"[..]),
            ("utf-16be", b"\x00\xe9\x00\n"),
            ("UTF-16", b"\xff\xfe\xe9\x00\n\x00"),
            ("UTF-16BE-BOM", b"\xfe\xff\x00\xe9\x00\n"),
            ("UTF-32LE", b"\xe9\0\0\0\n\0\0\0"),
            ("ISO-8859-1", b"\xe9\n"),
        ] {
            let wanted = Wanted { encoding: Some(name.to_owned()), ..Wanted::default() };
            let checkout = Checkout::new(&wanted).unwrap();
            let written = checkout.write("\u{e9}\n".as_bytes(), ID).unwrap();
            assert_eq!(written, want, "{name}");
            assert_eq!(checkout.undo(&written, false), "\u{e9}\n".as_bytes(), "{name}");
        }
        let marked = Wanted { encoding: Some("UTF-16".to_owned()), ..Wanted::default() };
        assert_eq!(write(marked, b""), b"");
        let unknown = Wanted { encoding: Some("SHIFT-JIS".to_owned()), ..Wanted::default() };
        assert!(Checkout::new(&unknown).is_none());
    }
}
