//! What proves to a registry who we are.

use crate::http::Secret;

/// How to prove who we are to one registry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Credential {
    /// Name and password.
    Password {
        /// The name.
        user: String,
        /// The password.
        password: Secret,
    },
    /// A token that buys other tokens.
    Identity(Secret),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_printed_credential_shows_no_secret() {
        let credential = Credential::Password { user: "u".into(), password: Secret::new("hidden") };
        assert!(!format!("{credential:?}").contains("hidden"));
    }
}
