//! Causes inside programs.

use super::cause::{Cause, Class};
use crate::explain::Fix;

/// These causes, sorted by code.
pub(super) const CAUSES: &[Cause] = &[
    Cause {
        code: "C100",
        name: "elf-build-id",
        class: Class::Benign,
        sentence: "a build id, which follows from something else",
        help: "`-Wl,--build-id=none` leaves it out; fix what differs beside it",
        fix: None,
    },
    Cause {
        code: "C101",
        name: "go-build-id",
        class: Class::Benign,
        sentence: "Go's id of the build",
        help: "build with `-ldflags=-buildid=`",
        fix: Some(Fix::Dockerfile("build with `go build -trimpath -ldflags=-buildid=`")),
    },
    Cause {
        code: "C102",
        name: "go-vcs-stamp",
        class: Class::Benign,
        sentence: "Go writes the state of the checkout into the program",
        help: "build with `-buildvcs=false`",
        fix: Some(Fix::Dockerfile("build with `go build -buildvcs=false`")),
    },
    Cause {
        code: "C103",
        name: "embedded-path",
        class: Class::Benign,
        sentence: "the directory of the build stands in the program",
        help: "build in a directory of one name, or map it (`-ffile-prefix-map=DIR=.`)",
        fix: None,
    },
    Cause {
        code: "C104",
        name: "rust-path",
        class: Class::Benign,
        sentence: "the directory of the build stands in a Rust program",
        help: "build with `--remap-path-prefix`",
        fix: None,
    },
    Cause {
        code: "C105",
        name: "pe-mvid",
        class: Class::Benign,
        sentence: "times and identifiers of one build in a PE file",
        help: "build with `-p:Deterministic=true -p:ContinuousIntegrationBuild=true`",
        fix: None,
    },
    Cause {
        code: "C106",
        name: "embedded-date",
        class: Class::Benign,
        sentence: "the time of compiling stands in the program",
        help: "derive it from SOURCE_DATE_EPOCH",
        fix: Some(Fix::RunEnv {
            name: "SOURCE_DATE_EPOCH",
            value: "epoch",
            effect: "gcc and clang take it for `__DATE__` and `__TIME__`",
        }),
    },
    Cause {
        code: "C107",
        name: "cpu-dependent",
        class: Class::Content,
        sentence: "code that was made for the processor it was built on",
        help: "name the processor (`-march=x86-64-v2`, no `native`)",
        fix: None,
    },
    Cause {
        code: "C108",
        name: "link-order",
        class: Class::Content,
        sentence: "the same parts, linked in another order",
        help: "sort what the linker is given, and fix `-frandom-seed`",
        fix: None,
    },
    Cause {
        code: "C109",
        name: "embedded-host",
        class: Class::Content,
        sentence: "the builder's name or system stands in the program",
        help: "give fixed values for host and user",
        fix: None,
    },
    Cause {
        code: "C110",
        name: "jvm-archive",
        class: Class::Content,
        sentence: "an archive of class data, which holds addresses",
        help: "make it at the first start, or leave it out (`-Xshare:off`)",
        fix: None,
    },
];
