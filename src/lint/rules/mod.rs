//! The rules, a file each, in a directory a section of the catalogue.
//!
//! A file holds a rule's table (what, why, when it is silent, what removes it) and the function that looks for it.
//! Beside them stands what several rules ask of a command: `managers` (which packages it installs), `fetches` (what it
//! downloads), `checked` and `interpreted` (what becomes of that), `removed` (what a RUN takes away again), `written` (what ends in a file), `text` (shapes of words);
//! and what rules give as fixes: `edits`, `cleanup`, `pins`.

mod accounts;
mod archives;
mod checked;
mod cleanup;
mod compilers;
mod context;
mod copied;
mod edits;
mod fetches;
mod git;
mod inputs;
mod interpreted;
mod leftovers;
mod managers;
mod network;
mod packages;
mod pins;
mod python;
mod randomness;
mod reading;
mod removed;
mod text;
mod time;
mod tools;
mod written;

use crate::lint::allow::{UNUSED, WITHOUT_REASON};
use crate::lint::rule::Rule;

/// All rules by code.
pub const RULES: &[&Rule] = &[
    &inputs::image_unpinned::RULE,
    &inputs::image_moving_tag::RULE,
    &inputs::image_from_args::RULE,
    &inputs::frontend_unpinned::RULE,
    &inputs::copy_from_unpinned::RULE,
    &inputs::mount_from_unpinned::RULE,
    &inputs::add_url_unchecked::RULE,
    &inputs::add_git_moving::RULE,
    &inputs::fetch_in_run::RULE,
    &inputs::pipe_to_shell::RULE,
    &inputs::clone_moving::RULE,
    &inputs::arg_undefined::RULE,
    &inputs::ci_value::RULE,
    &inputs::build_host_arg::RULE,
    &inputs::onbuild::RULE,
    &inputs::secret_or_ssh_mount::RULE,
    &inputs::cache_mount_leak::RULE,
    &inputs::network_not_denied::RULE,
    &inputs::entitlement::RULE,
    &inputs::ambiguous_from::RULE,
    &packages::apt_no_snapshot::RULE,
    &packages::apt_version_only::RULE,
    &packages::os_upgrade::RULE,
    &packages::apk_floating::RULE,
    &packages::rpm_floating::RULE,
    &packages::pacman_floating::RULE,
    &packages::pip_unhashed::RULE,
    &packages::node_unlocked::RULE,
    &packages::cargo_unlocked::RULE,
    &packages::go_unlocked::RULE,
    &packages::ruby_unlocked::RULE,
    &packages::php_unlocked::RULE,
    &packages::jvm_unlocked::RULE,
    &packages::toolchain_floating::RULE,
    &packages::dotnet_unlocked::RULE,
    &time::wall_clock::RULE,
    &time::epoch_undeclared::RULE,
    &time::local_time::RULE,
    &time::stamp_file::RULE,
    &time::created_label::RULE,
    &time::git_in_run::RULE,
    &time::shadow_day::RULE,
    &time::id_not_fixed::RULE,
    &leftovers::pkg_logs::RULE,
    &leftovers::apt_caches::RULE,
    &leftovers::ldconfig_aux_cache::RULE,
    &leftovers::backup_files::RULE,
    &leftovers::apk_virtual::RULE,
    &leftovers::rpm_state::RULE,
    &leftovers::pacman_state::RULE,
    &leftovers::tool_state::RULE,
    &leftovers::generated_caches::RULE,
    &leftovers::bytecode::RULE,
    &leftovers::java_cacerts::RULE,
    &randomness::random_value::RULE,
    &randomness::generated_key::RULE,
    &randomness::package_makes_secrets::RULE,
    &randomness::database_init::RULE,
    &tools::tar_flags::RULE,
    &tools::zip_flags::RULE,
    &tools::gzip_name::RULE,
    &tools::jar_date::RULE,
    &tools::ar_mode::RULE,
    &tools::fs_image::RULE,
    &tools::threaded_compressor::RULE,
    &tools::go_paths::RULE,
    &tools::c_paths::RULE,
    &tools::rust_paths::RULE,
    &tools::native_cpu::RULE,
    &tools::profile_guided::RULE,
    &tools::parallel_order::RULE,
    &tools::random_build_name::RULE,
    &tools::dotnet_deterministic::RULE,
    &tools::unsorted_list::RULE,
    &tools::locale_sort::RULE,
    &tools::hash_seed::RULE,
    &tools::host_probe::RULE,
    &context::whole_context::RULE,
    &context::git_dir::RULE,
    &context::mode_from_checkout::RULE,
    &context::copy_etc::RULE,
    &context::chown_by_name::RULE,
    &context::add_archive::RULE,
    &context::wildcard_copy::RULE,
    &context::parent_mode::RULE,
    &context::context_unreadable::RULE,
    &context::lfs_or_submodule::RULE,
    &reading::shell_unknown::RULE,
    &reading::shell_syntax::RULE,
    &UNUSED,
    &WITHOUT_REASON,
];
