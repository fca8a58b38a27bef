#!/usr/bin/env bash
# A PAX archive, as docker and BuildKit write layers, read by nanotar: a link to a path of more than 100 bytes, a time with a fraction, and an owner above
# 2097151 in GNU's binary form. Guess: the link under its name, the time cut to seconds, the owner.
# Seen with 0.3.0: the link is given under the path that it leads to, and its own name is lost; 1.5 s are 2; the owner is NaN.
set -euo pipefail
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
cd "$work"
npm install --silent --no-save --no-audit --no-fund nanotar@0.3.0 >/dev/null
python3 - <<'PY'
import tarfile
with tarfile.open("pax.tar", "w", format=tarfile.PAX_FORMAT) as archive:
    link = tarfile.TarInfo("usr/bin/tool")
    link.type, link.linkname, link.mtime = tarfile.SYMTYPE, "opt/" + 150 * "d", 1.5
    archive.addfile(link)
with tarfile.open("gnu.tar", "w", format=tarfile.GNU_FORMAT) as archive:
    file = tarfile.TarInfo("file")
    file.uid = 3000000
    archive.addfile(file)
PY
cat > seen.mjs <<'JS'
import { readFileSync } from 'node:fs';
import { parseTar } from 'nanotar';
const [link] = parseTar(readFileSync('pax.tar'));
const [file] = parseTar(readFileSync('gnu.tar'));
const seen = [link.name === 'opt/' + 'd'.repeat(150), link.attrs.mtime === 2, Number.isNaN(file.attrs.uid)];
console.log(link.name, link.attrs.mtime, file.attrs.uid);
process.exit(seen.every(Boolean) ? 0 : 1);
JS
node seen.mjs
