//! What of an archive is to be checked.

use crate::layer::Listed;

/// What of an archive is to be checked.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    /// Only the images of this name.
    pub image: Option<String>,
    /// Leave the contents of layers alone.
    pub is_fast: bool,
    /// What of the entries of layers is kept.
    pub listed: Listed,
}
