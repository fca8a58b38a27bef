#!/usr/bin/env bash
# distribution's registry v3.0.0 where podman's or skopeo's login variable is set. Guess: REGISTRY_AUTH_FILE means nothing to the registry.
# Seen: it is taken for the key `auth: file:` of the registry's own configuration, since any REGISTRY_A_B stands for a: b. With a configuration that
# says nothing of logins the registry ends at once with "cannot unmarshal !!str … into configuration.Parameters", and names the YAML file, which is right.
# Whoever exports the variable for podman and starts a registry from the same shell gets none; `env -u REGISTRY_AUTH_FILE` helps.
set -euo pipefail
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
cd "$work"
CGO_ENABLED=0 GOFLAGS=-modcacherw GOBIN=$work go install github.com/distribution/distribution/v3/cmd/registry@v3.0.0
printf 'version: 0.1\nstorage: {inmemory: {}}\nhttp: {addr: "127.0.0.1:0"}\n' >config.yml
echo '{"auths": {}}' >auth.json
run() { # ENVIRONMENT…: whether it still listens after a while
    local status=0
    env -u REGISTRY_AUTH_FILE "$@" timeout 3 ./registry serve config.yml >log 2>&1 || status=$?
    [ "$status" = 124 ] && echo listens || { echo "ends with $status"; grep -o 'cannot unmarshal !!str .* into configuration.Parameters' log | sed "s/\`[^\`]*\`/PATH/"; }
}
{
    run A=b
    run REGISTRY_AUTH_FILE="$work/auth.json"
} | tee seen
diff seen - <<'SEEN'
listens
ends with 1
cannot unmarshal !!str PATH into configuration.Parameters
SEEN
