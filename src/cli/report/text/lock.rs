//! The text of `repro lock`.

use std::fmt::Write;

use crate::epoch::rfc3339;
use crate::escape;
use crate::project::Locked;
use crate::project::tape::Recording;
use crate::tape::{Tape, moved};

/// Moved downloads shown.
const MOVES: usize = 200;

/// What changed: first on the tapes, then in the lockfile.
pub fn summary(locked: &Locked) -> String {
    let mut text: String = locked.recordings.iter().map(moved_on).collect();
    for change in &locked.changes {
        let _ = writeln!(text, "{change}");
    }
    text
}

/// What moved on one tape.
fn moved_on(recording: &Recording) -> String {
    let Some(new) = &recording.new else { return String::new() };
    let mut text = String::new();
    for (platform, requests) in &new.platforms {
        let bytes: u64 = requests.values().map(|recorded| recorded.size).sum();
        let _ =
            writeln!(text, "{} {platform}: {} requests, {bytes} bytes", escape::text(&recording.image), requests.len());
        let Some(old) = recording.old.as_ref().and_then(|old| old.platforms.get(platform)) else { continue };
        let lines = moved(old, requests);
        for line in lines.iter().take(MOVES) {
            let _ = writeln!(text, "  {line}");
        }
        if lines.len() > MOVES {
            let _ =
                writeln!(text, "  and {} more: `git diff {}`", lines.len() - MOVES, Tape::file_name(&recording.image));
        }
    }
    if recording.soon && text.contains(" changed\n") {
        let _ = writeln!(
            text,
            "  that changed within minutes: the origin may respond differently each time; the tape holds one response"
        );
    }
    if let Some((first, count)) = &recording.expiry {
        let others = if *count > 1 { format!(", the first of {count} to run out") } else { String::new() };
        let (until, url) = (rfc3339(first.until), escape::text(&first.url));
        let _ = writeln!(text, "  {url} is valid until {until}{others}; builds take it after that, too");
    }
    text
}
