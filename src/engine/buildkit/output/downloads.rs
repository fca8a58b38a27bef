//! The times of downloaded files: a builder keeps that of its first download, which may not be the locked one.

use super::image::Output;
use crate::build::Plan;
use crate::engine::buildkit::failure::BuildKitError;
use crate::epoch::rfc3339;
use crate::escape;
use crate::lockfile::Pin;

/// Checks the files that an `ADD` of locked URLs, and of nothing else, has written.
pub fn check(plan: &Plan, output: &Output) -> Result<(), BuildKitError> {
    let layers = output.config.history.iter().filter(|item| !item.empty_layer).rev();
    for (item, times) in layers.zip(output.times.iter().rev()) {
        let Some(sources) = added(&item.created_by) else { continue };
        let locked: Option<Vec<(&str, i64)>> = sources.iter().map(|source| modified(plan, source)).collect();
        let Some(locked) = locked else { continue };
        // An archive that was unpacked, or several downloads to one name: no file stands for a URL.
        if times.file_count != locked.len() as u64 {
            continue;
        }
        let epoch = plan.epoch.seconds().cast_signed();
        for (path, time) in &times.files {
            if !locked.iter().any(|(_, modified)| *time == (*modified).min(epoch)) {
                let (url, modified) = locked[0];
                return Err(BuildKitError::Unusable {
                    message: format!(
                        "{}: the builder kept the time {} for `{}`, the lockfile has {}",
                        escape::name(path),
                        shown(*time),
                        escape::text(url),
                        shown(modified.min(epoch)),
                    ),
                    fix: "the builder downloaded it earlier; `buildctl prune` makes it forget that".to_owned(),
                });
            }
        }
    }
    Ok(())
}

fn shown(time: i64) -> String {
    u64::try_from(time).map_or_else(|_| time.to_string(), rfc3339)
}

/// The sources of an `ADD` in a history item.
fn added(created_by: &[u8]) -> Option<Vec<&str>> {
    let text = std::str::from_utf8(created_by).ok()?;
    let words = text.strip_prefix("ADD ")?.strip_suffix(" # buildkit")?;
    let mut sources: Vec<&str> = words.split(' ').filter(|word| !word.starts_with("--")).collect();
    sources.pop();
    (!sources.is_empty()).then_some(sources)
}

/// The locked time of the file at `url`; 1970 if the server gave none.
fn modified<'a>(plan: &'a Plan, url: &str) -> Option<(&'a str, i64)> {
    plan.pins.iter().find_map(|pin| match pin {
        Pin::Http { url: locked, modified, .. } if locked == url => {
            Some((locked.as_str(), modified.unwrap_or(0).cast_signed()))
        }
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sources_of_an_add_are_read_from_the_history() {
        assert_eq!(
            added(b"ADD --chmod=600 https://a/b https://c /d/ # buildkit"),
            Some(vec!["https://a/b", "https://c"])
        );
        assert_eq!(added(b"COPY a b # buildkit"), None);
        assert_eq!(added(b"ADD x # buildkit"), None);
    }
}
