//! The document of `repro diff`: what a comparison gave, in the form that all reports are made of.

use super::failure::ErrorDocument;
use crate::project::{Diff, DiffVerdict, Explanation, PlatformDiff, Question};
use crate::render::{
    DiffDocument, DifferenceDocument, ImageDocument, PlatformDocument, QuestionName, ReportError, RuleDocument,
    SideDocument,
};
use crate::status::{Failure, Status};

/// The document of a comparison that ends with `status`.
pub fn diff_document(diff: &Diff, status: Status) -> DiffDocument {
    let [first, second] = diff.places.each_ref().map(|place| Some(SideDocument { source: place.clone() }));
    DiffDocument {
        version: 1,
        status: status.code(),
        question: None,
        same: diff.is_same(),
        first,
        second,
        index: diff.index.iter().map(DifferenceDocument::of).collect(),
        platforms: diff.platforms.iter().map(platform).collect(),
        ignored: diff.rules.iter().map(RuleDocument::of).collect(),
        error: ErrorDocument::of_worst(&diff.failures).map(of),
    }
}

/// The document of why a verdict is what it is.
pub fn explanation_document(explanation: &Explanation) -> DiffDocument {
    let question = match explanation.question {
        Question::Published => QuestionName::Published,
        Question::Recorded => QuestionName::Recorded,
        Question::SecondBuild => QuestionName::SecondBuild,
        Question::Nothing => QuestionName::Nothing,
    };
    let diff = &explanation.diff;
    DiffDocument { question: Some(question), ..diff_document(diff, diff.status()) }
}

/// The document of a failure.
pub fn diff_error(failure: &Failure) -> DiffDocument {
    DiffDocument::of_error(of(ErrorDocument::of(failure)))
}

fn of(error: ErrorDocument) -> ReportError {
    ReportError { status: error.status, message: error.message, hint: error.hint }
}

fn platform(diff: &PlatformDiff) -> PlatformDocument {
    let verdict = match diff.verdict {
        DiffVerdict::Same => "same",
        DiffVerdict::Packaging => "packaging",
        DiffVerdict::Differs => "differs",
        DiffVerdict::Missing => "missing",
    };
    let [first, second] = diff.images.each_ref().map(|image| image.as_ref().map(ImageDocument::of));
    PlatformDocument {
        platform: diff.platform.clone(),
        verdict: verdict.to_owned(),
        first,
        second,
        unread: diff.unread_layers as u64,
        differences: diff.differences.iter().map(DifferenceDocument::of).collect(),
    }
}
