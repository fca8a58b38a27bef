//! Overlays of directories, with every choice made that kernels make differently.

use std::io;
use std::path::Path;

use rustix::fs::CWD;
use rustix::mount::{
    FsMountFlags, FsOpenFlags, MountAttrFlags, MountFlags, MoveMountFlags, fsconfig_create, fsconfig_set_flag,
    fsconfig_set_string, fsmount, fsopen, mount_bind, mount_remount, move_mount,
};

use super::description::{Layers, Writable};

/// Mounts `layers` at the directory `at`. A step may make device nodes in it and open none.
pub(super) fn mount(layers: &Layers, at: &Path) -> io::Result<()> {
    if let ([only], None) = (layers.lower.as_slice(), &layers.upper) {
        mount_bind(only, at)?;
        return Ok(mount_remount(at, MountFlags::BIND | MountFlags::RDONLY | MountFlags::NODEV, c"")?);
    }
    let overlay = fsopen("overlay", FsOpenFlags::FSOPEN_CLOEXEC)?;
    for lower in layers.lower.iter().rev() {
        fsconfig_set_string(&overlay, "lowerdir+", lower.as_path())?;
    }
    if let Some(Writable { upper, work }) = &layers.upper {
        fsconfig_set_string(&overlay, "upperdir", upper.as_path())?;
        fsconfig_set_string(&overlay, "workdir", work.as_path())?;
        // Nothing is mounted again after a crash, so nothing need be on disk when it is unmounted.
        fsconfig_set_flag(&overlay, "volatile")?;
        // They change what a copy-up of a hard link or a renamed directory leaves behind.
        for (key, value) in [("index", "off"), ("redirect_dir", "off"), ("metacopy", "off")] {
            fsconfig_set_string(&overlay, key, value)?;
        }
    }
    fsconfig_create(&overlay)?;
    let mounted = fsmount(&overlay, FsMountFlags::FSMOUNT_CLOEXEC, MountAttrFlags::MOUNT_ATTR_NODEV)?;
    Ok(move_mount(&mounted, "", CWD, at, MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH)?)
}
