#!/usr/bin/env bash
# crane 0.21.9 (Go) on an image of its own making. Guess: as reproducible as its other commands, whose images say 0001-01-01; or SOURCE_DATE_EPOCH
# counts. Seen: `append` twice gives one digest, `flatten` twice gives two: it writes the present time into config and history, whatever the variable says.
set -euo pipefail
work=$(mktemp -d)
trap 'kill "$server" 2>/dev/null || true; chmod -R u+w "$work"; rm -rf "$work"' EXIT
cd "$work"
GOBIN="$work/bin" GOFLAGS=-modcacherw go install github.com/google/go-containerregistry/cmd/crane@v0.21.9
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
bin/crane registry serve --address "127.0.0.1:$port" 2>/dev/null &
server=$!
name=127.0.0.1:$port/some/app
until bin/crane catalog --insecure "127.0.0.1:$port" >/dev/null 2>&1; do sleep 0.2; done
echo hello > file && tar -cf layer.tar file
export SOURCE_DATE_EPOCH=1600000000
for round in 1 2; do
    bin/crane append --insecure -f layer.tar -t "$name:append$round" >/dev/null 2>&1
    bin/crane flatten --insecure "$name:append$round" -t "$name:flatten$round" >/dev/null 2>&1
    sleep 1.1
done
for command in append flatten; do
    for round in 1 2; do echo "$command $(bin/crane digest --insecure "$name:$command$round")"; done
done | tee digests
bin/crane config --insecure "$name:flatten1" | grep -o '"created":"[^"]*"' | sort -u
[ "$(grep -c '' <(grep append digests | sort -u))" = 1 ]
[ "$(grep -c '' <(grep flatten digests | sort -u))" = 2 ]
