//! What a document does not tell, or what could not be carried over.

/// What was not told, or not carried over, and why. Safe to print, and free of credentials.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Note {
    /// What it is about: a key of the manifest where there is one.
    pub what: String,
    /// Why, in one line.
    pub why: String,
}

impl Note {
    /// A note; both texts are made safe to print here.
    pub fn new(what: impl AsRef<str>, why: impl AsRef<str>) -> Self {
        let safe = |text: &str| crate::escape::text(&text.chars().take(600).collect::<String>()).into_owned();
        Self { what: safe(what.as_ref()), why: safe(why.as_ref()) }
    }
}

/// Whether an address in the text has a user or a password: then it is shown to nobody.
pub(super) fn has_credentials(text: &str) -> bool {
    text.match_indices("://").any(|(at, _)| {
        let rest = &text[at + 3..];
        let authority = rest.split(['/', '?', '#', ' ', '\t', '\n', ',', '"', '\'']).next().unwrap_or("");
        let scheme = text[..at].rsplit(|c: char| !c.is_ascii_alphanumeric() && c != '+').next().unwrap_or("");
        // What stands before the host of ssh is a name that everybody knows.
        authority.rsplit_once('@').is_some_and(|(user, _)| scheme != "ssh" || user.contains(':'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_in_an_address_is_seen_wherever_it_stands() {
        for text in ["http://u:p@proxy.example:3128", "a,https://tok@h/x", "x https://a https://u:p@b", "ssh://u:p@h/x"]
        {
            assert!(has_credentials(text), "{text}");
        }
        for text in ["https://h/x@y", "ssh://git@h/x.git", "git@h:x", "mail a@b", "https://h/?q=a@b"] {
            assert!(!has_credentials(text), "{text}");
        }
    }
}
