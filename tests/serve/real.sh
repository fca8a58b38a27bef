#!/usr/bin/env bash
# Ships an image between `repro` and real registries and clients; a line each:
#
#     eval "$(tests/rig/up)"
#     tests/serve/real.sh
#
# Registries: Debian's docker-registry (plain, with basic auth over TLS), distribution v3.0.0 and the one in crane; each takes
# `repro push`, `list`, `copy`, `pull` and gives the same bytes. Clients of `repro serve`: docker, podman, skopeo, crane, oras v1.3.0 and
# buildkitd, which pull, and push where they can. Go compiles distribution and oras (minutes, once, into $GOBIN). Ends with 1 if a line says
# WRONG; what is not here is `not run`.
set -euo pipefail
: "${BUILDKIT_HOST:?start the rig first}" "${DOCKER_HOST:?start the rig first}"
repro=${REPRO:-$(cargo metadata --format-version 1 --no-deps | jq -r .target_directory)/debug/repro}
export GOBIN=${GOBIN:-${XDG_CACHE_HOME:-$HOME/.cache}/repro-rig/serve}
[ -x "$GOBIN/oras" ] || CGO_ENABLED=0 go install oras.land/oras/cmd/oras@v1.3.0
[ -x "$GOBIN/registry" ] || CGO_ENABLED=0 go install github.com/distribution/distribution/v3/cmd/registry@v3.0.0
work=$(mktemp -d)
started=()
trap 'for id in "${started[@]}"; do kill "$id" 2>/dev/null || true; done; rm -rf "$work"' EXIT
export XDG_CACHE_HOME=$work/cache XDG_CONFIG_HOME=$work/config HOME=$work DOCKER_CONFIG=$work/docker REGISTRY_AUTH_FILE=$work/auth.json
mkdir "$work/docker"
status=0

line() { printf '| %-34s | %-28s | %-8s |\n' "$@"; }

# says WHAT HOW COMMAND…: runs it, and prints the line.
says() {
    local what=$1 how=$2 verdict=good
    shift 2
    "$@" >"$work/log" 2>&1 || { verdict=WRONG status=1; tail -n 3 "$work/log" >&2; }
    line "$what" "$how" "$verdict"
}

port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }

# background NAME COMMAND…: starts it, its output in a file.
background() {
    local name=$1
    shift
    # A registry takes podman's REGISTRY_AUTH_FILE for a key of its own configuration, and ends.
    env -u REGISTRY_AUTH_FILE "$@" >"$work/$name.log" 2>&1 &
    started+=($!)
}

answers() { # URL [CA]
    for _ in $(seq 100); do
        case $(curl -s -o /dev/null -w '%{http_code}' ${2:+--cacert "$2"} "$1" || true) in 200 | 401) return ;; esac
        sleep 0.1
    done
    echo "$1 does not answer" >&2
    return 1
}

# An image with its own attestation, and one that refers to it from beside it.
mkdir "$work/project"
cd "$work/project"
git init -q
printf 'version = 1\n[image.app]\nsource-date-epoch = 1700000000\nplatforms = ["linux/amd64", "linux/arm64"]\n' >repro.toml
printf 'FROM scratch\nCOPY a /a\nCOPY b /b\nENTRYPOINT ["/a"]\n' >Dockerfile
echo text >a
head -c 3000000 /dev/urandom >b
git add -A
git -c user.name=Fixture -c user.email=fixture@example.org commit -qm x
"$repro" -q lock
"$repro" -q build -o "$work/image/"
# What a layout's index names is one index, whose digest every registry must give.
digest=$(jq -r '.manifests[0].digest' "$work/image/index.json")

same() { diff -r "$work/image/blobs" "$1/blobs"; }

# round NAME HOST [FLAGS]: push, list, copy within, pull back.
round() {
    local name=$1 host=$2
    rm -rf "$work/back" "$work/cache"
    says "$name" "push" "$repro" push "$work/image" "$host/team/app:1" "$host/team/app:latest"
    says "$name" "push again, nothing to send" "$repro" push "$work/image" "$host/team/app:1"
    says "$name" "list" bash -c "'$repro' list '$host/team/app' | grep -q latest && '$repro' list '$host/team/app:1' | grep -q linux/arm64"
    says "$name" "copy to another repository" "$repro" copy "docker://$host/team/app:1" "docker://$host/other/app:2"
    says "$name" "pull by digest, same bytes" bash -c "'$repro' pull '$host/other/app@$digest' -o '$work/back/' && diff -r '$work/image/blobs' '$work/back/blobs'"
}

line "registry" "what" "verdict"
line "--------" "----" "-------"
config() { # FILE ADDRESS MORE…
    local file=$1 address=$2 directory
    shift 2
    directory=$(mktemp -d -p "$work")
    printf 'version: 0.1\nlog: {level: error}\nstorage: {filesystem: {rootdirectory: %s}}\nhttp:\n  addr: %s\n' "$directory" "$address" >"$file"
    printf '%s\n' "$@" >>"$file"
}

plain=127.0.0.1:$(port)
config "$work/plain.yml" "$plain"
background plain docker-registry serve "$work/plain.yml"
answers "http://$plain/v2/"
round "docker-registry $(docker-registry --version | sed 's/.* //')" "$plain"

# TLS of an authority that only the configuration trusts, and a login.
certificate() { # NAME IS_AUTHORITY
    openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -addext subjectAltName=DNS:localhost \
        -addext "basicConstraints=critical,CA:$2" -keyout "$work/$1.key" -out "$work/$1.pem" 2>/dev/null
}
certificate cert FALSE
# user, secret
echo 'user:$2b$04$sqbhDTlxKLfs2qcIB9j4v.2peiVUBSoKlVQvNo/RSoUTAjZtp7J.C' >"$work/htpasswd"
secure=localhost:$(port)
config "$work/secure.yml" "$secure" "  tls: {certificate: $work/cert.pem, key: $work/cert.key}" "auth: {htpasswd: {realm: rig, path: $work/htpasswd}}"
background secure docker-registry serve "$work/secure.yml"
answers "https://$secure/v2/" "$work/cert.pem"
export REPRO_CONFIG=$work/repro.toml
printf '[registry."%s"]\nca = ["%s"]\nhttp = false\n' "$secure" "$work/cert.pem" >"$REPRO_CONFIG"
says "TLS, basic auth" "push without login: 4" bash -c "'$repro' push '$work/image' '$secure/team/app:1'; test \$? = 4"
says "TLS, basic auth" "a wrong password: 4" bash -c "echo wrong | '$repro' login '$secure' -u user --password-stdin; test \$? = 4"
says "TLS, basic auth" "login" bash -c "echo secret | '$repro' login '$secure' -u user --password-stdin"
round "TLS, basic auth" "$secure"
certificate authority TRUE
wrong=localhost:$(port)
config "$work/wrong.yml" "$wrong" "  tls: {certificate: $work/authority.pem, key: $work/authority.key}"
background wrong docker-registry serve "$work/wrong.yml"
answers "https://$wrong/v2/" "$work/authority.pem"
printf '[registry."%s"]\nca = ["%s"]\nhttp = false\n' "$wrong" "$work/authority.pem" >"$work/wrong.toml"
says "TLS of an authority's certificate" "refused, with its mend" bash -c "REPRO_CONFIG='$work/wrong.toml' '$repro' list '$wrong/team/app' 2>&1 | grep -q 'addext basicConstraints=critical,CA:FALSE'"
says "TLS, basic auth" "logout, then push: 4" bash -c "'$repro' logout '$secure' && ! grep -q dXNlcjp -r '$work/docker' '$work/auth.json' 2>/dev/null && { '$repro' push '$work/image' '$secure/team/app:3'; test \$? = 4; }"
unset REPRO_CONFIG

third=127.0.0.1:$(port)
config "$work/third.yml" "$third"
background third "$GOBIN/registry" serve "$work/third.yml"
answers "http://$third/v2/"
round "distribution v3.0.0" "$third"
says "registry to registry" "copy" "$repro" copy "docker://$plain/team/app:1" "docker://$third/from/plain:1"

crane=127.0.0.1:$(port)
background crane crane registry serve --address "$crane"
answers "http://$crane/v2/"
round "crane $(crane version) registry" "$crane"

line "" "" ""
line "client of repro serve" "what" "verdict"
line "---------------------" "----" "-------"
background serve "$repro" serve "$work/store/" --writable
until grep -q . "$work/serve.log"; do sleep 0.1; done
store=$(head -n 1 "$work/serve.log")
"$repro" -q push "$work/image" "$store/team/app:1"
amd64=$("$repro" list "$store/team/app:1" --format json | jq -r '.. | objects | select(.platform? == "linux/amd64") | .digest' | head -n 1)

gives() { # REFERENCE: repro says that it is the image of linux/amd64 or all of it
    local found
    found=$("$repro" list "$1" --format json)
    grep -q -e "$digest" -e "$amd64" <<<"$found"
}

says "crane $(crane version)" "pull, push back" bash -c "crane pull --format oci '$store/team/app:1' '$work/crane' && crane push '$work/crane' '$store/back/crane:1'"
says "crane $(crane version)" "same digest" gives "$store/back/crane:1"
says "$(skopeo --version)" "copy --all there and back" bash -c "skopeo copy -q --all --src-tls-verify=false 'docker://$store/team/app:1' 'oci:$work/skopeo:1' && skopeo copy -q --all --dest-tls-verify=false 'oci:$work/skopeo:1' 'docker://$store/back/skopeo:1'"
says "$(skopeo --version)" "same digest" gives "$store/back/skopeo:1"
says "$(podman --version)" "pull, push back" bash -c "podman pull -q --tls-verify=false '$store/team/app:1' && podman push -q --tls-verify=false '$store/team/app:1' '$store/back/podman:1'; podman rmi -f '$store/team/app:1'"
says "docker $(docker version --format '{{.Server.Version}}')" "pull, push back" bash -c "docker pull -q '$store/team/app:1' && docker tag '$store/team/app:1' '$store/back/docker:1' && docker push -q '$store/back/docker:1'; docker rmi -f '$store/team/app:1' '$store/back/docker:1'"
says "oras v1.3.0" "cp to a layout and back" bash -c "'$GOBIN/oras' cp --from-plain-http '$store/team/app:1' --to-oci-layout '$work/oras:1' && '$GOBIN/oras' cp --from-oci-layout '$work/oras:1' --to-plain-http '$store/back/oras:1'"
says "oras v1.3.0" "same digest" gives "$store/back/oras:1"
echo note >"$work/project/note"
says "oras v1.3.0" "attach, discover" bash -c "cd '$work/project' && '$GOBIN/oras' attach --plain-http --artifact-type application/x.note '$store/team/app:1' note && '$GOBIN/oras' discover --plain-http '$store/team/app:1' | grep -q application/x.note"
says "oras v1.3.0" "copy --referrers takes it along" bash -c "'$repro' copy --referrers 'docker://$store/team/app:1' 'docker://$third/with/note:1' && '$GOBIN/oras' discover --plain-http '$third/with/note:1' | grep -q application/x.note"
printf 'FROM %s/team/app:1\nCOPY note /note\n' "$store" >"$work/project/On"
says "$(buildctl --version | cut -d' ' -f1,3)" "FROM, and push" buildctl build --frontend dockerfile.v0 --local context="$work/project" --local dockerfile="$work/project" \
    --opt filename=On --output "type=image,name=$store/back/buildkit:1,push=true,registry.insecure=true,oci-mediatypes=true"
says "buildkitd" "its image is whole" "$repro" pull "$store/back/buildkit:1" -o "$work/buildkit/"
exit $status
