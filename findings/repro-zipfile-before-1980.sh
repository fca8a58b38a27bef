#!/usr/bin/env bash
# repro-zipfile (PyPI) with SOURCE_DATE_EPOCH=0, which many image builds set. Guess: the time is raised to 1980-01-01, the first that a zip archive can
# hold, as `strip-nondeterminism` and Go's toolchain do. Seen: nothing is written; Python's own struct.error comes out, without a word about the variable.
set -euo pipefail
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet repro-zipfile==0.4.1
echo hello > file
cat > seen.py <<'PY'
import os, struct, repro_zipfile
def write():
    with repro_zipfile.ReproducibleZipFile("seen.zip", "w") as archive:
        archive.write("file")
        return archive.infolist()[0].date_time
os.environ["SOURCE_DATE_EPOCH"] = "1600000000"
print("1600000000", write())
os.environ["SOURCE_DATE_EPOCH"] = "0"
try:
    print("0", write())
except struct.error as error:
    print("0 struct.error:", error)
else:
    raise SystemExit("it writes an archive now")
PY
venv/bin/python seen.py
