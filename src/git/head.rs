//! The commit that `HEAD` names.

use std::fs;
use std::path::Path;

use super::objects::ObjectKind;
use super::{Error, ObjectId, Repository, display, read_small};
use crate::epoch::Epoch;
use crate::escape;

/// The checked-out commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// Its id.
    pub id: ObjectId,
    /// Its tree.
    pub tree: ObjectId,
    /// When it was committed; the author's time and all zones are ignored.
    pub time: Epoch,
}

/// References that name references, followed so far.
const MOST_REFERENCES: usize = 5;

/// The commit time of `HEAD` in whose work tree `directory` lies; none outside git.
///
/// No commit yet, or one whose time is no epoch, is an error. Whether the time lies ahead is for the caller to ask.
pub fn head_commit_time(directory: &Path) -> Result<Option<Epoch>, Error> {
    Repository::find(directory)?.map(|repository| Ok(repository.head()?.time)).transpose()
}

impl Repository {
    /// The checked-out commit.
    pub fn head(&self) -> Result<&Head, Error> {
        match self.head.get() {
            Some(head) => Ok(head),
            None => self.read_head().map(|head| self.head.get_or_init(|| head)),
        }
    }

    fn read_head(&self) -> Result<Head, Error> {
        let id = self.head_id()?;
        let text = self.object(id, ObjectKind::Commit)?;
        let line = |name: &[u8]| {
            let mut lines = text.split(|&byte| byte == b'\n').take_while(|line| !line.is_empty());
            lines.find_map(|line| line.strip_prefix(name))
        };
        let tree = line(b"tree ").and_then(ObjectId::from_hex).ok_or_else(|| self.no_head())?;
        // `committer NAME <MAIL> SECONDS ZONE`; a name may hold anything but angle brackets.
        let committer = line(b"committer ").unwrap_or_default();
        let times = committer.rsplit(|&byte| byte == b'>').next().unwrap_or_default();
        let seconds = times.split(|&byte| byte == b' ').find(|word| !word.is_empty()).unwrap_or_default();
        let number = std::str::from_utf8(seconds).ok().and_then(|seconds| seconds.parse::<i64>().ok());
        let time = number.and_then(|seconds| Epoch::from_seconds(seconds).ok());
        let time = time.ok_or_else(|| Error::CommitTime { id, seconds: escape::name(seconds) })?;
        Ok(Head { id, tree, time })
    }

    /// The id of the checked-out commit.
    pub fn head_id(&self) -> Result<ObjectId, Error> {
        let mut name = "HEAD".to_owned();
        for _ in 0..MOST_REFERENCES {
            let text =
                [&self.git_dir, &self.common_dir].iter().find_map(|directory| read_small(&directory.join(&name)).ok());
            let Some(text) = text else { return self.packed(&name)?.ok_or_else(|| self.no_head()) };
            let text = text.trim_end();
            match text.strip_prefix("ref:") {
                Some(target) => name = self.checked_name(target.trim_start())?,
                None => return ObjectId::from_hex(text.as_bytes()).ok_or_else(|| self.no_head()),
            }
        }
        Err(self.no_head())
    }

    /// A reference's name becomes a path, so it must stay below the repository.
    fn checked_name(&self, name: &str) -> Result<String, Error> {
        let safe = name.starts_with("refs/") && name.split('/').all(|part| !matches!(part, "" | "." | ".."));
        if safe { Ok(name.to_owned()) } else { Err(self.no_head()) }
    }

    fn packed(&self, name: &str) -> Result<Option<ObjectId>, Error> {
        let path = self.common_dir.join("packed-refs");
        let text = match fs::read(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            result => result.map_err(|error| Error::io(&path, error))?,
        };
        let found = text.split(|&byte| byte == b'\n').find_map(|line| {
            let (id, rest) = line.split_at_checked(2 * self.format.length())?;
            (rest.strip_prefix(b" ")?.trim_ascii_end() == name.as_bytes()).then(|| ObjectId::from_hex(id))?
        });
        Ok(found)
    }

    fn no_head(&self) -> Error {
        Error::Head { path: display(&self.work_tree) }
    }
}
