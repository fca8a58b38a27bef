//! All objects of a repository, whichever ids it has.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use super::objects::{self, ObjectKind};
use super::{Error, ObjectId};

/// The objects in a repository's `objects` directory, and in those that it borrows from.
pub struct Objects {
    directory: PathBuf,
    /// What messages call the repository by.
    named: PathBuf,
    /// Opened when the first object is read that has an id by SHA-1.
    sha1: Mutex<Option<git2::Odb<'static>>>,
}

impl Objects {
    /// The objects in `directory` of the repository `named` so; nothing is read yet.
    pub fn new(directory: PathBuf, named: PathBuf) -> Self {
        Self { directory, named, sha1: Mutex::new(None) }
    }

    /// One object, whose bytes have the id.
    pub fn read(&self, id: ObjectId) -> Result<(ObjectKind, Vec<u8>), Error> {
        let found = match &id {
            ObjectId::Sha1(bytes) => self.by_sha1(bytes).map_err(|error| error.message().to_owned()),
            ObjectId::Sha256(bytes) => match objects::read(&self.directory, bytes) {
                Ok(Some(found)) => Ok(found),
                Ok(None) => Err("it is not there".to_owned()),
                Err(error) if error.kind() == io::ErrorKind::InvalidData => Err("it is damaged".to_owned()),
                Err(error) => Err(error.to_string()),
            },
        };
        found.map_err(|message| Error::object(self.repository(), id, &message))
    }

    /// One object, which must be of this kind.
    pub fn of_kind(&self, id: ObjectId, kind: ObjectKind) -> Result<Vec<u8>, Error> {
        match self.read(id)? {
            (found, bytes) if found == kind => Ok(bytes),
            _ => Err(Error::object(self.repository(), id, "the object is of another kind")),
        }
    }

    pub(super) fn repository(&self) -> &Path {
        &self.named
    }

    fn by_sha1(&self, id: &[u8; 20]) -> Result<(ObjectKind, Vec<u8>), git2::Error> {
        let mut objects = self.sha1.lock().unwrap_or_else(PoisonError::into_inner);
        if objects.is_none() {
            let opened = git2::Odb::new()?;
            let name = self.directory.to_str();
            opened.add_disk_alternate(name.ok_or_else(|| git2::Error::from_str("its directory's name is no text"))?)?;
            *objects = Some(opened);
        }
        let Some(objects) = objects.as_ref() else { return Err(git2::Error::from_str("it is not there")) };
        let found = objects.read(git2::Oid::from_bytes(id)?)?;
        let kind = ObjectKind::named(found.kind().str().as_bytes());
        let kind = kind.ok_or_else(|| git2::Error::from_str("the object is of another kind"))?;
        Ok((kind, found.data().to_vec()))
    }
}
