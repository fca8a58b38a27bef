#!/usr/bin/env bash
# git's index in two files (`git update-index --split-index`) and with folded directories (`--sparse-index`), read by dulwich. Guess: read, or refused by the name
# of the extension (`link`, `sdir`), as libgit2 does ("unsupported mandatory extension").
# Seen: dulwich 1.2.21 takes the extension's name for the checksum at the file's end and says that the index is damaged (`ChecksumMismatch`), though
# git has just written it. Who relies on it for what a build's context holds is told to distrust a sound clone.
set -euo pipefail
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet dulwich==1.2.21
git init -q split
mkdir split/in split/out
touch split/in/1 split/out/2 split/top
git -C split add .
git -C split -c user.name=a -c user.email=a@users.example commit -qm one
cp -r split sparse
git -C split update-index --split-index
git -C sparse sparse-checkout set --sparse-index in
cat > seen.py <<'PY'
import sys
from dulwich.errors import ChecksumMismatch
from dulwich.index import Index
for name in sys.argv[1:]:
    try:
        Index(f"{name}/.git/index")
    except ChecksumMismatch as error:
        print(name, error)
    else:
        raise SystemExit(f"{name}: it was read")
PY
venv/bin/python seen.py split sparse
git -C split ls-files | sort | cmp - <(git -C sparse ls-files | sort)
