//! Why a server's certificate is not trusted, and what mends it.

use std::fmt::Debug;

/// What is wrong with a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CertificateProblem {
    /// Nobody signed it that is trusted here.
    UnknownIssuer,
    /// It is the certificate of an authority: `openssl req -x509` makes such ones where nothing else is said.
    Authority,
    /// It is for other names.
    OtherName,
    /// Its time is over.
    Expired,
    /// Its time has not come.
    NotYetValid,
}

impl CertificateProblem {
    /// The problem that the TLS library means, by the names of its errors; none for what is no certificate's fault.
    pub(super) fn of(error: &impl Debug) -> Option<Self> {
        let named = format!("{error:?}");
        let known = [
            ("UnknownIssuer", Self::UnknownIssuer),
            ("CaUsedAsEndEntity", Self::Authority),
            ("NotValidForName", Self::OtherName),
            ("Expired", Self::Expired),
            ("NotValidYet", Self::NotYetValid),
        ];
        let is_certificate = named.contains("InvalidCertificate");
        known.into_iter().find(|(name, _)| is_certificate && named.contains(name)).map(|(_, problem)| problem)
    }

    pub(super) fn in_words(self, host: &str) -> String {
        match self {
            Self::UnknownIssuer => "the server's certificate was signed by nobody that is trusted here".to_owned(),
            Self::Authority => "the server's certificate is that of an authority (CA:TRUE), which may sign for servers and not stand for one".to_owned(),
            Self::OtherName => format!("the server's certificate is not for `{host}`"),
            Self::Expired => "the server's certificate has expired".to_owned(),
            Self::NotYetValid => "the server's certificate is not valid yet".to_owned(),
        }
    }

    pub(super) fn hint(self, host: &str) -> Option<String> {
        match self {
            Self::UnknownIssuer => {
                Some(format!("`[registry.\"{host}\"] ca = [\"FILE\"]` in the user configuration trusts an authority of your own"))
            }
            Self::Authority => Some(
                "sign one for the server with that authority, or make the server's own with `openssl req -x509 -addext basicConstraints=critical,CA:FALSE …`; either file may stand in `ca`".to_owned(),
            ),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use rustls::{CertificateError, Error};

    use super::*;

    #[test]
    fn each_fault_of_a_certificate_is_told_apart_and_others_are_none() {
        for (error, want) in [
            (Error::InvalidCertificate(CertificateError::UnknownIssuer), Some(CertificateProblem::UnknownIssuer)),
            (Error::InvalidCertificate(CertificateError::Expired), Some(CertificateProblem::Expired)),
            (Error::InvalidCertificate(CertificateError::NotValidYet), Some(CertificateProblem::NotYetValid)),
            (Error::InvalidCertificate(CertificateError::NotValidForName), Some(CertificateProblem::OtherName)),
            (Error::InvalidCertificate(CertificateError::BadSignature), None),
            (Error::HandshakeNotComplete, None),
        ] {
            assert_eq!(CertificateProblem::of(&error), want, "{error:?}");
        }
        // As the library wraps what its verifier says.
        let wrapped = format_args!("InvalidCertificate(Other(OtherError(CaUsedAsEndEntity)))").to_string();
        struct Wrapped(String);
        impl Debug for Wrapped {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }
        assert_eq!(CertificateProblem::of(&Wrapped(wrapped)), Some(CertificateProblem::Authority));
    }
}
