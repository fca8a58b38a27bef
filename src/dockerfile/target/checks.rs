//! Values that are checked when an instruction is evaluated: modes, signals, digests.

/// Checks a `--chmod`.
///
/// # Errors
/// BuildKit's message: numbers must be octal and at most 07777, the rest a symbolic mode.
pub(super) fn check_mode(mode: &str) -> Result<(), String> {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| matches!(byte, b'0'..=b'7'));
    if digits(mode) && mode.trim_start_matches('0').len() <= 4 {
        return Ok(());
    }
    // What starts with a digit or is octal is taken for a number that is wrong; up to 32 bits for one too big.
    if mode.starts_with(|c: char| c.is_ascii_digit()) {
        return Err(format!("invalid chmod parameter: '{mode}'. it should be octal string and between 0 and 07777"));
    }
    if is_symbolic_mode(mode.as_bytes()) { Ok(()) } else { Err("invalid syntax".to_owned()) }
}

/// `[ugoa]*([-+=][rwxXstugo]*)+` clauses, joined by commas; each needs an operator.
fn is_symbolic_mode(mode: &[u8]) -> bool {
    mode.split(|byte| *byte == b',').all(|clause| {
        let who = clause.iter().take_while(|byte| b"augo".contains(byte)).count();
        let actions = &clause[who..];
        actions.first().is_some_and(|byte| b"+-=".contains(byte))
            && actions.iter().all(|byte| b"+-=rwxXstugo".contains(byte))
    })
}

/// Checks a `STOPSIGNAL`: a number but 0, or a name that Linux knows.
///
/// # Errors
/// BuildKit's message.
pub(super) fn check_signal(signal: &str) -> Result<(), String> {
    const NAMES: [&str; 35] = [
        "ABRT", "ALRM", "BUS", "CHLD", "CLD", "CONT", "FPE", "HUP", "ILL", "INT", "IO", "IOT", "KILL", "PIPE", "POLL",
        "PROF", "PWR", "QUIT", "SEGV", "STKFLT", "STOP", "SYS", "TERM", "TRAP", "TSTP", "TTIN", "TTOU", "URG", "USR1",
        "USR2", "VTALRM", "WINCH", "XCPU", "XFSZ", "RTMIN",
    ];
    let invalid = || Err(format!("invalid signal: {signal}"));
    if let Ok(number) = signal.parse::<i64>() {
        return if number == 0 { invalid() } else { Ok(()) };
    }
    let upper = signal.to_uppercase();
    let name = upper.strip_prefix("SIG").unwrap_or(&upper);
    let number = |text: &str, most: u32| {
        let plain = text.parse::<u32>().is_ok_and(|number| (1..=most).contains(&number));
        plain && !text.starts_with(['0', '+'])
    };
    let real_time = name.strip_prefix("RTMIN+").is_some_and(|rest| number(rest, 15))
        || name.strip_prefix("RTMAX-").is_some_and(|rest| number(rest, 14));
    if NAMES.contains(&name) || name == "RTMAX" || real_time { Ok(()) } else { invalid() }
}

/// Checks a digest with its algorithm.
///
/// # Errors
/// The message of the digest library that BuildKit uses.
pub(super) fn check_digest(digest: &str) -> Result<(), String> {
    let wrong = |what: &str| Err(what.to_owned());
    let (algorithm, encoded) = digest.split_once(':').unwrap_or_default();
    if algorithm.is_empty() || encoded.is_empty() {
        return wrong("invalid checksum digest format");
    }
    let length = match algorithm {
        "sha256" => 64,
        "sha384" => 96,
        "sha512" => 128,
        _ => {
            let word = |part: &str| {
                !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
            };
            let encoded = |byte: u8| byte.is_ascii_alphanumeric() || b"=_-".contains(&byte);
            let fits =
                algorithm.split(['.', '+', '_', '-']).all(word) && digest[algorithm.len() + 1..].bytes().all(encoded);
            return wrong(if fits { "unsupported digest algorithm" } else { "invalid checksum digest format" });
        }
    };
    if encoded.len() != length {
        return wrong("invalid checksum digest length");
    }
    if encoded.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')) {
        return Ok(());
    }
    wrong("invalid checksum digest format")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modes_are_octal_or_symbolic() {
        for mode in ["0", "755", "07777", "0000755", "u+x", "go-w", "a=rX,u+s", "+x", "u=rw,go=u-w", "u+"] {
            assert_eq!(check_mode(mode), Ok(()), "{mode}");
        }
        for mode in ["8", "10000", "0x1", "7a", "99999999999"] {
            assert!(check_mode(mode).is_err_and(|error| error.starts_with("invalid chmod parameter")), "{mode}");
        }
        for mode in ["u", "x", "u+x,", "u+q", "-1"] {
            assert_eq!(check_mode(mode), Err("invalid syntax".to_owned()), "{mode}");
        }
    }

    #[test]
    fn signals_are_numbers_or_names() {
        for signal in ["9", "-1", "+3", "SIGTERM", "term", "sigRTMIN+3", "RTMAX-14", "RTMAX"] {
            assert_eq!(check_signal(signal), Ok(()), "{signal}");
        }
        for signal in ["0", "", "SIG", "FOO", "RTMIN+16", "RTMIN+03", "SIGSIGTERM"] {
            assert!(check_signal(signal).is_err(), "{signal}");
        }
    }

    #[test]
    fn digests_have_a_known_algorithm_and_its_length() {
        for (digest, want) in [
            (format!("sha256:{}", "a".repeat(64)), Ok(())),
            (format!("sha512:{}", "0".repeat(128)), Ok(())),
            (format!("sha256:{}", "A".repeat(64)), Err("invalid checksum digest format")),
            ("sha256:ab".to_owned(), Err("invalid checksum digest length")),
            ("md5:ab".to_owned(), Err("unsupported digest algorithm")),
            ("abc".to_owned(), Err("invalid checksum digest format")),
        ] {
            assert_eq!(check_digest(&digest), want.map_err(str::to_owned), "{digest}");
        }
    }
}
