//! The submodules of a work tree: repositories in its directories, at a commit that the index names.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use super::{Error, ObjectId, Repository, TrackedKind};

/// One submodule.
pub struct Submodule {
    /// Its directory, below the work tree's root.
    pub path: PathBuf,
    /// What lies there; none if it is not checked out.
    pub repository: Option<Repository>,
    tracked: ObjectId,
}

impl Submodule {
    /// Whether another commit is checked out than the index names.
    pub fn is_moved(&self) -> bool {
        let head = self.repository.as_ref().and_then(|repository| repository.head_id().ok());
        head != Some(self.tracked)
    }
}

impl Repository {
    /// The submodules that the index names.
    pub fn submodules(&self) -> Result<Vec<Submodule>, Error> {
        let tracked = self.tracked_once()?;
        let submodules = tracked.iter().filter(|tracked| tracked.kind == TrackedKind::Submodule);
        submodules
            .map(|tracked| {
                let path = PathBuf::from(OsStr::from_bytes(&tracked.path));
                let repository = Self::open(&self.work_tree.join(&path))?;
                Ok(Submodule { path, repository, tracked: tracked.id })
            })
            .collect()
    }
}
