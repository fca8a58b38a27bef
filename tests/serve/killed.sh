#!/usr/bin/env bash
# Kills `repro push`, `pull` and `copy` with SIGKILL at random moments, and then lets each do its work:
#
#     tests/serve/killed.sh [TIMES]          # of each; 50
#
# The registry is `repro serve --writable`. After every kill nothing half may have a name (no tag, no output file), and the
# same command again must succeed with the image's own digest. Needs a built `repro` (`$REPRO`, else target/debug/repro).
set -euo pipefail
times=${1:-50}
repro=${REPRO:-$(cargo metadata --format-version 1 --no-deps | jq -r .target_directory)/debug/repro}
work=$(mktemp -d)
servers=()
trap 'for server in "${servers[@]}"; do kill "$server"; done; rm -rf "$work"' EXIT
export REPRO_CACHE=$work/cache

# An image of four layers of 8 MiB that don't compress, as a layout.
python3 - "$work/image" <<'PYTHON'
import hashlib, json, os, sys
root = sys.argv[1]
blobs = os.path.join(root, "blobs/sha256")
os.makedirs(blobs)
def put(content, kind):
    digest = hashlib.sha256(content).hexdigest()
    with open(os.path.join(blobs, digest), "wb") as file:
        file.write(content)
    return {"mediaType": kind, "digest": "sha256:" + digest, "size": len(content)}
def layer(name, content):
    head = bytearray(512)
    head[0:len(name)] = name
    head[100:107], head[108:115], head[116:123] = b"0000644", b"0000000", b"0000000"
    head[124:135], head[136:147], head[156:157] = b"%011o" % len(content), b"00000000000", b"0"
    head[257:265], head[148:156] = b"ustar\x0000", b" " * 8
    head[148:156] = b"%06o\0 " % sum(head)
    return bytes(head) + content + bytes(-len(content) % 512) + bytes(1024)
tars = [layer(b"file%d" % number, os.urandom(8 << 20)) for number in range(4)]
layers = [put(tar, "application/vnd.oci.image.layer.v1.tar") for tar in tars]
config = {"architecture": "amd64", "os": "linux", "config": {}, "rootfs": {"type": "layers", "diff_ids": [one["digest"] for one in layers]}}
config = put(json.dumps(config).encode(), "application/vnd.oci.image.config.v1+json")
manifest = {"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json", "config": config, "layers": layers}
top = put(json.dumps(manifest).encode(), "application/vnd.oci.image.manifest.v1+json")
json.dump({"schemaVersion": 2, "manifests": [top]}, open(os.path.join(root, "index.json"), "w"))
json.dump({"imageLayoutVersion": "1.0.0"}, open(os.path.join(root, "oci-layout"), "w"))
PYTHON
digest=$(jq -r '.manifests[0].digest' "$work/image/index.json")
for store in from to; do
    "$repro" serve "$work/$store/" --writable >"$work/$store.address" &
    servers+=($!)
    until [ -s "$work/$store.address" ]; do sleep 0.1; done
done
from=$(head -n 1 "$work/from.address")
to=$(head -n 1 "$work/to.address")

# whole COMMAND…: the command succeeds and says the digest.
whole() { "$repro" "$@" --format json | jq -e --arg digest "$digest" '.digest == $digest' >/dev/null; }
# absent NAME: the registry has no such tag.
absent() { ! "$repro" list "$1" >/dev/null 2>&1; }

half=0
whole push "$work/image" "$from/whole:1"
whole pull "$from/whole:1" -o "$work/first.tar"
whole push "$work/image" "$to/whole:1"
for number in $(seq "$times"); do
    for what in push pull copy; do
        name=$to/$what/$number:1
        case $what in
            push) command=(push "$work/image" "$name") ;;
            pull) command=(pull "$from/whole:1" -o "$work/$number.tar") ;;
            copy) command=(copy "docker://$from/whole:1" "docker://$name") ;;
        esac
        # What is there already would not travel any more.
        find "$work/to/blobs" "$work/cache/blobs" -type f -size +1M -delete
        "$repro" "${command[@]}" >/dev/null 2>&1 &
        child=$!
        sleep "0.$(printf %03d $((RANDOM % 250)))"
        kill -KILL "$child" 2>/dev/null || true
        wait "$child" 2>/dev/null && done=yes || done=no
        if [ "$done" = no ]; then
            half=$((half + 1))
            case $what in
                pull) [ ! -e "$work/$number.tar" ] || { echo "$what $number: half a file" >&2; exit 1; } ;;
                push | copy) absent "$name" || "$repro" pull "$name" -o "$work/check.tar" >/dev/null || { echo "$what $number: half an image has a tag" >&2; exit 1; } ;;
            esac
        fi
        whole "${command[@]}" || { echo "$what $number: did not succeed afterwards" >&2; exit 1; }
        rm -f "$work/$number.tar" "$work/check.tar"
    done
done
left=$(find "$work/cache" -name '.repro-*' | wc -l)
echo "$((times * 3)) runs, $half killed on the way; each succeeded afterwards; $left leftovers in the cache"
[ "$left" -le 8 ]
