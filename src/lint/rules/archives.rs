//! What commands that pack archives are told.

use crate::lint::shell::Command;

/// The letters that say what tar does: the first word without a dash, or the options.
fn tar_letters(command: &Command) -> String {
    let first = command.words.first().map_or("", |word| word.text());
    let old = (!first.starts_with('-')
        && !first.is_empty()
        && first.len() < 12
        && first.chars().all(|c| c.is_ascii_alphabetic()))
    .then_some(first);
    let clusters =
        command.words.iter().map(|word| word.text()).filter(|text| text.starts_with('-') && !text.starts_with("--"));
    // The file of `-f` in a cluster is the next word; a value that is joined to it would be read as letters.
    old.into_iter()
        .chain(clusters)
        .flat_map(|text| {
            let letters = text.trim_start_matches('-');
            letters
                .split_inclusive(['f', 'C', 'T', 'X', 'I', 'b', 'H', 'g', 'V', 'K', 'N', 'F', 'L'])
                .next()
                .unwrap_or_default()
                .chars()
        })
        .collect()
}

/// tar writes an archive.
pub(super) fn tar_creates(command: &Command) -> bool {
    let letters = tar_letters(command);
    let reads = letters.contains(['x', 't', 'd'])
        || command.any_long(&["--extract", "--get", "--list", "--diff", "--compare", "--delete"]);
    command.is(&["tar", "gtar", "bsdtar"])
        && !reads
        && (letters.contains(['c', 'r', 'u']) || command.any_long(&["--create", "--append", "--update", "--catenate"]))
}

/// tar reads one.
pub(super) fn tar_extracts(command: &Command) -> bool {
    command.is(&["tar", "gtar", "bsdtar"])
        && (tar_letters(command).contains('x') || command.any_long(&["--extract", "--get"]))
}

/// The archive that tar works on; none for its input or output.
pub(super) fn tar_file(command: &Command) -> Option<&str> {
    let by_long = command.text_of(&["--file"]);
    let at = command.words.iter().enumerate().find_map(|(index, word)| {
        let text = word.text();
        let is_old = index == 0 && !text.starts_with('-');
        if !is_old && (!text.starts_with('-') || text.starts_with("--")) {
            return None;
        }
        let letters = text.trim_start_matches('-');
        let at = letters.find('f')?;
        let rest = &letters[at + 1..];
        if rest.is_empty() || is_old { command.words.get(index + 1).map(|word| word.text()) } else { Some(rest) }
    });
    by_long.or(at).filter(|file| *file != "-")
}
