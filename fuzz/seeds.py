#!/usr/bin/env python3
"""Makes seeds for the fuzz targets out of archives: seeds.py ARCHIVES CORPUS."""
import hashlib
import os
import sys
import tarfile
import zlib


def main():
    archives, corpus = sys.argv[1:]

    def keep(target, data):
        if len(data) <= 65536:
            folder = os.path.join(corpus, target)
            os.makedirs(folder, exist_ok=True)
            with open(os.path.join(folder, hashlib.sha256(data).hexdigest()[:16]), "wb") as file:
                file.write(data)

    for name in sorted(os.listdir(archives)):
        if not name.endswith(".tar"):
            continue
        path = os.path.join(archives, name)
        with open(path, "rb") as file:
            keep("archive", file.read())
        try:
            with tarfile.open(path) as archive:
                for member in archive:
                    if not member.isfile() or member.size > 1 << 20:
                        continue
                    data = archive.extractfile(member).read()
                    if data[:1] in (b"{", b"["):
                        keep("json", data)
                    elif data[:2] == b"\x1f\x8b":
                        keep("compression", data)
                        keep("tar", zlib.decompressobj(31).decompress(data, 1 << 17))
                    elif data[:4] == b"\x28\xb5\x2f\xfd":
                        keep("compression", data)
                    else:
                        keep("tar", data)
        except (tarfile.TarError, zlib.error, EOFError, ValueError, OSError):
            # Many of them are broken; what could be read serves.
            continue
    for text in ("alpine", "a/b", "a.b/c", "localhost/a", "a_b/c__d", "A", "a:b", "a@b", "a:5000/b:c@sha256:" + "f" * 64, "x--y/z",
                 "a" * 64, "docker.io/a", "index.docker.io/a", "[fe80::1]/a", "linux", "arm", "linux/amd64", "linux/arm/v7",
                 "windows(10.0)/amd64", "darwin/arm64", "1970-01-01T00:00:00Z", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999999Z",
                 "2024-02-29T12:00:00-23:59", "sha256:" + "a" * 64, "sha512:" + "b" * 128, "md5:" + "0" * 32, "docker.io/library/alpine:3.20", "ghcr.io/a/b@sha256:" + "0" * 64, "localhost:5000/x:y",
                 "[::1]:5000/a", "sha512:" + "0" * 128, "linux/arm64/v8", "2021-06-01T14:00:00.123+02:00"):
        keep("reference", text.encode())


main()
