#!/usr/bin/env bash
# Archives of several gzip members, as eStargz writes layers (estargz 0.19.1, Go) and Alpine its packages, listed by Python's tarfile. Guess: `r|gz`, which
# reads from a pipe, gives the entries that `r:gz` gives, which needs a file, as gzip and GNU tar do. Seen with Python 3.11 and 3.13: `r|gz` stops where the
# first member ends. For an eStargz layer that is an "unexpected end of data"; where members end between files, as in a package of Alpine, nothing is said,
# and most files are missing.
set -euo pipefail
work=$(mktemp -d)
trap 'chmod -R u+w "$work"; rm -rf "$work"' EXIT
cd "$work"
cat > main.go <<'GO'
package main

import (
	"io"
	"os"

	"github.com/containerd/stargz-snapshotter/estargz"
)

func main() {
	archive, err := os.Open("layer.tar")
	if err != nil {
		panic(err)
	}
	facts, err := archive.Stat()
	if err != nil {
		panic(err)
	}
	layer, err := estargz.Build(io.NewSectionReader(archive, 0, facts.Size()))
	if err != nil {
		panic(err)
	}
	io.Copy(os.Stdout, layer)
}
GO
go mod init seen 2>/dev/null
go get github.com/containerd/stargz-snapshotter/estargz@v0.19.1 2>/dev/null
for file in a b c d; do echo "$file" > "$file"; done
tar -cf layer.tar a b c d
GOMAXPROCS=1 go run . > layer.tar.gz
for file in a b c d; do
    tar --blocking-factor=1 -cf - "$file" | head --bytes=-1024 | gzip -n
done > package.tar.gz
cat > seen.py <<'PY'
import subprocess, sys, tarfile
print("Python", *sys.version.split()[:1])
seen = {}
for name in ("layer.tar.gz", "package.tar.gz"):
    listed = subprocess.run(["tar", "-tzf", name], check=True, capture_output=True, text=True).stdout.split()
    assert {"a", "b", "c", "d"} <= set(listed)
    for mode in ("r:gz", "r|gz"):
        try:
            with tarfile.open(name, mode) as archive:
                entries = archive.getnames()
            seen[name, mode] = "all" if entries == listed else " ".join(entries)
        except tarfile.ReadError as error:
            seen[name, mode] = str(error)
        print(name, mode, seen[name, mode])
assert [*seen.values()] == ["all", "unexpected end of data", "all", "a"]
PY
python3 seen.py
