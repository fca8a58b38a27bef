#!/usr/bin/env bash
# Tries scrub profiles on real programs and prints a table, a line a case of `cases/`:
#
#     eval "$(tests/rig/up)"; tests/rig/base debian
#     tests/scrub/real.sh [CASE…]
#
# Without scrub two builds differ; with the case's profiles they are equal; the scrubbed image's programs work: they find
# what was installed, and install more. The programs come from this machine's apt mirror and npm registry into one base
# image, made once for a rig (two minutes); cases need no network. Ends with 1 if a case is not as it says.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
: "${RIG_REGISTRY:?start the rig first}" "${BUILDKIT_HOST:?start the rig first}"
repro=${REPRO:-$(cargo metadata --format-version 1 --no-deps | jq -r .target_directory)/debug/repro}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export XDG_CACHE_HOME=$work/cache

# Pushes the image that holds the programs, unless the registry has it.
make_tools() {
    crane digest --insecure "$RIG_REGISTRY/scrub/tools:1" >/dev/null 2>&1 && return
    echo "making the image of programs (two minutes)" >&2
    cp -r "$here/tools" "$work/tools"
    (cd "$work/tools" && npm pack --silent npm@10.9.0 >/dev/null && mv npm-10.9.0.tgz npm.tgz)
    buildctl build --progress plain --allow network.host --frontend dockerfile.v0 --local "context=$work/tools" \
        --local "dockerfile=$work/tools" --output "type=image,name=$RIG_REGISTRY/scrub/tools:1,push=true" >"$work/log" 2>&1 || {
        tail -n 20 "$work/log" >&2
        exit 1
    }
}

# setting CASE KEY: what follows `# KEY: ` in a case's file.
setting() { sed -n "s/^# $2: //p" "$here/cases/$1"; }

# line COLUMN…: one line of the table.
line() { printf '| %-14s | %-28s | %-9s | %-40s | %-12s | %-8s |\n' "$@"; }

# try CASE: builds it without and with its profiles, and uses the result.
try() {
    local case=$1 folder=$work/$1 profiles environment left plain clean after
    mkdir -p "$folder"
    cp "$here/cases/$case" "$folder/Dockerfile"
    read -r -a profiles <<<"$(setting "$case" profiles)"
    environment=$(setting "$case" run-env)
    left=$(setting "$case" left)
    {
        printf 'version = 1\n'
        for image in plain clean; do
            printf '[image.%s]\nsource-date-epoch = "1700000000"\n' $image
            [ -z "$environment" ] || printf 'run-env = { %s }\n' "$environment"
        done
        printf 'scrub = ["%s"]\n' "$(sed 's/ /", "/g' <<<"${profiles[*]}")"
    } >"$folder/repro.toml"
    (
        cd "$folder"
        "$repro" -q lock >/dev/null
        "$repro" -q build plain --self-check --format json >plain.json 2>plain.log || true
        "$repro" -q build clean --self-check --format json -o image/ >clean.json 2>clean.log || true
    )
    local check='.images[0].platforms[0].self_check'
    plain=$(jq -r "$check | if . == null then \"failed\" else ([.layers[].differing] | add // 0) end" "$folder/plain.json")
    clean=$(jq -r "$check | if . == null then \"failed\" elif .reproducible then \"equal\" else ([.layers[].paths[].path] | unique | join(\" \")) end" "$folder/clean.json")
    proposed=$(jq -r "$check | .scrub // [] | join(\" \")" "$folder/plain.json")
    after=no
    if [ -d "$folder/image" ]; then
        crane push --insecure "$folder/image" "$RIG_REGISTRY/scrub/$case:clean" >/dev/null 2>&1
        mkdir "$folder/after"
        # A heredoc keeps the script as it stands.
        printf 'FROM registry.example/scrub/%s:clean\nRUN --network=none <<"AFTER"\nset -e\n%s\nAFTER\n' \
            "$case" "$(setting "$case" after)" >"$folder/after/Dockerfile"
        if buildctl build --progress plain --no-cache --frontend dockerfile.v0 --local "dockerfile=$folder/after" \
            --local "context=$folder/after" >"$folder/after.log" 2>&1; then after=yes; fi
    fi
    local verdict=good
    [ "$after" = yes ] && [ "$plain" != failed ] && [ "$plain" != 0 ] && [ "$clean" = "${left:-equal}" ] || verdict=WRONG
    line "$case" "${profiles[*]:0:2}${profiles[2]:+ …}" "$plain" "$clean" "$after" "$verdict"
    echo "$case: proposed: $proposed" >>"$work/proposed"
    if [ $verdict = WRONG ]; then
        tail -n 5 "$folder"/{plain,clean,after}.log >&2 2>/dev/null || true
        return 1
    fi
}

cases=("$@")
[ $# -gt 0 ] || mapfile -t cases < <(ls "$here/cases")
if (cd "$here/cases" && grep -q scrub/tools -- "${cases[@]}"); then make_tools; fi
line case profiles differing "with them" "works after" verdict
line --- --- --- --- --- ---
status=0
for case in "${cases[@]}"; do try "$case" || status=1; done
echo
cat "$work/proposed"
exit $status
