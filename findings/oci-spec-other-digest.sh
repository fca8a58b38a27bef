#!/usr/bin/env bash
# oci-spec (crates.io), the Rust types of the OCI image specification. Guess: a manifest that is read and written back unchanged keeps its digest,
# or at least gets the same one each time. Seen: annotations, labels, ports and volumes are hash maps, written in an order that is drawn anew in every
# process, so the same manifest gets another digest from run to run. A program that edits images with these types has to sort before it hashes.
set -euo pipefail
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
cd "$work"
mkdir src
cat > Cargo.toml <<'TOML'
[package]
name = "seen"
version = "0.0.0"
edition = "2021"
[dependencies]
oci-spec = { version = "=0.10.0", default-features = false, features = ["image"] }
serde_json = "1"
TOML
cat > src/main.rs <<'RUST'
fn main() {
    let empty = r#"{"mediaType":"application/vnd.oci.empty.v1+json","digest":"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a","size":2}"#;
    let notes: Vec<String> = ('a'..='j').map(|letter| format!("\"org.example.{letter}\":\"1\"")).collect();
    let text = format!(r#"{{"schemaVersion":2,"config":{empty},"layers":[{empty}],"annotations":{{{}}}}}"#, notes.join(","));
    let manifest: oci_spec::image::ImageManifest = serde_json::from_str(&text).unwrap();
    println!("{}", serde_json::to_string(&manifest).unwrap());
}
RUST
cargo build --quiet
for _ in 1 2 3 4 5 6; do ./target/debug/seen | sha256sum; done | sort | uniq -c | tee digests
[ "$(wc -l < digests)" -gt 1 ]
