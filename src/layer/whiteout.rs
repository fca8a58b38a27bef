//! Whiteouts: names in a layer that hide what lower layers have.

/// What starts a whiteout's name.
pub const PREFIX: &[u8] = b".wh.";
/// The name that hides everything lower layers have in a directory, wherever it stands in the layer.
pub const OPAQUE: &[u8] = b".wh..wh..opq";

/// What a path's last component means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whiteout<'a> {
    /// Hides one name of the same directory.
    Name(&'a [u8]),
    /// Hides everything of lower layers in the same directory.
    Opaque,
}

/// A name that starts like a whiteout and is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the whiteout hides no valid name")]
pub struct InvalidWhiteout;

impl<'a> Whiteout<'a> {
    /// Reads one component of a path; none if it is an ordinary name.
    ///
    /// # Errors
    /// [`InvalidWhiteout`] for `.wh.`, `.wh..`, `.wh...` and everything that starts with `.wh..wh.` but is not the
    /// opaque marker: readers differ about these.
    pub fn parse(component: &'a [u8]) -> Result<Option<Self>, InvalidWhiteout> {
        let Some(hidden) = component.strip_prefix(PREFIX) else { return Ok(None) };
        match hidden {
            _ if component == OPAQUE => Ok(Some(Self::Opaque)),
            b"" | b"." | b".." => Err(InvalidWhiteout),
            _ if hidden.starts_with(PREFIX) => Err(InvalidWhiteout),
            _ => Ok(Some(Self::Name(hidden))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whiteouts_are_read_by_their_whole_name() {
        for (name, want) in [
            ("name", Ok(None)),
            ("x.wh.name", Ok(None)),
            (".wh.name", Ok(Some(Whiteout::Name(b"name")))),
            (".wh..hidden", Ok(Some(Whiteout::Name(b".hidden")))),
            (".wh..wh..opq", Ok(Some(Whiteout::Opaque))),
            (".wh..wh..opqX", Err(InvalidWhiteout)),
            (".wh..wh.aufs", Err(InvalidWhiteout)),
            (".wh.", Err(InvalidWhiteout)),
            (".wh..", Err(InvalidWhiteout)),
            (".wh...", Err(InvalidWhiteout)),
        ] {
            assert_eq!(Whiteout::parse(name.as_bytes()), want, "{name}");
        }
    }
}
