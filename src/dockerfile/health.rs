//! Arguments of `HEALTHCHECK`, with Go's durations.

use super::error::{DockerfileError, wrong};
use super::flags::{Flags, Kind};
use super::node::Node;
use super::quote::quote;
use super::syntax::Healthcheck;
use super::text::Text;

const MILLISECOND: i64 = 1_000_000;

pub(super) fn read_health(node: &Node) -> Result<Healthcheck, DockerfileError> {
    const FLAGS: &[(&str, Kind)] = &[
        ("interval", Kind::Value),
        ("timeout", Kind::Value),
        ("start-period", Kind::Value),
        ("start-interval", Kind::Value),
        ("retries", Kind::Value),
    ];
    let [kind, words @ ..] = node.arguments.words.as_slice() else {
        return Err(wrong("HEALTHCHECK requires at least one argument"));
    };
    let kind = kind.lossy().to_uppercase();
    if kind == "NONE" {
        // Its flags are not even looked at.
        return match words {
            [] => Ok(Healthcheck { test: vec![Text::from("NONE")], ..Healthcheck::default() }),
            _ => Err(wrong("HEALTHCHECK NONE takes no arguments")),
        };
    }
    let flags = Flags::read(&node.flags, FLAGS)?;
    if kind != "CMD" {
        return Err(wrong(format!("Unknown type {} in HEALTHCHECK (try CMD)", quote(kind.as_bytes()))));
    }
    if words.is_empty() {
        return Err(wrong("Missing command after HEALTHCHECK CMD"));
    }
    let kind = if node.arguments.is_json { "CMD" } else { "CMD-SHELL" };
    let interval = |name: &str| match flags.value(name).as_str() {
        "" => Ok(0),
        text => match parse_duration(text).map_err(wrong)? {
            nanoseconds @ (0 | MILLISECOND..) => Ok(nanoseconds),
            _ => Err(wrong(format!("Interval \"{name}\" cannot be less than 1ms"))),
        },
    };
    Ok(Healthcheck {
        test: std::iter::once(Text::from(kind)).chain(words.iter().cloned()).collect(),
        interval: interval("interval")?,
        timeout: interval("timeout")?,
        start_period: interval("start-period")?,
        start_interval: interval("start-interval")?,
        retries: read_retries(&flags.value("retries"))?,
    })
}

fn read_retries(text: &str) -> Result<i32, DockerfileError> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if text.is_empty() {
        return Ok(0);
    }
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    let problem = if is_number { "value out of range" } else { "invalid syntax" };
    match text.parse::<i32>() {
        Ok(retries @ 0..) => Ok(retries),
        Ok(retries) => Err(wrong(format!("--retries cannot be negative ({retries})"))),
        Err(_) => Err(wrong(format!("strconv.ParseInt: parsing {}: {problem}", quote(text.as_bytes())))),
    }
}

/// A Go duration (`1h2m3.5s`) in nanoseconds.
fn parse_duration(text: &str) -> Result<i64, String> {
    let invalid = |problem: &str| format!("time: {problem} {}", quote_duration(text));
    let (negative, mut rest) = match text.as_bytes() {
        [b'-', ..] => (true, &text[1..]),
        [b'+', ..] => (false, &text[1..]),
        _ => (false, text),
    };
    if rest == "0" {
        return Ok(0);
    }
    if rest.is_empty() {
        return Err(invalid("invalid duration"));
    }
    let bound = 1_u64 << 63;
    let mut total = 0_u64;
    while !rest.is_empty() {
        let whole = take_digits(&mut rest);
        let fraction = match rest.strip_prefix('.') {
            Some(tail) => {
                rest = tail;
                take_digits(&mut rest)
            }
            None => "",
        };
        if whole.is_empty() && fraction.is_empty() {
            return Err(invalid("invalid duration"));
        }
        let end = rest.find(|c: char| c == '.' || c.is_ascii_digit()).unwrap_or(rest.len());
        let (unit, tail) = rest.split_at(end);
        let nanoseconds: u64 = match unit {
            "" => return Err(invalid("missing unit in duration")),
            "ns" => 1,
            "us" | "µs" | "μs" => 1_000,
            "ms" => 1_000_000,
            "s" => 1_000_000_000,
            "m" => 60_000_000_000,
            "h" => 3_600_000_000_000,
            other => return Err(invalid(&format!("unknown unit {} in duration", quote_duration(other)))),
        };
        rest = tail;
        let whole = if whole.is_empty() { Some(0) } else { whole.parse::<u64>().ok() };
        let part = whole.and_then(|whole| whole.checked_mul(nanoseconds)).filter(|value| *value <= bound);
        let part = part.and_then(|value| value.checked_add(fraction_of(fraction, nanoseconds)));
        total = part
            .and_then(|part| total.checked_add(part))
            .filter(|total| *total <= bound)
            .ok_or_else(|| invalid("invalid duration"))?;
    }
    match (negative, i64::try_from(total)) {
        (false, Ok(total)) => Ok(total),
        (true, Ok(total)) => Ok(-total),
        (true, Err(_)) => Ok(i64::MIN),
        (false, Err(_)) => Err(invalid("invalid duration")),
    }
}

fn take_digits<'a>(rest: &mut &'a str) -> &'a str {
    let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    let (digits, tail) = rest.split_at(end);
    *rest = tail;
    digits
}

/// Digits after the point, as nanoseconds; those beyond 63 bits are dropped.
fn fraction_of(digits: &str, unit: u64) -> u64 {
    let (mut value, mut scale) = (0_u64, 1.0_f64);
    for digit in digits.bytes() {
        let next = value.checked_mul(10).and_then(|value| value.checked_add(u64::from(digit - b'0')));
        match next.filter(|_| value <= ((1_u64 << 63) - 1) / 10).filter(|next| *next <= 1 << 63) {
            Some(next) => value = next,
            None => break,
        }
        scale *= 10.0;
    }
    (value as f64 * (unit as f64 / scale)) as u64
}

fn quote_duration(text: &str) -> String {
    use std::fmt::Write;
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            ' '..='\u{7f}' => out.push(c),
            c => {
                for byte in c.encode_utf8(&mut [0; 4]).bytes() {
                    let _ = write!(out, "\\x{byte:02x}");
                }
            }
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_go_durations() {
        for (text, want) in [
            ("0", Ok(0)),
            ("1m30.5s", Ok(90_500_000_000)),
            (".5ms", Ok(500_000)),
            ("+1h", Ok(3_600_000_000_000)),
            ("-1s", Ok(-1_000_000_000)),
            ("1.0000000000000000000000001s", Ok(1_000_000_000)),
            ("5", Err("time: missing unit in duration \"5\"")),
            ("5x", Err("time: unknown unit \"x\" in duration \"5x\"")),
            ("s", Err("time: invalid duration \"s\"")),
            (".s", Err("time: invalid duration \".s\"")),
            ("9999999999999h", Err("time: invalid duration \"9999999999999h\"")),
            ("1é", Err("time: unknown unit \"\\xc3\\xa9\" in duration \"1\\xc3\\xa9\"")),
        ] {
            assert_eq!(parse_duration(text), want.map_err(str::to_owned), "{text}");
        }
    }
}
