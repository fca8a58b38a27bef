# Base images: made once into the cache folder as OCI layouts, then pushed to whichever registry runs.
# shellcheck shell=bash

# Every time in a base image. It lies before any epoch that a test uses, so that builds leave it alone.
base_epoch=1700000000

# push_base NAME:TAG LAYOUT
push_base() {
    local folder
    folder=$(go_tool crane-v0.21.9 "$rig_go" github.com/google/go-containerregistry/cmd/crane)
    "$folder/crane" push --index "$2" "$(offered RIG_REGISTRY)/$1" >"$rig_state/log/push" 2>&1 ||
        die "pushing $1 failed: $(tail -n 1 "$rig_state/log/push")"
}

# keep_layout NAME COMMAND…: the layout of that name in the cache; made by the command if it is not there.
# The command gets the layout's path as its last argument.
keep_layout() {
    local layout=$rig_cache/bases/$1 temporary
    shift
    if [ ! -e "$layout/index.json" ]; then
        mkdir -p "$rig_cache/bases"
        temporary=$(mktemp -d "$rig_cache/bases/.new.XXXXXX")
        "$@" "$temporary/layout"
        mv -T "$temporary/layout" "$layout"
        rm -rf "$temporary"
    fi
    printf '%s\n' "$layout"
}

# The arm64 image holds the same files as the amd64 one: enough for builds of several platforms without RUN.
make_busybox() {
    python3 "$rig_dir/lib/busybox_root.py" "$(busybox_program)" "$base_epoch" >"$1.tar"
    python3 "$rig_dir/lib/oci_layout.py" "$1" --tar "$1.tar" --created "$base_epoch" --cmd sh \
        --env PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
        --platform linux/"$(architecture)" --platform "$(other_platform)"
}

# Debian's mirror is the one that this machine's apt uses. Nothing is told to apt about validity:
# a mirror whose index has run out fails here, as it would for a user.
make_debian() {
    say "making debian:bookworm (once; half a minute)"
    SOURCE_DATE_EPOCH=$base_epoch mmdebstrap --quiet --variant=minbase --mode=root \
        --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
        bookworm "$1.tar" $(apt_sources bookworm) </dev/null >&2 || die "\`mmdebstrap\` failed; its words stand above"
    python3 "$rig_dir/lib/oci_layout.py" "$1" --tar "$1.tar" --created "$base_epoch" --cmd bash \
        --env PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin --platform linux/"$(architecture)"
}

busybox_program() {
    if [ -x /usr/bin/busybox ]; then echo /usr/bin/busybox; else echo /bin/busybox; fi
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
