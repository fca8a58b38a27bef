//! The context digest, version 1 (`docs/formats.md`).

use std::io::Write;

use super::{EntryKind, Tree};
use crate::digest::{Digest, Hasher, Hashing};

impl Tree {
    /// The context digest: equal for equal trees on every machine, independent of git's own hashes.
    pub fn digest(&self) -> Digest {
        let mut out = Hashing::new(std::io::sink());
        self.describe(&mut out);
        let (_, hasher) = out.into_parts();
        hasher.digest()
    }

    /// Writes the text whose sha256 is the context digest; `out` takes all bytes.
    pub(crate) fn describe(&self, out: &mut impl Write) {
        // Neither a hasher over a sink nor a vector fails to take bytes.
        let _ = out.write_all(b"repro context 1\n");
        for entry in &self.entries {
            let path = escape(&entry.path);
            let _ = match &entry.kind {
                EntryKind::File { executable, size, digest, .. } => {
                    let mode = if *executable { "0755" } else { "0644" };
                    writeln!(out, "f {mode} {size} {} {path}", digest.hex())
                }
                EntryKind::Symlink(target) => {
                    let mut hasher = Hasher::default();
                    hasher.update(target);
                    writeln!(out, "l {} {path}", hasher.digest().hex())
                }
                EntryKind::Directory => writeln!(out, "d {path}"),
                EntryKind::HardLink(first) => writeln!(out, "h {} {path}", escape(first).replace(' ', "\\x20")),
            };
        }
    }
}

/// A path in the digest's text: `\`, control characters of ASCII and bytes that are not UTF-8 are `\xNN`.
///
/// In the first path of an `h` line a space is `\x20` too, so that the line's two paths stay apart.
fn escape(path: &[u8]) -> String {
    let mut out = String::with_capacity(path.len());
    let push = |out: &mut String, byte: u8| out.push_str(&format!("\\x{byte:02x}"));
    for chunk in path.utf8_chunks() {
        for c in chunk.valid().chars() {
            match c {
                '\\' | '\0'..='\x1f' | '\x7f' => push(&mut out, c as u8),
                c => out.push(c),
            }
        }
        chunk.invalid().iter().for_each(|&byte| push(&mut out, byte));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::context::{Content, Entry};

    #[test]
    fn the_text_is_the_documented_one() {
        let digest = Digest::of(b"hello\n");
        let file = |executable| EntryKind::File { executable, size: 6, digest, content: Content::Bytes([].into()) };
        let entry = |path: &[u8], kind| Entry { path: path.to_vec(), kind };
        let tree = Tree {
            entries: vec![
                entry(b"a b", file(false)),
                entry(b"d\xff\x7f", EntryKind::Directory),
                entry(b"e\\\n\xc3\xa9", file(true)),
                entry(b"f", EntryKind::Symlink(b"a b".to_vec())),
                entry(b"g h", EntryKind::HardLink(b"a b".to_vec())),
            ],
            ..Tree::default()
        };
        let hello = "5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03";
        let a_b = "c8687a08aa5d6ed2044328fa6a697ab8e96dc34291e8c2034ae8c38e6fcc6d65";
        let want = format!(
            "repro context 1\nf 0644 6 {hello} a b\nd d\\xff\\x7f\nf 0755 6 {hello} e\\x5c\\x0a\u{e9}\nl {a_b} f\nh a\\x20b g h\n"
        );
        assert_eq!(tree.description(), want);
        assert_eq!(tree.digest(), Digest::of(want.as_bytes()));
    }

    #[test]
    fn an_empty_tree_has_a_digest_too() {
        let want = "sha256:f3c18c2fdc38da919c5a3b548cb5d5735a9dd74297a5f7212184515c04484b41";
        assert_eq!(Tree::default().digest().to_string(), want);
    }
}
