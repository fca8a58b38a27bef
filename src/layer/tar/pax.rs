//! PAX records: `LENGTH key=value\n`.

/// The prefix of extended attributes, as written by star, Go and GNU tar.
pub(super) const SCHILY_XATTR: &[u8] = b"SCHILY.xattr.";

/// Appends one record; its length counts its own digits.
pub(super) fn append_record(body: &mut Vec<u8>, key: &[u8], value: &[u8]) {
    let rest = key.len() + value.len() + " =\n".len();
    let mut length = rest + digits(rest);
    if rest + digits(length) > length {
        length += 1;
    }
    body.extend(length.to_string().bytes());
    body.push(b' ');
    body.extend(key);
    body.push(b'=');
    body.extend(value);
    body.push(b'\n');
}

fn digits(number: usize) -> usize {
    number.checked_ilog10().map_or(1, |log| log as usize + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_length_of_a_record_counts_its_own_digits() {
        for (key, value, want) in [
            ("a", "", "5 a=\n".to_owned()),
            ("path", "x", "9 path=x\n".to_owned()),
            ("path", "xy", "11 path=xy\n".to_owned()),
            ("p", "xyz", "8 p=xyz\n".to_owned()),
            ("p", "xyzu", "9 p=xyzu\n".to_owned()),
            ("p", "xyzuv", "11 p=xyzuv\n".to_owned()),
            ("path", &"n".repeat(90), format!("99 path={}\n", "n".repeat(90))),
            ("path", &"n".repeat(91), format!("101 path={}\n", "n".repeat(91))),
        ] {
            let mut body = Vec::new();
            append_record(&mut body, key.as_bytes(), value.as_bytes());
            assert_eq!(String::from_utf8(body).unwrap(), want);
            assert_eq!(want.split(' ').next().unwrap().parse::<usize>().unwrap(), want.len());
        }
    }
}
