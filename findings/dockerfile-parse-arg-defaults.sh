#!/usr/bin/env bash
# dockerfile-parse 2.0.1 (PyPI): `parent_images`, from which pinning tools take the names to resolve, is wrong for valid Dockerfiles.
# Guess: ARG defaults before the first FROM are expanded, as BuildKit does. Seen: an ARG that uses an earlier ARG stays `alpine:${TAG}`,
# and `${OTHER:-debian:12}` becomes `:-debian:12}`; no error either way. (BuildKit: alpine:3.20 and debian:12.)
set -euo pipefail
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" --quiet --disable-pip-version-check install dockerfile-parse==2.0.1
cat > "$work/Dockerfile" <<'DOCKERFILE'
ARG TAG=3.20
ARG BASE=alpine:${TAG}
FROM ${BASE} AS one
FROM ${OTHER:-debian:12}
DOCKERFILE
seen=$("$work/venv/bin/python" -c '
import sys, dockerfile_parse
print(dockerfile_parse.DockerfileParser(sys.argv[1]).parent_images)' "$work/Dockerfile")
echo "parent_images: $seen"
[ "$seen" = "['alpine:\${TAG}', ':-debian:12}']" ]
