//! Bundles in PEM form: blocks of base64 between lines of text.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::Store;

const BEGIN: &str = "-----BEGIN ";
const END: &str = "-----END ";
const DASHES: &str = "-----";

/// Reads a bundle; none if there is no certificate in it.
pub(super) fn read(content: &[u8]) -> Option<Store> {
    let text = std::str::from_utf8(content).ok()?;
    let mut store = Store::default();
    let mut lines = text.lines().map(str::trim_end);
    let mut has_certificate = false;
    while let Some(line) = lines.next() {
        let Some(label) = line.strip_prefix(BEGIN).and_then(|rest| rest.strip_suffix(DASHES)) else {
            store.other.push(line.as_bytes().to_vec());
            continue;
        };
        let mut block = String::new();
        loop {
            let line = lines.next()?;
            match line.strip_prefix(END) {
                Some(end) if end.strip_suffix(DASHES) == Some(label) => break,
                Some(_) => return None,
                None => block.push_str(line),
            }
        }
        if label.contains("PRIVATE KEY") {
            store.keys.push(block.into_bytes());
            continue;
        }
        has_certificate |= label.ends_with("CERTIFICATE");
        store.add(label.as_bytes(), &STANDARD.decode(block).ok()?);
    }
    // Lines between the blocks are names and comments, which may move with them.
    store.other.retain(|line| !line.is_empty());
    store.other.sort_unstable();
    has_certificate.then_some(store)
}
