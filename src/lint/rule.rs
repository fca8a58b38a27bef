//! What a rule is, and what rules find.

use std::collections::BTreeSet;

use super::file::File;
use super::fix::Fix;
use super::span::Span;
use crate::finding::Severity;

/// What a lockfile that fits does to a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lock {
    /// The effect is gone: the finding is hidden.
    Yes,
    /// The effect is smaller: the finding is shown one level lower.
    Part,
    /// Nothing.
    No,
}

impl Lock {
    /// As the documentation has it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Yes => "yes",
            Self::Part => "part",
            Self::No => "no",
        }
    }
}

/// One thing that makes two builds differ, and how it is found.
///
/// Code and name are permanent: never given to another rule.
#[derive(Debug)]
pub struct Rule {
    /// `R` and three digits.
    pub code: &'static str,
    /// The name, in kebab-case.
    pub name: &'static str,
    /// How grave a finding is unless the rule says otherwise.
    pub severity: Severity,
    /// What the lockfile does to it.
    pub lock: Lock,
    /// Only what reaches the image counts.
    pub ships: bool,
    /// What is found, in one sentence.
    pub summary: &'static str,
    /// Why two builds differ for it.
    pub why: &'static str,
    /// When the rule is silent.
    pub quiet: &'static str,
    /// What removes it: the help of a finding that has none of its own.
    pub help: &'static str,
    /// Looks for it.
    pub check: fn(&File<'_>, &mut Findings),
}

/// A severity as documents and the command line have it.
pub fn severity_name(severity: Severity) -> &'static str {
    match severity {
        Severity::Note => "info",
        Severity::Warning => "warn",
        Severity::Error => "error",
    }
}

/// One thing that a rule found.
#[derive(Clone, Debug)]
pub struct LintFinding {
    /// The rule.
    pub rule: &'static Rule,
    /// How grave it is here.
    pub severity: Severity,
    /// The words it is about.
    pub span: Span,
    /// What is found there, in one line; words of the file in it are not yet safe to print.
    pub message: String,
    /// What removes it.
    pub help: String,
    /// Why it is allowed, if it is.
    pub allowed: Option<String>,
    /// The lockfile hides or lowers it.
    pub locked: bool,
    /// Edits that remove it, where they are mechanical.
    pub fix: Option<Fix>,
}

/// Findings while they are gathered.
#[derive(Debug)]
pub struct Findings {
    rule: &'static Rule,
    /// Where the rule has found something.
    places: BTreeSet<Span>,
    list: Vec<LintFinding>,
}

impl Findings {
    /// None so far, of a rule.
    pub(super) fn of(rule: &'static Rule) -> Self {
        Self { rule, places: BTreeSet::new(), list: Vec::new() }
    }

    /// Those that follow are of this rule.
    pub(super) fn turn_to(&mut self, rule: &'static Rule) {
        self.rule = rule;
        self.places.clear();
    }

    /// All of them.
    pub(super) fn finish(self) -> Vec<LintFinding> {
        self.list
    }

    /// Adds a finding of the rule's own severity and help.
    pub fn add(&mut self, span: Span, message: impl Into<String>) {
        self.add_as(self.rule.severity, span, message);
    }

    /// Adds a finding of another severity.
    pub fn add_as(&mut self, severity: Severity, span: Span, message: impl Into<String>) {
        self.add_fixable_as(severity, span, message, None);
    }

    /// Adds a finding of the rule's own severity and help, which edits remove.
    pub fn add_fixable(&mut self, span: Span, message: impl Into<String>, fix: Option<Fix>) {
        self.add_fixable_as(self.rule.severity, span, message, fix);
    }

    /// Adds a finding of another severity, which edits remove.
    pub fn add_fixable_as(&mut self, severity: Severity, span: Span, message: impl Into<String>, fix: Option<Fix>) {
        let (rule, message) = (self.rule, message.into());
        // Two rules may meet at one place, one rule says a thing once.
        if !self.places.insert(span) {
            return;
        }
        self.list.push(LintFinding {
            rule,
            severity,
            span,
            message,
            help: rule.help.to_owned(),
            allowed: None,
            locked: false,
            fix,
        });
    }
}
