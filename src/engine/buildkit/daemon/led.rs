//! Which URLs a daemon of our own led elsewhere, as its log tells.
//!
//! BuildKit leads a step's GET to the tape. It judges a request by another method in the same way and then refuses it,
//! which a step may overlook and which shows nowhere but here.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// The log is read to its end once it has been silent for so long.
const SILENCE: Duration = Duration::from_millis(50);
/// However much a daemon says, nobody waits longer.
const WAIT: Duration = Duration::from_secs(2);
/// Bytes of URLs that are kept; a tape has fewer.
const MOST: usize = 64 << 20;

/// What a daemon led elsewhere since it was started.
#[derive(Debug, Default)]
pub struct Led(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    /// How often each URL was led to.
    times: BTreeMap<String, u64>,
    bytes: usize,
    heard: Option<Instant>,
}

impl Led {
    /// Takes note of a line of the log; false if it is one that only those see who ask for more.
    pub fn hear(&self, line: &str) -> bool {
        let mut state = self.lock();
        state.heard = Some(Instant::now());
        if let Some(url) = led_to(line).filter(|_| state.bytes < MOST) {
            state.bytes += url.len();
            *state.times.entry(url).or_default() += 1;
        }
        !line.contains(" level=debug ")
    }

    /// The URLs that begin with `base`, and how often each was led to; forgets all.
    pub fn take(&self, base: &str) -> BTreeMap<String, u64> {
        let started = Instant::now();
        while started.elapsed() < WAIT {
            let silent_since = self.lock().heard.unwrap_or(started).max(started);
            if silent_since.elapsed() > SILENCE {
                break;
            }
            thread::sleep(Duration::from_millis(5));
        }
        let State { mut times, .. } = std::mem::take(&mut *self.lock());
        times.retain(|url, _| url.starts_with(base));
        times
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Where the policy led a source, if a line tells that.
fn led_to(line: &str) -> Option<String> {
    let (_, rest) = line.split_once(" level=debug msg=\"sourcepolicy: converting ")?;
    let (_, rest) = rest.split_once(" to ")?;
    let (url, _) = rest.split_once(", pattern: ")?;
    url.starts_with("http").then(|| url.replace("\\\"", "\"").replace("\\\\", "\\"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_led_elsewhere_is_counted() {
        let led = Led::default();
        let line = |from: &str, to: &str| {
            format!(
                "time=\"2026-11-30T06:00:00Z\" level=debug msg=\"sourcepolicy: converting {from} to {to}, pattern: x$1\" orig=\"a to b\""
            )
        };
        for (from, to) in [
            ("https://h.example:443/a", "http://1.2:3/t/https/h.example:443/a"),
            ("https://h.example:443/a", "http://1.2:3/t/https/h.example:443/a"),
            ("http://h.example/b?c=\\\"d", "http://1.2:3/t/http/h.example/b?c=\\\"d"),
            ("http://h.example/b", "http://1.2:3/other/http/h.example/b"),
            ("docker-image://a", "docker-image://b"),
        ] {
            assert!(!led.hear(&line(from, to)));
        }
        assert!(led.hear("time=\"2026-11-30T06:00:00Z\" level=info msg=\"sourcepolicy: converting a to http://1.2:3/t/x, pattern: y\""));
        let want = [("http://1.2:3/t/http/h.example/b?c=\"d", 1), ("http://1.2:3/t/https/h.example:443/a", 2)];
        assert_eq!(led.take("http://1.2:3/t/"), want.map(|(url, times)| (url.to_owned(), times)).into());
        assert!(led.take("http://").is_empty());
    }
}
