//! The published image that a rebuilt one is compared with: the one that was typed, or that of the manifest's names.

use super::ready::ReadyImage;
use super::ship::pushed_names;
use crate::digest::Digest;
use crate::source::{Place, Published, Reader};
use crate::status::{ExitStatus, Failure, Status};

/// Which published image is meant.
pub(super) struct Question<'a> {
    /// Where it is, and how that was typed.
    pub(super) against: Option<&'a (Place, String)>,
    /// Without that: whether it is the one under the names of the manifest.
    pub(super) is_of_manifest: bool,
    /// Its name, where several are there.
    pub(super) name: Option<&'a str>,
}

/// A published image that was looked at.
pub(super) struct LookedAt {
    pub(super) place: Place,
    pub(super) typed: String,
    pub(super) image: Published,
    /// A tag of the manifest that names another image.
    pub(super) other_tag: Option<OtherTag>,
}

/// Tags that should name one image name two.
#[derive(Clone, Debug, thiserror::Error)]
#[error("`{other}` is published as {found}, `{first}` as {expected}")]
pub(super) struct OtherTag {
    first: String,
    expected: Digest,
    other: String,
    found: Digest,
}

impl ExitStatus for OtherTag {
    fn status(&self) -> Status {
        Status::Differs
    }
}

/// Looks at the published image that `image` is compared with; none where none is meant.
pub(super) fn look(
    image: &ReadyImage<'_>,
    question: &Question<'_>,
    reader: &Reader<'_>,
) -> Result<Option<LookedAt>, Failure> {
    let read = |place: &Place| Published::read(place, question.name, reader);
    if let Some((place, typed)) = question.against {
        let (place, typed) = (place.clone(), typed.clone());
        return Ok(Some(LookedAt { image: read(&place)?, place, typed, other_tag: None }));
    }
    if !question.is_of_manifest {
        return Ok(None);
    }
    let mut names = pushed_names(image.surveyed.name, image.surveyed.image)?.into_iter().map(Place::Registry);
    let Some(place) = names.next() else { return Ok(None) };
    let typed = place.to_string().trim_start_matches("docker://").to_owned();
    let first = read(&place)?;
    let mut other_tag = None;
    for name in names {
        if let (Some(expected), Some(found)) = (first.top, read(&name)?.top)
            && expected != found
        {
            other_tag.get_or_insert(OtherTag { first: typed.clone(), expected, other: name.to_string(), found });
        }
    }
    Ok(Some(LookedAt { image: first, place, typed, other_tag }))
}
