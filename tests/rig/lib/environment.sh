# What `up` hands to tests: the user configuration of `repro` and the environment.
# shellcheck shell=bash

# Maps the names that examples and tests use to loopback, as a user would for a mirror.
write_configuration() {
    local registry files git
    registry=$(offered RIG_REGISTRY) files=$(offered RIG_FILES) git=$(offered RIG_GIT)
    {
        if [ -n "$registry" ]; then
            printf '[registry."registry.example"]\nmirrors = ["%s"]\npush = "%s"\n\n[registry."%s"]\nhttp = true\n' "$registry" "$registry" "$registry"
        fi
        if [ -n "$files$git" ]; then
            printf '\n[mirror]\n'
            [ -z "$files" ] || printf '"https://files.example/" = "%s/"\n' "$files"
            [ -z "$git" ] || printf '"https://git.example/" = "%s/"\n' "$git"
        fi
    } >"$rig_state/config.toml"
}

print_environment() {
    local name value
    printf 'export RIG_NAME=%q\n' "$rig_name"
    cat "$rig_state"/offers/* 2>/dev/null | while IFS='=' read -r name value; do
        printf 'export %s=%q\n' "$name" "$value"
    done
    printf 'export REPRO_CONFIG=%q\n' "$rig_state/config.toml"
    value=:$PATH:
    value=${value//":$rig_state/bin:"/:}
    value=${value#:}
    printf 'export PATH=%q\n' "$rig_state/bin:${value%:}"
}
