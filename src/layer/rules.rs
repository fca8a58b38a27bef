//! What the entries of one layer mean together, for readers that go on whatever it is.

use std::io;

use super::names::{Tree, Workspace};
use super::tar::{Member, TarError};

/// Holds the names of a layer's entries against each other, entry by entry.
pub struct NameRules<'w> {
    tree: Tree<'w>,
    broken: Option<TarError>,
}

impl<'w> NameRules<'w> {
    /// The rules of a layer of which nothing is known yet.
    pub fn new(workspace: &'w Workspace) -> Self {
        Self { tree: Tree::new(workspace), broken: None }
    }

    /// Takes in the next entry; an error is one of the workspace.
    pub fn add(&mut self, member: &Member) -> io::Result<()> {
        match self.tree.add(member) {
            Err(TarError::Io(error)) => return Err(error),
            Err(error) => _ = self.broken.get_or_insert(error),
            Ok(()) => {}
        }
        Ok(())
    }

    /// After the last entry: the first rule that was broken.
    pub fn finish(self) -> io::Result<Option<TarError>> {
        let mut broken = self.broken;
        self.tree.finish(|error| _ = broken.get_or_insert(error))?;
        Ok(broken)
    }
}
