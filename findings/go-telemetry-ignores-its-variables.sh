#!/usr/bin/env bash
# Go's telemetry in a build: `go env` lists GOTELEMETRY and GOTELEMETRYDIR among its variables. Guess: GOTELEMETRY=off in the environment turns it off, as GOFLAGS
# and GOPROXY in the environment count.
# Seen: go 1.26.8 reads neither from the environment: `go vet` of an empty program leaves counters by program and day and a weekday that was drawn in
# $HOME/.config/go/telemetry, in each image that keeps root's home. Only `go telemetry off`, which writes a file there, ends it.
set -euo pipefail
work=$(mktemp -d); trap 'chmod -R u+w "$work"; rm -rf "$work"' EXIT
cd "$work"
export GOTOOLCHAIN=go1.26.8 GOPATH=$work/path GOCACHE=$work/cache GOFLAGS=-modcacherw
printf 'module app.example\ngo 1.21\n' >go.mod
printf 'package main\nfunc main() {}\n' >main.go
go version | grep -F 'go1.26.8'
files() { find "$1" -path '*/go/telemetry/local/*' -type f 2>/dev/null | wc -l; }
mkdir plain off elsewhere quiet
HOME=$work/plain go vet ./...
HOME=$work/off GOTELEMETRY=off go vet ./...
HOME=$work/elsewhere GOTELEMETRYDIR=$work/directory go vet ./...
HOME=$work/quiet go telemetry off
HOME=$work/quiet go vet ./...
for home in plain off elsewhere quiet; do echo "$home: $(files $home) files"; done
echo "shown for GOTELEMETRY=off: $(HOME=$work/off GOTELEMETRY=off go env GOTELEMETRY)"
[ "$(files plain)" -ge 3 ] && [ "$(files off)" -ge 3 ] && [ "$(files elsewhere)" -ge 3 ] && [ "$(files quiet)" = 0 ] && [ ! -e directory ]
