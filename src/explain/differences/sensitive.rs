//! Paths at which a difference of content is one of security.

/// Files of `/etc`, by the start of their names.
const STARTS: &[&str] = &["sudoers", "ld.so.conf", "cron", "profile"];
/// Files of `/etc`, by their names.
const FILES: &[&str] = &["passwd", "group", "shadow", "gshadow", "ld.so.preload"];
/// Directories and files of `/etc`, with all below them.
const TREES: &[&str] =
    &["pam.d", "ssh", "ssl", "pki", "systemd", "yum.repos.d", "apk/keys", "apk/repositories", "apt/keyrings"];

/// Whether content that differs there matters for security.
pub(super) fn is_sensitive(path: &[u8]) -> bool {
    let text = String::from_utf8_lossy(path);
    let text = text.as_ref();
    let is_below =
        |tree: &str, text: &str| text.strip_prefix(tree).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    if let Some(text) = text.strip_prefix("etc/") {
        let first = text.split('/').next().unwrap_or_default();
        let is_apt =
            text.strip_prefix("apt/").is_some_and(|rest| rest.starts_with("sources") || rest.starts_with("trusted"));
        let is_kept = FILES.iter().any(|name| first == *name || first.strip_suffix('-') == Some(*name));
        if is_apt
            || is_kept
            || STARTS.iter().any(|start| first.starts_with(start))
            || TREES.iter().any(|tree| is_below(tree, text))
        {
            return true;
        }
    }
    let library = text.strip_prefix("usr/").unwrap_or(text);
    let is_module = ["lib/", "lib64/"].iter().any(|start| {
        library.strip_prefix(start).is_some_and(|rest| rest.split('/').rev().skip(1).any(|part| part == "security"))
    });
    is_module || is_below("usr/share/keyrings", text) || text.rsplit('/').next() == Some("authorized_keys")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accounts_keys_and_what_starts_programs_are_sensitive() {
        for path in [
            "etc/passwd",
            "etc/shadow-",
            "etc/sudoers.d/app",
            "etc/pam.d/common-auth",
            "etc/ssh/sshd_config",
            "etc/cron.d/x",
            "etc/crontab",
            "etc/profile.d/a.sh",
            "etc/apt/sources.list.d/a.list",
            "etc/apt/trusted.gpg.d/a.gpg",
            "etc/ld.so.conf.d/x.conf",
            "root/.ssh/authorized_keys",
            "usr/share/keyrings/a.gpg",
            "lib/x86_64-linux-gnu/security/pam_unix.so",
            "usr/lib/security/a",
        ] {
            assert!(is_sensitive(path.as_bytes()), "{path}");
        }
        for path in [
            "etc/os-release",
            "opt/etc/passwd",
            "etc/apt/apt.conf",
            "etc/passwd2",
            "usr/lib/securityx/a",
            "lib/security",
        ] {
            assert!(!is_sensitive(path.as_bytes()), "{path}");
        }
    }
}
