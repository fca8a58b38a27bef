//! Rules about package managers, of systems and of languages.

pub(super) mod apk_floating;
pub(super) mod apt_no_snapshot;
pub(super) mod apt_version_only;
pub(super) mod cargo_unlocked;
pub(super) mod dotnet_unlocked;
pub(super) mod go_unlocked;
pub(super) mod jvm_unlocked;
pub(super) mod node_unlocked;
pub(super) mod os_upgrade;
pub(super) mod pacman_floating;
pub(super) mod php_unlocked;
pub(super) mod pip_unhashed;
pub(super) mod rpm_floating;
pub(super) mod ruby_unlocked;
pub(super) mod toolchain_floating;
