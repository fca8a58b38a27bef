//! What would make a path the same in every build: a scrub profile, a variable for RUN, a change of the Dockerfile.

use crate::compare::{Aspect, PathDifference, Presence};
use crate::scrub::Rule;

/// One change that makes, or may make, a path the same in every build.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mend {
    /// This scrub profile, in its newest number: tried on both builds.
    Scrub(&'static str),
    /// This variable in `run-env`.
    RunEnv {
        /// Its name.
        name: &'static str,
        /// Its value, as a manifest spells it.
        value: &'static str,
        /// What it does.
        effect: &'static str,
    },
    /// A change of the Dockerfile.
    Dockerfile(&'static str),
}

const EPOCH: &str = "SOURCE_DATE_EPOCH";

const fn epoch(effect: &'static str) -> Mend {
    Mend::RunEnv { name: EPOCH, value: "epoch", effect }
}

/// Mends by path, the first that fits: patterns as `scrub` takes them.
const BY_PATH: &[(&[&str], Mend)] = &[
    (
        &["/var/lib/rpm/**", "/usr/lib/sysimage/rpm/**", "/root/.rpmdb/**"],
        epoch("rpm 4.18 and newer note it as the time of installing; older ones need another base"),
    ),
    (
        &["/var/lib/pacman/local/*/desc"],
        Mend::Dockerfile("end the RUN with `sed -i '/^%INSTALLDATE%$/{n;s/.*/0/}' /var/lib/pacman/local/*/desc`"),
    ),
    (
        &["/etc/pacman.d/gnupg/**", "/**/.gnupg/**"],
        Mend::Dockerfile(
            "remove the keyring in the same RUN, or make it in a stage of its own and copy public keys only",
        ),
    ),
    (
        &["/lib/apk/db/**", "/usr/lib/apk/db/**", "/etc/apk/world"],
        Mend::Dockerfile("give virtual packages a version: `apk add --virtual NAME=0`"),
    ),
    (
        &["/etc/ssh/ssh_host_*", "/etc/ssl/private/**", "/**/*.key", "/**/*.pem"],
        Mend::Dockerfile(
            "a key made while building is everybody's: remove it in the same RUN, make it at the first start",
        ),
    ),
    (
        &["/var/lib/apt/lists/**", "/lib/apt/lists/**"],
        Mend::Dockerfile(
            "end the RUN with `rm -rf /var/lib/apt/lists/*`, or lock the downloads with `network = \"locked\"`",
        ),
    ),
    (&["/**/cacerts"], Mend::Dockerfile("a Java keystore holds the times of its imports: copy one that was made once")),
    (&["/**/*.pyc"], epoch("Python then compiles with a hash of the source in place of its time")),
    (
        &["/**/*.jar", "/**/*.war", "/**/*.zip", "/**/*.whl", "/**/*.egg"],
        epoch("many tools write it in place of the clock; `zip` needs `-X` and files that were touched"),
    ),
    (&["/**/*.gz", "/**/*.tgz"], Mend::Dockerfile("`gzip -n` leaves name and time out; in a pipe set `GZIP=-n`")),
    (
        &["/**/*.tar", "/**/*.tar.*"],
        Mend::Dockerfile("`tar --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner` writes the same every time"),
    ),
    (&["/**/*.a"], Mend::Dockerfile("`ar Drcs` leaves times and owners out")),
    (
        &["/tmp/**", "/var/tmp/**"],
        Mend::Dockerfile("remove it in the same RUN, or give the RUN `--mount=type=tmpfs,target=/tmp`"),
    ),
    (&["/**/.git/**"], Mend::Dockerfile("remove `.git` in the same RUN, or take the source with `ADD`")),
    (&["/var/log/**", "/**/*.log", "/var/cache/**", "/**/.cache/**"], CACHE),
];

const CACHE: Mend = Mend::Dockerfile("remove it in the same RUN, or name its path in `scrub`");
const CACHE_FOLDER: Mend = Mend::Dockerfile(
    "remove the cache in the same RUN, or tell the tool to keep none: `scrub` leaves out files, never folders or links",
);

const CONTENT: Mend = Mend::Dockerfile(
    "the RUN writes a time, a random value or the order of a folder: derive it from `SOURCE_DATE_EPOCH`, sort it, or remove it",
);
const NAME: Mend = Mend::Dockerfile(
    "only one build left it: if its name is made at random, remove it in the same RUN or name it yourself",
);
const OWNER: Mend = Mend::Dockerfile("give users and groups fixed numbers (`useradd -u`, `groupadd -g`)");
const MTIME: Mend = Mend::Dockerfile("set its time in the same RUN (`touch -d @0`): times before the epoch are kept");
const OTHER: Mend = Mend::Dockerfile("make it in a way that gives the same every time, or remove it in the same RUN");

/// What may mend a path that no scrub profile mends. RUN sees the epoch already if `sees_epoch`.
pub(super) fn mends(path: &[u8], difference: &PathDifference, sees_epoch: bool) -> Vec<Mend> {
    let names = |pattern: &&str| Rule::parse(pattern).is_ok_and(|rule| rule.matches(path));
    let by_path = BY_PATH.iter().find(|(patterns, _)| patterns.iter().any(names));
    let useful = |mend: &Mend| !(sees_epoch && matches!(mend, Mend::RunEnv { name: EPOCH, .. }));
    if let Some((_, mend)) = by_path.filter(|(_, mend)| useful(mend)) {
        return vec![if *mend == CACHE && !difference.is_file { CACHE_FOLDER } else { *mend }];
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
    let mut mends: Vec<Mend> = Vec::new();
    for mend in difference.aspects.iter().map(of_aspect) {
        if !mends.contains(&mend) {
            mends.push(mend);
        }
    }
    mends
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_pattern_can_be_read_and_texts_are_of_one_line() {
        for (patterns, mend) in BY_PATH {
            patterns.iter().for_each(|pattern| assert!(Rule::parse(pattern).is_ok(), "{pattern}"));
            let (Mend::Dockerfile(text) | Mend::RunEnv { effect: text, .. }) = mend else { panic!("{mend:?}") };
            assert!(!text.ends_with('.') && !text.contains('\n'), "{text}");
        }
    }

    #[test]
    fn a_path_gets_the_mend_of_its_kind_and_others_that_of_what_differs() {
        let of = |path: &str, presence, aspects: &[Aspect], sees_epoch| {
            let aspects = aspects.iter().copied().collect();
            mends(path.as_bytes(), &PathDifference { presence, aspects, is_file: true }, sees_epoch)
        };
        let content = |path, sees_epoch| of(path, Presence::Both, &[Aspect::Content], sees_epoch);
        assert!(matches!(content("var/lib/rpm/rpmdb.sqlite", false)[..], [Mend::RunEnv { name: EPOCH, .. }]));
        assert_eq!(content("var/lib/rpm/rpmdb.sqlite", true), [CONTENT], "what is there already is not proposed");
        assert!(
            matches!(content("var/lib/pacman/local/a-1/desc", false)[..], [Mend::Dockerfile(text)] if text.contains("INSTALLDATE"))
        );
        assert_eq!(content("stamp", false), [CONTENT]);
        assert_eq!(content("root/.cache/a/b", false), [CACHE]);
        let folder = PathDifference { presence: Presence::First, aspects: BTreeSet::new(), is_file: false };
        assert_eq!(mends(b"root/.cache/a", &folder, false), [CACHE_FOLDER]);
        assert_eq!(of("x", Presence::Second, &[], false), [NAME]);
        assert_eq!(of("x", Presence::Both, &[Aspect::Owner, Aspect::Mtime], false), [OWNER, MTIME]);
        assert_eq!(of("x", Presence::Both, &[Aspect::Kind, Aspect::Mode], false), [OTHER]);
    }
}
