//! What of an archive is to be checked.

/// What of an archive is to be checked.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    /// Only the images of this name.
    pub image: Option<String>,
    /// Leave the contents of layers alone.
    pub is_fast: bool,
    /// Keep the entries of layers for a listing.
    pub is_listed: bool,
}
