//! Rules about files that tools leave behind.

pub(super) mod apk_virtual;
pub(super) mod apt_caches;
pub(super) mod backup_files;
pub(super) mod bytecode;
pub(super) mod generated_caches;
pub(super) mod java_cacerts;
pub(super) mod ldconfig_aux_cache;
pub(super) mod pacman_state;
pub(super) mod pkg_logs;
pub(super) mod rpm_state;
pub(super) mod tool_state;
