//! The names of a mount's fields, for instructions whose variables are not known yet.

use super::mount::csv_fields;

/// The fields that may stand without a value.
const LONE: [&str; 5] = ["readonly", "ro", "readwrite", "rw", "required"];

/// The fields that need one.
const VALUED: [&str; 14] = [
    "type",
    "from",
    "source",
    "src",
    "target",
    "dst",
    "destination",
    "size",
    "id",
    "sharing",
    "mode",
    "uid",
    "gid",
    "env",
];

/// Whether a field is none of any mount, whatever the variables hold.
pub(super) fn has_unknown_field(value: &str) -> bool {
    csv_fields(value).unwrap_or_default().iter().any(|field| {
        let (key, has_value) = field.split_once('=').map_or((field.as_str(), false), |(key, _)| (key, true));
        let key = key.to_lowercase();
        !(LONE.contains(&key.as_str()) || has_value && VALUED.contains(&key.as_str()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dockerfile::mount::read_mount;
    use crate::dockerfile::shell::ShellError;

    #[test]
    fn a_field_is_known_here_where_it_is_when_the_mount_is_read() {
        for key in LONE.into_iter().chain(VALUED) {
            let read = read_mount(&format!("{key}=1"), &mut |value| Ok(value.to_owned()));
            let is_unknown = matches!(read, Err(ShellError::Syntax(error)) if error.starts_with("unexpected key"));
            assert!(!is_unknown || matches!(key, "required" | "size"), "{key}");
            assert!(!has_unknown_field(&format!("{key}=$X")), "{key}");
        }
        for value in ["target=/x,z", "Z=$X", "target", "id=$X,foo=1"] {
            assert!(has_unknown_field(value), "{value}");
        }
    }
}
