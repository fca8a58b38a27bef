#!/usr/bin/env bash
# isal and zlib-ng (PyPI), fast replacements of Python's gzip, writing one content at one level, with the time left out. Guess: as with zlib, the bytes
# depend on content and level only, not on the sizes of the writes nor on threads. Seen: isal 1.9.1 gives other bytes for other sizes of writes; zlib-ng
# 1.1.0 does not, but both give others again through `threads=1` (which leaves the time out, as `threads=0` does not), there too by the size of the
# writes. A layer that is compressed this way has another digest whenever the buffer size of the copying loop changes; its diff ID stays.
set -euo pipefail
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet isal==1.9.1 zlib-ng==1.1.0
cat > seen.py <<'PY'
import gzip, hashlib, io, random
from isal import igzip, igzip_threaded
from zlib_ng import gzip_ng, gzip_ng_threaded
random.seed(1)
words = [bytes(random.choices(b"abcdefghij", k=random.randint(2, 9))) for _ in range(5000)]
content = b" ".join(random.choices(words, k=400000))
writers = {
    "gzip": lambda file: gzip.GzipFile(fileobj=file, mode="wb", compresslevel=2, mtime=0),
    "isal": lambda file: igzip.IGzipFile(fileobj=file, mode="wb", compresslevel=2, mtime=0),
    "isal, a thread": lambda file: igzip_threaded.open(file, "wb", compresslevel=2, threads=1),
    "zlib-ng": lambda file: gzip_ng.GzipNGFile(fileobj=file, mode="wb", compresslevel=2, mtime=0),
    "zlib-ng, a thread": lambda file: gzip_ng_threaded.open(file, "wb", compresslevel=2, threads=1),
}
seen = {}
for name, open_writer in writers.items():
    digests = []
    for size in (len(content), 65536, 1000):
        file = io.BytesIO()
        with open_writer(file) as writer:
            for at in range(0, len(content), size):
                writer.write(content[at : at + size])
        assert gzip.decompress(file.getvalue()) == content
        digests.append(hashlib.sha256(file.getvalue()).hexdigest()[:12])
    print(name, *digests)
    seen[name] = len(set(digests))
assert seen["gzip"] == seen["zlib-ng"] == 1, seen
assert all(seen[name] > 1 for name in ("isal", "isal, a thread", "zlib-ng, a thread")), seen
PY
venv/bin/python seen.py
