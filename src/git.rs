//! The `git` program and libgit2.
