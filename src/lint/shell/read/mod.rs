//! From the text of a script to its commands.
//!
//! [`Shell`] parses; [`Reader`] walks the tree statement by statement. `redirect` reads redirections and heredocs, `simple`
//! makes commands of words and looks for scripts in them.

mod redirect;
mod simple;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

use tree_sitter::{Node, ParseOptions, ParseState, Parser, Tree};

use super::command::{Command, Inside, Redirect, Word};
use super::variables::Variables;
use super::word::{Nested, WordReader, gather};
use crate::lint::span::{Located, Span};

/// Groups inside groups deeper than this are not read.
const DEEPEST: usize = 64;
/// How many groups a script inside the script counts as.
const PER_SCRIPT: usize = 8;
/// How often the parser may report that it is still at work on one script: it does so every few hundred steps.
const PATIENCE: u32 = 20_000;
/// Bytes of scripts inside scripts, all together.
const NESTED: usize = 1 << 20;

/// Reads scripts; one for many files.
pub struct Shell {
    parser: Parser,
    nested: usize,
}

/// Why a script was not read: it is no shell that the parser knows, from here on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unread(pub Span);

impl Default for Shell {
    fn default() -> Self {
        let mut parser = Parser::new();
        // Were the grammar of another version than the parser, every script would be told to be unread.
        let _ = parser.set_language(&tree_sitter_bash::LANGUAGE.into());
        Self { parser, nested: NESTED }
    }
}

impl Shell {
    /// The commands of a script, in the order of the text.
    ///
    /// # Errors
    /// The parser doesn't know the text, or it is too deep or too much work.
    pub fn read(&mut self, script: &Located, variables: &mut Variables<'_>) -> Result<Vec<Command>, Unread> {
        let mut commands = Vec::new();
        self.nested = NESTED;
        self.read_into(script, variables, &mut commands, &Inside::Script, 0)?;
        Ok(commands)
    }

    /// The commands of words that run without a shell.
    pub fn read_words(&mut self, words: Vec<Word>, variables: &mut Variables<'_>) -> Result<Vec<Command>, Unread> {
        let mut commands = Vec::new();
        self.nested = NESTED;
        let empty = Located::default();
        let mut reader = Reader::new(self, &empty, variables, &mut commands, 0);
        reader.add(words, Vec::new(), &Inside::Script)?;
        Ok(commands)
    }

    fn read_into(
        &mut self,
        script: &Located,
        variables: &mut Variables<'_>,
        commands: &mut Vec<Command>,
        inside: &Inside,
        depth: usize,
    ) -> Result<(), Unread> {
        let tree = self.parse(script.text()).ok_or(Unread(script.whole()))?;
        let root = tree.root_node();
        if root.has_error() {
            return Err(Unread(script.span(first_error(root).byte_range())));
        }
        let mut reader = Reader::new(self, script, variables, commands, depth);
        reader.statement(root, inside)
    }

    fn parse(&mut self, text: &str) -> Option<Tree> {
        let mut left = PATIENCE;
        let mut progress = |_: &ParseState| {
            left = left.saturating_sub(1);
            if left == 0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        let bytes = text.as_bytes();
        let options = ParseOptions::new().progress_callback(&mut progress);
        let tree =
            self.parser.parse_with_options(&mut |at, _| bytes.get(at..).unwrap_or_default(), None, Some(options));
        if tree.is_none() {
            self.parser.reset();
        }
        tree
    }
}

/// The first node that the grammar could not place.
fn first_error(root: Node<'_>) -> Node<'_> {
    let mut node = root;
    for _ in 0..DEEPEST {
        let mut cursor = node.walk();
        let Some(child) = node.children(&mut cursor).find(|child| child.has_error()) else { break };
        node = child;
    }
    node
}

/// What stands behind a statement in the tree and belongs to a command in it.
#[derive(Default)]
struct Pending<'t> {
    redirects: Vec<Redirect>,
    /// The grammar takes words behind a redirection for further targets of it.
    extra: Vec<Node<'t>>,
}

struct Reader<'a, 'v, 't> {
    shell: &'a mut Shell,
    source: &'a Located,
    variables: &'a mut Variables<'v>,
    commands: &'a mut Vec<Command>,
    functions: BTreeSet<String>,
    /// What belongs to a statement that is read later, by the node's id.
    pending: BTreeMap<usize, Pending<'t>>,
    depth: usize,
}

impl<'a, 'v, 't> Reader<'a, 'v, 't> {
    fn new(
        shell: &'a mut Shell,
        source: &'a Located,
        variables: &'a mut Variables<'v>,
        commands: &'a mut Vec<Command>,
        depth: usize,
    ) -> Self {
        Self { shell, source, variables, commands, functions: BTreeSet::new(), pending: BTreeMap::new(), depth }
    }

    /// Reads a statement and gives its redirections to the commands in it.
    fn statement(&mut self, node: Node<'t>, inside: &Inside) -> Result<(), Unread> {
        if self.depth > DEEPEST {
            return Err(Unread(self.source.span(node.byte_range())));
        }
        let first = self.commands.len();
        self.depth += 1;
        self.read_statement(node, inside)?;
        self.depth -= 1;
        let Some(Pending { redirects, extra }) = self.pending.remove(&node.id()) else { return Ok(()) };
        for command in self.commands[first..].iter_mut().filter(|command| command.inside == *inside) {
            // What the command says itself comes later in the shell, and wins.
            command.redirects.splice(0..0, redirects.iter().cloned());
        }
        let Some(last) = self.last_from(first, inside) else { return Ok(()) };
        for node in extra {
            let (word, nested) = self.word(node);
            self.commands[last].words.push(word);
            let at = self.commands[last].words.len();
            self.substitutions(&nested, Some(last), at)?;
        }
        Ok(())
    }

    fn read_statement(&mut self, node: Node<'t>, inside: &Inside) -> Result<(), Unread> {
        match node.kind() {
            "comment" => Ok(()),
            "command" => self.command(node, inside),
            "declaration_command" | "variable_assignment" | "variable_assignments" | "unset_command" => {
                self.declaration(node, inside)
            }
            "test_command" => self.test(node, inside),
            "list" => self.list(node, inside),
            "pipeline" => self.pipeline(node, inside),
            "redirected_statement" => self.redirected(node, inside),
            "function_definition" => {
                if let Some(name) = node.child_by_field_name("name") {
                    self.functions.insert(self.text(name).to_owned());
                }
                node.child_by_field_name("body").map_or(Ok(()), |body| self.statement(body, inside))
            }
            _ => self.children(node, inside),
        }
    }

    fn text(&self, node: Node<'_>) -> &'a str {
        self.source.text().get(node.byte_range()).unwrap_or_default()
    }

    /// Statements among the children; words there may hold substitutions.
    fn children(&mut self, node: Node<'t>, inside: &Inside) -> Result<(), Unread> {
        let mut cursor = node.walk();
        let children: Vec<_> = node.named_children(&mut cursor).collect();
        for child in children {
            if is_statement(child.kind()) {
                self.statement(child, inside)?;
            } else {
                self.loose_word(child)?;
            }
        }
        Ok(())
    }

    /// A word outside of commands: only what it substitutes counts.
    fn loose_word(&mut self, node: Node<'t>) -> Result<(), Unread> {
        let mut nested = Vec::new();
        gather(node, &Located::default(), &mut nested, 0);
        self.substitutions(&nested, None, 0)
    }

    /// `a && b || c`, however long: the grammar nests to the left, and redirections nest with it.
    fn list(&mut self, node: Node<'t>, inside: &Inside) -> Result<(), Unread> {
        let mut items = Vec::new();
        let mut rest = Some(node);
        while let Some(list) = rest.take() {
            let mut cursor = list.walk();
            let mut children = list.named_children(&mut cursor).filter(|child| child.kind() != "comment");
            let left = children.next();
            let right: Vec<_> = children.collect();
            items.extend(right.into_iter().rev());
            let Some(mut left) = left else { break };
            while left.kind() == "redirected_statement"
                && !redirect::has_heredoc(left)
                && let Some(body) = left.child_by_field_name("body")
            {
                self.file_redirects(left)?;
                left = body;
            }
            if left.kind() == "list" { rest = Some(left) } else { items.push(left) }
        }
        items.into_iter().rev().try_for_each(|item| self.statement(item, inside))
    }

    fn pipeline(&mut self, node: Node<'t>, inside: &Inside) -> Result<(), Unread> {
        let mut cursor = node.walk();
        let children: Vec<_> = node.named_children(&mut cursor).filter(|child| child.kind() != "comment").collect();
        let mut before: Option<std::ops::Range<usize>> = None;
        for child in children {
            let first = self.commands.len();
            self.statement(child, inside)?;
            if let Some(before) = before {
                self.connect(before, first, inside);
            }
            before = Some(first..self.commands.len());
        }
        Ok(())
    }

    /// The commands of one side feed the first of the other.
    fn connect(&mut self, before: std::ops::Range<usize>, first: usize, inside: &Inside) {
        let here = |command: &Command| command.inside == *inside;
        let Some(reader) = (first..self.commands.len()).find(|index| here(&self.commands[*index])) else { return };
        let writer = before.clone().rev().find(|index| here(&self.commands[*index]));
        for index in before {
            if here(&self.commands[index]) && self.commands[index].feeds.is_none() {
                self.commands[index].feeds = Some(reader);
            }
        }
        for command in self.commands[first..].iter_mut().filter(|command| command.inside == *inside) {
            command.reads = command.reads.or(writer);
        }
    }

    /// The last command from `first` on that stands where the statement does.
    fn last_from(&self, first: usize, inside: &Inside) -> Option<usize> {
        (first..self.commands.len()).rev().find(|index| self.commands[*index].inside == *inside)
    }

    fn word(&self, node: Node<'t>) -> (Word, Nested<'t>) {
        WordReader { source: self.source, variables: self.variables }.read(node)
    }

    /// Commands in the substitutions of a word.
    fn substitutions(&mut self, nested: &Nested<'t>, outer: Option<usize>, word: usize) -> Result<(), Unread> {
        for (node, before) in nested {
            let inside = match (node.kind(), outer) {
                ("process_substitution", Some(outer)) => Inside::Process(outer),
                _ => Inside::Substitution { outer, word, before: before.clone() },
            };
            self.statement(*node, &inside)?;
        }
        Ok(())
    }
}

fn is_statement(kind: &str) -> bool {
    kind.ends_with("_statement")
        || kind.ends_with("_clause")
        || matches!(
            kind,
            "command"
                | "declaration_command"
                | "unset_command"
                | "test_command"
                | "negated_command"
                | "list"
                | "pipeline"
                | "subshell"
                | "function_definition"
                | "do_group"
                | "case_item"
                | "variable_assignment"
                | "variable_assignments"
                | "comment"
        )
}
