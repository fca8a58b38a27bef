# Compiles the pinned Go programs below `go/` into the cache folder.
# A folder there holds one program's go.mod and go.sum; go.sum pins every module, so that the same source is built everywhere.
# shellcheck shell=bash

rig_go=go1.26.8
go_environment=(CGO_ENABLED=0 GOOS=linux GOWORK=off GOFLAGS=-buildvcs=false)
go_flags=(-trimpath -tags "osusergo netgo static_build seccomp")

# The folder that holds (or will hold) the programs of `go/$1` compiled by Go release `$2`.
tool_folder() {
    local key
    key=$(printf '%s\n' "${go_environment[@]}" "${go_flags[@]}" | cat - "$rig_dir/go/$1/go.mod" "$rig_dir/go/$1/go.sum" | sha256sum | cut -c1-16)
    printf '%s/bin/%s-%s-%s\n' "$rig_cache" "$1" "$2" "$key"
}

# go_tool FOLDER RELEASE PACKAGE…: compiles what is not in the cache yet and prints the folder of the programs.
# The folder appears whole or not at all. The version that the programs report is the one that FOLDER ends with.
go_tool() {
    local folder=$1 release=$2 target
    target=$(tool_folder "$folder" "$release")
    if [ ! -d "$target" ]; then
        find_go
        mkdir -p "$rig_cache/bin"
        (
            exec 8>"$rig_cache/bin/lock"
            flock 8
            if [ ! -d "$target" ]; then
                compile "$@" "$target"
            fi
        )
    fi
    printf '%s\n' "$target"
}

# compile FOLDER RELEASE PACKAGE… TARGET: in a subshell, since it leaves a trap.
compile() {
    local folder=$1 release=$2 target=${*: -1} version=v${1##*-v} package versions
    temporary=$(mktemp -d "$rig_cache/bin/.new.XXXXXX")
    trap 'rm -rf "$temporary"' EXIT
    versions="-X github.com/moby/buildkit/version.Version=$version -X github.com/docker/buildx/version.Version=$version"
    for package in "${@:3:$#-3}"; do
        say "compiling ${package##*/} $version with $release (once; a minute or two)"
        (
            cd "$rig_dir/go/$folder"
            env "${go_environment[@]}" GOTOOLCHAIN="$release" nice go build "${go_flags[@]}" -ldflags "-s -w $versions" \
                -o "$temporary/${package##*/}" "$package"
        ) </dev/null >"$rig_cache/bin/log" 2>&1 8>&- 9>&- || {
            grep -v '^go: downloading' "$rig_cache/bin/log" | tail -n 15 >&2
            die "compiling ${package##*/} $version failed; the compiler's last words stand above"
        }
    done
    chmod 755 "$temporary"
    mv -T "$temporary" "$target"
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
