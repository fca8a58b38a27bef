//! The table of causes, as `docs/diff.md` holds it.

use std::fmt::Write;

use crate::explain::causes;

/// The table.
pub fn table() -> String {
    let mut text = "| code | name | class | what | what to do |\n|---|---|---|---|---|\n".to_owned();
    for cause in causes() {
        let cell = |text: &str| text.replace('|', "\\|");
        let (sentence, help) = (cell(cause.sentence), cell(cause.help));
        let _ = writeln!(text, "| {} | {} | {} | {sentence} | {help} |", cause.code, cause.name, cause.class.letter());
    }
    text
}
