//! Opening files that others named or wrote, whatever stands in their place.

use std::fs::File;
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use rustix::fs::OFlags;

/// Opens a regular file for reading, links followed; a fifo is refused at once, not waited for.
///
/// # Errors
/// What the file system says, or that it is not a regular file.
pub fn open_regular(path: &Path) -> io::Result<File> {
    // The kind can be told only of what is open, and opening a fifo waits for its other end unless told not to.
    let file = File::options().read(true).custom_flags(OFlags::NONBLOCK.bits().cast_signed()).open(path)?;
    if file.metadata()?.is_file() { Ok(file) } else { Err(io::Error::other("it is not a regular file")) }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    #[test]
    fn only_a_regular_file_is_opened_and_nothing_is_waited_for() {
        let directory = tempfile::tempdir().unwrap();
        let path = |name: &str| directory.path().join(name);
        std::fs::write(path("file"), "text").unwrap();
        std::os::unix::fs::symlink("file", path("link")).unwrap();
        for name in ["file", "link"] {
            let mut text = String::new();
            open_regular(&path(name)).unwrap().read_to_string(&mut text).unwrap();
            assert_eq!(text, "text");
        }
        rustix::fs::mknodat(rustix::fs::CWD, path("fifo"), rustix::fs::FileType::Fifo, 0o600.into(), 0).unwrap();
        std::os::unix::fs::symlink("fifo", path("link to the fifo")).unwrap();
        for other in [path("fifo"), path("link to the fifo"), path("."), "/dev/zero".into()] {
            assert_eq!(open_regular(&other).unwrap_err().to_string(), "it is not a regular file", "{other:?}");
        }
    }
}
