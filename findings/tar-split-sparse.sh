#!/usr/bin/env bash
# tar-split (Go), with which podman, and docker without containerd's store, give back a layer byte for byte after unpacking it. Guess: that holds for
# every archive that it reads. Seen: 0.12.3 gives back ordinary archives, also without an end, with a global header or twice in a row, but not one with a
# sparse file, which `tar --sparse` and bsdtar write: without an error there comes another archive, longer by the holes. Such a layer has another diff ID
# when it leaves the machine than when it came.
set -euo pipefail
work=$(mktemp -d)
trap 'chmod -R u+w "$work"; rm -rf "$work"' EXIT
cd "$work"
cat > main.go <<'GO'
package main

import (
	"bytes"
	"fmt"
	"io"
	"os"

	"github.com/vbatts/tar-split/tar/asm"
	"github.com/vbatts/tar-split/tar/storage"
)

func main() {
	for _, name := range os.Args[1:] {
		archive, err := os.ReadFile(name)
		if err != nil {
			panic(err)
		}
		var metadata, back bytes.Buffer
		files := storage.NewBufferFileGetPutter()
		stream, err := asm.NewInputTarStream(bytes.NewReader(archive), storage.NewJSONPacker(&metadata), files)
		if err != nil {
			panic(err)
		}
		if _, err := io.Copy(io.Discard, stream); err != nil {
			panic(err)
		}
		err = asm.WriteOutputTarStream(files, storage.NewJSONUnpacker(&metadata), &back)
		fmt.Println(name, "error", err, "bytes", len(archive), "back", back.Len(), "equal", bytes.Equal(archive, back.Bytes()))
	}
}
GO
go mod init seen 2>/dev/null
go get github.com/vbatts/tar-split/tar/{asm,storage}@v0.12.3 2>/dev/null
truncate --size=1M file && echo end >> file
tar --format=pax -cf plain.tar file
head --bytes=-1024 plain.tar > endless.tar
cat plain.tar plain.tar > twice.tar
tar --format=pax --pax-option=comment=x -cf global.tar file
tar --format=pax --sparse -cf sparse-pax.tar file
tar --format=gnu --sparse -cf sparse-gnu.tar file
go run . plain.tar endless.tar twice.tar global.tar sparse-pax.tar sparse-gnu.tar | tee seen
[ "$(grep -c 'error <nil>' seen)" = 6 ]
[ "$(sed -n 's/^\([^ ]*\) .* equal false$/\1/p' seen | xargs)" = "sparse-pax.tar sparse-gnu.tar" ]
