#!/usr/bin/env bash
# estargz (Go), which makes seekable layers for nerdctl and the stargz snapshotter, on one tar archive. Guess: the work is parallel, the layer the same.
# Seen: `Build` of 0.19.1 cuts the archive into as many parts as there are processors and says in the layer's own table where they begin, so another
# number of processors gives another digest and another diff ID, not only other compressed bytes. With `WithMinChunkSize` there is one part and one layer.
set -euo pipefail
work=$(mktemp -d)
trap 'chmod -R u+w "$work"; rm -rf "$work"' EXIT
cd "$work"
cat > main.go <<'GO'
package main

import (
	"archive/tar"
	"bytes"
	"fmt"
	"io"
	"strings"

	"github.com/containerd/stargz-snapshotter/estargz"
	"github.com/opencontainers/go-digest"
)

func main() {
	var archive bytes.Buffer
	writer := tar.NewWriter(&archive)
	for i := range 20 {
		content := strings.Repeat(fmt.Sprintf("file %d\n", i), 20000)
		writer.WriteHeader(&tar.Header{Name: fmt.Sprintf("file%02d", i), Size: int64(len(content)), Mode: 0o644})
		io.WriteString(writer, content)
	}
	writer.Close()
	for name, options := range map[string][]estargz.Option{"plain": nil, "chunks": {estargz.WithMinChunkSize(1 << 16)}} {
		blob, err := estargz.Build(io.NewSectionReader(bytes.NewReader(archive.Bytes()), 0, int64(archive.Len())), options...)
		if err != nil {
			panic(err)
		}
		layer, _ := digest.FromReader(blob)
		blob.Close()
		fmt.Println(name, layer, "diff ID", blob.DiffID())
	}
}
GO
go mod init seen 2>/dev/null
go get github.com/containerd/stargz-snapshotter/estargz@v0.19.1 github.com/opencontainers/go-digest@v1.0.0 2>/dev/null
go build -o seen .
for processors in 1 1 2 4; do GOMAXPROCS=$processors ./seen | sed "s/^/$processors /"; done | sort -u | tee layers
[ "$(grep -c plain layers)" = 3 ]
[ "$(grep plain layers | sed 's/.*diff ID//' | sort -u | wc -l)" = 3 ]
[ "$(grep chunks layers | cut -d' ' -f2- | sort -u | wc -l)" = 1 ]
