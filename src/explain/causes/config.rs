//! Causes in the config and its history.

use super::cause::{Cause, Class};

/// These causes, sorted by code.
pub(super) const CAUSES: &[Cause] = &[
    Cause {
        code: "C020",
        name: "created",
        class: Class::Benign,
        sentence: "the time of building is in the config",
        help: "give SOURCE_DATE_EPOCH to the build",
        fix: None,
    },
    Cause {
        code: "C021",
        name: "history-text",
        class: Class::Benign,
        sentence: "another frontend worded the same instruction",
        help: "build both with the same frontend",
        fix: None,
    },
    Cause {
        code: "C022",
        name: "history-shape",
        class: Class::Content,
        sentence: "the instructions are not the same",
        help: "compare the two Dockerfiles",
        fix: None,
    },
    Cause {
        code: "C023",
        name: "runtime-config",
        class: Class::Security,
        sentence: "a container starts differently",
        help: "find the instruction that sets it",
        fix: None,
    },
    Cause {
        code: "C024",
        name: "labels",
        class: Class::Content,
        sentence: "a label differs",
        help: "a label that holds a time or a commit belongs into an annotation",
        fix: None,
    },
    Cause {
        code: "C025",
        name: "platform-fields",
        class: Class::Content,
        sentence: "the platform is described differently",
        help: "build both with the same engine",
        fix: None,
    },
    Cause {
        code: "C026",
        name: "extra-key",
        class: Class::Packaging,
        sentence: "one side has data of a tool in its config",
        help: "build both with the same engine and the same options",
        fix: None,
    },
    Cause {
        code: "C027",
        name: "other-engine",
        class: Class::Content,
        sentence: "another tool built it: its digests never agree",
        help: "build both with the same engine",
        fix: None,
    },
    Cause {
        code: "C028",
        name: "time-rule",
        class: Class::Content,
        sentence: "another rule for times was asked for",
        help: "give the same `--timestamp` or `--source-date-epoch` to both builds",
        fix: None,
    },
    Cause {
        code: "C029",
        name: "other-config",
        class: Class::Content,
        sentence: "the config differs in another field",
        help: "look at the field",
        fix: None,
    },
];
