#!/usr/bin/env python3
"""Makes examples/bases/tcc: a small OCI layout with a C compiler, from Debian's packages.

Usage: tcc.py FOLDER-OF-UNPACKED-PACKAGES OUTPUT
The packages are tcc and libc6 (apt-get download, dpkg-deb -x into one folder).
The layout is the same for the same package versions: fixed times, owners, order.
"""
import gzip, hashlib, io, json, os, sys, tarfile

FILES = [
    "lib/x86_64-linux-gnu/ld-linux-x86-64.so.2",
    "lib/x86_64-linux-gnu/libc.so.6",
    "lib/x86_64-linux-gnu/libdl.so.2",
    "lib/x86_64-linux-gnu/libm.so.6",
    "lib/x86_64-linux-gnu/libpthread.so.0",
    "usr/bin/tcc",
    "usr/lib/x86_64-linux-gnu/tcc/include/float.h",
    "usr/lib/x86_64-linux-gnu/tcc/include/stdarg.h",
    "usr/lib/x86_64-linux-gnu/tcc/include/stdbool.h",
    "usr/lib/x86_64-linux-gnu/tcc/include/stddef.h",
    "usr/lib/x86_64-linux-gnu/tcc/libtcc1.a",
    "usr/share/doc/libc6/copyright",
    "usr/share/doc/tcc/copyright",
]
LINKS = {"lib64/ld-linux-x86-64.so.2": "../lib/x86_64-linux-gnu/ld-linux-x86-64.so.2"}
TIME = 1700000000
CREATED = "2023-11-14T22:13:20Z"


def layer(root):
    folders = sorted({"/".join(path.split("/")[:depth])
                      for path in FILES + list(LINKS) for depth in range(1, path.count("/") + 1)})
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for path in sorted(folders + FILES + list(LINKS)):
            entry = tarfile.TarInfo(path)
            entry.mtime = TIME
            if path in folders:
                entry.type, entry.mode = tarfile.DIRTYPE, 0o755
                tar.addfile(entry)
            elif path in LINKS:
                entry.type, entry.mode, entry.linkname = tarfile.SYMTYPE, 0o777, LINKS[path]
                tar.addfile(entry)
            else:
                with open(os.path.join(root, path), "rb") as file:
                    content = file.read()
                entry.size = len(content)
                entry.mode = 0o755 if os.access(os.path.join(root, path), os.X_OK) else 0o644
                tar.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


def main(root, out):
    blobs = os.path.join(out, "blobs", "sha256")
    os.makedirs(blobs)

    def store(content, media_type):
        digest = hashlib.sha256(content).hexdigest()
        with open(os.path.join(blobs, digest), "wb") as file:
            file.write(content)
        return {"mediaType": media_type, "digest": "sha256:" + digest, "size": len(content)}

    oci = "application/vnd.oci.image."
    tar = layer(root)
    packed = gzip.compress(tar, 9, mtime=0)
    config = {
        "architecture": "amd64", "os": "linux", "created": CREATED,
        "config": {"Env": ["PATH=/usr/bin"], "WorkingDir": "/"},
        "rootfs": {"type": "layers", "diff_ids": ["sha256:" + hashlib.sha256(tar).hexdigest()]},
        "history": [{"created": CREATED, "created_by": "Debian packages tcc and libc6"}],
    }
    manifest = {
        "schemaVersion": 2, "mediaType": oci + "manifest.v1+json",
        "config": store(json.dumps(config, sort_keys=True).encode(), oci + "config.v1+json"),
        "layers": [store(packed, oci + "layer.v1.tar+gzip")],
    }
    index = {
        "schemaVersion": 2, "mediaType": oci + "index.v1+json",
        "manifests": [store(json.dumps(manifest, indent=2).encode(), oci + "manifest.v1+json")],
    }
    for name, document in (("index.json", index), ("oci-layout", {"imageLayoutVersion": "1.0.0"})):
        with open(os.path.join(out, name), "w", encoding="utf-8") as file:
            json.dump(document, file)


if __name__ == "__main__":
    main(*sys.argv[1:])
