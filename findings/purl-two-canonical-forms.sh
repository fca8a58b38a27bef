#!/usr/bin/env bash
# Package URLs of images, as BuildKit writes them into provenance, through the reference packages of two languages. Guess: both give the same canonical
# text, and leave alone what a builder wrote.
# Seen: packageurl-python 0.17.6 writes `platform=linux/amd64` and keeps `digest=sha256:…`; packageurl-js 2.0.1 writes `linux%2Famd64` and
# `sha256%3A…`, and turns the `%2B` of a version into a plain `+`, which other readers take for a blank. Neither gives BuildKit's own text back, so package
# URLs can be compared by their parts only.
set -euo pipefail
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet packageurl-python==0.17.6
npm install --silent --no-save --no-audit --no-fund packageurl-js@2.0.1 >/dev/null
purl='pkg:docker/registry.example/app@1.0%2Bgit?digest=sha256:00ff&platform=linux%2Famd64'
python=$(venv/bin/python -c 'import sys; from packageurl import PackageURL; print(PackageURL.from_string(sys.argv[1]).to_string())' "$purl")
cat > seen.mjs <<'JS'
import { PackageURL } from 'packageurl-js';
console.log(PackageURL.fromString(process.argv[2]).toString());
JS
javascript=$(node seen.mjs "$purl")
printf '%s\n' "$purl" "$python" "$javascript"
[ "$python" = 'pkg:docker/registry.example/app@1.0%2Bgit?digest=sha256:00ff&platform=linux/amd64' ]
[ "$javascript" = 'pkg:docker/registry.example/app@1.0+git?digest=sha256%3A00ff&platform=linux%2Famd64' ]
