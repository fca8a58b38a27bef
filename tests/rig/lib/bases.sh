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
