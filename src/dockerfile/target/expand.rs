//! Words with the values of a stage's variables, and the warnings about those that have none.

use std::collections::BTreeSet;

use super::graph::Graph;
use super::state::Evaluation;
use crate::dockerfile::error::DockerfileError;
use crate::dockerfile::rule::Rule;
use crate::dockerfile::shell::Lexer;
use crate::dockerfile::syntax::Instruction;

type Outcome<T> = Result<T, DockerfileError>;

/// Arguments that are settings for the builder and reach no variable.
pub const SETTINGS: [&str; 2] = ["BUILDKIT_SBOM_SCAN_CONTEXT", "BUILDKIT_SBOM_SCAN_STAGE"];

impl Graph<'_> {
    /// The value of a word in the stage's scope.
    pub(super) fn expand(&mut self, id: usize, instruction: &Instruction, word: &[u8]) -> Outcome<String> {
        let evaluation = &self.states[id].evaluation;
        let expansion = self.lexer.expand(word, &evaluation.scope, &self.budget)?;
        self.warn_of_undefined(id, instruction, &expansion.unmatched);
        Ok(expansion.word)
    }

    pub(super) fn warn_of_undefined(&mut self, id: usize, instruction: &Instruction, unmatched: &BTreeSet<String>) {
        let Evaluation { arguments, is_pending, .. } = &self.states[id].evaluation;
        // What a base sets that nobody has looked at yet may well be defined.
        for name in unmatched.iter().filter(|_| !is_pending) {
            if !arguments.contains(name) && !SETTINGS.contains(&name.as_str()) {
                let rule = Rule::UndefinedVar;
                self.warnings.add(rule, instruction.lines, &instruction.comments, name.as_str());
            }
        }
    }

    pub(super) fn warn(&mut self, rule: Rule, instruction: &Instruction, subject: &str) {
        self.warnings.add(rule, instruction.lines, &instruction.comments, subject);
    }

    /// The body of an inline file with its variables replaced.
    pub(super) fn expand_body(&mut self, id: usize, instruction: &Instruction, body: &[u8]) -> Outcome<Vec<u8>> {
        let lexer = Lexer::of_heredoc_bodies();
        let expansion = lexer.expand(body, &self.states[id].evaluation.scope, &self.budget.for_bodies())?;
        self.warn_of_undefined(id, instruction, &expansion.unmatched);
        Ok(expansion.word.into_bytes())
    }
}
