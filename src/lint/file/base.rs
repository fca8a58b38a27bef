//! What a stage is built from.

/// What a stage is built from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Base {
    /// Nothing.
    Scratch,
    /// A stage above.
    Stage(usize),
    /// A named context.
    Context,
    /// An image, as it is named once variables are put in.
    Image(String),
    /// A name with variables that are not known.
    Unknown,
}
