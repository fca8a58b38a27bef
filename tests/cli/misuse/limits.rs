//! `--limit` counts for every command that reads the file.

use super::locked;

/// More than the 8 MiB that a lockfile may have without a word.
const RAISED: &[&str] = &["--limit", "lock-file=10000000"];

fn padded(lockfile: &str) -> String {
    format!("{lockfile}{}", format!("# {}\n", "x".repeat(1 << 20)).repeat(9))
}

#[test]
fn a_raised_limit_of_the_lockfile_counts_for_every_command_that_reads_it() {
    let project = locked("FROM scratch\n", &[]);
    project.repro(&["build", "--record"]).expect(0);
    project.write("repro.lock", padded(&project.read("repro.lock")));
    for command in [&["verify"][..], &["build"], &["policy"], &["tape", "show"]] {
        project.repro(command).expect(6).says("`--limit lock-file=VALUE` raises it");
        project.repro(&[command, RAISED].concat()).expect(0);
    }
}

#[test]
fn the_sources_of_a_large_lockfile_are_listed_with_their_pins() {
    let project = locked("FROM scratch\n", &[]);
    let digest = format!("sha256:{}", "1".repeat(64));
    let pin = format!("\n[[source]]\nhttp = \"https://files.example/a\"\ndigest = \"{digest}\"\nsize = 1\n");
    let (head, images) =
        project.read("repro.lock").split_once("\n[image").map(|(a, b)| (a.to_owned(), b.to_owned())).unwrap();
    let images = images.replace("sources = []", "sources = [\n    \"https://files.example/a\",\n]");
    project.write("repro.lock", padded(&format!("{head}{pin}\n[image{images}")));
    project.write("Dockerfile", "FROM scratch\nADD https://files.example/a /a\n");
    let outcome = project.repro(&[&["sources"], RAISED].concat()).expect(0);
    assert!(outcome.stdout.contains(&digest), "{outcome:?}");
}
