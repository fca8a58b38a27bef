//! A stage while its instructions are carried out: its config, its layers, and its tree as far as somebody has looked.

use std::sync::Arc;

use super::diff::LayerEntry;
use super::filesystem::Tree;
use super::metadata::StageConfig;
use super::run::Variables;
use crate::engine::base_images::BaseImage;

/// What a stage's tree is, known only as far as anybody has looked.
#[derive(Clone)]
pub(super) enum State {
    /// Nothing was ever put into it.
    Nothing,
    /// A base image.
    Image(Arc<BaseImage>),
    /// This tree.
    Tree(Tree),
    /// A tree over another state.
    Linked(Box<State>, Tree),
}

impl State {
    /// The same result of the same steps.
    pub(super) fn is(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Nothing, Self::Nothing) => true,
            (Self::Image(a), Self::Image(b)) => Arc::ptr_eq(a, b),
            (Self::Tree(a), Self::Tree(b)) => a == b,
            (Self::Linked(a, x), Self::Linked(b, y)) => x == y && a.is(b),
            _ => false,
        }
    }
}

/// A layer of a stage.
#[derive(Clone)]
pub(super) enum StageLayer {
    /// All layers of a base image.
    Base(Arc<BaseImage>),
    /// A new one.
    New(Arc<Vec<LayerEntry>>),
}

/// A stage after its instructions so far.
#[derive(Clone)]
pub(super) struct Stage {
    pub(super) config: StageConfig,
    pub(super) layers: Vec<StageLayer>,
    pub(super) state: State,
    /// What RUN sees of ENV and ARG.
    pub(super) variables: Variables,
}
