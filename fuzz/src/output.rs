//! What the fuzz target does with what BuildKit writes: the archive of an image, the log of a client, a build's record.

use std::io::Write;

use repro::parts::engine::buildkit::{read_archive, read_log, read_record};

/// The first byte says what the rest is.
pub fn buildkit(data: &[u8]) {
    let limits = super::limits();
    let Some((&kind, rest)) = data.split_first() else { return };
    let texts = match kind {
        b'a' => {
            let mut file = tempfile::NamedTempFile::new().expect("a temporary file");
            file.write_all(rest).expect("a temporary file");
            read_archive(file.path(), &limits).err().into_iter().collect()
        }
        b'l' => match std::str::from_utf8(rest) {
            Ok(log) => read_log(log),
            Err(_) => return,
        },
        _ => {
            let at = rest.iter().position(|byte| *byte == 0).unwrap_or(rest.len());
            let (history, provenance) = rest.split_at(at);
            read_record(history, provenance.get(1..).unwrap_or_default(), &limits).err().into_iter().collect()
        }
    };
    for text in texts {
        assert!(!text.chars().any(|c| c != '\n' && repro::parts::escape::is_dangerous(c)), "{text:?}");
    }
}
