//! Known causes of a difference between two builds, by the path that differs or by what differs in it.

use super::Fix;
use crate::compare::{Aspect, PathDifference, Presence};
use crate::scrub::Rule;

const EPOCH: &str = "SOURCE_DATE_EPOCH";

const fn epoch(effect: &'static str) -> Fix {
    Fix::RunEnv { name: EPOCH, value: "epoch", effect }
}

/// Causes by path, the first that fits: patterns as `scrub` takes them.
const BY_PATH: &[(&[&str], Fix)] = &[
    (
        &["/var/lib/rpm/**", "/usr/lib/sysimage/rpm/**", "/root/.rpmdb/**"],
        epoch("rpm 4.18 and newer note it as the time of installing; older ones need another base"),
    ),
    (
        &["/var/lib/pacman/local/*/desc"],
        Fix::Dockerfile("end the RUN with `sed -i '/^%INSTALLDATE%$/{n;s/.*/0/}' /var/lib/pacman/local/*/desc`"),
    ),
    (
        &["/etc/pacman.d/gnupg/**", "/**/.gnupg/**"],
        Fix::Dockerfile(
            "remove the keyring in the same RUN, or make it in a stage of its own and copy public keys only",
        ),
    ),
    (
        &["/lib/apk/db/**", "/usr/lib/apk/db/**", "/etc/apk/world"],
        Fix::Dockerfile("end the RUN with `apk del NAME`: the checksum of a virtual package holds apk's process id"),
    ),
    (
        &["/etc/ssh/ssh_host_*", "/etc/ssl/private/**", "/**/*.key", "/**/*.pem"],
        Fix::Dockerfile(
            "a key made while building is everybody's: remove it in the same RUN, make it at the first start",
        ),
    ),
    (
        &["/var/lib/apt/lists/**", "/lib/apt/lists/**"],
        Fix::Dockerfile(
            "end the RUN with `rm -rf /var/lib/apt/lists/*`, or lock the downloads with `network = \"locked\"`",
        ),
    ),
    (&["/**/cacerts"], Fix::Dockerfile("a Java keystore holds the times of its imports: copy one that was made once")),
    (&["/**/*.pyc"], epoch("Python then compiles with a hash of the source in place of its time")),
    (
        &["/**/*.jar", "/**/*.war", "/**/*.zip", "/**/*.whl", "/**/*.egg"],
        epoch("many tools write it in place of the clock; `zip` needs `-X` and files that were touched"),
    ),
    (&["/**/*.gz", "/**/*.tgz"], Fix::Dockerfile("`gzip -n` leaves name and time out; in a pipe set `GZIP=-n`")),
    (
        &["/**/*.tar", "/**/*.tar.*"],
        Fix::Dockerfile("`tar --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner` writes the same every time"),
    ),
    (&["/**/*.a"], Fix::Dockerfile("`ar Drcs` leaves times and owners out")),
    (
        &["/tmp/**", "/var/tmp/**"],
        Fix::Dockerfile("remove it in the same RUN, or give the RUN `--mount=type=tmpfs,target=/tmp`"),
    ),
    (&["/**/.git/**"], Fix::Dockerfile("remove `.git` in the same RUN, or take the source with `ADD`")),
    (&["/var/log/**", "/**/*.log", "/var/cache/**", "/**/.cache/**"], CACHE),
];

const CACHE: Fix = Fix::Dockerfile("remove it in the same RUN, or name its path in `scrub`");
const CACHE_DIRECTORY: Fix = Fix::Dockerfile(
    "remove the cache in the same RUN, or tell the tool to keep none: `scrub` leaves out files, never directories or links",
);

const CONTENT: Fix = Fix::Dockerfile(
    "the RUN writes a time, a random value or the order of a directory: derive it from `SOURCE_DATE_EPOCH`, sort it, or remove it",
);
const NAME: Fix = Fix::Dockerfile(
    "only one build left it: if its name is made at random, remove it in the same RUN or name it yourself",
);
const OWNER: Fix = Fix::Dockerfile("give users and groups fixed numbers (`useradd -u`, `groupadd -g`)");
const MTIME: Fix = Fix::Dockerfile("set its time in the same RUN (`touch -d @0`): times before the epoch are kept");
const OTHER: Fix = Fix::Dockerfile("make it in a way that gives the same every time, or remove it in the same RUN");

/// What may fix a path that no scrub profile fixes. RUN sees the epoch already if `sees_epoch`.
pub(super) fn fixes(path: &[u8], difference: &PathDifference, sees_epoch: bool) -> Vec<Fix> {
    let names = |pattern: &&str| Rule::parse(pattern).is_ok_and(|rule| rule.matches(path));
    let by_path = BY_PATH.iter().find(|(patterns, _)| patterns.iter().any(names));
    let useful = |fix: &Fix| !(sees_epoch && matches!(fix, Fix::RunEnv { name: EPOCH, .. }));
    if let Some((_, fix)) = by_path.filter(|(_, fix)| useful(fix)) {
        return vec![if *fix == CACHE && !difference.is_file { CACHE_DIRECTORY } else { *fix }];
    }
    if difference.presence != Presence::Both {
        return vec![NAME];
    }
    let of_aspect = |aspect: &Aspect| match aspect {
        Aspect::Content => CONTENT,
        Aspect::Owner => OWNER,
        Aspect::Mtime => MTIME,
        _ => OTHER,
    };
    let mut fixes: Vec<Fix> = Vec::new();
    for fix in difference.aspects.iter().map(of_aspect) {
        if !fixes.contains(&fix) {
            fixes.push(fix);
        }
    }
    fixes
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_pattern_can_be_read_and_texts_are_of_one_line() {
        for (patterns, fix) in BY_PATH {
            patterns.iter().for_each(|pattern| assert!(Rule::parse(pattern).is_ok(), "{pattern}"));
            let (Fix::Dockerfile(text) | Fix::RunEnv { effect: text, .. }) = fix else { panic!("{fix:?}") };
            assert!(!text.ends_with('.') && !text.contains('\n'), "{text}");
        }
    }

    #[test]
    fn a_path_gets_the_fix_of_its_kind_and_others_that_of_what_differs() {
        let of = |path: &str, presence, aspects: &[Aspect], sees_epoch| {
            let aspects = aspects.iter().copied().collect();
            fixes(path.as_bytes(), &PathDifference { presence, aspects, is_file: true }, sees_epoch)
        };
        let content = |path, sees_epoch| of(path, Presence::Both, &[Aspect::Content], sees_epoch);
        assert!(matches!(content("var/lib/rpm/rpmdb.sqlite", false)[..], [Fix::RunEnv { name: EPOCH, .. }]));
        assert_eq!(content("var/lib/rpm/rpmdb.sqlite", true), [CONTENT], "what is there already is not proposed");
        assert!(
            matches!(content("var/lib/pacman/local/a-1/desc", false)[..], [Fix::Dockerfile(text)] if text.contains("INSTALLDATE"))
        );
        assert_eq!(content("stamp", false), [CONTENT]);
        assert_eq!(content("root/.cache/a/b", false), [CACHE]);
        let directory = PathDifference { presence: Presence::First, aspects: BTreeSet::new(), is_file: false };
        assert_eq!(fixes(b"root/.cache/a", &directory, false), [CACHE_DIRECTORY]);
        assert_eq!(of("x", Presence::Second, &[], false), [NAME]);
        assert_eq!(of("x", Presence::Both, &[Aspect::Owner, Aspect::Mtime], false), [OWNER, MTIME]);
        assert_eq!(of("x", Presence::Both, &[Aspect::Kind, Aspect::Mode], false), [OTHER]);
    }
}
