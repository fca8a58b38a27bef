//! Which steps are at work, for people who have no terminal to watch: a line every quarter of a minute.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// How long nothing is said.
pub const PAUSE: Duration = Duration::from_secs(15);

/// A step that began and has not ended.
#[derive(Clone, Debug)]
pub struct Running {
    /// When it began.
    pub since: Instant,
    /// How far it is, in words; empty if nothing is known.
    pub state: String,
    /// How many bytes or items are done, and of how many, where that is known.
    pub count: (u64, Option<u64>),
}

/// One line that names what is at work at `now`, the longest first; none if nothing is.
pub fn line(running: &BTreeMap<String, Running>, now: Instant) -> Option<String> {
    let mut steps: Vec<(&String, &Running)> = running.iter().collect();
    steps.sort_by_key(|(name, step)| (step.since, *name));
    let longest = now.saturating_duration_since(steps.first()?.1.since).as_secs();
    let told = steps.iter().map(|(name, step)| match (step.state.as_str(), step.count) {
        ("", (done, Some(total))) if total > 0 => {
            format!("{name} {} %", done.saturating_mul(100).checked_div(total).unwrap_or_default())
        }
        ("", _) => (*name).clone(),
        (state, _) => format!("{name}: {state}"),
    });
    Some(format!("at work for {longest} s: {}", told.collect::<Vec<_>>().join(" | ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_says_what_runs_and_what_it_downloads() {
        let now = Instant::now();
        let step = |age: u64, state: &str, count| Running {
            since: now.checked_sub(Duration::from_secs(age)).unwrap(),
            state: state.to_owned(),
            count,
        };
        assert_eq!(line(&BTreeMap::new(), now), None);
        let running = BTreeMap::from([
            ("[2/3] RUN apt-get update".to_owned(), step(20, "Get:5 http://d.example x", (0, None))),
            ("build app linux/amd64 with buildctl".to_owned(), step(31, "", (0, None))),
            ("downloads".to_owned(), step(10, "46 requests, 21734912 bytes", (0, None))),
            ("push".to_owned(), step(5, "", (1, Some(4)))),
        ]);
        assert_eq!(
            line(&running, now).unwrap(),
            "at work for 31 s: build app linux/amd64 with buildctl | [2/3] RUN apt-get update: Get:5 http://d.example x | \
             downloads: 46 requests, 21734912 bytes | push 25 %"
        );
    }
}
