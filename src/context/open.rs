//! Opening below a directory without following any link.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

use rustix::fs::{Mode, OFlags, openat};

const DIRECTORY: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

/// Opens a context's root; this alone may be reached through links.
pub(super) fn open_root(path: &Path) -> io::Result<OwnedFd> {
    Ok(rustix::fs::open(path, OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?)
}

/// Opens the directory `path` (empty: the root itself) below `root`; a link anywhere on the way is an error.
pub(super) fn open_directory(root: impl AsFd, path: &[u8]) -> io::Result<OwnedFd> {
    if path.is_empty() { Ok(openat(root, ".", DIRECTORY, Mode::empty())?) } else { open_below(root, path, DIRECTORY) }
}

/// Opens the file `path` below `root` for reading, never through a link; does not wait for a fifo's other end.
pub(super) fn open_file(root: impl AsFd, path: &[u8]) -> io::Result<File> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    open_below(root, path, flags).map(File::from)
}

/// Opens a regular file by its place on disk once more; the last name is no link.
pub(super) fn open_again(path: &Path) -> io::Result<File> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = File::from(rustix::fs::open(path, flags, Mode::empty())?);
    if file.metadata()?.is_file() { Ok(file) } else { Err(io::ErrorKind::InvalidInput.into()) }
}

fn open_below(root: impl AsFd, path: &[u8], flags: OFlags) -> io::Result<OwnedFd> {
    #[cfg(target_os = "linux")]
    {
        use rustix::fs::{ResolveFlags, openat2};
        use rustix::io::Errno;
        let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
        match openat2(&root, path, flags, Mode::empty(), resolve) {
            // Old kernels and some sandboxes don't know the call.
            Err(Errno::NOSYS | Errno::PERM) => {}
            result => return Ok(result?),
        }
    }
    let (directories, name) = split(path);
    let mut directory = openat(root, ".", DIRECTORY, Mode::empty())?;
    for part in directories.split(|&byte| byte == b'/').filter(|part| !part.is_empty()) {
        directory = openat(&directory, part, DIRECTORY, Mode::empty())?;
    }
    Ok(openat(&directory, name, flags, Mode::empty())?)
}

/// A path's directory and last name.
pub(super) fn split(path: &[u8]) -> (&[u8], &[u8]) {
    match path.iter().rposition(|&byte| byte == b'/') {
        Some(at) => (&path[..at], &path[at + 1..]),
        None => (b"", path),
    }
}

/// A directory's path and a name in it as one path.
pub(super) fn join(directory: &[u8], name: &[u8]) -> Vec<u8> {
    if directory.is_empty() { name.to_vec() } else { [directory, b"/", name].concat() }
}
