//! What the fuzz target of attestations does: files of lines, and files that say whom to trust.

use repro::parts::attest::{
    AskedImage, Auditor, Content, Judged, Lines, Policy, PublicKey, RawLine, Rules, Statement, Summary, Trust,
    TrustFile, bundle, judge,
};
use repro::parts::escape::is_dangerous;

/// RFC 8032, test 1.
const KEY: &str = "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\n-----END PUBLIC KEY-----\n";
const IMAGE: &str = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

fn assert_printable(text: &str) {
    assert!(!text.chars().any(|c| c != '\n' && is_dangerous(c)), "{text:?}");
}

/// Files of attestations: what an envelope holds is written so that it is read again, and nothing counts that no trusted
/// key has signed. Trust files and policies: what is refused is told so that it can be printed.
pub fn attestation(data: &[u8]) {
    lines(data);
    let Ok(text) = std::str::from_utf8(data) else { return };
    if let Err(error) = TrustFile::parse(text) {
        assert_printable(&error.to_string());
    }
    if let Err(error) = Policy::parse(text) {
        assert_printable(&error.to_string());
    }
}

fn lines(data: &[u8]) {
    let limits = super::limits();
    let key = PublicKey::from_pem(KEY).expect("a key");
    let auditor = Auditor { name: "a".to_owned(), verifier: None, keys: vec![key], not_after: None, max_age: None };
    let trust = Trust::new(vec![auditor], 1).expect("one auditor");
    let asked = [AskedImage { name: "app".to_owned(), digest: IMAGE.parse().expect("a digest") }];
    let rules = Rules {
        trust: &trust,
        asked: &asked,
        lock: None,
        resource: None,
        accepts_content: false,
        now: 1_800_000_000,
        limits: &limits,
    };
    let mut lines = Lines::new(data, &limits);
    loop {
        let batch = match lines.next_batch() {
            Ok(Some(batch)) => batch,
            Ok(None) => return,
            Err(error) => return assert_printable(&error.to_string()),
        };
        for raw in batch {
            let line = match raw.read(&limits) {
                Ok(line) => line,
                Err(error) => return assert_printable(&error.to_string()),
            };
            match judge(&line, "place", &rules) {
                Judged::Rejected(reason) => assert_printable(&reason),
                Judged::Counts(votes) => assert!(!votes.is_empty() && matches!(line.content, Content::Envelope(_))),
                _ => {}
            }
            let payload = match &line.content {
                // Signatures that are no base64 are not written again.
                Content::Envelope(envelope) if envelope.signatures.is_empty() => continue,
                Content::Envelope(envelope) => {
                    for written in [Some(envelope.to_line()), bundle::of(envelope)].into_iter().flatten() {
                        let again = RawLine { number: None, bytes: written }.read(&limits).expect("what was written");
                        let Content::Envelope(again) = again.content else { panic!("an envelope") };
                        assert_eq!(again.payload, envelope.payload);
                    }
                    &envelope.payload
                }
                Content::Statement(payload) => payload,
                _ => continue,
            };
            match Statement::parse(payload, &limits) {
                Ok(statement) => {
                    if let Err(error) = Summary::read(&statement.predicate) {
                        assert_printable(&error.to_string());
                    }
                }
                Err(error) => assert_printable(&error.to_string()),
            }
        }
    }
}
