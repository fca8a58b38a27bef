//! Simple commands: words, what wraps them, and the scripts in them.

use tree_sitter::Node;

use super::{DEEPEST, PER_SCRIPT, Reader, Unread};
use crate::lint::shell::command::{Assignment, Command, Inside, Redirect, RedirectKind, Word};
use crate::lint::shell::word::{Nested, gather};
use crate::lint::shell::wrapper::{basename, script_word, unwrap};
use crate::lint::span::Located;

impl<'t> Reader<'_, '_, 't> {
    pub(super) fn assignment(&mut self, node: Node<'t>) -> (Option<Assignment>, Nested<'t>) {
        let Some(name) = node.child_by_field_name("name") else { return (None, Vec::new()) };
        let name = self.text(name).to_owned();
        let (value, nested) = match node.child_by_field_name("value") {
            Some(value) => self.word(value),
            None => (Word { span: self.source.span(node.byte_range()), ..Word::default() }, Vec::new()),
        };
        (Some(Assignment { name, value }), nested)
    }

    pub(super) fn command(&mut self, node: Node<'t>, inside: &Inside) -> Result<(), Unread> {
        let (mut words, mut assignments, mut redirects) = (Vec::new(), Vec::new(), Vec::new());
        // Which word a substitution stands in; the assignments' come first, as the shell does them.
        let (mut of_words, mut of_values, mut extra) = (Vec::new(), Vec::new(), Vec::new());
        let index = self.commands.len();
        self.commands.push(Command::default());
        let mut cursor = node.walk();
        let children: Vec<_> = node.named_children(&mut cursor).collect();
        for child in children {
            match child.kind() {
                "variable_assignment" => {
                    let (assignment, nested) = self.assignment(child);
                    assignments.extend(assignment);
                    of_values.extend(nested);
                }
                "file_redirect" | "herestring_redirect" => self.redirect(child, &mut redirects, &mut extra)?,
                "comment" => {}
                _ => {
                    let (word, nested) = self.word(child);
                    of_words.push((words.len(), nested));
                    words.push(word);
                }
            }
        }
        for child in extra {
            let (word, nested) = self.word(child);
            of_words.push((words.len(), nested));
            words.push(word);
        }
        self.substitutions(&of_values, None, 0)?;
        self.fill(index, words, assignments, redirects, inside)?;
        of_words.into_iter().try_for_each(|(word, nested)| self.substitutions(&nested, Some(index), word))
    }

    pub(super) fn declaration(&mut self, node: Node<'t>, inside: &Inside) -> Result<(), Unread> {
        let index = self.commands.len();
        self.commands.push(Command {
            name: if node.kind().ends_with("_command") {
                self.text(node).split_whitespace().next().unwrap_or_default().to_owned()
            } else {
                String::new()
            },
            span: self.source.span(node.byte_range()),
            inside: inside.clone(),
            ..Command::default()
        });
        let mut cursor = node.walk();
        let children: Vec<_> = match node.kind() {
            "variable_assignment" => vec![node],
            _ => node.named_children(&mut cursor).collect(),
        };
        for child in children {
            if child.kind() == "variable_assignment" {
                let (assignment, nested) = self.assignment(child);
                if let Some(assignment) = assignment {
                    let value = (!assignment.value.is_dynamic).then(|| assignment.value.text());
                    self.variables.set(&assignment.name, value);
                    self.commands[index].assignments.push(assignment);
                }
                self.substitutions(&nested, None, 0)?;
            } else {
                let (word, nested) = self.word(child);
                self.commands[index].words.push(word);
                self.substitutions(&nested, Some(index), 0)?;
            }
        }
        Ok(())
    }

    /// `[ … ]` and `[[ … ]]`: a command whose words are not told apart.
    pub(super) fn test(&mut self, node: Node<'t>, inside: &Inside) -> Result<(), Unread> {
        let index = self.commands.len();
        let span = self.source.span(node.byte_range());
        let value = self.source.part(node.byte_range());
        self.commands.push(Command {
            name: "[".to_owned(),
            words: vec![Word { value, is_dynamic: true, span }],
            span,
            inside: inside.clone(),
            ..Command::default()
        });
        let mut nested = Vec::new();
        gather(node, &Located::default(), &mut nested, 0);
        self.substitutions(&nested, Some(index), 0)
    }

    /// A command of words that are ready.
    pub(super) fn add(&mut self, words: Vec<Word>, redirects: Vec<Redirect>, inside: &Inside) -> Result<(), Unread> {
        let index = self.commands.len();
        self.commands.push(Command::default());
        self.fill(index, words, Vec::new(), redirects, inside)
    }

    /// Makes a command of its words: what wraps it goes, scripts in it are read.
    pub(super) fn fill(
        &mut self,
        index: usize,
        mut words: Vec<Word>,
        mut assignments: Vec<Assignment>,
        redirects: Vec<Redirect>,
        inside: &Inside,
    ) -> Result<(), Unread> {
        let unwrapped = unwrap(&words);
        assignments.extend(unwrapped.assignments);
        let start = words.get(unwrapped.at).or(words.first()).map(|word| word.span);
        let start = start.or(assignments.first().map(|assignment| assignment.value.span)).unwrap_or_default();
        let span = words.last().map_or(start, |last| start.to(last.span));
        if unwrapped.at < words.len() {
            words.drain(..unwrapped.at);
        }
        let first = if words.is_empty() { Word::default() } else { words.remove(0) };
        let path = if first.is_dynamic { String::new() } else { first.text().to_owned() };
        let name = if self.functions.contains(&path) { "" } else { basename(&path) }.to_owned();
        let (feeds, reads) = (None, None);
        self.commands[index] = Command {
            name,
            path,
            words,
            assignments,
            redirects,
            wrappers: unwrapped.wrappers,
            span,
            reads,
            feeds,
            inside: inside.clone(),
        };
        self.scripts(index)
    }

    /// Scripts in the words of a command.
    pub(super) fn scripts(&mut self, index: usize) -> Result<(), Unread> {
        let command = &self.commands[index];
        let strings = command.redirects.iter().find(|redirect| redirect.kind == RedirectKind::HereString);
        if let Some(word) = script_word(&command.name, &command.words).filter(|word| !word.text().is_empty()) {
            let script = word.value.clone();
            return self.script(&script, index);
        }
        if let Some(input) = strings.map(|redirect| redirect.target.value.clone()) {
            return self.read_input(index, &input).map(drop);
        }
        if command.name == "eval" {
            let mut script = Located::default();
            for word in &command.words {
                script.push_part(&word.value, 0..word.text().len());
                script.push_all(" ", word.span.end.saturating_sub(1));
            }
            return self.script(&script, index);
        }
        if command.name == "find" {
            return self.find_exec(index);
        }
        Ok(())
    }

    /// `find -exec COMMAND {} ;`
    pub(super) fn find_exec(&mut self, index: usize) -> Result<(), Unread> {
        let mut rest = &self.commands[index].words[..];
        let mut found = Vec::new();
        while let Some(at) = rest.iter().position(|word| matches!(word.text(), "-exec" | "-execdir" | "-ok" | "-okdir"))
        {
            let words = &rest[at + 1..];
            let end = words.iter().position(|word| matches!(word.text(), ";" | "+")).unwrap_or(words.len());
            found.push(words[..end].to_vec());
            rest = &words[end..];
        }
        found
            .into_iter()
            .filter(|words| !words.is_empty())
            .try_for_each(|words| self.add(words, Vec::new(), &Inside::Of(index)))
    }

    /// A script inside the script; one that can't be read is left out, the words that hold it are known all the same.
    pub(super) fn script(&mut self, script: &Located, outer: usize) -> Result<(), Unread> {
        if self.depth >= DEEPEST || self.shell.nested < script.text().len() {
            return Err(Unread(script.whole()));
        }
        self.shell.nested -= script.text().len();
        let (inside, depth) = (Inside::Of(outer), self.depth + PER_SCRIPT);
        let count = self.commands.len();
        let read = self.shell.read_into(script, self.variables, self.commands, &inside, depth);
        if read.is_err() {
            self.commands.truncate(count);
        }
        Ok(())
    }
}
