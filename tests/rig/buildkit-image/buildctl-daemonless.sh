#!/bin/sh
# Runs one buildctl command against a daemon of its own: buildctl-daemonless.sh build …
# BUILDKITD_FLAGS are flags for the daemon.
set -eu
folder=$(mktemp -d)
# shellcheck disable=SC2086 # several flags
buildkitd ${BUILDKITD_FLAGS:-} --addr="unix://$folder/buildkitd.sock" >"$folder/log" 2>&1 &
daemon=$!
trap 'kill $daemon 2>/dev/null || true; wait $daemon 2>/dev/null || true; rm -rf "$folder"' EXIT
tries=0
until buildctl --addr="unix://$folder/buildkitd.sock" debug workers >/dev/null 2>&1; do
    tries=$((tries + 1))
    if [ "$tries" -ge "${BUILDCTL_CONNECT_RETRIES_MAX:-100}" ]; then
        echo "buildkitd does not answer:" >&2
        cat "$folder/log" >&2
        exit 1
    fi
    sleep 0.1
done
buildctl --addr="unix://$folder/buildkitd.sock" "$@"
