# Base images: made once into the cache folder as OCI layouts, then pushed to whichever registry runs.
# shellcheck shell=bash

# Every time in a base image. It lies before any epoch that a test uses, so that builds leave it alone.
base_epoch=1700000000

# push_base NAME:TAG LAYOUT: pushes the one image or index of a layout and prints its digest.
push_base() {
    local folder reference index=()
    folder=$(go_tool crane-v0.21.9 "$rig_go" github.com/google/go-containerregistry/cmd/crane)
    [ "$(jq '.manifests | length' "$2/index.json")" -eq 1 ] || index=(--index)
    reference=$("$folder/crane" push "${index[@]}" "$2" "$(offered RIG_REGISTRY)/$1" 2>"$rig_state/log/push") || {
        tail -n 5 "$rig_state/log/push" >&2
        die "pushing $1 failed; the last lines stand above"
    }
    printf '%s\n' "${reference##*@}"
}

# keep_layout NAME COMMAND…: the layout of that name in the cache; made by the command if it is not there.
# The command gets the layout's path as its last argument.
keep_layout() {
    local layout=$rig_cache/bases/$1
    shift
    if [ ! -e "$layout/index.json" ]; then
        mkdir -p "$rig_cache/bases"
        (
            temporary=$(mktemp -d "$rig_cache/bases/.new.XXXXXX")
            trap 'rm -rf "$temporary"' EXIT
            "$@" "$temporary/layout" >&2
            # Another rig may have been faster.
            mv -T "$temporary/layout" "$layout" 2>/dev/null || [ -e "$layout/index.json" ]
        )
    fi
    printf '%s\n' "$layout"
}

# push_busybox and push_debian make their image if the cache does not have it, push it and print its digest.
push_busybox() {
    local program layout
    program=$(busybox_program)
    layout=$(keep_layout "$(layout_name busybox "$program")" make_busybox "$program")
    push_base busybox:1 "$layout"
}

push_debian() {
    local layout
    layout=$(
        exec 8>"$rig_cache/debian.lock"
        flock 8
        keep_layout "$(layout_name debian-bookworm)" make_debian 8>&-
    )
    push_base debian:bookworm "$layout"
}

# The arm64 image holds the same files as the amd64 one: enough for builds of several platforms without RUN.
make_busybox() {
    python3 "$rig_dir/lib/busybox_root.py" "$1" "$base_epoch" >"$2.tar"
    python3 "$rig_dir/lib/oci_layout.py" "$2" --tar "$2.tar" --created "$base_epoch" --cmd sh \
        --env PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
        --platform linux/"$(architecture)" --platform "$(other_platform)"
}

# Debian's mirror is the one that this machine's apt uses. Nothing is told to apt about validity:
# a mirror whose index has run out fails here, as it would for a user.
make_debian() {
    local mirror
    need_packages mmdebstrap:mmdebstrap
    mirror=$(apt_mirror)
    say "making debian:bookworm (once; half a minute)"
    SOURCE_DATE_EPOCH=$base_epoch mmdebstrap --quiet --variant=minbase --mode=root \
        --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
        bookworm "$1.tar" "deb $mirror bookworm main" </dev/null >&2 || die "\`mmdebstrap\` failed; its words stand above"
    python3 "$rig_dir/lib/oci_layout.py" "$1" --tar "$1.tar" --created "$base_epoch" --cmd bash \
        --env PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin --platform linux/"$(architecture)"
}

# The archive that this machine's apt takes `main` from, without the one for security.
apt_mirror() {
    local mirror
    mirror=$(apt-get indextargets --format '$(REPO_URI) $(COMPONENT) $(SUITE)' 'Created-By: Packages' |
        awk '$2 == "main" && $1 !~ /security/ && $3 !~ /security/ { print $1; exit }')
    [ -n "$mirror" ] || die "no mirror in apt's configuration: run \`apt-get update\` first"
    printf '%s\n' "$mirror"
}

# Debian's busybox-static; the package `busybox` puts a program of the same name there that needs libraries.
busybox_program() {
    need_packages /bin/busybox:busybox-static
    if ldd /bin/busybox >/dev/null 2>&1; then
        die "\`/bin/busybox\` is not static: install busybox-static in place of busybox"
    fi
    echo /bin/busybox
}

# layout_name NAME FILE…: the name of a layout that depends on the files' content and on how layouts are written.
layout_name() {
    local name=$1
    shift
    printf '%s-%s\n' "$name" "$(cat "$rig_dir"/lib/{bases.sh,oci_layout.py,busybox_root.py} "$@" | sha256sum | cut -c1-16)"
}

architecture() {
    case $(uname -m) in
        x86_64) echo amd64 ;;
        aarch64) echo arm64/v8 ;;
        *) die "expected an amd64 or arm64 machine, found $(uname -m)" ;;
    esac
}

other_platform() {
    case $(uname -m) in
        x86_64) echo linux/arm64/v8 ;;
        *) echo linux/amd64 ;;
    esac
}
