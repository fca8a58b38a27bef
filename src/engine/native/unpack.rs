//! ADD of a local archive: unpacked the way BuildKit does, into memory.

use std::io::{self, Read};
use std::path::PathBuf;
use std::sync::Arc;

use super::base_tree::{check_attributes, put_entry, time_of};
use super::capability;
use super::content::Content;
use super::filesystem::{Kind, Owner};
use super::mount::Mount;
use super::path;
use super::problem::Problem;
use super::spool::Spool;
use crate::bounds::Bounds;
use crate::escape;
use crate::layer::decompress::{Compression, Decompressor};
use crate::layer::tar::{self, Member, Reader};
use crate::limits::Limits;

/// What a stream's first bytes say about its compression.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Packing {
    Plain(Compression),
    Bzip2,
    Xz,
}

impl Packing {
    fn of(content: &Content) -> Result<Self, Problem> {
        Ok(Self::of_magic(&start_of(content, 10)?))
    }

    fn of_magic(start: &[u8]) -> Self {
        if start.starts_with(b"BZh") {
            Self::Bzip2
        } else if start.starts_with(b"\xfd7zXZ\0") {
            Self::Xz
        } else if start.starts_with(&[0x1f, 0x8b]) && !start.starts_with(&[0x1f, 0x8b, 8]) {
            Self::Plain(Compression::None)
        } else {
            Self::Plain(Compression::of_magic(start))
        }
    }

    fn unpack(self, packed: Box<dyn Read + Send>, limits: &Limits) -> io::Result<Box<dyn Read + Send>> {
        Ok(match self {
            Self::Plain(Compression::None) => packed,
            Self::Plain(compression) => Box::new(Decompressor::new(compression, packed, limits)?),
            Self::Bzip2 => Box::new(bzip2::read::MultiBzDecoder::new(packed)),
            Self::Xz => Box::new(lzma_rust2::XzReader::new(packed, true)),
        })
    }
}

/// An archive among the sources of ADD.
pub(super) struct Archive {
    stream: Arc<Spool>,
}

impl Archive {
    /// Whether a file is an archive: recognised by its first header, whatever its name.
    pub(super) fn is_one(content: &Content, limits: &Limits) -> Result<bool, Problem> {
        let packing = Packing::of(content)?;
        let first = content.open().and_then(|packed| {
            let mut block = Vec::new();
            packing.unpack(packed, limits)?.take(512).read_to_end(&mut block)?;
            Ok(block)
        });
        // What can't be unpacked is a file like any other.
        let Some(block) = first.ok().filter(|block| is_header(block)) else { return Ok(false) };
        let first_flag = block.get(156).copied();
        // Nor is it one if what belongs to the first header is cut off.
        let stream = content.open().and_then(|packed| packing.unpack(packed, limits));
        let is_extended = first_flag.is_some_and(|flag| b"xLK".contains(&flag));
        let is_cut_off = |stream| match Reader::of_local_archive(stream, limits).next() {
            Ok(None) => is_extended,
            Ok(Some(_)) => false,
            Err(error) => is_cut(&error),
        };
        Ok(!stream.is_ok_and(is_cut_off))
    }

    /// The archive in a file, which is spooled to `place` if it has to be looked into twice.
    pub(super) fn new(content: &Content, place: PathBuf, limits: &Limits) -> Result<Self, Problem> {
        let packing = Packing::of(content)?;
        let (content, limits) = (content.clone(), limits.clone());
        let most = limits.layer_bytes;
        let stream =
            Spool::of_members(place, move || Ok(Box::new(packing.unpack(content.open()?, &limits)?.take(most))));
        Ok(Self { stream })
    }

    /// Unpacks into the directory `destination`, which is made if need be.
    pub(super) fn unpack(
        &self,
        mount: &mut Mount<'_>,
        destination: &[u8],
        owner: Option<Owner>,
        bounds: Bounds<'_>,
    ) -> Result<(), Problem> {
        let destination = mount.files.root_path(mount.tree, &path::clean(destination))?;
        mount.make_directories(&destination, 0o755, owner, None)?;
        let mut inside = mount.inside(&destination)?;
        let stream = self.stream.stream().map_err(|error| Problem::Failed(error.to_string()))?;
        let mut reader = Reader::of_local_archive(stream, bounds.limits);
        let mut directories = Vec::new();
        loop {
            bounds.cancel.check()?;
            let member = match reader.next() {
                Ok(Some(member)) => member,
                Ok(None) => break,
                Err(error) => return Err(refusal(&error)),
            };
            self.member(&mut inside, &member, owner)?;
            let is_skipped = member.key.is_empty() && !is_root(&member);
            if member.entry.kind == tar::Kind::Directory && !is_skipped {
                directories.push((path::join(b"/", &member.key), time_of(&member)));
            }
        }
        for (path, mtime) in directories {
            let path = inside.files.root_path(inside.tree, &path)?;
            let id = inside.own(&path)?;
            inside.files.get_mut(id).mtime = mtime;
        }
        Ok(())
    }

    fn member(&self, mount: &mut Mount<'_>, member: &Member, owner: Option<Owner>) -> Result<(), Problem> {
        if member.key.is_empty() {
            if is_root(member) {
                let root = mount.files.get_mut(mount.tree.root);
                let owner = owner.unwrap_or(Owner::of_entry(&member.entry));
                root.owner = owner.instead_of(root.owner);
                root.mode = member.entry.mode;
            }
            return Ok(());
        }
        if let tar::Kind::CharacterDevice { major: 0, minor: 0 } = member.entry.kind {
            let name = escape::name(&member.entry.path);
            return Err(Problem::Unproven(format!("operation not permitted: the device {name} would be a whiteout")));
        }
        let target = path::join(b"/", &member.key);
        make_implied(mount, &path::parent(&target))?;
        let (directory, name) = path::split(&target);
        let target = path::join(&mount.files.root_path(mount.tree, directory)?, name);
        let is_directory = member.entry.kind == tar::Kind::Directory;
        let is_hard_link = matches!(member.entry.kind, tar::Kind::HardLink { .. });
        if let Some(there) = mount.lstat(&target)?
            && !(is_directory && mount.files.get(there).is_directory())
        {
            mount.remove(&target)?;
        }
        check_attributes(member)?;
        let capability = capability::of_member(member, &target)?;
        put_entry(mount, member, &target, &self.stream)?;
        let inode = mount.change(&target)?;
        if is_hard_link && matches!(inode.kind, Kind::CharacterDevice { .. } | Kind::BlockDevice { .. }) {
            let name = escape::name(&member.entry.path);
            return Err(Problem::Unproven(format!("the hard link {name} to a device in an archive")));
        }
        let owner = owner.unwrap_or(Owner::of_entry(&member.entry));
        inode.owner = owner.instead_of(inode.owner);
        if !matches!(inode.kind, Kind::Symlink(_)) {
            inode.mode = member.entry.mode;
        }
        // A link's own time is set where the link is made.
        if !(is_hard_link && matches!(inode.kind, Kind::Symlink(_))) {
            inode.mtime = time_of(member);
        }
        // A change of owner takes the capability away from whatever is no directory.
        inode.capability = capability.or_else(|| inode.capability.take().filter(|_| is_directory));
        Ok(())
    }
}

/// Whether an entry without a name has its say about the destination: `/` and `..` do, `.` is passed over.
fn is_root(member: &Member) -> bool {
    path::clean(&member.entry.path) != b"."
}

/// Makes the directories that the archive doesn't mention: 0755 and root's.
fn make_implied(mount: &mut Mount<'_>, path: &[u8]) -> Result<(), Problem> {
    // A link counts as there, wherever it leads.
    if mount.lstat(path)?.is_some() {
        return Ok(());
    }
    mount.make_directories(path, 0o755, Some(Owner::default()), None).map(|_| ())
}

fn start_of(content: &Content, length: u64) -> Result<Vec<u8>, Problem> {
    let mut start = Vec::new();
    let read = content.open().and_then(|reader| reader.take(length).read_to_end(&mut start));
    read.map_err(|source| Problem::Io { what: "reading a source of ADD".to_owned(), source })?;
    Ok(start)
}

/// Whether a block is a header that Go's reader takes: its checksum fits, counted with or without signs.
fn is_header(block: &[u8]) -> bool {
    if block.len() != 512 || block.iter().all(|byte| *byte == 0) {
        return false;
    }
    let field = String::from_utf8_lossy(&block[148..156]);
    let Ok(claimed) = i64::from_str_radix(field.trim_matches(['\0', ' ']), 8) else { return false };
    let masked = |index: usize, byte: u8| if (148..156).contains(&index) { b' ' } else { byte };
    let bytes = || block.iter().enumerate().map(|(index, byte)| masked(index, *byte));
    let unsigned: i64 = bytes().map(i64::from).sum();
    let signed: i64 = bytes().map(|byte| i64::from(byte.cast_signed())).sum();
    claimed == unsigned || claimed == signed
}

/// The strict reader refuses more than BuildKit does; only a cut is certain to fail there too.
fn refusal(error: &tar::TarError) -> Problem {
    let message = error.to_string();
    match is_cut(error) {
        true => Problem::Failed(message),
        false => Problem::Unproven(escape::text(&message).into_owned()),
    }
}

fn is_cut(error: &tar::TarError) -> bool {
    error.to_string().contains("the archive is truncated")
}
