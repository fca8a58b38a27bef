//! Builds that got no further because of their tape, told with the requests that got no response.

use std::fmt::Write;

use crate::status::{ExitStatus, Failure, Status};
use crate::tape::{Outcome, Trouble};

/// Troubles shown in a message.
const SHOWN: usize = 20;

/// A build that got no further because of its tape.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct Untaped {
    /// What happened, with the requests.
    pub message: String,
    /// What it means.
    pub status: Status,
    /// What to do next.
    pub hint: Option<String>,
}

impl Untaped {
    /// A failure of the requests alone, which [`with_troubles`] lists.
    pub fn of_requests(message: String) -> Failure {
        Self { message, status: Status::Source, hint: None }.into()
    }
}

impl ExitStatus for Untaped {
    fn status(&self) -> Status {
        self.status
    }

    fn hint(&self) -> Option<String> {
        self.hint.clone()
    }
}

/// The failure of a build of `image`, with the requests that got no response.
pub fn with_troubles(failure: Failure, troubles: &[Trouble], image: &str) -> Failure {
    let mut message = failure.to_string();
    let unknown = troubles.iter().filter(|trouble| trouble.outcome == Outcome::Unknown).count();
    if unknown > 0 {
        message.push_str("\nthe tape has no response for:");
    }
    let mut sorted: Vec<&Trouble> = troubles.iter().collect();
    sorted.sort_by_key(|trouble| trouble.outcome != Outcome::Unknown);
    for (number, trouble) in sorted.iter().take(SHOWN).enumerate() {
        if number == unknown {
            message.push_str("\nno response came from:");
        }
        let colon = if trouble.reason.is_empty() { "" } else { ": " };
        let _ = write!(message, "\n  {}{colon}{}", trouble.url, trouble.reason);
    }
    if sorted.len() > SHOWN {
        let _ = write!(message, "\n  and {} more", sorted.len() - SHOWN);
    }
    let status = troubles.iter().fold(failure.status(), |status, trouble| status.or(trouble.status));
    Untaped { message, status, hint: hint(troubles, image) }.into()
}

/// What to do about the first kind of trouble that there is.
fn hint(troubles: &[Trouble], image: &str) -> Option<String> {
    let is_any = |outcome: Outcome| troubles.iter().any(|trouble| trouble.outcome == outcome);
    let has = |word: &str| troubles.iter().any(|trouble| trouble.reason.contains(word));
    let hint = if is_any(Outcome::Unknown) {
        return Some(format!("`repro lock --network-only {image}` records again and keeps what is on the tape"));
    } else if is_any(Outcome::Gone) {
        "`--tape PATH|REPOSITORY` names another place that has it; `repro lock --update` records anew"
    } else if has("login") || has("token") {
        "responses to a login are not recorded: copy the file into the context instead"
    } else if has("another method") {
        "make the program use GET (curl without `-I` and `-d`, wget without `--spider`), or take the file with `ADD`"
    } else if has("the step sent the header") {
        "ask without that header, or copy the file into the context"
    } else if has("is not public") {
        "if that host is yours, name it with `[registry.\"HOST\"]` in the user configuration"
    } else {
        return None;
    };
    Some(hint.to_owned())
}
