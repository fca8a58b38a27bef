#!/usr/bin/env bash
# go-containerregistry (Go) on an image in the OCI format: `mutate.Time` sets all times, `mutate.Canonical` takes them away, so that builds can be compared.
# Guess: times change, nothing else. Seen: 0.21.9 gives back an image in docker's older format, with other media types for manifest, config and layers and
# without annotations. So an image that differs in no time at all has another digest afterwards, and tools that take OCI images only refuse it.
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
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

func show(name string, image v1.Image) {
	manifest := must(image.Manifest())
	fmt.Println(name, manifest.MediaType, manifest.Config.MediaType, manifest.Layers[0].MediaType, manifest.Annotations)
}

func main() {
	instant := time.Unix(1600000000, 0).UTC()
	var archive bytes.Buffer
	writer := tar.NewWriter(&archive)
	writer.WriteHeader(&tar.Header{Name: "file", ModTime: instant})
	writer.Close()
	open := func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(archive.Bytes())), nil }
	layer := must(tarball.LayerFromOpener(open, tarball.WithMediaType(types.OCILayer)))
	image := mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON)
	image = must(mutate.CreatedAt(must(mutate.AppendLayers(image, layer)), v1.Time{Time: instant}))
	image = mutate.Annotations(image, map[string]string{"org.opencontainers.image.source": "https://git.example/app"}).(v1.Image)
	show("before", image)
	show("Time", must(mutate.Time(image, instant)))
	show("Canonical", must(mutate.Canonical(image)))
}
GO
go mod init seen 2>/dev/null
go get github.com/google/go-containerregistry/pkg/v1/{mutate,tarball}@v0.21.9 2>/dev/null
go run . | tee seen
diff seen - <<'SEEN'
before application/vnd.oci.image.manifest.v1+json application/vnd.oci.image.config.v1+json application/vnd.oci.image.layer.v1.tar+gzip map[org.opencontainers.image.source:https://git.example/app]
Time application/vnd.docker.distribution.manifest.v2+json application/vnd.docker.container.image.v1+json application/vnd.docker.image.rootfs.diff.tar.gzip map[]
Canonical application/vnd.docker.distribution.manifest.v2+json application/vnd.docker.container.image.v1+json application/vnd.docker.image.rootfs.diff.tar.gzip map[]
SEEN
