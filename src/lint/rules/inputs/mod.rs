//! Rules about what a build takes from outside.

pub(super) mod add_git_moving;
pub(super) mod add_url_unchecked;
pub(super) mod ambiguous_from;
pub(super) mod arg_undefined;
pub(super) mod build_host_arg;
pub(super) mod cache_mount_leak;
pub(super) mod ci_value;
pub(super) mod clone_moving;
pub(super) mod copy_from_unpinned;
pub(super) mod entitlement;
pub(super) mod fetch_in_run;
pub(super) mod frontend_unpinned;
pub(super) mod image_from_args;
pub(super) mod image_moving_tag;
pub(super) mod image_unpinned;
pub(super) mod mount_from_unpinned;
pub(super) mod network_not_denied;
pub(super) mod onbuild;
pub(super) mod pipe_to_shell;
pub(super) mod secret_or_ssh_mount;
