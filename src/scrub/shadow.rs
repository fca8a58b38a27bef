//! The day of the last change in `/etc/shadow`, made the same on every day (`docs/formats.md`, "Scrubbed shadow file").

/// The day that every account gets: 2022-01-08, counted from 1970-01-01.
pub const SHADOW_DAY: u32 = 19_000;

/// The file with each account's day of the last change, the third field, replaced by [`SHADOW_DAY`].
///
/// Only a field that is a plain number of at least 1 is replaced: an empty one means "never", `0` "change it at the
/// next login", and both stay. Lines are ended by `\n` only; everything else is kept byte for byte.
pub fn fix_shadow_days(content: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(content.len() + 16);
    for line in content.split_inclusive(|&byte| byte == b'\n') {
        let (text, end) = match line.strip_suffix(b"\n") {
            Some(text) => (text, &line[text.len()..]),
            None => (line, &line[line.len()..]),
        };
        for (number, field) in text.split(|&byte| byte == b':').enumerate() {
            if number > 0 {
                out.push(b':');
            }
            if number == 2 && is_day(field) {
                out.extend(SHADOW_DAY.to_string().bytes());
            } else {
                out.extend(field);
            }
        }
        out.extend(end);
    }
    out
}

fn is_day(field: &[u8]) -> bool {
    field.iter().all(u8::is_ascii_digit) && field.iter().any(|&digit| digit != b'0')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_days_of_change_are_replaced() {
        for (before, after) in [
            ("app:!:19999:0:99999:7:::\n", "app:!:19000:0:99999:7:::\n"),
            ("a:x:5:\nb:y:123456:0", "a:x:19000:\nb:y:19000:0"),
            ("a:x::0:\nb:x:0:\nc:x:-1:\nd:x:1x:\ne:x\n\n", "a:x::0:\nb:x:0:\nc:x:-1:\nd:x:1x:\ne:x\n\n"),
            ("a:x:00019:\r\n", "a:x:19000:\r\n"),
            ("", ""),
        ] {
            assert_eq!(String::from_utf8(fix_shadow_days(before.as_bytes())).unwrap(), after);
        }
    }

    #[test]
    fn doing_it_twice_changes_nothing_more_and_any_bytes_are_taken() {
        let once = fix_shadow_days(b"a:\xff:20000:\0\n:::::\n");
        assert_eq!(once, b"a:\xff:19000:\0\n:::::\n");
        assert_eq!(fix_shadow_days(&once), once);
    }
}
