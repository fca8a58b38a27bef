#!/usr/bin/env bash
# oci-spec (crates.io) on documents that docker and BuildKit write. Guess: unknown fields are kept or refused. Seen: they are dropped without a word,
# and with them `Healthcheck`, `OnBuild`, `Shell` and `ArgsEscaped` of a config, so that the copy starts differently; and of an index entry's platform
# `os.version` and `os.features`, which the specification names: Windows images for several releases of a kernel can't be told apart any more.
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
use oci_spec::image::{ImageConfiguration, ImageIndex};
fn main() {
    let config = r#"{"architecture":"amd64","os":"linux","config":{"Cmd":["sh"],"Healthcheck":{"Test":["CMD","true"]},"OnBuild":["RUN make"],"Shell":["/bin/bash","-c"],"ArgsEscaped":true},"rootfs":{"type":"layers","diff_ids":[]},"history":[]}"#;
    let config: ImageConfiguration = serde_json::from_str(config).unwrap();
    println!("{}", serde_json::to_string(&config).unwrap());
    let index = r#"{"schemaVersion":2,"manifests":[{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a","size":2,"platform":{"architecture":"amd64","os":"windows","os.version":"10.0.26100.1","os.features":["win32k"]}}]}"#;
    let index: ImageIndex = serde_json::from_str(index).unwrap();
    println!("{}", serde_json::to_string(&index).unwrap());
}
RUST
cargo build --quiet
./target/debug/seen | tee out
grep -q '"Cmd":\["sh"\]' out
if grep -Eq 'Healthcheck|OnBuild|Shell|ArgsEscaped|version"|26100|win32k' <(sed 's/"schemaVersion"//' out); then exit 1; fi
