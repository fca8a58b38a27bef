//! References to digests: images, layouts, HTTP files, git refs.
