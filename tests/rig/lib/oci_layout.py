#!/usr/bin/env python3
"""Writes an OCI image layout of one layer, the same bytes for the same content.

    oci_layout.py OUT --tar ROOT.tar --created SECONDS --cmd ARG… [--env K=V]… --platform linux/amd64…

Every platform gets the same layer; the configuration's history accounts for it. Standard library only.
"""

import argparse
import datetime
import gzip
import hashlib
import json
import os
import shutil

INDEX = "application/vnd.oci.image.index.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"


class Layout:
    """A layout being written: blobs are named by their digest."""

    def __init__(self, folder):
        self.blobs = os.path.join(folder, "blobs", "sha256")
        os.makedirs(self.blobs)
        self.folder = folder

    def add(self, media_type, body):
        digest = hashlib.sha256(body).hexdigest()
        with open(os.path.join(self.blobs, digest), "wb") as blob:
            blob.write(body)
        return {"mediaType": media_type, "digest": "sha256:" + digest, "size": len(body)}

    def add_layer(self, tar):
        """Compresses a tar file into a blob and returns its descriptor and diff ID."""
        plain = hashlib.sha256()
        temporary = os.path.join(self.blobs, "new")
        with open(tar, "rb") as source, open(temporary, "wb") as blob:
            with gzip.GzipFile("", "wb", 6, blob, mtime=0) as packed:
                while piece := source.read(1 << 20):
                    plain.update(piece)
                    packed.write(piece)
        with open(temporary, "rb") as blob:
            digest = hashlib.file_digest(blob, "sha256").hexdigest()
        size = os.path.getsize(temporary)
        os.rename(temporary, os.path.join(self.blobs, digest))
        descriptor = {"mediaType": LAYER, "digest": "sha256:" + digest, "size": size}
        return descriptor, "sha256:" + plain.hexdigest()

    def finish(self, index):
        with open(os.path.join(self.folder, "oci-layout"), "w") as marker:
            marker.write('{"imageLayoutVersion":"1.0.0"}')
        with open(os.path.join(self.folder, "index.json"), "wb") as top:
            top.write(index)


def encode(document):
    return json.dumps(document, separators=(",", ":")).encode()


def platform(text):
    parts = text.split("/")
    named = {"architecture": parts[1], "os": parts[0]}
    if len(parts) > 2:
        named["variant"] = parts[2]
    return named


def write(arguments):
    layout = Layout(arguments.out)
    layer, diff_id = layout.add_layer(arguments.tar)
    created = datetime.datetime.fromtimestamp(arguments.created, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    manifests = []
    for text in arguments.platform:
        config = {
            **platform(text),
            "created": created,
            "config": {"Env": arguments.env, "Cmd": arguments.cmd},
            "rootfs": {"type": "layers", "diff_ids": [diff_id]},
            "history": [
                {"created": created, "created_by": "root file system", "comment": "rig"},
                {"created": created, "created_by": "CMD " + json.dumps(arguments.cmd), "empty_layer": True},
            ],
        }
        manifest = {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": layout.add(CONFIG, encode(config)),
            "layers": [layer],
        }
        manifests.append({**layout.add(MANIFEST, encode(manifest)), "platform": platform(text)})
    index = {"schemaVersion": 2, "mediaType": INDEX, "manifests": manifests}
    layout.finish(encode(index))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("out")
    parser.add_argument("--tar", required=True)
    parser.add_argument("--created", type=int, required=True)
    parser.add_argument("--cmd", nargs="+", required=True)
    parser.add_argument("--env", action="append", default=[])
    parser.add_argument("--platform", action="append", required=True)
    arguments = parser.parse_args()
    if os.path.exists(arguments.out):
        shutil.rmtree(arguments.out)
    write(arguments)


if __name__ == "__main__":
    main()
