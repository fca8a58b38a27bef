//! The names of users and groups, as the machine's own files give them.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use super::text::Text;

/// Bytes of a file of names that are read.
const MOST: u64 = 16 << 20;

/// The name that a file of lines `NAME:PASSWORD:NUMBER:…` gives to a number; empty where it gives none.
pub fn of_number(file: &Path, number: u32) -> Text {
    let mut content = Vec::new();
    // Without the file nobody has a name.
    let _ = File::open(file).and_then(|file| file.take(MOST).read_to_end(&mut content));
    let digits = number.to_string();
    let name = content.split(|byte| *byte == b'\n').find_map(|line| {
        let mut fields = line.split(|byte| *byte == b':');
        let (name, found) = (fields.next()?, fields.nth(1)?);
        (!name.is_empty() && found == digits.as_bytes()).then_some(name)
    });
    Text::from_bytes(name.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_name_of_a_number_counts() {
        let directory = tempfile::tempdir().expect("a directory");
        let file = directory.path().join("passwd");
        std::fs::write(&file, "root:x:0:0::/root:/bin/sh\ntoor:x:0:0\n# 7\nn:x:70:7\nbroken").expect("a file");
        for (number, want) in [(0, "root"), (70, "n"), (7, "")] {
            assert_eq!(of_number(&file, number), Text::from(want), "{number}");
        }
        assert_eq!(of_number(Path::new("/nonexistent"), 0), Text::default());
    }
}
