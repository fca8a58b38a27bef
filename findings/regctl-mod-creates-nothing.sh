#!/usr/bin/env bash
# regctl (Go) sets an image's times, so that two builds get one digest: `regctl image mod REF --create TAG --time set=... --reproducible`. Guess: afterwards
# TAG is there, and a second pass over the result changes nothing. Seen: 0.11.7 changes nothing in the second pass, and then makes no TAG either: it prints
# the name as always and ends with 0. A pipeline that normalises before it publishes publishes nothing once the build has become reproducible.
set -euo pipefail
work=$(mktemp -d)
trap 'chmod -R u+w "$work"; rm -rf "$work"' EXIT
cd "$work"
go mod init seen 2>/dev/null
go get github.com/regclient/regclient/cmd/regctl@v0.11.7 2>/dev/null
go build -o regctl github.com/regclient/regclient/cmd/regctl
echo hello > file && tar -cf layer.tar file
./regctl image create ocidir://image:built >/dev/null
./regctl image mod ocidir://image:built --create built --replace --layer-add tar=layer.tar >/dev/null
for step in built:first first:second; do
    ./regctl image mod "ocidir://image:${step%:*}" --create "${step#*:}" --time set=2026-01-01T00:00:00Z --reproducible
    echo "ended with $?"
done | tee said
./regctl tag ls ocidir://image | tee tags
[ "$(cat said)" = $'ocidir://image:first\nended with 0\nocidir://image:second\nended with 0' ]
[ "$(sort tags | xargs)" = "built first" ]
