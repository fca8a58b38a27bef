//! Which instruction takes a file of the context.

use crate::lint::file::File;
use crate::lint::span::Span;
use crate::lint::wildcard::matches;

/// The first COPY or ADD whose source takes the path along.
pub(super) fn copied(file: &File<'_>, path: &str) -> Option<Span> {
    file.transfers().filter(|(_, _, from)| from.is_empty()).find_map(|(placed, transfer, _)| {
        let source = transfer.sources.iter().find(|source| {
            let expanded = file.expand(placed.stage.index, placed.position, source);
            !expanded.text.contains("://") && takes(&expanded.text, path)
        });
        source.map(|source| placed.span_of(&source.lossy()))
    })
}

fn takes(source: &str, path: &str) -> bool {
    let mut wanted = path.split('/');
    source
        .split('/')
        .filter(|part| !matches!(*part, "" | "."))
        .all(|part| wanted.next().is_some_and(|next| matches(part, next)))
}
