//! What a step sees beside its tree: processes, devices, and the mounts that it asks for (`run.md` 2).
//!
//! Root in a step may make device nodes, as with BuildKit, whose daemon keeps them from being opened by a control group.
//! Here no mount but that of the devices themselves lets one be opened.

use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, FileType, Mode, makedev, mknodat};
use rustix::mount::{MountFlags, mount, mount_bind, mount_bind_recursive, mount_remount};

use super::description::{Confined, Mounted, Source, mount_of, root_of};
use super::place;
use super::start::{HOSTS, RESOLVER};
use super::stop::Stop;

/// No set-user-id, no programs, no devices.
const INERT: MountFlags = MountFlags::NOSUID.union(MountFlags::NOEXEC).union(MountFlags::NODEV);

/// What tells of the machine, or lets it be changed.
const MASKED: [&str; 12] = [
    "proc/acpi",
    "proc/asound",
    "proc/interrupts",
    "proc/kcore",
    "proc/keys",
    "proc/latency_stats",
    "proc/timer_list",
    "proc/timer_stats",
    "proc/sched_debug",
    "proc/scsi",
    "sys/firmware",
    "sys/devices/virtual/powercap",
];
const READ_ONLY: [&str; 5] = ["proc/bus", "proc/fs", "proc/irq", "proc/sys", "proc/sysrq-trigger"];

/// Devices with their numbers.
const DEVICES: [(&str, u32, u32); 6] =
    [("null", 1, 3), ("zero", 1, 5), ("full", 1, 7), ("random", 1, 8), ("urandom", 1, 9), ("tty", 5, 0)];
const LINKS: [(&str, &str); 5] = [
    ("fd", "/proc/self/fd"),
    ("stdin", "/proc/self/fd/0"),
    ("stdout", "/proc/self/fd/1"),
    ("stderr", "/proc/self/fd/2"),
    ("ptmx", "pts/ptmx"),
];

/// Mounts everything into the tree of `directory`, in the order in which BuildKit does.
pub(super) fn mount_all(directory: &Path, step: &Confined) -> Result<(), Stop> {
    let root = root_of(directory);
    own(directory, &root, step).map_err(Stop::machine("/proc, /dev and /sys"))?;
    for (number, mounted) in step.mounts.iter().enumerate() {
        asked(&root, mounted, &mount_of(directory, number)).map_err(Stop::step(&mounted.target))?;
    }
    mask(&root).map_err(Stop::machine("masks"))
}

/// What every step has.
fn own(directory: &Path, root: &Path, step: &Confined) -> io::Result<()> {
    let nosuid = MountFlags::NOSUID;
    let at = |path: &str| place::make(root, path.as_bytes(), true);
    mount("proc", at("/proc")?, "proc", INERT, None)?;
    let dev = at("/dev")?;
    let of_dev = nosuid | MountFlags::NODEV | MountFlags::STRICTATIME;
    mount("tmpfs", &dev, "tmpfs", of_dev, c"mode=755,size=65536k")?;
    let pts = nosuid | MountFlags::NOEXEC;
    mount("devpts", at("/dev/pts")?, "devpts", pts, c"newinstance,ptmxmode=0666,mode=0620,gid=5")?;
    mount("shm", at("/dev/shm")?, "tmpfs", INERT, c"mode=1777,size=65536k")?;
    mount("mqueue", at("/dev/mqueue")?, "mqueue", INERT, None)?;
    let devices = directory.join("devices");
    fs::create_dir(&devices)?;
    mount("tmpfs", &devices, "tmpfs", nosuid | MountFlags::NOEXEC, c"mode=755,size=64k")?;
    for (name, major, minor) in DEVICES {
        let (mode, node) = (Mode::from_raw_mode(0o666), devices.join(name));
        mknodat(CWD, &node, FileType::CharacterDevice, mode, makedev(major, minor))?;
        mount_bind(&node, place::make(root, format!("/dev/{name}").as_bytes(), false)?)?;
    }
    for (name, target) in LINKS {
        symlink(target, dev.join(name))?;
    }
    // BuildKit's steps are offered its traces there; who lists the directory stores the name.
    mknodat(CWD, dev.join("otel-grpc.sock"), FileType::Socket, Mode::from_raw_mode(0o666), 0)?;
    mount("sysfs", at("/sys")?, "sysfs", INERT | MountFlags::RDONLY, None)?;
    for (path, name) in [("/etc/resolv.conf", RESOLVER), ("/etc/hosts", HOSTS)] {
        // What the step mounts there stands in its place.
        if step.mounts.iter().any(|mounted| mounted.target == path.as_bytes()) {
            continue;
        }
        let target = place::make(root, path.as_bytes(), false)?;
        bind(&directory.join(name), &target, INERT | MountFlags::RDONLY)?;
    }
    Ok(())
}

/// What the step asks for; `ready` is where its source was made ready.
fn asked(root: &Path, mounted: &Mounted, ready: &Path) -> io::Result<()> {
    let mut flags = if mounted.is_inert { INERT } else { MountFlags::NODEV };
    flags.set(MountFlags::RDONLY, mounted.read_only);
    let source: PathBuf = match &mounted.source {
        Source::Memory(size) => {
            let there = fs::metadata(root.join(place::resolve(root, &mounted.target)?)).ok();
            let target = place::make(root, &mounted.target, true)?;
            let size = size.map(|size| format!(",size={size}")).unwrap_or_default();
            let options = std::ffi::CString::new(format!("mode=1777{size}"))?;
            mount("tmpfs", &target, "tmpfs", MountFlags::NOSUID | flags, options.as_c_str())?;
            // What hides a directory has its permissions.
            return match there {
                Some(there) if !mounted.read_only => fs::set_permissions(&target, there.permissions()),
                _ => Ok(()),
            };
        }
        Source::Layers { path, .. } => ready.join(place::resolve(ready, path)?),
        Source::Path(path) => path.clone(),
        Source::Secret { .. } => ready.join("secret"),
    };
    let target = place::make(root, &mounted.target, fs::metadata(&source)?.is_dir())?;
    bind(&source, &target, flags)
}

fn bind(source: &Path, target: &Path, flags: MountFlags) -> io::Result<()> {
    mount_bind_recursive(source, target)?;
    Ok(mount_remount(target, MountFlags::BIND | flags, c"")?)
}

/// Hides what tells of the machine, and makes the rest of it read-only.
fn mask(root: &Path) -> io::Result<()> {
    for path in READ_ONLY.map(|path| root.join(path)) {
        if path.exists() {
            mount_bind(&path, &path)?;
            mount_remount(&path, MountFlags::BIND | INERT | MountFlags::RDONLY, c"")?;
        }
    }
    for path in MASKED.map(|path| root.join(path)) {
        match fs::metadata(&path) {
            Ok(there) if there.is_dir() => mount("tmpfs", &path, "tmpfs", INERT | MountFlags::RDONLY, c"nr_inodes=1")?,
            Ok(_) => mount_bind(root.join("dev/null"), &path)?,
            Err(_) => {}
        }
    }
    Ok(())
}
