#!/usr/bin/env bash
# Runs real tools twice and asks `repro diff` why the two images differ: every case of `cases.toml`, or those that are named.
#
#     eval "$(RIG_PARTS="registry buildkit" tests/rig/up)" && tests/rig/base debian
#     tests/explain/real.sh [CASE…]
#
# Prints a table, a line a case, and ends with 1 where a cause that is found is not one of the case's, or the other way round.
# The programs come from this machine's apt mirror and a Go release into one base image, made once for a rig (five minutes);
# EXPLAIN_KEEP names a directory that the archives and documents are left in. Whole installs take what apt, PyPI and npm have at the time.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
: "${RIG_REGISTRY:?start the rig first}" "${BUILDKIT_HOST:?start the rig first}"
go_release=go1.27.3

# Pushes the image that holds the programs, unless the registry has this one.
make_tools() {
    local name
    name=$RIG_REGISTRY/explain/tools:$(cat "$here"/tools/* | sha256sum | cut -c1-16)
    if ! crane digest --insecure "$name" >/dev/null 2>&1; then
        echo "making the image of programs (five minutes)" >&2
        work=$(mktemp -d)
        trap 'chmod -R u+w "$work"; rm -rf "$work"' EXIT
        # Speed counts here, not size.
        cp "$here"/tools/* "$work"
        cp -rL "$(GOTOOLCHAIN=$go_release go env GOROOT)" "$work/go"
        rm -rf "$work"/go/{test,doc,api}
        (cd "$work" && npm pack --silent npm@10.9.0 >/dev/null && mv npm-10.9.0.tgz npm.tgz)
        buildctl build --progress plain --allow network.host --frontend dockerfile.v0 --local "context=$work" --local "dockerfile=$work" \
            --output "type=image,name=$name,push=true,compression=uncompressed,force-compression=true" >"$work/log" 2>&1 || {
            tail -n 20 "$work/log" >&2
            exit 1
        }
    fi
    crane tag --insecure "$name" real >/dev/null 2>&1
}

make_tools
cd "$here/../.."
EXPLAIN_CASES=${*:-all} REPRO_REQUIRE_RIG=1 cargo test --locked --quiet --test end_to_end -- --exact explained::every_cause_that_real_tools_make_is_named --nocapture
