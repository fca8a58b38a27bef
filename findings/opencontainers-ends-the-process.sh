#!/usr/bin/env bash
# `opencontainers` of PyPI (Image, Manifest and Index of the OCI specifications as classes) and documents of today: a manifest with `mediaType`, as BuildKit,
# buildah and crane write it, and the config of an arm image with `variant`. Guess: read, or an error that a caller can handle.
# Seen with 0.0.15: it knows the fields of image-spec 1.0 alone, prints "mediaType is not a valid json attribute." and calls `sys.exit(1)` from
# within `load`: the caller's whole process ends (`SystemExit` is no `Exception`).
set -euo pipefail
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet opencontainers==0.0.15
cat > seen.py <<'PY'
from opencontainers.image.v1 import Image, Manifest
blob = lambda kind, letter: {"mediaType": f"application/vnd.oci.image.{kind}", "digest": "sha256:" + 64 * letter, "size": 2}
manifest = {"schemaVersion": 2, "config": blob("config.v1+json", "a"), "layers": [blob("layer.v1.tar+gzip", "b")]}
config = {"architecture": "arm", "os": "linux", "rootfs": {"type": "layers", "diff_ids": ["sha256:" + 64 * "c"]}}
def load(kind, document):
    try:
        kind().load(document)
    except SystemExit as end:
        return f"ends the process with {end.code}"
    return "is read"
seen = [
    load(Manifest, manifest),
    load(Manifest, manifest | {"mediaType": "application/vnd.oci.image.manifest.v1+json"}),
    load(Image, config),
    load(Image, config | {"variant": "v7"}),
]
print(*seen, sep="\n")
assert seen == ["is read", "ends the process with 1"] * 2
PY
venv/bin/python seen.py
