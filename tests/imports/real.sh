#!/usr/bin/env bash
# Builds images with real BuildKits, imports what they recorded, locks it, builds it anew and compares; a line an image:
#
#     eval "$(tests/rig/up)"
#     tests/imports/real.sh [files|stages|tag|context …]
#
# Four Dockerfiles, each by BuildKit v0.34.2, v0.32.2 and v0.26.3: `repro init --from-image` reads the archive with its
# provenance, `repro build --record` and `repro verify --against` give the digest that BuildKit wrote, and so does
# `repro verify --from-provenance`. Ends with 1 if one does not.
set -euo pipefail
: "${RIG_REGISTRY:?start the rig first}" "${BUILDKIT_HOST:?start the rig first}" "${RIG_BUILDKIT_PREVIOUS:?}" "${RIG_BUILDKIT_OLD:?}"
repro=${REPRO:-$(cargo metadata --format-version 1 --no-deps | jq -r .target_directory)/debug/repro}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export XDG_CACHE_HOME=$work/cache GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1
epoch=1700000000

commit() { # DIRECTORY
    git -C "$1" add -A
    GIT_AUTHOR_DATE="@$epoch +0000" GIT_COMMITTER_DATE="@$epoch +0000" git -C "$1" -c user.name=Fixture -c user.email=fixture@example.org commit -qm x
}

# What the Dockerfiles take: a file, and a repository with an annotated tag.
mkdir -p "$RIG_FILES_ROOT/imports"
echo data >"$RIG_FILES_ROOT/imports/data.txt"
rm -rf "$RIG_GIT_ROOT/imports.git"
mkdir "$work/lib"
git -C "$work/lib" init -q -b main
printf 'FROM scratch\nCOPY lib.txt /\n' >"$work/lib/Dockerfile"
echo lib >"$work/lib/lib.txt"
commit "$work/lib"
GIT_COMMITTER_DATE="@$epoch +0000" git -C "$work/lib" -c user.name=Fixture -c user.email=fixture@example.org tag -a v1a -m annotated
git clone -q --bare "$work/lib" "$RIG_GIT_ROOT/imports.git"

dockerfile() { # NAME
    case $1 in
    files) printf 'FROM registry.example/busybox:1\nARG VERSION=0\nADD %s/imports/data.txt /data.txt\nCOPY app.txt /app.txt\nLABEL v=$VERSION\n' "$RIG_FILES" ;;
    stages) printf 'FROM registry.example/busybox:1 AS build\nCOPY app.txt /a\nRUN cat /a >/b\nFROM scratch AS runtime\nCOPY --from=build /b /b\nFROM scratch\nCOPY app.txt /c\n' ;;
    tag) printf 'FROM scratch\nADD %s/imports.git#v1a /lib\nCOPY app.txt /app.txt\n' "$RIG_GIT" ;;
    context) printf 'FROM scratch\nCOPY lib.txt /\n' ;;
    esac
}

line() { printf '| %-8s | %-8s | %-10s | %-9s | %-9s | %-15s | %-8s |\n' "$@"; }

# built FILE: the digest that an archive's index leads to, of its image manifest.
built() {
    tar xOf "$1" index.json | jq -r '.manifests[0].digest' | sed 's/:/\//' | xargs -I{} tar xOf "$1" blobs/{} |
        jq -r '.manifests[] | select(.platform.os != "unknown") | .digest'
}

status=0
try() { # NAME VERSION BUILDCTL ADDRESS PROVENANCE
    local name=$1 version=$2 folder=$work/$2-$1 want got imported=no locked=no verified=no rebuilt=no context=() more=()
    mkdir "$folder"
    git -C "$folder" init -q
    dockerfile "$name" >"$folder/Dockerfile"
    echo app >"$folder/app.txt"
    echo lib >"$folder/lib.txt"
    commit "$folder"
    if [ "$name" = context ]; then
        context=(--opt "context=$RIG_GIT/imports.git#v1a")
    else
        context=(--local "context=$folder" --local "dockerfile=$folder")
        more=(-f Dockerfile)
    fi
    [ "$name" != files ] || context+=(--opt build-arg:VERSION=1.2.3 --opt label:org.example.a=b)
    [ "$name" != stages ] || context+=(--opt target=runtime --opt force-network-mode=none)
    "$3" --addr "$4" build --progress plain --no-cache --frontend dockerfile.v0 "${context[@]}" --opt platform=linux/amd64 \
        --opt build-arg:SOURCE_DATE_EPOCH=$epoch --opt "attest:provenance=mode=max,version=$5" --metadata-file "$folder.json" \
        --output "type=oci,dest=$folder.tar,rewrite-timestamp=true,oci-mediatypes=true" >"$folder.log" 2>&1 || {
        tail -n 5 "$folder.log" >&2
        return 1
    }
    want=$(built "$folder.tar")
    (
        cd "$folder"
        "$repro" -q init --from-image "$folder.tar" --name app >init.log 2>&1 || exit 1
        touch "$folder.imported"
        "$repro" -q lock >lock.log 2>&1 && "$repro" lock --check >>lock.log 2>&1 || exit 1
        touch "$folder.locked"
        "$repro" build --record --format json >build.json 2>build.log || exit 1
        "$repro" verify --against-file "$folder.tar" >verify.log 2>&1 || exit 1
        touch "$folder.verified"
    ) || true
    (cd "$folder" && "$repro" verify --from-provenance "$folder.tar" "${more[@]}" >"$folder.provenance" 2>&1) && rebuilt=yes
    for step in imported locked verified; do [ ! -e "$folder.$step" ] || printf -v $step yes; done
    got=$(jq -r '.images[0].platforms[0].manifest' "$folder/build.json" 2>/dev/null || true)
    local verdict=good
    [ "$got" = "$want" ] && [ $verified = yes ] && [ $rebuilt = yes ] || { verdict=WRONG status=1; tail -n 3 "$folder"/*.log "$folder.provenance" >&2 || true; }
    line "$name" "$version" "$5" $imported $locked $verified/$rebuilt $verdict
}

line image BuildKit provenance imported locked verified "digest"
line -------- -------- ---------- --------- --------- --------------- --------
[ $# -gt 0 ] || set -- files stages tag context
for name in "$@"; do
    try "$name" v0.34.2 buildctl "$BUILDKIT_HOST" v1
    try "$name" v0.32.2 buildctl "$RIG_BUILDKIT_PREVIOUS" v0.2
    try "$name" v0.26.3 "$RIG_BUILDCTL_OLD" "$RIG_BUILDKIT_OLD" v1
done
exit $status
