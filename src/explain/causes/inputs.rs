//! Causes in what went into the build.

use super::cause::{Cause, Class};

/// These causes, sorted by code.
pub(super) const CAUSES: &[Cause] = &[
    Cause {
        code: "C001",
        name: "image-moved",
        class: Class::Security,
        sentence: "the base image is another one",
        help: "use the locked base, or lock it anew with `repro lock --update`",
        fix: None,
    },
    Cause {
        code: "C002",
        name: "frontend-moved",
        class: Class::Security,
        sentence: "another frontend read the Dockerfile",
        help: "lock the frontend that `# syntax=` names",
        fix: None,
    },
    Cause {
        code: "C003",
        name: "source-moved",
        class: Class::Security,
        sentence: "an outside source gave other bytes",
        help: "look at what upstream changed, then lock it anew",
        fix: None,
    },
    Cause {
        code: "C004",
        name: "engine-differs",
        class: Class::Content,
        sentence: "another engine built it",
        help: "build both with the same engine",
        fix: None,
    },
    Cause {
        code: "C005",
        name: "epoch-differs",
        class: Class::Content,
        sentence: "all times are shifted: the two were built for another SOURCE_DATE_EPOCH",
        help: "take the epoch from the lockfile",
        fix: None,
    },
    Cause {
        code: "C006",
        name: "args-differ",
        class: Class::Content,
        sentence: "a build argument has another value",
        help: "put its value under `args` in repro.toml",
        fix: None,
    },
    Cause {
        code: "C007",
        name: "context-differs",
        class: Class::Security,
        sentence: "the files given to the build are not the same",
        help: "check out the commit that the record names",
        fix: None,
    },
    Cause {
        code: "C008",
        name: "platform-missing",
        class: Class::Content,
        sentence: "only one side has an image for this platform",
        help: "build all platforms that `platforms` in repro.toml lists",
        fix: None,
    },
    Cause {
        code: "C009",
        name: "other-digest",
        class: Class::Security,
        sentence: "the digest is another one than the recorded one, which says no more than that",
        help: "`repro verify` builds the image anew and explains what differs",
        fix: None,
    },
];
