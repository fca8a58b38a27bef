//! The message of a failure, as texts and documents tell it.

use super::excerpt;
use crate::status::Failure;

/// The message with the lines that it is about, followed by those of the causes that it does not already hold.
pub fn message(failure: &Failure) -> String {
    let mut text = excerpt::of(failure).unwrap_or_else(|| failure.to_string());
    let mut source = failure.source();
    while let Some(error) = source {
        let cause = error.to_string();
        if !text.contains(&cause) {
            text.push_str(": ");
            text.push_str(&cause);
        }
        source = error.source();
    }
    text
}
