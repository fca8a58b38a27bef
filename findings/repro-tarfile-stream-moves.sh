#!/usr/bin/env bash
# repro-tarfile (PyPI), which is made to write the same archive each time, in the modes of Python's tarfile. Guess: with SOURCE_DATE_EPOCH all of them
# give one digest. Seen: 0.2.1 does so for `w:gz`, which needs a file; `w|gz`, the mode for pipes and uploads, writes the present time
# into the gzip header, though every entry has the epoch.
set -euo pipefail
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet repro-tarfile==0.2.1
echo hello > file
cat > seen.py <<'PY'
import hashlib, time, repro_tarfile
digests = {}
for mode in ("w", "w:gz", "w|", "w|gz", "w|xz"):
    for _ in range(2):
        with repro_tarfile.ReproducibleTarFile.open("seen.tar", mode) as archive:
            archive.add("file")
            assert archive.getmember("file").mtime == 1600000000
        with open("seen.tar", "rb") as file:
            digests.setdefault(mode, []).append(hashlib.sha256(file.read()).hexdigest()[:12])
        time.sleep(1.1)
    print(mode, *digests[mode])
assert [mode for mode, both in digests.items() if len(set(both)) > 1] == ["w|gz"]
PY
SOURCE_DATE_EPOCH=1600000000 venv/bin/python seen.py
