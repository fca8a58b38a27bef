# Installs Debian packages on first use, without letting any of them start a service.
# shellcheck shell=bash

# need_packages PROGRAM:PACKAGE…: installs the packages whose program (or file) is missing.
need_packages() {
    local pair missing=()
    for pair in "$@"; do
        case $pair in
            /*) [ -e "${pair%%:*}" ] || missing+=("${pair#*:}") ;;
            *) PATH=$PATH:/usr/sbin:/sbin command -v "${pair%%:*}" >/dev/null || missing+=("${pair#*:}") ;;
        esac
    done
    [ ${#missing[@]} -eq 0 ] && return
    command -v apt-get >/dev/null || die "missing: ${missing[*]}; \`apt-get\` is not there, so install them by hand"
    [ "$(id -u)" -eq 0 ] || die "missing: ${missing[*]}; run as root, or install them first"
    say "installing ${missing[*]}"
    (
        exec 8>"$rig_cache/packages.lock"
        flock 8
        keep_services_down
        trap restore_policy EXIT
        install_quietly "${missing[@]}" || {
            apt-get update >"$rig_cache/apt.log" 2>&1 || true
            install_quietly "${missing[@]}"
        }
    ) || {
        tail -n 15 "$rig_cache/apt.log" >&2
        die "\`apt-get install ${missing[*]}\` failed; its last lines stand above"
    }
}

install_quietly() {
    DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
        -o Dpkg::Options::=--force-confold -o DPkg::Lock::Timeout=300 "$@" </dev/null >"$rig_cache/apt.log" 2>&1 8>&- 9>&-
}

policy=/usr/sbin/policy-rc.d

# While packages are installed, a policy says no to every start of a service. What was there comes back afterwards.
keep_services_down() {
    if [ ! -e "$policy.before-rig" ] && { [ -e "$policy" ] || [ -L "$policy" ]; }; then
        mv "$policy" "$policy.before-rig"
    fi
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod 755 "$policy"
}

restore_policy() {
    rm -f "$policy"
    if [ -e "$policy.before-rig" ] || [ -L "$policy.before-rig" ]; then
        mv "$policy.before-rig" "$policy"
    fi
}
