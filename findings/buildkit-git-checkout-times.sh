#!/usr/bin/env bash
# `ADD` of a git commit in BuildKit with `rewrite-timestamp` and `--no-cache`, built twice by one daemon, the second time for a later SOURCE_DATE_EPOCH.
# Guess: files that git checks out have times of now, are moved to the epoch, and both daemons, old or new, give one digest for one epoch.
# Seen with v0.34.2: the daemon keeps the checkout, with its first times, whatever `--no-cache` says. `rewrite-timestamp` moves only what is later than the epoch:
# once the epoch is later than the first checkout, its time stays, and the layer is another one than a fresh daemon gives, until
# `buildctl prune --filter type==source.git.checkout`.
# Needs root, git, runc and Go; the daemon listens on a socket in the temporary directory.
set -euo pipefail
work=$(mktemp -d)
pids=()
end() {
    for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done
    wait 2>/dev/null || true
    rm -rf "$work"
}
trap end EXIT
cd "$work"
mkdir bin programs
(
    cd programs
    go mod init programs.example
    go get github.com/moby/buildkit/cmd/buildkitd@v0.34.2 github.com/moby/buildkit/cmd/buildctl@v0.34.2
    go build -o ../bin/ github.com/moby/buildkit/cmd/buildkitd github.com/moby/buildkit/cmd/buildctl
) >programs.log 2>&1 || { cat programs.log; exit 1; }
git init -q -b main served/app
echo one >served/app/file
git -C served/app add file
git -C served/app -c user.name=a -c user.email=a@users.example commit -qm one
port=$((20000 + RANDOM % 20000))
git daemon --listen=127.0.0.1 --port=$port --export-all --base-path=served --reuseaddr 2>/dev/null &
pids+=($!)
bin/buildkitd --root "$work/root" --addr "unix://$work/s" 2>daemon.log &
pids+=($!)
for _ in $(seq 100); do bin/buildctl --addr "unix://$work/s" debug workers >/dev/null 2>&1 && break; sleep 0.3; done
mkdir context
printf 'FROM scratch\nADD git://127.0.0.1:%s/app#main /x/\n' $port >context/Dockerfile
build() { # EPOCH FILE: the time of /x/file in the image
    bin/buildctl --addr "unix://$work/s" build --no-cache --frontend dockerfile.v0 --local context=context --local dockerfile=context \
        --opt "build-arg:SOURCE_DATE_EPOCH=$1" --output "type=oci,dest=$2,rewrite-timestamp=true" 2>build.log || { cat build.log; exit 1; }
    python3 - "$2" <<'PY'
import io, json, sys, tarfile
archive = tarfile.open(sys.argv[1])
read = lambda digest: archive.extractfile("blobs/" + digest.replace(":", "/")).read()
manifest = json.loads(read(json.load(archive.extractfile("index.json"))["manifests"][0]["digest"]))
layer = tarfile.open(fileobj=io.BytesIO(read(manifest["layers"][-1]["digest"])))
print(layer.getmember("x/file").mtime)
PY
}
early=$(build 1000000000 early.tar)
checkout=$(date +%s)
sleep 4
epoch=$((checkout + 2))
kept=$(build $epoch kept.tar)
bin/buildctl --addr "unix://$work/s" prune --filter type==source.git.checkout >/dev/null
fresh=$(build $epoch fresh.tar)
echo "epoch 1000000000: $early; epoch $epoch: $kept with the kept checkout, $fresh with a fresh one"
[ "$early" = 1000000000 ] && [ "$kept" -lt "$epoch" ] && [ "$fresh" = "$epoch" ]
