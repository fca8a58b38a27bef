//! In which form an archive is written.

use clap::ValueEnum;

use crate::project::ArchiveForm;

/// The form of an archive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Archive {
    /// OCI, byte for byte BuildKit's `type=oci`
    Oci,
    /// Docker, which `docker load` of every age reads
    Docker,
}

impl From<Archive> for ArchiveForm {
    fn from(archive: Archive) -> Self {
        match archive {
            Archive::Oci => Self::Oci,
            Archive::Docker => Self::Docker,
        }
    }
}
