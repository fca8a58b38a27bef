//! PDF: dates and identifiers in plain objects.

use super::super::pair::{Found, Pair};
use super::super::text::{Also, Piece, pieces};

const MAGIC: &[u8] = b"%PDF-";
/// Before an identifier in hexadecimal digits: in the trailer, in XMP.
const IDENTIFIERS: &[&[u8]] = &[b"/ID [<", b"/ID[<", b"> <", b"><", b"uuid:", b"xmp.iid:", b"xmp.did:"];
const STREAM: &[u8] = b"stream";

/// C087 where only dates and identifiers differ; compressed objects must be equal.
pub(super) fn look(pair: &Pair<'_>) -> Option<Found> {
    if !pair.start_with(MAGIC) || pair.first.len() != pair.second.len() {
        return None;
    }
    let [first, second] = pair.both().map(without_identifiers);
    let (one, other) = (pieces(&first, Also::default()), pieces(&second, Also::default()));
    // A date inside compressed bytes would be chance.
    let is_binary = |pieces: &[Piece<'_>]| {
        pieces.windows(2).any(|pair| match pair {
            [Piece::Text(text), Piece::Date(_)] => {
                let start = text.windows(STREAM.len()).rposition(|part| part == STREAM).unwrap_or(0);
                text[start..].iter().any(|byte| *byte >= 0x80)
            }
            _ => false,
        })
    };
    (one == other && !is_binary(&one)).then(|| Found::proven("C087"))
}

/// The content with the digits of identifiers replaced.
fn without_identifiers(content: &[u8]) -> Vec<u8> {
    let mut out = content.to_vec();
    for mark in IDENTIFIERS {
        let starts =
            content.windows(mark.len()).enumerate().filter(|(_, part)| part == mark).map(|(at, _)| at + mark.len());
        for start in starts {
            let is_digit = |byte: &&u8| byte.is_ascii_hexdigit() || **byte == b'-';
            let length = content[start..].iter().take_while(is_digit).count();
            if matches!(length, 32 | 36) {
                out[start..start + length].fill(b'0');
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use crate::explain::look::told;

    #[test]
    fn dates_and_identifiers_are_benign_and_text_is_not() {
        let document = |day: &str, id: &str, text: &str| {
            let id = id.repeat(32);
            format!(
                "%PDF-1.4\n1 0 obj\n<</CreationDate (D:202311{day}221320+00'00')>>\n({text}) Tj\n/ID [<{id}> <{id}>]\n%%EOF\n"
            )
        };
        let base = document("14", "a", "text");
        for (other, want) in [
            (document("15", "a", "text"), "C087 Proven"),
            (document("15", "b", "text"), "C087 Proven"),
            (document("15", "b", "taxt"), "C120 Possible"),
        ] {
            assert_eq!(told("usr/x.pdf", base.as_bytes(), other.as_bytes()), want);
        }
    }
}
