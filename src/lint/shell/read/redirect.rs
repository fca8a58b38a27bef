//! Redirections and heredocs of a statement.

use tree_sitter::Node;

use super::{Pending, Reader, Unread, is_statement};
use crate::lint::shell::command::{Inside, Redirect, RedirectKind, Word};
use crate::lint::shell::word::gather;
use crate::lint::shell::wrapper::{SHELLS, script_word};
use crate::lint::span::Located;

impl<'t> Reader<'_, '_, 't> {
    pub(super) fn redirected(&mut self, node: Node<'t>, inside: &Inside) -> Result<(), Unread> {
        let first = self.commands.len();
        self.file_redirects(node)?;
        if let Some(body) = node.child_by_field_name("body") {
            self.statement(body, inside)?;
        }
        let last = self.last_from(first, inside);
        let mut cursor = node.walk();
        let redirects: Vec<_> = node.children_by_field_name("redirect", &mut cursor).collect();
        redirects
            .into_iter()
            .filter(|redirect| redirect.kind() == "heredoc_redirect")
            .try_for_each(|heredoc| self.heredoc(heredoc, last, inside))
    }

    /// Notes the redirections of a statement for the command in it that they belong to.
    pub(super) fn file_redirects(&mut self, node: Node<'t>) -> Result<(), Unread> {
        let mut pending = Pending::default();
        let mut cursor = node.walk();
        let redirects: Vec<_> = node.children_by_field_name("redirect", &mut cursor).collect();
        for redirect in redirects {
            if redirect.kind() != "heredoc_redirect" {
                self.redirect(redirect, &mut pending.redirects, &mut pending.extra)?;
                continue;
            }
            let mut cursor = redirect.walk();
            let inner: Vec<_> = redirect.named_children(&mut cursor).collect();
            for child in inner {
                match child.kind() {
                    "file_redirect" | "herestring_redirect" => {
                        self.redirect(child, &mut pending.redirects, &mut pending.extra)?;
                    }
                    "word" | "string" | "raw_string" | "concatenation" | "number" | "simple_expansion"
                    | "expansion" => {
                        pending.extra.push(child);
                    }
                    _ => {}
                }
            }
        }
        let owner = node.child_by_field_name("body").map_or(node, innermost);
        let known = self.pending.entry(owner.id()).or_default();
        known.redirects.extend(pending.redirects);
        known.extra.extend(pending.extra);
        Ok(())
    }

    /// The body of a heredoc, and what stands behind `<<WORD` on its line.
    pub(super) fn heredoc(&mut self, node: Node<'t>, owner: Option<usize>, inside: &Inside) -> Result<(), Unread> {
        let mut cursor = node.walk();
        let children: Vec<_> = node.named_children(&mut cursor).collect();
        let mut is_read = false;
        for child in children {
            match child.kind() {
                "heredoc_body" => {
                    let value = self.source.part(child.byte_range());
                    let span = self.source.span(child.byte_range());
                    if let Some(owner) = owner {
                        let word = Word { value: value.clone(), is_dynamic: false, span };
                        let redirect = Redirect { kind: RedirectKind::Heredoc, descriptor: None, target: word };
                        self.commands[owner].redirects.push(redirect);
                        // With a pipe after it, the shell that reads the body may be the next command.
                        let reader = self.commands[owner].feeds.filter(|_| self.commands[owner].name == "cat");
                        is_read = self.read_input(reader.unwrap_or(owner), &value)?;
                    }
                    if !is_read {
                        let mut nested = Vec::new();
                        gather(child, &Located::default(), &mut nested, 0);
                        self.substitutions(&nested, owner, 1)?;
                    }
                }
                "pipeline" => {
                    let first = self.commands.len();
                    self.statement(child, inside)?;
                    if let Some(owner) = owner {
                        self.connect(owner..owner + 1, first, inside);
                    }
                }
                kind if is_statement(kind) => self.statement(child, inside)?,
                _ => {}
            }
        }
        Ok(())
    }

    /// A script that a shell reads from its input; false if the command is no such shell.
    pub(super) fn read_input(&mut self, reader: usize, body: &Located) -> Result<bool, Unread> {
        let command = &self.commands[reader];
        let is_shell = SHELLS.contains(&command.name.as_str()) && script_word(&command.name, &command.words).is_none();
        if !is_shell
            || command.operands_without(&["-o", "-O"]).iter().any(|word| word.text() != "-") && !command.short('s', "")
        {
            return Ok(false);
        }
        self.script(body, reader)?;
        Ok(true)
    }

    pub(super) fn redirect(
        &mut self,
        node: Node<'t>,
        into: &mut Vec<Redirect>,
        extra: &mut Vec<Node<'t>>,
    ) -> Result<(), Unread> {
        let descriptor = node.child_by_field_name("descriptor").and_then(|node| self.text(node).parse().ok());
        let mut cursor = node.walk();
        let operator = node.children(&mut cursor).find(|child| !child.is_named()).map_or("", |child| child.kind());
        let kind = match (node.kind(), operator) {
            ("herestring_redirect", _) => RedirectKind::HereString,
            (_, ">>" | "&>>") => RedirectKind::Append,
            (_, "<") => RedirectKind::Input,
            (_, ">&" | "<&" | ">&-" | "<&-") => RedirectKind::Duplicate,
            _ => RedirectKind::Output,
        };
        let mut cursor = node.walk();
        let mut targets: Vec<_> = node.children_by_field_name("destination", &mut cursor).collect();
        if targets.is_empty() {
            let mut cursor = node.walk();
            targets = node.named_children(&mut cursor).filter(|child| child.kind() != "file_descriptor").collect();
        }
        let mut targets = targets.into_iter();
        if let Some(target) = targets.next() {
            let (word, nested) = self.word(target);
            let kind = match kind {
                // `>&FILE` is `&>FILE`.
                RedirectKind::Duplicate
                    if operator == ">&" && word.text().parse::<u32>().is_err() && word.text() != "-" =>
                {
                    RedirectKind::Output
                }
                kind => kind,
            };
            into.push(Redirect { kind, descriptor, target: word });
            self.substitutions(&nested, None, 0)?;
        }
        extra.extend(targets);
        Ok(())
    }
}

/// The statement that a redirection after `a && b | c` belongs to: the last simple one.
fn innermost(node: Node<'_>) -> Node<'_> {
    let mut node = node;
    while matches!(node.kind(), "list" | "pipeline" | "negated_command" | "redirected_statement") {
        let next = if node.kind() == "redirected_statement" {
            node.child_by_field_name("body")
        } else {
            let mut cursor = node.walk();
            node.named_children(&mut cursor).filter(|child| child.kind() != "comment").last()
        };
        let Some(next) = next else { break };
        node = next;
    }
    node
}
pub(super) fn has_heredoc(node: Node<'_>) -> bool {
    let mut cursor = node.walk();
    node.children_by_field_name("redirect", &mut cursor).any(|redirect| redirect.kind() == "heredoc_redirect")
}
