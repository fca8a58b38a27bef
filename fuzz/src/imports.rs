//! What the fuzz targets do with documents of builds that others recorded.

use repro::parts::escape::is_dangerous;
use repro::parts::imports::{RecordedBuild, Surroundings, carry, read_document, read_policy};
use repro::parts::limits::Limits;
use repro::parts::lockfile::Lockfile;
use repro::parts::manifest::Manifest;

/// Documents and policies: what is carried over is a manifest that is read again, notes can be printed, claims are written
/// and read.
pub fn imports(data: &[u8]) {
    let limits = Limits::default();
    for read in [read_document(data, &limits), read_policy(data, &limits)] {
        match read {
            Ok(build) => carried(&build),
            Err(error) => assert_printable(&error.to_string()),
        }
    }
}

fn carried(build: &RecordedBuild) {
    let here = Surroundings { context: ".", dockerfile: "Dockerfile", dockerfile_text: b"", run_needs_network: false };
    let carried = carry(build, &here);
    for note in &carried.notes {
        assert_printable(&note.what);
        assert_printable(&note.why);
    }
    let text = carried.table.text("app", &carried.notes, "document");
    let (file, root) = (std::path::Path::new("/r/repro.toml"), std::path::Path::new("/r"));
    // What is too long for a manifest is refused as a whole, when it is written.
    if (text.len() as u64) < Limits::default().manifest_file {
        Manifest::parse_with(&text, file, root, &|_| None, &Limits::default()).expect("a manifest");
    }
    let lockfile = Lockfile { claims: build.claims.iter().cloned().collect(), ..Lockfile::default() };
    if let Ok(again) = Lockfile::parse(&lockfile.to_text(), &Limits::default()) {
        assert_eq!(again, lockfile);
    }
}

fn assert_printable(text: &str) {
    assert!(!text.chars().any(|c| c != '\n' && is_dangerous(c)), "{text:?}");
}
