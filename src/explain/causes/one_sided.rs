//! Causes of files that only one image has, and of those that the builder left.

use super::cause::{Cause, Class};

/// These causes, sorted by code.
pub(super) const CAUSES: &[Cause] = &[
    Cause {
        code: "C050",
        name: "random-name",
        class: Class::Benign,
        sentence: "the same file under a name made at random",
        help: "remove it in the same RUN, or give it a name",
        fix: None,
    },
    Cause {
        code: "C051",
        name: "host-file",
        class: Class::Security,
        sentence: "network settings of the builder are in the image",
        help: "remove it in the same RUN",
        fix: None,
    },
    Cause {
        code: "C052",
        name: "untracked-context",
        class: Class::Security,
        sentence: "a file that git does not track was shipped",
        help: "build from what git tracks, as `repro build` does",
        fix: None,
    },
    Cause {
        code: "C053",
        name: "mount-leftover",
        class: Class::Benign,
        sentence: "the place of a mount was left",
        help: "make it before the RUN that mounts there",
        fix: None,
    },
    Cause {
        code: "C054",
        name: "empty-file",
        class: Class::Content,
        sentence: "one side has the file empty: the builder could not read it",
        help: "make it readable for all",
        fix: None,
    },
    Cause {
        code: "C055",
        name: "new-executable",
        class: Class::Security,
        sentence: "a program that only one side has",
        help: "find out where it comes from before anything else",
        fix: None,
    },
    Cause {
        code: "C056",
        name: "missing-file",
        class: Class::Content,
        sentence: "only one side has it",
        help: "look at what made its layer",
        fix: None,
    },
];
