//! Causes in any content, and what is said where there is no cause.

use super::cause::{Cause, Class};

/// These causes, sorted by code.
pub(super) const CAUSES: &[Cause] = &[
    Cause {
        code: "C115",
        name: "line-order",
        class: Class::Benign,
        sentence: "the same lines in another order",
        help: "sort the list with `LC_ALL=C sort`",
        fix: None,
    },
    Cause {
        code: "C116",
        name: "line-endings",
        class: Class::Content,
        sentence: "other line ends",
        help: "say `eol=lf` in `.gitattributes`",
        fix: None,
    },
    UNEXPLAINED,
    Cause {
        code: "C121",
        name: "limit-reached",
        class: Class::Security,
        sentence: "it was not compared to its end: a limit was reached",
        help: "raise the limit that is named with `--limit`",
        fix: None,
    },
];

/// What is said where nothing else is known.
pub(super) const UNEXPLAINED: Cause = Cause {
    code: "C120",
    name: "unexplained",
    class: Class::Security,
    sentence: "the content differs, and no known cause explains it",
    help: "look at what differs; if RUN makes it, derive it from `SOURCE_DATE_EPOCH`, sort it, or remove it",
    fix: None,
};
