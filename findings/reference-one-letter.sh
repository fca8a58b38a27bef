#!/usr/bin/env bash
# Two Go parsers of image references: distribution/reference (docker, containerd, BuildKit) and go-containerregistry (crane, ko, cosign). Guess: one
# grammar, the specification's. Seen: a repository whose whole name is one letter is valid
# for the first and "could not parse reference" for the second; `x/app` is fine for both. What docker pushed as `host/x`, crane and cosign can't name.
set -euo pipefail
work=$(mktemp -d)
trap 'chmod -R u+w "$work"; rm -rf "$work"' EXIT
cd "$work"
cat > main.go <<'GO'
package main

import (
	"fmt"

	"github.com/distribution/reference"
	"github.com/google/go-containerregistry/pkg/name"
)

func main() {
	for _, text := range []string{"registry.example/x:1", "registry.example/x/app:1", "registry.example/xy:1"} {
		_, first := reference.ParseNormalizedNamed(text)
		_, second := name.ParseReference(text)
		fmt.Printf("%s distribution: %v, go-containerregistry: %v\n", text, first == nil, second == nil)
	}
}
GO
go mod init seen 2>/dev/null
go get github.com/distribution/reference@v0.6.0 github.com/google/go-containerregistry@v0.21.9 2>/dev/null
go run . | tee out
grep -qx 'registry.example/x:1 distribution: true, go-containerregistry: false' out
[ "$(grep -c 'distribution: true, go-containerregistry: true' out)" = 2 ]
