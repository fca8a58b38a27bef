#!/usr/bin/env bash
# Python build backends that read SOURCE_DATE_EPOCH, building one project twice. Guess: wheel and source archive come out the same, as with flit-core.
# Seen: pdm-backend 2.5.0 gives every file in the source archive the epoch, and writes the present time into the gzip header around it.
# So the wheel reproduces and the source archive, whose digest pip and lockfiles check, never does.
set -euo pipefail
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet pdm-backend==2.5.0 flit-core==4.2.0
cat > seen.py <<'PY'
import hashlib, importlib, os, pathlib, sys
os.environ["SOURCE_DATE_EPOCH"] = "1600000000"
backend, out = importlib.import_module(sys.argv[1]), sys.argv[2]
os.chdir("project")
wheel, sdist = (pathlib.Path(out, build(out)).read_bytes() for build in (backend.build_wheel, backend.build_sdist))
print("wheel", hashlib.sha256(wheel).hexdigest())
print("sdist", hashlib.sha256(sdist).hexdigest())
PY
for backend in flit_core.buildapi pdm.backend; do
    for round in 1 2; do
        rm -rf project && mkdir -p project/pkg "$work/$backend.$round" && echo 'x = 1' > project/pkg/__init__.py
        echo '# pkg' > project/README.md && echo MIT > project/LICENSE
        cat > project/pyproject.toml <<TOML
[build-system]
requires = []
build-backend = "$backend"
[project]
name = "pkg"
version = "1.0"
description = "a package"
readme = "README.md"
TOML
        venv/bin/python seen.py "$backend" "$work/$backend.$round" 2>/dev/null | grep -E '^(wheel|sdist) ' | sed "s/^/$backend /"
        sleep 1.1
    done
done | tee digests
for wanted in 'flit_core.buildapi wheel 1' 'flit_core.buildapi sdist 1' 'pdm.backend wheel 1' 'pdm.backend sdist 2'; do
    [ "$(grep -F "${wanted% *} " digests | sort -u | wc -l)" = "${wanted##* }" ]
done
python3 - pdm.backend.1/*.tar.gz <<'PY'
import struct, sys, tarfile
with open(sys.argv[1], "rb") as file:
    header = struct.unpack("<I", file.read(8)[4:])[0]
times = {int(member.mtime) for member in tarfile.open(sys.argv[1])}
print("pdm-backend: files", times, "gzip header", header)
assert times == {1600000000} and header > 1700000000
PY
