//! Until when the package indexes on a tape call themselves valid: Debian's `Release` and `InRelease` files.

use std::io::Read;

use super::entry::{Recorded, Requests};
use crate::http::date;

/// The field stands before the lists of files, which are long.
const BEGINNING: u64 = 64 << 10;

/// An index that calls itself valid up to a moment.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Expiry {
    /// The last second, since 1970.
    pub until: u64,
    /// Where the index came from.
    pub url: String,
}

/// The index whose validity ends first, and how many have an end; `open` gives the bytes of a response.
pub fn earliest<R: Read>(requests: &Requests, open: impl Fn(&Recorded) -> Option<R>) -> Option<(Expiry, usize)> {
    let indexes = requests.iter().filter(|(request, recorded)| {
        let path = request.url.split('?').next().unwrap_or_default();
        recorded.status == 200
            && recorded.encoding.is_none()
            && matches!(path.rsplit('/').next(), Some("Release" | "InRelease"))
    });
    let expiries = indexes.filter_map(|(request, recorded)| {
        let mut beginning = Vec::new();
        open(recorded)?.take(BEGINNING).read_to_end(&mut beginning).ok()?;
        Some(Expiry { until: valid_until(&String::from_utf8_lossy(&beginning))?, url: request.url.clone() })
    });
    let all: Vec<Expiry> = expiries.collect();
    let count = all.len();
    all.into_iter().min().map(|first| (first, count))
}

/// The field `Valid-Until` of a `Release` file, in seconds since 1970.
fn valid_until(text: &str) -> Option<u64> {
    let value = text.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("valid-until").then_some(value.trim())
    })?;
    // The zone is UTC, under one of its names.
    let moment = ["UTC", "GMT", "Z", "+0000"].iter().find_map(|zone| value.strip_suffix(zone))?;
    date::parse(&format!("{} GMT", moment.trim_end()))
}

#[cfg(test)]
mod tests {
    use super::super::entry::Request;
    use super::super::entry::tests::recorded;
    use super::*;

    #[test]
    fn the_index_that_expires_first_is_found() {
        let release =
            |until: &str| format!("Origin: Debian\nDate: x\nValid-Until: {until}\nSHA256:\n 00 1 main/Packages\n");
        let bodies = [
            ("http://d.example/dists/a/InRelease", release("Sat, 28 Nov 2026 08:12:33 UTC")),
            ("http://d.example/dists/b/Release", release("Mon, 23 Nov 2026 8:12:33 +0000")),
            ("http://d.example/dists/c/InRelease", release("some day")),
            ("http://d.example/dists/d/InRelease", "Origin: Debian\n".to_owned()),
            ("http://d.example/Valid", release("Sun, 22 Nov 2026 08:12:33 UTC")),
        ];
        let request = |url: &str| Request::plain(url);
        let requests: Requests = bodies.iter().map(|(url, body)| (request(url), recorded(body.as_bytes()))).collect();
        let open = |wanted: &Recorded| {
            let found = bodies.iter().find(|(_, body)| recorded(body.as_bytes()).digest == wanted.digest);
            found.map(|(_, body)| body.as_bytes())
        };
        let first = Expiry { until: 1_795_421_553, url: "http://d.example/dists/b/Release".to_owned() };
        assert_eq!(earliest(&requests, open), Some((first, 2)));
        assert_eq!(earliest(&requests, |_| None::<&[u8]>), None);
    }
}
