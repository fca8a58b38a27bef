# A BuildKit daemon: its own root, its own sockets, the rig's registry by plain HTTP and under its other name.
# shellcheck shell=bash

# The registries part of a buildkitd.toml, for daemons on this machine.
buildkit_registries() {
    local registry
    registry=$(offered RIG_REGISTRY)
    cat <<CONFIG
[registry."registry.example"]
  mirrors = ["$registry"]
[registry."$registry"]
  http = true
CONFIG
}

# start_buildkitd PART FOLDER: runs FOLDER/buildkitd unless it runs.
# The daemon looks for `runc` and `git` on PATH.
start_buildkitd() {
    local part=$1 folder=$2 root=$rig_state/$1
    need_packages runc:runc git:git /etc/ssl/certs/ca-certificates.crt:ca-certificates
    running "$part" >/dev/null && return
    [ "$(id -u)" -eq 0 ] || die "buildkitd with overlayfs needs root"
    [ -n "$(offered RIG_REGISTRY)" ] || die "the part \`registry\` does not run"
    mkdir -p "$root"
    {
        cat <<CONFIG
root = "$root/root"
insecure-entitlements = ["network.host"]
[grpc]
  address = ["unix://$root/buildkitd.sock"]
[otel]
  socketPath = "$root/otel.sock"
[worker.oci]
  enabled = true
  snapshotter = "overlayfs"
[worker.containerd]
  enabled = false
CONFIG
        buildkit_registries
    } >"$root/buildkitd.toml"
    PATH=$PATH:/usr/sbin:/sbin start "$part" "$folder/buildkitd" --config "$root/buildkitd.toml"
    await "$part" 30 "$folder/buildctl" --addr "unix://$root/buildkitd.sock" debug workers
}
