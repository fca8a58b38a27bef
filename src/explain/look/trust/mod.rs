//! Certificates that are trusted: Java keystores, PKCS#12, bundles in PEM form.
//!
//! Each form is read into the same thing: certificates under their names, and whether private keys are among them. The
//! same certificates are benign; another one is of the security class and told by its name.

mod der;
mod jks;
mod pem;
mod pkcs12;

use std::collections::BTreeMap;

use super::pair::{Found, Pair};
use super::reason::{Detail, Reason};
use crate::explain::causes::{Class, Proof};

/// Certificates that are told.
const MOST: usize = 50;

/// What a keystore or a bundle holds.
#[derive(Debug, Default, PartialEq, Eq)]
struct Store {
    /// How often each certificate is there, under which name: the name, then the certificate in DER.
    certificates: BTreeMap<(Vec<u8>, Vec<u8>), usize>,
    /// Private keys and secrets, as they stand.
    keys: Vec<Vec<u8>>,
    /// What else counts.
    other: Vec<Vec<u8>>,
}

impl Store {
    fn add(&mut self, name: &[u8], certificate: &[u8]) {
        *self.certificates.entry((name.to_vec(), certificate.to_vec())).or_default() += 1;
    }
}

/// C076 for certificates, C075 for private keys.
pub(super) fn look(pair: &Pair<'_>) -> Option<Found> {
    let forms = [jks::read, pkcs12::read, pem::read];
    let Some([first, second]) = forms.into_iter().find_map(|read| pair.parsed(read)) else {
        // A keystore that can't be read, such as an encrypted one, may hold anything.
        let reason = Reason { class: Some(Class::Security), ..Reason::new("C076", Proof::Likely) };
        return (pair.name() == b"cacerts").then(|| Found::one(reason));
    };
    if first.keys != second.keys {
        return Some(Found::proven("C075"));
    }
    if first == second {
        return Some(Found::proven("C076"));
    }
    let differs = |key: &&(Vec<u8>, Vec<u8>)| first.certificates.get(*key) != second.certificates.get(*key);
    let mut reasons = Vec::new();
    let keys = first
        .certificates
        .keys()
        .chain(second.certificates.keys().filter(|key| !first.certificates.contains_key(*key)));
    for key in keys.filter(differs).take(MOST) {
        let name = der::common_name(&key.1).unwrap_or_else(|| key.0.clone());
        let show = |store: &Store| match store.certificates.get(key) {
            None => "missing".to_owned(),
            Some(count) => format!("{count} times"),
        };
        let name = format!("certificate {}", String::from_utf8_lossy(&name));
        let detail = Detail::Field { name, first: show(&first), second: show(&second) };
        let reason = Reason::new("C076", Proof::Proven);
        reasons.push(Reason { class: Some(Class::Security), detail: Some(detail), ..reason });
    }
    Found::of(reasons)
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;

    use crate::explain::look::told;

    fn jks(entries: &[(&str, u64, &str)]) -> Vec<u8> {
        let count = u32::try_from(entries.len()).unwrap().to_be_bytes();
        let mut out = [&[0xfe, 0xed, 0xfe, 0xed, 0, 0, 0, 2][..], &count].concat();
        let text = |text: &str| [&u16::try_from(text.len()).unwrap().to_be_bytes(), text.as_bytes()].concat();
        for (alias, time, certificate) in entries {
            out.extend([&[0, 0, 0, 2], &text(alias)[..], &time.to_be_bytes(), &text("X.509")].concat());
            out.extend([&u32::try_from(certificate.len()).unwrap().to_be_bytes(), certificate.as_bytes()].concat());
        }
        out.extend([entries[0].1.to_le_bytes()[0]; 20]);
        out
    }

    #[test]
    fn times_of_a_keystore_are_benign_and_certificates_are_not() {
        let base = jks(&[("a", 1, "one"), ("b", 1, "two")]);
        for (other, want) in [
            (jks(&[("a", 2, "one"), ("b", 3, "two")]), "C076 Proven"),
            (jks(&[("b", 2, "two"), ("a", 2, "one")]), "C076 Proven"),
            (jks(&[("a", 2, "one"), ("b", 2, "twi")]), "C076 Proven S"),
            (jks(&[("a", 2, "one"), ("c", 2, "two")]), "C076 Proven S"),
            (jks(&[("a", 2, "one"), ("b", 2, "two"), ("c", 2, "more")]), "C076 Proven S"),
            (jks(&[("a", 2, "one"), ("b", 2, "two")])[..60].to_vec(), "C076 Likely S"),
        ] {
            assert_eq!(told("opt/java/cacerts", &base, &other), want);
        }
    }

    #[test]
    fn bundles_are_sets_of_certificates() {
        let block = |label: &str, content: &str| {
            format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", STANDARD.encode(content))
        };
        let certificate = |content: &str| block("CERTIFICATE", content);
        let base = certificate("one") + &certificate("two");
        for (other, want) in [
            (certificate("two") + &certificate("one"), "C076 Proven"),
            (certificate("two") + "\n" + &certificate("one"), "C076 Proven"),
            (certificate("one") + &certificate("three"), "C076 Proven S"),
            (certificate("one") + &certificate("two") + &certificate("two"), "C076 Proven S"),
            (certificate("one") + &block("TRUSTED CERTIFICATE", "two"), "C076 Proven S"),
            (certificate("one") + &certificate("two") + &block("PRIVATE KEY", "key"), "C075 Proven"),
            (certificate("one") + "#!/bin/sh\n" + &certificate("two"), "C120 Possible"),
        ] {
            assert_eq!(told("etc/ssl/certs/ca-certificates.crt", base.as_bytes(), other.as_bytes()), want, "{other}");
        }
    }
}
