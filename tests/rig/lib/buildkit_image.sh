# The BuildKit image for builders in containers, built by the rig's own BuildKit and kept in the cache.
# shellcheck shell=bash

# Fills the folder `$2` with what the image holds; `$1` has buildkitd and buildctl.
fill_image_root() {
    local programs=$1 root=$2 core
    core=$(git --exec-path)
    mkdir -p "$root"/{tmp,usr/bin,usr/lib/git-core,etc/ssl/certs}
    chmod 1777 "$root/tmp"
    cp "$programs/buildkitd" "$programs/buildctl" "$root/usr/bin/"
    cp "$rig_dir/buildkit-image/buildctl-daemonless.sh" "$root/usr/bin/"
    cp -L /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/"
    cp -L "$(command -v runc)" "$root/usr/bin/buildkit-runc"
    cp -L "$core/git" "$root/usr/bin/git"
    ln -s ../../bin/git "$root/usr/lib/git-core/git"
    cp -L "$core"/{git-remote-http,git-submodule,git-sh-setup,git-sh-i18n,git-sh-i18n--envsubst} "$root/usr/lib/git-core/"
    ln -s git-remote-http "$root/usr/lib/git-core/git-remote-https"
    copy_libraries "$root" "$(command -v runc)" "$core/git" "$core/git-remote-http"
}

# copy_libraries ROOT PROGRAM…: the shared libraries that the programs load, at the same paths.
copy_libraries() {
    local root=$1 library
    shift
    ldd "$@" | awk '$2 == "=>" { print $3 } $1 ~ /^\// && NF == 2 && $2 ~ /^\(/ { print $1 }' | sort -u | while read -r library; do
        mkdir -p "$root${library%/*}"
        cp -L "$library" "$root$library"
    done
}

# make_buildkit_image PROGRAMS VERSION LAYOUT: level 1 since speed counts here, not size.
make_buildkit_image() {
    local programs=$1 layout=$3 context
    context=$(mktemp -d "$rig_state/image.XXXXXX")
    fill_image_root "$programs" "$context/root"
    say "building the BuildKit image v$2"
    mkdir -p "$layout"
    "$programs/buildctl" --addr "$(offered BUILDKIT_HOST)" build --progress plain --frontend dockerfile.v0 \
        --local context="$context" --local dockerfile="$rig_dir/buildkit-image" \
        --opt build-arg:REGISTRY="$(offered RIG_REGISTRY)" --opt build-arg:SOURCE_DATE_EPOCH="$base_epoch" \
        --output "type=oci,tar=false,dest=$layout,compression=gzip,compression-level=1,rewrite-timestamp=true" \
        >"$rig_state/log/image" 2>&1 || {
        tail -n 15 "$rig_state/log/image" >&2
        die "building the BuildKit image failed; the last lines stand above"
    }
    rm -rf "$context"
}

# The image's layout is named after the programs and Debian's runc and git.
buildkit_image_name() {
    local key
    key=$(cat "$(command -v runc)" "$(git --exec-path)/git" "$(git --exec-path)/git-remote-http" \
        "$rig_dir"/buildkit-image/* "$rig_dir/lib/buildkit_image.sh" | sha256sum | cut -c1-16)
    printf 'image-%s-%s\n' "$(basename "$1")" "$key"
}
