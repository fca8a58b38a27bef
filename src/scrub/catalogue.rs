//! The profiles: frozen lists, one row a file or family of files.
//!
//! A list that is published never changes; a longer or shorter one is a new row with the next number.

/// What is done to the files of a profile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// They are left out of the layer.
    Drop,
    /// They get a fixed day of the last change ([`super::Edit::ShadowDays`]).
    FixShadowDays,
    /// Git's index forgets what the file system said of each file ([`super::Edit::GitIndex`]); the others are left out.
    ForgetClone,
}

/// A named, numbered list of files that differ from build to build and that nothing needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Profile {
    /// The name, as a manifest has it.
    pub name: &'static str,
    /// The number of the list.
    pub number: u32,
    /// Who writes the files, and why they differ.
    pub summary: &'static str,
    /// What becomes of whoever looks for them.
    pub effect: &'static str,
    /// What is done to them.
    pub action: Action,
    /// The files, as patterns of absolute paths.
    pub paths: &'static [&'static str],
}

const fn drop(
    name: &'static str,
    summary: &'static str,
    effect: &'static str,
    paths: &'static [&'static str],
) -> Profile {
    Profile { name, number: 1, summary, effect, action: Action::Drop, paths }
}

/// All profiles, sorted by name, then number.
pub const PROFILES: &[Profile] = &[
    drop(
        "alternatives-log",
        "update-alternatives logs each link with the time",
        "nothing reads it",
        &["/var/log/alternatives.log"],
    ),
    drop(
        "apk-cache",
        "apk keeps the index of the day",
        "`apk update` fetches it again, `apk add --no-cache` needs none",
        &["/etc/apk/cache/APKINDEX.*.tar.gz", "/var/cache/apk/APKINDEX.*.tar.gz"],
    ),
    drop("apk-log", "apk logs its transactions with the time", "nothing reads it", &["/var/log/apk.log"]),
    drop(
        "apt-cache",
        "apt's caches of parsed indexes hold pointers and hashes that differ in every process",
        "apt makes them again when it needs them",
        &["/var/cache/apt/pkgcache.bin", "/var/cache/apt/srcpkgcache.bin"],
    ),
    drop(
        "apt-log",
        "apt logs commands and terminal output with the time",
        "nothing reads it",
        &["/var/log/apt/eipp.log.xz", "/var/log/apt/history.log", "/var/log/apt/term.log"],
    ),
    drop("bootstrap-log", "debootstrap logs the making of a root", "nothing reads it", &["/var/log/bootstrap.log"]),
    drop(
        "cargo-cache",
        "cargo notes when it last used each crate, and in any order what it asked the compiler",
        "cargo asks and counts anew; crates and what was built stay",
        &[
            "/**/target/.rustc_info.json",
            "/home/*/.cargo/.global-cache",
            "/root/.cargo/.global-cache",
            "/usr/local/cargo/.global-cache",
        ],
    ),
    drop(
        "dnf-cache",
        "dnf and yum keep indexes of the day, their times and solver caches",
        "dnf fetches them again",
        &["/var/cache/dnf/**", "/var/cache/libdnf5/**", "/var/cache/yum/**"],
    ),
    drop(
        "dnf-history",
        "dnf's history of transactions holds times, and its counters the week",
        "`dnf history` starts anew; installing and removing work from the rpm database",
        &[
            "/usr/lib/sysimage/libdnf5/transaction_history.sqlite",
            "/usr/lib/sysimage/libdnf5/transaction_history.sqlite-shm",
            "/usr/lib/sysimage/libdnf5/transaction_history.sqlite-wal",
            "/var/lib/dnf/history.sqlite",
            "/var/lib/dnf/history.sqlite-shm",
            "/var/lib/dnf/history.sqlite-wal",
            "/var/lib/dnf/repos/*/countme",
        ],
    ),
    drop(
        "dnf-log",
        "dnf, microdnf, yum and their libraries log with the time",
        "nothing reads it",
        &[
            "/var/log/dnf.librepo.log",
            "/var/log/dnf.log",
            "/var/log/dnf.rpm.log",
            "/var/log/dnf5.log",
            "/var/log/hawkey.log",
            "/var/log/yum.log",
        ],
    ),
    drop(
        "dpkg-backup",
        "dpkg and debconf keep the state before the last one",
        "they are remade with the next change; nothing reads them unless a person restores one",
        &[
            "/var/cache/debconf/*.dat-old",
            "/var/lib/dpkg/diversions-old",
            "/var/lib/dpkg/statoverride-old",
            "/var/lib/dpkg/status-old",
        ],
    ),
    drop("dpkg-log", "dpkg logs each step with the time", "nothing reads it", &["/var/log/dpkg.log"]),
    drop(
        "fontconfig-cache",
        "fontconfig's caches hold times and follow the order of directories",
        "they are made again when a program looks for a font",
        &[
            "/root/.cache/fontconfig/**",
            "/usr/lib/fontconfig/cache/*.cache-*",
            "/usr/share/fonts/**/.uuid",
            "/var/cache/fontconfig/*.cache-*",
        ],
    ),
    Profile {
        name: "git-dir",
        number: 1,
        summary: "git notes in a clone what the file system said of each file, and logs with the time",
        effect: "the index stays, and the next `git status` fills it in again; `git reflog` starts anew",
        action: Action::ForgetClone,
        paths: &["/**/.git/index", "/**/.git/logs/**", "/**/.git/modules/**/index", "/**/.git/modules/**/logs/**"],
    },
    drop(
        "go-telemetry",
        "go counts by day how often its programs ran, from a weekday that it draws",
        "go starts to count anew; its setting stays, nothing else reads the counts",
        &["/home/*/.config/go/telemetry/local/**", "/root/.config/go/telemetry/local/**"],
    ),
    drop(
        "ldconfig-cache",
        "ldconfig's helper cache holds inode numbers and times",
        "ldconfig makes it again; programs read `/etc/ld.so.cache`, which stays",
        &["/var/cache/ldconfig/aux-cache"],
    ),
    drop(
        "machine-id",
        "systemd and dbus give the machine a random identity",
        "it is made when the system or dbus first starts",
        &["/etc/machine-id", "/var/lib/dbus/machine-id"],
    ),
    drop(
        "man-db",
        "mandb's index of manual pages holds times",
        "`man` works without it, `mandb` makes it again",
        &["/var/cache/man/**"],
    ),
    drop(
        "node-compile-cache",
        "npm and others have node keep compiled code, other bytes in every run",
        "node compiles again; NODE_DISABLE_COMPILE_CACHE in `run-env` keeps it from writing the files at all",
        &["/tmp/node-compile-cache/**"],
    ),
    drop(
        "npm-cache",
        "npm keeps downloads with the time they were fetched, and when it last looked for updates",
        "npm fetches them again",
        &[
            "/home/*/.npm/_cacache/**",
            "/home/*/.npm/_update-notifier-last-checked",
            "/root/.npm/_cacache/**",
            "/root/.npm/_update-notifier-last-checked",
        ],
    ),
    drop(
        "npm-log",
        "npm writes a log of each run, the time in its name",
        "nothing reads it",
        &["/home/*/.npm/_logs/**", "/root/.npm/_logs/**"],
    ),
    drop("pacman-log", "pacman logs its transactions with the time", "nothing reads it", &["/var/log/pacman.log"]),
    drop(
        "pip-cache",
        "pip keeps downloads and the time of its last look for a newer pip",
        "pip fetches them again",
        &["/home/*/.cache/pip/**", "/root/.cache/pip/**"],
    ),
    drop(
        "pyc",
        "Python's compiled files hold the time of their source and follow the order of compiling",
        "Python compiles again in memory, or on disk where it may write",
        &["/**/__pycache__/*.pyc"],
    ),
    drop(
        "python-history",
        "Python's shell keeps what was typed",
        "nothing else reads it",
        &["/home/*/.python_history", "/root/.python_history"],
    ),
    drop(
        "root-cache",
        "programs run by root keep caches in its home",
        "each program makes its own again",
        &["/root/.cache/**"],
    ),
    drop(
        "rpm-lock",
        "rpm's memory maps and locks beside its database",
        "rpm makes them again; the database stays",
        &[
            "/root/.rpmdb/.rpm.lock",
            "/root/.rpmdb/rpmdb.sqlite-shm",
            "/usr/lib/sysimage/rpm/.rpm.lock",
            "/usr/lib/sysimage/rpm/rpmdb.sqlite-shm",
            "/var/lib/rpm/.dbenv.lock",
            "/var/lib/rpm/.rpm.lock",
            "/var/lib/rpm/__db.00?",
            "/var/lib/rpm/rpmdb.sqlite-shm",
        ],
    ),
    drop(
        "shadow-backup",
        "account tools keep the state before the last change, with its day",
        "nothing reads them unless a person restores one",
        &["/etc/group-", "/etc/gshadow-", "/etc/passwd-", "/etc/shadow-", "/etc/subgid-", "/etc/subuid-"],
    ),
    Profile {
        name: "shadow-day",
        number: 1,
        summary: "account tools note the day of the last password change; it becomes the same day in every build",
        effect: "the file stays, with day 19000 (2022-01-08) in the third field of each line that had a day",
        action: Action::FixShadowDays,
        paths: &["/etc/shadow"],
    },
    drop(
        "shell-history",
        "shells keep what was typed",
        "nothing else reads it",
        &[
            "/home/*/.ash_history",
            "/home/*/.bash_history",
            "/home/*/.zsh_history",
            "/root/.ash_history",
            "/root/.bash_history",
            "/root/.zsh_history",
        ],
    ),
    drop(
        "update-stamp",
        "systemd notes when `/etc` and `/var` were last brought up to date",
        "systemd makes them again when it boots",
        &["/etc/.updated", "/var/.updated"],
    ),
    drop(
        "wget-hsts",
        "wget notes when each host asked for HTTPS",
        "wget starts a new list",
        &["/.wget-hsts", "/home/*/.wget-hsts", "/root/.wget-hsts"],
    ),
];

#[cfg(test)]
mod tests {
    use super::super::Rule;
    use super::*;
    use crate::digest::Digest;

    #[test]
    fn profiles_are_sorted_numbered_and_readable() {
        assert!(PROFILES.is_sorted_by_key(|profile| (profile.name, profile.number)));
        for profile in PROFILES {
            let numbers: Vec<u32> = PROFILES.iter().filter(|p| p.name == profile.name).map(|p| p.number).collect();
            assert_eq!(numbers, (1..=numbers.len() as u32).collect::<Vec<_>>(), "{}", profile.name);
            assert!(!profile.paths.is_empty());
            for text in [profile.summary, profile.effect] {
                assert!(!text.is_empty() && !text.ends_with('.') && !text.contains('|'), "{}", profile.name);
            }
            for path in profile.paths {
                Rule::parse(path).unwrap();
            }
        }
    }

    #[test]
    fn published_lists_stay_as_they_are() {
        let mut all = String::new();
        for Profile { name, number, action, paths, .. } in PROFILES {
            all.push_str(&format!("{name}/{number} {action:?} {}\n", paths.join(" ")));
        }
        // A new list is a new line at its place; this value may change only together with an added line.
        assert_eq!(PROFILES.len(), 32);
        assert_eq!(Digest::of(all.as_bytes()).hex()[..16], *"223d43336dd80ce8");
    }

    #[test]
    fn no_profile_names_what_programs_need() {
        for path in [
            "etc/passwd",
            "etc/shadow",
            "etc/group",
            "etc/ld.so.cache",
            "etc/apk/world",
            "lib/apk/db/installed",
            "lib/apk/db/scripts.tar",
            "var/lib/dpkg/status",
            "var/lib/dpkg/info/apt.list",
            "var/lib/rpm/rpmdb.sqlite",
            "usr/lib/sysimage/rpm/rpmdb.sqlite",
            "usr/lib/sysimage/rpm/rpmdb.sqlite-wal",
            "var/lib/pacman/local/a/desc",
            "var/lib/apt/extended_states",
            "var/lib/apt/lists/a_InRelease",
            "var/cache/debconf/config.dat",
            "usr/lib/python3/dist-packages/a.py",
            "usr/lib/python3/dist-packages/a.dist-info/RECORD",
            "root/.bashrc",
            "etc/fonts/fonts.conf",
            "usr/lib/node_modules/npm/package.json",
            "var/log/app.log",
        ] {
            for profile in PROFILES.iter().filter(|profile| profile.action == Action::Drop) {
                let rule = Rule::parse(profile.name).unwrap();
                assert!(!rule.matches(path.as_bytes()), "{} {path}", profile.name);
            }
        }
    }
}
