#!/usr/bin/env bash
# Runs the conformance tests of the distribution-spec, pinned, against `repro serve --writable` and prints what they say:
#
#     tests/serve/conformance.sh
#
# Needs Go 1.24 or newer and a built `repro` (`$REPRO`, else target/debug/repro). Ends with 1 if anything fails but what is
# turned off here: sha512, which this server does not take (docs/ship.md).
set -euo pipefail
version=v0.0.0-20260831232431-97274622c111
module=github.com/opencontainers/distribution-spec/conformance
repro=${REPRO:-$(cargo metadata --format-version 1 --no-deps | jq -r .target_directory)/debug/repro}
work=$(mktemp -d)
server=
trap 'if [ -n "$server" ]; then kill "$server"; fi; rm -rf "$work"' EXIT
source=$(go mod download -json "$module@$version" | jq -r .Dir)
(cd "$source" && go build -o "$work/conformance" .)
"$repro" serve "$work/store/" --writable >"$work/address" &
server=$!
until [ -s "$work/address" ]; do sleep 0.1; done
status=0
OCI_REGISTRY=$(head -n 1 "$work/address") OCI_TLS=disabled OCI_REPO1=a/one OCI_REPO2=b/two OCI_DATA_SHA512=false \
    OCI_API_BLOBS_UPLOAD_CANCEL=true OCI_RESULTS_DIR=$work/results "$work/conformance" >"$work/log" 2>&1 || status=1
sed -n '/^API conformance:/,$p' "$work/log"
exit "$status"
