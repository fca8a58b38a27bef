//! Rules about the files given to the build.

pub(super) mod add_archive;
pub(super) mod chown_by_name;
pub(super) mod context_unreadable;
pub(super) mod copy_etc;
pub(super) mod git_dir;
pub(super) mod lfs_or_submodule;
pub(super) mod mode_from_checkout;
pub(super) mod parent_mode;
pub(super) mod whole_context;
pub(super) mod wildcard_copy;
