# Compiles the pinned Go programs below `go/` into the cache folder.
# A folder there holds one program's go.mod and go.sum; go.sum pins every module, so that the same source is built everywhere.
# shellcheck shell=bash

rig_go=go1.26.8

# The folder that holds (or will hold) the programs of `go/$1` compiled by Go release `$2`.
tool_folder() {
    local key
    key=$(cat "$rig_dir/go/$1/go.mod" "$rig_dir/go/$1/go.sum" "$rig_dir/lib/gotools.sh" | sha256sum | cut -c1-16)
    printf '%s/bin/%s-%s-%s\n' "$rig_cache" "$1" "$2" "$key"
}

# go_tool FOLDER RELEASE PACKAGE…: compiles what is not in the cache yet and prints the folder of the programs.
# The folder appears whole or not at all. The version that the programs report is the folder's.
go_tool() {
    local folder=$1 release=$2 package target temporary flags
    shift 2
    target=$(tool_folder "$folder" "$release")
    if [ ! -d "$target" ]; then
        find_go
        mkdir -p "$rig_cache/bin"
        (
            exec 8>"$rig_cache/bin/lock"
            flock 8
            [ ! -d "$target" ] || exit 0
            temporary=$(mktemp -d "$rig_cache/bin/.new.XXXXXX")
            trap 'rm -rf "$temporary"' EXIT
            flags="-s -w -X github.com/moby/buildkit/version.Version=v${folder##*-v} -X github.com/docker/buildx/version.Version=v${folder##*-v}"
            for package in "$@"; do
                say "compiling ${package##*/} v${folder##*-v} with $release (once; some minutes)"
                (cd "$rig_dir/go/$folder" && env CGO_ENABLED=0 GOWORK=off GOFLAGS=-buildvcs=false GOTOOLCHAIN="$release" GOOS=linux \
                    nice go build -trimpath -p 2 -tags "osusergo netgo static_build seccomp" -ldflags "$flags" \
                    -o "$temporary/${package##*/}" "$package" </dev/null >&2 8>&- 9>&-)
            done
            chmod 755 "$temporary"
            mv -T "$temporary" "$target"
        ) || die "compiling $folder with $release failed; the compiler's words stand above"
    fi
    printf '%s\n' "$target"
}

# Go may be installed without being on PATH. Releases since 1.21 fetch the one that is asked for.
find_go() {
    local candidate
    for candidate in "" /usr/local/go/bin: /usr/lib/go-1.24/bin: /usr/lib/go-1.23/bin:; do
        if PATH=$candidate$PATH command -v go >/dev/null; then
            PATH=$candidate$PATH
            return
        fi
    done
    die "no \`go\` found: install Go 1.21 or newer, it fetches $rig_go by itself"
}
