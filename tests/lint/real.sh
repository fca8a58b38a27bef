#!/usr/bin/env bash
# Builds pairs of Dockerfiles twice for real and prints a table, a line a case of `cases/`:
#
#     sudo tests/lint/real.sh [CASE…]
#
# The bad Dockerfile of a pair must have the finding, and its two builds must differ where it says; the mended one, which
# `repro lint --fix` makes or the case holds, must not have it, and its two builds must be equal. The engine is the native
# one, without network, so it runs as root on Linux. The programs are this machine's, in an image made of copies of them
# and of the libraries they need. Ends with 1 if a case is not as it says; a case whose programs are not here is not run.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
repro=${REPRO:-$(cargo metadata --format-version 1 --no-deps | jq -r .target_directory)/debug/repro}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export XDG_CACHE_HOME=$work/cache

# setting CASE KEY: what follows `# KEY: ` in a case's file.
setting() { sed -n "s/^# $2: //p" "$here/cases/$1"; }

line() { printf '| %-16s | %-5s | %-42s | %-10s | %-7s | %-8s |\n' "$@"; }

# pack PROGRAM…: the files of the programs, of their libraries and of a few accounts, as rootfs.tar; fails if one is missing.
pack() {
    local root=$work/root program path
    rm -rf "$root"
    mkdir -p "$root"/{etc,tmp,root,var/cache/ldconfig,home}
    printf 'root:x:0:0:root:/root:/bin/sh\n' >"$root/etc/passwd"
    printf 'root:x:0:\n' >"$root/etc/group"
    printf 'root:*:19000:0:99999:7:::\n' >"$root/etc/shadow"
    printf 'root:*::\n' >"$root/etc/gshadow"
    for program in sh bash cat env mkdir rm touch ls sed sort xargs find "$@"; do
        path=$(PATH=/usr/bin:/bin:/usr/sbin:/sbin type -P "$program") || return 1
        path=$(realpath "$path")
        { echo "$path"; ldd "$path" 2>/dev/null | grep -o '/[^ ]*' || true; } | while read -r file; do
            mkdir -p "$root$(dirname "$file")"
            cp -Ln "$file" "$root$file"
        done
        mkdir -p "$root/bin"
        [ -e "$root/bin/$program" ] || ln -s "$path" "$root/bin/$program"
    done
    for path in /etc/login.defs /etc/pam.d /etc/security /etc/ssl/openssl.cnf $(setting "$case" files); do
        [ ! -e "$path" ] || { mkdir -p "$root$(dirname "$path")" && cp -r "$path" "$root$path"; }
    done
    tar -C "$root" --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner -cf "$work/rootfs.tar" .
}

# twice FOLDER: builds the folder's Dockerfile twice; `equal`, `failed`, or the paths that differ.
twice() {
    cp "$work/rootfs.tar" "$1/rootfs.tar"
    printf 'version = 1\n[image.app]\nsource-date-epoch = "1700000000"\ninclude = ["rootfs.tar"]\n' >"$1/repro.toml"
    (
        cd "$1"
        "$repro" -q lock >lock.log 2>&1
        "$repro" -q build --engine native --self-check --format json >build.json 2>build.log || true
    )
    jq -r '.images[0].platforms[0].self_check | if . == null then "failed" elif .reproducible then "equal"
        else [.layers[].paths[].path] | unique | join(" ") end' "$1/build.json" || echo failed
}

# finds FOLDER CODE: whether the finding is there.
finds() {
    { "$repro" lint -f "$1/Dockerfile" --format json 2>/dev/null || true; } |
        jq -e --arg code "$2" 'any(.findings[]; .code == $code and (.allowed | not))' >/dev/null
}

try() {
    local case=$1 code differs bad mended by=--fix folder
    code=$(setting "$case" code)
    differs=$(setting "$case" differs)
    folder=$work/$case
    # shellcheck disable=SC2046 # one word a program
    if ! pack $(setting "$case" programs); then
        line "$case" "$code" "-" "-" "-" "not run"
        return 0
    fi
    mkdir -p "$folder"/{bad,mended}
    { printf 'FROM scratch\nADD rootfs.tar /\n' && sed -n '/^# mended$/q; /^# /!p' "$here/cases/$case"; } >"$folder/bad/Dockerfile"
    if grep -q '^# mended$' "$here/cases/$case"; then
        by=hand
        { printf 'FROM scratch\nADD rootfs.tar /\n' && sed '1,/^# mended$/d' "$here/cases/$case"; } >"$folder/mended/Dockerfile"
    else
        cp "$folder/bad/Dockerfile" "$folder/mended/Dockerfile"
        "$repro" -q lint -f "$folder/mended/Dockerfile" --fix >/dev/null 2>&1 || true
    fi
    bad=$(twice "$folder/bad")
    mended=$(twice "$folder/mended")
    local verdict=good
    # shellcheck disable=SC2254 # a pattern
    case " $bad " in *" $differs "*) ;; *) verdict=WRONG ;; esac
    [ "$mended" = equal ] && finds "$folder/bad" "$code" && ! finds "$folder/mended" "$code" || verdict=WRONG
    line "$case" "$code" "$bad" "$mended" "$by" "$verdict"
    if [ $verdict = WRONG ]; then
        cat "$folder/mended/Dockerfile" "$folder"/{bad,mended}/build.log >&2 || true
        return 1
    fi
}

cases=("$@")
[ $# -gt 0 ] || mapfile -t cases < <(ls "$here/cases")
line case code "bad: differs at" mended by verdict
line --- --- --- --- --- ---
status=0
for case in "${cases[@]}"; do try "$case" || status=1; done
exit $status
