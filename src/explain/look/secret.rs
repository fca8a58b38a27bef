//! Identities and secrets that were made while building: they are of no use once everybody has them.

use super::by_path::ByPath;
use super::pair::{Found, Pair};

/// Files by their paths, with the cause.
static FILES: ByPath<&str> = ByPath::new(&[
    ("/**/etc/machine-id", "C074"),
    ("/**/var/lib/dbus/machine-id", "C074"),
    ("/**/var/lib/zypp/AnonymousUniqueId", "C074"),
    ("/**/ssh_host_*_key", "C075"),
    ("/**/ssh_host_*_key.pub", "C075"),
    ("/**/ssl-cert-snakeoil.*", "C075"),
    ("/**/etc/xrdp/rsakeys.ini", "C075"),
    ("/**/rndc.key", "C075"),
    ("/**/gnupg/private-keys-v1.d/*", "C075"),
    ("/**/.gnupg/private-keys-v1.d/*", "C075"),
    ("/**/gnupg/secring.gpg", "C075"),
    ("/**/gnupg/openpgp-revocs.d/*", "C075"),
    ("/**/random-seed", "C077"),
    ("/**/random_seed", "C077"),
    ("/**/credential.secret", "C077"),
    ("/**/mysql/auto.cnf", "C077"),
    ("/**/.erlang.cookie", "C077"),
    ("/**/global/pg_control", "C077"),
    ("/**/etc/popularity-contest.conf", "C077"),
    ("/**/var/lib/ldap/data.mdb", "C077"),
    ("/**/etc/ldap/slapd.d/**", "C077"),
]);
const KEY: &[u8] = b"PRIVATE KEY-----";

/// The cause of a file with that path.
pub(super) fn code(path: &[u8], content: &[u8]) -> Option<&'static str> {
    let by_path = FILES.first(path).copied();
    by_path.or_else(|| content.windows(KEY.len()).any(|part| part == KEY).then_some("C075"))
}

/// C074 for a machine's identity, C075 for private keys, C077 for seeds and secrets.
pub(super) fn look(pair: &Pair<'_>) -> Option<Found> {
    let [first, second] = pair.both().map(|content| code(pair.path, content));
    let code = first.or(second)?;
    let is_id = |content: &[u8]| {
        let id = content.trim_ascii();
        id.is_empty() || id == b"uninitialized" || id.len() == 32 && id.iter().all(u8::is_ascii_hexdigit)
    };
    let is_sure = code != "C074" || pair.both().into_iter().all(is_id);
    Some(if is_sure { Found::proven(code) } else { Found::likely(code) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::explain::look::told;

    #[test]
    fn every_pattern_can_be_read() {
        assert!(FILES.unreadable().is_empty());
    }

    #[test]
    fn identities_and_keys_are_named() {
        let key = "-----BEGIN OPENSSH PRIVATE KEY-----\nAA\n";
        for (path, first, second, want) in [
            (
                "etc/machine-id",
                "0123456789abcdef0123456789abcdef\n",
                "fedcba9876543210fedcba9876543210\n",
                "C074 Proven",
            ),
            ("etc/machine-id", "0123456789abcdef0123456789abcdef\n", "", "C074 Proven"),
            ("etc/machine-id", "0123456789abcdef0123456789abcdef\n", "#!/bin/sh\n", "C074 Likely"),
            ("etc/ssh/ssh_host_ed25519_key.pub", "ssh-ed25519 A", "ssh-ed25519 B", "C075 Proven"),
            ("opt/app/some.file", key, "", "C075 Proven"),
            ("opt/app/some.file", "a", "b", "C120 Possible"),
            ("var/lib/systemd/random-seed", "a", "b", "C077 Proven"),
        ] {
            assert_eq!(told(path, first.as_bytes(), second.as_bytes()), want, "{path}");
        }
    }
}
