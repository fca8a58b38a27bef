//! When a request is sent again, and after how long.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::time::Duration;

use crate::http::date;

/// How often and how fast a request is repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retry {
    /// Requests in all, the first included.
    pub attempts: u32,
    /// Wait before the second attempt; it doubles every time.
    pub first: Duration,
    /// The longest wait of our own choice.
    pub longest: Duration,
    /// The longest wait that a server may ask for with `Retry-After`; above it, we give up.
    pub longest_asked: Duration,
}

impl Default for Retry {
    fn default() -> Self {
        Self {
            attempts: 4,
            first: Duration::from_millis(500),
            longest: Duration::from_secs(30),
            longest_asked: Duration::from_secs(120),
        }
    }
}

impl Retry {
    /// The wait before attempt `next` (2 is the first repetition), or none to give up.
    pub(super) fn wait(&self, next: u32, asked: Option<Duration>) -> Option<Duration> {
        if next > self.attempts {
            return None;
        }
        if let Some(asked) = asked {
            return (asked <= self.longest_asked).then_some(asked);
        }
        let full = self.first.saturating_mul(1 << next.saturating_sub(2).min(16)).min(self.longest);
        // Between half and all of it, so that many clients don't come back at once.
        let random = RandomState::new().build_hasher().finish() % 1024;
        Some(full / 2 + full.mul_f64(random as f64 / 2048.0))
    }
}

/// Whether a response with this status is worth asking again.
pub(super) fn is_worth_retrying(status: u16) -> bool {
    matches!(status, 408 | 429 | 500 | 502 | 503 | 504)
}

/// What `Retry-After` asks for: seconds, or a date counted from the response's own `Date`.
pub(super) fn asked_wait(retry_after: Option<&str>, date: Option<&str>) -> Option<Duration> {
    let retry_after = retry_after?.trim();
    if let Ok(seconds) = retry_after.parse::<u64>() {
        return Some(Duration::from_secs(seconds));
    }
    let then = date::parse(retry_after)?;
    let now = date::parse(date?)?;
    Some(Duration::from_secs(then.saturating_sub(now)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_and_end() {
        let retry = Retry::default();
        for (next, low, high) in [(2, 250, 500), (3, 500, 1000), (4, 1000, 2000)] {
            let wait = retry.wait(next, None).unwrap().as_millis();
            assert!((low..=high).contains(&wait), "{next}: {wait}");
        }
        assert_eq!(retry.wait(5, None), None);
        assert_eq!(retry.wait(2, Some(Duration::from_secs(7))), Some(Duration::from_secs(7)));
        assert_eq!(retry.wait(2, Some(Duration::from_secs(121))), None, "too long to wait for");
    }

    #[test]
    fn a_server_asks_in_seconds_or_with_a_date() {
        let date = Some("Sun, 06 Nov 1994 08:49:37 GMT");
        assert_eq!(asked_wait(Some("5"), None), Some(Duration::from_secs(5)));
        assert_eq!(asked_wait(Some("Sun, 06 Nov 1994 08:49:40 GMT"), date), Some(Duration::from_secs(3)));
        assert_eq!(asked_wait(Some("Sun, 06 Nov 1994 08:49:40 GMT"), None), None);
        assert_eq!(asked_wait(Some("soon"), date), None);
        assert_eq!(asked_wait(None, date), None);
    }
}
