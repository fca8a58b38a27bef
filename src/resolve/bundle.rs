//! Commits as bundles of git, whose bytes follow from the commit alone, and back (`docs/formats.md`, "Commit bundle").
//!
//! git's own bundles depend on its version, its configuration and on what else the repository holds. Ours have each object
//! whole, in the order of their ids, compressed as image form 1 is.

use std::io::{self, BufReader, Read, Write};
use std::path::Path;

use sha1::{Digest as _, Sha1};
use sha2::Sha256;

use super::git::failed;
use super::{Reason, ResolveError, Resolver};
use crate::digest::Digest;
use crate::git::{ObjectFormat, ObjectId, ObjectKind, Objects};
use crate::http::HttpError;
use crate::layer::gzip::Encoder;
use crate::store::{StoreError, TemporaryDirectory};

/// What the deflate stream of a gzip member stands between: its header and its trailer.
const GZIP_FRAME: (usize, usize) = (10, 8);
/// Deflate with a window of 32 KiB, at the default level.
const ZLIB_HEADER: [u8; 2] = [0x78, 0x9c];
/// A line of a bundle's header.
const LINE: u64 = 256;

impl Resolver {
    /// Fetches a locked commit and keeps it in the cache as a bundle; gives the bundle's digest and size.
    pub fn bundle(&self, request: &str, commit: &str) -> Result<(Digest, u64), ResolveError> {
        let bundle = || -> Result<(Digest, u64), Reason> {
            if let Some(digest) = self.bundles.get(commit)
                && self.cache.check(digest)?
                && let Some(size) = self.cache.path(digest).and_then(|path| path.metadata().ok())
            {
                return Ok((*digest, size.len()));
            }
            let source = self.git_source(request)?;
            let local = |error: io::Error| HttpError::Local(error.into());
            let directory = TemporaryDirectory::anywhere().map_err(local)?;
            self.init(directory.path(), commit)?;
            let fetch = |remote: &str, transport| self.fetch_commit(directory.path(), remote, transport, commit);
            self.with_remotes(&source, fetch)?;
            let id = ObjectId::from_hex(commit.as_bytes()).ok_or_else(|| Reason::NoCommit(commit.to_owned()))?;
            let objects = Objects::new(directory.path().join("objects"), directory.path().to_owned());
            let mut writer = self.cache.writer()?;
            write(&objects, id, &mut writer, &|| self.check_cancelled())?;
            Ok(writer.commit(None)?)
        };
        bundle().map_err(|reason| ResolveError::new(request, reason))
    }

    /// The file of the bundle that holds a commit, checked; none if there is none.
    pub fn bundle_of(&self, request: &str, commit: &str) -> Result<Option<Digest>, ResolveError> {
        let Some(digest) = self.bundles.get(commit) else { return Ok(None) };
        match self.cache.check(digest) {
            Ok(found) => Ok(found.then_some(*digest)),
            Err(error) => Err(ResolveError::new(request, error.into())),
        }
    }

    /// Puts what a bundle holds into an empty bare repository.
    pub(super) fn unbundle(&self, digest: Digest, commit: &str, repository: &Path) -> Result<(), Reason> {
        let local = |error: io::Error| HttpError::Local(error.into());
        let damaged = |reason: &str| Reason::Bundle { bundle: digest, reason: reason.to_owned() };
        let reader = self.cache.open(&digest)?.ok_or_else(|| damaged("it is not there"))?;
        let mut reader = BufReader::new(reader);
        let found = read_header(&mut reader).map_err(|error| damaged(&error.to_string()))?;
        if found != commit {
            return Err(damaged("it holds another commit"));
        }
        let pack = repository.join("objects").join("pack").join("pack-bundle.pack");
        std::fs::create_dir_all(pack.parent().unwrap_or(repository)).map_err(local)?;
        let mut file = std::fs::File::create_new(&pack).map_err(local)?;
        io::copy(&mut reader, &mut file).map_err(|error| damaged(&error.to_string()))?;
        drop(file);
        // The commits before it are not there.
        std::fs::write(repository.join("shallow"), format!("{commit}\n")).map_err(local)?;
        let git = self.local_git()?;
        let indexed =
            self.run(&git.local_command(repository, repository).args(["index-pack".into(), pack.into_os_string()]))?;
        if !indexed.succeeded() {
            return Err(failed("index-pack", &indexed));
        }
        let whole = ["fsck", "--connectivity-only", "--no-dangling", "--no-reflogs", commit];
        let checked = self.run(&git.local_command(repository, repository).args(whole))?;
        if checked.succeeded() { Ok(()) } else { Err(Reason::NoCommit(commit.to_owned())) }
    }
}

/// Reads a bundle's header up to its pack; gives the one commit that it names.
///
/// # Errors
/// A bundle of another form than ours.
pub fn read_header(reader: &mut impl io::BufRead) -> io::Result<String> {
    let wrong = || io::Error::new(io::ErrorKind::InvalidData, "it is no bundle of one commit");
    let mut line = || -> io::Result<String> {
        let mut line = String::new();
        io::BufRead::read_line(&mut reader.by_ref().take(LINE), &mut line)?;
        line.pop().filter(|end| *end == '\n').ok_or_else(wrong)?;
        Ok(line)
    };
    let mut head = line()?;
    if head == "# v3 git bundle" && line()? == "@object-format=sha256" {
        head.clear();
    } else if head != "# v2 git bundle" {
        return Err(wrong());
    }
    let commit = line()?.strip_suffix(" HEAD").map(str::to_owned).ok_or_else(wrong)?;
    let length = if head.is_empty() { 64 } else { 40 };
    if line()?.is_empty() && commit.len() == length && ObjectId::from_hex(commit.as_bytes()).is_some() {
        return Ok(commit);
    }
    Err(wrong())
}

/// Writes the bundle of a commit.
fn write(
    objects: &Objects,
    commit: ObjectId,
    writer: &mut impl Write,
    go_on: &dyn Fn() -> Result<(), Reason>,
) -> Result<(), Reason> {
    let failed = |error: io::Error| StoreError::File { action: "write", path: "bundle".into(), error };
    let snapshot = objects.snapshot(commit)?;
    let format = commit.format();
    let head = match format {
        ObjectFormat::Sha1 => "# v2 git bundle\n",
        ObjectFormat::Sha256 => "# v3 git bundle\n@object-format=sha256\n",
    };
    writer.write_all(format!("{head}{commit} HEAD\n\n").as_bytes()).map_err(failed)?;
    let mut pack = Pack::new(writer, format);
    let count = u32::try_from(snapshot.len())
        .map_err(|_| Reason::Selection("a commit with more than 4,294,967,295 objects".to_owned()))?;
    pack.write(b"PACK\0\0\0\x02").and_then(|()| pack.write(&count.to_be_bytes())).map_err(failed)?;
    for id in snapshot {
        go_on()?;
        let (kind, bytes) = objects.read(id)?;
        pack.object(kind, &bytes).map_err(failed)?;
    }
    pack.finish().map_err(failed)?;
    Ok(())
}

/// A pack on its way, with the sum that ends it.
struct Pack<'a, W> {
    writer: &'a mut W,
    sum: Sum,
}

enum Sum {
    Sha1(Sha1),
    Sha256(Sha256),
}

impl<'a, W: Write> Pack<'a, W> {
    fn new(writer: &'a mut W, format: ObjectFormat) -> Self {
        let sum = match format {
            ObjectFormat::Sha1 => Sum::Sha1(Sha1::new()),
            ObjectFormat::Sha256 => Sum::Sha256(Sha256::new()),
        };
        Self { writer, sum }
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        match &mut self.sum {
            Sum::Sha1(sum) => sum.update(bytes),
            Sum::Sha256(sum) => sum.update(bytes),
        }
        self.writer.write_all(bytes)
    }

    /// An object: its kind and size in groups of bits, the lowest first, then its bytes as a zlib stream.
    fn object(&mut self, kind: ObjectKind, bytes: &[u8]) -> io::Result<()> {
        let kind = match kind {
            ObjectKind::Commit => 1,
            ObjectKind::Tree => 2,
            ObjectKind::Blob => 3,
            ObjectKind::Tag => 4,
        };
        let mut size = bytes.len() as u64;
        let mut byte = kind << 4 | low(size, 0x0f);
        size >>= 4;
        let mut head = Vec::new();
        while size > 0 {
            head.push(byte | 0x80);
            byte = low(size, 0x7f);
            size >>= 7;
        }
        head.push(byte);
        self.write(&head)?;
        let mut encoder = Encoder::new(Vec::new());
        encoder.write_all(bytes)?;
        let member = encoder.finish()?;
        self.write(&ZLIB_HEADER)?;
        self.write(&member[GZIP_FRAME.0..member.len() - GZIP_FRAME.1])?;
        self.write(&adler32(bytes).to_be_bytes())
    }

    fn finish(self) -> io::Result<()> {
        let sum = match self.sum {
            Sum::Sha1(sum) => sum.finalize().to_vec(),
            Sum::Sha256(sum) => sum.finalize().to_vec(),
        };
        self.writer.write_all(&sum)
    }
}

/// The lowest bits of a number.
fn low(number: u64, mask: u8) -> u8 {
    // What the mask leaves fits.
    (number & u64::from(mask)) as u8
}

/// The checksum of a zlib stream (RFC 1950, section 8).
fn adler32(bytes: &[u8]) -> u32 {
    const MODULUS: u32 = 65_521;
    /// So many additions stay below 2^32.
    const AT_ONCE: usize = 5552;
    let (mut low, mut high) = (1_u32, 0_u32);
    for piece in bytes.chunks(AT_ONCE) {
        for byte in piece {
            low += u32::from(*byte);
            high += low;
        }
        (low, high) = (low % MODULUS, high % MODULUS);
    }
    high << 16 | low
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    fn git(directory: &Path, arguments: &[&str]) -> String {
        let fixed = ["Handbook", "authors@git.example", "1600000000 +0000"];
        let mut command = Command::new("git");
        command.args(arguments).current_dir(directory).env("GIT_CONFIG_GLOBAL", "/dev/null");
        for who in ["AUTHOR", "COMMITTER"] {
            for (what, value) in ["NAME", "EMAIL", "DATE"].iter().zip(fixed) {
                command.env(format!("GIT_{who}_{what}"), value);
            }
        }
        let output = command.output().unwrap();
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    fn bundle(directory: &Path, commit: &str) -> Vec<u8> {
        let objects = Objects::new(directory.join(".git/objects"), directory.to_owned());
        let mut bytes = Vec::new();
        write(&objects, ObjectId::from_hex(commit.as_bytes()).unwrap(), &mut bytes, &|| Ok(())).unwrap();
        bytes
    }

    #[test]
    fn a_bundle_is_the_same_from_any_repository_and_git_takes_it_apart() {
        for format in ["sha1", "sha256"] {
            let directory = tempfile::tempdir().unwrap();
            let path = directory.path();
            git(path, &["init", "-q", "-b", "main", &format!("--object-format={format}")]);
            std::fs::create_dir(path.join("chapters")).unwrap();
            for number in 0..3 {
                std::fs::write(path.join("chapters/one"), "line\n".repeat(1000 + number)).unwrap();
                std::fs::write(path.join("empty"), "").unwrap();
                git(path, &["add", "-A"]);
                git(path, &["commit", "-q", "-m", "a commit"]);
            }
            let commit = git(path, &["rev-parse", "HEAD~1"]);
            let loose = bundle(path, &commit);
            git(path, &["gc", "-q", "--aggressive"]);
            assert!(bundle(path, &commit) == loose, "{format}");
            assert_eq!(read_header(&mut loose.as_slice()).unwrap(), commit);

            let other = tempfile::tempdir().unwrap();
            git(other.path(), &["init", "-q", &format!("--object-format={format}")]);
            let file = other.path().join("bundle");
            std::fs::write(&file, &loose).unwrap();
            std::fs::write(other.path().join(".git/shallow"), format!("{commit}\n")).unwrap();
            git(other.path(), &["bundle", "unbundle", "bundle"]);
            git(other.path(), &["fsck", "--strict", &commit]);
            git(other.path(), &["checkout", "-q", &commit]);
            assert_eq!(std::fs::read(other.path().join("chapters/one")).unwrap().len(), 5005);
        }
    }

    #[test]
    fn the_examples_commit_gives_the_bundle_of_the_formats_page() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path();
        let upstream = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/remote-files/upstream/git/handbook");
        git(path, &["init", "-q", "-b", "main", "--object-format=sha1"]);
        let tree = format!("--work-tree={upstream}");
        git(path, &[&tree, "-c", "core.autocrlf=false", "add", "--all", "--", upstream]);
        git(path, &["commit", "-q", "-m", "The first chapter"]);
        let commit = git(path, &["rev-parse", "HEAD"]);
        let bytes = bundle(path, &commit);
        let page = include_str!("../../docs/formats.md");
        for text in [format!("`{commit}`"), format!("{} bytes", bytes.len()), Digest::of(&bytes).to_string()] {
            assert!(page.contains(&text), "{text}");
        }
    }

    #[test]
    fn what_is_no_bundle_of_one_commit_is_refused() {
        let (one, two) = ("1".repeat(40), "2".repeat(64));
        for (text, is_ours) in [
            (format!("# v2 git bundle\n{one} HEAD\n\nPACK"), true),
            (format!("# v3 git bundle\n@object-format=sha256\n{two} HEAD\n\nPACK"), true),
            (format!("# v2 git bundle\n{two} HEAD\n\nPACK"), false),
            (format!("# v2 git bundle\n-{one} before\n{one} HEAD\n\nPACK"), false),
            (format!("# v2 git bundle\n{one} HEAD\n{one} other\n\nPACK"), false),
            (format!("# v2 git bundle\n{one} HEAD"), false),
            ("x".repeat(100_000), false),
            (String::new(), false),
        ] {
            assert_eq!(read_header(&mut text.as_bytes()).is_ok(), is_ours, "{text:.100}");
        }
    }

    #[test]
    fn the_checksum_is_that_of_zlib() {
        assert_eq!(adler32(b""), 1);
        assert_eq!(adler32(b"Wikipedia"), 0x11e6_0398);
        assert_eq!(adler32(&[0xff; 100_000]), 0x149a_302c);
    }
}
