//! Words of the tree: quotes and escapes go, variables that are known are put in.

use tree_sitter::Node;

use super::command::Word;
use super::variables::Variables;
use crate::lint::span::Located;

/// Expansions in a word that hold commands, found while it was read: the node, and what stood before it in the word.
pub(super) type Nested<'t> = Vec<(Node<'t>, String)>;

/// Reads words of one text.
pub(super) struct WordReader<'a, 'v> {
    pub(super) source: &'a Located,
    pub(super) variables: &'a Variables<'v>,
}

/// Words inside words deeper than this are taken as they are written.
const DEEPEST: usize = 16;

impl WordReader<'_, '_> {
    /// The word of a node, and the substitutions in it.
    pub(super) fn read<'t>(&self, node: Node<'t>) -> (Word, Nested<'t>) {
        let mut word = Word { span: self.source.span(node.byte_range()), ..Word::default() };
        let mut nested = Vec::new();
        self.push(node, &mut word, &mut nested, 0);
        (word, nested)
    }

    fn push<'t>(&self, node: Node<'t>, word: &mut Word, nested: &mut Nested<'t>, depth: usize) {
        let range = node.byte_range();
        if depth > DEEPEST {
            word.is_dynamic = true;
            return word.value.push_part(self.source, range);
        }
        match node.kind() {
            "raw_string" => word.value.push_part(self.source, inner(range, 1, 1)),
            "ansi_c_string" => word.value.push_part(self.source, inner(range, 2, 1)),
            "string" => self.push_around(node, inner(range, 1, 1), Quoting::Double, word, nested, depth),
            "translated_string" => {
                let mut cursor = node.walk();
                let children: Vec<_> = node.named_children(&mut cursor).collect();
                children.into_iter().for_each(|child| self.push(child, word, nested, depth + 1));
            }
            "concatenation" | "command_name" => self.push_around(node, range, Quoting::None, word, nested, depth),
            "simple_expansion" => self.push_variable(&self.source.text()[range.clone()][1..], range, word),
            "expansion" => {
                let text = &self.source.text()[range.clone()];
                gather(node, &word.value, nested, 0);
                self.push_variable(text.trim_start_matches("${").trim_end_matches('}'), range, word);
            }
            "command_substitution" | "process_substitution" | "arithmetic_expansion" | "array" => {
                gather(node, &word.value, nested, 0);
                word.is_dynamic = true;
                word.value.push_part(self.source, range);
            }
            _ => self.push_plain(range, Quoting::None, word),
        }
    }

    /// The pieces of a node, with the text between them.
    fn push_around<'t>(
        &self,
        node: Node<'t>,
        range: std::ops::Range<usize>,
        quoting: Quoting,
        word: &mut Word,
        nested: &mut Nested<'t>,
        depth: usize,
    ) {
        let mut at = range.start;
        let mut cursor = node.walk();
        let children: Vec<_> =
            node.named_children(&mut cursor).filter(|child| child.kind() != "string_content").collect();
        for child in children {
            if child.start_byte() < at || child.end_byte() > range.end {
                continue;
            }
            self.push_plain(at..child.start_byte(), quoting, word);
            self.push(child, word, nested, depth + 1);
            at = child.end_byte();
        }
        self.push_plain(at..range.end, quoting, word);
    }

    /// Text without expansions: only escapes go.
    fn push_plain(&self, range: std::ops::Range<usize>, quoting: Quoting, word: &mut Word) {
        let Some(text) = self.source.text().get(range.clone()) else { return };
        let mut from = range.start;
        let mut characters = text.char_indices();
        while let Some((at, c)) = characters.next() {
            if c != '\\' {
                continue;
            }
            let at = range.start + at;
            let Some((_, next)) = characters.next() else { break };
            if quoting == Quoting::Double && !matches!(next, '$' | '`' | '"' | '\\' | '\n') {
                continue;
            }
            word.value.push_part(self.source, from..at);
            from = if next == '\n' { at + 2 } else { at + 1 };
        }
        word.value.push_part(self.source, from..range.end);
    }

    /// `NAME`, or what stands in `${…}`.
    fn push_variable(&self, text: &str, range: std::ops::Range<usize>, word: &mut Word) {
        let end = text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(text.len());
        let (name, rest) = text.split_at(end);
        let known = self.variables.get(name).filter(|value| match rest {
            "" => true,
            _ => !value.is_empty() && (rest.starts_with(":-") || rest.starts_with('-') || rest.starts_with(":?")),
        });
        match known {
            Some(value) => {
                let start = self.source.span(range).start;
                word.value.push_all(&value, start);
            }
            None => {
                word.is_dynamic = true;
                word.value.push_part(self.source, range);
            }
        }
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Quoting {
    None,
    Double,
}

fn inner(range: std::ops::Range<usize>, front: usize, back: usize) -> std::ops::Range<usize> {
    let start = (range.start + front).min(range.end);
    start..range.end.saturating_sub(back).max(start)
}

/// The substitutions below a node that is taken as it is written.
pub(super) fn gather<'t>(node: Node<'t>, before: &Located, nested: &mut Nested<'t>, depth: usize) {
    if matches!(node.kind(), "command_substitution" | "process_substitution") {
        nested.push((node, before.text().to_owned()));
        return;
    }
    if depth > DEEPEST {
        return;
    }
    let mut cursor = node.walk();
    let children: Vec<_> = node.named_children(&mut cursor).collect();
    children.into_iter().for_each(|child| gather(child, before, nested, depth + 1));
}
