//! Compilers of C and what drives them.

use crate::lint::shell::{Command, Word};

/// The command is a compiler.
pub(super) fn is_compiler(command: &Command) -> bool {
    let name = command.name.as_str();
    let versioned = |stem: &str| {
        name.strip_prefix(stem).is_some_and(|rest| {
            rest.is_empty()
                || rest.strip_prefix('-').is_some_and(|rest| rest.bytes().all(|b| b.is_ascii_digit() || b == b'.'))
        })
    };
    ["gcc", "g++", "clang", "clang++", "cc", "c++", "gfortran"].iter().any(|stem| versioned(stem))
        || ["-gcc", "-g++", "-clang"].iter().any(|end| name.ends_with(end))
}

/// The command drives one.
pub(super) fn is_build(command: &Command) -> bool {
    command.is(&["make", "gmake", "cmake", "meson", "configure", "ninja"])
}

/// Everything it is told, words of variables such as CFLAGS one by one.
pub(super) fn told(command: &Command) -> Vec<&str> {
    let words = command.words.iter().map(Word::text);
    let values = command.assignments.iter().map(|assignment| assignment.value.text());
    words
        .chain(values)
        .flat_map(|text| {
            text.split_once('=')
                .filter(|(name, _)| name.ends_with("FLAGS"))
                .map_or(text, |(_, value)| value)
                .split_whitespace()
        })
        .collect()
}
