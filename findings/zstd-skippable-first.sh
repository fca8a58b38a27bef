#!/usr/bin/env bash
# A zstd layer as pzstd writes it: frames, and before each a skippable one that says how long it is. Guess: such frames may stand anywhere, libzstd passes
# over them, and all packages of PyPI sit on libzstd, so all give the content. Seen: backports.zstd, cramjam, pyzstd and zstd do. zstandard 0.25.0 has
# readers that do and readers that don't: `decompress` takes the length of the skippable frame for that of the content and fails, `decompressobj` and
# `read_to_iter` end without an error and without a byte, so that a layer looks empty.
set -euo pipefail
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet zstandard==0.25.0 pyzstd==0.20.0 backports.zstd==1.8.0 cramjam==2.14.0 zstd==1.5.7.2
cat > seen.py <<'PY'
import io, struct
import cramjam, pyzstd, zstandard, zstd
from backports import zstd as backports
content = b"a layer of some bytes\n" * 20000
layer = b""
for part in (content[:220000], content[220000:]):
    frame = zstandard.compress(part)
    layer += struct.pack("<III", 0x184D2A50, 4, len(frame)) + frame
def copied(data):
    target = io.BytesIO()
    zstandard.ZstdDecompressor().copy_stream(io.BytesIO(data), target)
    return target.getvalue()
readers = {
    "backports.zstd": backports.decompress,
    "cramjam": lambda data: bytes(cramjam.zstd.decompress(data)),
    "pyzstd": pyzstd.decompress,
    "zstd": zstd.decompress,
    "zstandard copy_stream": copied,
    "zstandard stream_reader": lambda data: zstandard.ZstdDecompressor().stream_reader(io.BytesIO(data)).read(),
    "zstandard decompressobj": lambda data: zstandard.ZstdDecompressor().decompressobj().decompress(data),
    "zstandard read_to_iter": lambda data: b"".join(zstandard.ZstdDecompressor().read_to_iter(io.BytesIO(data))),
    "zstandard decompress": zstandard.decompress,
}
seen = {}
for name, read in readers.items():
    try:
        seen[name] = len(read(layer))
    except zstandard.ZstdError as error:
        seen[name] = str(error)
    print(f"{name}: {seen[name]} of {len(content)}")
empty = {"zstandard decompressobj": 0, "zstandard read_to_iter": 0}
refused = {"zstandard decompress": "decompression error: decompressed 0 bytes; expected 4"}
assert seen == {name: len(content) for name in readers} | empty | refused
PY
venv/bin/python seen.py
