//! Values as Go prints them, for the history.

use crate::dockerfile::quote::quote;
use crate::image::config::Healthcheck;

/// A list with `%q`: `["a" "b"]`.
pub(super) fn quoted<T: AsRef<[u8]>>(words: &[T]) -> Vec<u8> {
    let words: Vec<String> = words.iter().map(|word| quote(word.as_ref())).collect();
    format!("[{}]", words.join(" ")).into_bytes()
}

/// A list with `%v`: `[a b]`.
pub(super) fn plain<T: AsRef<[u8]>>(words: &[T]) -> Vec<u8> {
    let words: Vec<&[u8]> = words.iter().map(AsRef::as_ref).collect();
    [b"[".as_slice(), &words.join(&b' '), b"]"].concat()
}

/// `HEALTHCHECK` with `%+v`.
pub(super) fn healthcheck(check: &Healthcheck) -> Vec<u8> {
    let mut out = b"{Test:".to_vec();
    out.extend(plain(&check.test));
    for (name, value) in [
        ("Interval", check.interval),
        ("Timeout", check.timeout),
        ("StartPeriod", check.start_period),
        ("StartInterval", check.start_interval),
    ] {
        out.extend(format!(" {name}:{}", duration(value)).into_bytes());
    }
    out.extend(format!(" Retries:{}}}", check.retries).into_bytes());
    out
}

/// A duration in nanoseconds as `5m0s`, `3.5s`, `250ms`.
pub(super) fn duration(nanoseconds: i64) -> String {
    let sign = if nanoseconds < 0 { "-" } else { "" };
    let all = nanoseconds.unsigned_abs();
    let fraction = |value: u64, unit: u64| {
        let digits = unit.ilog10() as usize;
        let rest = format!("{:0digits$}", value % unit);
        let rest = rest.trim_end_matches('0');
        if rest.is_empty() { format!("{}", value / unit) } else { format!("{}.{rest}", value / unit) }
    };
    match all {
        0 => "0s".to_owned(),
        1..1_000 => format!("{sign}{all}ns"),
        1_000..1_000_000 => format!("{sign}{}µs", fraction(all, 1_000)),
        1_000_000..1_000_000_000 => format!("{sign}{}ms", fraction(all, 1_000_000)),
        _ => {
            let (minutes, rest) = (all / 60_000_000_000, all % 60_000_000_000);
            let seconds = fraction(rest, 1_000_000_000);
            match (minutes / 60, minutes % 60) {
                (0, 0) => format!("{sign}{seconds}s"),
                (0, minutes) => format!("{sign}{minutes}m{seconds}s"),
                (hours, minutes) => format!("{sign}{hours}h{minutes}m{seconds}s"),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_printed_as_go_does() {
        for (nanoseconds, want) in [
            (0, "0s"),
            (300_000_000_000, "5m0s"),
            (3_500_000_000, "3.5s"),
            (250_000_000, "250ms"),
            (1_500_000, "1.5ms"),
            (3_600_000_000_000, "1h0m0s"),
            (5_025_000_000_001, "1h23m45.000000001s"),
            (1, "1ns"),
            (1_100, "1.1µs"),
        ] {
            assert_eq!(duration(nanoseconds), want);
        }
    }

    #[test]
    fn lists_are_printed_as_go_does() {
        assert_eq!(quoted(&["/bin/sh", "-c", "echo \"x\""]), br#"["/bin/sh" "-c" "echo \"x\""]"#);
        assert_eq!(plain(&["/bin/bash", "-c"]), b"[/bin/bash -c]");
        assert_eq!(quoted::<&str>(&[]), b"[]");
    }
}
