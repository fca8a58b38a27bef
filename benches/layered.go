// The layers of a description for `repro stream`, hashed and then written, with Go's archive/tar and crypto/sha256: layered CONF.
package main

import (
	"archive/tar"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

type conf struct {
	StoreLayers [][]string `json:"store_layers"`
}

type counter struct {
	io.Writer
	size int64
}

func (c *counter) Write(p []byte) (int, error) {
	n, err := c.Writer.Write(p)
	c.size += int64(n)
	return n, err
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func layer(out io.Writer, paths []string) {
	w := tar.NewWriter(out)
	for _, path := range paths {
		check(filepath.WalkDir(path, func(name string, entry fs.DirEntry, err error) error {
			check(err)
			info, err := entry.Info()
			check(err)
			target := ""
			if info.Mode()&fs.ModeSymlink != 0 {
				target, err = os.Readlink(name)
				check(err)
			}
			header, err := tar.FileInfoHeader(info, target)
			check(err)
			header.Name, header.ModTime, header.Format = name, time.Unix(1, 0), tar.FormatPAX
			check(w.WriteHeader(header))
			if info.Mode().IsRegular() {
				file, err := os.Open(name)
				check(err)
				_, err = io.Copy(w, file)
				check(err)
				check(file.Close())
			}
			return nil
		}))
	}
	check(w.Close())
}

func main() {
	data, err := os.ReadFile(os.Args[1])
	check(err)
	var described conf
	check(json.Unmarshal(data, &described))
	w := tar.NewWriter(os.Stdout)
	for _, paths := range described.StoreLayers {
		sum := sha256.New()
		count := &counter{Writer: sum}
		layer(count, paths)
		check(w.WriteHeader(&tar.Header{Name: fmt.Sprintf("%x/layer.tar", sum.Sum(nil)), Size: count.size, Mode: 0o644}))
		layer(w, paths)
	}
	check(w.Close())
}
