#!/usr/bin/env bash
# docker (PyPI), the Python SDK, filters the context itself before it sends it. Guess: as the docker CLI does, whose matcher is moby/patternmatcher.
# Seen: an exception that begins with `**/` does not bring back a file two directories down, `[!a]` is a negation (there it is the two characters), and
# a backslash does not escape a bracket. So `*` with `!**/*.md`, a usual way to send little, builds another image from the same tree.
set -euo pipefail
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet docker==7.2.0
mkdir matcher && cd matcher
cat > main.go <<'GO'
package main

import (
	"fmt"
	"os"

	"github.com/moby/patternmatcher"
)

func main() {
	matcher, err := patternmatcher.New(os.Args[2:])
	if err != nil {
		panic(err)
	}
	ignored, err := matcher.MatchesOrParentMatches(os.Args[1])
	if err != nil {
		panic(err)
	}
	if ignored {
		fmt.Println("ignored")
	} else {
		fmt.Println("sent")
	}
}
GO
go mod init seen 2>/dev/null
go get github.com/moby/patternmatcher@v0.6.1 2>/dev/null
go build -o ../matcher.bin . && cd ..
mkdir -p tree/keep/deep tree/src && touch tree/keep/deep/x.md tree/src/a.py 'tree/[x]'
cat > seen.py <<'PY'
import subprocess
from docker.utils.build import exclude_paths
for path, patterns, want in [
    ("keep/deep/x.md", ["*", "!**/*.md"], ("sent", "ignored")),
    ("src/a.py", ["src/[!a]*"], ("ignored", "sent")),
    ("[x]", [r"\[x\]"], ("ignored", "sent")),
]:
    go = subprocess.run(["./matcher.bin", path, *patterns], check=True, capture_output=True, text=True).stdout.strip()
    python = "sent" if path in exclude_paths("tree", list(patterns)) else "ignored"
    print(f"{path} with {patterns}: moby/patternmatcher {go}, docker-py {python}")
    assert (go, python) == want
PY
venv/bin/python seen.py
