#!/usr/bin/env bash
# git 2.39.5 (Debian bookworm; any git): a bundle that is made in a shallow clone. Guess: `git bundle create` refuses, or notes the commits that are missing as
# prerequisites, as the bundle's form has them; `git bundle verify` tells that the history is cut. Seen: it ends with 0, `verify` says "is okay" and "The
# bundle records a complete history" even in an empty repository, and then nobody can clone or fetch from it. Whoever archives sources as bundles of
# CI checkouts (`--depth=1`) finds out on the day they are needed. With the commit in `.git/shallow` before `git bundle unbundle` it can be read.
set -euo pipefail
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
cd "$work"
export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1 GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@a.example GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@a.example
git --version
git init -q -b main whole
for number in 1 2 3; do
    echo "$number" > whole/file
    git -C whole add file
    git -C whole commit -q -m "$number"
done
git clone -q --depth=1 "file://$work/whole" shallow
git -C shallow bundle create -q "$work/bundle" HEAD main
git init -q -b main empty
git -C empty bundle verify "$work/bundle" > said 2>&1
cat said
grep -q 'is okay' said
grep -q 'The bundle records a complete history' said
for try in "clone -q bundle cloned" "-C empty fetch -q $work/bundle main"; do
    # shellcheck disable=SC2086 # Several words.
    if git $try > refused 2>&1; then echo "git $try works now"; exit 1; fi
    tail -1 refused
    grep -q 'did not send all necessary objects' refused
done
git -C shallow rev-parse HEAD > empty/.git/shallow
git -C empty bundle unbundle "$work/bundle"
git -C empty checkout -q "$(cat empty/.git/shallow)"
[ "$(cat empty/file)" = 3 ]
