# What every script of the rig shares: where things are, how it speaks, how it fails.
# Sourced, never run. Standard output belongs to `up`'s export lines; all talk goes to standard error.
# shellcheck shell=bash
set -euo pipefail
shopt -s inherit_errexit
umask 022

rig_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
rig_name=${RIG_NAME:-default}
rig_cache=${XDG_CACHE_HOME:-${HOME:?}/.cache}/repro-rig
rig_state=$rig_cache/state/$rig_name

# The parts in the order in which they start. `RIG_PARTS` selects some of them by name.
rig_all_parts="registry frontend buildkit docker previous old go127 files git peers browser"

say() { printf 'rig: %s%s\n' "${rig_part:+$rig_part: }" "$*" >&2; }

# Ends the script; the reason is kept for `check` and for the last lines of `up`.
die() {
    say "$*"
    if [ -n "${rig_part:-}" ] && [ -d "$rig_state/failed" ]; then
        printf '%s\n' "$*" >"$rig_state/failed/$rig_part"
    fi
    exit 1
}

# Socket paths have at most 107 bytes; the longest of ours is dockerd's for containerd.
check_state_path() {
    case $rig_name in
        "" | .* | *[!A-Za-z0-9._-]*) die "RIG_NAME: expected letters, digits, \`.\`, \`_\` or \`-\`, found \`$rig_name\`" ;;
    esac
    if [ ${#rig_state} -gt 70 ]; then
        die "\`$rig_state\` is too long for unix sockets: set XDG_CACHE_HOME to a shorter folder"
    fi
}

# One `up` or `down` of a rig at a time. `down` removes the lock file, so whoever waited for it looks whether it still is the one.
lock_rig() {
    local lock=$rig_cache/state/$rig_name.lock
    mkdir -p "$rig_cache/state"
    until [ "$lock" -ef /dev/fd/9 ]; do
        exec 9>"$lock"
        flock 9
    done
}

# Says what the part `$1` offers: `offer registry RIG_REGISTRY=127.0.0.1:5000`.
offer() {
    local part=$1
    shift
    printf '%s\n' "$@" >"$rig_state/offers/$part.new"
    mv "$rig_state/offers/$part.new" "$rig_state/offers/$part"
}

# A value that a part has offered, or nothing.
offered() {
    sed -n "s/^$1=//p" "$rig_state"/offers/* 2>/dev/null | head -n 1
}

# A free port for a part. It keeps the one it has had in this state, since the others' configuration names it.
port_of() {
    local kept=$rig_state/ports/$1
    if [ ! -s "$kept" ]; then
        python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])' >"$kept"
    fi
    cat "$kept"
}

# Whether a web server on loopback answers at this address.
answers() {
    python3 -c 'import sys, urllib.request, urllib.error
try: urllib.request.urlopen(sys.argv[1], timeout=2)
except urllib.error.HTTPError: pass' "$1"
}
