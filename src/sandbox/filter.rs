//! System calls that a step may not make: those that BuildKit's profile denies to the capabilities it leaves.

use std::collections::BTreeMap;

use nix::libc;
use seccompiler::{
    BackendError, BpfProgram, SeccompAction, SeccompCmpArgLen as Length, SeccompCmpOp as Is, SeccompCondition,
    SeccompFilter, SeccompRule, TargetArch, apply_filter,
};

/// What needs a capability that no step has, or tells of other processes, keys and the kernel.
const DENIED: &[i64] = &[
    libc::SYS_acct,
    libc::SYS_add_key,
    libc::SYS_bpf,
    libc::SYS_clock_settime,
    libc::SYS_delete_module,
    libc::SYS_fanotify_init,
    libc::SYS_finit_module,
    libc::SYS_fsconfig,
    libc::SYS_fsmount,
    libc::SYS_fsopen,
    libc::SYS_fspick,
    libc::SYS_get_mempolicy,
    libc::SYS_init_module,
    libc::SYS_io_uring_enter,
    libc::SYS_io_uring_register,
    libc::SYS_io_uring_setup,
    libc::SYS_kcmp,
    libc::SYS_kexec_load,
    libc::SYS_keyctl,
    libc::SYS_lookup_dcookie,
    libc::SYS_mbind,
    libc::SYS_migrate_pages,
    libc::SYS_mount,
    libc::SYS_mount_setattr,
    libc::SYS_move_mount,
    libc::SYS_move_pages,
    libc::SYS_nfsservctl,
    libc::SYS_open_by_handle_at,
    libc::SYS_open_tree,
    libc::SYS_perf_event_open,
    libc::SYS_pidfd_getfd,
    libc::SYS_pivot_root,
    libc::SYS_process_madvise,
    libc::SYS_quotactl,
    libc::SYS_quotactl_fd,
    libc::SYS_reboot,
    libc::SYS_request_key,
    libc::SYS_set_mempolicy,
    libc::SYS_set_mempolicy_home_node,
    libc::SYS_setdomainname,
    libc::SYS_sethostname,
    libc::SYS_setns,
    libc::SYS_settimeofday,
    libc::SYS_swapoff,
    libc::SYS_swapon,
    libc::SYS_syslog,
    libc::SYS_umount2,
    libc::SYS_unshare,
    libc::SYS_userfaultfd,
    libc::SYS_vhangup,
    #[cfg(target_arch = "x86_64")]
    libc::SYS__sysctl,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_ioperm,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_iopl,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_kexec_file_load,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_sysfs,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_uselib,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_ustat,
];

/// Flags of `clone` that make name spaces.
const NAME_SPACES: [u64; 8] = [
    libc::CLONE_NEWNS as u64,
    libc::CLONE_NEWCGROUP as u64,
    libc::CLONE_NEWUTS as u64,
    libc::CLONE_NEWIPC as u64,
    libc::CLONE_NEWUSER as u64,
    libc::CLONE_NEWPID as u64,
    libc::CLONE_NEWNET as u64,
    0x80,
];

/// The personalities that a step may take on; the last one asks for the present one.
const PERSONALITIES: [u64; 5] = [0, 8, 0x2_0000, 0x2_0008, 0xffff_ffff];

/// Families of sockets that lead into the kernel or out of the machine, and the last family that is known.
const SOCKETS: [u64; 2] = [libc::AF_ALG as u64, libc::AF_VSOCK as u64];
const LAST_FAMILY: u64 = 45;

/// Numbers that a later kernel may give to calls nobody has looked at.
const UNKNOWN: std::ops::RangeInclusive<i64> = 463..=511;

/// Installs the filter for this thread and all that it starts; no program gains rights from its file afterwards.
pub(super) fn install() -> Result<(), seccompiler::Error> {
    let mut rules: BTreeMap<i64, Vec<SeccompRule>> = DENIED.iter().map(|call| (*call, Vec::new())).collect();
    rules.insert(
        libc::SYS_clone,
        NAME_SPACES.iter().map(|flag| on(0, Is::MaskedEq(*flag), *flag)).collect::<Result<_, _>>()?,
    );
    let mut sockets: Vec<SeccompRule> =
        SOCKETS.iter().map(|family| on(0, Is::Eq, *family)).collect::<Result<_, _>>()?;
    sockets.push(on(0, Is::Gt, LAST_FAMILY)?);
    rules.insert(libc::SYS_socket, sockets);
    let others = PERSONALITIES.iter().map(|known| SeccompCondition::new(0, Length::Dword, Is::Ne, *known));
    let other = SeccompRule::new(others.collect::<Result<_, _>>()?)?;
    rules.insert(libc::SYS_personality, vec![other]);
    apply_filter(&program(rules, libc::EPERM)?)?;
    // C libraries that find it missing take `clone`, whose flags can be looked at.
    let absent = UNKNOWN.chain([libc::SYS_clone3]).map(|call| (call, Vec::new())).collect();
    apply_filter(&program(absent, libc::ENOSYS)?)
}

fn on(argument: u8, is: Is, value: u64) -> Result<SeccompRule, BackendError> {
    SeccompRule::new(vec![SeccompCondition::new(argument, Length::Dword, is, value)?])
}

/// A filter that lets everything pass but what `rules` match, which gives `error`.
fn program(rules: BTreeMap<i64, Vec<SeccompRule>>, error: i32) -> Result<BpfProgram, BackendError> {
    #[cfg(target_arch = "x86_64")]
    let machine = TargetArch::x86_64;
    #[cfg(not(target_arch = "x86_64"))]
    let machine = TargetArch::aarch64;
    SeccompFilter::new(rules, SeccompAction::Allow, SeccompAction::Errno(error.cast_unsigned()), machine)?.try_into()
}
