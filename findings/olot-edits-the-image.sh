#!/usr/bin/env bash
# olot (PyPI) adds files as layers to an image in a layout; KServe's model images are made so. Guess: with the same files and times, and
# SOURCE_DATE_EPOCH set, the same image, and what was there before stays. Seen: 1.2.1 gives the same layers and each time another digest, since it takes
# the history's times from the change time of files that it has just written, which nobody can set. Besides, the config loses its health check, and the
# index says `os_version` where it said `os.version`.
set -euo pipefail
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet olot==1.2.1
cat > layout.py <<'PY'
import hashlib, io, json, os, pathlib, sys, tarfile
layout = pathlib.Path(sys.argv[1])
os.makedirs(layout / "blobs/sha256")
def blob(kind, content):
    content = content if isinstance(content, bytes) else json.dumps(content).encode()
    digest = hashlib.sha256(content).hexdigest()
    (layout / "blobs/sha256" / digest).write_bytes(content)
    return {"mediaType": f"application/vnd.oci.image.{kind}", "digest": f"sha256:{digest}", "size": len(content)}
archive = io.BytesIO()
tarfile.open(fileobj=archive, mode="w").close()
layer = blob("layer.v1.tar", archive.getvalue())
settings = {"Env": ["A=b"], "Healthcheck": {"Test": ["CMD", "check"]}}
rootfs = {"type": "layers", "diff_ids": [layer["digest"]]}
config = {"architecture": "amd64", "os": "linux", "config": settings, "rootfs": rootfs, "history": [{"created_by": "first"}]}
manifest = {"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json", "config": blob("config.v1+json", config), "layers": [layer]}
entry = blob("manifest.v1+json", manifest) | {"platform": {"architecture": "amd64", "os": "linux", "os.version": "1"}}
index = {"schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json", "manifests": [entry]}
(layout / "index.json").write_text(json.dumps(index))
(layout / "oci-layout").write_text('{"imageLayoutVersion":"1.0.0"}')
PY
cat > seen.py <<'PY'
import json, pathlib
images = []
for layout in (pathlib.Path("first"), pathlib.Path("second")):
    read = lambda descriptor: json.loads((layout / "blobs/sha256" / descriptor["digest"][7:]).read_text())
    entry = json.loads((layout / "index.json").read_text())["manifests"][0]
    manifest = read(entry)
    config = read(manifest["config"])
    images.append((entry["digest"], [layer["digest"] for layer in manifest["layers"]], config, entry["platform"]))
    print("image", entry["digest"], "layer", images[-1][1][1], "history", config["history"][1]["created"])
(first, first_layers, config, platform), (second, second_layers, _, _) = images
print("config", config["config"], "platform", platform)
assert first_layers == second_layers and first != second
assert config["config"] == {"Env": ["A=b"]}
assert platform == {"architecture": "amd64", "os": "linux", "os_version": "1"}
PY
echo model > model.bin && touch -d @1600000000 model.bin
for layout in first second; do
    python3 layout.py "$layout"
    SOURCE_DATE_EPOCH=1600000000 venv/bin/olot "$layout" model.bin 2>/dev/null
    sleep 1.1
done
venv/bin/python seen.py
